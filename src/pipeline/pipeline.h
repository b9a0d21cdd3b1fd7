/*
 * pipeline.h - walks an action through the stages, in the order of one table.
 *
 * The order is data (the table in pipeline.c), so "nothing is dispatched
 * before it is decided, reserved and recorded" is checked at start-up by
 * pipeline_check() instead of being a habit of the authors.
 *
 * A stage that waits is left suspended; whatever it waits for calls
 * pipeline_resume() once.  Hang-up, deadline, revocation and drain call
 * pipeline_end() instead, which cancels the wait: exactly one of the two
 * takes effect.  The last two rows, reply and settle, run for every action,
 * once, whatever happened before.
 */
#ifndef PIPELINE_PIPELINE_H
#define PIPELINE_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>

#include "pipeline/stage.h"

/* The rows that every action ends with. */
enum { PIPELINE_TAIL = 2 };

struct pipeline {
    const struct stage *stages;
    size_t count;
};

/*
 * True when every stage's needs are given by stages before it, no fact is
 * given twice, every stage that names a place to go on names an earlier row,
 * and the last PIPELINE_TAIL rows need nothing and go nowhere.
 */
MUST_CHECK bool pipeline_check(const struct pipeline *p);

/* The production table. */
const struct pipeline *pipeline_table(void);

/* Where an action is on its way; embedded in it. */
struct pipeline_place {
    const struct pipeline *pipeline;
    uint32_t facts;    /* enum fact, or-ed */
    uint16_t stage;    /* index into the table; == count: ended */
    bool running;      /* a stage's run() is on the stack */
    bool waiting;      /* the stage answered WAIT */
    bool cut;          /* pipeline_end() ended it */
    bool deaf;         /* its children are being ended; no resume counts */
    bool early;        /* resumed before run() came back with WAIT */
    enum step outcome; /* of that early resume */
};

/* Runs from the first row until the action waits or has ended. */
void pipeline_start(const struct pipeline *p, struct action *a);

/* The answer of a suspended stage: NEXT, STOP or RETRY.  Once per WAIT; also
 * from inside run(), which then answers WAIT. */
void pipeline_resume(struct action *a, enum step outcome);

/*
 * Ends the action for `why` wherever it is: its children are ended for the
 * same reason, its wait is cancelled, then reply and settle run.  Nothing
 * happens to an action that has ended.  Not from inside a stage of it or of a
 * child.
 */
void pipeline_end(struct action *a, enum err why);

/* Marks a fact whose effect lies outside us before the effect. */
void pipeline_fact(struct action *a, enum fact fact);

bool pipeline_ended(const struct action *a);

/* It has been told to end, or has come to the last rows: also when it has
 * ended. */
bool pipeline_is_ending(const struct action *a);

#endif
