/*
 * model_dispatch.c - sends a model call.
 *
 * Repeated is what surely was not acted on: a connection that was not made, a
 * request of which no byte left, and an answer that says so (429, 5xx).  A
 * request that broke after bytes left is not: a model call is not idempotent.
 *
 * Stops with: ERR_CONNECT, ERR_UPSTREAM, ERR_TIMEOUT.
 */
#include "base/attr.h"
#include "http/client.h"
#include "llm/openai.h"
#include "pipeline/model.h"
#include "pipeline/model_relay.h"
#include "pipeline/retry.h"
#include "pipeline/snapshot.h"
#include "pipeline/worker.h"

enum { ERROR_BODY_MAX = 64 * 1024 };

static bool may_retry(const struct action *a)
{
    const struct model_settings *m =
        &a->snapshot->settings.models[model_of(a)->model];
    return a->attempt.number < m->attempts;
}

/* The whole body of an answer that is an error has come, or did not. */
static void on_error_body(void *user, struct str body, enum err e)
{
    struct action *a = user;

    if (e == ERR_OK && openai_retryable(a->attempt.status, body) &&
        may_retry(a)) {
        model_relay_drop(a); /* the caller will not see it */
        retry_start(a, OUTCOME_ERROR, ERR_OK);
        return;
    }
    enum step kept = e == ERR_OK ? model_relay_keep_error(a, body)
                                 : stage_stop(a, ERR_UPSTREAM);
    if (kept == STEP_STOP)
        model_relay_drop(a);
    pipeline_resume(a, kept);
}

static void on_head(void *user, const struct http_response_head *head)
{
    struct action *a = user;
    struct model_call *m = model_of(a);

    a->attempt.status = head->status;
    enum step kept = model_relay_keep_head(a, head);
    if (kept != STEP_NEXT) {
        http_call_cancel(m->call);
        m->call = NULL;
        pipeline_resume(a, kept);
        return;
    }
    if (head->status >= 200 && head->status <= 299) {
        pipeline_resume(a, STEP_NEXT);
        return;
    }
    struct body_source *src = http_call_body(m->call);
    m->call = NULL;
    gather_start(&m->gather, src, ERROR_BODY_MAX, on_error_body, a);
}

static void on_failed(void *user, enum err why, bool sent)
{
    struct action *a = user;

    model_of(a)->call = NULL;
    a->attempt.unsent = !sent;
    if (!sent && may_retry(a)) {
        retry_start(a, OUTCOME_NOT_SENT, why);
        return;
    }
    pipeline_resume(a, stage_stop(a, why));
}

static enum err send(struct action *a, struct str target)
{
    static const struct http_call_events events = {on_head, on_failed};
    const struct provider_settings *p = model_provider(a);
    struct model_call *m = model_of(a);
    const struct http_field fields[] = {
        {STR("accept"), m->request.stream ? STR("text/event-stream")
                                          : STR("application/json")},
        {STR("authorization"), a->credential},
        {STR("content-type"), STR("application/json")},
        {STR("user-agent"), STR("writ")},
    };
    const struct http_origin origin = {
        .host = p->host,
        .port = p->port,
        .tls = a->snapshot->provider_tls[a->attempt.to.to].context,
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
    return http_client_send(a->worker->client, &r, &events, a, &m->call);
}

enum step model_dispatch(struct action *a)
{
    char target_text[HTTP_TARGET_MAX] UNINITIALIZED;
    struct buf target;

    buf_init_lent(&target, target_text, sizeof(target_text));
    buf_add(&target, model_provider(a)->path);
    buf_add(&target, openai_path(model_of(a)->request.operation));
    if (!buf_ok(&target)) {
        a->attempt.unsent = true;
        return stage_stop(a, ERR_LIMIT);
    }
    enum err e = send(a, buf_str(&target));
    return e == ERR_OK ? STEP_WAIT : stage_stop(a, e);
}

void model_dispatch_cancel(struct action *a)
{
    struct model_call *m = model_of(a);

    gather_cancel(&m->gather);
    if (m->call != NULL)
        http_call_cancel(m->call);
    m->call = NULL;
    model_relay_drop(a);
}
