/*
 * config_check_files.c - what a tool server may touch holds neither the
 * node's data nor a secret (rule "The admin plane is not reachable by what it
 * governs").
 *
 * Paths are compared as they are written; a link that leads here is the
 * runner's to refuse.
 */
#include "app/config_checking.h"
#include "base/buf.h"
#include "base/str.h"

enum { PATH_MAX_LEN = CONFIG_CHECKING_PATH_MAX, FILE_MAX = 64 * 1024 };

/* The parts of `path` to `to`, each after a '/', without "." and "..". */
static void normalise(struct str path, struct buf *to)
{
    buf_clear(to);
    while (path.len > 0) {
        struct str part = str_first(path, str_find(path, '/'));
        path = str_skip(path, part.len + 1);
        if (part.len == 0 || str_eq(part, STR(".")))
            continue;
        if (!str_eq(part, STR(".."))) {
            buf_add_char(to, '/');
            buf_add(to, part);
            continue;
        }
        while (to->len > 0 && to->ptr[to->len - 1] != '/')
            to->len--;
        if (to->len > 0)
            to->len--;
    }
}

/* Is `path` the folder `of` or below it?  Both are normal. */
static bool is_below(struct str path, struct str of)
{
    return str_starts(path, of) &&
           (path.len == of.len || path.ptr[of.len] == '/');
}

/* One path that a server may touch, while it is held against others. */
struct touched {
    const struct config_checking *c;
    struct config_place where;
    struct buf path, other;
    bool told;
};

static void hold(struct touched *t, const char *what, struct str other,
                 bool also_inside)
{
    if (other.len == 0 || t->told)
        return;
    normalise(other, &t->other);
    if (!buf_ok(&t->path) || !buf_ok(&t->other)) {
        t->c->report->full = true;
        return;
    }
    struct str path = buf_str(&t->path);
    t->told = is_below(buf_str(&t->other), path) ||
              (also_inside && is_below(path, buf_str(&t->other)));
    if (t->told)
        config_report_add(t->c->report, t->where,
                          "holds %s, %.*s, which no tool server may reach; "
                          "expected only what it needs",
                          what, STR_FMT(other));
}

static void hold_credentials(struct touched *t,
                             const struct credential_settings *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        hold(t, "a credential", at[i].file, false);
}

static void check_path(const struct config_checking *c,
                       struct config_place where, struct str path)
{
    const struct settings *s = c->s;
    struct touched t = {.c = c, .where = where};
    buf_init(&t.path, FILE_MAX);
    buf_init(&t.other, FILE_MAX);
    normalise(path, &t.path);
    hold(&t, "the node's data", s->data, true);
    hold(&t, "a private key", s->admin.tls.key, false);
    for (size_t i = 0; i < s->listen_count; i++)
        hold(&t, "a private key", s->listen[i].tls.key, false);
    for (size_t i = 0; i < s->provider_count; i++)
        hold_credentials(&t, s->providers[i].credentials,
                         s->providers[i].credential_count);
    for (size_t i = 0; i < s->tool_count; i++)
        hold_credentials(&t, s->tools[i].credentials,
                         s->tools[i].credential_count);
    buf_release(&t.path);
    buf_release(&t.other);
}

static void check_list(const struct config_checking *c, struct str name,
                       const char *key, struct names files)
{
    char path[PATH_MAX_LEN];
    for (size_t i = 0; i < files.count; i++)
        check_path(c,
                   config_checking_place(c, path, "tools.%.*s.files.%s[%zu]",
                                         STR_FMT(name), key, i),
                   files.at[i]);
}

void config_check_files(const struct config_checking *c,
                        const struct tool_server_settings *t)
{
    char path[PATH_MAX_LEN];
    check_list(c, t->name, "read", t->stdio.read);
    check_list(c, t->name, "write", t->stdio.write);
    if (t->stdio.cwd.len > 0)
        check_path(c,
                   config_checking_place(c, path, "tools.%.*s.cwd",
                                         STR_FMT(t->name)),
                   t->stdio.cwd);
}
