/* action.c - see action.h. */
#include "pipeline/action.h"

#include <assert.h>

#include "evidence/evidence.h"
#include "http/client.h"
#include "os/loop.h"
#include "pipeline/exchange.h"
#include "pipeline/snapshot.h"
#include "pipeline/standing.h"
#include "pipeline/worker.h"
#include "session/session.h"

struct action *action_begin(struct worker *w, struct exchange *x,
                            struct arena *arena)
{
    struct action *a = ARENA_NEW(arena, struct action, 1);
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
    if (x != NULL)
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
    a->request.body = NULL;
    a->credential = (struct str){0};
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

    assert(a->call == NULL && a->relay == NULL && !a->attempt.open);
    list_remove(&a->node);
    action_drop_question(a);
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

const struct provider_settings *action_provider(const struct action *a)
{
    return &a->snapshot->settings.providers[a->attempt.to.provider];
}

const struct route_settings *action_route(const struct action *a,
                                          struct candidate c)
{
    const struct model_settings *m = &a->snapshot->settings.models[a->model];
    return c.fallback ? &m->fallback[c.route] : &m->routes[c.route];
}
