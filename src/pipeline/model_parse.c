/*
 * model_parse.c - reads the body of a model call, by the dialect's
 * allow-list, into the one form that is decided on and sent.
 *
 * Stops with: what the dialect found, ERR_MEDIA_TYPE, ERR_LIMIT.
 */
#include "http/server.h"
#include "llm/openai.h"
#include "pipeline/exchange.h"
#include "pipeline/model.h"
#include "pipeline/payload.h"
#include "pipeline/snapshot.h"

static enum step refuse_part(struct action *a, const struct llm_problem *p)
{
    a->reason = p->text;
    a->param = p->param;
    return stage_stop(a, p->err);
}

static enum step read_question(struct action *a, struct str body)
{
    const struct endpoint *to = a->exchange->endpoint;
    struct llm_request *q = &model_of(a)->request;
    struct llm_problem problem = {0};

    a->request_bytes = body.len;
    a->has_request_hmac = payload_hmac(a, body, a->request_hmac);
    enum err e = openai_read(&a->question, to->operation, body,
                             a->snapshot->allow_fields, q, &problem);
    if (e != ERR_OK)
        return refuse_part(a, &problem);

    char *alias = arena_strdup(a->arena, q->model);
    if (alias == NULL)
        return stage_stop(a, ERR_NO_MEMORY);
    a->resource = (struct str){alias, q->model.len};
    q->model = a->resource; /* it stays when the question goes */
    a->estimate = openai_estimate(q);
    return STEP_NEXT;
}

static void on_body(void *user, struct str body, enum err e)
{
    struct action *a = user;
    enum step outcome = e == ERR_OK ? read_question(a, body) : stage_stop(a, e);
    /* What was read is a copy: one reading of the bytes, then they go. */
    http_request_drop_body(a->exchange->http);
    pipeline_resume(a, outcome);
}

static bool is_json(struct str content_type)
{
    struct str type = str_first(content_type, str_find(content_type, ';'));
    return str_eq_nocase(str_trim(type), STR("application/json"));
}

enum step model_parse(struct action *a)
{
    struct exchange *x = a->exchange;
    const struct http_request_head *head = http_request_head(x->http);
    const struct settings *s = &a->snapshot->settings;

    a->kind = x->endpoint->action;
    a->resource_type = STR("Model");
    a->risk = RISK_READ;
    if (head->query.len > 0) {
        a->param = STR("query");
        return stage_stop(a, ERR_UNKNOWN_FIELD);
    }
    /* A coded body could be read two ways; nobody needs one here. */
    if (!is_json(http_fields_get(head->fields, STR("content-type"))) ||
        http_fields_count(head->fields, STR("content-encoding")) > 0)
        return stage_stop(a, ERR_MEDIA_TYPE);

    size_t max = s->server.body_max < x->endpoint->body_max
                     ? (size_t)s->server.body_max
                     : x->endpoint->body_max;
    http_request_read(x->http, max, on_body, a);
    return STEP_WAIT;
}

void model_parse_cancel(struct action *a)
{
    /* The server forgets the read when the request is done or answered. */
    (void)a;
}
