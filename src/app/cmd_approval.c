/* cmd_approval.c - `writ approval ...`: what waits for people, and their word.
 */
#include "app/admin_client.h"
#include "app/admin_listing.h"
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

/* ---- the list ---- */

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
        if (admin_client_text(need, "by").len > 0)
            continue;
        buf_add(&text, text.len > 0 ? STR(", ") : STR(""));
        buf_add(&text, admin_client_text(need, "group"));
    }
    return kept(a, &text);
}

static void ticket_row(struct arena *a, const struct json *v, struct str *cells)
{
    cells[0] = str_first(admin_client_text(v, "id"), ID_SHOWN);
    cells[1] = admin_client_text(v, "state");
    cells[2] = admin_client_text(v, "tenant");
    cells[3] = chain_of(a, v);
    cells[4] = admin_client_text(v, "action");
    cells[5] = admin_client_text(v, "resource");
    cells[6] = groups_of(a, v);
    cells[7] = str_first(admin_client_text(v, "ends"), 19);
}

int cmd_approval_list(const struct cli *c)
{
    static const char *const filters[] = {"state", NULL};
    static const char *const heads[] = {"ID",    "STATE",  "TENANT",
                                        "WHO",   "ACTION", "RESOURCE",
                                        "NEEDS", "ENDS",   NULL};
    const struct admin_listing l = {
        .path = "/admin/v1/approvals",
        .name = "approvals",
        .filters = filters,
        .heads = heads,
        .row = ticket_row,
    };

    return admin_listing(c, &l);
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
        struct str by = admin_client_text(need, "by");
        cli_print(out, "%-12s", "needs");
        cli_print_safe(out, admin_client_text(need, "group"));
        (void)fputs(", says policy \"", out);
        cli_print_safe(out, admin_client_text(need, "policy"));
        (void)fputs(by.len > 0 ? "\": yes by " : "\": nobody yet", out);
        cli_print_safe(out, by);
        (void)fputc('\n', out);
    }
}

/* Everything, whole: what is not seen is not approved. */
static void print_ticket(FILE *out, const struct json *v)
{
    struct str arguments = admin_client_text(v, "arguments");

    print_line(out, "ticket", admin_client_text(v, "id"));
    print_line(out, "state", admin_client_text(v, "state"));
    if (admin_client_text(v, "reason").len > 0)
        print_line(out, "reason", admin_client_text(v, "reason"));
    print_line(out, "asked", admin_client_text(v, "asked"));
    print_line(out, "ends", admin_client_text(v, "ends"));
    print_chain(out, v);
    print_line(out, "tenant", admin_client_text(v, "tenant"));
    print_line(out, "purpose", admin_client_text(v, "purpose"));
    print_line(out, "action", admin_client_text(v, "action"));
    print_line(out, "resource", admin_client_text(v, "resource"));
    print_line(out, "goes to", admin_client_text(v, "destination"));
    print_needs(out, v);
    print_line(out, "digest", admin_client_text(v, "digest"));
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
    struct str state = admin_client_text(v, "state");

    if (str_eq(state, STR("open"))) {
        (void)fputs("your yes is noted; still to agree: ", c->out);
        cli_print_safe(c->out, groups_of(a, v));
        (void)fputc('\n', c->out);
    } else if (str_eq(state, STR("granted"))) {
        (void)fputs("approved: exactly this, once, until ", c->out);
        cli_print_safe(c->out, admin_client_text(v, "ends"));
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
        code = post(c, &arena, admin_client_text(v, "id"), word, &v);
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
