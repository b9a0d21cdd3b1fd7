/*
 * approval_wait.c - those who wait for people.
 *
 * Whoever waits has a waiter on the heap, so that a wake-up that is on its way
 * to a loop never meets freed memory: cancelling cuts it from its owner, and it
 * goes when the wake-up has arrived.
 */
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "approval/approval_ticket.h"
#include "base/container.h"
#include "os/loop.h"

enum waiter_end {
    WAITER_OPEN = 0,
    WAITER_CANCELLED, /* the owner went; the wake-up frees */
    WAITER_STRANDED,  /* its loop takes no more posts; the owner frees */
};

struct approval_waiter {
    struct list node; /* of the ticket */
    bool queued;      /* on that list; under the table's lock */
    struct approvals *table;
    struct loop *loop;
    struct approval_wait *wait; /* NULL: cancelled; its own thread's only */
    enum approval_state state;
    _Atomic(enum waiter_end) end;
};

/* On the loop of the one who waits. */
static void on_arrival(void *arg)
{
    struct approval_waiter *a = arg;
    struct approval_wait *w = a->wait;
    enum approval_state state = a->state;

    free(a);
    if (w == NULL)
        return;
    w->waiter = NULL;
    w->done(w, state);
}

/* Sends the wake-up.  A loop that is closing takes none: then the owner, who
 * must cancel, frees the waiter; or it is freed here, if that was first. */
static void wake(struct approval_waiter *a)
{
    if (loop_post(a->loop, on_arrival, a))
        return;
    if (atomic_exchange(&a->end, WAITER_STRANDED) == WAITER_CANCELLED)
        free(a);
}

void approval_wait_wake(struct approval_ticket *k)
{
    assert(k->row.state != APPROVAL_OPEN);
    LIST_EACH(it, next, &k->waiters)
    {
        struct approval_waiter *a =
            CONTAINER_OF(it, struct approval_waiter, node);
        list_remove(&a->node);
        a->queued = false;
        a->state = k->row.state;
        wake(a);
    }
}

enum err approvals_await(struct approvals *t,
                         const unsigned char id[APPROVAL_ID_LEN],
                         struct loop *l, struct approval_wait *w)
{
    assert(w->waiter == NULL);
    struct approval_waiter *a = calloc(1, sizeof(*a));
    if (a == NULL)
        return ERR_NO_MEMORY;
    list_init(&a->node);
    a->table = t;
    a->loop = l;
    a->wait = w;
    w->waiter = a;

    approval_ticket_lock(t);
    struct approval_ticket *k = approval_ticket_find(t, id);
    a->state = k == NULL ? APPROVAL_NONE : k->row.state;
    a->queued = a->state == APPROVAL_OPEN;
    bool queued = a->queued;
    if (queued)
        list_push(&k->waiters, &a->node);
    approval_ticket_unlock(t);
    if (!queued)
        wake(a);
    return ERR_OK;
}

void approval_wait_cancel(struct approval_wait *w)
{
    struct approval_waiter *a = w->waiter;
    if (a == NULL)
        return;
    w->waiter = NULL;
    a->wait = NULL;

    approval_ticket_lock(a->table);
    bool queued = a->queued;
    if (queued)
        list_remove(&a->node);
    approval_ticket_unlock(a->table);
    if (queued || atomic_exchange(&a->end, WAITER_CANCELLED) == WAITER_STRANDED)
        free(a);
}
