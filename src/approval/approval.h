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
struct arena;
struct loop;

enum {
    APPROVAL_ID_LEN = 16,
    APPROVALS_MAX = 10000,       /* tickets that are not over */
    APPROVALS_PER_LINK_MAX = 16, /* of these, those of one principal */
    APPROVALS_KEPT_MAX = 1000,   /* that are over, to be looked at */
    APPROVALS_KEPT_MS = 3600000, /* and for how long */
    APPROVAL_TEXT_MAX = 16384,   /* of what is shown of the arguments */
    APPROVAL_PART_MAX = 1024,    /* of each other text */
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

/* What somebody wants a yes for; all texts are copied, and are UTF-8. */
struct approval_ask {
    struct hash digest; /* of the action */
    struct str tenant;
    const struct chain *chain; /* whose members cannot say yes */
    const struct decision_approval *needs;
    unsigned need_count;
    /* For the person who decides; never cut: what is too long to be shown is
     * not asked for. */
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
 * was denied, used or has expired is not found by its digest any more, nor
 * one that does not cover all of `needs` (the policies have changed): that one
 * expires.  APPROVAL_TAKEN: another action uses it right now; there is nothing
 * to wait for, and later the same asks anew.
 * ERR_LIMIT: too many are open, here or of a link, or a text is too long.
 * ERR_NO_MEMORY.
 */
MUST_CHECK enum err approvals_ask(struct approvals *t,
                                  const struct approval_ask *ask,
                                  unsigned char ret_id[APPROVAL_ID_LEN],
                                  enum approval_state *ret_state,
                                  bool *ret_is_new);

/* A yes that is unused: which forbids it lifts, and who said it. */
struct approval_grant {
    unsigned char id[APPROVAL_ID_LEN];
    struct str policies[DECISION_APPROVALS_MAX];
    struct str groups[DECISION_APPROVALS_MAX]; /* of these */
    unsigned policy_count;
    struct str by[DECISION_APPROVALS_MAX]; /* entity ids, each once */
    unsigned by_count;
    int64_t at_us; /* of the last yes */
};

/* Looks without taking; the forbids of `ret` may be passed over in deciding.
 * Its texts are copied to `a`.  ERR_APPROVAL_PENDING: open, or another action
 * uses it right now.  ERR_DENIED: people said no, and nobody has asked since.
 * ERR_NOT_FOUND.  ERR_NO_MEMORY. */
MUST_CHECK enum err approvals_look(struct approvals *t, struct arena *a,
                                   const struct hash *digest, int64_t now_us,
                                   struct approval_grant *ret);
/* GRANTED to TAKEN, by exactly one action.  ERR_CONFLICT: not granted (any
 * more), or not for this digest. */
MUST_CHECK enum err approvals_take(struct approvals *t,
                                   const unsigned char id[APPROVAL_ID_LEN],
                                   const struct hash *digest, int64_t now_us);
/* TAKEN to USED: the intent is durable; or back to GRANTED. */
void approvals_settle(struct approvals *t,
                      const unsigned char id[APPROVAL_ID_LEN], bool used);

/*
 * A person's word.  `who` is an entity id ("local|alice"), `account` the name
 * that groups list.  `groups` are those it is a member of for this tenant.
 *
 * A yes counts for every group that is still needed and that the person is a
 * member of: groups name competences, and who wants two people makes groups
 * without common members.  A no of a member of any of the ticket's groups ends
 * it, also after a yes of theirs.
 *
 * ERR_NOT_FOUND.  ERR_CONFLICT: decided or expired.  ERR_DENIED: in none of
 * the groups that this word needs, or a link of the chain.  ERR_NO_MEMORY.
 */
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
    const struct str *by; /* who said yes, one per need; empty: nobody yet */
    unsigned need_count;
    struct str reason; /* of a no */
    /* `ends_us`: when it will be over, or was. */
    int64_t asked_us, ends_us;
};
/* Calls `each` under the lock, the oldest first: copy and return.  Those that
 * are over come first, while they are kept. */
void approvals_each(struct approvals *t, int64_t now_us,
                    void (*each)(void *user, const struct approval_row *row),
                    void *user);

/*
 * Ends what is over, forgets what was kept long enough; about once a second,
 * by one thread at a time.  Told to who waits; and to `expired`, not under the
 * lock, once for each ticket that has ended by itself.
 */
struct approvals_expired {
    /* `unused`: people had said yes. */
    void (*each)(void *user, const struct approval_row *row, bool unused);
    void *user;
};
void approvals_sweep(struct approvals *t, int64_t now_us,
                     const struct approvals_expired *to);

/* For figures: tickets that wait for people, and what came of all others. */
struct approvals_counts {
    uint64_t open, asked, granted, denied, expired, used;
};
struct approvals_counts approvals_counts_of(struct approvals *t);

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
