/*
 * trust.c - see trust.h.
 *
 * What is told is told from one timer, so never inside a call, and once
 * however many issuers changed.
 */
#include "trust/trust.h"

#include <assert.h>
#include <stdlib.h>

#include "base/container.h"
#include "net/tls.h"
#include "os/loop.h"
#include "os/timer.h"
#include "trust/settings_copy.h"
#include "trust/source.h"
#include "trust/times.h"

enum { SETTINGS_MAX = 64 * 1024 * 1024, MEMORY_RETRY_MS = 1000 };

/* Who waits for an issuer, by its number. */
enum { WAIT_NONE = 0, WAIT_OVER, WAIT_TOLD };

/* One configuration; its arrays are in the order of the issuers. */
struct generation {
    struct arena arena;
    struct settings settings;
    struct source **sources;
    struct tls_context **tls;
};

struct trust {
    struct source_group group;
    struct trust_events events;
    struct generation now;
    bool is_changed;
    unsigned char *waits; /* of every number that there has been */
    size_t wait_count;
    struct timer turn, memory, watch;
};

static struct trust *trust_of(struct source_group *g)
{
    return CONTAINER_OF(g, struct trust, group);
}

/* --- events --- */

static void on_turn(struct timer *timer);

static void tell(struct trust *t)
{
    if (!timer_is_set(&t->turn))
        timer_set(t->group.loop, &t->turn, 0, on_turn);
}

static void on_memory(struct timer *timer)
{
    tell(CONTAINER_OF(timer, struct trust, memory));
}

static void on_changed(struct source_group *g)
{
    trust_of(g)->is_changed = true;
    tell(trust_of(g));
}

static void end_wait(struct trust *t, size_t number)
{
    assert(number < t->wait_count);
    t->waits[number] = WAIT_OVER;
    tell(t);
}

static void on_wanted(struct source_group *g, size_t number)
{
    end_wait(trust_of(g), number);
}

static void on_health(struct source_group *g, struct str alias, bool ok,
                      struct str why)
{
    const struct trust_events *events = &trust_of(g)->events;
    events->health(events->user, alias, ok, why);
}

static enum err make_issuers(struct trust *t, struct issuers **ret)
{
    struct generation *now = &t->now;
    size_t n = now->settings.issuer_count;
    struct issuers_keys *keys = calloc(n + 1, sizeof(*keys));
    if (keys == NULL)
        return ERR_NO_MEMORY;
    enum err e;
    do {
        size_t bad = 0;
        for (size_t i = 0; i < n; i++)
            keys[i] = source_publish(now->sources[i]);
        e = issuers_new(&now->settings, keys, ret, &bad);
        if (e != ERR_MALFORMED && e != ERR_LIMIT)
            break;
        /* They were looked at when they came; but one issuer must never keep
         * the others from being told. */
        if (bad >= n || keys[bad].jwks.len == 0)
            break;
        source_refuse(now->sources[bad], err_text(e));
    } while (true);
    free(keys);
    return e;
}

static void publish(struct trust *t)
{
    struct issuers *issuers;
    if (make_issuers(t, &issuers) != ERR_OK) {
        timer_set(t->group.loop, &t->memory, MEMORY_RETRY_MS, on_memory);
        return;
    }
    t->is_changed = false;
    t->events.changed(t->events.user, issuers);
}

static void on_turn(struct timer *timer)
{
    struct trust *t = CONTAINER_OF(timer, struct trust, turn);
    if (t->is_changed)
        publish(t);
    /* An event may ask again; that is for the next turn. */
    for (size_t i = 0; i < t->wait_count; i++)
        t->waits[i] = t->waits[i] == WAIT_OVER ? WAIT_TOLD : WAIT_NONE;
    for (size_t i = 0; i < t->wait_count; i++) {
        if (t->waits[i] != WAIT_TOLD)
            continue;
        t->waits[i] = WAIT_NONE;
        t->events.wanted(t->events.user, i);
    }
}

static void on_watch(struct timer *timer)
{
    struct trust *t = CONTAINER_OF(timer, struct trust, watch);
    for (size_t i = 0; i < t->now.settings.issuer_count; i++)
        source_check_clock(t->now.sources[i]);
    timer_set(t->group.loop, &t->watch, t->group.times.watch_ms, on_watch);
}

/* --- configurations --- */

static void generation_release(struct generation *g)
{
    for (size_t i = 0; g->sources != NULL && i < g->settings.issuer_count; i++)
        source_free(g->sources[i]);
    for (size_t i = 0; g->tls != NULL && i < g->settings.issuer_count; i++)
        tls_context_unref(g->tls[i]);
    arena_release(&g->arena);
}

/* The context for issuer `i`; those with the same CA share one. */
static enum err load_tls(struct generation *g, size_t i)
{
    const struct issuer_settings *at = g->settings.issuers;
    const struct tls_client_options o = {.ca_file = at[i].ca, .http2 = true};
    const char *why;
    for (size_t j = 0; j < i; j++) {
        if (str_eq(at[j].ca, at[i].ca)) {
            g->tls[i] = tls_context_ref(g->tls[j]);
            return ERR_OK;
        }
    }
    return tls_context_client(&o, &g->tls[i], &why);
}

static bool is_twice(const struct settings *s, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (str_eq(s->issuers[j].alias, s->issuers[i].alias))
            return true;
    }
    return false;
}

/* All that belongs to the configuration alone. */
static enum err generation_load(struct generation *g, const struct settings *s)
{
    enum err e = settings_copy(&g->arena, s, &g->settings);
    if (e != ERR_OK)
        return e;
    size_t n = g->settings.issuer_count;
    g->sources = ARENA_NEW(&g->arena, struct source *, n);
    g->tls = ARENA_NEW(&g->arena, struct tls_context *, n);
    if (g->sources == NULL || g->tls == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < n && e == ERR_OK; i++) {
        e = is_twice(&g->settings, i) ? ERR_CONFIG
                                      : source_check(&g->settings.issuers[i]);
        if (e == ERR_OK)
            e = load_tls(g, i);
    }
    return e;
}

/* The place in `g` of the source that issuer `i` had so far; or the count. */
static size_t find(const struct generation *g, const struct issuer_settings *i)
{
    size_t n = 0;
    while (n < g->settings.issuer_count &&
           (g->sources[n] == NULL || !source_is(g->sources[n], i)))
        n++;
    return n;
}

/* A source for every issuer of `next` that has none yet. */
static enum err make_sources(struct trust *t, struct generation *next)
{
    for (size_t i = 0; i < next->settings.issuer_count; i++) {
        if (find(&t->now, &next->settings.issuers[i]) <
            t->now.settings.issuer_count)
            continue;
        next->sources[i] = source_new(&t->group);
        if (next->sources[i] == NULL)
            return ERR_NO_MEMORY;
    }
    return ERR_OK;
}

static enum err make_waits(struct trust *t, size_t count)
{
    if (count <= t->wait_count)
        return ERR_OK;
    unsigned char *waits = realloc(t->waits, count);
    if (waits == NULL)
        return ERR_NO_MEMORY;
    memset(waits + t->wait_count, WAIT_NONE, count - t->wait_count);
    t->waits = waits;
    t->wait_count = count;
    return ERR_OK;
}

/* Nothing here can fail. */
static void turn_over(struct trust *t, struct generation *next)
{
    struct generation old = t->now;
    for (size_t i = 0; i < next->settings.issuer_count; i++) {
        size_t from = find(&old, &next->settings.issuers[i]);
        if (next->sources[i] == NULL) {
            assert(from < old.settings.issuer_count);
            next->sources[i] = old.sources[from];
            old.sources[from] = NULL;
            /* Who waits knows it by its old number. */
            if (from != i && source_unwant(next->sources[i]))
                end_wait(t, from);
        }
        source_use(next->sources[i], &next->settings.issuers[i], i,
                   next->tls[i]);
    }
    for (size_t i = 0; i < old.settings.issuer_count; i++) {
        if (old.sources[i] != NULL && source_unwant(old.sources[i]))
            end_wait(t, i);
    }
    t->now = *next;
    generation_release(&old);
}

enum err trust_use(struct trust *t, const struct settings *s)
{
    struct generation next = {0};
    arena_init(&next.arena, SETTINGS_MAX);
    enum err e = generation_load(&next, s);
    if (e == ERR_OK)
        e = make_sources(t, &next);
    if (e == ERR_OK)
        e = make_waits(t, next.settings.issuer_count);
    if (e != ERR_OK) {
        generation_release(&next);
        return e;
    }
    turn_over(t, &next);
    on_changed(&t->group);
    return ERR_OK;
}

void trust_want(struct trust *t, size_t issuer)
{
    assert(issuer < t->wait_count);
    if (issuer >= t->now.settings.issuer_count ||
        !source_want(t->now.sources[issuer]))
        end_wait(t, issuer);
}

/* --- life --- */

enum err trust_new(struct loop *l, struct http_client *client,
                   const struct trust_events *events, struct trust **ret)
{
    struct trust *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return ERR_NO_MEMORY;
    t->events = *events;
    t->group = (struct source_group){
        .loop = l,
        .client = client,
        .times =
            {
                .want_ms = TRUST_WANT_MS,
                .fetch_ms = TRUST_FETCH_MS,
                .retry_min_ms = 1000,
                .retry_max_ms = 60000,
                .pause_min_ms = 1000,
                .watch_ms = 1000,
            },
        .changed = on_changed,
        .wanted = on_wanted,
        .health = on_health,
    };
    arena_init(&t->now.arena, SETTINGS_MAX);
    timer_set(l, &t->watch, t->group.times.watch_ms, on_watch);
    *ret = t;
    return ERR_OK;
}

void trust_free(struct trust *t)
{
    if (t == NULL)
        return;
    timer_cancel(&t->turn);
    timer_cancel(&t->memory);
    timer_cancel(&t->watch);
    generation_release(&t->now);
    free(t->waits);
    free(t);
}

void trust_set_times(struct trust *t, const struct trust_times *times)
{
    t->group.times = *times;
    timer_set(t->group.loop, &t->watch, times->watch_ms, on_watch);
}

size_t trust_states(const struct trust *t, struct trust_state *to, size_t max)
{
    size_t n = t->now.settings.issuer_count;
    for (size_t i = 0; i < n && i < max; i++)
        source_state(t->now.sources[i], &to[i]);
    return n;
}
