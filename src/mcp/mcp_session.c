/*
 * mcp_session.c - see mcp_session.h.
 *
 * A session stands in the stripe of its binding, so that one lock guards both
 * the lookup and the bound per caller.  Whoever comes with another binding
 * looks into another stripe, or finds a session whose binding is not its own:
 * either way nothing.
 */
#include "mcp/mcp_session.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/container.h"
#include "base/list.h"
#include "base/map.h"
#include "base/text.h"

enum { STRIPES = 16, RANDOM_LEN = MCP_SESSION_ID_LEN / 2 };

/* One that has sessions open. */
struct caller {
    struct hash binding;
    struct list sessions; /* the longest unused first, but for what leaves */
    size_t count;
};

struct stripe {
    pthread_mutex_t lock;
    struct map by_id;   /* -> struct mcp_session, +1 reference */
    struct map callers; /* binding -> struct caller */
};

struct mcp_sessions {
    struct siphash_key seed;
    _Atomic(size_t) count;
    struct stripe stripes[STRIPES];
};

/* A request that is under way. */
struct entry {
    struct list node;
    uint64_t number;
    struct message_id id;
    char text[]; /* of the id */
};

struct mcp_session {
    _Atomic(unsigned) refs;
    _Atomic(bool) ended;
    _Atomic(int) level;
    _Atomic(int64_t) used_ms;
    _Atomic(size_t) busy; /* entries */
    struct mcp_sessions *table;
    struct list of_caller; /* under the stripe's lock, as is the next */
    struct caller *caller; /* NULL: in no table any more */
    int64_t idle_ms;
    char id[MCP_SESSION_ID_LEN];
    struct mcp_session_about about;
    pthread_mutex_t lock; /* of the entries */
    struct list entries;
    char server[];
};

/* These locks have no failure but misuse, which is ours. */
static void lock(pthread_mutex_t *m)
{
    int e = pthread_mutex_lock(m);
    assert(e == 0);
    (void)e;
}

static void unlock(pthread_mutex_t *m)
{
    int e = pthread_mutex_unlock(m);
    assert(e == 0);
    (void)e;
}

static struct str bytes_of(const struct hash *h)
{
    return (struct str){(const char *)h->bytes, HASH_LEN};
}

static struct stripe *stripe_of(struct mcp_sessions *t, const struct hash *h)
{
    return &t->stripes[siphash(t->seed, bytes_of(h)) % STRIPES];
}

/* ---- one session ---- */

static struct mcp_session *session_new(const struct mcp_session_about *about,
                                       int64_t idle_ms, int64_t now_ms)
{
    unsigned char random[RANDOM_LEN];
    struct mcp_session *s = calloc(1, sizeof(*s) + about->server.len);
    if (s == NULL)
        return NULL;
    if (pthread_mutex_init(&s->lock, NULL) != 0) {
        free(s);
        return NULL;
    }
    atomic_init(&s->refs, 1);
    atomic_init(&s->level, -1);
    atomic_init(&s->used_ms, now_ms);
    list_init(&s->of_caller);
    list_init(&s->entries);
    s->idle_ms = idle_ms;
    s->about = *about;
    if (about->server.len > 0)
        memcpy(s->server, about->server.ptr, about->server.len);
    s->about.server.ptr = s->server;
    hash_random(random, sizeof(random));
    text_hex(random, sizeof(random), s->id);
    return s;
}

struct mcp_session *mcp_session_ref(struct mcp_session *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void mcp_session_unref(struct mcp_session *s)
{
    if (s == NULL)
        return;
    unsigned before =
        atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before > 1)
        return;
    LIST_EACH(it, next_it, &s->entries)
    {
        list_remove(it);
        free(CONTAINER_OF(it, struct entry, node));
    }
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

bool mcp_session_is_ended(const struct mcp_session *s)
{
    return atomic_load_explicit(&s->ended, memory_order_acquire);
}

struct str mcp_session_id(const struct mcp_session *s)
{
    return (struct str){s->id, sizeof(s->id)};
}

const struct mcp_session_about *mcp_session_about(const struct mcp_session *s)
{
    return &s->about;
}

void mcp_session_set_level(struct mcp_session *s, int level)
{
    atomic_store_explicit(&s->level, level, memory_order_relaxed);
}

int mcp_session_level(const struct mcp_session *s)
{
    return atomic_load_explicit(&s->level, memory_order_relaxed);
}

static bool is_idle(const struct mcp_session *s)
{
    return atomic_load(&s->busy) == 0;
}

static bool is_over(const struct mcp_session *s, int64_t now_ms)
{
    return is_idle(s) && now_ms - atomic_load(&s->used_ms) >= s->idle_ms;
}

/* ---- the table ---- */

enum err mcp_sessions_new(struct mcp_sessions **ret)
{
    struct mcp_sessions *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return ERR_NO_MEMORY;
    t->seed = hash_random_seed();
    for (size_t i = 0; i < STRIPES; i++) {
        struct stripe *p = &t->stripes[i];
        int e = pthread_mutex_init(&p->lock, NULL);
        assert(e == 0); /* glibc's cannot fail without attributes */
        (void)e;
        map_init(&p->by_id, hash_random_seed(), MCP_SESSIONS_MAX);
        map_init(&p->callers, hash_random_seed(), MCP_SESSIONS_MAX);
    }
    *ret = t;
    return ERR_OK;
}

/* Under the stripe's lock: out of the table; its reference passes on. */
static void take(struct mcp_sessions *t, struct stripe *p,
                 struct mcp_session *s)
{
    struct caller *c = s->caller;
    void *was = map_take(&p->by_id, mcp_session_id(s));
    assert(was == s);
    (void)was;
    list_remove(&s->of_caller);
    s->caller = NULL;
    if (--c->count == 0) {
        (void)map_take(&p->callers, bytes_of(&c->binding));
        free(c);
    }
    atomic_fetch_sub(&t->count, 1);
    atomic_store_explicit(&s->ended, true, memory_order_release);
}

/* Takes out all that are over, or all there are, as a row of `of_caller`. */
static void take_over(struct mcp_sessions *t, struct stripe *p, bool all,
                      int64_t now_ms, struct list *taken)
{
    size_t at = 0;
    struct str key;
    void *value;
    struct list over;

    list_init(&over);
    while (map_next(&p->by_id, &at, &key, &value)) {
        struct mcp_session *s = value;
        if (!all && !is_over(s, now_ms))
            continue;
        list_remove(&s->of_caller);
        list_push(&over, &s->of_caller);
    }
    LIST_EACH(it, next_it, &over)
    {
        struct mcp_session *s = CONTAINER_OF(it, struct mcp_session, of_caller);
        take(t, p, s);
        list_push(taken, &s->of_caller);
    }
}

static void unref_all(struct list *taken)
{
    LIST_EACH(it, next_it, taken)
    {
        list_remove(it);
        mcp_session_unref(CONTAINER_OF(it, struct mcp_session, of_caller));
    }
}

void mcp_sessions_sweep(struct mcp_sessions *t, int64_t now_ms)
{
    for (size_t i = 0; i < STRIPES; i++) {
        struct stripe *p = &t->stripes[i];
        struct list taken;
        list_init(&taken);
        lock(&p->lock);
        take_over(t, p, false, now_ms, &taken);
        unlock(&p->lock);
        unref_all(&taken);
    }
}

void mcp_sessions_free(struct mcp_sessions *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < STRIPES; i++) {
        struct stripe *p = &t->stripes[i];
        struct list taken;
        list_init(&taken);
        take_over(t, p, true, 0, &taken);
        unref_all(&taken);
        map_release(&p->by_id);
        map_release(&p->callers);
        (void)pthread_mutex_destroy(&p->lock);
    }
    free(t);
}

size_t mcp_sessions_count(struct mcp_sessions *t)
{
    return atomic_load(&t->count);
}

/* The caller of that binding, or a new one. */
static struct caller *get_caller(struct stripe *p, const struct hash *binding)
{
    struct caller *c = map_get(&p->callers, bytes_of(binding));
    if (c != NULL)
        return c;
    c = calloc(1, sizeof(*c));
    if (c == NULL)
        return NULL;
    c->binding = *binding;
    list_init(&c->sessions);
    if (map_set(&p->callers, bytes_of(&c->binding), c) != ERR_OK) {
        free(c);
        return NULL;
    }
    return c;
}

/* The idle one that was not used for longest, or NULL. */
static struct mcp_session *oldest_idle(const struct caller *c)
{
    struct mcp_session *oldest = NULL;
    LIST_EACH(it, next_it, &c->sessions)
    {
        struct mcp_session *s = CONTAINER_OF(it, struct mcp_session, of_caller);
        if (is_idle(s) && (oldest == NULL || atomic_load(&s->used_ms) <
                                                 atomic_load(&oldest->used_ms)))
            oldest = s;
    }
    return oldest;
}

/* Under the lock.  *ret_evicted: one that had to go. */
static enum err put(struct mcp_sessions *t, struct stripe *p,
                    struct mcp_session *s, struct mcp_session **ret_evicted)
{
    struct caller *c = get_caller(p, &s->about.binding);
    enum err e = c == NULL ? ERR_NO_MEMORY : ERR_OK;
    if (e == ERR_OK && c->count >= MCP_SESSIONS_PER_CALLER_MAX) {
        struct mcp_session *oldest = oldest_idle(c);
        if (oldest == NULL)
            return ERR_OVERLOAD;
        take(t, p, oldest); /* and the caller stays: it has more of them */
        *ret_evicted = oldest;
    }
    if (e == ERR_OK)
        e = map_set(&p->by_id, mcp_session_id(s), s);
    if (e != ERR_OK) {
        if (c != NULL && c->count == 0) {
            (void)map_take(&p->callers, bytes_of(&c->binding));
            free(c);
        }
        return e == ERR_LIMIT ? ERR_OVERLOAD : e;
    }
    s->caller = c;
    c->count++;
    list_push(&c->sessions, &s->of_caller);
    return ERR_OK;
}

enum err mcp_sessions_open(struct mcp_sessions *t,
                           const struct mcp_session_about *about,
                           int64_t idle_ms, int64_t now_ms,
                           struct mcp_session **ret)
{
    struct stripe *p = stripe_of(t, &about->binding);
    struct mcp_session *evicted = NULL;

    if (atomic_fetch_add(&t->count, 1) >= MCP_SESSIONS_MAX) {
        atomic_fetch_sub(&t->count, 1);
        return ERR_OVERLOAD;
    }
    struct mcp_session *s = session_new(about, idle_ms, now_ms);
    enum err e = s == NULL ? ERR_NO_MEMORY : ERR_OK;
    if (e == ERR_OK) {
        s->table = t;
        lock(&p->lock);
        e = put(t, p, s, &evicted);
        if (e == ERR_OK)
            mcp_session_ref(s); /* the first is the table's */
        unlock(&p->lock);
    }
    mcp_session_unref(evicted);
    if (e == ERR_OK) {
        *ret = s;
        return ERR_OK;
    }
    atomic_fetch_sub(&t->count, 1);
    mcp_session_unref(s);
    return e;
}

enum err mcp_sessions_find(struct mcp_sessions *t, struct str id,
                           const struct hash *binding, int64_t now_ms,
                           struct mcp_session **ret)
{
    struct stripe *p = stripe_of(t, binding);
    struct mcp_session *over = NULL;
    bool found = false;

    lock(&p->lock);
    struct mcp_session *s = map_get(&p->by_id, id);
    if (s != NULL &&
        str_eq_secret(bytes_of(&s->about.binding), bytes_of(binding))) {
        found = !is_over(s, now_ms);
        if (found) {
            atomic_store(&s->used_ms, now_ms);
            mcp_session_ref(s);
        } else {
            take(t, p, s);
            over = s;
        }
    }
    unlock(&p->lock);
    mcp_session_unref(over);
    if (!found)
        return ERR_NOT_FOUND;
    *ret = s;
    return ERR_OK;
}

void mcp_session_end(struct mcp_session *s)
{
    /* Once it is out of the table, that may be gone. */
    if (mcp_session_is_ended(s))
        return;
    struct stripe *p = stripe_of(s->table, &s->about.binding);
    lock(&p->lock);
    bool was_in = s->caller != NULL;
    if (was_in)
        take(s->table, p, s);
    unlock(&p->lock);
    if (was_in)
        mcp_session_unref(s); /* the table's */
}

/* ---- requests under way ---- */

enum err mcp_session_enter(struct mcp_session *s, struct message_id id,
                           uint64_t number)
{
    enum err e = ERR_OK;
    if (id.type == MESSAGE_ID_NONE)
        return ERR_OK;
    struct entry *fresh = calloc(1, sizeof(*fresh) + id.text.len);
    if (fresh == NULL)
        return ERR_NO_MEMORY;
    fresh->number = number;
    fresh->id = id;
    fresh->id.text.ptr = fresh->text;
    if (id.text.len > 0)
        memcpy(fresh->text, id.text.ptr, id.text.len);

    lock(&s->lock);
    if (atomic_load(&s->busy) >= MCP_SESSION_CALLS_MAX)
        e = ERR_OVERLOAD;
    LIST_EACH(it, next_it, &s->entries)
    {
        if (message_id_eq(CONTAINER_OF(it, struct entry, node)->id, id))
            e = ERR_CONFLICT;
    }
    if (e == ERR_OK) {
        list_push(&s->entries, &fresh->node);
        atomic_fetch_add(&s->busy, 1);
        fresh = NULL;
    }
    unlock(&s->lock);
    free(fresh);
    return e;
}

void mcp_session_leave(struct mcp_session *s, uint64_t number, int64_t now_ms)
{
    struct entry *gone = NULL;
    lock(&s->lock);
    LIST_EACH(it, next_it, &s->entries)
    {
        struct entry *e = CONTAINER_OF(it, struct entry, node);
        if (e->number == number) {
            gone = e;
            break;
        }
    }
    if (gone != NULL) {
        /* First the time: it is not over when it is not busy any more. */
        if (now_ms > atomic_load(&s->used_ms))
            atomic_store(&s->used_ms, now_ms);
        list_remove(&gone->node);
        atomic_fetch_sub(&s->busy, 1);
    }
    unlock(&s->lock);
    free(gone);
}

uint64_t mcp_session_number(struct mcp_session *s, struct message_id id)
{
    uint64_t number = 0;
    lock(&s->lock);
    LIST_EACH(it, next_it, &s->entries)
    {
        const struct entry *e = CONTAINER_OF(it, struct entry, node);
        if (message_id_eq(e->id, id))
            number = e->number;
    }
    unlock(&s->lock);
    return number;
}
