/*
 * action_class.h - what differs between kinds of action.
 *
 * All actions walk the one table in pipeline.c.  Who acts, whether they may
 * go on, the loop over candidates, evidence, reservations and settling are
 * the same for all of them; where a stage depends on what is being done (a
 * model call, a list, a tool call) it asks the action's class: a constant
 * table of functions, named by the endpoint's row in routes.c.
 *
 * Zero denies: a function that is NULL stops the action with ERR_INTERNAL
 * where it is needed, unless it says "or NULL".  One that answers STEP_WAIT
 * needs its cancel, and keeps the contract of a stage (stage.h).
 *
 * What a class keeps between its functions is a->own: `own_size` zeroed bytes
 * behind the action, in the same piece of memory.
 */
#ifndef PIPELINE_ACTION_CLASS_H
#define PIPELINE_ACTION_CLASS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "pipeline/stage.h"

struct action;
struct approval_action;
struct evidence_intent;
struct evidence_route;
struct limit_ask;
struct rules_request;

typedef enum step action_class_step(struct action *a);
typedef void action_class_cancel(struct action *a);

struct action_class {
    const char *name;  /* "model" */
    size_t own_size;   /* bytes of a->own */
    bool only_listens; /* no limit counts it: it can last for hours */

    /*
     * What do they want?  Sets kind, resource_type, resource, risk, estimate
     * and what evidence says of the request (request_bytes, request_hmac).
     * The listed purpose of an endpoint may be wider than one class: parse may
     * put another class in a->class, whose own_size is no larger.
     */
    action_class_step *parse;
    action_class_cancel *parse_cancel;

    /* Where could it go?  Adds candidates, in order.  None: for `decide` to
     * deny, so that "unknown" and "not for you" look the same. */
    action_class_step *route;
    action_class_cancel *route_cancel;

    /*
     * Adds to a question to policy, which has all that facts_ask() puts there,
     * what is asked of candidate number `candidate`: at least the destination.
     * Asked once per candidate; what it points to must live as long as `a`.
     */
    void (*facts)(const struct action *a, unsigned candidate,
                  struct rules_request *q);
    /* Decides by itself, without candidates (facts.h helps): a list.  NULL:
     * every candidate is decided on, and those denied are dropped. */
    action_class_step *decide;

    /*
     * Adds what an approval is bound to (rule "Exactly this action"): the
     * canonical arguments, the tool, destinations (in `room`, of
     * CANDIDATES_MAX), the credential's audience; in memory that lasts until
     * the intent is written.  ERR_LIMIT: too long to be shown to anybody.
     * NULL: nobody can approve an action of this class.
     */
    enum err (*exact)(struct action *a, struct approval_action *to,
                      struct str *room);

    /* Adds what limits may be about, besides who acts; or NULL. */
    void (*count)(const struct action *a, struct limit_ask *ask);

    /* Writes what will be sent to a->attempt.to from the decided form (rule
     * "One reading"); see action_keep_outgoing(). */
    enum err (*outgoing)(struct action *a);

    /*
     * Adds to an intent: destination, credential, dialect; and, where there
     * was a choice, the route, for which `room` is lent.
     */
    void (*describe)(const struct action *a, struct evidence_intent *f,
                     struct evidence_route *room);

    /* Takes the credential of a->attempt.to, never the caller's. */
    enum err (*broker)(struct action *a);

    /*
     * Sends.  FACT_DISPATCHED holds already; who knows that no byte has left
     * sets a->attempt.unsent.  retry_start() is for what may be repeated.
     */
    action_class_step *dispatch;
    action_class_cancel *dispatch_cancel;

    /* Streams the answer back; sets a->outcome and what a->attempt has about
     * answers. */
    action_class_step *relay;
    action_class_cancel *relay_cancel;

    /* Writes the refusal a->err to the caller, unless there was a reply; or
     * NULL: as exchange_reply_error(). */
    void (*reply)(struct action *a);

    /* The action has ended: frees what a->own holds; or NULL. */
    void (*release)(struct action *a);
};

/* What a stage answers for its class: as `run` says. */
MUST_CHECK enum step action_class_run(struct action *a, action_class_step *run,
                                      action_class_cancel *cancel);

#endif
