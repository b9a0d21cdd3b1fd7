/* rules_explain.c - see rules_explain.h. */
#include "policy/rules_explain.h"

#include "policy/rules_decide.h"

static struct rules_reason reason_of(const struct rules_policy *p)
{
    return (struct rules_reason){
        .policy = p->id,
        .file = p->file,
        .line = p->line,
        .is_permit = p->is_permit,
    };
}

static enum err keep(const struct rules_policies *p,
                     const struct rules_verdict *v, struct arena *a,
                     struct rules_why *ret)
{
    struct rules_reason *reasons =
        ARENA_NEW(a, struct rules_reason, v->reason_count);
    struct rules_reason *faults =
        ARENA_NEW(a, struct rules_reason, v->fault_count);
    if (reasons == NULL || faults == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < v->reason_count; i++)
        reasons[i] = reason_of(&p->at[v->reasons[i]]);
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
        .permitted = v->permitted,
        .reasons = reasons,
        .reason_count = v->reason_count,
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
    ret->by_fence = ret->answer.denied_link < 0;
    if (ret->by_fence || !rules_decide_is_question(q))
        return ERR_OK; /* nobody was asked */
    ret->link_count = q->chain->count;
    enum err e = rules_facts_fill(&f);
    for (unsigned i = 0; e == ERR_OK && i < ret->link_count; i++) {
        rules_decide_link(&f, &r->live, v, i, &one);
        e = keep(&r->live, &one, a, &ret->live[i]);
        if (e != ERR_OK || !r->shadow.is_there)
            continue;
        rules_decide_link(&f, &r->shadow, v, i, &one);
        e = keep(&r->shadow, &one, a, &ret->shadow[i]);
    }
    arena_release(&v->arena);
    return e == ERR_OK ? ERR_OK : ERR_NO_MEMORY;
}
