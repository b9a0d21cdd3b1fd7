/*
 * gateway_limits.c - see gateway_limits.h.
 *
 * A checkpoint goes through three steps, one at a time:
 *
 *     ASKING    how long is the ledger?  What is asked before it begins is
 *               where a replay begins: nothing of the new generation stands
 *               before it
 *     OPEN      begun; what is older is still under way
 *     WRITING   batch after batch; the last one makes it count
 *
 * A step that fails is the end of this one; the next comes in its time.
 */
#include "app/gateway_limits.h"

#include <assert.h>
#include <stdlib.h>

#include "app/gateway_limits_rows.h"
#include "base/container.h"
#include "base/log.h"
#include "ledger/ledger_client.h"
#include "limit/limit.h"
#include "os/loop.h"
#include "os/timer.h"

enum {
    STORE_MS = 10000, /* for a batch */
    AGAIN_MS = 1000,  /* a page that did not come is asked for again */
    LOOKS = 20,       /* in the time between two checkpoints */
    NEXT_TURN_MS = 1,
    US_PER_MS = 1000,
    LEAP_MS = 60000,
    STEADY_MS = 3600000,
};

enum phase { WAITING = 0, READING, READ, KEEPING };
enum step { IDLE = 0, ASKING, OPEN, WRITING };

struct gateway_limits {
    struct gateway_limits_options options;
    enum phase phase;
    struct store *store;
    struct store_call *call; /* NULL: none is on its way */
    struct timer look;       /* the next look, or a page again */
    bool failing;            /* said so in the log */

    /* Loading. */
    void (*loaded)(void *user, enum err e, uint64_t generation,
                   uint64_t from_index);
    void *loaded_user;
    struct timer told;
    enum err err;
    bool found;                          /* there is a checkpoint: */
    struct table_budget_checkpoint last; /* what the store has */
    int64_t next;                        /* row of it that comes next */
    size_t page_rows;

    /* Keeping. */
    enum step step;
    bool owed; /* the ledger has a question that is not answered yet */
    int64_t due_ms;
    struct gateway_limits_clock clock;
    struct table_budget_checkpoint made;
    struct gateway_limits_rows rows;

    /* Stopping. */
    bool stopping, final;
    void (*stopped)(void *user);
    void *stopped_user;
    struct timer gone;
};

/* True when the store answered; says when that changes. */
static bool answered(struct gateway_limits *l, bool well, struct str why)
{
    if (!well && !l->failing)
        log_warn("limits.store", {"why", why});
    l->failing = !well;
    return well;
}

static bool run(struct gateway_limits *l, struct store_batch *b,
                const struct store_ask *ask)
{
    enum err e = store_run(l->store, l->options.loop, b, ask, &l->call);

    if (e != ERR_OK)
        l->call = NULL;
    return answered(l, e == ERR_OK, str_from(err_text(e)));
}

enum err gateway_limits_new(const struct gateway_limits_options *o,
                            struct gateway_limits **ret)
{
    struct gateway_limits *l = calloc(1, sizeof(*l));

    if (l == NULL)
        return ERR_NO_MEMORY;
    l->options = *o;
    *ret = l;
    return ERR_OK;
}

void gateway_limits_free(struct gateway_limits *l)
{
    if (l == NULL)
        return;
    store_call_cancel(l->call);
    timer_cancel(&l->look);
    timer_cancel(&l->told);
    timer_cancel(&l->gone);
    gateway_limits_rows_release(&l->rows);
    free(l);
}

/* ---- loading ---- */

static void on_told(struct timer *t)
{
    struct gateway_limits *l = CONTAINER_OF(t, struct gateway_limits, told);
    struct limit_counters *c = l->options.counters;

    if (l->phase == WAITING || (l->phase == READING && l->next == 0)) {
        /* All of the evidence is read then.  A generation that is behind the
         * one in the store would be left out of the next replay; those count
         * from 1, or from such a time. */
        int64_t now_ms = loop_wall_us(l->options.loop) / US_PER_MS;
        log_warn("limits.load", {"why", STR("the store does not answer")});
        limit_restore_generation(c, (uint64_t)now_ms);
        l->found = false;
        store_call_cancel(l->call);
        l->call = NULL;
        timer_cancel(&l->look);
    } else if (l->phase == READING) {
        return; /* half of it is here: the rest has to come */
    }
    l->phase = READ;
    if (!l->found)
        l->last = (struct table_budget_checkpoint){0};
    l->loaded(l->loaded_user, l->err, (uint64_t)l->last.generation,
              (uint64_t)l->last.from_index);
}

static void tell_loaded(struct gateway_limits *l, enum err e)
{
    l->phase = READ;
    l->err = e;
    timer_cancel(&l->look);
    timer_set(l->options.loop, &l->told, NEXT_TURN_MS, on_told);
}

static void read_page(struct gateway_limits *l);

static void on_again(struct timer *t)
{
    read_page(CONTAINER_OF(t, struct gateway_limits, look));
}

static void read_again(struct gateway_limits *l)
{
    timer_set(l->options.loop, &l->look, AGAIN_MS, on_again);
}

static void on_page_row(void *user, size_t statement,
                        const struct store_value *columns, size_t n)
{
    struct gateway_limits *l = user;
    struct table_budget row;

    (void)statement;
    l->page_rows++;
    if (l->err != ERR_OK)
        return;
    if (!table_budget_read(columns, n, &row) || row.used_requests < 0 ||
        row.used_tokens < 0) {
        l->err = ERR_CORRUPT;
        return;
    }
    const struct limit_row restored = {
        .limit = row.limit,
        .whom = row.whom,
        .window_start_us = row.window_start_us,
        .window_us = row.window_us,
        .used_requests = (uint64_t)row.used_requests,
        .used_tokens = (uint64_t)row.used_tokens,
    };
    l->err = limit_restore(l->options.counters, &restored);
}

static void on_page_done(void *user, const struct store_result *r)
{
    struct gateway_limits *l = user;

    l->call = NULL;
    if (!answered(l, r->outcome == STORE_DONE, r->why)) {
        read_again(l);
        return;
    }
    l->next += TABLE_BUDGET_PAGE;
    if (l->err != ERR_OK || l->page_rows < TABLE_BUDGET_PAGE) {
        limit_restore_generation(l->options.counters,
                                 (uint64_t)l->last.generation);
        tell_loaded(l, l->err);
        return;
    }
    read_page(l);
}

static void on_last_row(void *user, size_t statement,
                        const struct store_value *columns, size_t n)
{
    struct gateway_limits *l = user;

    (void)statement;
    l->found = true;
    if (!table_budget_last_read(columns, n, &l->last) ||
        l->last.generation < 0 || l->last.from_index < 0)
        l->err = ERR_CORRUPT;
}

static void on_last_done(void *user, const struct store_result *r)
{
    struct gateway_limits *l = user;

    l->call = NULL;
    if (!answered(l, r->outcome == STORE_DONE, r->why))
        read_again(l);
    else if (!l->found || l->err != ERR_OK)
        tell_loaded(l, l->err);
    else
        read_page(l);
}

/* First which checkpoint there is, then its rows. */
static void read_page(struct gateway_limits *l)
{
    struct store_ask ask = {.row = l->found ? on_page_row : on_last_row,
                            .done = l->found ? on_page_done : on_last_done,
                            .user = l,
                            .timeout_ms = STORE_MS};
    struct store_batch *b = NULL;

    l->page_rows = 0;
    enum err e = store_batch_new(&b);
    if (e == ERR_OK)
        e = l->found ? table_budget_page(b, l->options.node, l->last.generation,
                                         l->next)
                     : table_budget_last(b, l->options.node);
    if (e != ERR_OK) {
        store_batch_free(b);
        tell_loaded(l, e);
    } else if (!run(l, b, &ask)) {
        read_again(l);
    }
}

void gateway_limits_load(struct gateway_limits *l,
                         void (*loaded)(void *user, enum err e,
                                        uint64_t generation,
                                        uint64_t from_index),
                         void *user)
{
    assert(l->phase == WAITING && l->loaded == NULL);
    l->loaded = loaded;
    l->loaded_user = user;
    timer_set(l->options.loop, &l->told, GATEWAY_LIMITS_LOAD_MS, on_told);
}

void gateway_limits_opened(struct gateway_limits *l, struct store *store)
{
    assert(l->store == NULL && l->loaded != NULL);
    l->store = store;
    if (l->phase != WAITING)
        return; /* too late for what it has */
    if (store != NULL) {
        l->phase = READING;
        read_page(l);
    } else {
        timer_set(l->options.loop, &l->told, NEXT_TURN_MS, on_told);
    }
}

/* ---- keeping ---- */

static void ask_size(struct gateway_limits *l);
static void write_next(struct gateway_limits *l);

static void on_gone(struct timer *t)
{
    struct gateway_limits *l = CONTAINER_OF(t, struct gateway_limits, gone);
    void (*stopped)(void *user) = l->stopped;

    l->stopped = NULL;
    timer_cancel(&l->look);
    if (stopped != NULL)
        stopped(l->stopped_user);
}

/* This checkpoint is through, for good or bad. */
static void rest(struct gateway_limits *l)
{
    gateway_limits_rows_release(&l->rows);
    l->step = IDLE;
    l->due_ms = loop_now_ms(l->options.loop) + l->options.keep_ms;
    if (!l->stopping)
        return;
    if (l->final) {
        timer_set(l->options.loop, &l->gone, NEXT_TURN_MS, on_gone);
        return;
    }
    l->final = true;
    ask_size(l);
}

static void on_written(void *user, const struct store_result *r)
{
    struct gateway_limits *l = user;

    l->call = NULL;
    if (answered(l, r->outcome == STORE_DONE, r->why))
        write_next(l);
    else
        rest(l);
}

static void write_next(struct gateway_limits *l)
{
    const struct store_ask ask = {.done = on_written,
                                  .user = l,
                                  .timeout_ms = STORE_MS};
    struct store_batch *b = gateway_limits_rows_take(&l->rows);

    if (b == NULL) {
        l->last = l->made;
        rest(l);
    } else if (!run(l, b, &ask)) {
        rest(l);
    }
}

static void write_when_ready(struct gateway_limits *l)
{
    if (!limit_checkpoint_ready(l->options.counters)) {
        if (l->final)
            rest(l); /* something is still under way: not this time */
        return;
    }
    enum err e =
        gateway_limits_rows_make(l->options.counters, l->options.node, &l->made,
                                 loop_wall_us(l->options.loop), &l->rows);
    if (!answered(l, e == ERR_OK, str_from(err_text(e)))) {
        rest(l);
        return;
    }
    l->step = WRITING;
    write_next(l);
}

static void on_size(void *user, enum err e, const struct ledger_stats *s)
{
    struct gateway_limits *l = user;

    l->owed = false;
    if (l->step != ASKING)
        return;
    if (e != ERR_OK || (int64_t)s->entries == l->last.from_index) {
        rest(l); /* nobody did anything */
        return;
    }
    l->made = (struct table_budget_checkpoint){
        .generation = (int64_t)limit_checkpoint_begin(l->options.counters),
        .from_index = (int64_t)s->entries};
    l->step = OPEN;
    write_when_ready(l);
}

static void ask_size(struct gateway_limits *l)
{
    l->step = ASKING;
    if (l->owed)
        return; /* the answer to come will do: it is of later */
    if (l->store == NULL || !store_usable(l->store) ||
        ledger_client_stats(l->options.ledger, on_size, l) != ERR_OK)
        rest(l);
    else
        l->owed = true;
}

bool gateway_limits_is_steady(struct gateway_limits_clock *c, int64_t unix_ms,
                              int64_t now_ms)
{
    int64_t ahead_ms = unix_ms - now_ms;
    int64_t by_ms = ahead_ms - c->ahead_ms;

    c->ahead_ms = ahead_ms;
    if (by_ms > LEAP_MS || by_ms < -LEAP_MS)
        c->leapt_ms = now_ms;
    return now_ms - c->leapt_ms >= STEADY_MS;
}

static void sweep(struct gateway_limits *l)
{
    const struct loop *loop = l->options.loop;
    int64_t now_us = loop_wall_us(loop);

    if (gateway_limits_is_steady(&l->clock, now_us / US_PER_MS,
                                 loop_now_ms(loop)))
        limit_sweep(l->options.counters, now_us);
}

static void on_look(struct timer *t)
{
    struct gateway_limits *l = CONTAINER_OF(t, struct gateway_limits, look);
    struct loop *loop = l->options.loop;

    timer_set(loop, &l->look, l->options.keep_ms / LOOKS, on_look);
    if (l->step == OPEN) {
        write_when_ready(l);
    } else if (l->step == IDLE && loop_now_ms(loop) >= l->due_ms) {
        sweep(l);
        ask_size(l);
    }
}

void gateway_limits_keep(struct gateway_limits *l)
{
    struct loop *loop = l->options.loop;

    assert(l->phase == READ);
    l->phase = KEEPING;
    l->due_ms = loop_now_ms(loop);
    timer_set(loop, &l->look, l->options.keep_ms / LOOKS, on_look);
}

void gateway_limits_stop(struct gateway_limits *l, void (*stopped)(void *user),
                         void *user)
{
    l->stopping = true;
    l->stopped = stopped;
    l->stopped_user = user;
    timer_cancel(&l->told);
    timer_set(l->options.loop, &l->gone, GATEWAY_LIMITS_STOP_MS, on_gone);
    if (l->phase != KEEPING) { /* what was not replayed is not kept */
        l->final = true;
        timer_cancel(&l->look);
        store_call_cancel(l->call);
        l->call = NULL;
    }
    if (l->step == WRITING || l->step == ASKING)
        return; /* rest() goes on */
    rest(l);
}
