/* cmd_session.c - `writ session ...`: the open sessions of the running node. */
#include <inttypes.h>

#include "app/admin_client.h"
#include "app/cli_table.h"
#include "app/cmd.h"
#include "app/cmd_admin.h"
#include "base/limits.h"
#include "codec/uri.h"

enum { TARGET_MAX = 4096 };

const struct cli_option cmd_session_list_options[] = {
    ADMIN_CLIENT_OPTIONS,
    {"who", 0, "ID", "only of this entity id"},
    {NULL, 0, NULL, NULL},
};
const struct cli_option cmd_session_end_options[] = {
    ADMIN_CLIENT_OPTIONS,
    {"reason", 0, "TEXT", "why; stands in the evidence"},
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

static struct str number_of(struct arena *a, const struct json *v,
                            const char *name)
{
    char text[24];
    struct str kept = {NULL, 0};
    int64_t n = 0;

    (void)!json_i64(json_get(v, str_from(name)), &n);
    int len = snprintf(text, sizeof(text), "%" PRId64, n);
    return arena_copy(a, (struct str){text, (size_t)len}, &kept) ? kept
                                                                 : STR("");
}

static void on_session(void *user, const struct json *v)
{
    struct listing *l = user;

    if (l->cli->json) {
        buf_add(&l->json, l->json.len > 0 ? STR(",") : STR(""));
        json_write(&l->json, v, NULL, 0);
        return;
    }
    const struct str cells[] = {
        text_of(v, "id"),
        text_of(v, "tenant"),
        text_of(v, "subject"),
        text_of(v, "actor"),
        str_first(text_of(v, "opened"), 19),
        str_first(text_of(v, "used"), 19),
        number_of(l->arena, v, "calls"),
        number_of(l->arena, v, "tokens"),
    };
    cli_table_add(&l->table, cells);
}

static int run_list(struct listing *l, struct buf *target)
{
    static const char *const heads[] = {"ID",    "TENANT", "SUBJECT",
                                        "ACTOR", "OPENED", "USED",
                                        "CALLS", "TOKENS", NULL};
    const struct cli *c = l->cli;
    const char *who = cli_value(c, "who", NULL);

    BUF_LIT(target, "/admin/v1/sessions");
    if (who != NULL) {
        BUF_LIT(target, "?who=");
        uri_add_encoded(target, str_from(who));
    }
    buf_add_char(target, 0);
    if (!buf_ok(target))
        return cli_usage(c, "the id is too long");
    cli_table_init(&l->table, l->arena, heads);
    const struct admin_client_list list = {target->ptr, "sessions", on_session,
                                           l};
    int code = admin_client_list(c, l->arena, &list);
    if (code != CLI_OK)
        return code;
    if (!c->json)
        cli_table_print(&l->table, c->out);
    else if (buf_ok(&l->json))
        cli_print(c->out, "{\"sessions\":[%.*s]}\n",
                  STR_FMT(buf_str(&l->json)));
    else
        return cli_fail(c, "the list is too long");
    return CLI_OK;
}

int cmd_session_list(const struct cli *c)
{
    struct arena arena;
    struct buf target;
    struct listing l = {.cli = c, .arena = &arena};

    arena_init(&arena, 16 * ADMIN_CLIENT_ARENA_MAX);
    buf_init(&target, TARGET_MAX);
    buf_init(&l.json, 16 * ADMIN_CLIENT_ARENA_MAX);
    int code = run_list(&l, &target);
    buf_release(&l.json);
    buf_release(&target);
    arena_release(&arena);
    return code;
}

static int end(const struct cli *c, struct arena *a, const char *target,
               struct str body)
{
    const struct control_client_request r = {target, true, body};
    const struct json *v;
    struct buf text;
    bool durable = true;

    int code = admin_client_ask(c, a, &r, &v);
    if (code != CLI_OK)
        return code;
    buf_init(&text, ADMIN_CLIENT_ARENA_MAX);
    json_write(&text, v, NULL, 0);
    if (c->json && buf_ok(&text))
        cli_print(c->out, "%.*s\n", STR_FMT(buf_str(&text)));
    else if (!c->json)
        cli_print(c->out, "session %s has ended\n", c->args[0]);
    if (json_bool(json_get(v, STR("durable")), &durable) && !durable)
        cli_print(c->err, "writ: its evidence is not written yet, the node "
                          "goes on trying\n");
    buf_release(&text);
    return code;
}

int cmd_session_end(const struct cli *c)
{
    const char *reason = cli_value(c, "reason", NULL);
    struct arena arena;
    struct buf target, body;
    int code;

    arena_init(&arena, ADMIN_CLIENT_ARENA_MAX);
    buf_init(&target, TARGET_MAX);
    buf_init(&body, 64 * KIB);
    BUF_LIT(&target, "/admin/v1/sessions/");
    uri_add_encoded(&target, str_from(c->args[0]));
    BUF_LIT(&target, "/end");
    buf_add_char(&target, 0);
    buf_add_char(&body, '{');
    if (reason != NULL) {
        BUF_LIT(&body, "\"reason\":");
        json_write_str(&body, str_from(reason));
    }
    buf_add_char(&body, '}');
    if (buf_ok(&target) && buf_ok(&body))
        code = end(c, &arena, target.ptr, buf_str(&body));
    else
        code = cli_usage(c, "the id is too long");
    buf_release(&target);
    buf_release(&body);
    arena_release(&arena);
    return code;
}
