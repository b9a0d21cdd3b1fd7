/*
 * approval_ticket.h - the inside of the table and of one ticket; used by
 * approval/ only.
 */
#ifndef APPROVAL_APPROVAL_TICKET_H
#define APPROVAL_APPROVAL_TICKET_H

#include <pthread.h>

#include "approval/approval.h"
#include "base/arena.h"
#include "base/list.h"
#include "base/map.h"

/* How many tickets that are not over a principal is a link of. */
struct approval_holder {
    unsigned count, len;
    char id[]; /* "Agent acme/writer" */
};

struct approval_ticket {
    struct list node;        /* of `live` or `over` */
    struct list waiters;     /* empty unless it is open */
    struct arena arena;      /* all texts */
    struct approval_row row; /* by, chain, needs: the arrays below */
    struct str chain[CHAIN_LINKS_MAX];
    struct decision_approval needs[DECISION_APPROVALS_MAX];
    struct str by[DECISION_APPROVALS_MAX];
    struct approval_holder *holders[CHAIN_LINKS_MAX]; /* while not over */
    int64_t used_us; /* how long a yes waits to be used */
    int64_t at_us;   /* of the last yes */
    int64_t over_us; /* when it ended */
    bool unused;     /* it had been granted */
    bool untold;     /* it ended by itself, and nobody was told so far */
};

struct approvals {
    pthread_mutex_t lock; /* of everything below */
    struct map by_id;
    struct map by_digest; /* the latest of each digest */
    struct map holders;
    struct list live, over; /* the oldest first */
    size_t live_count, over_count;
    struct approvals_counts counts;
};

void approval_ticket_lock(struct approvals *t);
void approval_ticket_unlock(struct approvals *t);

/* A new open one, outside of the table.  ERR_LIMIT: a text is too long. */
MUST_CHECK enum err approval_ticket_new(const struct approval_ask *ask,
                                        struct approval_ticket **ret);
/* It is not in the table any more, or never was.  NULL is allowed. */
void approval_ticket_free(struct approval_ticket *k);

/* Under the lock, all that follow. */

/* ERR_LIMIT, ERR_NO_MEMORY: it is not in the table. */
MUST_CHECK enum err approval_ticket_put(struct approvals *t,
                                        struct approval_ticket *k);
/* It is over; stays in the table, to be looked at. */
void approval_ticket_end(struct approvals *t, struct approval_ticket *k,
                         enum approval_state how, int64_t now_us);
/* Ends it when its time is over, unless it is in use. */
void approval_ticket_expire(struct approvals *t, struct approval_ticket *k,
                            int64_t now_us);
/* Out of the table. */
void approval_ticket_take(struct approvals *t, struct approval_ticket *k);

struct approval_ticket *
approval_ticket_find(const struct approvals *t,
                     const unsigned char id[APPROVAL_ID_LEN]);
/* Open, granted or taken. */
bool approval_ticket_is_live(const struct approval_ticket *k);

/* approval_wait.c: it is not open any more; all who wait will be told. */
void approval_wait_wake(struct approval_ticket *k);

#endif
