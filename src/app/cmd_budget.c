/* cmd_budget.c - `writ budget ...`: what was used of each budget. */
#include <inttypes.h>

#include "app/admin_client.h"
#include "app/cli_table.h"
#include "app/cmd.h"
#include "app/cmd_admin.h"
#include "base/limits.h"
#include "codec/uri.h"

enum { TARGET_MAX = 4096 };

const struct cli_option cmd_budget_options[] = {
    ADMIN_CLIENT_OPTIONS,
    {NULL, 0, NULL, NULL},
};

struct listing {
    const struct cli *cli;
    struct arena *arena;
    struct cli_table table;
    struct buf json;
};

static struct str text_of(const struct json *v, const char *name)
{
    struct str s = {NULL, 0};
    return json_str(json_get(v, str_from(name)), &s) ? s : STR("");
}

/* "12 of 100, 3 reserved" */
static struct str sum_of(struct arena *a, const struct json *v,
                         const char *name)
{
    const struct json *sum = json_get(v, str_from(name));
    char text[96];
    struct str kept = {NULL, 0};
    int64_t used = 0, reserved = 0, limit = 0;

    (void)!json_i64(json_get(sum, STR("used")), &used);
    (void)!json_i64(json_get(sum, STR("reserved")), &reserved);
    if (!json_i64(json_get(sum, STR("limit")), &limit))
        return STR("");
    int len =
        snprintf(text, sizeof(text), "%" PRId64 " of %" PRId64, used, limit);
    if (reserved > 0)
        len += snprintf(text + len, sizeof(text) - (size_t)len,
                        ", %" PRId64 " reserved", reserved);
    return arena_copy(a, (struct str){text, (size_t)len}, &kept) ? kept
                                                                 : STR("");
}

static void on_budget(void *user, const struct json *v)
{
    struct listing *l = user;

    if (l->cli->json) {
        buf_add(&l->json, l->json.len > 0 ? STR(",") : STR(""));
        json_write(&l->json, v, NULL, 0);
        return;
    }
    const struct str cells[] = {
        text_of(v, "name"),
        text_of(v, "whom"),
        sum_of(l->arena, v, "requests"),
        sum_of(l->arena, v, "tokens"),
        str_first(text_of(v, "until"), 19),
    };
    cli_table_add(&l->table, cells);
}

static int run(struct listing *l, struct buf *target)
{
    static const char *const heads[] = {"BUDGET", "WHOM",  "REQUESTS",
                                        "TOKENS", "UNTIL", NULL};
    const struct cli *c = l->cli;

    BUF_LIT(target, "/admin/v1/budgets");
    if (c->arg_count > 0) {
        buf_add_char(target, '/');
        uri_add_encoded(target, str_from(c->args[0]));
    }
    buf_add_char(target, 0);
    if (!buf_ok(target))
        return cli_usage(c, "the name is too long");
    cli_table_init(&l->table, l->arena, heads);
    const struct admin_client_list list = {target->ptr, "budgets", on_budget,
                                           l};
    int code = admin_client_list(c, l->arena, &list);
    if (code != CLI_OK)
        return code;
    if (!c->json)
        cli_table_print(&l->table, c->out);
    else if (buf_ok(&l->json))
        cli_print(c->out, "{\"budgets\":[%.*s]}\n", STR_FMT(buf_str(&l->json)));
    else
        return cli_fail(c, "the list is too long");
    return CLI_OK;
}

int cmd_budget_list(const struct cli *c)
{
    struct arena arena;
    struct buf target;
    struct listing l = {.cli = c, .arena = &arena};

    arena_init(&arena, 16 * ADMIN_CLIENT_ARENA_MAX);
    buf_init(&target, TARGET_MAX);
    buf_init(&l.json, 16 * ADMIN_CLIENT_ARENA_MAX);
    int code = run(&l, &target);
    buf_release(&l.json);
    buf_release(&target);
    arena_release(&arena);
    return code;
}

int cmd_budget_show(const struct cli *c)
{
    return cmd_budget_list(c); /* the name is its argument */
}
