/*
 * session.c - whose session: the open one, or a new one.
 *
 * What is slow (memory, random bytes) happens outside the locks.
 */
#include "session/session.h"

#include "base/attr.h"
#include "session/session_table.h"

/*
 * The open session of `owner`, with a reference more; else NULL, and one that
 * is over comes out in *ret_closed.  *ret_ask: it was restored and nobody has
 * asked for its key.
 */
static struct session *find_open(struct session_table *t,
                                 struct session_stripe *p, struct str owner,
                                 int64_t now_ms, struct session **ret_closed,
                                 bool *ret_ask)
{
    struct session *s = map_get(&p->sessions, owner);
    if (s == NULL)
        return NULL;
    if (session_table_is_over(s, now_ms)) {
        session_table_take(t, p, s);
        *ret_closed = s;
        return NULL;
    }
    s->used_ms = now_ms;
    list_remove(&s->by_use);
    list_push(&p->by_use, &s->by_use);
    if (list_empty(&s->unstored)) {
        s->unstored_ms = now_ms;
        list_push(&p->used, &s->unstored);
    }
    *ret_ask = !atomic_load(&s->asked) && !atomic_exchange(&s->asked, true);
    return session_ref(s);
}

/* Puts a new session in, unless another thread was faster; *ret is the one
 * that is open now, with a reference more. */
static enum err open_new(struct session_table *t, struct session *fresh,
                         int64_t now_ms, struct session **ret, bool *ret_ask)
{
    const struct str owner = {fresh->owner, fresh->owner_len};
    struct session_stripe *p = session_table_stripe(t, owner);
    struct session *closed = NULL;
    enum err e = ERR_OK;

    session_table_lock(&p->lock);
    struct session *s = find_open(t, p, owner, now_ms, &closed, ret_ask);
    if (s == NULL)
        e = session_table_put(t, p, fresh);
    if (s == NULL && e == ERR_OK) {
        list_push(&p->fresh, &fresh->unstored);
        atomic_store(&fresh->asked, true);
        *ret_ask = true;
        s = session_ref(fresh);
    }
    session_table_unlock(&p->lock);
    session_unref(closed);
    if (e == ERR_OK)
        *ret = s;
    return e;
}

enum err session_find(struct session_table *t, const struct session_owner *who,
                      const struct session_limits *limits, int64_t now_ms,
                      struct session **ret, bool *ret_is_new)
{
    char key[SESSION_OWNER_MAX] UNINITIALIZED;
    struct session *closed = NULL;
    struct session *s = NULL;
    struct str owner = session_table_join(who, key);
    if (owner.len == 0)
        return ERR_LIMIT;
    struct session_stripe *p = session_table_stripe(t, owner);

    session_table_lock(&p->lock);
    s = find_open(t, p, owner, now_ms, &closed, ret_is_new);
    session_table_unlock(&p->lock);
    session_unref(closed);
    if (s != NULL) {
        *ret = s;
        return ERR_OK;
    }

    struct session *fresh = session_handle_new(owner);
    if (fresh == NULL)
        return ERR_NO_MEMORY;
    fresh->limits = *limits;
    fresh->opened_ms = fresh->used_ms = now_ms;
    enum err e = open_new(t, fresh, now_ms, ret, ret_is_new);
    if (e != ERR_OK || *ret != fresh)
        session_unref(fresh); /* the table's reference, which it did not take */
    return e;
}
