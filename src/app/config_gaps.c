/* config_gaps.c - see config_gaps() in config.h. */
#include "app/config.h"

#include <stdarg.h>

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

/* A credential's variable: serving needs it, validating does not. */
static void variable_gap(struct gaps *g, const struct provider_settings *p,
                         size_t i)
{
    struct str env = p->credentials[i].env;
    char name[NAME_MAX_LEN + 1] = {0};
    struct buf text;
    if (env.len == 0 || env.len > NAME_MAX_LEN)
        return;
    memcpy(name, env.ptr, env.len);
    if (secure_getenv(name) != NULL)
        return;
    buf_init(&text, PATH_MAX_LEN);
    buf_addf(&text, "%s is not set in this environment", name);
    add(g, buf_str(&text), "providers.%.*s.credential[%zu].env",
        STR_FMT(p->name), i);
    buf_release(&text);
}

static void provider_gaps(struct gaps *g, const struct provider_settings *p)
{
    if (!p->tls && p->insecure)
        add(g,
            STR("prompts and credentials travel in plain HTTP beyond loopback"),
            "providers.%.*s.insecure", STR_FMT(p->name));
    for (size_t i = 0; i < p->credential_count; i++)
        variable_gap(g, p, i);
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
