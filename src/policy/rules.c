/* rules.c - see rules.h: making, counting, naming what was loaded. */
#include "policy/rules.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "policy/rules_entities.h"
#include "policy/rules_policies.h"
#include "policy/rules_set.h"
#include "policy/rules_vocabulary.h"

#define RULES_ARENA_MAX (512 * MIB)
enum { ENTITIES_MAX = 16 * 1024 * 1024 };

struct str rules_set_key(struct str type, struct str id, char *to)
{
    if (type.len == 0 || id.len > RULES_KEY_MAX ||
        type.len + 2 + id.len > RULES_KEY_MAX)
        return (struct str){NULL, 0};
    memcpy(to, type.ptr, type.len);
    to[type.len] = to[type.len + 1] = ':';
    if (id.len > 0)
        memcpy(to + type.len + 2, id.ptr, id.len);
    return (struct str){to, type.len + 2 + id.len};
}

/* Lengths go before texts, so that no two loads give one digest. */
static void add_text(struct hash_stream *h, struct str s)
{
    unsigned char len[8];
    for (size_t i = 0; i < sizeof(len); i++)
        len[i] = (unsigned char)((uint64_t)s.len >> (56 - 8 * i));
    hash_stream_add(h, (struct str){(const char *)len, sizeof(len)});
    hash_stream_add(h, s);
}

static void add_files(struct hash_stream *h, struct str what,
                      const struct rules_file *files, size_t count)
{
    add_text(h, what);
    for (size_t i = 0; i < count; i++) {
        add_text(h, files[i].name);
        add_text(h, files[i].text);
    }
}

static void add_names(struct hash_stream *h, struct str what,
                      struct names names)
{
    add_text(h, what);
    for (size_t i = 0; i < names.count; i++)
        add_text(h, names.at[i]);
}

static void add_tools(struct hash_stream *h, const struct settings *s)
{
    add_text(h, STR("tools"));
    for (size_t i = 0; i < s->tool_count; i++) {
        add_text(h, s->tools[i].name);
        add_text(h, s->tools[i].region);
        add_names(h, STR("tenants"), s->tools[i].tenants);
    }
    add_text(h, STR("groups"));
    for (size_t i = 0; i < s->approvals.group_count; i++)
        add_text(h, s->approvals.groups[i].name);
}

/* Everything a decision can depend on, but the request. */
static struct hash digest_of(const struct settings *s,
                             const struct rules_sources *from)
{
    struct hash_stream h = {0};
    hash_stream_begin(&h, NULL);
    add_files(&h, STR("policies"), from->policies, from->policy_count);
    add_text(&h, from->has_shadow ? STR("shadowed") : STR("alone"));
    add_files(&h, STR("shadow"), from->shadow, from->shadow_count);
    add_text(&h, STR("entities")); /* their names are paths of this machine */
    for (size_t i = 0; i < from->entity_count; i++)
        add_text(&h, from->entities[i].text);
    if (s == NULL)
        return hash_stream_end(&h);
    add_text(&h, STR("models"));
    for (size_t i = 0; i < s->model_count; i++)
        add_text(&h, s->models[i].name);
    add_text(&h, STR("tenants"));
    for (size_t i = 0; i < s->tenant_count; i++) {
        add_text(&h, s->tenants[i].name);
        add_names(&h, STR("regions"), s->tenants[i].regions);
    }
    add_text(&h, STR("providers"));
    for (size_t i = 0; i < s->provider_count; i++) {
        add_text(&h, s->providers[i].name);
        add_text(&h, s->providers[i].region);
        add_names(&h, STR("tenants"), s->providers[i].tenants);
    }
    add_tools(&h, s);
    return hash_stream_end(&h);
}

/* What is wrong in one part does not hide what is wrong in the next. */
static enum err worse(enum err a, enum err b)
{
    return a == ERR_OK || b == ERR_NO_MEMORY ? b : a;
}

static enum err load(struct rules *r, const struct settings *s,
                     const struct rules_sources *from,
                     struct rules_errors *errors)
{
    enum err e = rules_fence_init(&r->fence, &r->arena, s);
    e = worse(e, rules_shapes_init(&r->shapes, &r->arena));
    if (e != ERR_OK)
        return e;
    const struct rules_loading live = {&r->arena, s, errors, from->policies,
                                       from->policy_count};
    const struct rules_loading shadow = {&r->arena, s, errors, from->shadow,
                                         from->shadow_count};
    e = rules_policies_load(&live, &r->live);
    if (from->has_shadow)
        e = worse(e, rules_policies_load(&shadow, &r->shadow));
    for (size_t i = 0; e == ERR_OK && i < from->policy_count; i++)
        e = rules_groups_add_policies(&r->groups, &r->arena,
                                      &from->policies[i]);
    for (size_t i = 0; e == ERR_OK && i < from->shadow_count; i++)
        e = rules_groups_add_policies(&r->groups, &r->arena, &from->shadow[i]);
    return worse(e, rules_entities_load(r, s, from->entities,
                                        from->entity_count, errors));
}

enum err rules_new(const struct settings *s, const struct rules_sources *from,
                   struct rules_errors *errors, struct rules **ret)
{
    const struct siphash_key seed = {0, 0}; /* the operator's own names */
    errors->count = 0;
    errors->more = 0;
    struct rules *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return ERR_NO_MEMORY;
    atomic_init(&r->refs, 1);
    arena_init(&r->arena, RULES_ARENA_MAX);
    map_init(&r->known, seed, ENTITIES_MAX);
    rules_groups_init(&r->groups);
    for (unsigned i = 0; i < ACTION_COUNT; i++)
        r->actions[i] = cedar_uid_make(STR(RULES_NAMESPACE "Action"),
                                       action_kind_name((enum action_kind)i));
    enum err e = load(r, s, from, errors);
    if (e != ERR_OK) {
        rules_unref(r);
        return e;
    }
    r->digest = digest_of(s, from);
    *ret = r;
    return ERR_OK;
}

struct rules *rules_ref(struct rules *r)
{
    atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
    return r;
}

void rules_unref(struct rules *r)
{
    if (r == NULL)
        return;
    unsigned before =
        atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before > 1)
        return;
    rules_policies_release(&r->live);
    rules_policies_release(&r->shadow);
    cedar_entities_free(r->entities);
    map_release(&r->known);
    rules_groups_release(&r->groups);
    rules_fence_release(&r->fence);
    arena_release(&r->arena);
    free(r);
}

struct hash rules_digest(const struct rules *r)
{
    return r->digest;
}

size_t rules_count(const struct rules *r)
{
    return r->live.count;
}

size_t rules_shadow_count(const struct rules *r)
{
    return r->shadow.count;
}
