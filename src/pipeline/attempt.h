/*
 * attempt.h - one try at one destination, as evidence sees it.
 *
 * Every attempt opens with a durable intent and closes with an outcome;
 * what never became an attempt ends as a refusal.
 */
#ifndef PIPELINE_ATTEMPT_H
#define PIPELINE_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "domain/outcome.h"
#include "domain/usage.h"
#include "ledger/ledger_client.h"

struct action;
struct ledger_wait;

enum { CANDIDATES_MAX = 16 };

/* A destination that the action could go to; numbers are the class's. */
struct candidate {
    uint16_t to;    /* of a model: the provider's index in the settings */
    uint16_t route; /* ... index into the model's routes or fallback */
    bool fallback;
};

/* One try at one destination; each has its own intent. */
struct attempt {
    unsigned number; /* from 1 */
    struct candidate to;
    struct ledger_receipt intent;
    int64_t started_ms; /* loop time; the first byte may leave now */
    int status;         /* of the destination's answer; 0: none */
    struct str model;   /* that answered; in the arena, or empty */
    struct str finish;  /* why it stopped, or empty */
    struct usage usage; /* USAGE_UNKNOWN: nobody said */
    uint64_t answer_bytes;
    unsigned char answer_hmac[32];
    bool has_answer_hmac;
    bool unsent; /* no byte of it has left, for certain */
    bool open;   /* the intent awaits its outcome */
};

/*
 * Hands the intent of a->attempt to the ledger; the action is resumed when it
 * is durable, or stopped with ERR_EVIDENCE.  On an error nothing may go out.
 */
MUST_CHECK enum err attempt_open(struct action *a);

/* The action ends while its intent is on its way: the intent is closed as
 * "not sent" once it is durable. */
void attempt_abandon(struct action *a);

/* Writes the outcome of the open attempt; it is open no more. */
void attempt_close(struct action *a, enum outcome_status status, enum err why);

/* As above; w->done runs when the outcome is durable.  On an error `w` was not
 * taken, and the attempt is closed all the same. */
MUST_CHECK enum err attempt_close_awaited(struct action *a,
                                          enum outcome_status status,
                                          enum err why, struct ledger_wait *w);

/* Records that `a` was stopped before any attempt. */
void attempt_refuse(struct action *a);

#endif
