/* rules_decide.c - see rules.h and rules_decide.h. */
#include "policy/rules_decide.h"

#include <assert.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/limits.h"
#include "policy/rules_context.h"

/* Entities and context of one request; groups are most of it. */
#define REQUEST_MAX (4 * MIB)

enum err rules_evaluator_new(struct rules_evaluator **ret)
{
    struct rules_evaluator *v = calloc(1, sizeof(*v));
    if (v == NULL)
        return ERR_NO_MEMORY;
    v->cedar = cedar_evaluator_new();
    if (v->cedar == NULL) {
        free(v);
        return ERR_NO_MEMORY;
    }
    arena_init_spare(&v->arena, REQUEST_MAX, &v->spare);
    *ret = v;
    return ERR_OK;
}

void rules_evaluator_free(struct rules_evaluator *v)
{
    if (v == NULL)
        return;
    cedar_evaluator_free(v->cedar);
    arena_release(&v->arena);
    arena_spare_release(&v->spare);
    free(v);
}

static bool ask(const struct rules_facts *f, const struct rules_policies *p,
                struct rules_evaluator *v, unsigned link,
                enum rules_history history, struct cedar_answer *ret)
{
    static const struct cedar_options options = {.erring_forbid_denies = true};
    struct cedar_request request = {
        .principal = f->principals[link],
        .action = f->action,
        .resource = f->resource,
        .entities = f->entities[link],
    };
    return rules_context_of_link(f, link, history, &request.context) ==
               ERR_OK &&
           cedar_authorize(v->cedar, p->cedar, &request, &options, ret) ==
               ERR_OK;
}

void rules_decide_link(const struct rules_facts *f,
                       const struct rules_policies *p,
                       struct rules_evaluator *v, unsigned link,
                       struct rules_verdict *ret)
{
    struct cedar_answer answer;
    *ret = (struct rules_verdict){.permitted = false};
    if (!ask(f, p, v, link, RULES_WITH_HISTORY, &answer))
        return;
    /* History only denies: what it permits has to be permitted without. */
    if (answer.decision == CEDAR_ALLOW &&
        f->request->chain->history_count > 0 &&
        !ask(f, p, v, link, RULES_WITHOUT_HISTORY, &answer))
        return;
    *ret = (struct rules_verdict){
        .permitted = answer.decision == CEDAR_ALLOW,
        .reasons = answer.reasons,
        .reason_count = answer.reason_count,
        .faults = answer.faults,
        .fault_count = answer.fault_count,
    };
}

/* Ids without doubles, as many as a decision holds. */
struct ids {
    struct str at[DECISION_POLICIES_MAX];
    unsigned count;
};

static void add(struct ids *to, struct str id)
{
    for (unsigned i = 0; i < to->count; i++) {
        if (to->at[i].ptr == id.ptr)
            return; /* a policy has one id, which lies in one place */
    }
    if (to->count < DECISION_POLICIES_MAX)
        to->at[to->count++] = id;
}

/* What the links said, together. */
struct count {
    struct ids permits, forbids;
    unsigned errors;
    int denied;    /* the first link that was not permitted, or -1 */
    int forbidden; /* the first that was forbidden, or -1 */
};

static void count_link(const struct rules_policies *p, unsigned link,
                       const struct rules_verdict *v, struct count *to)
{
    unsigned before = to->forbids.count;
    for (size_t i = 0; i < v->reason_count; i++)
        add(v->permitted ? &to->permits : &to->forbids,
            p->at[v->reasons[i]].id);
    for (size_t i = 0; i < v->fault_count; i++) {
        const struct rules_policy *erred = &p->at[v->faults[i].policy];
        if (!erred->is_permit)
            add(&to->forbids, erred->id);
    }
    to->errors += (unsigned)v->fault_count;
    if (!v->permitted && to->denied < 0)
        to->denied = (int)link;
    if (!v->permitted && to->forbidden < 0 &&
        (v->reason_count > 0 || to->forbids.count > before))
        to->forbidden = (int)link;
}

static void decide(const struct rules_facts *f, const struct rules_policies *p,
                   struct rules_evaluator *v, struct count *c,
                   struct decision *ret)
{
    *c = (struct count){.denied = -1, .forbidden = -1};
    for (unsigned i = 0; i < f->request->chain->count; i++) {
        struct rules_verdict one;
        rules_decide_link(f, p, v, i, &one);
        count_link(p, i, &one, c);
    }
    const struct ids *why = c->denied < 0 ? &c->permits : &c->forbids;
    ret->effect = c->denied < 0 ? DECISION_ALLOW : DECISION_DENY;
    ret->errors = c->errors;
    memcpy(ret->policies, why->at, sizeof(why->at));
    ret->policy_count = why->count;
}

bool rules_decide_is_question(const struct rules_request *q)
{
    const struct chain *c = q->chain;
    return c != NULL && c->count > 0 && c->count <= CHAIN_LINKS_MAX &&
           c->history_count <= CHAIN_LINKS_MAX &&
           (unsigned)q->action < ACTION_COUNT && q->action != ACTION_NONE;
}

void rules_decide(const struct rules *r, struct rules_evaluator *v,
                  const struct rules_request *q, struct rules_answer *ret)
{
    const struct decision deny = {.effect = DECISION_DENY, .pdp = STR("writ")};
    struct rules_facts facts UNINITIALIZED;
    struct count count UNINITIALIZED;
    *ret = (struct rules_answer){
        .decision = deny,
        .shadow = {.present = r->shadow.is_there, .decision = deny},
    };
    if (!rules_decide_is_question(q))
        return;
    if (!rules_fence_admits(&r->fence, q)) {
        ret->decision.policies[ret->decision.policy_count++] = RULES_FENCE;
        ret->shadow.decision = ret->decision;
        ret->denied_link = -1;
        return;
    }
    facts.rules = r;
    facts.request = q;
    facts.arena = &v->arena;
    if (rules_facts_fill(&facts) == ERR_OK) {
        decide(&facts, &r->live, v, &count, &ret->decision);
        ret->denied_link = count.forbidden >= 0 ? count.forbidden
                           : count.denied >= 0  ? count.denied
                                                : 0;
        ret->by_forbid = count.forbidden >= 0;
        /* Last: what it takes of the memory is missing to nobody. */
        if (r->shadow.is_there)
            decide(&facts, &r->shadow, v, &count, &ret->shadow.decision);
    }
    arena_release(&v->arena);
}

static_assert((int)DECISION_POLICIES_MAX >= (int)CHAIN_LINKS_MAX,
              "each link of a chain may have a permit of its own");
