/* source.c - see source.h. */
#include "trust/source.h"

#include <stdio.h>
#include <stdlib.h>

#include "net/tls.h"
#include "os/loop.h"
#include "os/timer.h"
#include "trust/discovery.h"
#include "trust/fetch.h"
#include "trust/location.h"

enum {
    ROUND_ARENA_MAX = 8 * 1024 * 1024,
    WHY_MAX = 160,
    STATUS_OK = 200,
    STATUS_NOT_FOUND = 404,
};
#define US_PER_MS ((int64_t)1000)
/* Two clocks may drift apart by so much before it matters. */
#define CLOCKS_US ((int64_t)10000)
/* Longer is for ever; so that sums of times cannot overflow. */
#define AGE_MAX_MS ((int64_t)100 * 365 * 86400 * 1000)

enum step { STEP_NONE = 0, STEP_OPENID, STEP_OAUTH, STEP_KEYS };

struct source {
    struct source_group *group;
    const struct issuer_settings *settings;
    size_t number;
    struct tls_context *tls;

    /* the round */
    enum step step;
    struct arena arena;
    struct location discovery[LOCATION_DISCOVERY_COUNT], keys_at;
    bool local; /* its URL names this machine: so may what it refers to */
    struct fetch fetch;
    struct timer deadline;
    bool wanted;

    /* since then */
    struct timer next, stale;
    bool has_begun;
    int64_t began_ms, ended_ms;
    unsigned failures; /* in a row */
    bool is_ill;       /* and the log knows */
    char why[WHY_MAX];
    size_t why_len;

    /* the keys */
    struct buf keys;
    int64_t fetched_ms, fetched_us;
    int64_t published_us; /* until when, as others were told */
};

static void begin(struct source *s);

static int64_t now_ms(const struct source *s)
{
    return loop_now_ms(s->group->loop);
}

static int64_t max_stale_ms(const struct source *s)
{
    int64_t ms = s->settings->max_stale_ms;
    return ms < AGE_MAX_MS ? ms : AGE_MAX_MS;
}

static int64_t left_ms(const struct source *s)
{
    return max_stale_ms(s) - (now_ms(s) - s->fetched_ms);
}

static bool has_keys(const struct source *s)
{
    return s->keys.len > 0 && left_ms(s) > 0;
}

/* In Unix time, as the clock is now. */
static int64_t until_us(const struct source *s)
{
    return loop_wall_us(s->group->loop) + left_ms(s) * US_PER_MS;
}

static struct str why(const struct source *s)
{
    return (struct str){s->why, s->why_len};
}

static void set_why(struct source *s, const char *what, const char *text)
{
    int n = snprintf(s->why, sizeof(s->why), "%s%s", what, text);
    size_t len = n < 0 ? 0 : (size_t)n;
    s->why_len = len < sizeof(s->why) ? len : sizeof(s->why) - 1;
}

/* --- between two rounds --- */

static void on_next(struct timer *t)
{
    begin(CONTAINER_OF(t, struct source, next));
}

/* Keys must not become too old between two rounds that both succeed. */
static int64_t refresh_ms(const struct source *s)
{
    int64_t half = max_stale_ms(s) / 2;
    int64_t ms = s->settings->refresh_ms;
    return ms < half ? ms : half;
}

static void schedule(struct source *s)
{
    struct source_group *g = s->group;
    int64_t pause = s->failures > 0 ? times_retry_ms(&g->times, s->failures)
                                    : refresh_ms(s);
    struct siphash_key seed = loop_seed(g->loop);
    const struct str drawn = {(const char *)&g->draws, sizeof(g->draws)};
    pause = times_jitter_ms(pause, siphash(seed, drawn));
    g->draws++;
    pause -= now_ms(s) - s->ended_ms;
    /* Settings cannot make it spin. */
    int64_t least = g->times.pause_min_ms;
    timer_set(g->loop, &s->next, pause > least ? pause : least, on_next);
}

static void on_stale(struct timer *t)
{
    struct source *s = CONTAINER_OF(t, struct source, stale);
    buf_release(&s->keys);
    s->is_ill = true;
    s->group->changed(s->group);
    s->group->health(s->group, s->settings->alias, false,
                     STR("its keys are older than max_stale: its tokens are "
                         "refused"));
}

/* --- the end of a round --- */

static void end(struct source *s)
{
    timer_cancel(&s->deadline);
    fetch_cancel(&s->fetch);
    arena_release(&s->arena);
    s->step = STEP_NONE;
    s->ended_ms = now_ms(s);
    schedule(s);
    if (source_unwant(s))
        s->group->wanted(s->group, s->number);
}

static void fail(struct source *s, const char *text)
{
    set_why(s, s->step == STEP_KEYS ? "its keys: " : "its discovery: ", text);
    bool first = s->failures++ == 0;
    /* While all is well others are told less often, and so too early a time
     * at which the keys end. */
    if (first && has_keys(s) && s->published_us < until_us(s) - CLOCKS_US)
        s->group->changed(s->group);
    if (!s->is_ill)
        s->group->health(s->group, s->settings->alias, false, why(s));
    s->is_ill = true;
    end(s);
}

static void succeed(struct source *s, bool is_new)
{
    bool recovers = s->is_ill;
    s->fetched_ms = now_ms(s);
    s->fetched_us = loop_wall_us(s->group->loop);
    s->failures = 0;
    s->is_ill = false;
    s->why_len = 0;
    timer_set(s->group->loop, &s->stale, max_stale_ms(s), on_stale);
    int64_t slack_us = max_stale_ms(s) / 2 * US_PER_MS;
    if (is_new || s->published_us < until_us(s) - slack_us)
        s->group->changed(s->group);
    if (recovers)
        s->group->health(s->group, s->settings->alias, true, STR(""));
    end(s);
}

static void on_deadline(struct timer *t)
{
    fail(CONTAINER_OF(t, struct source, deadline), "no answer in time");
}

/* --- the steps of a round --- */

static void ask(struct source *s, enum step step, const struct location *at)
{
    const struct fetch_options o = {
        .tls = s->tls,
        .allow_local = at->local && s->local,
        .bytes_max = step == STEP_KEYS ? ISSUERS_JWKS_MAX : DISCOVERY_MAX,
        .timeout_ms = s->group->times.fetch_ms,
    };
    s->step = step;
    enum err e = fetch_start(&s->fetch, at, &o);
    if (e != ERR_OK)
        fail(s, err_text(e));
}

static enum err read_keys_location(struct source *s, const char **ret_why)
{
    struct str uri;
    enum err e = discovery_read(&s->arena, buf_str(&s->fetch.bytes),
                                s->settings->issuer, &uri, ret_why);
    if (e != ERR_OK)
        return e;
    e = location_of(&s->arena, uri, s->settings->insecure, &s->keys_at,
                    ret_why);
    if (e == ERR_NO_MEMORY)
        *ret_why = err_text(e);
    if (e == ERR_OK && s->keys_at.local && !s->local) {
        *ret_why = "its jwks_uri names this machine";
        return ERR_MALFORMED;
    }
    return e;
}

static void take_discovery(struct source *s)
{
    const char *text = "is not usable";
    if (read_keys_location(s, &text) == ERR_OK)
        ask(s, STEP_KEYS, &s->keys_at);
    else
        fail(s, text);
}

static void take_keys(struct source *s)
{
    struct str came = buf_str(&s->fetch.bytes);
    size_t usable = 0;
    if (issuers_check(came, &usable) != ERR_OK) {
        fail(s, "not a key set");
        return;
    }
    if (usable == 0) {
        fail(s, "none of them may be used");
        return;
    }
    if (str_eq(came, buf_str(&s->keys))) {
        succeed(s, false);
        return;
    }
    /* The bytes move over; the next fetch begins with none. */
    buf_release(&s->keys);
    s->keys = s->fetch.bytes;
    buf_init(&s->fetch.bytes, 0);
    succeed(s, true);
}

static void on_fetched(struct fetch *f, enum err e)
{
    struct source *s = CONTAINER_OF(f, struct source, fetch);
    char text[32];
    if (e != ERR_OK) {
        fail(s, e == ERR_LIMIT ? "too large" : err_text(e));
    } else if (f->status == STATUS_NOT_FOUND && s->step == STEP_OPENID) {
        ask(s, STEP_OAUTH, &s->discovery[1]);
    } else if (f->status != STATUS_OK) {
        (void)snprintf(text, sizeof(text), "answered %d", f->status);
        fail(s, text);
    } else if (s->step == STEP_KEYS) {
        take_keys(s);
    } else {
        take_discovery(s);
    }
}

static enum err find(struct arena *a, const struct issuer_settings *i,
                     struct location discovery[LOCATION_DISCOVERY_COUNT],
                     struct location *keys_at, const char **ret_why)
{
    if (i->jwks.len > 0)
        return location_of(a, i->jwks, i->insecure, keys_at, ret_why);
    return location_discovery(a, i->issuer, i->insecure, discovery, ret_why);
}

static void begin(struct source *s)
{
    const char *text = err_text(ERR_NO_MEMORY);
    if (s->step != STEP_NONE)
        return;
    timer_cancel(&s->next);
    s->has_begun = true;
    s->began_ms = now_ms(s);
    timer_set(s->group->loop, &s->deadline, s->group->times.fetch_ms,
              on_deadline);
    bool fixed = s->settings->jwks.len > 0;
    s->step = fixed ? STEP_KEYS : STEP_OPENID;
    if (find(&s->arena, s->settings, s->discovery, &s->keys_at, &text) !=
        ERR_OK) {
        fail(s, text);
        return;
    }
    const struct location *at = fixed ? &s->keys_at : &s->discovery[0];
    s->local = at->local;
    ask(s, s->step, at);
}

/* --- from outside --- */

enum err source_check(const struct issuer_settings *i)
{
    struct location discovery[LOCATION_DISCOVERY_COUNT];
    struct location keys_at;
    struct arena a;
    const char *text;
    arena_init(&a, ROUND_ARENA_MAX);
    enum err e = find(&a, i, discovery, &keys_at, &text);
    arena_release(&a);
    return e == ERR_OK || e == ERR_NO_MEMORY ? e : ERR_CONFIG;
}

struct source *source_new(struct source_group *g)
{
    struct source *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    s->group = g;
    arena_init(&s->arena, ROUND_ARENA_MAX);
    buf_init(&s->keys, 0);
    fetch_init(&s->fetch, g->client, on_fetched);
    return s;
}

void source_free(struct source *s)
{
    if (s == NULL)
        return;
    timer_cancel(&s->deadline);
    timer_cancel(&s->next);
    timer_cancel(&s->stale);
    fetch_release(&s->fetch);
    arena_release(&s->arena);
    buf_release(&s->keys);
    tls_context_unref(s->tls);
    free(s);
}

void source_use(struct source *s, const struct issuer_settings *i,
                size_t number, struct tls_context *tls)
{
    bool is_first = s->settings == NULL;
    s->settings = i;
    s->number = number;
    tls_context_unref(s->tls);
    s->tls = tls_context_ref(tls);
    if (is_first) {
        timer_set(s->group->loop, &s->next, 0, on_next);
        return;
    }
    if (s->step == STEP_NONE && s->has_begun && !s->wanted)
        schedule(s);
    if (s->keys.len > 0) {
        int64_t left = left_ms(s);
        timer_set(s->group->loop, &s->stale, left > 0 ? left : 0, on_stale);
    }
}

size_t source_number(const struct source *s)
{
    return s->number;
}

bool source_is(const struct source *s, const struct issuer_settings *i)
{
    return str_eq(s->settings->alias, i->alias) &&
           str_eq(s->settings->issuer, i->issuer) &&
           str_eq(s->settings->jwks, i->jwks);
}

bool source_want(struct source *s)
{
    source_check_clock(s);
    if (s->step == STEP_NONE && s->has_begun && !s->wanted) {
        if (now_ms(s) - s->began_ms < s->group->times.want_ms)
            return false;
        timer_set(s->group->loop, &s->next, 0, on_next);
    }
    s->wanted = true;
    return true;
}

bool source_unwant(struct source *s)
{
    bool was = s->wanted;
    s->wanted = false;
    return was;
}

struct issuers_keys source_publish(struct source *s)
{
    if (!has_keys(s))
        return (struct issuers_keys){0};
    s->published_us = until_us(s);
    return (struct issuers_keys){buf_str(&s->keys), s->published_us};
}

void source_refuse(struct source *s, const char *text)
{
    buf_release(&s->keys);
    timer_cancel(&s->stale);
    s->fetched_us = 0;
    set_why(s, "its keys: ", text);
    s->is_ill = true;
    s->group->health(s->group, s->settings->alias, false, why(s));
}

void source_check_clock(struct source *s)
{
    if (has_keys(s) && loop_wall_us(s->group->loop) > s->published_us)
        s->group->changed(s->group);
}

void source_state(const struct source *s, struct trust_state *ret)
{
    *ret = (struct trust_state){
        .alias = s->settings->alias,
        .usable = has_keys(s),
        .fetched_us = s->fetched_us,
        .why = why(s),
    };
}
