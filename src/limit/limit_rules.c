/* limit_rules.c - see limit_rules.h. */
#include "limit/limit_rules.h"

#include <assert.h>
#include <stdlib.h>

#include "base/arena.h"
#include "domain/principal.h"

struct limit_rules {
    struct arena memory;
    struct limit_rule *at;
    size_t count;
    struct map names;
};

enum { MS = 1000 };
#define WINDOW_MAX_MS INT64_C(316224000000) /* ten years, and no overflow */

static bool copy_names(struct arena *a, struct names from, struct names *to)
{
    struct str *at = ARENA_NEW(a, struct str, from.count);

    if (at == NULL)
        return false;
    for (size_t i = 0; i < from.count; i++) {
        if (!arena_copy(a, from.at[i], &at[i]))
            return false;
    }
    *to = (struct names){at, from.count};
    return true;
}

static unsigned kind_bit(struct str name)
{
    return 1u << (unsigned)principal_kind_from(name);
}

static uint64_t amount(uint64_t n)
{
    return n < LIMIT_AMOUNT_MAX ? n : LIMIT_AMOUNT_MAX;
}

static bool is_window(int64_t ms)
{
    return ms > 0 && ms <= WINDOW_MAX_MS;
}

static enum err add(struct limit_rules *r, const struct limit_settings *s)
{
    struct limit_rule *rule = &r->at[r->count];
    bool budget = s->budget_requests > 0 || s->budget_tokens > 0;

    if (s->name.len > NAME_MAX_LEN || map_get(&r->names, s->name) != NULL ||
        (s->rate_requests > 0 && !is_window(s->rate_window_ms)) ||
        (budget && !is_window(s->budget_window_ms)))
        return ERR_CONFIG;
    *rule = (struct limit_rule){
        .per = s->per,
        .rate_requests = s->rate_requests,
        .rate_window_us = s->rate_window_ms * MS,
        .concurrency = s->concurrency,
        .budget_requests = amount(s->budget_requests),
        .budget_tokens = amount(s->budget_tokens),
        .budget_window_us = budget ? s->budget_window_ms * MS : 0,
    };
    for (size_t i = 0; i < s->match.kinds.count; i++)
        rule->kinds |= kind_bit(s->match.kinds.at[i]);
    if (!arena_copy(&r->memory, s->name, &rule->name) ||
        !copy_names(&r->memory, s->match.tenants, &rule->tenants) ||
        !copy_names(&r->memory, s->match.models, &rule->models) ||
        !copy_names(&r->memory, s->match.principals, &rule->principals))
        return ERR_NO_MEMORY;
    r->count++;
    return map_set(&r->names, rule->name, rule);
}

enum err limit_rules_new(const struct settings *s, struct limit_rules **ret)
{
    /* Nobody outside chooses the names: no seed is needed. */
    const struct siphash_key seed = {0, 0};
    struct limit_rules *r = calloc(1, sizeof(*r));
    enum err e = ERR_OK;

    if (r == NULL)
        return ERR_NO_MEMORY;
    arena_init(&r->memory, 2 * CONFIG_FILE_MAX + 64 * KIB);
    map_init(&r->names, seed, s->limit_count);
    r->at = calloc(s->limit_count + 1, sizeof(*r->at));
    if (r->at == NULL)
        e = ERR_NO_MEMORY;
    for (size_t i = 0; e == ERR_OK && i < s->limit_count; i++)
        e = add(r, &s->limits[i]);
    if (e != ERR_OK) {
        limit_rules_free(r);
        return e;
    }
    *ret = r;
    return ERR_OK;
}

void limit_rules_free(struct limit_rules *r)
{
    if (r == NULL)
        return;
    map_release(&r->names);
    free(r->at);
    arena_release(&r->memory);
    free(r);
}

const struct limit_rule *limit_rules_find(const struct limit_rules *r,
                                          struct str name)
{
    return r == NULL ? NULL : map_get(&r->names, name);
}

/* ---- matching ---- */

static bool has(const struct names *names, struct str s)
{
    for (size_t i = 0; i < names->count; i++) {
        if (str_eq(names->at[i], s))
            return true;
    }
    return names->count == 0;
}

static bool means(const struct limit_rule *rule, const struct limit_link *l)
{
    return (rule->kinds == 0 || (rule->kinds & kind_bit(l->kind)) != 0) &&
           has(&rule->principals, l->id);
}

static bool means_any(const struct limit_rule *rule,
                      const struct limit_ask *ask)
{
    for (size_t i = 0; i < ask->link_count; i++) {
        if (means(rule, &ask->links[i]))
            return true;
    }
    return rule->kinds == 0 && rule->principals.count == 0;
}

/* Whom it counts is `a`, `between`, `b`.  Once for each rule. */
static enum err add_part(struct limit_parts *to, const struct limit_rule *rule,
                         struct str a, struct str between, struct str b)
{
    const struct str pieces[] = {rule->name, STR("\0"), a, between, b};
    char *key = to->scratch + to->used;
    size_t len = 0;

    if (a.len + between.len + b.len > LIMIT_KEY_MAX ||
        to->count == LIMIT_HOLDS_MAX)
        return ERR_LIMIT;
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        if (pieces[i].len > 0)
            memcpy(key + len, pieces[i].ptr, pieces[i].len);
        len += pieces[i].len;
    }
    for (size_t i = to->count; i > 0 && to->at[i - 1].rule == rule; i--) {
        if (str_eq(to->at[i - 1].key, (struct str){key, len}))
            return ERR_OK;
    }
    to->at[to->count++] = (struct limit_part){rule, {key, len}};
    to->used += len;
    return ERR_OK;
}

static enum err add_links(struct limit_parts *to, const struct limit_rule *rule,
                          const struct limit_ask *ask)
{
    const struct str none = {NULL, 0};
    enum err e = ERR_OK;

    for (size_t i = 0; e == ERR_OK && i < ask->link_count; i++) {
        const struct limit_link *l = &ask->links[i];
        if (!means(rule, l))
            continue;
        if (rule->per == LIMIT_PER_PRINCIPAL)
            e = add_part(to, rule, l->kind, STR(":"), l->id);
        else if (l->owner.len > 0)
            e = add_part(to, rule, l->owner, none, none);
    }
    return e;
}

static enum err add_rule(struct limit_parts *to, const struct limit_rule *rule,
                         const struct limit_ask *ask)
{
    const struct str none = {NULL, 0};

    switch (rule->per) {
    case LIMIT_PER_PRINCIPAL:
    case LIMIT_PER_OWNER:
        return add_links(to, rule, ask);
    case LIMIT_PER_TENANT:
        return add_part(to, rule, ask->tenant, none, none);
    case LIMIT_PER_MODEL:
        return add_part(to, rule, ask->tenant, STR("/"), ask->model);
    case LIMIT_PER_SESSION:
        return ask->session.len == 0
                   ? ERR_OK
                   : add_part(to, rule, ask->session, none, none);
    }
    return ERR_LIMIT; /* no such value: refused */
}

enum err limit_rules_match(const struct limit_rules *r,
                           const struct limit_ask *ask, struct limit_parts *ret)
{
    enum err e = ERR_OK;

    ret->count = ret->used = 0;
    for (size_t i = 0; e == ERR_OK && i < r->count; i++) {
        const struct limit_rule *rule = &r->at[i];
        if (has(&rule->tenants, ask->tenant) &&
            has(&rule->models, ask->model) && means_any(rule, ask))
            e = add_rule(ret, rule, ask);
    }
    return e;
}
