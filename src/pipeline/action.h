/*
 * action.h - one thing that somebody wants done: what walks the table.
 *
 * An action has an exchange (the request that asked for it) or none, and a
 * parent action or none.  It keeps the snapshot it began with, so policy,
 * config and prices do not change under it.  Stages fill it from top to
 * bottom; who may read a field follows from the facts.
 */
#ifndef PIPELINE_ACTION_H
#define PIPELINE_ACTION_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/list.h"
#include "domain/action.h"
#include "domain/decision.h"
#include "domain/label.h"
#include "domain/principal.h"
#include "domain/risk.h"
#include "http/message.h"
#include "identity/proof.h"
#include "limit/limit.h"
#include "os/timer.h"
#include "pipeline/attempt.h"
#include "pipeline/pipeline.h"
#include "session/session.h"

struct action_class;
struct approving;
struct exchange;
struct pending_intent;
struct registry_entry;
struct snapshot;
struct worker;

enum {
    ACTION_ID_LEN = 16,
    TARGET_MAX = 96,
    ACTION_OUTGOING_MAX = HTTP_BODY_MAX + 64 * KIB,
    PATIENCE_MS = 10000,       /* with a process of ours that does not answer */
    ACTION_CHILDREN_MAX = 32,  /* of one parent, at a time */
    ACTION_SPAWNED_MAX = 1024, /* ... in all: their memory is its own */
    ACTION_DEPTH_MAX = 4,      /* of children of children */
};

/* What a parent says of a child. */
struct action_child {
    enum action_kind kind;
    /* Fills child->own before anything runs; or NULL. */
    void (*prepare)(struct action *child, const void *input);
    const void *input; /* used before action_spawn() returns */
    /* The child has ended; see action_spawn(). */
    void (*ended)(struct action *child, void *user);
    void *user;
};

struct action {
    struct pipeline_place at;
    const struct action_class *class;
    void *own;         /* the class's */
    enum err err;      /* ERR_OK, or why it was stopped */
    struct str reason; /* a sentence for the caller, or empty: err's own */
    struct str param;  /* the request's part that is at fault, or empty */

    struct worker *worker;
    struct list node; /* of the worker's actions, then of those leaving */
    struct exchange *exchange;       /* NULL: nobody waits for an answer */
    struct action *parent;           /* or NULL */
    struct list sibling;             /* of the parent's children */
    struct action_child child;       /* what the parent said */
    struct list children;            /* that have not ended */
    unsigned child_count, spawned;   /* of these; ... and of all */
    unsigned depth;                  /* ancestors */
    struct snapshot *snapshot;       /* +1 reference */
    struct arena *arena;             /* lives as long as the action */
    struct arena question;           /* the parsed request, then what goes out;
                                        released when the answer begins */
    unsigned char id[ACTION_ID_LEN]; /* the decision id */
    int64_t started_us;              /* Unix time */

    /* identify, admit */
    struct proof *proof;       /* +1 reference; NULL: nobody known */
    const struct chain *chain; /* the proof's */
    struct list key_wait;      /* of the worker's, while a key is fetched */
    size_t key_issuer;         /* ... by the issuer of that number */
    /* The links in the registry, and when that was; of the worker's view. */
    const struct registry_entry *entries[CHAIN_LINKS_MAX];
    uint64_t epoch;
    bool looked;             /* the two above hold */
    struct str purpose;      /* of the chain; empty: none, or not one */
    struct session *session; /* +1 reference */
    struct session_wait session_wait;
    struct timer patience; /* with an issuer, the keeper, then the ledger */

    /* parse, classify, route */
    enum action_kind kind;
    struct str resource_type; /* "Model" */
    struct str resource;      /* its alias; in the arena */
    uint64_t request_bytes;
    unsigned char request_hmac[32];
    bool has_request_hmac;
    uint64_t estimate; /* tokens that it may use up */
    uint32_t risk;     /* enum risk, or-ed */
    struct labels labels;
    struct candidate candidates[CANDIDATES_MAX];
    unsigned candidate_count;

    /* decide, reserve */
    struct decision decision;
    struct shadow_decision shadow;
    struct approving *approving; /* NULL: nobody has to agree (yet) */
    struct limit_reservation held;
    struct limit_answer limits; /* what is left of them */

    /* record .. relay */
    struct attempt attempt;
    struct pending_intent *recording; /* until it is durable, or NULL */
    bool recorded;                    /* an intent was given to the ledger */
    struct str credential;            /* the field value; the broker's */
    struct buf outgoing;              /* the body that is sent */
    struct timer backoff;             /* before the next attempt */
    struct ledger_receipt receipt;    /* of the attempt that was answered */
    enum outcome_status outcome;
};

/*
 * Starts an action of the class of x->endpoint in `arena`, which must outlive
 * it, and runs it.  NULL: the arena is full; nothing was started.
 */
struct action *action_begin(struct worker *w, struct exchange *x,
                            struct arena *arena);

/*
 * Starts a child of `parent`: an action of class `c` that walks the same
 * table, with a decision, an intent that names its parent's decision, a
 * reservation and an outcome of its own.  It has no exchange; proof, session,
 * snapshot and arena are its parent's, and its standing is looked at as its
 * parent's was: revocation wins.
 *
 * o->ended runs once, when it has ended: child->err and what the class left in
 * child->own say how.  That may be before this function returns.  Then, as at
 * any time, it may pipeline_resume() the parent; the stage of the parent that
 * is on the stack answers WAIT, and goes on at once.  A parent that is ending
 * itself, which ends its children first, takes no notice.  Nothing of the
 * child may be used after `ended`, and what was in child->question is gone by
 * then.
 *
 * NULL: nothing was started, and `ended` will not run: the parent is not
 * admitted or is ending, has too many children or ancestors, or the arena is
 * full.
 */
MUST_CHECK struct action *action_spawn(struct action *parent,
                                       const struct action_class *c,
                                       const struct action_child *o);

/* Ends all children of `a` for `why`; for the pipeline. */
void action_spawn_end(struct action *a, enum err why);

/* One that has not begun, on no list; for action_begin() and action_spawn().
 * NULL: the arena is full. */
struct action *action_new(struct worker *w, const struct action_class *c,
                          struct arena *arena, struct snapshot *s);

/* The request that it is about: its own or that of its nearest ancestor. */
const struct exchange *action_request(const struct action *a);

/* Whose it is; empty as long as nobody is known. */
struct str action_tenant(const struct action *a);

/* Called by the pipeline when the last row has run; releases what the action
 * holds.  Its memory goes with its arena. */
void action_ended(struct action *a);

/*
 * The request of one that has ended is over, too.  Up to then who asked is
 * remembered: what was answered may still wait for a slow connection, and must
 * not leave when they are revoked meanwhile (worker.h, `leaving`).
 */
void action_left(struct action *a);

/* Frees the parsed request and what goes out: the answer has begun, neither is
 * needed. */
void action_drop_question(struct action *a);

/*
 * Moves what goes out into the action, and its memory; the parsed request,
 * which takes several times the room, goes: while an intent waits for the disk
 * and a destination thinks, hundreds of others need that memory, and find it
 * still in the processor's cache.
 */
void action_keep_outgoing(struct action *a, struct arena *home,
                          struct buf *body);

#endif
