/* rules_decide.c - see rules.h and rules_decide.h. */
#include "policy/rules_decide.h"

#include <assert.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/limits.h"
#include "policy/rules_ceiling.h"
#include "policy/rules_context.h"
#include "policy/rules_tool.h"

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
    free(v->series);
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
    if (history == RULES_WITH_HISTORY)
        request.context = f->contexts[link];
    bool is_made =
        request.context != NULL ||
        rules_context_of_link(f, link, history, &request.context) == ERR_OK;
    return is_made && cedar_authorize(v->cedar, p->cedar, &request, &options,
                                      ret) == ERR_OK;
}

enum rules_forbids rules_decide_forbids(const struct rules_policy *p,
                                        const struct rules_request *q)
{
    if (p->approval.len == 0)
        return RULES_FORBIDS;
    for (size_t i = 0; q->lifted != NULL && i < q->lifted->count; i++) {
        const struct str *groups = q->lifted->groups;
        if (str_eq(q->lifted->policies[i], p->id) &&
            (groups == NULL || str_eq(groups[i], p->approval)))
            return RULES_FORBIDS_NOT;
    }
    return RULES_FORBIDS_ONCE;
}

/* For a list of tools: a policy that fails for want of arguments may be
 * satisfied by some. */
static bool is_open(const struct rules_policy *p, const struct rules_request *q)
{
    return q->tool != NULL && q->tool->any_arguments && p->uses_input;
}

/* Pass by pass: what denies first, then what has to be permitted, then what
 * people have to say. */
static void weigh(const struct rules_policies *p, const struct rules_request *q,
                  struct rules_verdict *v)
{
    bool permitted = v->permit_count > 0;
    bool deferred = false;
    v->by_forbid = false;
    for (size_t i = 0; i < v->fault_count; i++) {
        const struct rules_policy *erred = &p->at[v->faults[i].policy];
        if (is_open(erred, q))
            permitted = permitted || erred->is_permit;
        else if (!erred->is_permit)
            v->by_forbid = true; /* whether people could lift it or not */
    }
    for (size_t i = 0; i < v->forbid_count; i++) {
        enum rules_forbids what =
            rules_decide_forbids(&p->at[v->forbids[i]], q);
        if (what == RULES_FORBIDS)
            v->by_forbid = true;
        else if (what == RULES_FORBIDS_ONCE)
            deferred = true;
    }
    v->effect = v->by_forbid || !permitted ? DECISION_DENY
                : deferred                 ? DECISION_DEFER
                                           : DECISION_ALLOW;
}

static struct rules_verdict verdict_of(const struct cedar_answer *a)
{
    return (struct rules_verdict){
        .permits = a->permits,
        .permit_count = a->permit_count,
        .forbids = a->forbids,
        .forbid_count = a->forbid_count,
        .faults = a->faults,
        .fault_count = a->fault_count,
    };
}

/* Adds, to a copy of `own`, the forbids of `other` that are not in it. */
static bool join_forbids(struct arena *a, struct rules_verdict *own,
                         const struct cedar_answer *other)
{
    size_t n = own->forbid_count;
    uint32_t *to = arena_alloc_raw(a, (n + other->forbid_count) * sizeof(*to));
    if (to == NULL)
        return false;
    if (n > 0)
        memcpy(to, own->forbids, n * sizeof(*to));
    for (size_t i = 0, k = 0; i < other->forbid_count; i++) {
        while (k < own->forbid_count && to[k] < other->forbids[i])
            k++; /* both ascend */
        if (k == own->forbid_count || to[k] != other->forbids[i])
            to[n++] = other->forbids[i];
    }
    own->forbids = to;
    own->forbid_count = n;
    return true;
}

/* The same of faults. */
static bool join_faults(struct arena *a, struct rules_verdict *own,
                        const struct cedar_answer *other)
{
    size_t n = own->fault_count;
    struct cedar_policy_fault *to =
        arena_alloc_raw(a, (n + other->fault_count) * sizeof(*to));
    if (to == NULL)
        return false;
    if (n > 0)
        memcpy(to, own->faults, n * sizeof(*to));
    for (size_t i = 0, k = 0; i < other->fault_count; i++) {
        while (k < own->fault_count && to[k].policy < other->faults[i].policy)
            k++;
        if (k == own->fault_count || to[k].policy != other->faults[i].policy)
            to[n++] = other->faults[i];
    }
    own->faults = to;
    own->fault_count = n;
    return true;
}

/*
 * History only denies: what is permitted has to be permitted without it, and
 * what forbids with it or without it forbids.  `own` is the answer with it,
 * in memory that the next answer takes.
 */
static bool ask_without_history(const struct rules_facts *f,
                                const struct rules_policies *p,
                                struct rules_evaluator *v, unsigned link,
                                struct rules_verdict *own)
{
    struct cedar_answer without;
    const struct cedar_answer nothing = {.decision = CEDAR_DENY};
    if (!join_forbids(f->arena, own, &nothing) ||
        !join_faults(f->arena, own, &nothing) ||
        !ask(f, p, v, link, RULES_WITHOUT_HISTORY, &without))
        return false;
    if (own->permit_count > 0) {
        own->permits = without.permits;
        own->permit_count = without.permit_count;
    }
    return join_forbids(f->arena, own, &without) &&
           join_faults(f->arena, own, &without);
}

void rules_decide_link(const struct rules_facts *f,
                       const struct rules_policies *p,
                       struct rules_evaluator *v, unsigned link,
                       struct rules_verdict *ret)
{
    struct cedar_answer answer;
    *ret = (struct rules_verdict){.effect = DECISION_DENY};
    if (!ask(f, p, v, link, RULES_WITH_HISTORY, &answer))
        return;
    struct rules_verdict one = verdict_of(&answer);
    if (f->request->chain->history_count > 0 &&
        !ask_without_history(f, p, v, link, &one))
        return;
    weigh(p, f->request, &one);
    *ret = one;
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
    const struct rules_policies *policies;
    const struct rules_request *request;
    struct ids permits, forbids;
    struct decision_approval approvals[DECISION_APPROVALS_MAX];
    unsigned approval_count;
    bool too_many; /* approvals: not all that is needed can be said */
    unsigned errors;
    int denied;    /* the first link that was not permitted, or -1 */
    int forbidden; /* the first that was forbidden, or -1 */
    int deferred;  /* the first that waits for people, or -1 */
};

static void add_approval(struct count *to, const struct rules_policy *p)
{
    for (unsigned i = 0; i < to->approval_count; i++) {
        if (to->approvals[i].policy.ptr == p->id.ptr)
            return;
    }
    if (to->approval_count == DECISION_APPROVALS_MAX)
        to->too_many = true;
    else
        to->approvals[to->approval_count++] =
            (struct decision_approval){p->id, p->approval};
}

static void count_link(struct count *to, unsigned link,
                       const struct rules_verdict *v)
{
    const struct rules_policy *at = to->policies->at;
    for (size_t i = 0; i < v->permit_count; i++)
        add(&to->permits, at[v->permits[i]].id);
    for (size_t i = 0; i < v->forbid_count; i++) {
        const struct rules_policy *p = &at[v->forbids[i]];
        enum rules_forbids what = rules_decide_forbids(p, to->request);
        if (what == RULES_FORBIDS)
            add(&to->forbids, p->id);
        else if (what == RULES_FORBIDS_ONCE)
            add_approval(to, p);
    }
    for (size_t i = 0; i < v->fault_count; i++) {
        const struct rules_policy *erred = &at[v->faults[i].policy];
        if (!erred->is_permit)
            add(&to->forbids, erred->id);
    }
    to->errors += (unsigned)v->fault_count;
    if (v->effect == DECISION_DENY && to->denied < 0)
        to->denied = (int)link;
    if (v->effect == DECISION_DENY && v->by_forbid && to->forbidden < 0)
        to->forbidden = (int)link;
    if (v->effect == DECISION_DEFER && to->deferred < 0)
        to->deferred = (int)link;
}

/* All that is needed, or no. */
static void defer(const struct count *c, struct decision *ret)
{
    ret->effect = c->too_many ? DECISION_DENY : DECISION_DEFER;
    ret->policy_count = 0;
    for (unsigned i = 0; i < c->approval_count; i++)
        ret->policies[ret->policy_count++] = c->approvals[i].policy;
    if (c->too_many)
        return;
    memcpy(ret->approvals, c->approvals, sizeof(ret->approvals));
    ret->approval_count = c->approval_count;
}

static void decide(const struct rules_facts *f, const struct rules_policies *p,
                   struct rules_evaluator *v, struct count *c,
                   struct decision *ret)
{
    c->policies = p;
    c->request = f->request;
    c->permits.count = 0;
    c->forbids.count = 0;
    c->approval_count = 0;
    c->too_many = false;
    c->errors = 0;
    c->denied = c->forbidden = c->deferred = -1;
    for (unsigned i = 0; i < f->request->chain->count; i++) {
        struct rules_verdict one;
        rules_decide_link(f, p, v, i, &one);
        count_link(c, i, &one);
    }
    ret->errors = c->errors;
    if (c->denied < 0 && c->deferred >= 0) {
        defer(c, ret);
        return;
    }
    const struct ids *why = c->denied < 0 ? &c->permits : &c->forbids;
    ret->effect = c->denied < 0 ? DECISION_ALLOW : DECISION_DENY;
    memcpy(ret->policies, why->at, why->count * sizeof(why->at[0]));
    ret->policy_count = why->count;
}

bool rules_decide_is_question(const struct rules_request *q)
{
    const struct chain *c = q->chain;
    return c != NULL && c->count > 0 && c->count <= CHAIN_LINKS_MAX &&
           c->history_count <= CHAIN_LINKS_MAX &&
           (unsigned)q->action < ACTION_COUNT && q->action != ACTION_NONE &&
           (q->action != ACTION_TOOL_CALL ||
            (q->tool != NULL && q->tool->name.len > 0 &&
             str_eq(q->resource_type, STR("Tool"))));
}

/* Before any policy is asked. */
static void refuse(struct rules_answer *ret, struct str by, int denied_link)
{
    ret->decision.policies[ret->decision.policy_count++] = by;
    ret->shadow.decision = ret->decision;
    ret->denied_link = denied_link;
}

/* An answer that denies; false: and that is all there is to say. */
static bool begin(const struct rules *r, const struct rules_request *q,
                  struct rules_answer *ret)
{
    const struct decision deny = {.effect = DECISION_DENY, .pdp = STR("writ")};
    unsigned link;
    *ret = (struct rules_answer){
        .decision = deny,
        .shadow = {.present = r->shadow.is_there, .decision = deny},
    };
    if (!rules_decide_is_question(q))
        return false;
    if (!rules_fence_admits(&r->fence, q)) {
        refuse(ret, RULES_FENCE, RULES_DENIED_BY_FENCE);
        return false;
    }
    if (rules_ceiling_lacks(q, &link) != 0) {
        refuse(ret, RULES_CEILING, RULES_DENIED_BY_CEILING);
        return false;
    }
    return true;
}

static void tell(const struct rules_facts *f, struct rules_evaluator *v,
                 struct rules_answer *ret)
{
    const struct rules *r = f->rules;
    struct count count UNINITIALIZED;
    decide(f, &r->live, v, &count, &ret->decision);
    ret->denied_link = count.forbidden >= 0  ? count.forbidden
                       : count.denied >= 0   ? count.denied
                       : count.deferred >= 0 ? count.deferred
                                             : 0;
    ret->by_forbid =
        count.forbidden >= 0 || (count.denied < 0 && count.deferred >= 0);
    /* Last: what it takes of the memory is missing to nobody. */
    if (r->shadow.is_there)
        decide(f, &r->shadow, v, &count, &ret->shadow.decision);
}

void rules_decide(const struct rules *r, struct rules_evaluator *v,
                  const struct rules_request *q, struct rules_answer *ret)
{
    struct rules_facts facts UNINITIALIZED;
    if (!begin(r, q, ret))
        return;
    facts.rules = r;
    facts.request = q;
    facts.arena = &v->arena;
    if (rules_facts_fill(&facts) == ERR_OK)
        tell(&facts, v, ret);
    arena_release(&v->arena);
}

/* ---- a series ---- */

/* What its questions share lies in the evaluator's arena. */
struct rules_series {
    struct rules_facts facts;
    bool open;
    const struct chain *chain;
    enum action_kind action;
    struct arena each; /* of one question */
};

void rules_decide_begin(const struct rules *r, struct rules_evaluator *v,
                        const struct rules_request *q)
{
    if (v->series == NULL)
        v->series = calloc(1, sizeof(*v->series));
    struct rules_series *s = v->series;
    if (s == NULL)
        return;
    assert(!s->open);
    arena_init_spare(&s->each, REQUEST_MAX, &v->spare);
    s->facts.rules = r;
    s->facts.request = q;
    s->facts.arena = &v->arena;
    s->chain = q->chain;
    s->action = q->action;
    s->open = q->chain != NULL && q->chain->count > 0 &&
              q->chain->count <= CHAIN_LINKS_MAX &&
              (unsigned)q->action < ACTION_COUNT && q->tool != NULL &&
              q->tool->any_arguments && rules_facts_share(&s->facts) == ERR_OK;
}

/* Whatever else the question shares is the first one's. */
static bool is_of(const struct rules_series *s, const struct rules_request *q)
{
    return q->chain == s->chain && q->action == s->action && q->tool != NULL &&
           q->tool->any_arguments && rules_tool_is_meant(q);
}

void rules_decide_next(struct rules_evaluator *v, const struct rules_request *q,
                       struct rules_answer *ret)
{
    struct rules_series *s = v->series;
    if (s == NULL || !s->open) {
        *ret = (struct rules_answer){.decision = {.pdp = STR("writ")}};
        return;
    }
    if (!begin(s->facts.rules, q, ret) || !is_of(s, q))
        return;
    s->facts.request = q;
    s->facts.arena = &s->each;
    if (rules_facts_add(&s->facts) == ERR_OK)
        tell(&s->facts, v, ret);
    arena_release(&s->each);
}

void rules_decide_end(struct rules_evaluator *v)
{
    if (v->series != NULL)
        v->series->open = false;
    arena_release(&v->arena);
}

static_assert((int)DECISION_POLICIES_MAX >= (int)CHAIN_LINKS_MAX,
              "each link of a chain may have a permit of its own");
