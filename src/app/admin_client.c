/* admin_client.c - see admin_client.h. */
#include "app/admin_client.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/cmd.h"
#include "app/cmd_load.h"
#include "app/remote_client.h"
#include "base/limits.h"
#include "base/text.h"
#include "codec/uri.h"
#include "crypto/hash.h"
#include "os/file.h"

enum { TARGET_MAX = 4096, TOKEN_MAX = 256, NODE_MAX = 64 };

/* ---- the token ---- */

static const char *env(const char *name)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): commands have one thread */
    const char *value = getenv(name);
    return value == NULL || *value == 0 ? NULL : value;
}

/* $XDG_CONFIG_HOME/writ, or ~/.config/writ. */
static enum err folder(char to[FILE_PATH_MAX])
{
    const char *config = env("XDG_CONFIG_HOME");
    const char *home = env("HOME");
    int n = -1;

    if (config != NULL)
        n = snprintf(to, FILE_PATH_MAX, "%s/writ", config);
    else if (home != NULL)
        n = snprintf(to, FILE_PATH_MAX, "%s/.config/writ", home);
    if (n < 0)
        return ERR_NOT_FOUND;
    return n < (int)FILE_PATH_MAX ? ERR_OK : ERR_LIMIT;
}

/* A file name for a URL: what is no letter, digit or dot becomes '_'. */
static enum err token_path(struct str url, char to[FILE_PATH_MAX])
{
    char dir[FILE_PATH_MAX];
    struct buf path;

    enum err e = folder(dir);
    if (e != ERR_OK)
        return e;
    while (url.len > 0 && url.ptr[url.len - 1] == '/')
        url.len--;
    if (url.len > NAME_MAX_LEN)
        return ERR_LIMIT;
    buf_init_lent(&path, to, FILE_PATH_MAX);
    buf_add(&path, str_from(dir));
    BUF_LIT(&path, "/token-");
    for (size_t i = 0; i < url.len; i++) {
        char c = url.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                     (c >= 'A' && c <= 'Z') || c == '.';
        buf_add_char(&path, (char)(plain ? c : '_'));
    }
    buf_add_char(&path, 0);
    return buf_ok(&path) ? ERR_OK : ERR_LIMIT;
}

enum err admin_client_keep_token(struct str url, struct str token)
{
    char dir[FILE_PATH_MAX], path[FILE_PATH_MAX];

    enum err e = folder(dir);
    if (e == ERR_OK)
        e = token_path(url, path);
    if (e == ERR_OK)
        e = file_make_dirs(FILE_CWD, dir, 0700);
    return e == ERR_OK ? file_replace(FILE_CWD, path, token, 0600) : e;
}

enum err admin_client_token(struct arena *a, struct str url, struct str *ret)
{
    char path[FILE_PATH_MAX];
    struct buf text;

    buf_init(&text, TOKEN_MAX);
    enum err e = token_path(url, path);
    if (e == ERR_OK)
        e = file_read(FILE_CWD, path, &text);
    if (e == ERR_OK && !arena_copy(a, str_trim(buf_str(&text)), ret))
        e = ERR_LIMIT;
    buf_release(&text);
    return e;
}

enum err admin_client_forget_token(struct str url)
{
    char path[FILE_PATH_MAX];

    enum err e = token_path(url, path);
    if (e != ERR_OK)
        return e;
    return unlink(path) == 0 || errno == ENOENT ? ERR_OK : ERR_IO;
}

/* A directory's name may be long, and holds slashes: its digest stands in. */
static int socket_node(const struct cli *c, struct arena *a, struct str *ret)
{
    static const struct str prefix = STR_INIT("socket-");
    char data[FILE_PATH_MAX], word[NODE_MAX];
    int code = cmd_load_data(c, data);
    if (code != CLI_OK)
        return code;
    char *whole = realpath(data, NULL);
    if (whole == NULL)
        return cli_fail(c, "no node runs on %s; `writ serve` starts one", data);
    const struct str path = str_from(whole);
    const struct hash h = hash_sha256(&path, 1);
    free(whole);
    memcpy(word, prefix.ptr, prefix.len);
    text_hex(h.bytes, HASH_LEN / 2, word + prefix.len);
    return arena_copy(a,
                      (struct str){word,
                                   prefix.len + TEXT_HEX_LEN(HASH_LEN / 2)},
                      ret)
               ? CLI_OK
               : cli_fail(c, "out of memory");
}

int admin_client_node(const struct cli *c, struct arena *a, struct str *ret)
{
    const char *url = cli_value(c, "admin", NULL);

    if (url == NULL)
        return socket_node(c, a, ret);
    *ret = str_from(url);
    return CLI_OK;
}

/* ---- asking ---- */

static int explain_socket(const struct cli *c, enum err e, const char *data)
{
    if (e == ERR_NOT_FOUND)
        return cli_fail(c, "no node runs on %s; `writ serve` starts one", data);
    if (e == ERR_DENIED)
        return cli_fail(c, "the node on %s belongs to another user", data);
    if (e == ERR_TIMEOUT)
        return cli_fail(c, "the node on %s did not answer within %d s", data,
                        CONTROL_CLIENT_TIMEOUT_S);
    return cli_fail(c, "the node on %s cannot be asked: %s", data, err_text(e));
}

static int ask_socket(const struct cli *c, struct arena *a,
                      const struct control_client_request *r, struct str token,
                      struct control_client_reply *ret)
{
    char data[FILE_PATH_MAX];
    int code = cmd_load_data(c, data);
    if (code != CLI_OK)
        return code;
    enum err e = control_client_ask_as(a, data, r, token, ret);
    return e == ERR_OK ? CLI_OK : explain_socket(c, e, data);
}

static int ask_listener(const struct cli *c, struct arena *a, const char *url,
                        const struct control_client_request *r,
                        struct control_client_reply *ret)
{
    const char *why;
    struct remote_client_target to = {.url = str_from(url),
                                      .ca = str_from(cli_value(c, "ca", ""))};

    /* Without one it is asked all the same: some may be asked by anybody. */
    if (admin_client_token(a, to.url, &to.token) != ERR_OK)
        to.token = (struct str){NULL, 0};
    enum err e = remote_client_ask(a, &to, r, ret, &why);
    if (e == ERR_OK && ret->status == 401 && !r->post && to.token.len == 0)
        return cli_fail(c, "nobody is logged in at %s; `writ login --admin %s`",
                        url, url);
    if (e == ERR_OK)
        return CLI_OK;
    return cli_fail(c, "%s: %s", url, why != NULL ? why : err_text(e));
}

struct str admin_client_text(const struct json *v, const char *name)
{
    struct str s = {NULL, 0};
    return json_str(json_get(v, str_from(name)), &s) ? s : STR("");
}

/* The node's problem, as a sentence: "name: is missing". */
static int refused(const struct cli *c, const struct json *v, int status)
{
    char line[512];
    struct buf text;
    struct str param = admin_client_text(v, "param");
    struct str detail = admin_client_text(v, "detail");

    buf_init_lent(&text, line, sizeof(line) - 1);
    if (param.len > 0) {
        buf_add(&text, param);
        BUF_LIT(&text, ": ");
    }
    buf_add(&text, detail.len > 0 ? detail : admin_client_text(v, "title"));
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?';
    }
    line[text.len] = 0;
    if (text.len == 0)
        return cli_fail(c, "the node answered %d", status);
    return cli_fail(c, "%s", line);
}

static int ask(const struct cli *c, struct arena *a,
               const struct control_client_request *r, struct str token,
               const struct json **ret)
{
    struct control_client_reply reply = {0};
    const struct json *v = NULL;
    const char *url = cli_value(c, "admin", NULL);

    int code = url == NULL ? ask_socket(c, a, r, token, &reply)
                           : ask_listener(c, a, url, r, &reply);
    if (code != CLI_OK)
        return code;
    if (reply.status == 401 && token.len > 0)
        return cli_fail(c, "that login has ended: `writ login` again");
    bool is_json = json_read(a, reply.body, &v, NULL) == ERR_OK &&
                   json_type(v) == JSON_OBJECT;
    if (reply.status < 200 || reply.status > 299)
        return refused(c, is_json ? v : NULL, reply.status);
    if (!is_json)
        return cli_fail(c, "the node's answer is not JSON");
    *ret = v;
    return CLI_OK;
}

int admin_client_ask(const struct cli *c, struct arena *a,
                     const struct control_client_request *r,
                     const struct json **ret)
{
    return ask(c, a, r, (struct str){NULL, 0}, ret);
}

int admin_client_ask_as(const struct cli *c, struct arena *a,
                        const struct control_client_request *r,
                        const struct json **ret)
{
    struct str node, token = {NULL, 0};
    int code = admin_client_node(c, a, &node);
    if (code != CLI_OK)
        return code;
    /* Without one, the node says what it takes. */
    if (admin_client_token(a, node, &token) != ERR_OK)
        token = (struct str){NULL, 0};
    return ask(c, a, r, token, ret);
}

static bool add_page(struct buf *target, const struct admin_client_list *l,
                     struct str after)
{
    struct str base = str_from(l->target);
    bool has_query = str_find(base, '?') < base.len;

    buf_clear(target);
    buf_add(target, base);
    buf_addf(target, "%climit=1000", has_query ? '&' : '?');
    if (after.len > 0) {
        BUF_LIT(target, "&after=");
        uri_add_encoded(target, after);
    }
    buf_add_char(target, 0);
    return buf_ok(target);
}

int admin_client_list(const struct cli *c, struct arena *a,
                      const struct admin_client_list *l)
{
    const struct json *v = NULL, *element;
    struct str after = {NULL, 0};
    struct buf target;
    int code;

    buf_init(&target, TARGET_MAX);
    do {
        if (!add_page(&target, l, after)) {
            code = cli_fail(c, "a name is too long");
            break;
        }
        const struct control_client_request r = {.target = target.ptr};
        code = admin_client_ask(c, a, &r, &v);
        if (code != CLI_OK)
            break;
        struct json_iter it = json_each(json_get(v, str_from(l->name)));
        while (json_next(&it, NULL, &element))
            l->each(l->user, element);
        after = (struct str){NULL, 0};
        (void)!json_str(json_get(v, STR("next")), &after);
    } while (after.len > 0);
    buf_release(&target);
    return code;
}
