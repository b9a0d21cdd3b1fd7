/*
 * rules_facts.c - see rules_facts.h.
 *
 * Who takes part is made into entities for this request; all else is loaded.
 * Nobody in the loaded store can be a member of one of them, so the one store
 * may stand upon the other.
 */
#include "policy/rules_facts.h"

#include "base/attr.h"
#include "domain/risk.h"
#include "policy/rules_context.h"
#include "policy/rules_tool.h"
#include "policy/rules_vocabulary.h"

/* Groups of one link that are looked for without memory of the arena. */
enum { FEW_GROUPS = 64 };

static const struct str types[] = {
    [PRINCIPAL_NONE] = STR_INIT(""),
    [PRINCIPAL_USER] = STR_INIT(RULES_NAMESPACE "User"),
    [PRINCIPAL_APPLICATION] = STR_INIT(RULES_NAMESPACE "Application"),
    [PRINCIPAL_WORKLOAD] = STR_INIT(RULES_NAMESPACE "Workload"),
    [PRINCIPAL_AGENT] = STR_INIT(RULES_NAMESPACE "Agent"),
};

static struct cedar_value word(struct str s)
{
    return s.len == 0 ? (struct cedar_value){.kind = CEDAR_NOTHING}
                      : cedar_value_string(s);
}

enum err rules_facts_risk(struct arena *a, uint32_t risk,
                          struct cedar_value *ret)
{
    struct str words[RISK_WORDS];
    size_t n = 0;
    for (unsigned i = 0; i < RISK_WORDS; i++) {
        if ((risk >> i & 1) != 0)
            words[n++] = risk_word(i);
    }
    return rules_context_words(a, words, n, ret);
}

static enum err attributes(const struct rules_facts *f,
                           const struct principal *who,
                           const struct rules_link *l,
                           const struct cedar_record **ret)
{
    struct arena *a = f->arena;
    struct cedar_value v[SHAPE_PRINCIPAL_COUNT] = {
        [SHAPE_PRINCIPAL_ISSUER] = cedar_value_string(who->issuer),
        [SHAPE_PRINCIPAL_KIND] =
            cedar_value_string(principal_kind_name(who->kind)),
        [SHAPE_PRINCIPAL_MODE] = word(l->mode),
        [SHAPE_PRINCIPAL_NAME] = cedar_value_string(l->name),
        [SHAPE_PRINCIPAL_OWNER] = word(l->owner),
        /* Whoever is not is refused before policy is asked. */
        [SHAPE_PRINCIPAL_STATE] = cedar_value_string(STR("active")),
        [SHAPE_PRINCIPAL_TENANT] = cedar_value_string(who->tenant),
    };
    enum err e = rules_context_words(a, l->purposes, l->purpose_count,
                                     &v[SHAPE_PRINCIPAL_PURPOSES]);
    if (e == ERR_OK)
        e = rules_facts_risk(a, l->risk, &v[SHAPE_PRINCIPAL_RISK]);
    return e != ERR_OK
               ? e
               : cedar_shape_record(a,
                                    f->rules->shapes.at[RULES_SHAPE_PRINCIPAL],
                                    v, ret);
}

/* A group that policies may only know by a name that is put together. */
static enum err make_group(struct arena *a, struct str issuer, struct str name,
                           struct cedar_uid *ret)
{
    char *id = arena_alloc_raw(a, issuer.len + 1 + name.len);
    if (id == NULL)
        return ERR_LIMIT;
    if (issuer.len > 0)
        memcpy(id, issuer.ptr, issuer.len);
    id[issuer.len] = '|';
    if (name.len > 0)
        memcpy(id + issuer.len + 1, name.ptr, name.len);
    *ret = cedar_uid_make(STR(RULES_NAMESPACE "Group"),
                          (struct str){id, issuer.len + 1 + name.len});
    return ERR_OK;
}

/* Finds those of a link's groups that policies speak of, each once. */
static size_t spoken_of(const struct rules_groups *groups, const struct link *l,
                        const struct cedar_uid **to)
{
    size_t n = 0;
    for (size_t i = 0; i < l->group_count; i++) {
        const struct cedar_uid *uid =
            rules_groups_find(groups, l->who.issuer, l->groups[i]);
        size_t k = 0;
        while (k < n && to[k] != uid)
            k++;
        if (uid != NULL && k == n)
            to[n++] = uid;
    }
    return n;
}

/* Its tenant, and all groups, or those that make a difference. */
static enum err parents(const struct rules_facts *f, const struct link *l,
                        struct cedar_entity *to)
{
    const struct rules_groups *groups = &f->rules->groups;
    const struct cedar_uid *few[FEW_GROUPS] UNINITIALIZED;
    const struct cedar_uid **found = few;
    size_t n = l->group_count;
    if (!groups->all && n > FEW_GROUPS)
        found = (const struct cedar_uid **)
            arena_alloc_raw(f->arena, n * sizeof(struct cedar_uid *));
    if (found == NULL)
        return ERR_LIMIT;
    if (!groups->all)
        n = spoken_of(groups, l, found);
    struct cedar_uid *at = ARENA_NEW(f->arena, struct cedar_uid, 1 + n);
    enum err e = at == NULL ? ERR_LIMIT : ERR_OK;
    if (e == ERR_OK)
        at[0] = cedar_uid_make(STR(RULES_NAMESPACE "Tenant"), l->who.tenant);
    for (size_t i = 0; e == ERR_OK && i < n; i++) {
        if (groups->all)
            e = make_group(f->arena, l->who.issuer, l->groups[i], &at[1 + i]);
        else
            at[1 + i] = *found[i];
    }
    to->parents = at;
    to->parent_count = 1 + n;
    return e;
}

static enum err principal(const struct rules_facts *f, unsigned link,
                          struct cedar_entity *ret)
{
    const struct rules_request *q = f->request;
    static const struct rules_link nothing = {0};
    const struct link *l = &q->chain->links[link];
    if (l->who.kind == PRINCIPAL_NONE ||
        (unsigned)l->who.kind >= ARRAY_LEN(types))
        return ERR_MALFORMED;
    *ret = (struct cedar_entity){
        .uid = cedar_uid_make(types[l->who.kind], l->who.id),
    };
    enum err e =
        attributes(f, &l->who, q->links == NULL ? &nothing : &q->links[link],
                   &ret->attributes);
    return e != ERR_OK ? e : parents(f, l, ret);
}

/* Known from the files or the config, or one that is made for the request. */
static enum err resource(struct rules_facts *f, struct cedar_entity *to,
                         size_t *count)
{
    const struct rules_request *q = f->request;
    struct arena *a = f->arena;
    struct cedar_uid *ret = &f->resource;
    struct str space = STR(RULES_NAMESPACE);
    char room[RULES_KEY_MAX];
    if (rules_tool_is_meant(q))
        return rules_tool_resource(f, &to[(*count)++]);
    struct str key = rules_set_key(q->resource_type, q->resource, room);
    const struct cedar_uid *known =
        key.len == 0 ? NULL : map_get(&f->rules->known, key);
    if (known != NULL) {
        *ret = *known;
        return ERR_OK;
    }
    if (q->resource_type.len == 0)
        return ERR_MALFORMED;
    char *type = arena_alloc_raw(a, space.len + q->resource_type.len);
    const struct cedar_value v[SHAPE_RESOURCE_COUNT] = {
        [SHAPE_RESOURCE_NAME] = cedar_value_string(q->resource),
    };
    if (type == NULL)
        return ERR_LIMIT;
    memcpy(type, space.ptr, space.len);
    memcpy(type + space.len, q->resource_type.ptr, q->resource_type.len);
    *ret = cedar_uid_make((struct str){type, space.len + q->resource_type.len},
                          q->resource);
    for (unsigned i = 0; i < q->chain->count; i++) {
        if (cedar_uid_equal(ret, &f->principals[i]))
            return ERR_OK; /* an agent that speaks of itself */
    }
    struct cedar_entity *made = &to[(*count)++];
    *made = (struct cedar_entity){.uid = *ret};
    return cedar_shape_record(a, f->rules->shapes.at[RULES_SHAPE_RESOURCE], v,
                              &made->attributes);
}

/* The link before this one that is the same identity, or `link`. */
static unsigned first_of(const struct rules_facts *f, unsigned link)
{
    unsigned i = 0;
    while (i < link &&
           !cedar_uid_equal(&f->principals[i], &f->principals[link]))
        i++;
    return i;
}

/* An entity for each link; those of different identities are in `all`. */
static enum err principals(struct rules_facts *f, struct cedar_entity *links,
                           struct cedar_entity *all, size_t *count)
{
    enum err e = ERR_OK;
    for (unsigned i = 0; e == ERR_OK && i < f->request->chain->count; i++) {
        e = principal(f, i, &links[i]);
        if (e != ERR_OK)
            return e;
        f->principals[i] = links[i].uid;
        if (first_of(f, i) == i)
            all[(*count)++] = links[i];
    }
    return e;
}

/*
 * One store for the request.  A link whose identity came before, with groups
 * of another credential, has a store of its own upon it: each link decides
 * with what its own credential says.
 */
static enum err build(struct rules_facts *f, const struct cedar_entity *links,
                      const struct cedar_entity *all, size_t count)
{
    struct arena *a = f->arena;
    const struct cedar_entities *store = NULL;
    enum err e =
        cedar_entities_build(a, all, count, f->rules->entities, NULL, &store);
    for (unsigned i = 0; e == ERR_OK && i < f->request->chain->count; i++) {
        f->entities[i] = store;
        if (first_of(f, i) != i)
            e = cedar_entities_build(a, &links[i], 1, store, NULL,
                                     &f->entities[i]);
    }
    return e;
}

/* What is asked for, with its action where it has one of its own. */
static enum err things(struct rules_facts *f, struct cedar_entity *to,
                       size_t *count)
{
    enum err e = resource(f, to, count);
    if (e == ERR_OK && f->request->action == ACTION_TOOL_CALL)
        e = rules_tool_action(f, &to[(*count)++]);
    return e;
}

static void begin(struct rules_facts *f)
{
    f->action = f->rules->actions[f->request->action];
    memset(f->context, 0, sizeof(f->context));
    for (unsigned i = 0; i < CHAIN_LINKS_MAX; i++)
        f->contexts[i] = NULL;
}

enum err rules_facts_fill(struct rules_facts *f)
{
    struct cedar_entity links[CHAIN_LINKS_MAX] UNINITIALIZED;
    struct cedar_entity all[CHAIN_LINKS_MAX + 2] UNINITIALIZED;
    size_t count = 0;
    begin(f);
    enum err e = principals(f, links, all, &count);
    if (e == ERR_OK)
        e = things(f, all, &count);
    if (e == ERR_OK)
        e = build(f, links, all, count);
    return e != ERR_OK ? e : rules_context_fill(f);
}

enum err rules_facts_share(struct rules_facts *f)
{
    struct cedar_entity links[CHAIN_LINKS_MAX] UNINITIALIZED;
    struct cedar_entity all[CHAIN_LINKS_MAX] UNINITIALIZED;
    size_t count = 0;
    begin(f);
    enum err e = principals(f, links, all, &count);
    if (e == ERR_OK)
        e = build(f, links, all, count);
    if (e == ERR_OK)
        e = rules_context_fill(f);
    for (unsigned i = 0; e == ERR_OK && i < f->request->chain->count; i++) {
        f->people[i] = f->entities[i];
        e = rules_context_of_link(f, i, RULES_WITH_HISTORY, &f->contexts[i]);
    }
    return e;
}

enum err rules_facts_add(struct rules_facts *f)
{
    struct cedar_entity made[2] UNINITIALIZED;
    size_t count = 0;
    enum err e = things(f, made, &count);
    for (unsigned i = 0; e == ERR_OK && i < f->request->chain->count; i++) {
        unsigned k = 0;
        while (f->people[k] != f->people[i])
            k++;
        if (k < i)
            f->entities[i] = f->entities[k];
        else
            e = cedar_entities_build(f->arena, made, count, f->people[i], NULL,
                                     &f->entities[i]);
    }
    return e;
}
