/* rules_explain.c - see rules_explain.h. */
#include "policy/rules_explain.h"

#include "policy/rules_ceiling.h"
#include "policy/rules_decide.h"

static struct rules_reason reason_of(const struct rules_policy *p)
{
    return (struct rules_reason){
        .policy = p->id,
        .file = p->file,
        .line = p->line,
        .is_permit = p->is_permit,
        .approval = p->approval,
    };
}

/* Those of the satisfied policies that made the link's decision what it is. */
static size_t find_reasons(const struct rules_policies *p,
                           const struct rules_request *q,
                           const struct rules_verdict *v,
                           struct rules_reason *to)
{
    size_t n = 0;
    bool allowed = v->effect == DECISION_ALLOW;
    enum rules_forbids wanted = allowed ? RULES_FORBIDS_NOT
                                : v->effect == DECISION_DENY
                                    ? RULES_FORBIDS
                                    : RULES_FORBIDS_ONCE;
    for (size_t i = 0; allowed && i < v->permit_count; i++)
        to[n++] = reason_of(&p->at[v->permits[i]]);
    for (size_t i = 0; i < v->forbid_count; i++) {
        const struct rules_policy *one = &p->at[v->forbids[i]];
        if (rules_decide_forbids(one, q) != wanted)
            continue;
        to[n] = reason_of(one);
        to[n++].is_lifted = allowed;
    }
    return n;
}

static enum err keep(const struct rules_facts *f,
                     const struct rules_policies *p,
                     const struct rules_verdict *v, struct arena *a,
                     struct rules_why *ret)
{
    struct rules_reason *reasons =
        ARENA_NEW(a, struct rules_reason, v->permit_count + v->forbid_count);
    struct rules_reason *faults =
        ARENA_NEW(a, struct rules_reason, v->fault_count);
    if (reasons == NULL || faults == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < v->fault_count; i++) {
        const struct rules_policy *erred = &p->at[v->faults[i].policy];
        uint32_t line;
        uint32_t column;
        cedar_policies_locate(p->cedar, v->faults[i].offset, &line, &column);
        faults[i] = reason_of(erred);
        faults[i].fault = str_from(cedar_fault_text(v->faults[i].fault));
        faults[i].fault_line = line - erred->above;
        faults[i].fault_column = column;
    }
    *ret = (struct rules_why){
        .effect = v->effect,
        .by_forbid = v->by_forbid,
        .reasons = reasons,
        .reason_count = find_reasons(p, f->request, v, reasons),
        .faults = faults,
        .fault_count = v->fault_count,
    };
    return ERR_OK;
}

enum err rules_explain(const struct rules *r, struct rules_evaluator *v,
                       const struct rules_request *q, struct arena *a,
                       struct rules_explanation *ret)
{
    struct rules_facts f = {.rules = r, .request = q, .arena = &v->arena};
    struct rules_verdict one;
    *ret = (struct rules_explanation){0};
    rules_decide(r, v, q, &ret->answer);
    ret->by_fence = ret->answer.denied_link == RULES_DENIED_BY_FENCE;
    ret->by_ceiling = ret->answer.denied_link == RULES_DENIED_BY_CEILING;
    if (ret->by_ceiling)
        ret->ceiling_lacks = rules_ceiling_lacks(q, &ret->ceiling_link);
    if (ret->by_fence || ret->by_ceiling || !rules_decide_is_question(q))
        return ERR_OK; /* nobody was asked */
    ret->link_count = q->chain->count;
    enum err e = rules_facts_fill(&f);
    for (unsigned i = 0; e == ERR_OK && i < ret->link_count; i++) {
        rules_decide_link(&f, &r->live, v, i, &one);
        e = keep(&f, &r->live, &one, a, &ret->live[i]);
        if (e != ERR_OK || !r->shadow.is_there)
            continue;
        rules_decide_link(&f, &r->shadow, v, i, &one);
        e = keep(&f, &r->shadow, &one, a, &ret->shadow[i]);
    }
    arena_release(&v->arena);
    return e == ERR_OK ? ERR_OK : ERR_NO_MEMORY;
}
