/* policy_load.h - policies on behalf of a command, and what it says of them. */
#ifndef APP_POLICY_LOAD_H
#define APP_POLICY_LOAD_H

#include "app/cli.h"
#include "app/policy_files.h"
#include "base/arena.h"
#include "policy/rules.h"

/* The options of the commands that load policies. */
#define POLICY_LOAD_OPTIONS                                                    \
    CMD_CONFIG_OPTION,                                                         \
        {"dir", 0, "DIR", "policies, instead of the configuration's"},         \
        {"shadow", 0, "DIR", "a shadow, instead of the configuration's"},      \
        {"entities", 0, "FILE", "entities, instead of the configuration's"}

struct policy_load {
    struct arena arena; /* of the configuration and the files */
    struct settings settings;
    bool has_settings; /* else there is no configuration, and no fence */
    struct policy_files_where where;
    struct entities_settings entities[1]; /* of the option */
    struct rules_sources sources;
    struct rules *rules;
};

/*
 * Loads what the command line names: of the configuration, unless only a
 * folder is given.  What is wrong is printed.  Returns CLI_OK or CLI_FAILED;
 * release in any case.
 */
MUST_CHECK int policy_load(const struct cli *c, struct policy_load *to);
void policy_load_release(struct policy_load *l);

/* Prints errors whose files have their whole paths, as above; CLI_FAILED. */
int policy_load_fail(const struct cli *c, const struct policy_load *l,
                     const struct rules_errors *errors);

#endif
