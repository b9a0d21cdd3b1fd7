/* model.c - see model.h. */
#include "pipeline/model.h"
#include "approval/approval.h"
#include "approval/approval_digest.h"
#include "mcp/canon.h"

#include <assert.h>

#include "broker/broker.h"
#include "evidence/entry.h"
#include "limit/limit.h"
#include "pipeline/snapshot.h"
#include "policy/rules.h"

struct model_call *model_of(const struct action *a)
{
    assert(a->class == &model_class);
    return a->own;
}

const struct provider_settings *model_provider(const struct action *a)
{
    return &a->snapshot->settings.providers[a->attempt.to.to];
}

const struct route_settings *model_route_to(const struct action *a,
                                            struct candidate c)
{
    const struct model_settings *m =
        &a->snapshot->settings.models[model_of(a)->model];
    return c.fallback ? &m->fallback[c.route] : &m->routes[c.route];
}

void model_drop_question(struct action *a)
{
    action_drop_question(a);
    model_of(a)->request.body = NULL;
}

static void add_facts(const struct action *a, unsigned candidate,
                      struct rules_request *q)
{
    const struct provider_settings *p =
        &a->snapshot->settings.providers[a->candidates[candidate].to];

    q->destination = (struct rules_destination){p->name, p->host, p->region};
}

static void add_to_limits(const struct action *a, struct limit_ask *ask)
{
    ask->model = a->resource;
}

static enum err get_credential(const struct action *a,
                               struct broker_credential *ret)
{
    return broker_get(a->snapshot->broker, a->attempt.to.to, action_tenant(a),
                      model_provider(a)->region, ret);
}

static void describe_route(const struct action *a, struct evidence_route *to)
{
    to->alias = a->resource;
    to->attempt = a->attempt.number;
    to->chosen = (a->attempt.number - 1) % a->candidate_count;
    to->candidate_count = a->candidate_count;
    for (unsigned i = 0; i < a->candidate_count; i++) {
        struct candidate c = a->candidates[i];
        to->candidates[i] = (struct evidence_candidate){
            a->snapshot->settings.providers[c.to].name,
            model_route_to(a, c)->model};
    }
    if (a->attempt.number > 1)
        to->why = STR("retry");
    else
        to->why = a->attempt.to.fallback ? STR("fallback") : STR("weight");
}

static void describe(const struct action *a, struct evidence_intent *f,
                     struct evidence_route *room)
{
    const struct provider_settings *p = model_provider(a);
    struct broker_credential c = {0};

    describe_route(a, room);
    f->route = room;
    f->destination = (struct evidence_destination){p->name, p->host, p->region};
    f->dialect = STR("openai");
    /* The one that `broker` will take; empty when none fits, which it
     * refuses. */
    if (get_credential(a, &c) == ERR_OK)
        f->credential = c.id;
}

/* The whole question: an approver sees what the model would be asked. */
static enum err exact(struct action *a, struct approval_action *to,
                      struct str *room)
{
    struct buf text;

    for (unsigned i = 0; i < a->candidate_count; i++)
        room[i] = a->snapshot->settings.providers[a->candidates[i].to].name;
    to->destination_count = a->candidate_count;
    buf_init(&text, APPROVAL_TEXT_MAX);
    enum err e = canon_write(&text, &a->question, model_of(a)->request.body);
    if (e == ERR_OK && !arena_copy(a->arena, buf_str(&text), &to->arguments))
        e = ERR_NO_MEMORY;
    buf_release(&text);
    return e;
}

static enum err take_credential(struct action *a)
{
    struct broker_credential c;

    enum err e = get_credential(a, &c);
    if (e == ERR_OK)
        a->credential = c.field;
    return e;
}

static void release(struct action *a)
{
    const struct model_call *m = model_of(a);
    assert(m->call == NULL && m->relay == NULL && m->gather.src == NULL);
    (void)m;
}

const struct action_class model_class = {
    .name = "model",
    .own_size = sizeof(struct model_call),
    .parse = model_parse,
    .parse_cancel = model_parse_cancel,
    .route = model_route,
    .facts = add_facts,
    .count = add_to_limits,
    .exact = exact,
    .outgoing = model_outgoing,
    .describe = describe,
    .broker = take_credential,
    .dispatch = model_dispatch,
    .dispatch_cancel = model_dispatch_cancel,
    .relay = model_relay,
    .relay_cancel = model_relay_cancel,
    .release = release,
};
