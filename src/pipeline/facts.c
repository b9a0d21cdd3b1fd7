/* facts.c - see facts.h. */
#include "pipeline/facts.h"

#include "http/server.h"
#include "os/loop.h"
#include "pipeline/action.h"
#include "pipeline/approving.h"
#include "pipeline/exchange.h"
#include "pipeline/snapshot.h"
#include "pipeline/worker.h"
#include "registry/registry.h"
#include "session/session.h"

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
    const struct exchange *x = action_request(a);
    struct str peer = x == NULL ? (struct str){0} : http_request_peer(x->http);
    size_t end = peer.len;

    while (end > 0 && peer.ptr[end - 1] != ':')
        end--;
    struct str host = str_first(peer, end > 0 ? end - 1 : peer.len);
    if (host.len > 2 && host.ptr[0] == '[')
        host = (struct str){host.ptr + 1, host.len - 2};
    return host;
}

void facts_ask(const struct action *a, struct facts *f,
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
        .resource_type = a->resource_type,
        .resource = a->resource,
        .tenant = action_tenant(a),
        .purpose = a->purpose,
        .labels = &a->labels,
        .session = &f->session,
        .supervised = is_supervised(a),
        .tokens = a->estimate,
        .risk = a->risk,
        .lifted = a->approving != NULL && a->approving->granted
                      ? &a->approving->lifted
                      : NULL,
        .now_us = loop_wall_us(a->worker->loop),
        .ip = address_of(a),
    };
}

void facts_decide(const struct action *a, const struct rules_request *q,
                  struct rules_answer *ret)
{
    rules_decide(a->snapshot->rules, a->worker->evaluator, q, ret);
}

void facts_begin(const struct action *a, const struct rules_request *q)
{
    rules_decide_begin(a->snapshot->rules, a->worker->evaluator, q);
}

void facts_next(const struct action *a, const struct rules_request *q,
                struct rules_answer *ret)
{
    rules_decide_next(a->worker->evaluator, q, ret);
}

void facts_end(const struct action *a)
{
    rules_decide_end(a->worker->evaluator);
}
