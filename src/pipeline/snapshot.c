/* snapshot.c - see snapshot.h. */
#include "pipeline/snapshot.h"

#include <assert.h>
#include <stdlib.h>

#include "broker/broker.h"
#include "crypto/hash.h"
#include "limit/limit.h"
#include "net/tls.h"
#include "policy/rules.h"

enum { MODELS_MAX = 1 << 20 };

static enum err index_models(struct snapshot *s)
{
    const struct settings *set = &s->settings;
    struct model_row *rows =
        ARENA_NEW(&s->arena, struct model_row, set->model_count);

    if (rows == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < set->model_count; i++) {
        rows[i].settings = &set->models[i];
        enum err e = map_set(&s->models, set->models[i].name, &rows[i]);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

static bool contains(struct names names, struct str name)
{
    for (size_t i = 0; i < names.count; i++) {
        if (str_eq(names.at[i], name))
            return true;
    }
    return false;
}

static bool all_allow(const struct settings *set, struct str field)
{
    for (size_t i = 0; i < set->provider_count; i++) {
        if (!contains(set->providers[i].allow_fields, field))
            return false;
    }
    return true;
}

/* A request is read before it is known where it will go, so a field passes
 * unread only where no destination would mind. */
static enum err join_allow_fields(struct snapshot *s)
{
    const struct settings *set = &s->settings;
    struct names first = set->provider_count > 0
                             ? set->providers[0].allow_fields
                             : (struct names){0};
    struct str *at = ARENA_NEW(&s->arena, struct str, first.count);

    if (at == NULL)
        return ERR_NO_MEMORY;
    s->allow_fields.at = at;
    for (size_t i = 0; i < first.count; i++) {
        if (all_allow(set, first.at[i]))
            at[s->allow_fields.count++] = first.at[i];
    }
    return ERR_OK;
}

static enum err load_provider_tls(struct snapshot *s, const char **ret_why)
{
    const struct settings *set = &s->settings;

    s->provider_tls = ARENA_NEW(&s->arena, struct tls_row, set->provider_count);
    if (s->provider_tls == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < set->provider_count; i++) {
        const struct tls_client_options o = {.ca_file = set->providers[i].ca,
                                             .http2 = true};
        if (!set->providers[i].tls)
            continue;
        enum err e =
            tls_context_client(&o, &s->provider_tls[i].context, ret_why);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

static enum err load_listen_tls(struct snapshot *s, const char **ret_why)
{
    const struct settings *set = &s->settings;

    s->listen_tls = ARENA_NEW(&s->arena, struct tls_row, set->listen_count);
    if (s->listen_tls == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < set->listen_count; i++) {
        const struct tls_settings *t = &set->listen[i].tls;
        const struct tls_server_options o = {
            .cert_file = t->cert,
            .key_file = t->key,
            .client_ca_file = t->client_ca,
            .client_auth = (enum tls_client_auth)t->client_auth,
            .http2 = true,
        };
        if (t->cert.len == 0)
            continue;
        enum err e = tls_context_server(&o, &s->listen_tls[i].context, ret_why);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

static void add_text(struct hash_stream *to, struct str s)
{
    char length[sizeof(s.len)];

    memcpy(length, &s.len, sizeof(length));
    hash_stream_add(to, (struct str){length, sizeof(length)});
    hash_stream_add(to, s);
}

static void add_names(struct hash_stream *to, const struct names *n)
{
    add_text(to, (struct str){(const char *)&n->count, sizeof(n->count)});
    for (size_t i = 0; i < n->count; i++)
        add_text(to, n->at[i]);
}

/* Whatever a link is opened by, so that a reload opens others only where the
 * server is another one now. */
static struct hash digest_of(const struct tool_server_settings *t)
{
    const unsigned char flags[] = {(unsigned char)t->transport,
                                   t->shared,
                                   t->sampling,
                                   t->elicitation,
                                   t->http.tls,
                                   t->http.insecure,
                                   (unsigned char)t->stdio.network};
    struct hash_stream h;

    hash_stream_begin(&h, NULL);
    add_text(&h, t->name);
    add_text(&h, (struct str){(const char *)flags, sizeof(flags)});
    add_names(&h, &t->stdio.command);
    for (size_t i = 0; i < t->stdio.env_count; i++) {
        add_text(&h, t->stdio.env[i].name);
        add_text(&h, t->stdio.env[i].value);
        add_text(&h, t->stdio.env[i].env);
    }
    add_text(&h, t->stdio.cwd);
    add_names(&h, &t->stdio.read);
    add_names(&h, &t->stdio.write);
    add_text(&h, t->http.host);
    add_text(&h,
             (struct str){(const char *)&t->http.port, sizeof(t->http.port)});
    add_text(&h, t->http.path);
    add_text(&h, t->http.ca);
    return hash_stream_end(&h);
}

static enum err load_tools(struct snapshot *s, const char **ret_why)
{
    const struct settings *set = &s->settings;
    enum err e = ERR_OK;

    s->tool_rows = ARENA_NEW(&s->arena, struct tool_row, set->tool_count);
    if (s->tool_rows == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < set->tool_count && e == ERR_OK; i++) {
        const struct tls_client_options o = {.ca_file = set->tools[i].http.ca,
                                             .http2 = true};
        s->tool_rows[i].digest = digest_of(&set->tools[i]);
        if (set->tools[i].http.tls)
            e = tls_context_client(&o, &s->tool_rows[i].tls, ret_why);
    }
    return e;
}

static enum err load(struct snapshot *s, const char **ret_why)
{
    enum err e = index_models(s);
    if (e == ERR_OK)
        e = join_allow_fields(s);
    if (e == ERR_OK)
        e = limit_rules_new(&s->settings, &s->limits);
    if (e == ERR_OK)
        e = load_provider_tls(s, ret_why);
    if (e == ERR_OK)
        e = load_listen_tls(s, ret_why);
    if (e == ERR_OK)
        e = load_tools(s, ret_why);
    if (e == ERR_OK)
        e = broker_new(&s->settings, &s->arena, &s->broker, ret_why);
    return e;
}

/* Prices stand in the config in this version; one digest names both. */
static void take_digests(struct snapshot *s)
{
    memcpy(s->digests.config.bytes, s->settings.digest, HASH_LEN);
    s->digests.prices = s->digests.config;
    s->digests.policy_set = rules_digest(s->rules);
}

static void release(struct snapshot *s)
{
    for (size_t i = 0;
         s->provider_tls != NULL && i < s->settings.provider_count; i++)
        tls_context_unref(s->provider_tls[i].context);
    for (size_t i = 0; s->listen_tls != NULL && i < s->settings.listen_count;
         i++)
        tls_context_unref(s->listen_tls[i].context);
    for (size_t i = 0; s->tool_rows != NULL && i < s->settings.tool_count; i++)
        tls_context_unref(s->tool_rows[i].tls);
    broker_free(s->broker);
    limit_rules_free(s->limits);
    rules_unref(s->rules);
    map_release(&s->models);
}

enum err snapshot_new(struct arena *arena, const struct settings *settings,
                      struct rules *rules, uint64_t serial,
                      struct snapshot **ret, const char **ret_why)
{
    struct snapshot *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return ERR_NO_MEMORY;
    atomic_init(&s->refs, 1);
    s->serial = serial;
    s->settings = *settings;
    s->rules = rules_ref(rules);
    s->arena = *arena;
    map_init(&s->models, hash_random_seed(), MODELS_MAX);
    enum err e = load(s, ret_why);
    if (e != ERR_OK) {
        release(s);
        *arena = s->arena; /* still the caller's, with the reason in it */
        free(s);
        return e;
    }
    take_digests(s);
    arena_init(arena, arena->cap);
    *ret = s;
    return ERR_OK;
}

struct snapshot *snapshot_ref(struct snapshot *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void snapshot_unref(struct snapshot *s)
{
    if (s == NULL)
        return;
    unsigned before =
        atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before > 1)
        return;
    release(s);
    arena_release(&s->arena);
    free(s);
}

const struct model_settings *snapshot_model(const struct snapshot *s,
                                            struct str alias)
{
    const struct model_row *row = map_get(&s->models, alias);
    return row == NULL ? NULL : row->settings;
}
