/*
 * session_table.c - the table of open sessions.
 *
 * A stripe keeps its sessions in two orders, by last use and by age, so that
 * closing those whose time is over looks at nothing else.
 */
#include "session/session_table.h"

#include <assert.h>
#include <stdlib.h>

#include "base/attr.h"
#include "crypto/hash.h"

enum { CLOSED_ROOM_MIN = 64 };

/* These locks have no failure but misuse, which is ours. */
void session_table_lock(pthread_mutex_t *m)
{
    int e = pthread_mutex_lock(m);
    assert(e == 0);
    (void)e;
}

void session_table_unlock(pthread_mutex_t *m)
{
    int e = pthread_mutex_unlock(m);
    assert(e == 0);
    (void)e;
}

static void init_lock(pthread_mutex_t *m)
{
    int e = pthread_mutex_init(m, NULL);
    assert(e == 0); /* glibc's cannot fail without attributes */
    (void)e;
}

enum err session_table_new(struct session_table **ret)
{
    struct session_table *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return ERR_NO_MEMORY;
    t->seed = hash_random_seed();
    for (size_t i = 0; i < SESSION_STRIPES; i++) {
        struct session_stripe *p = &t->stripes[i];
        init_lock(&p->lock);
        map_init(&p->sessions, hash_random_seed(),
                 SESSIONS_MAX / SESSION_STRIPES);
        list_init(&p->by_use);
        list_init(&p->by_age);
        list_init(&p->fresh);
        list_init(&p->used);
        init_lock(&t->ids[i].lock);
        map_init(&t->ids[i].sessions, hash_random_seed(), SESSIONS_MAX);
    }
    *ret = t;
    return ERR_OK;
}

void session_table_free(struct session_table *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < SESSION_STRIPES; i++) {
        struct session_stripe *p = &t->stripes[i];
        LIST_EACH(it, next, &p->by_age)
        {
            struct session *s = CONTAINER_OF(it, struct session, by_age);
            session_table_take(t, p, s);
            session_unref(s);
        }
        map_release(&p->sessions);
        free(p->closed.ids);
        (void)pthread_mutex_destroy(&p->lock);
    }
    for (size_t i = 0; i < SESSION_STRIPES; i++) {
        map_release(&t->ids[i].sessions);
        (void)pthread_mutex_destroy(&t->ids[i].lock);
    }
    free(t);
}

static size_t put_part(char *to, size_t at, struct str part)
{
    uint32_t len = (uint32_t)part.len;
    memcpy(to + at, &len, sizeof(len));
    if (part.len > 0)
        memcpy(to + at + sizeof(len), part.ptr, part.len);
    return at + sizeof(len) + part.len;
}

struct str session_table_join(const struct session_owner *who,
                              char to[SESSION_OWNER_MAX])
{
    const struct str parts[] = {who->tenant, who->issuer, who->subject,
                                who->actor};
    size_t len = 0;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (parts[i].len >
            SESSION_OWNER_MAX / ARRAY_LEN(parts) - sizeof(uint32_t))
            return (struct str){NULL, 0};
        len = put_part(to, len, parts[i]);
    }
    return (struct str){to, len};
}

struct session_stripe *session_table_stripe(struct session_table *t,
                                            struct str owner)
{
    return &t->stripes[siphash(t->seed, owner) % SESSION_STRIPES];
}

bool session_table_is_over(const struct session *s, int64_t now_ms)
{
    return now_ms - s->used_ms >= s->limits.idle_ms ||
           now_ms - s->opened_ms >= s->limits.max_ms ||
           session_handle_is_dead(s);
}

static struct str owner_of(const struct session *s)
{
    return (struct str){s->owner, s->owner_len};
}

static struct str id_of(const unsigned char id[SESSION_ID_LEN])
{
    return (struct str){(const char *)id, SESSION_ID_LEN};
}

static struct session_ids *ids_of(struct session_table *t,
                                  const unsigned char id[SESSION_ID_LEN])
{
    return &t->ids[id[0] % SESSION_STRIPES]; /* ids are random */
}

static enum err put_id(struct session_table *t, struct session *s)
{
    struct session_ids *ids = ids_of(t, s->id);
    enum err e = ERR_LIMIT; /* two of one id are never both restored */
    session_table_lock(&ids->lock);
    if (map_get(&ids->sessions, id_of(s->id)) == NULL)
        e = map_set(&ids->sessions, id_of(s->id), s);
    session_table_unlock(&ids->lock);
    return e;
}

enum err session_table_put(struct session_table *t, struct session_stripe *p,
                           struct session *s)
{
    enum err e = map_set(&p->sessions, owner_of(s), s);
    if (e == ERR_OK) {
        e = put_id(t, s);
        if (e != ERR_OK)
            (void)map_take(&p->sessions, owner_of(s));
    }
    if (e != ERR_OK)
        return e == ERR_LIMIT ? ERR_OVERLOAD : e;
    list_push(&p->by_use, &s->by_use);
    list_push(&p->by_age, &s->by_age);
    return ERR_OK;
}

void session_table_take(struct session_table *t, struct session_stripe *p,
                        struct session *s)
{
    struct session_ids *ids = ids_of(t, s->id);
    void *was = map_take(&p->sessions, owner_of(s));
    assert(was == s);
    session_table_lock(&ids->lock);
    was = map_take(&ids->sessions, id_of(s->id));
    session_table_unlock(&ids->lock);
    assert(was == s);
    (void)was;
    list_remove(&s->by_use);
    list_remove(&s->by_age);
    list_remove(&s->unstored);
    if (s->stored)
        session_table_note_closed(p, s->id, session_is_ended(s));
}

void session_table_note_closed(struct session_stripe *p,
                               const unsigned char id[SESSION_ID_LEN],
                               bool ended)
{
    struct session_closed *c = &p->closed;
    size_t max = ended ? 2 * (size_t)SESSION_CLOSED_MAX : SESSION_CLOSED_MAX;
    if (c->count >= max)
        return;
    if (c->count == c->room) {
        size_t room = c->room == 0 ? CLOSED_ROOM_MIN : 2 * c->room;
        void *ids = realloc(c->ids, room * sizeof(c->ids[0]));
        if (ids == NULL)
            return; /* its time is over at the next start, too */
        c->ids = ids;
        c->room = room;
    }
    memcpy(c->ids[c->count++], id, SESSION_ID_LEN);
}

/* The session of that id, with a reference more, or NULL. */
static struct session *by_id(struct session_table *t,
                             const unsigned char id[SESSION_ID_LEN])
{
    struct session_ids *ids = ids_of(t, id);
    session_table_lock(&ids->lock);
    struct session *s = map_get(&ids->sessions, id_of(id));
    if (s != NULL)
        session_ref(s);
    session_table_unlock(&ids->lock);
    return s;
}

bool session_table_end(struct session_table *t,
                       const unsigned char id[SESSION_ID_LEN])
{
    struct session *s = by_id(t, id);
    if (s == NULL)
        return false;
    struct session_stripe *p = session_table_stripe(t, owner_of(s));
    session_table_lock(&p->lock);
    bool open = map_get(&p->sessions, owner_of(s)) == s; /* still */
    if (open) {
        session_handle_end(s);
        session_table_take(t, p, s);
    }
    session_table_unlock(&p->lock);
    if (open)
        session_unref(s); /* the table's */
    session_unref(s);
    return open;
}

/* One that is over in either order, out of the table; NULL: none. */
static struct session *take_over(struct session_table *t,
                                 struct session_stripe *p, int64_t now_ms)
{
    struct list *used = list_first(&p->by_use);
    struct list *aged = list_first(&p->by_age);
    struct session *s = NULL;

    if (used != NULL)
        s = CONTAINER_OF(used, struct session, by_use);
    if (s == NULL || !session_table_is_over(s, now_ms)) {
        if (aged == NULL)
            return NULL;
        s = CONTAINER_OF(aged, struct session, by_age);
        if (!session_table_is_over(s, now_ms))
            return NULL;
    }
    session_table_take(t, p, s);
    return s;
}

void session_table_sweep(struct session_table *t, int64_t now_ms)
{
    for (size_t i = 0; i < SESSION_STRIPES; i++) {
        struct session_stripe *p = &t->stripes[i];
        struct session *s = NULL;
        do {
            session_table_lock(&p->lock);
            s = take_over(t, p, now_ms);
            session_table_unlock(&p->lock);
            session_unref(s);
        } while (s != NULL);
    }
}

size_t session_table_count(struct session_table *t)
{
    size_t n = 0;
    for (size_t i = 0; i < SESSION_STRIPES; i++) {
        session_table_lock(&t->stripes[i].lock);
        n += map_count(&t->stripes[i].sessions);
        session_table_unlock(&t->stripes[i].lock);
    }
    return n;
}
