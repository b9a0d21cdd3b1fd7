/*
 * store_call.h - a batch on its way: from the caller's loop to the thread or
 * connection that applies it, and back.  For the inside of store/ only.
 *
 * A call is in the queue, with a backend, or on its way back.  Whoever takes
 * it out of the queue owns it: the backend's next step, or the caller's loop
 * when the deadline has come.  A call that the backend has is told "unknown"
 * at its deadline and freed when it comes back.
 */
#ifndef STORE_STORE_CALL_H
#define STORE_STORE_CALL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/list.h"
#include "os/timer.h"
#include "store/store.h"

struct store_statement {
    const struct store_sql *sql;
    const struct store_value *params;
};

struct store_batch {
    struct arena memory;
    unsigned count;
    unsigned claims; /* the first ones, which store_batch_once() added */
    struct store_statement statements[STORE_STATEMENTS_MAX];
};

/* The one of the claims that a constraint stops when it was applied before. */
enum { STORE_CLAIM_STATEMENT = 1 };

struct store_row {
    struct store_row *next;
    unsigned statement;
    unsigned count;
    struct store_value columns[];
};

/* Calls that no backend has begun, of all loops. */
struct store_queue {
    pthread_mutex_t lock;
    struct list calls;
    size_t bytes; /* of the batches in it */
    size_t count;
    struct list lost; /* came back to a loop that takes nothing */
};

struct store_call {
    struct list node;
    bool queued; /* both guarded by the queue's lock */
    struct store_queue *queue;
    struct store_batch *batch;
    int64_t deadline_ms; /* clock_monotonic_ms() terms */
    bool sent;           /* an earlier try may have applied it */
    unsigned tries;

    struct arena rows_memory;
    struct store_row *rows, **rows_end;
    enum store_outcome outcome;
    enum err err;
    char why[STORE_WHY_MAX];

    struct loop *loop; /* the rest belongs to the caller's loop */
    struct store_ask ask;
    struct timer timer;
    bool told;
};

void store_queue_init(struct store_queue *q);
/* Nothing waits any more; frees what was lost. */
void store_queue_release(struct store_queue *q);

/* ERR_OVERLOAD: STORE_CALLS_MAX or STORE_WAITING_MAX reached. */
MUST_CHECK enum err store_queue_push(struct store_queue *q,
                                     struct store_call *c);
/* Back in front, to be tried again. */
void store_queue_push_front(struct store_queue *q, struct store_call *c);
/* The oldest, or NULL. */
struct store_call *store_queue_pop(struct store_queue *q);
/* Takes the lock and waits for a call, or until `*stop`, which is guarded by
 * the lock, is set; then NULL. */
struct store_call *store_queue_wait(struct store_queue *q,
                                    pthread_cond_t *filled, const bool *stop);

/* Takes `c` out; false: a backend has it, or has had it. */
MUST_CHECK bool store_queue_take(struct store_queue *q, struct store_call *c);

/*
 * Makes a call of `b`, which it takes also on failure, and starts its
 * deadline.  ERR_NO_MEMORY.
 */
MUST_CHECK enum err store_call_new(struct store_queue *q, struct loop *l,
                                   struct store_batch *b,
                                   const struct store_ask *ask,
                                   struct store_call **ret);
/* One that was never queued. */
void store_call_free(struct store_call *c);

/* Forgets the rows of a try. */
void store_call_reset(struct store_call *c);

/*
 * A new row of `n` columns, linked at the end; the columns are to be filled.
 * NULL: over STORE_RESULT_MAX.
 */
MUST_CHECK struct store_row *store_call_row(struct store_call *c,
                                            unsigned statement, unsigned n);
/* A copy that lives as long as the rows; ptr NULL when over the limit. */
MUST_CHECK struct str store_call_copy(struct store_call *c, struct str bytes);

/* Sets the result; `why` is cut to fit. */
void store_call_end(struct store_call *c, enum store_outcome outcome,
                    enum err e, const char *why);

/* Sends it home with the result set; any thread; `c` is gone then. */
void store_call_return(struct store_call *c);

#endif
