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
#include "base/attr.h"
#include "http/server.h"
#include "llm/openai.h"
#include "os/loop.h"
#include "pipeline/action.h"
#include "pipeline/exchange.h"
#include "pipeline/snapshot.h"
#include "pipeline/worker.h"
#include "policy/rules.h"
#include "registry/registry.h"
#include "session/session.h"

enum { LISTING_MAX = 1024 * 1024 };

/* What all questions about an action have in common. */
struct facts {
    struct rules_link links[CHAIN_LINKS_MAX];
    struct rules_session session;
};

static void take_links(const struct action *a, struct facts *f)
{
    for (unsigned i = 0; i < a->chain->count; i++) {
        const struct registry_entry *e = a->entries[i];
        f->links[i] = (struct rules_link){
            .name = e->name,
            .owner = e->owner,
            .purposes = e->purposes,
            .purpose_count = e->purpose_count,
            .mode = registry_mode_name(e->mode),
            .risk = e->risk,
        };
    }
}

/* The root is a person who logged in a short while ago; what a key says of
 * itself is no login. */
static bool is_supervised(const struct action *a)
{
    const struct link *root = &a->chain->links[0];
    int64_t age_us = loop_wall_us(a->worker->loop) - root->auth_time_us;

    return root->role == LINK_SUBJECT && root->auth_time_us > 0 &&
           age_us >= 0 &&
           age_us <= a->snapshot->settings.sessions.supervised_ms * 1000;
}

/* "192.0.2.1:5000" and "[2001:db8::1]:5000" without port and brackets. */
static struct str address_of(const struct action *a)
{
    struct str peer = a->exchange == NULL
                          ? (struct str){0}
                          : http_request_peer(a->exchange->http);
    size_t end = peer.len;

    while (end > 0 && peer.ptr[end - 1] != ':')
        end--;
    struct str host = str_first(peer, end > 0 ? end - 1 : peer.len);
    if (host.len > 2 && host.ptr[0] == '[')
        host = (struct str){host.ptr + 1, host.len - 2};
    return host;
}

static void ask(const struct action *a, struct facts *f,
                struct rules_request *ret)
{
    struct session_state s = session_state_of(a->session);

    take_links(a, f);
    f->session = (struct rules_session){.calls = s.calls,
                                        .tokens = s.tokens,
                                        .age_ms = loop_now_ms(a->worker->loop) -
                                                  s.opened_ms};
    *ret = (struct rules_request){
        .chain = a->chain,
        .links = f->links,
        .action = a->kind,
        .resource_type = STR("Model"),
        .resource = a->resource,
        .tenant = action_tenant(a),
        .purpose = a->purpose,
        .labels = &a->labels,
        .session = &f->session,
        .supervised = is_supervised(a),
        .tokens = a->estimate,
        .now_us = loop_wall_us(a->worker->loop),
        .ip = address_of(a),
    };
}

static void decide_on(const struct action *a, struct rules_request *q,
                      const struct provider_settings *p,
                      struct rules_answer *ret)
{
    q->destination = (struct rules_destination){p->name, p->host, p->region};
    rules_decide(a->snapshot->rules, a->worker->evaluator, q, ret);
}

/* ---- a listing: what the caller may use, and nothing else ---- */

/* A model is listed when the caller may use it at any of its routes. */
static bool may_use(const struct action *a, struct rules_request *q,
                    const struct model_settings *m)
{
    const struct settings *s = &a->snapshot->settings;
    struct rules_answer answer;

    q->resource = m->name;
    for (size_t i = 0; i < m->route_count; i++) {
        decide_on(a, q, &s->providers[m->routes[i].provider], &answer);
        if (answer.decision.effect == DECISION_ALLOW)
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
    struct facts facts;
    struct rules_request q;

    if (names == NULL)
        return stage_stop(a, ERR_NO_MEMORY);
    ask(a, &facts, &q);
    for (size_t i = 0; i < s->model_count; i++) {
        const struct model_settings *m = &s->models[i];
        if ((one.len == 0 || str_eq(one, m->name)) && may_use(a, &q, m))
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
    struct facts facts UNINITIALIZED;
    struct rules_request q;
    struct rules_answer answer UNINITIALIZED;

    if (a->exchange != NULL && a->exchange->endpoint->kind == ENDPOINT_MODELS)
        return list(a);
    a->estimate = openai_estimate(&a->request);
    ask(a, &facts, &q);
    for (unsigned i = 0; i < a->candidate_count; i++) {
        size_t provider = a->candidates[i].provider;
        decide_on(a, &q, &a->snapshot->settings.providers[provider], &answer);
        bool allowed = answer.decision.effect == DECISION_ALLOW;
        /* The first one is what evidence shows: the reason to go, or not. */
        if (i == 0 || (kept == 0 && allowed)) {
            a->decision = answer.decision;
            a->shadow = answer.shadow;
        }
        if (allowed)
            a->candidates[kept++] = a->candidates[i];
    }
    a->candidate_count = kept;
    return kept > 0 ? STEP_NEXT : stage_stop(a, ERR_DENIED);
}
