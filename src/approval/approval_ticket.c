/* approval_ticket.c - one ticket, and its places in the table. */
#include "approval/approval_ticket.h"

#include <assert.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/container.h"

enum { LINK_MAX = 1024 };

/* More than all texts can be: what does not fit has no memory. */
#define TICKET_ARENA_MAX                                                       \
    ((size_t)4 * APPROVAL_TEXT_MAX + (size_t)64 * APPROVAL_PART_MAX)

/* These locks have no failure but misuse, which is ours. */
void approval_ticket_lock(struct approvals *t)
{
    int e = pthread_mutex_lock(&t->lock);
    assert(e == 0);
    (void)e;
}

void approval_ticket_unlock(struct approvals *t)
{
    int e = pthread_mutex_unlock(&t->lock);
    assert(e == 0);
    (void)e;
}

/* ---- one ticket ---- */

static bool are_short(const struct approval_ask *ask)
{
    const struct str parts[] = {ask->tenant, ask->action, ask->resource,
                                ask->purpose, ask->destination};
    bool ok = ask->arguments.len <= APPROVAL_TEXT_MAX;

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        ok = ok && parts[i].len <= APPROVAL_PART_MAX;
    for (unsigned i = 0; i < ask->need_count; i++)
        ok = ok && ask->needs[i].policy.len <= APPROVAL_PART_MAX &&
             ask->needs[i].group.len <= APPROVAL_PART_MAX;
    for (unsigned i = 0; i < ask->chain->count; i++)
        ok = ok && ask->chain->links[i].who.id.len <= LINK_MAX - 32;
    return ok;
}

static bool copy_link(struct arena *a, const struct principal *who,
                      struct str *ret)
{
    char room[LINK_MAX];
    struct buf text;

    buf_init_lent(&text, room, sizeof(room));
    buf_add(&text, principal_kind_entity(who->kind));
    buf_add_char(&text, ' ');
    buf_add(&text, who->id);
    assert(buf_ok(&text)); /* are_short() */
    return arena_copy(a, buf_str(&text), ret);
}

static bool copy_texts(struct approval_ticket *k,
                       const struct approval_ask *ask)
{
    struct approval_row *r = &k->row;
    struct arena *a = &k->arena;
    bool ok = arena_copy(a, ask->tenant, &r->tenant) &&
              arena_copy(a, ask->action, &r->action) &&
              arena_copy(a, ask->resource, &r->resource) &&
              arena_copy(a, ask->purpose, &r->purpose) &&
              arena_copy(a, ask->destination, &r->destination) &&
              arena_copy(a, ask->arguments, &r->arguments);

    for (unsigned i = 0; ok && i < ask->need_count; i++)
        ok = arena_copy(a, ask->needs[i].policy, &k->needs[i].policy) &&
             arena_copy(a, ask->needs[i].group, &k->needs[i].group);
    for (unsigned i = 0; ok && i < ask->chain->count; i++)
        ok = copy_link(a, &ask->chain->links[i].who, &k->chain[i]);
    return ok;
}

enum err approval_ticket_new(const struct approval_ask *ask,
                             struct approval_ticket **ret)
{
    assert(ask->need_count > 0 && ask->need_count <= DECISION_APPROVALS_MAX);
    if (!are_short(ask))
        return ERR_LIMIT;
    struct approval_ticket *k = calloc(1, sizeof(*k));
    if (k == NULL)
        return ERR_NO_MEMORY;
    list_init(&k->node);
    list_init(&k->waiters);
    arena_init(&k->arena, TICKET_ARENA_MAX);
    k->used_us = ask->used_ms * 1000;
    k->row = (struct approval_row){.state = APPROVAL_OPEN,
                                   .digest = ask->digest,
                                   .chain = k->chain,
                                   .chain_count = ask->chain->count,
                                   .needs = k->needs,
                                   .by = k->by,
                                   .need_count = ask->need_count,
                                   .asked_us = ask->now_us,
                                   .ends_us = ask->now_us + ask->ttl_ms * 1000};
    hash_random(k->row.id, sizeof(k->row.id));
    memcpy(k->row.decision, ask->decision, sizeof(k->row.decision));
    if (!copy_texts(k, ask)) {
        approval_ticket_free(k);
        return ERR_NO_MEMORY;
    }
    *ret = k;
    return ERR_OK;
}

void approval_ticket_free(struct approval_ticket *k)
{
    if (k == NULL)
        return;
    assert(list_empty(&k->waiters));
    arena_release(&k->arena);
    free(k);
}

bool approval_ticket_is_live(const struct approval_ticket *k)
{
    return k->row.state == APPROVAL_OPEN || k->row.state == APPROVAL_GRANTED ||
           k->row.state == APPROVAL_TAKEN;
}

/* ---- of how many a principal is a link ---- */

static void let_go(struct approvals *t, struct approval_ticket *k)
{
    for (unsigned i = 0; i < k->row.chain_count; i++) {
        struct approval_holder *h = k->holders[i];
        k->holders[i] = NULL;
        if (h == NULL || --h->count > 0)
            continue;
        (void)map_take(&t->holders, (struct str){h->id, h->len});
        free(h);
    }
}

static enum err hold_one(struct approvals *t, struct str id,
                         struct approval_holder **ret)
{
    struct approval_holder *h = map_get(&t->holders, id);

    if (h != NULL && h->count >= APPROVALS_PER_LINK_MAX)
        return ERR_LIMIT;
    if (h == NULL) {
        h = calloc(1, sizeof(*h) + id.len);
        if (h == NULL)
            return ERR_NO_MEMORY;
        memcpy(h->id, id.ptr, id.len);
        h->len = (unsigned)id.len;
        enum err e = map_set(&t->holders, (struct str){h->id, h->len}, h);
        if (e != ERR_OK) {
            free(h);
            return e;
        }
    }
    h->count++;
    *ret = h;
    return ERR_OK;
}

static bool is_repeated(const struct approval_ticket *k, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (str_eq(k->chain[i], k->chain[n]))
            return true;
    }
    return false;
}

static enum err hold(struct approvals *t, struct approval_ticket *k)
{
    enum err e = ERR_OK;

    for (unsigned i = 0; e == ERR_OK && i < k->row.chain_count; i++) {
        if (!is_repeated(k, i))
            e = hold_one(t, k->chain[i], &k->holders[i]);
    }
    if (e != ERR_OK)
        let_go(t, k);
    return e;
}

/* ---- its places in the table ---- */

static struct str id_of(const struct approval_ticket *k)
{
    return (struct str){(const char *)k->row.id, sizeof(k->row.id)};
}

static struct str digest_of(const struct approval_ticket *k)
{
    return (struct str){(const char *)k->row.digest.bytes, HASH_LEN};
}

struct approval_ticket *
approval_ticket_find(const struct approvals *t,
                     const unsigned char id[APPROVAL_ID_LEN])
{
    return map_get(&t->by_id, (struct str){(const char *)id, APPROVAL_ID_LEN});
}

/* As the latest of its digest.  The key is the latest one's own. */
static enum err put_digest(struct approvals *t, struct approval_ticket *k)
{
    struct approval_ticket *old = map_take(&t->by_digest, digest_of(k));
    enum err e = map_set(&t->by_digest, digest_of(k), k);

    if (e != ERR_OK && old != NULL)
        (void)!map_set(&t->by_digest, digest_of(old), old);
    return e;
}

enum err approval_ticket_put(struct approvals *t, struct approval_ticket *k)
{
    if (t->live_count >= APPROVALS_MAX)
        return ERR_LIMIT;
    enum err e = hold(t, k);
    if (e != ERR_OK)
        return e;
    e = map_set(&t->by_id, id_of(k), k);
    if (e == ERR_OK)
        e = put_digest(t, k);
    if (e != ERR_OK) {
        (void)map_take(&t->by_id, id_of(k));
        let_go(t, k);
        return e;
    }
    list_push(&t->live, &k->node);
    t->live_count++;
    t->counts.asked++;
    return ERR_OK;
}

void approval_ticket_end(struct approvals *t, struct approval_ticket *k,
                         enum approval_state how, int64_t now_us)
{
    assert(approval_ticket_is_live(k));
    k->unused = k->row.state == APPROVAL_GRANTED;
    k->untold = how == APPROVAL_EXPIRED;
    k->row.state = how;
    k->over_us = now_us;
    if (k->row.ends_us > now_us)
        k->row.ends_us = now_us;
    let_go(t, k);
    list_remove(&k->node);
    t->live_count--;
    list_push(&t->over, &k->node);
    t->over_count++;
    t->counts.denied += how == APPROVAL_DENIED;
    t->counts.expired += how == APPROVAL_EXPIRED;
    t->counts.used += how == APPROVAL_USED;
    approval_wait_wake(k);
}

void approval_ticket_expire(struct approvals *t, struct approval_ticket *k,
                            int64_t now_us)
{
    bool waits =
        k->row.state == APPROVAL_OPEN || k->row.state == APPROVAL_GRANTED;

    if (waits && now_us >= k->row.ends_us)
        approval_ticket_end(t, k, APPROVAL_EXPIRED, k->row.ends_us);
}

void approval_ticket_take(struct approvals *t, struct approval_ticket *k)
{
    bool live = approval_ticket_is_live(k);

    if (map_get(&t->by_digest, digest_of(k)) == k)
        (void)map_take(&t->by_digest, digest_of(k));
    (void)map_take(&t->by_id, id_of(k));
    let_go(t, k);
    list_remove(&k->node);
    t->live_count -= live;
    t->over_count -= !live;
}
