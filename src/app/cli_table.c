/* cli_table.c - see cli_table.h. */
#include "app/cli_table.h"

#include <assert.h>

#include "app/cli.h"
#include "base/text.h"

struct cli_table_row {
    struct cli_table_row *next;
    struct str cells[CLI_TABLE_COLUMNS_MAX];
};

static size_t characters(struct str s)
{
    size_t n = 0;
    for (size_t at = 0; at < s.len; n++) {
        size_t len = text_utf8_len(str_skip(s, at));
        at += len == 0 ? 1 : len;
    }
    return n;
}

static struct str shown(struct str s)
{
    return s.len == 0 ? STR("-") : s;
}

void cli_table_init(struct cli_table *t, struct arena *a,
                    const char *const *heads)
{
    struct str cells[CLI_TABLE_COLUMNS_MAX];

    *t = (struct cli_table){.arena = a, .last = &t->first};
    while (heads[t->columns] != NULL) {
        assert(t->columns < CLI_TABLE_COLUMNS_MAX);
        cells[t->columns] = str_from(heads[t->columns]);
        t->columns++;
    }
    cli_table_add(t, cells);
}

void cli_table_add(struct cli_table *t, const struct str *cells)
{
    struct cli_table_row *row = ARENA_NEW(t->arena, struct cli_table_row, 1);

    if (row == NULL)
        return; /* the caller's list fails for the same reason */
    for (size_t i = 0; i < t->columns; i++) {
        row->cells[i] = shown(cells[i]);
        size_t width = characters(row->cells[i]);
        if (width > t->width[i])
            t->width[i] = width;
    }
    *t->last = row;
    t->last = &row->next;
}

void cli_table_print(const struct cli_table *t, FILE *out)
{
    for (const struct cli_table_row *r = t->first; r != NULL; r = r->next) {
        for (size_t i = 0; i < t->columns; i++) {
            size_t pad = t->width[i] - characters(r->cells[i]);
            cli_print_safe(out, r->cells[i]);
            if (i + 1 < t->columns)
                cli_print(out, "%*s", (int)pad + 2, "");
        }
        (void)fputc('\n', out);
    }
}
