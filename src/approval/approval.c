/*
 * approval.c - the table: asking, and using a yes.
 *
 * What is slow (memory, random bytes) happens outside the lock.
 */
#include "approval/approval.h"

#include <assert.h>
#include <stdlib.h>

#include "approval/approval_ticket.h"
#include "base/container.h"

struct str approval_state_name(enum approval_state s)
{
    switch (s) {
    case APPROVAL_NONE:
        return STR("");
    case APPROVAL_OPEN:
        return STR("open");
    case APPROVAL_GRANTED:
        return STR("granted");
    case APPROVAL_TAKEN:
        return STR("taken");
    case APPROVAL_USED:
        return STR("used");
    case APPROVAL_DENIED:
        return STR("denied");
    case APPROVAL_EXPIRED:
        return STR("expired");
    }
    return STR("");
}

enum err approvals_new(struct approvals **ret)
{
    enum { ALL_MAX = 4 * APPROVALS_MAX }; /* and those that are kept */

    struct approvals *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return ERR_NO_MEMORY;
    if (pthread_mutex_init(&t->lock, NULL) != 0) {
        free(t);
        return ERR_NO_MEMORY;
    }
    map_init(&t->by_id, hash_random_seed(), ALL_MAX);
    map_init(&t->by_digest, hash_random_seed(), ALL_MAX);
    map_init(&t->holders, hash_random_seed(),
             (size_t)APPROVALS_MAX * CHAIN_LINKS_MAX);
    list_init(&t->live);
    list_init(&t->over);
    *ret = t;
    return ERR_OK;
}

void approvals_free(struct approvals *t)
{
    if (t == NULL)
        return;
    list_move(&t->over, &t->live);
    LIST_EACH(it, next, &t->over)
    {
        struct approval_ticket *k =
            CONTAINER_OF(it, struct approval_ticket, node);
        approval_ticket_take(t, k);
        approval_ticket_free(k);
    }
    map_release(&t->by_id);
    map_release(&t->by_digest);
    map_release(&t->holders);
    (void)pthread_mutex_destroy(&t->lock);
    free(t);
}

/* ---- asking ---- */

/* The latest of that digest, if that is not over. */
static struct approval_ticket *
find_live(struct approvals *t, const struct hash *digest, int64_t now_us)
{
    struct approval_ticket *k =
        map_get(&t->by_digest,
                (struct str){(const char *)digest->bytes, HASH_LEN});

    if (k != NULL)
        approval_ticket_expire(t, k, now_us);
    return k != NULL && approval_ticket_is_live(k) ? k : NULL;
}

static bool has_need(const struct approval_ticket *k,
                     const struct decision_approval *need)
{
    for (unsigned i = 0; i < k->row.need_count; i++) {
        if (str_eq(k->needs[i].policy, need->policy) &&
            str_eq(k->needs[i].group, need->group))
            return true;
    }
    return false;
}

static bool covers(const struct approval_ticket *k,
                   const struct approval_ask *ask)
{
    for (unsigned i = 0; i < ask->need_count; i++) {
        if (!has_need(k, &ask->needs[i]))
            return false;
    }
    return true;
}

/* The one to join.  One that lifts too little can never help: it ends, lest
 * whoever asks goes round in circles between it and the policies. */
static struct approval_ticket *find_fitting(struct approvals *t,
                                            const struct approval_ask *ask)
{
    struct approval_ticket *k = find_live(t, &ask->digest, ask->now_us);

    if (k == NULL || k->row.state == APPROVAL_TAKEN || covers(k, ask))
        return k;
    approval_ticket_end(t, k, APPROVAL_EXPIRED, ask->now_us);
    return NULL;
}

static void tell(const struct approval_ticket *k, unsigned char *ret_id,
                 enum approval_state *ret_state)
{
    memcpy(ret_id, k->row.id, APPROVAL_ID_LEN);
    *ret_state = k->row.state;
}

enum err approvals_ask(struct approvals *t, const struct approval_ask *ask,
                       unsigned char ret_id[APPROVAL_ID_LEN],
                       enum approval_state *ret_state, bool *ret_is_new)
{
    struct approval_ticket *fresh;

    approval_ticket_lock(t);
    struct approval_ticket *k = find_fitting(t, ask);
    if (k != NULL)
        tell(k, ret_id, ret_state);
    approval_ticket_unlock(t);
    *ret_is_new = k == NULL;
    if (k != NULL)
        return ERR_OK;

    enum err e = approval_ticket_new(ask, &fresh);
    if (e != ERR_OK)
        return e;
    approval_ticket_lock(t);
    k = find_fitting(t, ask); /* another thread may have been faster */
    *ret_is_new = k == NULL;
    if (k == NULL)
        e = approval_ticket_put(t, fresh);
    if (e == ERR_OK)
        tell(k == NULL ? fresh : k, ret_id, ret_state);
    approval_ticket_unlock(t);
    if (k != NULL || e != ERR_OK)
        approval_ticket_free(fresh);
    return e;
}

/* ---- using ---- */

static bool add_once(struct arena *a, struct approval_grant *g, struct str who)
{
    for (unsigned i = 0; i < g->by_count; i++) {
        if (str_eq(g->by[i], who))
            return true;
    }
    return arena_copy(a, who, &g->by[g->by_count++]);
}

static enum err fill(struct arena *a, const struct approval_ticket *k,
                     struct approval_grant *ret)
{
    struct approval_grant g = {.at_us = k->at_us};
    bool ok = true;

    memcpy(g.id, k->row.id, sizeof(g.id));
    for (unsigned i = 0; ok && i < k->row.need_count; i++)
        ok = arena_copy(a, k->needs[i].group, &g.groups[i]) &&
             arena_copy(a, k->needs[i].policy, &g.policies[i]) &&
             add_once(a, &g, k->by[i]);
    g.policy_count = k->row.need_count;
    if (ok)
        *ret = g;
    return ok ? ERR_OK : ERR_NO_MEMORY;
}

enum err approvals_look(struct approvals *t, struct arena *a,
                        const struct hash *digest, int64_t now_us,
                        struct approval_grant *ret)
{
    const struct str key = {(const char *)digest->bytes, HASH_LEN};
    enum err e = ERR_NOT_FOUND;

    approval_ticket_lock(t);
    struct approval_ticket *k = map_get(&t->by_digest, key);
    if (k != NULL)
        approval_ticket_expire(t, k, now_us);
    if (k != NULL && k->row.state == APPROVAL_GRANTED)
        e = fill(a, k, ret);
    else if (k != NULL && approval_ticket_is_live(k))
        e = ERR_APPROVAL_PENDING;
    else if (k != NULL && k->row.state == APPROVAL_DENIED)
        e = ERR_DENIED;
    approval_ticket_unlock(t);
    return e;
}

enum err approvals_take(struct approvals *t,
                        const unsigned char id[APPROVAL_ID_LEN],
                        const struct hash *digest, int64_t now_us)
{
    enum err e = ERR_CONFLICT;

    approval_ticket_lock(t);
    struct approval_ticket *k = approval_ticket_find(t, id);
    if (k != NULL)
        approval_ticket_expire(t, k, now_us);
    if (k != NULL && k->row.state == APPROVAL_GRANTED &&
        memcmp(&k->row.digest, digest, sizeof(*digest)) == 0) {
        k->row.state = APPROVAL_TAKEN;
        e = ERR_OK;
    }
    approval_ticket_unlock(t);
    return e;
}

void approvals_settle(struct approvals *t,
                      const unsigned char id[APPROVAL_ID_LEN], bool used)
{
    approval_ticket_lock(t);
    struct approval_ticket *k = approval_ticket_find(t, id);
    /* Only who took it settles it, once; taken tickets stay in the table. */
    assert(k != NULL && k->row.state == APPROVAL_TAKEN);
    if (used)
        approval_ticket_end(t, k, APPROVAL_USED, k->row.ends_us);
    else
        k->row.state = APPROVAL_GRANTED;
    approval_ticket_unlock(t);
}
