/* action.c - see action.h. */
#include "pipeline/action.h"

#include <assert.h>

#include "evidence/evidence.h"
#include "os/loop.h"
#include "pipeline/action_class.h"
#include "pipeline/exchange.h"
#include "pipeline/snapshot.h"
#include "pipeline/standing.h"
#include "pipeline/worker.h"
#include "session/session.h"

/* The class's own part lies behind the action: one piece of memory. */
struct room {
    struct action action;
    max_align_t own[];
};

static struct action *make(struct arena *arena, const struct action_class *c)
{
    struct room *r = arena_alloc(arena, sizeof(*r) + c->own_size);
    if (r == NULL)
        return NULL;
    r->action.class = c;
    r->action.own = r->own;
    return &r->action;
}

struct action *action_begin(struct worker *w, struct exchange *x,
                            struct arena *arena)
{
    const struct action_class *class = x->endpoint->class;
    struct action *a = make(arena, class);
    if (a == NULL)
        return NULL;

    a->worker = w;
    a->exchange = x;
    a->arena = arena;
    a->snapshot = snapshot_ref(w->snapshot);
    a->started_us = loop_wall_us(w->loop);
    a->receipt.index = a->attempt.intent.index = LEDGER_NO_INDEX;
    arena_init_spare(&a->question, REQUEST_ARENA_MAX, &w->spare);
    buf_init(&a->outgoing, ACTION_OUTGOING_MAX);
    evidence_random(w->evidence, a->id, sizeof(a->id));
    list_init(&a->key_wait);
    x->action = a;
    list_push(&w->actions, &a->node);
    w->counters.open++;
    pipeline_start(pipeline_table(), a);
    return a;
}

void action_drop_question(struct action *a)
{
    arena_release(&a->question);
    buf_release(&a->outgoing);
    buf_init(&a->outgoing, ACTION_OUTGOING_MAX); /* no longer the arena's */
    a->credential = (struct str){0};
}

void action_keep_outgoing(struct action *a, struct arena *home,
                          struct buf *body)
{
    action_drop_question(a);
    a->question = *home;
    a->outgoing = *body;
}

/* Is there an answer on its way to somebody who may lose their standing? */
static bool may_be_cut(const struct action *a)
{
    return a->looked && a->exchange != NULL && !a->exchange->gone &&
           a->exchange->replied && !standing_is_lost(a->err);
}

void action_left(struct action *a)
{
    list_remove(&a->node);
    session_unref(a->session);
    proof_unref(a->proof);
    a->session = NULL;
    a->proof = NULL;
}

void action_ended(struct action *a)
{
    struct worker *w = a->worker;

    assert(!a->attempt.open);
    list_remove(&a->node);
    action_drop_question(a);
    if (a->class != NULL && a->class->release != NULL)
        a->class->release(a);
    snapshot_unref(a->snapshot);
    if (may_be_cut(a))
        list_push(&w->leaving, &a->node);
    else
        action_left(a);
    w->counters.open--;
    w->counters.calls++;
    if (a->err != ERR_OK && (a->at.facts & FACT_DISPATCHED) == 0)
        w->counters.refused++;
    else if (a->err != ERR_OK)
        w->counters.failed++;
}

struct str action_tenant(const struct action *a)
{
    return a->proof == NULL ? (struct str){0} : a->proof->tenant;
}
