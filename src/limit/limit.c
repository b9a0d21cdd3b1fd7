/*
 * limit.c - takes from all limits that apply, or from none.
 *
 * All stripes that an action touches are locked together, in the order of
 * their places, so that looking and taking are one step and no two threads
 * wait for each other.  Nothing in between waits or calls out.
 */
#include "limit/limit.h"

#include <assert.h>

#include "limit/limit_rules.h"
#include "limit/limit_table.h"

enum {
    US_PER_MS = 1000,
    SLOT_RETRY_MS = 1000, /* nobody knows when an action will end */
};

/* One counter under its lock. */
struct grip {
    const struct limit_rule *rule;
    struct limit_counter *counter;
    struct str key;
    uint64_t hash;
    struct limit_stripe *stripe;
};

/* All that one action touches, by stripe. */
struct grips {
    struct grip at[LIMIT_HOLDS_MAX];
    size_t count;
};

static void sort_in(struct grips *g, struct grip grip)
{
    size_t i = g->count++;

    for (; i > 0 && g->at[i - 1].stripe > grip.stripe; i--)
        g->at[i] = g->at[i - 1];
    g->at[i] = grip;
}

static void unlock(const struct grips *g)
{
    for (size_t i = 0; i < g->count; i++) {
        if (i == 0 || g->at[i].stripe != g->at[i - 1].stripe)
            limit_table_unlock(g->at[i].stripe);
    }
}

/* On an error nothing stays locked. */
static enum err lock(struct limit_counters *c, const struct limit_parts *parts,
                     struct grips *g)
{
    enum err e = ERR_OK;

    g->count = 0;
    for (size_t i = 0; i < parts->count; i++) {
        const struct limit_part *part = &parts->at[i];
        uint64_t hash = siphash(c->seed, part->key);
        sort_in(g, (struct grip){.rule = part->rule,
                                 .key = part->key,
                                 .hash = hash,
                                 .stripe = limit_table_stripe(c, hash)});
    }
    for (size_t i = 0; i < g->count; i++) {
        if (i == 0 || g->at[i].stripe != g->at[i - 1].stripe)
            limit_table_lock(g->at[i].stripe);
    }
    for (size_t i = 0; e == ERR_OK && i < g->count; i++) {
        struct grip *grip = &g->at[i];
        e = limit_table_get(c, grip->stripe, grip->hash, grip->key,
                            grip->rule->name.len, &grip->counter);
    }
    if (e != ERR_OK)
        unlock(g);
    return e;
}

/* ---- is there room? ---- */

static int64_t ms_up(int64_t us)
{
    return us / US_PER_MS + (us % US_PER_MS > 0 ? 1 : 0);
}

static void refuse(struct limit_answer *ret, enum err *ret_err, enum err e,
                   const struct limit_rule *rule, int64_t retry_ms)
{
    if (*ret_err != ERR_OK && retry_ms <= ret->retry_ms)
        return; /* what is refused longest says when to ask again */
    *ret_err = e;
    ret->refused_by = rule->name;
    ret->retry_ms = retry_ms;
}

static bool fits(uint64_t taken, uint64_t more, uint64_t limit)
{
    return limit == 0 || (more <= limit && taken <= limit - more);
}

static bool has_budget(const struct limit_rule *rule)
{
    return rule->budget_requests > 0 || rule->budget_tokens > 0;
}

static int64_t window_left_ms(const struct limit_window *w, int64_t now_us)
{
    return ms_up(limit_window_end_us(w->start_us, w->window_us) - now_us);
}

/* Brings the counter to `now` and looks. */
static void look(const struct grip *g, uint64_t tokens, int64_t now_us,
                 struct limit_answer *ret, enum err *ret_err)
{
    const struct limit_rule *rule = g->rule;
    struct limit_counter *k = g->counter;

    if (rule->rate_requests > 0) {
        limit_bucket_refill(&k->bucket, rule->rate_requests,
                            (uint64_t)rule->rate_window_us, now_us);
        if (k->bucket.level == 0)
            refuse(ret, ret_err, ERR_RATE, rule,
                   ms_up(limit_bucket_wait_us(&k->bucket)));
    }
    if (rule->concurrency > 0 && k->active >= rule->concurrency)
        refuse(ret, ret_err, ERR_RATE, rule, SLOT_RETRY_MS);
    if (!has_budget(rule))
        return;
    limit_window_turn(&k->window, rule->budget_window_us, now_us);
    struct limit_amounts taken = limit_window_taken(&k->window);
    if (!fits(taken.requests, 1, rule->budget_requests) ||
        !fits(taken.tokens, tokens, rule->budget_tokens))
        refuse(ret, ret_err, ERR_BUDGET, rule,
               window_left_ms(&k->window, now_us));
}

/* ---- taking ---- */

static void take(const struct grip *g, uint64_t tokens, struct limit_hold *hold)
{
    const struct limit_rule *rule = g->rule;
    struct limit_counter *k = g->counter;

    *hold = (struct limit_hold){.counter = k,
                                .budget = has_budget(rule),
                                .rate = rule->rate_requests > 0,
                                .slot = rule->concurrency > 0};
    k->pins++;
    if (hold->rate)
        limit_bucket_take(&k->bucket);
    if (hold->slot)
        k->active++;
    if (!hold->budget)
        return;
    hold->requests = 1;
    hold->tokens = tokens;
    hold->window_start_us = k->window.start_us;
    hold->window_us = k->window.window_us;
    hold->turn = k->window.turn;
    limit_window_reserve(&k->window, (struct limit_amounts){1, tokens});
}

static void take_all(struct limit_counters *c, const struct grips *g,
                     uint64_t tokens, struct limit_reservation *r)
{
    bool begun = false;

    r->count = (unsigned)g->count;
    r->generation = 0;
    for (size_t i = 0; i < g->count; i++) {
        take(&g->at[i], tokens, &r->holds[i]);
        if (!r->holds[i].budget || begun)
            continue;
        begun = true;
        r->generation = limit_table_begin(c, g->at[i].stripe);
    }
}

/* ---- what the caller is told ---- */

static void tighter(struct limit_state *s, const struct limit_state *other)
{
    if (!s->present || other->remaining < s->remaining)
        *s = *other;
}

static uint64_t rest(uint64_t limit, uint64_t taken)
{
    return limit > taken ? limit - taken : 0;
}

static void tell(const struct grip *g, int64_t now_us, struct limit_answer *ret)
{
    const struct limit_rule *rule = g->rule;
    const struct limit_counter *k = g->counter;
    struct limit_state s = {.present = true, .name = rule->name};

    if (rule->rate_requests > 0) {
        s.limit = rule->rate_requests;
        s.remaining = k->bucket.level;
        s.reset_ms = ms_up(limit_bucket_full_us(&k->bucket));
        tighter(&ret->requests, &s);
    }
    if (!has_budget(rule))
        return;
    struct limit_amounts taken = limit_window_taken(&k->window);
    s.reset_ms = window_left_ms(&k->window, now_us);
    if (rule->budget_requests > 0) {
        s.limit = rule->budget_requests;
        s.remaining = rest(s.limit, taken.requests);
        tighter(&ret->requests, &s);
    }
    if (rule->budget_tokens > 0) {
        s.tokens = true;
        s.limit = rule->budget_tokens;
        s.remaining = rest(s.limit, taken.tokens);
        tighter(&ret->tokens, &s);
    }
}

enum err limit_reserve(struct limit_counters *c,
                       const struct limit_rules *rules,
                       const struct limit_ask *ask,
                       struct limit_reservation *hold, struct limit_answer *ret)
{
    UNINITIALIZED struct limit_parts parts;
    UNINITIALIZED struct grips g;
    int64_t now_us = ask->now_us < 0 ? 0 : ask->now_us;
    uint64_t tokens =
        ask->tokens < LIMIT_AMOUNT_MAX ? ask->tokens : LIMIT_AMOUNT_MAX;

    assert(hold->count == 0);
    *ret = (struct limit_answer){0};
    enum err e = limit_rules_match(rules, ask, &parts);
    if (e != ERR_OK || parts.count == 0)
        return e;
    e = lock(c, &parts, &g);
    if (e != ERR_OK)
        return e;
    for (size_t i = 0; i < g.count; i++)
        look(&g.at[i], tokens, now_us, ret, &e);
    if (e == ERR_OK)
        take_all(c, &g, tokens, hold);
    for (size_t i = 0; i < g.count; i++)
        tell(&g.at[i], now_us, ret);
    unlock(&g);
    return e;
}

/* ---- settling ---- */

static void book(const struct limit_hold *h, bool sent, uint64_t tokens,
                 uint64_t generation)
{
    struct limit_counter *k = h->counter;
    struct limit_amounts used = {0};

    if (h->turn != k->window.turn)
        return; /* that window is over */
    if (sent) {
        used.requests = h->requests;
        used.tokens = tokens == LIMIT_TOKENS_RESERVED ? h->tokens : tokens;
    }
    if (used.tokens > LIMIT_AMOUNT_MAX)
        used.tokens = LIMIT_AMOUNT_MAX;
    limit_window_book(&k->window,
                      (struct limit_amounts){h->requests, h->tokens}, used,
                      generation);
}

static void let_go(const struct limit_hold *h, bool sent)
{
    struct limit_counter *k = h->counter;

    if (h->rate && !sent)
        limit_bucket_give(&k->bucket);
    if (h->slot)
        k->active--;
    k->pins--;
}

static unsigned first_budget(const struct limit_reservation *r)
{
    unsigned i = 0;
    while (i < r->count && !r->holds[i].budget)
        i++;
    return i;
}

void limit_settle(struct limit_counters *c, struct limit_reservation *hold,
                  bool sent, uint64_t tokens)
{
    unsigned first = first_budget(hold);

    /* Backwards: when it leaves where it began, all budgets are booked, and a
     * checkpoint that waits for it may look at them. */
    for (unsigned i = hold->count; i-- > 0;) {
        const struct limit_hold *h = &hold->holds[i];
        const struct limit_counter *k = h->counter;
        struct limit_stripe *s = limit_table_stripe(c, k->hash);
        limit_table_lock(s);
        if (h->budget)
            book(h, sent, tokens, hold->generation);
        if (i == first)
            limit_table_end(c, s, hold->generation);
        let_go(h, sent);
        limit_table_unlock(s);
    }
    hold->count = 0;
}

size_t limit_notes(const struct limit_reservation *hold, struct limit_note *to,
                   size_t max)
{
    size_t n = 0;

    for (unsigned i = 0; i < hold->count && n < max; i++) {
        const struct limit_hold *h = &hold->holds[i];
        if (!h->budget)
            continue;
        to[n++] = (struct limit_note){
            .limit = limit_table_name(h->counter),
            .whom = limit_table_whom(h->counter),
            .window_start_us = h->window_start_us,
            .window_us = h->window_us,
            .requests = h->requests,
            .tokens = h->tokens,
            .generation = hold->generation,
        };
    }
    return n;
}
