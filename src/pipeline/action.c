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

struct action *action_new(struct worker *w, const struct action_class *c,
                          struct arena *arena, struct snapshot *s)
{
    struct room *r = arena_alloc(arena, sizeof(*r) + c->own_size);
    if (r == NULL)
        return NULL;

    struct action *a = &r->action;
    a->class = c;
    a->own = r->own;
    a->worker = w;
    a->arena = arena;
    a->snapshot = snapshot_ref(s);
    a->started_us = loop_wall_us(w->loop);
    a->receipt.index = a->attempt.intent.index = LEDGER_NO_INDEX;
    arena_init_spare(&a->question, REQUEST_ARENA_MAX, &w->spare);
    buf_init(&a->outgoing, ACTION_OUTGOING_MAX);
    evidence_random(w->evidence, a->id, sizeof(a->id));
    list_init(&a->node);
    list_init(&a->key_wait);
    list_init(&a->sibling);
    list_init(&a->children);
    return a;
}

struct action *action_begin(struct worker *w, struct exchange *x,
                            struct arena *arena)
{
    struct action *a = action_new(w, x->endpoint->class, arena, w->snapshot);
    if (a == NULL)
        return NULL;

    a->exchange = x;
    x->action = a;
    list_push(&w->actions, &a->node);
    w->counters.open++;
    pipeline_start(pipeline_table(), a);
    return a;
}

const struct exchange *action_request(const struct action *a)
{
    while (a->exchange == NULL && a->parent != NULL)
        a = a->parent;
    return a->exchange;
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

static void count_ended(const struct action *a)
{
    struct worker_counters *c = &a->worker->counters;

    c->open--;
    c->calls++;
    if (a->err != ERR_OK && (a->at.facts & FACT_DISPATCHED) == 0)
        c->refused++;
    else if (a->err != ERR_OK)
        c->failed++;
}

void action_ended(struct action *a)
{
    assert(!a->attempt.open && a->child_count == 0);
    list_remove(&a->node);
    action_drop_question(a);
    if (a->class != NULL && a->class->release != NULL)
        a->class->release(a);
    snapshot_unref(a->snapshot);
    if (may_be_cut(a))
        list_push(&a->worker->leaving, &a->node);
    else
        action_left(a);
    count_ended(a);
    if (a->parent == NULL)
        return;
    list_remove(&a->sibling);
    a->parent->child_count--;
    a->child.ended(a, a->child.user); /* the last: its parent may go on */
}

struct str action_tenant(const struct action *a)
{
    return a->proof == NULL ? (struct str){0} : a->proof->tenant;
}
