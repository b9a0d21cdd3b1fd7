/*
 * stage_dispatch.c - sends; repeats or falls back only to destinations that
 * were decided on, each attempt with its own intent.
 *
 * Repeated is what surely was not acted on: a connection that was not made, a
 * request of which no byte left, and an answer that says so (429, 5xx).  A
 * request that broke after bytes left is not: a model call is not idempotent.
 *
 * Needs: decision to credential.  Gives: dispatched (set before the first
 * byte).  Stops with: ERR_CONNECT, ERR_UPSTREAM, ERR_TIMEOUT.
 */
#include <assert.h>

#include "base/attr.h"
#include "base/container.h"
#include "http/client.h"
#include "llm/openai.h"
#include "os/loop.h"
#include "pipeline/action.h"
#include "pipeline/attempt.h"
#include "pipeline/gather.h"
#include "pipeline/relay.h"
#include "pipeline/snapshot.h"
#include "pipeline/standing.h"
#include "pipeline/worker.h"

enum {
    ERROR_BODY_MAX = 64 * 1024,
    BACKOFF_MS = 50, /* before the same destination is asked again; doubles */
    BACKOFF_MAX_MS = 2000,
};

static bool may_retry(const struct action *a)
{
    const struct model_settings *m = &a->snapshot->settings.models[a->model];
    return a->attempt.number < m->attempts;
}

static void on_backoff(struct timer *t)
{
    pipeline_resume(CONTAINER_OF(t, struct action, backoff), STEP_RETRY);
}

/* Closes this attempt and goes back for the next one, at once where that is
 * another destination, after a pause where all of them have been asked. */
static void retry(struct action *a, enum outcome_status status, enum err why)
{
    unsigned round = a->attempt.number / a->candidate_count;
    bool wrapped = a->attempt.number % a->candidate_count == 0;

    attempt_close(a, status, why);
    relay_drop(a); /* of an answer that the caller will not see */
    if (!wrapped) {
        pipeline_resume(a, STEP_RETRY);
        return;
    }
    int64_t pause_ms = (int64_t)BACKOFF_MS << (round < 6 ? round - 1 : 5);
    timer_set(a->worker->loop, &a->backoff,
              pause_ms < BACKOFF_MAX_MS ? pause_ms : BACKOFF_MAX_MS,
              on_backoff);
}

/* The whole body of an answer that is an error has come, or did not. */
static void on_error_body(void *user, struct str body, enum err e)
{
    struct action *a = user;

    if (e == ERR_OK && openai_retryable(a->attempt.status, body) &&
        may_retry(a)) {
        retry(a, OUTCOME_ERROR, ERR_OK);
        return;
    }
    enum step kept =
        e == ERR_OK ? relay_keep_error(a, body) : stage_stop(a, ERR_UPSTREAM);
    if (kept == STEP_STOP)
        relay_drop(a);
    pipeline_resume(a, kept);
}

static void on_head(void *user, const struct http_response_head *head)
{
    struct action *a = user;

    a->attempt.status = head->status;
    enum step kept = relay_keep_head(a, head);
    if (kept != STEP_NEXT) {
        http_call_cancel(a->call);
        a->call = NULL;
        pipeline_resume(a, kept);
        return;
    }
    if (head->status >= 200 && head->status <= 299) {
        pipeline_resume(a, STEP_NEXT);
        return;
    }
    struct body_source *src = http_call_body(a->call);
    a->call = NULL;
    gather_start(&a->gather, src, ERROR_BODY_MAX, on_error_body, a);
}

static void on_failed(void *user, enum err why, bool sent)
{
    struct action *a = user;

    a->call = NULL;
    a->attempt.unsent = !sent;
    if (!sent && may_retry(a)) {
        retry(a, OUTCOME_NOT_SENT, why);
        return;
    }
    pipeline_resume(a, stage_stop(a, why));
}

static enum err send(struct action *a, struct str target)
{
    static const struct http_call_events events = {on_head, on_failed};
    const struct provider_settings *p = action_provider(a);
    const struct http_field fields[] = {
        {STR("accept"), a->request.stream ? STR("text/event-stream")
                                          : STR("application/json")},
        {STR("authorization"), a->credential},
        {STR("content-type"), STR("application/json")},
        {STR("user-agent"), STR("writ")},
    };
    const struct http_origin origin = {
        .host = p->host,
        .port = p->port,
        .tls = a->snapshot->provider_tls[a->attempt.to.provider].context,
        .partition = action_tenant(a),
        .allow_local = p->local,
        .connect_timeout_ms = p->connect_ms,
    };
    const struct http_call_request r = {
        .origin = &origin,
        .method = STR("POST"),
        .target = target,
        .fields = {fields, ARRAY_LEN(fields)},
        .body = buf_str(&a->outgoing),
        .head_timeout_ms = p->head_ms,
        .body_idle_ms = p->idle_ms,
    };
    return http_client_send(a->worker->client, &r, &events, a, &a->call);
}

enum step stage_dispatch(struct action *a)
{
    const struct provider_settings *p = action_provider(a);
    char target_text[HTTP_TARGET_MAX] UNINITIALIZED;
    struct buf target;

    buf_init_lent(&target, target_text, sizeof(target_text));
    buf_add(&target, p->path);
    buf_add(&target, openai_path(a->request.operation));

    enum err e = standing_holds(a);
    if (e == ERR_OK && !buf_ok(&target))
        e = ERR_LIMIT;
    if (e == ERR_OK) {
        pipeline_fact(a, FACT_DISPATCHED); /* before the first byte */
        e = send(a, buf_str(&target));
    }
    return e == ERR_OK ? STEP_WAIT : stage_stop(a, e);
}

void stage_dispatch_cancel(struct action *a)
{
    timer_cancel(&a->backoff);
    gather_cancel(&a->gather);
    if (a->call != NULL)
        http_call_cancel(a->call);
    a->call = NULL;
    relay_drop(a);
}
