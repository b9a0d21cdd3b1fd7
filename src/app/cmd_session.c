/* cmd_session.c - `writ session ...`: the open sessions of the running node. */
#include <inttypes.h>

#include "app/admin_client.h"
#include "app/admin_listing.h"
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

static void session_row(struct arena *a, const struct json *v,
                        struct str *cells)
{
    cells[0] = admin_client_text(v, "id");
    cells[1] = admin_client_text(v, "tenant");
    cells[2] = admin_client_text(v, "subject");
    cells[3] = admin_client_text(v, "actor");
    cells[4] = str_first(admin_client_text(v, "opened"), 19);
    cells[5] = str_first(admin_client_text(v, "used"), 19);
    cells[6] = number_of(a, v, "calls");
    cells[7] = number_of(a, v, "tokens");
}

int cmd_session_list(const struct cli *c)
{
    static const char *const filters[] = {"who", NULL};
    static const char *const heads[] = {"ID",    "TENANT", "SUBJECT",
                                        "ACTOR", "OPENED", "USED",
                                        "CALLS", "TOKENS", NULL};
    const struct admin_listing l = {
        .path = "/admin/v1/sessions",
        .name = "sessions",
        .filters = filters,
        .heads = heads,
        .row = session_row,
    };

    return admin_listing(c, &l);
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
