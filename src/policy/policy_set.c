/*
 * policy_set.c - makes a policy set from the config.
 *
 * Everything is compiled here: callers by entity, the models that each may
 * use as a row of bits, and which tenant may go to which provider.  Then a
 * decision is a few look-ups.
 */
#include "policy/policy_set.h"

#include <assert.h>
#include <stdlib.h>

#include "codec/jcs.h"
#include "domain/principal_id.h"

enum {
    SET_ARENA_MAX = 512 * 1024 * 1024,
    TEXT_MAX = 256 * 1024 * 1024,
};

struct str policy_set_entity(const struct principal *who, char *to)
{
    struct str type = principal_kind_entity(who->kind);
    if (type.len == 0 || type.len + 2 + who->id.len > POLICY_SET_KEY_MAX)
        return (struct str){NULL, 0};
    memcpy(to, type.ptr, type.len);
    to[type.len] = to[type.len + 1] = ':';
    if (who->id.len > 0)
        memcpy(to + type.len + 2, who->id.ptr, who->id.len);
    return (struct str){to, type.len + 2 + who->id.len};
}

static uint64_t *bits_new(struct policy_set *p, size_t n)
{
    return ARENA_NEW(&p->arena, uint64_t, n / 64 + 1);
}

static void set_bit(uint64_t *bits, size_t n)
{
    bits[n / 64] |= UINT64_C(1) << (n % 64);
}

static bool has_name(struct names names, struct str name)
{
    for (size_t i = 0; i < names.count; i++) {
        if (str_eq(names.at[i], name))
            return true;
    }
    return false;
}

static bool join(struct arena *a, struct str x, struct str y, struct str *ret)
{
    char *p = arena_alloc(a, x.len + y.len);
    if (p == NULL)
        return false;
    memcpy(p, x.ptr, x.len);
    if (y.len > 0)
        memcpy(p + x.len, y.ptr, y.len);
    *ret = (struct str){p, x.len + y.len};
    return true;
}

/* Gives `name` the number `n` in `m`. */
static enum err number(struct policy_set *p, struct map *m, struct str name,
                       size_t n)
{
    size_t *at = ARENA_NEW(&p->arena, size_t, 1);
    struct str key;
    if (at == NULL || !arena_copy(&p->arena, name, &key))
        return ERR_NO_MEMORY;
    *at = n;
    return map_set(m, key, at);
}

static enum err number_names(struct policy_set *p, const struct settings *s)
{
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < s->model_count; i++)
        e = number(p, &p->models, s->models[i].name, i);
    for (size_t i = 0; e == ERR_OK && i < s->tenant_count; i++)
        e = number(p, &p->tenants, s->tenants[i].name, i);
    return e;
}

/* May this tenant's data go there?  Both sides have a say. */
static bool admits(const struct provider_settings *to,
                   const struct tenant_settings *t)
{
    return (to->tenants.count == 0 || has_name(to->tenants, t->name)) &&
           (t->regions.count == 0 || has_name(t->regions, to->region));
}

static enum err add_place(struct policy_set *p, const struct settings *s,
                          const struct provider_settings *from)
{
    struct policy_set_place *place =
        ARENA_NEW(&p->arena, struct policy_set_place, 1);
    uint64_t *tenants = bits_new(p, s->tenant_count);
    struct str name;
    if (place == NULL || tenants == NULL ||
        !arena_copy(&p->arena, from->name, &name) ||
        !arena_copy(&p->arena, from->region, &place->region))
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < s->tenant_count; i++) {
        if (admits(from, &s->tenants[i]))
            set_bit(tenants, i);
    }
    place->tenants = tenants;
    return map_set(&p->places, name, place);
}

static enum err add_grant(struct policy_set *p, const struct settings *s,
                          const struct caller_settings *from)
{
    struct policy_set_grant *g =
        ARENA_NEW(&p->arena, struct policy_set_grant, 1);
    uint64_t *models = bits_new(p, s->model_count);
    struct str tenant = s->tenants[from->tenant].name;
    const struct principal_parts parts = {from->kind, PRINCIPAL_KEYS_ISSUER,
                                          tenant, from->name};
    struct principal who = {.kind = from->kind};
    char id[PRINCIPAL_ID_MAX];
    char entity[POLICY_SET_KEY_MAX];

    if (!principal_id_make(&parts, id, &who.id.len))
        return ERR_OK; /* never proven, so nothing is permitted to it */
    who.id.ptr = id;
    if (g == NULL || models == NULL ||
        !arena_copy(&p->arena, policy_set_entity(&who, entity), &g->entity) ||
        !arena_copy(&p->arena, tenant, &g->tenant) ||
        !join(&p->arena, STR("callers/"), from->name, &g->policy))
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < from->model_count; i++)
        set_bit(models, from->models[i]);
    g->models = models;
    return map_set(&p->grants, g->entity, g);
}

/* Names in the order of the config. */
static void write_names(struct jcs *w, struct names names)
{
    jcs_array(w);
    for (size_t i = 0; i < names.count; i++)
        jcs_str(w, names.at[i]);
    jcs_end(w);
}

static void write_caller(struct jcs *w, const struct settings *s,
                         const struct caller_settings *from)
{
    jcs_object(w);
    jcs_pair_str(w, STR("kind"), principal_kind_name(from->kind));
    jcs_name(w, STR("models"));
    jcs_array(w);
    for (size_t i = 0; i < from->model_count; i++)
        jcs_str(w, s->models[from->models[i]].name);
    jcs_end(w);
    jcs_pair_str(w, STR("name"), from->name);
    jcs_pair_str(w, STR("tenant"), s->tenants[from->tenant].name);
    jcs_end(w);
}

static void write_text(struct jcs *w, const struct settings *s)
{
    jcs_object(w);
    jcs_name(w, STR("callers"));
    jcs_array(w);
    for (size_t i = 0; i < s->caller_count; i++)
        write_caller(w, s, &s->callers[i]);
    jcs_end(w);
    jcs_name(w, STR("providers"));
    jcs_array(w);
    for (size_t i = 0; i < s->provider_count; i++) {
        jcs_object(w);
        jcs_pair_str(w, STR("name"), s->providers[i].name);
        jcs_pair_str(w, STR("region"), s->providers[i].region);
        jcs_name(w, STR("tenants"));
        write_names(w, s->providers[i].tenants);
        jcs_end(w);
    }
    jcs_end(w);
    jcs_name(w, STR("tenants"));
    jcs_array(w);
    for (size_t i = 0; i < s->tenant_count; i++) {
        jcs_object(w);
        jcs_pair_str(w, STR("name"), s->tenants[i].name);
        jcs_name(w, STR("regions"));
        write_names(w, s->tenants[i].regions);
        jcs_end(w);
    }
    jcs_end(w);
    jcs_end(w);
}

/* Callers of the config, at most; a map wants to know. */
static void init_maps(struct policy_set *p, const struct settings *s)
{
    /* Names come from the config, so nobody chooses them to collide. */
    const struct siphash_key seed = {0, 0};
    map_init(&p->grants, seed, s->caller_count);
    map_init(&p->models, seed, s->model_count);
    map_init(&p->tenants, seed, s->tenant_count);
    map_init(&p->places, seed, s->provider_count);
}

enum err policy_set_new(const struct settings *s, struct policy_set **ret)
{
    struct jcs w;
    struct policy_set *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return ERR_NO_MEMORY;
    atomic_init(&p->refs, 1);
    arena_init(&p->arena, SET_ARENA_MAX);
    buf_init(&p->text, TEXT_MAX);
    init_maps(p, s);

    enum err e = number_names(p, s);
    for (size_t i = 0; e == ERR_OK && i < s->provider_count; i++)
        e = add_place(p, s, &s->providers[i]);
    for (size_t i = 0; e == ERR_OK && i < s->caller_count; i++)
        e = add_grant(p, s, &s->callers[i]);
    jcs_begin(&w, &p->text);
    write_text(&w, s);
    if (e == ERR_OK && !jcs_done(&w))
        e = ERR_NO_MEMORY;
    if (e != ERR_OK) {
        policy_set_unref(p);
        return e;
    }
    *ret = p;
    return ERR_OK;
}

struct policy_set *policy_set_ref(struct policy_set *set)
{
    atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
    return set;
}

void policy_set_unref(struct policy_set *set)
{
    if (set == NULL)
        return;
    unsigned before =
        atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before > 1)
        return;
    map_release(&set->grants);
    map_release(&set->models);
    map_release(&set->tenants);
    map_release(&set->places);
    buf_release(&set->text);
    arena_release(&set->arena);
    free(set);
}

struct str policy_set_text(const struct policy_set *set)
{
    return buf_str(&set->text);
}
