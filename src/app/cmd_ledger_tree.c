/* cmd_ledger_tree.c - `writ ledger show --tree`: who asked whom to do what. */
#include "app/cmd.h"
#include "app/cmd_ledger_dir.h"
#include "app/entry_tree.h"
#include "base/num.h"
#include "ledger/ledger_reader.h"

enum { TREE_LAST_DEFAULT = 1000 };

static int trouble(const struct cli *c, const struct ledger_reader *r,
                   enum err e)
{
    const struct segment_trouble *t = ledger_reader_trouble(r);

    if (t->what == NULL)
        return cli_fail(c, "the ledger cannot be read: %s", err_text(e));
    return cli_fail(c, "the ledger does not verify at entry %llu: %s",
                    (unsigned long long)t->index, t->what);
}

static int take_in(const struct cli *c, struct entry_tree *t,
                   struct ledger_reader *r, uint64_t last)
{
    struct ledger_entry entry;
    uint64_t size;
    enum err e = ledger_reader_size(r, &size);

    if (e == ERR_OK)
        e = ledger_reader_seek(r, size > last ? size - last : 0);
    /* What comes meanwhile is left out: there would be no end. */
    for (uint64_t n = 0; e == ERR_OK && n < last; n++) {
        e = ledger_reader_next(r, &entry);
        enum err taken = e == ERR_OK ? entry_tree_add(t, &entry) : ERR_OK;
        if (taken != ERR_OK)
            return cli_fail(c, "entry %llu: %s",
                            (unsigned long long)entry.index, err_text(taken));
    }
    return e == ERR_OK || e == ERR_NOT_FOUND ? CLI_OK : trouble(c, r, e);
}

static int show(const struct cli *c, struct ledger_reader *r, uint64_t last)
{
    struct entry_tree *t;

    if (entry_tree_new(&t) != ERR_OK)
        return cli_fail(c, "there is no memory");
    int code = take_in(c, t, r, last);
    if (code == CLI_OK)
        entry_tree_print(t, cli_is_terminal(c->out), c->out);
    entry_tree_free(t);
    return code;
}

int cmd_ledger_tree(const struct cli *c)
{
    const char *text = cli_value(c, "last", NULL);
    uint64_t last = TREE_LAST_DEFAULT;
    struct ledger_reader *r;
    char dir[FILE_PATH_MAX];

    if (c->json)
        return cli_usage(c, "--tree is for people: without it, --json names "
                            "session and parent of each entry");
    if (c->arg_count > 0 || cli_has(c, "follow") || cli_has(c, "kind"))
        return cli_usage(c, "--tree stands alone, or with --last");
    if (text != NULL && !num_u64(str_from(text), ENTRY_TREE_MAX, &last))
        return cli_usage(c, "--last: \"%s\" is no number up to %d", text,
                         ENTRY_TREE_MAX);
    int code = cmd_ledger_dir(c, dir);
    if (code != CLI_OK)
        return code;
    enum err e = ledger_reader_open(dir, &r);
    if (e == ERR_NOT_FOUND)
        return cli_fail(c, "%s holds no ledger", dir);
    if (e != ERR_OK)
        return cli_fail(c, "%s: %s", dir, err_text(e));
    code = show(c, r, last);
    ledger_reader_close(r);
    return code;
}
