/* config_gaps.c - see config_gaps() in config.h. */
#include "app/config.h"

#include <limits.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/limits.h"

struct gaps {
    struct arena *a;
    struct config_gap *at;
    size_t count, max;
};

enum { PATH_MAX_LEN = 512 };

static void add(struct gaps *g, struct str text, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* The path is made; `text` is copied. */
static void add(struct gaps *g, struct str text, const char *fmt, ...)
{
    char path[PATH_MAX_LEN];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(path, sizeof(path), fmt, args);
    va_end(args);
    struct config_gap gap = {0};
    if (g->count < g->max && arena_copy(g->a, str_from(path), &gap.path) &&
        arena_copy(g->a, text, &gap.text))
        g->at[g->count++] = gap;
}

/* A variable that serving needs and validating does not, at the place that
 * `where` names. */
static void variable_gap(struct gaps *g, struct str env, struct str where)
{
    char name[NAME_MAX_LEN + 1] = {0};
    struct buf text;
    if (env.len == 0 || env.len > NAME_MAX_LEN)
        return;
    memcpy(name, env.ptr, env.len);
    if (secure_getenv(name) != NULL)
        return;
    buf_init(&text, PATH_MAX_LEN);
    buf_addf(&text, "%s is not set in this environment", name);
    add(g, buf_str(&text), "%.*s", STR_FMT(where));
    buf_release(&text);
}

static void credential_gaps(struct gaps *g, const char *map, struct str name,
                            const struct credential_settings *at, size_t n)
{
    struct buf where;
    buf_init(&where, PATH_MAX_LEN);
    for (size_t i = 0; i < n; i++) {
        buf_clear(&where);
        buf_addf(&where, "%s.%.*s.credential[%zu].env", map, STR_FMT(name), i);
        variable_gap(g, at[i].env, buf_str(&where));
    }
    buf_release(&where);
}

static void provider_gaps(struct gaps *g, const struct provider_settings *p)
{
    if (!p->tls && p->insecure)
        add(g,
            STR("prompts and credentials travel in plain HTTP beyond loopback"),
            "providers.%.*s.insecure", STR_FMT(p->name));
    credential_gaps(g, "providers", p->name, p->credentials,
                    p->credential_count);
}

/* Is there a file of that name that may be used so (access(2))? */
static bool is_there(struct str path, int how)
{
    char z[PATH_MAX] = {0};
    if (path.len >= sizeof(z))
        return false;
    memcpy(z, path.ptr, path.len);
    return access(z, how) == 0;
}

/* Where the runner looks for a program by its name. */
static struct str search_path(const struct tool_server_settings *t)
{
    for (size_t i = 0; i < t->stdio.env_count; i++) {
        const struct variable_settings *v = &t->stdio.env[i];
        if (str_eq(v->name, STR("PATH")) && v->env.len == 0)
            return v->value;
    }
    return STR("/usr/local/bin:/usr/bin:/bin");
}

static bool is_program(const struct tool_server_settings *t, struct str program)
{
    struct str left = search_path(t);
    struct buf file;
    bool found = false;
    if (str_find(program, '/') < program.len)
        return is_there(program, X_OK);
    buf_init(&file, PATH_MAX);
    while (left.len > 0 && !found) {
        struct str folder = str_first(left, str_find(left, ':'));
        buf_clear(&file);
        buf_addf(&file, "%.*s/%.*s", STR_FMT(folder), STR_FMT(program));
        found = buf_ok(&file) && is_there(buf_str(&file), X_OK);
        left = str_skip(left, folder.len + 1);
    }
    buf_release(&file);
    return found;
}

static void file_gaps(struct gaps *g, struct str server, const char *key,
                      struct names files)
{
    for (size_t i = 0; i < files.count; i++) {
        if (!is_there(files.at[i], F_OK))
            add(g, STR("is not there"), "tools.%.*s.files.%s[%zu]",
                STR_FMT(server), key, i);
    }
}

static void stdio_gaps(struct gaps *g, const struct tool_server_settings *t)
{
    struct buf where;
    if (t->stdio.command.count > 0 && !is_program(t, t->stdio.command.at[0]))
        add(g, STR("is no program that is found here"), "tools.%.*s.command[0]",
            STR_FMT(t->name));
    buf_init(&where, PATH_MAX_LEN);
    for (size_t i = 0; i < t->stdio.env_count; i++) {
        buf_clear(&where);
        buf_addf(&where, "tools.%.*s.env.%.*s.env", STR_FMT(t->name),
                 STR_FMT(t->stdio.env[i].name));
        variable_gap(g, t->stdio.env[i].env, buf_str(&where));
    }
    buf_release(&where);
    if (t->stdio.cwd.len > 0 && !is_there(t->stdio.cwd, X_OK))
        add(g, STR("is not there"), "tools.%.*s.cwd", STR_FMT(t->name));
    file_gaps(g, t->name, "read", t->stdio.read);
    file_gaps(g, t->name, "write", t->stdio.write);
}

static void tool_gaps(struct gaps *g, const struct settings *s,
                      const struct tool_server_settings *t)
{
    if (!t->http.tls && t->http.insecure)
        add(g,
            STR("arguments, results and credentials travel in plain HTTP "
                "beyond loopback"),
            "tools.%.*s.insecure", STR_FMT(t->name));
    credential_gaps(g, "tools", t->name, t->credentials, t->credential_count);
    if (t->transport == TRANSPORT_STDIO)
        stdio_gaps(g, t);
    if (t->risk_count == 0)
        add(g, STR("is empty, so that all of its tools have every risk"),
            "tools.%.*s.risk", STR_FMT(t->name));
    if (t->shared && t->tenants.count != 1 && s->tenant_count > 1)
        add(g,
            STR("tenants share one process or session of the server: what one "
                "leaves in it another may find"),
            "tools.%.*s.shared", STR_FMT(t->name));
}

static void model_gaps(struct gaps *g, const struct model_settings *m)
{
    if (m->price_input == 0 && m->price_output == 0)
        add(g, STR("has no price, so evidence shows its cost as 0"),
            "models.%.*s.price", STR_FMT(m->name));
}

size_t config_gaps(struct arena *a, const struct settings *s,
                   struct config_gap *to, size_t max)
{
    struct gaps g = {.a = a, .at = to, .max = max};
    if (s->ledger.durable == DURABLE_BATCHED)
        add(&g,
            STR("calls leave before their evidence is on disk; a power failure "
                "can lose the last of it"),
            "ledger.durable");
    add(&g,
        STR("checkpoints are not signed by this version: a log whose end was "
            "cut off shows only against a size known from elsewhere"),
        "ledger");
    if (s->ledger.payloads == PAYLOADS_NONE)
        add(&g, STR("evidence does not prove what was asked and answered"),
            "ledger.payloads");
    for (size_t i = 0; i < s->listen_count; i++) {
        if (s->listen[i].tls.cert.len == 0 && s->listen[i].insecure)
            add(&g,
                STR("keys and prompts travel in plain HTTP beyond loopback"),
                "listen[%zu].insecure", i);
    }
    for (size_t i = 0; i < s->provider_count; i++)
        provider_gaps(&g, &s->providers[i]);
    for (size_t i = 0; i < s->model_count; i++)
        model_gaps(&g, &s->models[i]);
    for (size_t i = 0; i < s->tool_count; i++)
        tool_gaps(&g, s, &s->tools[i]);
    add(&g,
        STR("keys that `writ agent add` makes are long-lived: whoever finds "
            "one can use it"),
        "trust");
    if (s->policies.dir.len == 0)
        add(&g, STR("there is no policy, so everything is denied"),
            "policies.dir");
    for (size_t i = 0; i < s->issuer_count; i++) {
        if (s->issuers[i].max_age_ms == 0)
            add(&g,
                STR("its tokens are good until they expire, however long that "
                    "is"),
                "trust.oidc[%zu].max_age", i);
    }
    return g.count;
}
