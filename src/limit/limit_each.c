/*
 * limit_each.c - walks over all budgets without keeping anybody waiting.
 *
 * A few counters at a time are pinned and copied under the lock of their
 * stripe; the caller sees them without it.  The last one is where the walk
 * goes on: it stays, and new counters come at the end.
 */
#include "limit/limit_rules.h"
#include "limit/limit_table.h"

enum { BATCH = 32 };

struct walk {
    const struct limit_rules *rules;
    int64_t now_us;
    bool checkpoint;
    uint64_t generation; /* of the checkpoint */
    struct limit_counter *counters[BATCH];
    struct limit_row rows[BATCH];
    size_t count;
};

static uint64_t at_most(uint64_t n)
{
    return n < LIMIT_AMOUNT_MAX ? n : LIMIT_AMOUNT_MAX;
}

/* False: nothing to be told of this counter. */
static bool fill(const struct walk *w, const struct limit_counter *k,
                 struct limit_row *row)
{
    const struct limit_window *win = &k->window;
    struct limit_amounts used = win->used;

    if (win->window_us == 0 ||
        limit_window_end_us(win->start_us, win->window_us) <= w->now_us)
        return false;
    if (w->checkpoint)
        used = limit_window_before(win, w->generation);
    if (w->checkpoint && used.requests == 0 && used.tokens == 0)
        return false;
    *row = (struct limit_row){
        .limit = limit_table_name(k),
        .whom = limit_table_whom(k),
        .window_start_us = win->start_us,
        .window_us = win->window_us,
        .used_requests = at_most(used.requests),
        .used_tokens = at_most(used.tokens),
    };
    if (w->checkpoint)
        return true;
    row->reserved_requests = win->reserved.requests;
    row->reserved_tokens = win->reserved.tokens;
    const struct limit_rule *rule = limit_rules_find(w->rules, row->limit);
    if (rule != NULL) {
        row->limit_requests = rule->budget_requests;
        row->limit_tokens = rule->budget_tokens;
    }
    return true;
}

/* With the lock held: the next ones behind `at`.  False: there are none. */
static bool next_batch(struct walk *w, struct limit_stripe *s,
                       const struct list *at)
{
    w->count = 0;
    for (struct list *it = at->next; it != &s->all && w->count < BATCH;
         it = it->next) {
        struct limit_counter *k = CONTAINER_OF(it, struct limit_counter, node);
        if (!fill(w, k, &w->rows[w->count]))
            continue;
        k->pins++;
        w->counters[w->count++] = k;
    }
    return w->count > 0;
}

static void walk_stripe(struct walk *w, struct limit_stripe *s,
                        void (*each)(void *user, const struct limit_row *row),
                        void *user)
{
    const struct list *at = &s->all;

    limit_table_lock(s);
    while (next_batch(w, s, at)) {
        limit_table_unlock(s);
        for (size_t i = 0; i < w->count; i++)
            each(user, &w->rows[i]);
        limit_table_lock(s);
        for (size_t i = 0; i < w->count; i++)
            w->counters[i]->pins--;
        at = &w->counters[w->count - 1]->node;
    }
    limit_table_unlock(s);
}

void limit_each(struct limit_counters *c, const struct limit_rules *rules,
                int64_t now_us,
                void (*each)(void *user, const struct limit_row *row),
                void *user)
{
    struct walk w = {.rules = rules, .now_us = now_us};

    for (size_t i = 0; i < LIMIT_TABLE_STRIPES; i++)
        walk_stripe(&w, &c->stripes[i], each, user);
}

void limit_each_checkpoint(struct limit_counters *c, int64_t now_us,
                           void (*each)(void *user,
                                        const struct limit_row *row),
                           void *user)
{
    struct walk w = {.now_us = now_us,
                     .checkpoint = true,
                     .generation = atomic_load(&c->generation)};

    for (size_t i = 0; i < LIMIT_TABLE_STRIPES; i++)
        walk_stripe(&w, &c->stripes[i], each, user);
}
