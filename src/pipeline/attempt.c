/* attempt.c - see attempt.h. */
#include "pipeline/attempt.h"

#include <assert.h>

#include "base/attr.h"
#include "base/container.h"
#include "evidence/evidence.h"
#include "http/server.h"
#include "limit/limit_replay.h"
#include "os/loop.h"
#include "pipeline/action.h"
#include "pipeline/action_class.h"
#include "pipeline/approving.h"
#include "pipeline/exchange.h"
#include "pipeline/snapshot.h"
#include "pipeline/worker.h"
#include "session/session.h"

/*
 * An intent on its way to the disk.  It outlives its action: an action that
 * ends before its intent is durable leaves an intent behind that needs its
 * outcome all the same.
 */
struct pending_intent {
    struct ledger_wait wait;
    struct action *action; /* NULL: it has ended */
    struct worker *worker;
    unsigned char id[ENTRY_ID_LEN], session[ENTRY_ID_LEN];
    size_t tenant_len;
    char tenant[NAME_MAX_LEN];
    bool approved; /* by `ticket` */
    unsigned char ticket[APPROVAL_ID_LEN];
};

static void close_abandoned(const struct pending_intent *p, uint64_t index)
{
    struct evidence_outcome f = {.intent = index,
                                 .tenant = {p->tenant, p->tenant_len},
                                 .status = OUTCOME_NOT_SENT,
                                 .error = ERR_CLOSED,
                                 .duration_ms = -1};

    memcpy(f.id, p->id, sizeof(f.id));
    memcpy(f.session, p->session, sizeof(f.session));
    (void)evidence_outcome(p->worker->evidence, &f, NULL);
}

static void on_durable(struct ledger_wait *w, enum err e,
                       const struct ledger_receipt *receipt)
{
    struct pending_intent *p = CONTAINER_OF(w, struct pending_intent, wait);
    struct action *a = p->action;

    if (a == NULL) {
        if (p->approved)
            approvals_settle(p->worker->approvals, p->ticket, e == ERR_OK);
        if (e == ERR_OK)
            close_abandoned(p, receipt->index);
        pool_give(&p->worker->intents, p);
        return;
    }
    a->recording = NULL;
    timer_cancel(&a->patience);
    if (p->approved)
        approving_settle(a, e == ERR_OK);
    if (e == ERR_OK) {
        a->attempt.intent = a->receipt = *receipt;
        a->attempt.open = true;
    }
    pool_give(&p->worker->intents, p);
    pipeline_resume(a, e == ERR_OK ? STEP_NEXT : stage_stop(a, e));
}

static struct evidence_body request_body(const struct action *a)
{
    struct evidence_body b = {.has_hmac = a->has_request_hmac,
                              .bytes = a->request_bytes};
    memcpy(b.hmac, a->request_hmac, sizeof(b.hmac));
    return b;
}

/* What an intent points to; lives while it is written. */
struct intent_parts {
    struct evidence_route route;
    struct evidence_limit limits[LIMIT_HOLDS_MAX];
};

static size_t add_limits(const struct action *a, struct evidence_limit *to)
{
    struct limit_note notes[LIMIT_HOLDS_MAX] UNINITIALIZED;
    size_t n = limit_notes(&a->held, notes, ARRAY_LEN(notes));

    for (size_t i = 0; i < n; i++)
        to[i] = (struct evidence_limit){
            .limit = notes[i].limit,
            .whom = notes[i].whom,
            .window_start_us = notes[i].window_start_us,
            .window_us = notes[i].window_us,
            .requests = notes[i].requests,
            .tokens = notes[i].tokens,
            .generation = notes[i].generation,
        };
    return n;
}

static void fill_intent(const struct action *a, struct evidence_intent *f,
                        struct intent_parts *parts)
{
    *f = (struct evidence_intent){
        .chain = a->chain,
        .action = a->kind,
        .resource_type = a->resource_type,
        .resource = a->resource,
        .tenant = action_tenant(a),
        .purpose = a->purpose,
        .labels = &a->labels,
        .decision = &a->decision,
        .shadow = &a->shadow,
        .state = &a->snapshot->digests,
        .request = request_body(a),
    };
    memcpy(f->id, a->id, sizeof(f->id));
    if (a->parent != NULL)
        memcpy(f->parent, a->parent->id, sizeof(f->parent));
    memcpy(f->session, session_id(a->session), sizeof(f->session));
    if (a->class->describe != NULL)
        a->class->describe(a, f, &parts->route);
    f->limits = parts->limits;
    f->limit_count = add_limits(a, parts->limits);
}

enum err attempt_open(struct action *a)
{
    struct evidence_intent f UNINITIALIZED;
    struct intent_parts parts UNINITIALIZED;

    struct worker *worker = a->worker;
    struct pending_intent *p = pool_take(&worker->intents, sizeof(*p));
    if (p == NULL)
        return ERR_NO_MEMORY;
    fill_intent(a, &f, &parts);
    p->wait.done = on_durable;
    p->action = a;
    p->worker = worker;
    memcpy(p->id, f.id, sizeof(p->id));
    memcpy(p->session, f.session, sizeof(p->session));
    p->approved =
        a->approving != NULL && a->approving->spent && a->attempt.number == 1;
    if (p->approved) {
        f.approval = &a->approving->used;
        memcpy(p->ticket, a->approving->grant.id, sizeof(p->ticket));
    }
    p->tenant_len = str_first(f.tenant, NAME_MAX_LEN).len;
    memcpy(p->tenant, f.tenant.ptr, p->tenant_len);
    enum err e = evidence_intent(worker->evidence, &f, &p->wait);
    if (e != ERR_OK) {
        pool_give(&worker->intents, p);
        return e == ERR_LIMIT ? ERR_LIMIT : ERR_EVIDENCE;
    }
    a->recording = p;
    a->recorded = true;
    return ERR_OK;
}

void attempt_abandon(struct action *a)
{
    if (a->recording != NULL)
        a->recording->action = NULL;
    a->recording = NULL;
}

/* What was reserved becomes what was used, by the words of the outcome. */
static void settle(struct action *a, enum outcome_status status)
{
    struct limit_use use = limit_replay_use(status, &a->attempt.usage);

    limit_settle(a->worker->limits, &a->held, use.sent, use.tokens);
    if (use.sent)
        session_count(a->session, 1,
                      use.tokens == LIMIT_TOKENS_RESERVED ? a->estimate
                                                          : use.tokens);
}

static enum err close_with(struct action *a, enum outcome_status status,
                           enum err why, struct ledger_wait *w)
{
    const struct attempt *t = &a->attempt;
    struct evidence_outcome f = {
        .intent = t->intent.index,
        .tenant = action_tenant(a),
        .status = status,
        .error = why,
        .http_status = t->status,
        .duration_ms = loop_now_ms(a->worker->loop) - t->started_ms,
        .response = {.has_hmac = t->has_answer_hmac, .bytes = t->answer_bytes},
        .model = t->model,
        .finish = t->finish,
        .usage = &t->usage,
    };

    assert(t->open);
    memcpy(f.id, a->id, sizeof(f.id));
    memcpy(f.session, session_id(a->session), sizeof(f.session));
    memcpy(f.response.hmac, t->answer_hmac, sizeof(f.response.hmac));
    a->attempt.open = false;
    settle(a, status);
    return evidence_outcome(a->worker->evidence, &f, w);
}

void attempt_close(struct action *a, enum outcome_status status, enum err why)
{
    /* A loss leaves the intent open, which the ledger shows and closes. */
    (void)close_with(a, status, why, NULL);
}

enum err attempt_close_awaited(struct action *a, enum outcome_status status,
                               enum err why, struct ledger_wait *w)
{
    return close_with(a, status, why, w);
}

void attempt_refuse(struct action *a)
{
    struct evidence *ev = a->worker->evidence;

    if (a->proof == NULL) {
        struct str peer = http_request_peer(a->exchange->http);
        evidence_unknown(ev, a->err, peer);
        return;
    }
    struct evidence_refusal f = {
        .chain = a->chain,
        .action = a->kind,
        .resource_type =
            a->resource.len > 0 ? a->resource_type : (struct str){0},
        .resource = a->resource,
        .tenant = action_tenant(a),
        .error = a->err,
        .param = a->param,
        .decision = &a->decision,
        .shadow = &a->shadow,
        .state = &a->snapshot->digests,
        .request = request_body(a),
    };
    memcpy(f.id, a->id, sizeof(f.id));
    if (a->parent != NULL)
        memcpy(f.parent, a->parent->id, sizeof(f.parent));
    if (a->session != NULL)
        memcpy(f.session, session_id(a->session), sizeof(f.session));
    evidence_refusal(ev, &f);
}
