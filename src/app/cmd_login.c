/*
 * cmd_login.c - `writ login`: a token for a node, kept for the commands that
 * follow: for its admin address, or for the socket in its data directory.
 *
 * What is secret is asked for, or read from standard input, one line each;
 * never from argv, which every process of the machine may read.
 */
#include <errno.h>
#include <termios.h>
#include <unistd.h>

#include "app/admin_client.h"
#include "app/cmd.h"
#include "app/cmd_admin.h"
#include "base/limits.h"
#include "crypto/hash.h"

enum { LINE_MAX_LEN = 1024 };

const struct cli_option cmd_login_options[] = {
    ADMIN_CLIENT_OPTIONS,
    {"name", 0, "NAME", "whose account"},
    {"tenant", 0, "NAME", "with --enrol: whose person it is"},
    {"enrol", 0, NULL, "become an administrator, with a one-time code"},
    {"invite", 0, NULL, "print a one-time code for somebody else"},
    {"logout", 0, NULL, "end the login and forget its token"},
    {NULL, 0, NULL, NULL},
};

struct line {
    char text[LINE_MAX_LEN + 1];
    size_t len;
};

static struct str line_str(const struct line *l)
{
    return (struct str){l->text, l->len};
}

/* One line, byte by byte: the next one is for the next question. */
static int read_line(const struct cli *c, struct line *to)
{
    char byte = 0;

    to->len = 0;
    for (;;) {
        ssize_t n = read(STDIN_FILENO, &byte, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cli_fail(c, "standard input cannot be read");
        if (n == 0 || byte == '\n')
            return CLI_OK;
        if (to->len == LINE_MAX_LEN)
            return cli_fail(c, "a line is longer than %d bytes", LINE_MAX_LEN);
        to->text[to->len++] = byte;
    }
}

static int ask(const struct cli *c, const char *what, bool hidden,
               struct line *to)
{
    struct termios shown = {0}, quiet;
    bool terminal =
        isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &shown) == 0;

    if (terminal) {
        cli_print(c->err, "%s: ", what);
        (void)fflush(c->err);
    }
    if (terminal && hidden) {
        quiet = shown;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    int code = read_line(c, to);
    if (terminal && hidden) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        (void)fputc('\n', c->err);
    }
    if (code == CLI_OK && to->len == 0)
        code = cli_fail(c, "%s is missing", what);
    return code;
}

/* Everything that a person types here. */
struct form {
    struct line code, name, passphrase, totp;
    bool as_person; /* by whoever is logged in */
};

static void add(struct buf *to, const char *name, struct str value)
{
    if (value.len == 0)
        return;
    buf_add(to, to->len > 1 ? STR(",") : STR(""));
    json_write_str(to, str_from(name));
    buf_add_char(to, ':');
    json_write_str(to, value);
}

static int post(const struct cli *c, struct arena *a, const char *target,
                const struct form *f, const struct json **ret)
{
    struct buf body;

    buf_init(&body, 16 * KIB);
    buf_add_char(&body, '{');
    add(&body, "code", line_str(&f->code));
    add(&body, "name", line_str(&f->name));
    add(&body, "passphrase", line_str(&f->passphrase));
    add(&body, "totp", line_str(&f->totp));
    if (f->code.len > 0)
        add(&body, "tenant", str_from(cli_value(c, "tenant", "")));
    buf_add_char(&body, '}');
    const struct control_client_request r = {target, true, buf_str(&body)};
    int code = f->as_person ? admin_client_ask_as(c, a, &r, ret)
                            : admin_client_ask(c, a, &r, ret);
    if (buf_ok(&body))
        hash_wipe(body.ptr, body.len);
    buf_release(&body);
    return code;
}

static int keep(const struct cli *c, struct arena *a, const struct json *v)
{
    const char *url = cli_value(c, "admin", "the node");
    struct str token = admin_client_text(v, "token");
    struct str node;

    if (token.len == 0)
        return cli_fail(c, "the node gave no token");
    int code = admin_client_node(c, a, &node);
    if (code != CLI_OK)
        return code;
    if (admin_client_keep_token(node, token) != ERR_OK)
        return cli_fail(c, "the token cannot be kept in $XDG_CONFIG_HOME/writ "
                           "or ~/.config/writ");
    if (c->json)
        cli_print(c->out, "{\"ok\":true,\"expires\":\"%.*s\"}\n",
                  STR_FMT(admin_client_text(v, "expires")));
    else
        cli_print(c->out, "logged in at %s, until %.*s at the latest\n", url,
                  STR_FMT(admin_client_text(v, "expires")));
    return CLI_OK;
}

static void show_secret(const struct cli *c, const struct json *v)
{
    const struct json *totp = json_get(v, STR("totp"));

    if (c->json) {
        cli_print(c->out, "{\"secret\":\"%.*s\",\"uri\":\"%.*s\"}\n",
                  STR_FMT(admin_client_text(totp, "secret")),
                  STR_FMT(admin_client_text(totp, "uri")));
    } else {
        cli_print(c->out, "Put this into your authenticator, shown this once:"
                          "\n\n  ");
        cli_print_safe(c->out, admin_client_text(totp, "secret"));
        cli_print(c->out, "\n  ");
        cli_print_safe(c->out, admin_client_text(totp, "uri"));
        cli_print(c->out, "\n\n");
    }
    (void)fflush(c->out);
}

static int ask_name(const struct cli *c, struct form *f)
{
    struct str name = str_from(cli_value(c, "name", ""));

    if (name.len == 0)
        return ask(c, "Name", false, &f->name);
    if (name.len > LINE_MAX_LEN)
        return cli_usage(c, "the name is too long");
    memcpy(f->name.text, name.ptr, name.len);
    f->name.len = name.len;
    return CLI_OK;
}

static int enrol(const struct cli *c, struct arena *a, struct form *f)
{
    const struct json *v = NULL;

    int code = ask(c, "Enrolment code", false, &f->code);
    if (code == CLI_OK)
        code = ask_name(c, f);
    if (code == CLI_OK)
        code =
            ask(c, "New passphrase (12 bytes at least)", true, &f->passphrase);
    if (code == CLI_OK)
        code = post(c, a, "/admin/v1/enrol", f, &v);
    if (code != CLI_OK)
        return code;
    show_secret(c, v);
    code = ask(c, "The code that it shows now", false, &f->totp);
    if (code == CLI_OK)
        code = post(c, a, "/admin/v1/enrol", f, &v);
    return code == CLI_OK ? keep(c, a, v) : code;
}

static int log_in(const struct cli *c, struct arena *a, struct form *f)
{
    const struct json *v = NULL;

    int code = ask_name(c, f);
    if (code == CLI_OK)
        code = ask(c, "Passphrase", true, &f->passphrase);
    if (code == CLI_OK)
        code = ask(c, "One-time code", false, &f->totp);
    if (code == CLI_OK)
        code = post(c, a, "/admin/v1/login", f, &v);
    return code == CLI_OK ? keep(c, a, v) : code;
}

static int invite(const struct cli *c, struct arena *a, const struct form *f)
{
    const struct json *v = NULL;

    int code = post(c, a, "/admin/v1/enrol/code", f, &v);
    if (code != CLI_OK)
        return code;
    if (c->json)
        cli_print(c->out, "{\"code\":\"%.*s\"}\n",
                  STR_FMT(admin_client_text(v, "code")));
    else
        cli_print(c->out, "%.*s\n", STR_FMT(admin_client_text(v, "code")));
    return CLI_OK;
}

static int log_out(const struct cli *c, struct arena *a, struct form *f)
{
    const struct json *v = NULL;
    struct str node;

    int code = admin_client_node(c, a, &node);
    if (code != CLI_OK)
        return code;
    f->as_person = true;
    code = post(c, a, "/admin/v1/logout", f, &v);
    if (admin_client_forget_token(node) != ERR_OK)
        return cli_fail(c, "the token cannot be removed");
    return code;
}

static int do_what_is_asked(const struct cli *c, struct arena *a,
                            struct form *f)
{
    if (cli_has(c, "invite"))
        return invite(c, a, f);
    if (cli_has(c, "logout"))
        return log_out(c, a, f);
    if (cli_has(c, "enrol"))
        return enrol(c, a, f);
    return log_in(c, a, f);
}

int cmd_login(const struct cli *c)
{
    struct arena arena;
    struct form form = {0};
    struct str node;

    arena_init(&arena, ADMIN_CLIENT_ARENA_MAX);
    int code = admin_client_node(c, &arena, &node);
    if (code == CLI_OK) /* before anybody types a secret */
        code = do_what_is_asked(c, &arena, &form);
    hash_wipe(&form, sizeof(form));
    arena_release(&arena);
    return code;
}
