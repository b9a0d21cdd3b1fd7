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

static void add(struct gaps *g, const char *text, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* `text` is static; the path is made. */
static void add(struct gaps *g, const char *text, const char *fmt, ...)
{
    char path[PATH_MAX_LEN];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(path, sizeof(path), fmt, args);
    va_end(args);
    if (g->count == g->max)
        return;
    struct config_gap gap = {.text = str_from(text)};
    if (arena_copy(g->a, str_from(path), &gap.path))
        g->at[g->count++] = gap;
}

static void provider_gaps(struct gaps *g, const struct provider_settings *p)
{
    if (!p->tls && p->insecure)
        add(g, "prompts and credentials travel in plain HTTP beyond loopback",
            "providers.%.*s.insecure", STR_FMT(p->name));
    if (p->credential_count == 0 && !p->local)
        add(g, "calls carry no credential", "providers.%.*s.credential",
            STR_FMT(p->name));
    for (size_t i = 0; i < p->credential_count; i++) {
        struct str env = p->credentials[i].env;
        char name[NAME_MAX_LEN + 1] = {0};
        if (env.len == 0 || env.len > NAME_MAX_LEN)
            continue;
        memcpy(name, env.ptr, env.len);
        if (secure_getenv(name) == NULL)
            add(g, "the variable is not set in this environment",
                "providers.%.*s.credential[%zu].env", STR_FMT(p->name), i);
    }
}

static void model_gaps(struct gaps *g, const struct model_settings *m)
{
    if (m->price_input == 0 && m->price_output == 0)
        add(g, "has no price, so evidence shows its cost as 0",
            "models.%.*s.price", STR_FMT(m->name));
}

size_t config_gaps(struct arena *a, const struct settings *s,
                   struct config_gap *to, size_t max)
{
    struct gaps g = {.a = a, .at = to, .max = max};
    if (s->ledger.durable == DURABLE_BATCHED)
        add(&g,
            "calls leave before their evidence is on disk; a power failure "
            "can lose the last of it",
            "ledger.durable");
    if (s->ledger.payloads == PAYLOADS_NONE)
        add(&g, "evidence does not prove what was asked and answered",
            "ledger.payloads");
    for (size_t i = 0; i < s->listen_count; i++) {
        if (s->listen[i].tls.cert.len == 0 && s->listen[i].insecure)
            add(&g, "keys and prompts travel in plain HTTP beyond loopback",
                "listen[%zu].insecure", i);
    }
    for (size_t i = 0; i < s->provider_count; i++)
        provider_gaps(&g, &s->providers[i]);
    for (size_t i = 0; i < s->model_count; i++)
        model_gaps(&g, &s->models[i]);
    if (s->caller_count > 0)
        add(&g,
            "callers are known by long-lived keys, which whoever finds one "
            "can use",
            "callers");
    if (s->caller_count == 0)
        add(&g, "nobody can call: `writ key hash --generate` makes a key",
            "callers");
    return g.count;
}
