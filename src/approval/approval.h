/*
 * approval.h - who else must agree?  Tickets: one action that waits for people.
 *
 * A ticket is bound to the digest of exactly one action (approval_digest.h):
 * whoever asks for the same joins it, whoever asks for anything else gets
 * another.  It needs one yes for each of its groups; one no ends it.  A yes is
 * good for one action, taken by compare-and-set before the intent is written
 * and given back when that fails; it ends unused after a while.  Time out,
 * restart, too many tickets: the answer is no.
 *
 * One table for all threads, under one lock held for a lookup.  Tickets live
 * in memory: a node that restarts has none, and asks anew.
 */
#ifndef APPROVAL_APPROVAL_H
#define APPROVAL_APPROVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "crypto/hash.h"
#include "domain/decision.h"
#include "domain/principal.h"

struct approvals;
struct loop;

enum {
    APPROVAL_ID_LEN = 16,
    APPROVALS_MAX = 10000,       /* open tickets */
    APPROVALS_PER_LINK_MAX = 16, /* open ones of one principal */
    APPROVAL_TEXT_MAX = 16384,   /* of what is shown of the arguments */
};

enum approval_state {
    APPROVAL_NONE = 0, /* there is no such ticket: no */
    APPROVAL_OPEN,     /* waits for people */
    APPROVAL_GRANTED,  /* all groups said yes; not used yet */
    APPROVAL_TAKEN,    /* an action uses it right now */
    APPROVAL_USED,     /* for good */
    APPROVAL_DENIED,
    APPROVAL_EXPIRED,
};
/* "open", "granted", ...; "" for none. */
struct str approval_state_name(enum approval_state s);

/* What somebody wants a yes for; all texts are copied. */
struct approval_ask {
    struct hash digest; /* of the action */
    struct str tenant;
    const struct chain *chain; /* whose members cannot say yes */
    const struct decision_approval *needs;
    unsigned need_count;
    /* For the person who decides; never cut silently. */
    struct str action, resource, purpose, destination;
    struct str arguments;       /* canonical JSON, or empty */
    unsigned char decision[16]; /* decision id of the action that asked first */
    int64_t now_us;             /* Unix time */
    int64_t ttl_ms, used_ms;    /* see the settings */
};

MUST_CHECK enum err approvals_new(struct approvals **ret);
void approvals_free(struct approvals *t); /* NULL is allowed */

/*
 * The ticket of that digest, or a new one; *ret_is_new tells which.  One that
 * was denied, used or has expired is not found by its digest any more.
 * ERR_LIMIT: too many are open, here or of a link.  ERR_NO_MEMORY.
 */
MUST_CHECK enum err approvals_ask(struct approvals *t,
                                  const struct approval_ask *ask,
                                  unsigned char ret_id[APPROVAL_ID_LEN],
                                  enum approval_state *ret_state,
                                  bool *ret_is_new);

/* A yes that is unused for this digest: takes it (GRANTED to TAKEN) and gives
 * which forbids it lifts and who said yes; borrowed until it is settled.
 * ERR_APPROVAL_PENDING: open.  ERR_DENIED: people said no.  ERR_NOT_FOUND. */
struct approval_grant {
    unsigned char id[APPROVAL_ID_LEN];
    struct str policies[DECISION_APPROVALS_MAX];
    unsigned policy_count;
    struct str by[DECISION_APPROVALS_MAX]; /* entity ids, one per group */
    unsigned by_count;
    int64_t at_us;
};

/* Looks without taking; the forbids of `ret` may be passed over in deciding. */
MUST_CHECK enum err approvals_look(struct approvals *t,
                                   const struct hash *digest, int64_t now_us,
                                   struct approval_grant *ret);
/* GRANTED to TAKEN, by exactly one action.  ERR_CONFLICT: not granted (any
 * more). */
MUST_CHECK enum err approvals_take(struct approvals *t,
                                   const unsigned char id[APPROVAL_ID_LEN],
                                   const struct hash *digest, int64_t now_us);
/* TAKEN to USED: the intent is durable; or back to GRANTED. */
void approvals_settle(struct approvals *t,
                      const unsigned char id[APPROVAL_ID_LEN], bool used);

/* A person's word.  `who` is an entity id ("local|alice"), `account` the name
 * that groups list.  `groups` are those it is a member of for this tenant.
 * ERR_NOT_FOUND.  ERR_CONFLICT: decided or expired.  ERR_DENIED: in none of
 * the groups that are still needed, or a link of the chain. */
struct approval_word {
    unsigned char id[APPROVAL_ID_LEN];
    struct str who, account;
    const struct str *groups;
    size_t group_count;
    bool yes;
    struct str reason; /* may be empty */
    int64_t now_us;
};
/* Whether approvals_decide() would take it; changes nothing: the evidence of
 * the word is written between the two. */
MUST_CHECK enum err approvals_may_decide(struct approvals *t,
                                         const struct approval_word *w);
MUST_CHECK enum err approvals_decide(struct approvals *t,
                                     const struct approval_word *w,
                                     enum approval_state *ret_state);

/* One ticket as it is listed; texts are borrowed for the call. */
struct approval_row {
    unsigned char id[APPROVAL_ID_LEN], decision[16];
    enum approval_state state;
    struct hash digest;
    struct str tenant, action, resource, purpose, destination, arguments;
    const struct str *chain; /* entity ids with their kinds, "Agent acme/x" */
    unsigned chain_count;
    const struct decision_approval *needs;
    const struct str
        *by; /* who said yes, as many as needs; empty: nobody yet */
    unsigned need_count;
    struct str reason; /* of a no */
    int64_t asked_us, ends_us;
};
/* Calls `each` under the lock, the oldest first: copy and return. */
void approvals_each(struct approvals *t, int64_t now_us,
                    void (*each)(void *user, const struct approval_row *row),
                    void *user);

/* Ends what is over; about once a second.  Told to who waits. */
void approvals_sweep(struct approvals *t, int64_t now_us);

/*
 * Somebody who waits for a ticket; embedded in its owner.  w->done runs on
 * loop `l`, the calling thread's, in a later turn, once, when the ticket is
 * not open any more (at once where it is not).  ERR_NO_MEMORY: not taken.
 */
struct approval_waiter;
struct approval_wait {
    struct approval_waiter *waiter; /* private; NULL: not waiting */
    void (*done)(struct approval_wait *w, enum approval_state state);
};
MUST_CHECK enum err approvals_await(struct approvals *t,
                                    const unsigned char id[APPROVAL_ID_LEN],
                                    struct loop *l, struct approval_wait *w);
/* `done` will not run.  Own thread only; allowed when not waiting. */
void approval_wait_cancel(struct approval_wait *w);

#endif
