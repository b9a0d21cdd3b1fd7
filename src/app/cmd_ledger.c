/*
 * cmd_ledger.c - `writ ledger show` and `tail`: entries for people and for
 * programs, read from the files, whether a node runs or not.
 */
#include <unistd.h>

#include "app/cmd.h"
#include "app/cmd_ledger_dir.h"
#include "app/entry_view.h"
#include "base/num.h"
#include "ledger/ledger_reader.h"

enum {
    LAST_DEFAULT = 20,
    LAST_MAX = 1000000,
    POLL_US = 200 * 1000,
    WINDOW_GROWTH = 8,
};
#define ENTRY_ARENA_MAX ((size_t)1024 * 1024)

struct show {
    const struct cli *cli;
    struct ledger_reader *reader;
    struct str kind; /* empty: any */
    uint64_t last;
    bool follow, head_printed;
};

static int trouble(const struct show *s, enum err e)
{
    const struct segment_trouble *t = ledger_reader_trouble(s->reader);
    if (t->what == NULL)
        return cli_fail(s->cli, "the ledger cannot be read: %s", err_text(e));
    return cli_fail(s->cli,
                    "the ledger does not verify at entry %llu: %s "
                    "(%s, byte %llu)",
                    (unsigned long long)t->index, t->what, t->file,
                    (unsigned long long)t->offset);
}

/* 1: of the kind that was asked for; 0: not; -1: no entry of ours. */
static int is_wanted(const struct show *s, const struct ledger_entry *e)
{
    struct arena arena;
    struct str kind;
    if (s->kind.len == 0)
        return 1;
    arena_init(&arena, ENTRY_ARENA_MAX);
    enum err err = entry_view_kind(&arena, e, &kind);
    int wanted = err != ERR_OK ? -1 : str_eq(kind, s->kind);
    arena_release(&arena);
    return wanted;
}

static int print_entry(struct show *s, const struct ledger_entry *e)
{
    struct arena arena;
    FILE *out = s->cli->out;
    if (s->cli->json) {
        entry_view_json(e, out);
        return CLI_OK;
    }
    if (!s->head_printed)
        entry_view_head(out);
    s->head_printed = true;
    arena_init(&arena, ENTRY_ARENA_MAX);
    enum err err = entry_view_row(&arena, e, cli_is_terminal(out), out);
    arena_release(&arena);
    if (err == ERR_OK)
        return CLI_OK;
    return cli_fail(s->cli, "entry %llu is no evidence entry",
                    (unsigned long long)e->index);
}

/* Counts the entries of the kind from `from` to the end. */
static int count_from(struct show *s, uint64_t from, uint64_t *ret)
{
    struct ledger_entry e;
    uint64_t n = 0;
    enum err err = ledger_reader_seek(s->reader, from);
    while (err == ERR_OK) {
        err = ledger_reader_next(s->reader, &e);
        if (err == ERR_OK && is_wanted(s, &e) == 1)
            n++;
    }
    *ret = n;
    return err == ERR_NOT_FOUND ? CLI_OK : trouble(s, err);
}

/* Where to begin so that `last` entries of the kind follow; *ret_skip of
 * them are too many. */
static int find_start(struct show *s, uint64_t *ret_from, uint64_t *ret_skip)
{
    uint64_t size;
    enum err err = ledger_reader_size(s->reader, &size);
    if (err != ERR_OK)
        return trouble(s, err);
    *ret_skip = 0;
    *ret_from = size > s->last ? size - s->last : 0;
    uint64_t window = s->last;
    int code = CLI_OK;
    while (s->kind.len > 0 && code == CLI_OK) {
        uint64_t n;
        code = count_from(s, *ret_from, &n);
        *ret_skip = n > s->last ? n - s->last : 0;
        if (n >= s->last || *ret_from == 0)
            break;
        window = window * WINDOW_GROWTH + 64;
        *ret_from = size > window ? size - window : 0;
    }
    return code;
}

static int print_from(struct show *s, uint64_t from, uint64_t skip)
{
    struct ledger_entry e;
    int code = CLI_OK;
    enum err err = ledger_reader_seek(s->reader, from);
    while (code == CLI_OK) {
        if (err == ERR_OK)
            err = ledger_reader_next(s->reader, &e);
        if (err == ERR_NOT_FOUND && s->follow) {
            if (fflush(s->cli->out) != 0)
                return CLI_FAILED;
            (void)usleep(POLL_US);
            err = ERR_OK;
            continue;
        }
        if (err != ERR_OK)
            break;
        if (is_wanted(s, &e) == 0)
            continue;
        if (skip > 0)
            skip--;
        else
            code = print_entry(s, &e);
    }
    return code != CLI_OK || err == ERR_NOT_FOUND ? code : trouble(s, err);
}

static int print_one(struct show *s, uint64_t index)
{
    struct ledger_entry e;
    struct arena arena;
    enum err err = ledger_reader_seek(s->reader, index);
    if (err == ERR_OK)
        err = ledger_reader_next(s->reader, &e);
    if (err == ERR_NOT_FOUND)
        return cli_fail(s->cli, "the ledger has no entry %llu",
                        (unsigned long long)index);
    if (err != ERR_OK)
        return trouble(s, err);
    if (s->cli->json) {
        entry_view_json(&e, s->cli->out);
        return CLI_OK;
    }
    arena_init(&arena, ENTRY_ARENA_MAX);
    err = entry_view_whole(&arena, &e, s->cli->out);
    arena_release(&arena);
    if (err == ERR_OK)
        return CLI_OK;
    return cli_fail(s->cli, "entry %llu is no evidence entry",
                    (unsigned long long)index);
}

static int read_options(struct show *s, bool *ret_one, uint64_t *ret_index)
{
    const struct cli *c = s->cli;
    const char *last = cli_value(c, "last", NULL);
    s->last = LAST_DEFAULT;
    s->kind = str_from(cli_value(c, "kind", NULL));
    if (last != NULL && !num_u64(str_from(last), LAST_MAX, &s->last))
        return cli_usage(c, "--last: \"%s\" is no number up to %d", last,
                         LAST_MAX);
    if (s->kind.ptr != NULL && !entry_view_is_kind(s->kind))
        return cli_usage(c, "--kind: there is no kind \"%.*s\"",
                         STR_FMT(s->kind));
    *ret_one = c->arg_count == 1;
    if (*ret_one && !num_u64(str_from(c->args[0]), UINT64_MAX - 1, ret_index))
        return cli_usage(c, "\"%s\" is no index of an entry", c->args[0]);
    if (*ret_one && (s->follow || last != NULL || s->kind.ptr != NULL))
        return cli_usage(c, "an INDEX stands alone");
    return CLI_OK;
}

static int show(const struct cli *c, bool follow)
{
    struct show s = {.cli = c, .follow = follow};
    char dir[FILE_PATH_MAX];
    uint64_t from = 0;
    uint64_t skip = 0;
    bool one = false;
    int code = read_options(&s, &one, &from);
    if (code == CLI_OK)
        code = cmd_ledger_dir(c, dir);
    if (code != CLI_OK)
        return code;
    enum err e = ledger_reader_open(dir, &s.reader);
    if (e == ERR_NOT_FOUND)
        return cli_fail(c, "%s holds no ledger", dir);
    if (e != ERR_OK)
        return cli_fail(c, "%s: %s", dir, err_text(e));
    if (one)
        code = print_one(&s, from);
    else
        code = find_start(&s, &from, &skip);
    if (!one && code == CLI_OK)
        code = print_from(&s, from, skip);
    ledger_reader_close(s.reader);
    return code;
}

int cmd_ledger_show(const struct cli *c)
{
    if (cli_has(c, "tree"))
        return cmd_ledger_tree(c);
    return show(c, cli_has(c, "follow"));
}

int cmd_ledger_tail(const struct cli *c)
{
    return show(c, true);
}
