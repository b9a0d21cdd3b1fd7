/*
 * admin_listing.h - `writ ... list`: all pages of a list of the running node,
 * as a table, or as one JSON object.
 */
#ifndef APP_ADMIN_LISTING_H
#define APP_ADMIN_LISTING_H

#include "app/cli.h"
#include "app/cli_table.h"
#include "codec/json.h"

struct admin_listing {
    const char *path;           /* "/admin/v1/agents" */
    const char *item;           /* added to it, as one segment; or NULL */
    const char *name;           /* of the list in the answer */
    const char *const *filters; /* options that narrow it; ends with NULL */
    const char *const *heads;   /* of the columns; ends with NULL */
    /* Fills as many cells as there are heads; what it makes is in `a`. */
    void (*row)(struct arena *a, const struct json *v, struct str *cells);
};

/* Returns the command's exit code; what went wrong was said. */
MUST_CHECK int admin_listing(const struct cli *c,
                             const struct admin_listing *l);

#endif
