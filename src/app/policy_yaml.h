/*
 * policy_yaml.h - values of a file of policy tests, read strictly: what is
 * wrong is reported at its place.
 *
 * A node of NULL is a value that was not given: false, and no error.
 */
#ifndef APP_POLICY_YAML_H
#define APP_POLICY_YAML_H

#include "base/arena.h"
#include "base/attr.h"
#include "codec/yaml.h"
#include "policy/rules.h"

struct policy_yaml {
    struct arena *arena;
    struct str file;
    struct rules_errors *errors;
    bool full; /* the arena is */
};

void policy_yaml_error(struct policy_yaml *y, const struct yaml_node *at,
                       const char *format, ...) PRINTF_LIKE(3, 4);

/* Each is true when *ret was set; whether it was wrong, the errors say.  Texts
 * live as long as the arena. */
bool policy_yaml_text(struct policy_yaml *y, const struct yaml_node *node,
                      struct str *ret);
bool policy_yaml_bool(struct policy_yaml *y, const struct yaml_node *node,
                      bool *ret);
bool policy_yaml_count(struct policy_yaml *y, const struct yaml_node *node,
                       uint64_t *ret);
bool policy_yaml_duration(struct policy_yaml *y, const struct yaml_node *node,
                          int64_t *ret_ms);
/* A list of texts, or one text alone. */
bool policy_yaml_words(struct policy_yaml *y, const struct yaml_node *node,
                       struct names *ret);

/*
 * A map with no other keys than these, which end with NULL.  False, and an
 * error, when it is none; unknown keys are reported.
 */
bool policy_yaml_map(struct policy_yaml *y, const struct yaml_node *node,
                     const char *const *keys);

#endif
