/* cmd_approval.c - `writ approval ...`: what waits for people, and their word.
 */
#include "app/admin_client.h"
#include "app/cli_table.h"
#include "app/cmd.h"
#include "app/cmd_admin.h"
#include "base/limits.h"
#include "codec/uri.h"

enum { TARGET_MAX = 4096, CELL_MAX = 512, ID_SHOWN = 12 };

const struct cli_option cmd_approval_list_options[] = {
    ADMIN_CLIENT_OPTIONS,
    {"state", 0, "STATE", "open, granted, used, denied, expired, or all"},
    {NULL, 0, NULL, NULL},
};
const struct cli_option cmd_approval_options[] = {
    ADMIN_CLIENT_OPTIONS,
    {NULL, 0, NULL, NULL},
};
const struct cli_option cmd_approval_decide_options[] = {
    ADMIN_CLIENT_OPTIONS,
    {"reason", 0, "TEXT", "why; stands in the evidence"},
    {NULL, 0, NULL, NULL},
};

static struct str text_of(const struct json *v, const char *name)
{
    struct str s = {NULL, 0};
    return json_str(json_get(v, str_from(name)), &s) ? s : STR("");
}

/* ---- the list ---- */

struct listing {
    const struct cli *cli;
    struct arena *arena;
    struct cli_table table;
    struct buf json;
};

static struct str kept(struct arena *a, const struct buf *text)
{
    struct str s = {NULL, 0};
    return arena_copy(a, buf_str(text), &s) ? s : STR("");
}

/* "local|ann > acme/payer": without the kinds, which take room. */
static struct str chain_of(struct arena *a, const struct json *v)
{
    char room[CELL_MAX];
    struct json_iter it = json_each(json_get(v, STR("chain")));
    const struct json *link;
    struct buf text;

    buf_init_lent(&text, room, sizeof(room));
    while (json_next(&it, NULL, &link)) {
        struct str s = {NULL, 0};
        (void)!json_str(link, &s);
        buf_add(&text, text.len > 0 ? STR(" > ") : STR(""));
        buf_add(&text, str_skip(s, str_find(s, ' ') + 1));
    }
    return kept(a, &text);
}

/* The groups that are still to say yes; while it is open. */
static struct str groups_of(struct arena *a, const struct json *v)
{
    char room[CELL_MAX];
    struct json_iter it = json_each(json_get(v, STR("needs")));
    const struct json *need;
    struct buf text;

    buf_init_lent(&text, room, sizeof(room));
    while (json_next(&it, NULL, &need)) {
        if (text_of(need, "by").len > 0)
            continue;
        buf_add(&text, text.len > 0 ? STR(", ") : STR(""));
        buf_add(&text, text_of(need, "group"));
    }
    return kept(a, &text);
}

static void on_ticket(void *user, const struct json *v)
{
    struct listing *l = user;

    if (l->cli->json) {
        buf_add(&l->json, l->json.len > 0 ? STR(",") : STR(""));
        json_write(&l->json, v, NULL, 0);
        return;
    }
    const struct str cells[] = {
        str_first(text_of(v, "id"), ID_SHOWN),
        text_of(v, "state"),
        text_of(v, "tenant"),
        chain_of(l->arena, v),
        text_of(v, "action"),
        text_of(v, "resource"),
        groups_of(l->arena, v),
        str_first(text_of(v, "ends"), 19),
    };
    cli_table_add(&l->table, cells);
}

static int run_list(struct listing *l, struct buf *target)
{
    static const char *const heads[] = {"ID",    "STATE",  "TENANT",
                                        "WHO",   "ACTION", "RESOURCE",
                                        "NEEDS", "ENDS",   NULL};
    const struct cli *c = l->cli;
    const char *state = cli_value(c, "state", NULL);

    BUF_LIT(target, "/admin/v1/approvals");
    if (state != NULL) {
        BUF_LIT(target, "?state=");
        uri_add_encoded(target, str_from(state));
    }
    buf_add_char(target, 0);
    if (!buf_ok(target))
        return cli_usage(c, "there is no such state");
    cli_table_init(&l->table, l->arena, heads);
    const struct admin_client_list list = {target->ptr, "approvals", on_ticket,
                                           l};
    int code = admin_client_list(c, l->arena, &list);
    if (code != CLI_OK)
        return code;
    if (!c->json)
        cli_table_print(&l->table, c->out);
    else if (buf_ok(&l->json))
        cli_print(c->out, "{\"approvals\":[%.*s]}\n",
                  STR_FMT(buf_str(&l->json)));
    else
        return cli_fail(c, "the list is too long");
    return CLI_OK;
}

int cmd_approval_list(const struct cli *c)
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

/* ---- one ticket ---- */

static void print_line(FILE *out, const char *label, struct str text)
{
    cli_print(out, "%-12s", label);
    cli_print_safe(out, text.len > 0 ? text : STR("-"));
    (void)fputc('\n', out);
}

static void print_chain(FILE *out, const struct json *v)
{
    struct json_iter it = json_each(json_get(v, STR("chain")));
    const struct json *link;
    const char *label = "asked by";

    while (json_next(&it, NULL, &link)) {
        struct str s = {NULL, 0};
        (void)!json_str(link, &s);
        print_line(out, label, s);
        label = "  through";
    }
}

static void print_needs(FILE *out, const struct json *v)
{
    struct json_iter it = json_each(json_get(v, STR("needs")));
    const struct json *need;

    while (json_next(&it, NULL, &need)) {
        struct str by = text_of(need, "by");
        cli_print(out, "%-12s", "needs");
        cli_print_safe(out, text_of(need, "group"));
        (void)fputs(", says policy \"", out);
        cli_print_safe(out, text_of(need, "policy"));
        (void)fputs(by.len > 0 ? "\": yes by " : "\": nobody yet", out);
        cli_print_safe(out, by);
        (void)fputc('\n', out);
    }
}

/* Everything, whole: what is not seen is not approved. */
static void print_ticket(FILE *out, const struct json *v)
{
    struct str arguments = text_of(v, "arguments");

    print_line(out, "ticket", text_of(v, "id"));
    print_line(out, "state", text_of(v, "state"));
    if (text_of(v, "reason").len > 0)
        print_line(out, "reason", text_of(v, "reason"));
    print_line(out, "asked", text_of(v, "asked"));
    print_line(out, "ends", text_of(v, "ends"));
    print_chain(out, v);
    print_line(out, "tenant", text_of(v, "tenant"));
    print_line(out, "purpose", text_of(v, "purpose"));
    print_line(out, "action", text_of(v, "action"));
    print_line(out, "resource", text_of(v, "resource"));
    print_line(out, "goes to", text_of(v, "destination"));
    print_needs(out, v);
    print_line(out, "digest", text_of(v, "digest"));
    if (arguments.len == 0)
        return;
    (void)fputs("arguments, whole, as the caller wrote them:\n  ", out);
    cli_print_safe(out, arguments);
    (void)fputc('\n', out);
}

static int print_json(const struct cli *c, const struct json *v)
{
    struct buf text;
    int code = CLI_OK;

    buf_init(&text, ADMIN_CLIENT_ARENA_MAX);
    json_write(&text, v, NULL, 0);
    if (buf_ok(&text))
        cli_print(c->out, "%.*s\n", STR_FMT(buf_str(&text)));
    else
        code = cli_fail(c, "the answer is too long");
    buf_release(&text);
    return code;
}

static int find(const struct cli *c, struct arena *a, const struct json **ret)
{
    struct buf target;
    int code;

    buf_init(&target, TARGET_MAX);
    BUF_LIT(&target, "/admin/v1/approvals/");
    uri_add_encoded(&target, str_from(c->args[0]));
    buf_add_char(&target, 0);
    if (buf_ok(&target)) {
        const struct control_client_request r = {.target = target.ptr};
        code = admin_client_ask(c, a, &r, ret);
    } else
        code = cli_usage(c, "the id is too long");
    buf_release(&target);
    return code;
}

int cmd_approval_show(const struct cli *c)
{
    struct arena arena;
    const struct json *v = NULL;

    arena_init(&arena, ADMIN_CLIENT_ARENA_MAX);
    int code = find(c, &arena, &v);
    if (code == CLI_OK && c->json)
        code = print_json(c, v);
    else if (code == CLI_OK)
        print_ticket(c->out, v);
    arena_release(&arena);
    return code;
}

/* ---- a word ---- */

static void write_body(struct buf *to, const char *reason)
{
    buf_add_char(to, '{');
    if (reason != NULL) {
        BUF_LIT(to, "\"reason\":");
        json_write_str(to, str_from(reason));
    }
    buf_add_char(to, '}');
}

static int post(const struct cli *c, struct arena *a, struct str id,
                const char *word, const struct json **ret)
{
    struct buf target, body;
    int code;

    buf_init(&target, TARGET_MAX);
    buf_init(&body, 64 * KIB);
    BUF_LIT(&target, "/admin/v1/approvals/");
    uri_add_encoded(&target, id);
    buf_addf(&target, "/%s", word);
    buf_add_char(&target, 0);
    write_body(&body, cli_value(c, "reason", NULL));
    if (buf_ok(&target) && buf_ok(&body)) {
        const struct control_client_request r = {.target = target.ptr,
                                                 .post = true,
                                                 .body = buf_str(&body)};
        code = admin_client_ask_as(c, a, &r, ret);
    } else
        code = cli_usage(c, "the reason is too long");
    buf_release(&target);
    buf_release(&body);
    return code;
}

static void print_outcome(const struct cli *c, struct arena *a,
                          const struct json *v)
{
    struct str state = text_of(v, "state");

    if (str_eq(state, STR("open"))) {
        (void)fputs("your yes is noted; still to agree: ", c->out);
        cli_print_safe(c->out, groups_of(a, v));
        (void)fputc('\n', c->out);
    } else if (str_eq(state, STR("granted"))) {
        (void)fputs("approved: exactly this, once, until ", c->out);
        cli_print_safe(c->out, text_of(v, "ends"));
        (void)fputc('\n', c->out);
    } else {
        cli_print_safe(c->out, state);
        (void)fputc('\n', c->out);
    }
}

static int decide(const struct cli *c, const char *word)
{
    struct arena arena;
    const struct json *v = NULL;

    arena_init(&arena, 2 * ADMIN_CLIENT_ARENA_MAX);
    int code = find(c, &arena, &v);
    if (code == CLI_OK && !c->json) {
        print_ticket(c->out, v);
        (void)fflush(c->out);
    }
    if (code == CLI_OK)
        code = post(c, &arena, text_of(v, "id"), word, &v);
    if (code == CLI_OK && c->json)
        code = print_json(c, v);
    else if (code == CLI_OK)
        print_outcome(c, &arena, v);
    arena_release(&arena);
    return code;
}

int cmd_approval_approve(const struct cli *c)
{
    return decide(c, "approve");
}

int cmd_approval_deny(const struct cli *c)
{
    return decide(c, "deny");
}
