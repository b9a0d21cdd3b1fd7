/* cmd_tool.c - `writ tool ...`: the tools that servers offer, as they are
 * pinned, and a person's yes to a definition. */
#include <unistd.h>

#include "admin/shown.h"
#include "app/admin_client.h"
#include "app/admin_listing.h"
#include "app/cmd.h"
#include "app/cmd_admin.h"
#include "base/limits.h"
#include "codec/uri.h"

#define RED "\033[31m"
#define GREEN "\033[32m"
#define PLAIN "\033[0m"
#define BODY_MAX (64 * KIB)

enum { TARGET_MAX = 4096, ANSWER_LEN = 16, DIGEST_SHOWN = 12 };

const struct cli_option cmd_tool_list_options[] = {
    ADMIN_CLIENT_OPTIONS,
    {"server", 0, "NAME", "only of this server"},
    {"state", 0, "STATE", "proposed, pinned, quarantined"},
    {NULL, 0, NULL, NULL},
};
const struct cli_option cmd_tool_options[] = {
    ADMIN_CLIENT_OPTIONS,
    {NULL, 0, NULL, NULL},
};
const struct cli_option cmd_tool_approve_options[] = {
    ADMIN_CLIENT_OPTIONS,
    {"digest", 0, "HEX", "of the definition that you have looked at"},
    {"reason", 0, "TEXT", "why; stands in the evidence"},
    {NULL, 0, NULL, NULL},
};

static struct str digest_of(const struct json *v, const char *which)
{
    return admin_client_text(json_get(v, str_from(which)), "digest");
}

/* ---- the list ---- */

static void tool_row(struct arena *a, const struct json *v, struct str *cells)
{
    (void)a;
    cells[0] = admin_client_text(v, "server");
    cells[1] = admin_client_text(v, "name");
    cells[2] = admin_client_text(v, "state");
    cells[3] = str_first(digest_of(v, "pinned"), DIGEST_SHOWN);
    cells[4] = str_first(digest_of(v, "offered"), DIGEST_SHOWN);
    cells[5] = str_first(admin_client_text(v, "changed"), 19);
    cells[6] = admin_client_text(v, "approved_by");
    cells[7] =
        admin_client_text(v, "not_callable").len > 0 ? STR("no") : STR("yes");
}

int cmd_tool_list(const struct cli *c)
{
    static const char *const filters[] = {"server", "state", NULL};
    static const char *const heads[] = {"SERVER",   "TOOL",     "STATE",
                                        "PINNED",   "OFFERED",  "CHANGED",
                                        "APPROVED", "CALLABLE", NULL};
    const struct admin_listing l = {
        .path = "/admin/v1/tools",
        .name = "tools",
        .filters = filters,
        .heads = heads,
        .row = tool_row,
    };

    return admin_listing(c, &l);
}

/* ---- one tool ---- */

/* "/admin/v1/tools/<server>/<tool><verb>", with its NUL. */
static bool make_target(struct buf *to, const struct cli *c, const char *verb)
{
    struct str id = str_from(c->args[0]);
    size_t slash = str_find(id, '/');

    BUF_LIT(to, "/admin/v1/tools/");
    uri_add_encoded(to, str_first(id, slash));
    BUF_LIT(to, "/");
    uri_add_encoded(to, str_skip(id, slash + 1));
    buf_add(to, str_from(verb));
    buf_add_char(to, 0);
    return slash < id.len && buf_ok(to);
}

/* Asks about the tool that the arguments name; `body` NULL: GET. */
static int ask(const struct cli *c, struct arena *a, const char *verb,
               const struct buf *body, const struct json **ret)
{
    struct buf target;

    buf_init(&target, TARGET_MAX);
    int code = CLI_OK;
    if (!make_target(&target, c, verb))
        code = cli_usage(c, "expected SERVER/TOOL");
    const struct control_client_request r = {
        .target = target.ptr,
        .post = body != NULL,
        .body = body != NULL ? buf_str(body) : (struct str){NULL, 0}};
    if (code == CLI_OK)
        code = admin_client_ask(c, a, &r, ret);
    buf_release(&target);
    return code;
}

static void print_json(const struct cli *c, const struct json *v)
{
    struct buf text;

    buf_init(&text, ADMIN_CLIENT_ARENA_MAX);
    json_write(&text, v, NULL, 0);
    if (buf_ok(&text))
        cli_print(c->out, "%.*s\n", STR_FMT(buf_str(&text)));
    buf_release(&text);
}

static void print_pair(FILE *out, const char *name, struct str value)
{
    cli_print(out, "%-12s", name);
    cli_print_safe(out, value.len == 0 ? STR("-") : value);
    (void)fputc('\n', out);
}

/* A server's words: nothing in them is invisible. */
static void print_value(FILE *out, const char *color, char sign,
                        const struct json *v)
{
    struct buf text, shown;

    if (v == NULL)
        return;
    buf_init(&text, ADMIN_CLIENT_ARENA_MAX);
    buf_init(&shown, ADMIN_CLIENT_ARENA_MAX);
    json_write(&text, v, NULL, 0);
    shown_add_json(&shown, buf_str(&text));
    cli_print(out, "%s%c ", color, sign);
    if (buf_ok(&text) && buf_ok(&shown))
        (void)fwrite(shown.ptr, 1, shown.len, out);
    else
        cli_print(out, "(too long to be shown)");
    cli_print(out, "%s\n", *color == 0 ? "" : PLAIN);
    buf_release(&shown);
    buf_release(&text);
}

static void print_pointer(FILE *out, struct str pointer)
{
    struct buf shown;

    buf_init(&shown, ADMIN_CLIENT_ARENA_MAX);
    shown_add(&shown, pointer);
    cli_print(out, "\n%.*s\n", STR_FMT(buf_str(&shown)));
    buf_release(&shown);
}

static void print_head(FILE *out, const struct json *v)
{
    print_pair(out, "server", admin_client_text(v, "server"));
    print_pair(out, "tool", admin_client_text(v, "name"));
    print_pair(out, "state", admin_client_text(v, "state"));
    print_pair(out, "first seen", admin_client_text(v, "first_seen"));
    print_pair(out, "changed", admin_client_text(v, "changed"));
    print_pair(out, "approved by", admin_client_text(v, "approved_by"));
    print_pair(out, "pinned", digest_of(v, "pinned"));
    print_pair(out, "offered", digest_of(v, "offered"));
    if (admin_client_text(v, "not_callable").len > 0)
        print_pair(out, "not callable", admin_client_text(v, "not_callable"));
}

/* What is offered against what is pinned. */
static void print_diff(FILE *out, const struct json *v)
{
    bool color = cli_is_terminal(out), cut = false;
    const char *red = color ? RED : "", *green = color ? GREEN : "";
    struct json_iter it = json_each(json_get(v, STR("changes")));
    const struct json *offered = json_get(v, STR("offered"));
    const struct json *change;
    struct str pointer = {NULL, 0};

    while (json_next(&it, NULL, &change)) {
        (void)!json_str(json_get(change, STR("pointer")), &pointer);
        print_pointer(out, pointer);
        print_value(out, red, '-', json_get(change, STR("was")));
        print_value(out, green, '+', json_get(change, STR("now")));
    }
    if (json_bool(json_get(v, STR("changes_cut")), &cut) && cut)
        cli_print(out, "\nThere is more: look at the whole definition "
                       "(writ tool show).\n");
    if (json_get(v, STR("pinned")) == NULL) {
        print_pointer(out, STR("all of it is new:"));
        print_value(out, green, '+', json_get(offered, STR("definition")));
    } else if (offered == NULL) {
        cli_print(out, "\nIt is what its server offers.\n");
    } else if (digest_of(v, "offered").len == 0) {
        cli_print(out, "\nWhat its server offers cannot be read.\n");
    }
}

static void print_definition(FILE *out, const char *name, const struct json *v)
{
    const struct json *definition =
        json_get(json_get(v, str_from(name)), STR("definition"));

    if (definition == NULL)
        return;
    cli_print(out, "\n%s:\n", name);
    print_value(out, "", ' ', definition);
}

/* Shows one tool as `print` does, or as JSON. */
static int show(const struct cli *c, bool diff)
{
    struct arena arena;
    const struct json *v;

    arena_init(&arena, ADMIN_CLIENT_ARENA_MAX);
    int code = ask(c, &arena, "", NULL, &v);
    if (code == CLI_OK && c->json) {
        print_json(c, v);
    } else if (code == CLI_OK) {
        print_head(c->out, v);
        if (diff) {
            print_diff(c->out, v);
        } else {
            print_definition(c->out, "pinned", v);
            print_definition(c->out, "offered", v);
        }
    }
    arena_release(&arena);
    return code;
}

int cmd_tool_show(const struct cli *c)
{
    return show(c, false);
}

int cmd_tool_diff(const struct cli *c)
{
    return show(c, true);
}

/* ---- a yes ---- */

/* Asks on the terminal; false: it is not a yes. */
static bool is_confirmed(const struct cli *c)
{
    char line[ANSWER_LEN] = "";

    cli_print(c->err, "\nPin this definition?  Type yes: ");
    (void)fflush(c->err);
    (void)fflush(c->out);
    return fgets(line, sizeof(line), stdin) != NULL &&
           str_eq(str_from(line), STR("yes\n"));
}

/* What will change, and whether that is wanted. */
static int confirm(const struct cli *c, const struct json *v)
{
    struct str offered = digest_of(v, "offered");
    const char *given = cli_value(c, "digest", NULL);

    if (offered.len == 0)
        return cli_fail(c, "it offers nothing that could be approved");
    if (given != NULL && !str_eq(str_from(given), offered))
        return cli_fail(c, "this is not what it offers now, which is %.*s",
                        STR_FMT(offered));
    if (!c->json) {
        print_head(c->out, v);
        print_diff(c->out, v);
        cli_print(c->out, "\nApproved, callers see this definition, and may "
                          "call it as the policies say.\n");
    }
    if (given != NULL)
        return CLI_OK;
    if (c->json || isatty(STDIN_FILENO) != 1)
        return cli_usage(c, "--digest is missing: it names the definition that "
                            "you have looked at");
    return is_confirmed(c) ? CLI_OK : cli_fail(c, "nothing was changed");
}

static int approve(const struct cli *c, struct arena *a, const struct json *v)
{
    const char *reason = cli_value(c, "reason", NULL);
    struct buf body;

    buf_init(&body, BODY_MAX);
    BUF_LIT(&body, "{\"digest\":");
    json_write_str(&body, digest_of(v, "offered"));
    if (reason != NULL) {
        BUF_LIT(&body, ",\"reason\":");
        json_write_str(&body, str_from(reason));
    }
    buf_add_char(&body, '}');
    int code = buf_ok(&body) ? ask(c, a, "/approve", &body, &v)
                             : cli_usage(c, "this is too long");
    buf_release(&body);
    if (code == CLI_OK && c->json)
        print_json(c, v);
    else if (code == CLI_OK)
        cli_print(c->out, "%s is pinned\n", c->args[0]);
    return code;
}

int cmd_tool_approve(const struct cli *c)
{
    struct arena arena;
    const struct json *v;

    arena_init(&arena, ADMIN_CLIENT_ARENA_MAX);
    int code = ask(c, &arena, "", NULL, &v);
    if (code == CLI_OK)
        code = confirm(c, v);
    if (code == CLI_OK)
        code = approve(c, &arena, v);
    arena_release(&arena);
    return code;
}
