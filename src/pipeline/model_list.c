/*
 * model_list.c - see model_list.h.
 *
 * Nothing leaves the gateway: the answer is made where it is decided, model by
 * model, and the action stops there.
 */
#include "pipeline/model_list.h"

#include "base/attr.h"
#include "http/server.h"
#include "llm/openai.h"
#include "pipeline/action.h"
#include "pipeline/exchange.h"
#include "pipeline/facts.h"
#include "pipeline/snapshot.h"

enum { LISTING_MAX = 1024 * 1024 };

static enum step parse(struct action *a)
{
    const struct exchange *x = a->exchange;

    a->kind = x->endpoint->action;
    a->resource_type = STR("Model");
    a->risk = RISK_READ;
    if (http_request_head(x->http)->query.len == 0)
        return STEP_NEXT;
    a->param = STR("query");
    return stage_stop(a, ERR_UNKNOWN_FIELD);
}

static enum step go_nowhere(struct action *a)
{
    (void)a;
    return STEP_NEXT;
}

/* A model is listed when the caller may use it at any of its routes. */
static bool may_use(const struct action *a, struct rules_request *q,
                    const struct model_settings *m)
{
    const struct settings *s = &a->snapshot->settings;
    struct rules_answer answer;

    q->resource = m->name;
    for (size_t i = 0; i < m->route_count; i++) {
        const struct provider_settings *p =
            &s->providers[m->routes[i].provider];
        q->destination =
            (struct rules_destination){p->name, p->host, p->region};
        facts_decide(a, q, &answer);
        if (answer.decision.effect == DECISION_ALLOW)
            return true;
    }
    return false;
}

static enum step answer(struct action *a, const struct str *names, size_t count)
{
    bool one = a->exchange->argument.len > 0;
    struct buf body;

    if (one && count == 0)
        return stage_stop(a, ERR_NOT_FOUND);
    buf_init(&body, LISTING_MAX);
    if (one)
        openai_model(&body, names[0]);
    else
        openai_models(&body, names, count);
    if (buf_ok(&body))
        exchange_reply(a->exchange, 200, (struct http_fields){0},
                       STR("application/json"), buf_str(&body));
    enum step done = buf_ok(&body) ? STEP_STOP : stage_stop(a, ERR_LIMIT);
    buf_release(&body);
    return done;
}

static enum step decide(struct action *a)
{
    const struct settings *s = &a->snapshot->settings;
    struct str one = a->exchange->argument;
    struct str *names = ARENA_NEW(a->arena, struct str, s->model_count);
    size_t count = 0;
    struct facts facts UNINITIALIZED;
    struct rules_request q;

    if (names == NULL)
        return stage_stop(a, ERR_NO_MEMORY);
    facts_ask(a, &facts, &q);
    for (size_t i = 0; i < s->model_count; i++) {
        const struct model_settings *m = &s->models[i];
        if ((one.len == 0 || str_eq(one, m->name)) && may_use(a, &q, m))
            names[count++] = m->name;
    }
    return answer(a, names, count);
}

const struct action_class model_list_class = {
    .name = "model list",
    .parse = parse,
    .route = go_nowhere,
    .decide = decide,
};
