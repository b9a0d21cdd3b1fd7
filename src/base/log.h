/*
 * log.h - one structured line to standard error; the only writer there.
 *
 *     log_info("reload", {"file", STR("writ.yaml")}, {"models", STR("3")});
 *
 * A line is JSON: time, level, process role, event, then the pairs.  Values
 * are escaped, so that nothing from outside can end a line or forge a field.
 * A secret is never an argument.  Called from app/, pipeline/ and the
 * processes' main loops only: libraries return errors.
 *
 * Thread-safe: one write(2) a line.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/str.h"

enum log_level {
    LOG_LEVEL_ERROR = 0,
    LOG_LEVEL_WARN,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG
};

/*
 * Set once at start, before threads: lines above `level` are dropped; `role`
 * (static) names the process.  The only mutable state of base/.
 */
void log_setup(enum log_level level, const char *role);

struct log_pair {
    const char *key;
    struct str value;
};

/* `event` is a short word; `pairs` may be NULL when n is 0. */
void log_write(enum log_level level, const char *event,
               const struct log_pair *pairs, size_t n);

/* clang-format off */
#define LOG_AT(level, event, ...)                                              \
    log_write((level), (event), (const struct log_pair[]){__VA_ARGS__},        \
              sizeof((const struct log_pair[]){__VA_ARGS__}) /                 \
                  sizeof(struct log_pair))
/* clang-format on */

/* log_error("ledger.failed", {"why", STR("fsync")}, {"file", path}); */
#define log_error(event, ...) LOG_AT(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...) LOG_AT(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define log_info(event, ...) LOG_AT(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_debug(event, ...) LOG_AT(LOG_LEVEL_DEBUG, event, __VA_ARGS__)

#endif
