/*
 * config.h - one YAML file to `struct settings`, or a list of what is wrong.
 *
 * Everything a file may say stands in one table (config_table.h), which also
 * makes the defaults, the JSON Schema and docs/configuration.md.  Reading is
 * all or nothing: a single error, an unknown key included, and there are no
 * settings.  References are resolved and contradictions refused here, so
 * that what is built from settings cannot meet a name that nobody defined.
 *
 *     struct config_errors errors = {0};
 *     enum err e = config_load(&arena, STR("writ.yaml"), &settings, &errors);
 *     for (size_t i = 0; i < errors.count; i++)
 *         config_add_error(&text, file, &errors.at[i]);
 *
 * Threads: any; reads the environment, so nobody may change that meanwhile.
 */
#ifndef APP_CONFIG_H
#define APP_CONFIG_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "domain/settings.h"

/* Enough to fix a file in a few rounds; the rest is only counted. */
enum { CONFIG_ERRORS_MAX = 20 };

/* Memory that the settings of the largest file take. */
#define CONFIG_ARENA_MAX (64 * MIB)

struct config_error {
    unsigned line, column; /* from 1; 0: the file as a whole */
    struct str path;       /* "models.small.routes[0].provider", or empty */
    struct str text;       /* what is wrong and what was expected */
};

/* In the order of the file; texts belong to the arena of the settings. */
struct config_errors {
    struct config_error at[CONFIG_ERRORS_MAX];
    size_t count;
    size_t more; /* found beyond those */
};

/*
 * Reads `file`.  Relative paths in it start at its folder.
 * ERR_CONFIG: *errors says why, also when the file cannot be read.
 * ERR_LIMIT: the arena is full; *errors holds one entry that says so.
 */
MUST_CHECK enum err config_load(struct arena *a, struct str file,
                                struct settings *ret,
                                struct config_errors *errors);

struct config_source {
    struct str file;   /* for messages and for settings.file */
    struct str folder; /* where relative paths start; empty: they stay */
    struct str text;
};

/* The same for text that is at hand; all of `from` is copied. */
MUST_CHECK enum err config_load_text(struct arena *a,
                                     const struct config_source *from,
                                     struct settings *ret,
                                     struct config_errors *errors);

/* Appends "file:line:column: path: text", without a line end. */
void config_add_error(struct buf *to, struct str file,
                      const struct config_error *e);

/*
 * What a valid configuration leaves open against what Writ promises, one
 * sentence each, for `check` and reports.  Returns how many of them were
 * written; at most `max`.  Texts belong to `a`.
 */
struct config_gap {
    struct str path;
    struct str text;
};
size_t config_gaps(struct arena *a, const struct settings *s,
                   struct config_gap *to, size_t max);

#endif
