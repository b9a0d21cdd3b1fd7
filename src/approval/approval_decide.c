/* approval_decide.c - a person's word about a ticket. */
#include "approval/approval_ticket.h"
#include "base/buf.h"

/* "Agent acme/x": what follows the kind is the entity id. */
static bool is_link(const struct approval_ticket *k, struct str who)
{
    for (unsigned i = 0; i < k->row.chain_count; i++) {
        struct str link = k->chain[i];
        if (str_eq(str_skip(link, str_find(link, ' ') + 1), who))
            return true;
    }
    return false;
}

static bool is_member(const struct approval_word *w, struct str group)
{
    for (size_t i = 0; i < w->group_count; i++) {
        if (str_eq(w->groups[i], group))
            return true;
    }
    return false;
}

/* A yes has to be missing; a no may also take back a yes. */
static bool counts_for(const struct approval_ticket *k,
                       const struct approval_word *w, unsigned need)
{
    return is_member(w, k->needs[need].group) &&
           (!w->yes || k->by[need].len == 0);
}

static enum err check(struct approvals *t, const struct approval_word *w,
                      struct approval_ticket **ret)
{
    struct approval_ticket *k = approval_ticket_find(t, w->id);
    bool counts = false;

    if (k == NULL)
        return ERR_NOT_FOUND;
    approval_ticket_expire(t, k, w->now_us);
    if (k->row.state != APPROVAL_OPEN)
        return ERR_CONFLICT;
    if (w->who.len == 0 || is_link(k, w->who))
        return ERR_DENIED;
    for (unsigned i = 0; i < k->row.need_count; i++)
        counts = counts || counts_for(k, w, i);
    if (!counts)
        return ERR_DENIED;
    *ret = k;
    return ERR_OK;
}

static enum err say_yes(struct approvals *t, struct approval_ticket *k,
                        const struct approval_word *w)
{
    bool all = true;
    struct str who;

    if (!arena_copy(&k->arena, w->who, &who))
        return ERR_NO_MEMORY;
    for (unsigned i = 0; i < k->row.need_count; i++) {
        if (counts_for(k, w, i))
            k->by[i] = who;
        all = all && k->by[i].len > 0;
    }
    if (!all)
        return ERR_OK;
    k->at_us = w->now_us;
    k->row.state = APPROVAL_GRANTED;
    k->row.ends_us = w->now_us + k->used_us;
    t->counts.granted++;
    approval_wait_wake(k);
    return ERR_OK;
}

static enum err say_no(struct approvals *t, struct approval_ticket *k,
                       const struct approval_word *w)
{
    /* A no counts even where there is no memory for why. */
    if (!arena_copy(&k->arena, str_first(w->reason, APPROVAL_PART_MAX),
                    &k->row.reason))
        k->row.reason = (struct str){NULL, 0};
    approval_ticket_end(t, k, APPROVAL_DENIED, w->now_us);
    return ERR_OK;
}

enum err approvals_may_decide(struct approvals *t,
                              const struct approval_word *w)
{
    struct approval_ticket *k;

    approval_ticket_lock(t);
    enum err e = check(t, w, &k);
    approval_ticket_unlock(t);
    return e;
}

enum err approvals_decide(struct approvals *t, const struct approval_word *w,
                          enum approval_state *ret_state)
{
    struct approval_ticket *k;

    approval_ticket_lock(t);
    enum err e = check(t, w, &k);
    if (e == ERR_OK)
        e = w->yes ? say_yes(t, k, w) : say_no(t, k, w);
    if (e == ERR_OK)
        *ret_state = k->row.state;
    approval_ticket_unlock(t);
    return e;
}
