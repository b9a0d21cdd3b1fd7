/*
 * cli_table.h - a table for people: columns as wide as their widest cell.
 */
#ifndef APP_CLI_TABLE_H
#define APP_CLI_TABLE_H

#include <stdio.h>

#include "base/arena.h"
#include "base/str.h"

enum { CLI_TABLE_COLUMNS_MAX = 10 };

struct cli_table_row;

struct cli_table {
    struct arena *arena;
    size_t columns;
    size_t width[CLI_TABLE_COLUMNS_MAX]; /* characters */
    struct cli_table_row *first, **last;
};

/* `heads` ends with NULL. */
void cli_table_init(struct cli_table *t, struct arena *a,
                    const char *const *heads);
/* One cell a column, borrowed; an empty one is shown as "-". */
void cli_table_add(struct cli_table *t, const struct str *cells);
/* What came from outside is made safe (cli_print_safe). */
void cli_table_print(const struct cli_table *t, FILE *out);

#endif
