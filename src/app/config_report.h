/*
 * config_report.h - collects what is wrong while a configuration is read.
 *
 * Errors may be found in any order; config_report_end() puts them into the
 * order of the file.
 */
#ifndef APP_CONFIG_REPORT_H
#define APP_CONFIG_REPORT_H

#include <stdbool.h>

#include "app/config.h"

struct config_report {
    struct arena *a;
    struct config_errors *errors;
    bool full; /* the arena is; what follows is not recorded */
};

struct config_place {
    unsigned line, column;
    struct str path;
};

void config_report_add(struct config_report *r, struct config_place where,
                       const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Sorts.  ERR_OK: nothing was wrong.  ERR_CONFIG.  ERR_LIMIT: the arena. */
MUST_CHECK enum err config_report_end(struct config_report *r);

/* Finds the nearest of some words: offer each, then ask. */
struct config_near {
    struct str word;
    struct str best; /* empty: none is near */
    unsigned distance;
};
struct config_near config_near_start(struct str word);
void config_near_offer(struct config_near *n, struct str candidate);

/* "; did you mean \"x\"?", or nothing. */
void config_near_add(struct buf *to, const struct config_near *n);

#endif
