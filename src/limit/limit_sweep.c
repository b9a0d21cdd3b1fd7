/*
 * limit_sweep.c - forgets what would make no difference: an unused or ended
 * window, a full bucket.
 *
 * A few counters at a time, so that nobody waits for a long list; the one at
 * which the sweep goes on is pinned meanwhile.
 */
#include "limit/limit_table.h"

enum { BATCH = 64 };

static bool is_idle(const struct limit_counter *k, int64_t now_us)
{
    const struct limit_window *w = &k->window;
    bool unused = w->used.requests == 0 && w->used.tokens == 0;

    if (k->pins > 0 || !limit_bucket_is_full(&k->bucket, now_us))
        return false;
    return unused || limit_window_end_us(w->start_us, w->window_us) <= now_us;
}

/* With the lock held: from `it` on.  Where to go on, pinned; NULL: through. */
static struct limit_counter *sweep_some(struct limit_counters *c,
                                        struct limit_stripe *s, struct list *it,
                                        int64_t now_us)
{
    for (unsigned n = 0; it != &s->all; n++) {
        struct limit_counter *k = CONTAINER_OF(it, struct limit_counter, node);
        it = it->next;
        if (n == BATCH) {
            k->pins++;
            return k;
        }
        if (is_idle(k, now_us))
            limit_table_drop(c, s, k);
    }
    return NULL;
}

static void sweep_stripe(struct limit_counters *c, struct limit_stripe *s,
                         int64_t now_us)
{
    limit_table_lock(s);
    struct limit_counter *at = sweep_some(c, s, s->all.next, now_us);
    while (at != NULL) {
        limit_table_unlock(s);
        limit_table_lock(s);
        at->pins--;
        at = sweep_some(c, s, &at->node, now_us);
    }
    limit_table_unlock(s);
}

void limit_sweep(struct limit_counters *c, int64_t now_us)
{
    for (size_t i = 0; i < LIMIT_TABLE_STRIPES; i++)
        sweep_stripe(c, &c->stripes[i], now_us);
}
