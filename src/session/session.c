/*
 * session.c - the table of open sessions.
 *
 * A stripe keeps its sessions in two orders, by last use and by age, so that
 * closing those whose time is over looks at nothing else.  What is slow
 * (memory, random bytes) happens outside the locks.
 */
#include "session/session.h"

#include <assert.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/map.h"
#include "crypto/hash.h"
#include "session/session_handle.h"

enum { STRIPES = 16, OWNER_MAX = 1152 };

struct stripe {
    pthread_mutex_t lock;
    struct map sessions; /* owner -> struct session, +1 reference */
    struct list by_use;
    struct list by_age;
};

struct session_table {
    struct siphash_key seed;
    struct stripe stripes[STRIPES];
};

static void lock(struct stripe *p)
{
    int e = pthread_mutex_lock(&p->lock);
    assert(e == 0);
    (void)e;
}

static void unlock(struct stripe *p)
{
    int e = pthread_mutex_unlock(&p->lock);
    assert(e == 0);
    (void)e;
}

enum err session_table_new(struct session_table **ret)
{
    struct session_table *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return ERR_NO_MEMORY;
    t->seed = hash_random_seed();
    for (size_t i = 0; i < STRIPES; i++) {
        struct stripe *p = &t->stripes[i];
        int e = pthread_mutex_init(&p->lock, NULL);
        assert(e == 0); /* glibc's cannot fail without attributes */
        (void)e;
        map_init(&p->sessions, hash_random_seed(), SESSIONS_MAX / STRIPES);
        list_init(&p->by_use);
        list_init(&p->by_age);
    }
    *ret = t;
    return ERR_OK;
}

/* Takes `s` out of the table, whose reference passes to the caller. */
static void take_out(struct stripe *p, struct session *s)
{
    void *was = map_take(&p->sessions, (struct str){s->owner, s->owner_len});
    assert(was == s);
    (void)was;
    list_remove(&s->by_use);
    list_remove(&s->by_age);
}

void session_table_free(struct session_table *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < STRIPES; i++) {
        struct stripe *p = &t->stripes[i];
        LIST_EACH(it, next, &p->by_age)
        {
            struct session *s = CONTAINER_OF(it, struct session, by_age);
            take_out(p, s);
            session_unref(s);
        }
        map_release(&p->sessions);
        (void)pthread_mutex_destroy(&p->lock);
    }
    free(t);
}

static size_t put(char *to, size_t at, struct str part)
{
    uint32_t len = (uint32_t)part.len;
    memcpy(to + at, &len, sizeof(len));
    if (part.len > 0)
        memcpy(to + at + sizeof(len), part.ptr, part.len);
    return at + sizeof(len) + part.len;
}

/* The parts as one key: with their lengths, so that no two owners have the
 * same.  Empty when it would be too long. */
static struct str join(const struct session_owner *who, char to[OWNER_MAX])
{
    const struct str parts[] = {who->tenant, who->issuer, who->subject,
                                who->actor};
    size_t len = 0;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (parts[i].len > OWNER_MAX / ARRAY_LEN(parts) - sizeof(uint32_t))
            return (struct str){NULL, 0};
        len = put(to, len, parts[i]);
    }
    return (struct str){to, len};
}

static bool is_over(const struct session *s, int64_t now_ms)
{
    return now_ms - s->used_ms >= s->limits.idle_ms ||
           now_ms - s->opened_ms >= s->limits.max_ms ||
           session_handle_is_dead(s);
}

/*
 * The open session of `owner`, with a reference more; else NULL, and one that
 * is over comes out in *ret_closed.
 */
static struct session *find_open(struct stripe *p, struct str owner,
                                 int64_t now_ms, struct session **ret_closed)
{
    struct session *s = map_get(&p->sessions, owner);
    if (s == NULL)
        return NULL;
    if (is_over(s, now_ms)) {
        take_out(p, s);
        *ret_closed = s;
        return NULL;
    }
    s->used_ms = now_ms;
    list_remove(&s->by_use);
    list_push(&p->by_use, &s->by_use);
    return session_ref(s);
}

static enum err put_in(struct stripe *p, struct session *s)
{
    enum err e = map_set(&p->sessions, (struct str){s->owner, s->owner_len}, s);
    if (e != ERR_OK)
        return e == ERR_LIMIT ? ERR_OVERLOAD : e;
    list_push(&p->by_use, &s->by_use);
    list_push(&p->by_age, &s->by_age);
    return ERR_OK;
}

/* Puts a new session in, unless another thread was faster; *ret is the one
 * that is open now, with a reference more. */
static enum err open_new(struct stripe *p, struct session *fresh,
                         int64_t now_ms, struct session **ret)
{
    const struct str owner = {fresh->owner, fresh->owner_len};
    struct session *closed = NULL;
    enum err e = ERR_OK;

    lock(p);
    struct session *s = find_open(p, owner, now_ms, &closed);
    if (s == NULL)
        e = put_in(p, fresh);
    if (s == NULL && e == ERR_OK)
        s = session_ref(fresh);
    unlock(p);
    session_unref(closed);
    if (e == ERR_OK)
        *ret = s;
    return e;
}

enum err session_find(struct session_table *t, const struct session_owner *who,
                      const struct session_limits *limits, int64_t now_ms,
                      struct session **ret, bool *ret_is_new)
{
    char key[OWNER_MAX];
    struct session *closed = NULL;
    struct session *s = NULL;
    struct str owner = join(who, key);
    if (owner.len == 0)
        return ERR_LIMIT;
    struct stripe *p = &t->stripes[siphash(t->seed, owner) % STRIPES];

    lock(p);
    s = find_open(p, owner, now_ms, &closed);
    unlock(p);
    session_unref(closed);
    if (s != NULL) {
        *ret = s;
        *ret_is_new = false;
        return ERR_OK;
    }

    struct session *fresh = session_handle_new(owner);
    if (fresh == NULL)
        return ERR_NO_MEMORY;
    fresh->limits = *limits;
    fresh->opened_ms = fresh->used_ms = now_ms;
    enum err e = open_new(p, fresh, now_ms, ret);
    bool taken = e == ERR_OK && *ret == fresh;
    if (e == ERR_OK)
        *ret_is_new = taken;
    if (!taken)
        session_unref(fresh); /* the table's reference, which it did not take */
    return e;
}

/* One that is over in either order, out of the table; NULL: none. */
static struct session *take_over(struct stripe *p, int64_t now_ms)
{
    struct list *used = list_first(&p->by_use);
    struct list *aged = list_first(&p->by_age);
    struct session *s = NULL;

    if (used != NULL)
        s = CONTAINER_OF(used, struct session, by_use);
    if (s == NULL || !is_over(s, now_ms)) {
        if (aged == NULL)
            return NULL;
        s = CONTAINER_OF(aged, struct session, by_age);
        if (!is_over(s, now_ms))
            return NULL;
    }
    take_out(p, s);
    return s;
}

void session_table_sweep(struct session_table *t, int64_t now_ms)
{
    for (size_t i = 0; i < STRIPES; i++) {
        struct session *s = NULL;
        do {
            lock(&t->stripes[i]);
            s = take_over(&t->stripes[i], now_ms);
            unlock(&t->stripes[i]);
            session_unref(s);
        } while (s != NULL);
    }
}

size_t session_table_count(struct session_table *t)
{
    size_t n = 0;
    for (size_t i = 0; i < STRIPES; i++) {
        lock(&t->stripes[i]);
        n += map_count(&t->stripes[i].sessions);
        unlock(&t->stripes[i]);
    }
    return n;
}
