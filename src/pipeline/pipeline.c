/* pipeline.c - the stage table and the only loop that walks it. */
#include "pipeline/pipeline.h"

#include <assert.h>
#include <string.h>

#include "pipeline/action.h"

/* What must hold before bytes may leave the gateway. */
#define CLEARED (FACT_DECISION | FACT_APPROVAL | FACT_RESERVATION | FACT_RECORD)
#define PROVEN (FACT_IDENTITY | FACT_ADMITTED)
#define QUESTION (PROVEN | FACT_CALL | FACT_CLASS | FACT_ROUTE)

/* clang-format off */
static const struct stage table[] = {
    /* name        run              cancel                 needs                       gives */
    {"identify",   stage_identify,  stage_identify_cancel, 0,                          FACT_IDENTITY,    NULL,     NULL},
    {"admit",      stage_admit,     stage_admit_cancel,    FACT_IDENTITY,              FACT_ADMITTED,    NULL,     NULL},
    {"parse",      stage_parse,     stage_parse_cancel,    PROVEN,                     FACT_CALL,        NULL,     NULL},
    {"classify",   stage_classify,  NULL,                  FACT_CALL,                  FACT_CLASS,       NULL,     NULL},
    {"route",      stage_route,     stage_route_cancel,    FACT_CALL,                  FACT_ROUTE,       NULL,     NULL},
    {"decide",     stage_decide,    NULL,                  QUESTION,                   FACT_DECISION,    NULL,     NULL},
    {"approve",    stage_approve,   stage_approve_cancel,  FACT_DECISION,              FACT_APPROVAL,    "decide", NULL},
    {"reserve",    stage_reserve,   NULL,                  FACT_APPROVAL,              FACT_RESERVATION, NULL,     NULL},
    {"record",     stage_record,    stage_record_cancel,   FACT_RESERVATION,           FACT_RECORD,      NULL,     NULL},
    {"broker",     stage_broker,    NULL,                  CLEARED,                    FACT_CREDENTIAL,  NULL,     NULL},
    {"dispatch",   stage_dispatch,  stage_dispatch_cancel, CLEARED | FACT_CREDENTIAL,  FACT_DISPATCHED,  NULL,     "reserve"},
    {"relay",      stage_relay,     stage_relay_cancel,    FACT_DISPATCHED,            FACT_RELAYED,     NULL,     NULL},
    {"reply",      stage_reply,     NULL,                  0,                          FACT_REPLIED,     NULL,     NULL},
    {"settle",     stage_settle,    NULL,                  0,                          FACT_SETTLED,     NULL,     NULL},
};
/* clang-format on */

static const struct pipeline production = {table, ARRAY_LEN(table)};

const struct pipeline *pipeline_table(void)
{
    return &production;
}

/* The index of the row called `name`, which is before `end`; or `end`. */
static size_t row_of(const struct pipeline *p, const char *name, size_t end)
{
    size_t i = 0;
    while (i < end && strcmp(p->stages[i].name, name) != 0)
        i++;
    return i;
}

static bool goes_back(const struct pipeline *p, const char *to, size_t from)
{
    return to == NULL || row_of(p, to, from) < from;
}

bool pipeline_check(const struct pipeline *p)
{
    uint32_t given = 0;

    if (p->count <= PIPELINE_TAIL)
        return false;
    for (size_t i = 0; i < p->count; i++) {
        const struct stage *s = &p->stages[i];
        bool tail = i >= p->count - PIPELINE_TAIL;
        if ((s->needs & ~given) != 0 || (s->gives & given) != 0)
            return false;
        if (!goes_back(p, s->resume_at, i) || !goes_back(p, s->retry_at, i))
            return false;
        if (tail && (s->needs != 0 || s->cancel != NULL ||
                     s->resume_at != NULL || s->retry_at != NULL))
            return false;
        given |= s->gives;
    }
    return true;
}

enum step stage_stop(struct action *a, enum err why)
{
    assert(why != ERR_OK);
    if (a->err == ERR_OK)
        a->err = why;
    return STEP_STOP;
}

/* Goes back to an earlier row; what the rows since gave holds no more. */
static void go_back(struct pipeline_place *at, const char *to)
{
    size_t row = row_of(at->pipeline, to, at->stage);
    assert(row < at->stage);
    for (size_t i = row; i <= at->stage; i++)
        at->facts &= ~at->pipeline->stages[i].gives;
    at->stage = (uint16_t)row;
}

/* Moves past the current stage, whose answer was `outcome`. */
static void advance(struct action *a, enum step outcome, bool resumed)
{
    struct pipeline_place *at = &a->at;
    const struct stage *s = &at->pipeline->stages[at->stage];
    size_t tail = at->pipeline->count - PIPELINE_TAIL;

    assert(outcome != STEP_WAIT);
    if (outcome == STEP_RETRY) {
        assert(s->retry_at != NULL);
        go_back(at, s->retry_at);
    } else if (outcome == STEP_NEXT && resumed && s->resume_at != NULL) {
        go_back(at, s->resume_at);
    } else if (outcome == STEP_NEXT || at->stage >= tail) {
        at->facts |= s->gives;
        at->stage++;
    } else {
        at->stage = (uint16_t)tail;
    }
}

/* Runs the current row.  STEP_WAIT: it really waits. */
static enum step run_row(struct action *a, bool *ret_resumed)
{
    struct pipeline_place *at = &a->at;
    const struct stage *s = &at->pipeline->stages[at->stage];

    assert((at->facts & s->needs) == s->needs);
    at->running = true;
    at->early = false;
    enum step outcome = s->run(a);
    at->running = false;

    *ret_resumed = outcome == STEP_WAIT;
    assert(!*ret_resumed || s->cancel != NULL);
    /* The answer may have come before the wait for it. */
    return *ret_resumed && at->early ? at->outcome : outcome;
}

/* Children cannot outlive their parent; whatever they tell it is too late. */
static void end_children(struct action *a, enum err why)
{
    enum err own = a->err;

    a->at.deaf = true;
    action_spawn_end(a, why);
    a->at.deaf = false;
    a->err = own; /* what ended them is no reason of its own */
}

static void run(struct action *a)
{
    while (!pipeline_ended(a)) {
        bool resumed;
        if (a->child_count > 0 && pipeline_is_ending(a))
            end_children(a, a->err == ERR_OK ? ERR_CLOSED : a->err);
        enum step outcome = run_row(a, &resumed);
        if (outcome == STEP_WAIT) {
            a->at.waiting = true;
            return;
        }
        advance(a, outcome, resumed);
    }
    action_ended(a);
}

void pipeline_start(const struct pipeline *p, struct action *a)
{
    a->at = (struct pipeline_place){.pipeline = p};
    run(a);
}

void pipeline_resume(struct action *a, enum step outcome)
{
    assert(outcome != STEP_WAIT);
    if (a->at.deaf)
        return;
    if (a->at.running) {
        assert(!a->at.early);
        a->at.early = true;
        a->at.outcome = outcome;
        return;
    }
    assert(a->at.waiting);
    a->at.waiting = false;
    advance(a, outcome, true);
    run(a);
}

void pipeline_end(struct action *a, enum err why)
{
    struct pipeline_place *at = &a->at;

    assert(!at->running);
    if (pipeline_ended(a))
        return;
    assert(at->waiting); /* a stage that neither runs nor waits has ended */
    at->waiting = false;
    at->cut = true;
    enum step stopped = stage_stop(a, why); /* cancel may ask why */
    end_children(a, why);
    at->pipeline->stages[at->stage].cancel(a);
    advance(a, stopped, true);
    run(a);
}

void pipeline_fact(struct action *a, enum fact fact)
{
    a->at.facts |= (uint32_t)fact;
}

bool pipeline_ended(const struct action *a)
{
    return a->at.stage >= a->at.pipeline->count;
}

bool pipeline_is_ending(const struct action *a)
{
    const struct pipeline_place *at = &a->at;
    return at->cut || (size_t)at->stage + PIPELINE_TAIL >= at->pipeline->count;
}
