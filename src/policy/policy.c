/* policy.c - see policy.h. */
#include "policy/policy.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/map.h"

enum { ENTRIES_MAX = 1 << 20, TEXT_MAX = 256 };

static const char prefix[] = "callers/";

/* What one caller's entry permits. */
struct permit {
    const struct caller_settings *caller;
    struct str tenant;
    struct str policy_id; /* "callers/<name>" */
};

struct policy_set {
    atomic_uint refs;
    const struct settings *settings;
    struct map permits; /* "<entity>|<id>" -> struct permit */
    struct map models;  /* alias -> struct model_settings */
    struct arena arena;
};

/* The key of a principal: its entity type and id, as policy names it. */
static struct str key_of(char room[TEXT_MAX], struct str entity, struct str id)
{
    int len =
        snprintf(room, TEXT_MAX, "%.*s|%.*s", STR_FMT(entity), STR_FMT(id));
    if (len < 0 || len >= TEXT_MAX)
        return (struct str){NULL, 0};
    return (struct str){room, (size_t)len};
}

static struct str caller_id(char room[TEXT_MAX], const struct settings *s,
                            const struct caller_settings *c)
{
    struct str tenant = s->tenants[c->tenant].name;
    int len = c->kind == PRINCIPAL_AGENT
                  ? snprintf(room, TEXT_MAX, "%.*s/%.*s", STR_FMT(tenant),
                             STR_FMT(c->name))
                  : snprintf(room, TEXT_MAX, "keys|%.*s", STR_FMT(c->name));
    if (len < 0 || len >= TEXT_MAX)
        return (struct str){NULL, 0};
    return (struct str){room, (size_t)len};
}

static enum err keep(struct arena *a, struct str s, struct str *ret)
{
    const char *copy = s.ptr == NULL ? NULL : arena_strdup(a, s);
    if (copy == NULL)
        return ERR_LIMIT;
    *ret = (struct str){copy, s.len};
    return ERR_OK;
}

static enum err add_permit(struct policy_set *set,
                           const struct caller_settings *c)
{
    char id_room[TEXT_MAX], key_room[TEXT_MAX], policy_room[TEXT_MAX];
    const struct settings *s = set->settings;
    struct str key;

    struct permit *p = ARENA_NEW(&set->arena, struct permit, 1);
    if (p == NULL)
        return ERR_NO_MEMORY;
    p->caller = c;
    p->tenant = s->tenants[c->tenant].name;
    int len =
        snprintf(policy_room, TEXT_MAX, "%s%.*s", prefix, STR_FMT(c->name));
    enum err e = len < 0 || len >= TEXT_MAX
                     ? ERR_LIMIT
                     : keep(&set->arena, (struct str){policy_room, (size_t)len},
                            &p->policy_id);
    if (e == ERR_OK)
        e = keep(&set->arena,
                 key_of(key_room, principal_kind_entity(c->kind),
                        caller_id(id_room, s, c)),
                 &key);
    return e == ERR_OK ? map_set(&set->permits, key, p) : e;
}

enum err policy_set_new(const struct settings *settings,
                        struct siphash_key seed, struct policy_set **ret_set)
{
    struct policy_set *set = calloc(1, sizeof(*set));
    if (set == NULL)
        return ERR_NO_MEMORY;
    atomic_init(&set->refs, 1);
    set->settings = settings;
    arena_init(&set->arena, 256 * MIB);
    map_init(&set->permits, seed, ENTRIES_MAX);
    map_init(&set->models, seed, ENTRIES_MAX);

    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < settings->model_count; i++)
        e = map_set(&set->models, settings->models[i].name,
                    (void *)(uintptr_t)&settings->models[i]);
    for (size_t i = 0; e == ERR_OK && i < settings->caller_count; i++)
        e = add_permit(set, &settings->callers[i]);
    if (e != ERR_OK) {
        policy_set_unref(set);
        return e;
    }
    *ret_set = set;
    return ERR_OK;
}

struct policy_set *policy_set_ref(struct policy_set *set)
{
    atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
    return set;
}

void policy_set_unref(struct policy_set *set)
{
    if (set == NULL ||
        atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) != 1)
        return;
    map_release(&set->permits);
    map_release(&set->models);
    arena_release(&set->arena);
    free(set);
}

/* The permit of one link for this question, or NULL. */
static const struct permit *permit_of(const struct policy_set *set,
                                      const struct link *link,
                                      const struct policy_request *r)
{
    char room[TEXT_MAX];
    struct str key =
        key_of(room, principal_kind_entity(link->who.kind), link->who.id);
    const struct permit *p =
        key.ptr == NULL ? NULL : map_get(&set->permits, key);
    const struct model_settings *m = map_get(&set->models, r->resource_id);

    if (p == NULL || m == NULL || !str_eq(p->tenant, link->who.tenant))
        return NULL;
    for (size_t i = 0; i < p->caller->model_count; i++) {
        if (&set->settings->models[p->caller->models[i]] == m)
            return p;
    }
    return NULL;
}

struct decision policy_decide(const struct policy_set *set,
                              const struct policy_request *r)
{
    struct decision d = {.effect = DECISION_DENY, .pdp = STR("writ")};
    bool model_action =
        r->action == ACTION_MODEL_INVOKE || r->action == ACTION_MODEL_EMBED;

    if (r->chain->count == 0 || r->resource != POLICY_MODEL || !model_action)
        return d;
    for (unsigned i = 0; i < r->chain->count; i++) {
        const struct permit *p = permit_of(set, &r->chain->links[i], r);
        if (p == NULL) {
            d.policy_count = 0; /* a permit of another link decides nothing */
            return d;
        }
        if (d.policy_count < DECISION_POLICIES_MAX)
            d.policies[d.policy_count++] = p->policy_id;
    }
    d.effect = DECISION_ALLOW;
    return d;
}

static bool contains(struct names names, struct str name)
{
    for (size_t i = 0; i < names.count; i++) {
        if (str_eq(names.at[i], name))
            return true;
    }
    return false;
}

bool policy_tenant_admits(const struct settings *s, struct str tenant,
                          const struct provider_settings *p)
{
    if (p->tenants.count > 0 && !contains(p->tenants, tenant))
        return false;
    for (size_t i = 0; i < s->tenant_count; i++) {
        const struct tenant_settings *t = &s->tenants[i];
        if (!str_eq(t->name, tenant))
            continue;
        /* A tenant without regions has not limited them. */
        return t->regions.count == 0 || contains(t->regions, p->region);
    }
    return false;
}
