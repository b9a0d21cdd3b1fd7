/*
 * stage_decide.c - may every link of the chain do this, to that destination,
 * now?
 *
 * Each candidate is decided on by itself; those that are denied are dropped,
 * so that a fallback can never go where policy did not allow.
 *
 * Needs: everything that says who, what and where to.  Gives: decision.
 * Stops with: ERR_DENIED; for a listing, with the answer.
 */
#include "llm/openai.h"
#include "pipeline/action.h"
#include "pipeline/exchange.h"
#include "pipeline/snapshot.h"
#include "policy/policy.h"

enum { LISTING_MAX = 1024 * 1024 };

static struct decision decide_on(const struct action *a, struct str model,
                                 const struct provider_settings *p)
{
    const struct policy_request r = {
        .chain = &a->chain,
        .action = a->kind,
        .resource_type = STR("Model"),
        .resource = model,
        .tenant = a->caller->who.tenant,
        .destination = {p->name, p->host, p->region},
        .labels = &a->labels,
    };
    return policy_decide(a->snapshot->policy, &r);
}

/* ---- a listing: what the caller may use, and nothing else ---- */

/* A model is listed when the caller may use it at any of its routes. */
static bool may_use(const struct action *a, const struct model_settings *m)
{
    const struct settings *s = &a->snapshot->settings;

    for (size_t i = 0; i < m->route_count; i++) {
        struct decision d =
            decide_on(a, m->name, &s->providers[m->routes[i].provider]);
        if (d.effect == DECISION_ALLOW)
            return true;
    }
    return false;
}

static enum step list(struct action *a)
{
    const struct settings *s = &a->snapshot->settings;
    struct str one = a->exchange->argument;
    struct str *names = ARENA_NEW(a->arena, struct str, s->model_count);
    size_t count = 0;
    struct buf body;

    if (names == NULL)
        return stage_stop(a, ERR_NO_MEMORY);
    for (size_t i = 0; i < s->model_count; i++) {
        const struct model_settings *m = &s->models[i];
        if ((one.len == 0 || str_eq(one, m->name)) && may_use(a, m))
            names[count++] = m->name;
    }
    if (one.len > 0 && count == 0)
        return stage_stop(a, ERR_NOT_FOUND);
    buf_init(&body, LISTING_MAX);
    if (one.len > 0)
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

enum step stage_decide(struct action *a)
{
    unsigned kept = 0;

    if (a->exchange != NULL && a->exchange->endpoint->kind == ENDPOINT_MODELS)
        return list(a);
    for (unsigned i = 0; i < a->candidate_count; i++) {
        size_t provider = a->candidates[i].provider;
        struct decision d =
            decide_on(a, a->resource,
                      &a->snapshot->settings.providers[provider]);
        /* The first one is what evidence shows: the reason to go, or not. */
        if (i == 0 || (kept == 0 && d.effect == DECISION_ALLOW))
            a->decision = d;
        if (d.effect != DECISION_ALLOW)
            continue;
        a->candidates[kept++] = a->candidates[i];
    }
    a->candidate_count = kept;
    return kept > 0 ? STEP_NEXT : stage_stop(a, ERR_DENIED);
}
