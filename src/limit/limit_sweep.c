/*
 * limit_sweep.c - forgets what would make no difference: an unused or ended
 * window, a full bucket.
 */
#include "limit/limit_table.h"

static bool is_idle(const struct limit_counter *k, int64_t now_us)
{
    const struct limit_window *w = &k->window;
    bool unused = w->used.requests == 0 && w->used.tokens == 0;

    if (k->pins > 0 || !limit_bucket_is_full(&k->bucket, now_us))
        return false;
    return unused || limit_window_end_us(w->start_us, w->window_us) <= now_us;
}

void limit_sweep(struct limit_counters *c, int64_t now_us)
{
    for (size_t i = 0; i < LIMIT_TABLE_STRIPES; i++) {
        struct limit_stripe *s = &c->stripes[i];
        limit_table_lock(s);
        LIST_EACH(it, next, &s->all)
        {
            struct limit_counter *k =
                CONTAINER_OF(it, struct limit_counter, node);
            if (is_idle(k, now_us))
                limit_table_drop(c, s, k);
        }
        limit_table_unlock(s);
    }
}
