/* approval_each.c - what goes over the whole table: lists, the sweep, figures.
 */
#include "approval/approval_ticket.h"
#include "base/container.h"

/* What a sweep tells at a time, outside of the lock. */
enum { TOLD_MAX = 64 };

static struct approval_ticket *of(struct list *it)
{
    return CONTAINER_OF(it, struct approval_ticket, node);
}

static void expire_all(struct approvals *t, int64_t now_us)
{
    LIST_EACH(it, next, &t->live)
    approval_ticket_expire(t, of(it), now_us);
}

void approvals_each(struct approvals *t, int64_t now_us,
                    void (*each)(void *user, const struct approval_row *row),
                    void *user)
{
    approval_ticket_lock(t);
    expire_all(t, now_us);
    LIST_EACH(it, next, &t->over)
    each(user, &of(it)->row);
    LIST_EACH(it, next, &t->live)
    each(user, &of(it)->row);
    approval_ticket_unlock(t);
}

/* Those that nobody was told about, at most TOLD_MAX. */
static size_t take_untold(struct approvals *t, struct approval_ticket **at)
{
    size_t n = 0;

    LIST_EACH(it, next, &t->over)
    {
        if (n == TOLD_MAX)
            break;
        if (of(it)->untold)
            at[n++] = of(it);
    }
    for (size_t i = 0; i < n; i++)
        at[i]->untold = false;
    return n;
}

static void forget(struct approvals *t, int64_t now_us)
{
    const int64_t before_us = now_us - (int64_t)APPROVALS_KEPT_MS * 1000;

    LIST_EACH(it, next, &t->over)
    {
        struct approval_ticket *k = of(it);
        if (k->untold ||
            (t->over_count <= APPROVALS_KEPT_MAX && k->over_us > before_us))
            continue;
        approval_ticket_take(t, k);
        approval_ticket_free(k);
    }
}

void approvals_sweep(struct approvals *t, int64_t now_us,
                     const struct approvals_expired *to)
{
    struct approval_ticket *told[TOLD_MAX];
    size_t n;

    do {
        approval_ticket_lock(t);
        expire_all(t, now_us);
        n = take_untold(t, told);
        approval_ticket_unlock(t);
        /* What is over does not change, and only a sweep frees it. */
        for (size_t i = 0; i < n; i++)
            to->each(to->user, &told[i]->row, told[i]->unused);
    } while (n == TOLD_MAX);
    approval_ticket_lock(t);
    forget(t, now_us);
    approval_ticket_unlock(t);
}

struct approvals_counts approvals_counts_of(struct approvals *t)
{
    approval_ticket_lock(t);
    struct approvals_counts counts = t->counts;
    LIST_EACH(it, next, &t->live)
    counts.open += of(it)->row.state == APPROVAL_OPEN;
    approval_ticket_unlock(t);
    return counts;
}
