/*
 * postgres_run.h - one batch on a PostgreSQL connection in pipeline mode:
 * everything is sent at once, from BEGIN to COMMIT, and the answers are read
 * as they come.  For the inside of store/ only.
 */
#ifndef STORE_POSTGRES_RUN_H
#define STORE_POSTGRES_RUN_H

#include "store/pq.h"
#include "store/store_call.h"

struct postgres_run {
    const struct pq *pq;
    PGconn *conn;
    struct store_call *call; /* NULL: nothing runs */
    bool sent_before;        /* call->sent as it was */
    bool rolling_back;
    unsigned at;     /* the answer awaited: see postgres_run.c */
    bool has_answer; /* the first part of it has come */
    bool committed;
    bool too_large; /* the rows do not fit */
    bool failed;    /* at `failed_at`, with `state` and call->why */
    unsigned failed_at;
    char state[6]; /* SQLSTATE */
};

enum postgres_step {
    POSTGRES_BROKEN = 0, /* the connection is of no use; the call is ours
                            still, see postgres_run_break() */
    POSTGRES_MORE,       /* wait for the socket */
    POSTGRES_ENDED,      /* the call has its result and is the caller's */
    POSTGRES_RETRY,      /* as above, but nothing was applied and it should
                            be tried again here */
    POSTGRES_MOVE,       /* the same, on another connection */
};

/* Sends `c`; false: the connection is broken, as above. */
MUST_CHECK bool postgres_run_send(struct postgres_run *r, struct store_call *c,
                                  int64_t left_ms);

/* Reads what has come, after PQconsumeInput(). */
MUST_CHECK enum postgres_step postgres_run_read(struct postgres_run *r);

/*
 * Takes the call out of a broken connection.  True: it may be tried again;
 * false: it has its result.
 */
MUST_CHECK bool postgres_run_break(struct postgres_run *r,
                                   struct store_call **ret);

#endif
