/* store_call.c - see store_call.h. */
#include "store/store_call.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/container.h"
#include "os/clock.h"
#include "os/loop.h"

/* The caller hears once, and not after it has gone. */
static void tell(struct store_call *c, enum store_outcome outcome, enum err e,
                 const char *why)
{
    if (c->told)
        return;
    c->told = true;
    timer_cancel(&c->timer);
    const struct store_result r = {outcome, e, str_from(why)};
    c->ask.done(c->ask.user, &r);
}

static void on_deadline(struct timer *t)
{
    struct store_call *c = CONTAINER_OF(t, struct store_call, timer);
    if (!store_queue_take(c->queue, c)) {
        tell(c, STORE_UNKNOWN, ERR_STORE, "the database has not answered yet");
        return; /* freed when it comes back */
    }
    if (c->sent)
        tell(c, STORE_UNKNOWN, ERR_STORE,
             "the connection broke and did not come back in time");
    else
        tell(c, STORE_FAILED, ERR_STORE, "the database cannot be reached");
    store_call_free(c);
}

enum err store_call_new(struct store_queue *q, struct loop *l,
                        struct store_batch *b, const struct store_ask *ask,
                        struct store_call **ret)
{
    assert(ask->timeout_ms > 0 && ask->done != NULL);
    struct store_call *c = calloc(1, sizeof(*c));
    if (c == NULL) {
        store_batch_free(b);
        return ERR_NO_MEMORY;
    }
    c->queue = q;
    c->batch = b;
    c->loop = l;
    c->ask = *ask;
    c->deadline_ms = clock_monotonic_ms() + ask->timeout_ms;
    list_init(&c->node);
    arena_init(&c->rows_memory, STORE_RESULT_MAX);
    c->rows_end = &c->rows;
    timer_set(l, &c->timer, ask->timeout_ms, on_deadline);
    *ret = c;
    return ERR_OK;
}

void store_call_free(struct store_call *c)
{
    timer_cancel(&c->timer);
    arena_release(&c->rows_memory);
    store_batch_free(c->batch);
    free(c);
}

void store_call_cancel(struct store_call *c)
{
    if (c == NULL)
        return;
    assert(!c->told);
    c->told = true;
    timer_cancel(&c->timer);
    if (store_queue_take(c->queue, c))
        store_call_free(c);
}

void store_call_reset(struct store_call *c)
{
    arena_release(&c->rows_memory);
    c->rows = NULL;
    c->rows_end = &c->rows;
}

struct store_row *store_call_row(struct store_call *c, unsigned statement,
                                 unsigned n)
{
    struct store_row *r =
        arena_alloc(&c->rows_memory, sizeof(*r) + n * sizeof(r->columns[0]));
    if (r == NULL)
        return NULL;
    r->statement = statement;
    r->count = n;
    *c->rows_end = r;
    c->rows_end = &r->next;
    return r;
}

struct str store_call_copy(struct store_call *c, struct str bytes)
{
    return (struct str){arena_strdup(&c->rows_memory, bytes), bytes.len};
}

void store_call_end(struct store_call *c, enum store_outcome outcome,
                    enum err e, const char *why)
{
    c->outcome = outcome;
    c->err = e;
    (void)snprintf(c->why, sizeof(c->why), "%s", why);
}

/* On the caller's loop.  A row may cancel the call. */
static void deliver(void *arg)
{
    struct store_call *c = arg;
    for (struct store_row *r = c->rows; r != NULL; r = r->next) {
        if (c->told || c->ask.row == NULL || c->outcome != STORE_DONE)
            break;
        c->ask.row(c->ask.user, r->statement - c->batch->claims, r->columns,
                   r->count);
    }
    tell(c, c->outcome, c->err, c->why);
    store_call_free(c);
}

void store_call_return(struct store_call *c)
{
    if (loop_post(c->loop, deliver, c))
        return;
    /* That loop is closing, or drowns; its timer may still hold the call. */
    struct store_queue *q = c->queue;
    (void)pthread_mutex_lock(&q->lock);
    list_push(&q->lost, &c->node);
    (void)pthread_mutex_unlock(&q->lock);
}
