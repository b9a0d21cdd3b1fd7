/*
 * stage.h - the contract of a pipeline stage.
 *
 * A stage is a function from action to step.  It answers one question,
 * through one domain module, and never calls another stage.  It tells how far
 * an action has come through facts, and nothing else does.
 */
#ifndef PIPELINE_STAGE_H
#define PIPELINE_STAGE_H

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct action;

enum step {
    STEP_STOP = 0, /* action->err says why, or ERR_OK: answered here; on to
                      the reply */
    STEP_NEXT,     /* done; the stage's fact now holds */
    STEP_WAIT,     /* suspended; exactly one resume or cancel will follow */
    STEP_RETRY,    /* back to the row's retry_at, with the next candidate */
};

/* What has been established; given by exactly one stage each. */
enum fact {
    FACT_IDENTITY = 1u << 0,    /* the chain is proven */
    FACT_ADMITTED = 1u << 1,    /* all links are alive; the session is known */
    FACT_CALL = 1u << 2,        /* the request is read: what is wanted */
    FACT_CLASS = 1u << 3,       /* its data is labelled */
    FACT_ROUTE = 1u << 4,       /* candidate destinations, in order */
    FACT_DECISION = 1u << 5,    /* policy allows it to the candidates left */
    FACT_APPROVAL = 1u << 6,    /* a person agreed, or none was needed */
    FACT_RESERVATION = 1u << 7, /* budget is set aside */
    FACT_RECORD = 1u << 8,      /* the intent is durable */
    FACT_CREDENTIAL = 1u << 9,  /* a credential for this action is out */
    FACT_DISPATCHED = 1u << 10, /* bytes may have left */
    FACT_RELAYED = 1u << 11,    /* the caller has the whole answer */
    FACT_REPLIED = 1u << 12,    /* the caller has an answer, good or bad */
    FACT_SETTLED = 1u << 13,    /* cost booked, outcome recorded */
};

struct stage {
    const char *name; /* as in logs, metrics and docs */
    enum step (*run)(struct action *a);
    /* Ends a wait for good: undoes what the wait holds; NULL: never waits. */
    void (*cancel)(struct action *a);
    uint32_t needs;        /* facts that must hold before run */
    uint32_t gives;        /* the one fact that holds after NEXT */
    const char *resume_at; /* where a resumed wait goes on; NULL: after it */
    const char *retry_at;  /* where RETRY goes; NULL: RETRY is a bug */
};

/* Stops the action with `why`, which must not be ERR_OK. */
MUST_CHECK enum step stage_stop(struct action *a, enum err why);

/* The stages, in order; one source file each. */
enum step stage_identify(struct action *a);
enum step stage_admit(struct action *a);
enum step stage_parse(struct action *a);
enum step stage_classify(struct action *a);
enum step stage_route(struct action *a);
enum step stage_decide(struct action *a);
enum step stage_approve(struct action *a);
enum step stage_reserve(struct action *a);
enum step stage_record(struct action *a);
enum step stage_broker(struct action *a);
enum step stage_dispatch(struct action *a);
enum step stage_relay(struct action *a);
enum step stage_reply(struct action *a);
enum step stage_settle(struct action *a);

void stage_identify_cancel(struct action *a);
void stage_admit_cancel(struct action *a);
void stage_parse_cancel(struct action *a);
void stage_route_cancel(struct action *a);
void stage_approve_cancel(struct action *a);
void stage_record_cancel(struct action *a);
void stage_dispatch_cancel(struct action *a);
void stage_relay_cancel(struct action *a);

/* The key that `identify` waits for has come, or will not. */
void stage_identify_again(struct action *a);

#endif
