/* session.c - see session.h. */
#include "session/session.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/container.h"
#include "base/list.h"
#include "base/map.h"
#include "os/loop.h"

enum { OWNER_MAX = 1024 };

enum phase { PHASE_OPENING = 0, PHASE_OPEN, PHASE_DEAD };

struct stripe {
    pthread_mutex_t lock; /* of the map and of its sessions' mutable fields */
    struct map sessions;  /* owner -> struct session */
};

struct session {
    atomic_uint refs;
    struct stripe *stripe;
    struct list waiters;
    enum phase phase;
    int64_t created_ms, used_ms, idle_ms, max_ms;
    unsigned char id[SESSION_ID_LEN];
    unsigned char key[SESSION_KEY_LEN];
    size_t owner_len;
    char owner[]; /* the map's key */
};

struct session_waiter {
    struct list node;
    struct loop *loop;
    struct session *session;              /* +1 reference */
    void (*done)(void *user, enum err e); /* NULL: cancelled */
    void *user;
    enum err result;
};

struct session_table {
    struct siphash_key seed;
    struct stripe stripes[SESSION_STRIPES];
};

enum err session_table_new(struct siphash_key seed, struct session_table **ret)
{
    struct session_table *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return ERR_NO_MEMORY;
    t->seed = seed;
    for (size_t i = 0; i < SESSION_STRIPES; i++) {
        (void)pthread_mutex_init(&t->stripes[i].lock, NULL);
        map_init(&t->stripes[i].sessions, seed, SESSIONS_MAX / SESSION_STRIPES);
    }
    *ret = t;
    return ERR_OK;
}

static void lock(struct stripe *s)
{
    int e = pthread_mutex_lock(&s->lock);
    assert(e == 0);
}

static void unlock(struct stripe *s)
{
    int e = pthread_mutex_unlock(&s->lock);
    assert(e == 0);
}

struct session *session_ref(struct session *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void session_unref(struct session *s)
{
    if (s == NULL ||
        atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    explicit_bzero(s->key, sizeof(s->key));
    free(s);
}

void session_table_free(struct session_table *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < SESSION_STRIPES; i++) {
        struct stripe *stripe = &t->stripes[i];
        struct str owner;
        void *s;
        for (size_t at = 0; map_next(&stripe->sessions, &at, &owner, &s);)
            session_unref(s);
        map_release(&stripe->sessions);
        (void)pthread_mutex_destroy(&stripe->lock);
    }
    free(t);
}

/* The parts with their lengths before them, so that no two owners that
 * differ are written alike. */
static struct str write_owner(const struct session_owner *o,
                              char room[OWNER_MAX])
{
    const struct str parts[] = {o->tenant, o->issuer, o->subject, o->actor};
    size_t len = 0;

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (parts[i].len > UINT16_MAX || parts[i].len + 2 > OWNER_MAX - len)
            return (struct str){NULL, 0};
        room[len++] = (char)(parts[i].len >> 8);
        room[len++] = (char)(parts[i].len & 0xff);
        if (parts[i].len > 0)
            memcpy(room + len, parts[i].ptr, parts[i].len);
        len += parts[i].len;
    }
    return (struct str){room, len};
}

static bool is_over(const struct session *s, int64_t now_ms)
{
    return s->phase == PHASE_DEAD || now_ms - s->created_ms >= s->max_ms ||
           now_ms - s->used_ms >= s->idle_ms;
}

static struct session *make(struct stripe *stripe, struct str owner,
                            const unsigned char id[SESSION_ID_LEN])
{
    struct session *s = calloc(1, sizeof(*s) + owner.len);
    if (s == NULL)
        return NULL;
    atomic_init(&s->refs, 1); /* the table's */
    s->stripe = stripe;
    list_init(&s->waiters);
    memcpy(s->id, id, SESSION_ID_LEN);
    memcpy(s->owner, owner.ptr, owner.len);
    s->owner_len = owner.len;
    return s;
}

static struct str owner_of(const struct session *s)
{
    return (struct str){s->owner, s->owner_len};
}

/* Under the lock: a new session in the table, in the place of `old`. */
static enum err open_new(struct stripe *stripe, struct session *old,
                         struct str owner, const unsigned char *id,
                         struct session **ret)
{
    struct session *s = make(stripe, owner, id);
    if (s == NULL)
        return ERR_NO_MEMORY;
    if (old != NULL) {
        (void)map_take(&stripe->sessions, owner);
        session_unref(old);
    }
    enum err e = map_set(&stripe->sessions, owner_of(s), s);
    if (e != ERR_OK) {
        free(s);
        return e == ERR_LIMIT ? ERR_OVERLOAD : e;
    }
    *ret = s;
    return ERR_OK;
}

enum err session_enter(struct session_table *t,
                       const struct session_owner *owner,
                       struct session_limits limits, int64_t now_ms,
                       const unsigned char id[SESSION_ID_LEN],
                       struct session **ret_session,
                       enum session_state *ret_state)
{
    char room[OWNER_MAX];
    struct str name = write_owner(owner, room);
    enum err e = ERR_OK;

    if (name.ptr == NULL)
        return ERR_LIMIT;
    struct stripe *stripe =
        &t->stripes[siphash(t->seed, name) >> 60 & (SESSION_STRIPES - 1)];
    lock(stripe);
    struct session *s = map_get(&stripe->sessions, name);
    if (s != NULL && !is_over(s, now_ms)) {
        *ret_state = s->phase == PHASE_OPEN ? SESSION_READY : SESSION_WAIT;
    } else {
        e = open_new(stripe, s, name, id, &s);
        if (e == ERR_OK) {
            s->created_ms = now_ms;
            s->idle_ms = limits.idle_ms;
            s->max_ms = limits.max_ms;
            *ret_state = SESSION_OPENER;
        }
    }
    if (e == ERR_OK) {
        s->used_ms = now_ms;
        *ret_session = session_ref(s);
    }
    unlock(stripe);
    return e;
}

/* ---- waiting for the opener ---- */

static void free_waiter(struct session_waiter *w)
{
    session_unref(w->session);
    free(w);
}

static void on_posted(void *arg)
{
    struct session_waiter *w = arg;

    if (w->done != NULL)
        w->done(w->user, w->result);
    free_waiter(w);
}

enum err session_await(struct session *s, struct loop *l,
                       void (*done)(void *user, enum err e), void *user,
                       struct session_waiter **ret)
{
    struct session_waiter *w = calloc(1, sizeof(*w));
    enum err e = ERR_OK;

    if (w == NULL)
        return ERR_NO_MEMORY;
    *w = (struct session_waiter){.loop = l,
                                 .session = session_ref(s),
                                 .done = done,
                                 .user = user};
    list_init(&w->node);
    lock(s->stripe);
    enum phase phase = s->phase;
    if (phase == PHASE_OPENING)
        list_push(&s->waiters, &w->node);
    unlock(s->stripe);
    if (phase != PHASE_OPENING) {
        free_waiter(w);
        w = NULL;
        e = phase == PHASE_OPEN ? ERR_OK : ERR_CLOSED;
    }
    if (e == ERR_OK)
        *ret = w;
    return e;
}

void session_await_cancel(struct session_waiter *w)
{
    if (w == NULL)
        return;
    w->done = NULL; /* read on this loop only */
    lock(w->session->stripe);
    bool queued = !list_empty(&w->node);
    list_remove(&w->node);
    unlock(w->session->stripe);
    if (queued)
        free_waiter(w); /* else it is on its way, and frees itself */
}

void session_opened(struct session *s, enum err e, struct str payload_key)
{
    assert(e != ERR_OK || payload_key.len == SESSION_KEY_LEN);
    lock(s->stripe);
    assert(s->phase == PHASE_OPENING);
    if (e == ERR_OK)
        memcpy(s->key, payload_key.ptr, SESSION_KEY_LEN);
    s->phase = e == ERR_OK ? PHASE_OPEN : PHASE_DEAD;
    LIST_EACH(it, next, &s->waiters)
    {
        struct session_waiter *w =
            CONTAINER_OF(it, struct session_waiter, node);
        list_remove(it);
        w->result = e;
        /* A loop that is closing has cancelled its waits before. */
        (void)!loop_post(w->loop, on_posted, w);
    }
    unlock(s->stripe);
}

/* ---- the rest ---- */

const unsigned char *session_id(const struct session *s)
{
    return s->id;
}

struct str session_payload_key(const struct session *s)
{
    return (struct str){(const char *)s->key, SESSION_KEY_LEN};
}

static void sweep_stripe(struct stripe *stripe, int64_t now_ms)
{
    enum { BATCH = 64 };
    struct session *over[BATCH];
    size_t count = 0, at = 0;
    struct str owner;
    void *value;

    lock(stripe);
    while (count < BATCH && map_next(&stripe->sessions, &at, &owner, &value)) {
        struct session *s = value;
        if (s->phase != PHASE_OPENING && is_over(s, now_ms))
            over[count++] = s;
    }
    for (size_t i = 0; i < count; i++)
        (void)map_take(&stripe->sessions, owner_of(over[i]));
    unlock(stripe);
    for (size_t i = 0; i < count; i++)
        session_unref(over[i]);
}

void session_table_sweep(struct session_table *t, int64_t now_ms)
{
    for (size_t i = 0; i < SESSION_STRIPES; i++)
        sweep_stripe(&t->stripes[i], now_ms);
}

size_t session_table_count(struct session_table *t)
{
    size_t count = 0;

    for (size_t i = 0; i < SESSION_STRIPES; i++) {
        lock(&t->stripes[i]);
        count += map_count(&t->stripes[i].sessions);
        unlock(&t->stripes[i]);
    }
    return count;
}
