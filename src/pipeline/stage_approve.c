/*
 * stage_approve.c - does a person have to say yes?
 *
 * A plain permit passes.  What policy defers waits for a ticket, as long as
 * the configuration says, and goes back to `decide` when people have agreed;
 * then the caller is told to come back, which is no success (rule "Deferred is
 * not success").  Every other effect that gets here fails closed.
 *
 * Needs: decision.  Gives: approval.
 * Stops with: ERR_APPROVAL_PENDING, ERR_DENIED.
 */
#include <string.h>

#include "approval/approval_digest.h"
#include "base/container.h"
#include "base/text.h"
#include "evidence/evidence.h"
#include "os/loop.h"
#include "pipeline/action.h"
#include "pipeline/action_class.h"
#include "pipeline/approving.h"
#include "pipeline/snapshot.h"
#include "pipeline/worker.h"
#include "session/session.h"

static enum step deny(struct action *a, struct str why)
{
    a->reason = why;
    return stage_stop(a, ERR_DENIED);
}

/* Told with the ticket, by which they can ask a person. */
static enum step pend(struct action *a)
{
    static const struct str says =
        STR_INIT("a person has to approve this action first; ask again later; "
                 "ticket ");
    const struct approving *p = a->approving;
    size_t len = says.len + sizeof(p->ticket_text);
    char *text = arena_alloc_raw(a->arena, len);

    if (text != NULL) {
        memcpy(text, says.ptr, says.len);
        memcpy(text + says.len, p->ticket_text, sizeof(p->ticket_text));
        a->reason = (struct str){text, len};
    }
    return stage_stop(a, ERR_APPROVAL_PENDING);
}

/* ---- exactly this action ---- */

static enum err take_digest(struct action *a, struct approving *p)
{
    struct str places[CANDIDATES_MAX];
    struct approval_action exact = {
        .tenant = action_tenant(a),
        .chain = a->chain,
        .session_root = session_root(a->session),
        .action = action_kind_name(a->kind),
        .resource_type = a->resource_type,
        .resource = a->resource,
        .destinations = places,
        .purpose = a->purpose,
    };

    enum err e = a->class->exact(a, &exact, places);
    if (e == ERR_OK)
        e = approval_digest(&exact, &p->digest);
    if (e == ERR_OK)
        p->shown = exact.arguments;
    return e;
}

static enum err begin(struct action *a)
{
    struct approving *p = ARENA_NEW(a->arena, struct approving, 1);
    if (p == NULL)
        return ERR_NO_MEMORY;
    p->action = a;
    enum err e = take_digest(a, p);
    if (e == ERR_OK)
        a->approving = p;
    return e;
}

/* ---- a yes that is there ---- */

static enum step go_back(struct action *a)
{
    struct approving *p = a->approving;

    p->granted = true;
    p->lifted = (struct rules_lifted){p->grant.policies, p->grant.policy_count,
                                      p->grant.groups};
    pipeline_resume(a, STEP_NEXT); /* to `decide`, which asks anew */
    return STEP_WAIT;
}

/* A yes that does not lift all of it is none: `decide` says again all that is
 * needed, and that is asked for anew. */
static enum step start_over(struct action *a)
{
    a->approving->granted = false;
    a->approving->falls_short = true;
    pipeline_resume(a, STEP_NEXT);
    return STEP_WAIT;
}

/* ---- a ticket ---- */

static void on_decided(struct approval_wait *w, enum approval_state state)
{
    struct approving *p = CONTAINER_OF(w, struct approving, wait);
    struct action *a = p->action;

    timer_cancel(&p->hold);
    /* Policies that came meanwhile have a say, too: who asks again is decided
     * on by them, and finds the yes. */
    if (state == APPROVAL_GRANTED && a->snapshot == a->worker->snapshot)
        pipeline_resume(a, STEP_NEXT);
    else if (state == APPROVAL_DENIED)
        pipeline_resume(a, deny(a, STR("a person has refused this action")));
    else
        pipeline_resume(a, pend(a));
}

static void on_held(struct timer *t)
{
    struct approving *p = CONTAINER_OF(t, struct approving, hold);

    approval_wait_cancel(&p->wait);
    pipeline_resume(p->action, pend(p->action));
}

static void record_ask(struct action *a, const struct approval_ask *ask)
{
    const struct approving *p = a->approving;
    struct evidence_ticket f = {
        .event = STR("ask"),
        .digest = &p->digest,
        .action = ask->action,
        .resource_type = a->resource_type,
        .resource = a->resource,
        .chain = a->chain,
        .tenant = ask->tenant,
        .needs = ask->needs,
        .need_count = ask->need_count,
        .ends_us = ask->now_us + ask->ttl_ms * 1000,
    };

    memcpy(f.ticket, p->ticket, sizeof(f.ticket));
    memcpy(f.id, a->id, sizeof(f.id));
    (void)evidence_approval(a->worker->evidence, &f, NULL);
}

static struct str destination_of(const struct action *a)
{
    struct rules_request q = {0};

    if (a->class->facts == NULL || a->candidate_count == 0)
        return (struct str){0};
    a->class->facts(a, 0, &q);
    return q.destination.provider;
}

static enum step ask(struct action *a)
{
    const struct settings *s = &a->snapshot->settings;
    struct approving *p = a->approving;
    enum approval_state state;
    bool is_new;
    struct approval_ask wish = {
        .digest = p->digest,
        .tenant = action_tenant(a),
        .chain = a->chain,
        .needs = a->decision.approvals,
        .need_count = a->decision.approval_count,
        .action = action_kind_name(a->kind),
        .resource = a->resource,
        .purpose = a->purpose,
        .destination = destination_of(a),
        .arguments = p->shown,
        .now_us = loop_wall_us(a->worker->loop),
        .ttl_ms = s->approvals.ttl_ms,
        .used_ms = s->approvals.used_ms,
    };

    memcpy(wish.decision, a->id, sizeof(wish.decision));
    enum err e =
        approvals_ask(a->worker->approvals, &wish, p->ticket, &state, &is_new);
    if (e == ERR_LIMIT)
        return deny(a, STR("a person would have to approve this, but it is "
                           "too long to be shown, or too much waits already"));
    if (e != ERR_OK)
        return stage_stop(a, e);
    p->asked = true;
    text_hex(p->ticket, sizeof(p->ticket), p->ticket_text);
    if (is_new)
        record_ask(a, &wish);
    if (s->approvals.hold_ms == 0)
        return pend(a);
    p->wait.done = on_decided;
    e = approvals_await(a->worker->approvals, p->ticket, a->worker->loop,
                        &p->wait);
    if (e != ERR_OK)
        return stage_stop(a, e);
    timer_set(a->worker->loop, &p->hold, s->approvals.hold_ms, on_held);
    return STEP_WAIT;
}

enum step stage_approve(struct action *a)
{
    if (a->decision.effect == DECISION_ALLOW)
        return STEP_NEXT;
    if (a->decision.effect != DECISION_DEFER || a->class->exact == NULL)
        return stage_stop(a, ERR_DENIED);
    enum err e = a->approving == NULL ? begin(a) : ERR_OK;
    if (e == ERR_LIMIT)
        return deny(a, STR("a person would have to approve this, but it is "
                           "too long to be shown"));
    if (e != ERR_OK)
        return stage_stop(a, e);
    struct approving *p = a->approving;
    if (p->granted)
        return start_over(a);
    if (!p->falls_short &&
        approvals_look(a->worker->approvals, a->arena, &p->digest,
                       loop_wall_us(a->worker->loop), &p->grant) == ERR_OK)
        return go_back(a);
    p->falls_short = false;
    return ask(a);
}

void stage_approve_cancel(struct action *a)
{
    approving_cancel(a);
}
