/*
 * rules_fence.c - see rules_fence.h.
 *
 * Which tenant may send to which provider is worked out once; a question is
 * two look-ups then.
 */
#include "policy/rules_fence.h"

struct rules_fence_place {
    struct str region;
    const uint64_t *tenants; /* bits, by number */
};

static bool has_name(struct names names, struct str name)
{
    for (size_t i = 0; i < names.count; i++) {
        if (str_eq(names.at[i], name))
            return true;
    }
    return false;
}

/* Where an action can go: a provider, or a server of tools. */
struct place {
    struct str name, region;
    struct names tenants;
};

/* May this tenant's data go there?  Both sides have a say. */
static bool fits(const struct place *to, const struct tenant_settings *t)
{
    return (to->tenants.count == 0 || has_name(to->tenants, t->name)) &&
           (t->regions.count == 0 || has_name(t->regions, to->region));
}

static enum err add_tenant(struct rules_fence *f, struct arena *a,
                           struct str name, size_t number)
{
    size_t *at = ARENA_NEW(a, size_t, 1);
    struct str key;
    if (at == NULL || !arena_copy(a, name, &key))
        return ERR_NO_MEMORY;
    *at = number;
    return map_set(&f->tenants, key, at);
}

static enum err add_place(struct map *to, struct arena *a,
                          const struct settings *s, const struct place *from)
{
    struct rules_fence_place *place = ARENA_NEW(a, struct rules_fence_place, 1);
    uint64_t *bits = ARENA_NEW(a, uint64_t, s->tenant_count / 64 + 1);
    struct str name;
    if (place == NULL || bits == NULL || !arena_copy(a, from->name, &name) ||
        !arena_copy(a, from->region, &place->region))
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < s->tenant_count; i++) {
        if (fits(from, &s->tenants[i]))
            bits[i / 64] |= UINT64_C(1) << (i % 64);
    }
    place->tenants = bits;
    return map_set(to, name, place);
}

enum err rules_fence_init(struct rules_fence *f, struct arena *a,
                          const struct settings *s)
{
    /* Names come from the config, so nobody chooses them to collide. */
    const struct siphash_key seed = {0, 0};
    f->is_open = s == NULL;
    if (f->is_open)
        return ERR_OK;
    map_init(&f->tenants, seed, s->tenant_count);
    map_init(&f->places, seed, s->provider_count);
    map_init(&f->servers, seed, s->tool_count);
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < s->tenant_count; i++)
        e = add_tenant(f, a, s->tenants[i].name, i);
    for (size_t i = 0; e == ERR_OK && i < s->provider_count; i++) {
        const struct provider_settings *p = &s->providers[i];
        e = add_place(&f->places, a, s,
                      &(struct place){p->name, p->region, p->tenants});
    }
    for (size_t i = 0; e == ERR_OK && i < s->tool_count; i++) {
        const struct tool_server_settings *t = &s->tools[i];
        e = add_place(&f->servers, a, s,
                      &(struct place){t->name, t->region, t->tenants});
    }
    return e;
}

void rules_fence_release(struct rules_fence *f)
{
    map_release(&f->tenants);
    map_release(&f->places);
    map_release(&f->servers);
}

/* A server is where its tools are: what is said of the destination has to be
 * that server. */
static bool is_at(const struct rules_fence_place *place,
                  const struct rules_request *q)
{
    const struct rules_destination *d = &q->destination;
    if (q->tool != NULL && d->provider.len == 0)
        return true;
    return str_eq(place->region, d->region) &&
           (q->tool == NULL || str_eq(q->tool->server, d->provider));
}

bool rules_fence_admits(const struct rules_fence *f,
                        const struct rules_request *q)
{
    if (q->tenant.len == 0)
        return false;
    for (unsigned i = 0; i < q->chain->count; i++) {
        if (!str_eq(q->chain->links[i].who.tenant, q->tenant))
            return false;
    }
    if (f->is_open || (q->tool == NULL && q->destination.provider.len == 0))
        return true; /* nothing leaves */
    const struct rules_fence_place *place =
        q->tool != NULL ? map_get(&f->servers, q->tool->server)
                        : map_get(&f->places, q->destination.provider);
    const size_t *tenant = map_get(&f->tenants, q->tenant);
    return place != NULL && tenant != NULL && is_at(place, q) &&
           (place->tenants[*tenant / 64] >> (*tenant % 64) & 1) != 0;
}
