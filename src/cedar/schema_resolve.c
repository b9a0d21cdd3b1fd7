/* schema_resolve.c - declarations to the resolved form; see schema_raw.h. */
#include <stdlib.h>

#include "base/limits.h"
#include "cedar/schema_actions.h"
#include "cedar/schema_types.h"
#include "cedar/sort.h"

/* Types below types that are looked at in all: some 2,000 that may all be
 * in each other, or 256 for everybody. */
#define WORK_MIN (4 * MIB)
enum { WORK_PER_TYPE = 256 };

/* An entity type or a common type, to be sorted. */
struct named {
    struct value_key key;
    size_t offset;
    const void *raw; /* NULL: the type of an action */
};

static int order_named(const void *a, const void *b)
{
    const struct named *left = a;
    const struct named *right = b;
    int order = value_key_order(&left->key, &right->key);
    if (order == 0)
        order = (left->offset > right->offset) - (left->offset < right->offset);
    return order;
}

static bool add_name(struct schema_types *t, struct named *to, struct str space,
                     struct str name)
{
    struct str full;
    if (!schema_raw_join(&t->schema->arena, space, name, &full))
        return schema_raw_no_memory(t->raw);
    to->key = value_key_make(full);
    return true;
}

/* Sorts, and reports what was declared twice. */
static bool sort_names(struct schema_types *t, struct named *names,
                       size_t count)
{
    struct named spare;
    bool ok = true;
    sort_array(names, count, sizeof(spare), order_named, &spare);
    for (size_t i = 1; i < count; i++)
        if (names[i].raw != NULL && names[i - 1].raw != NULL &&
            value_key_order(&names[i].key, &names[i - 1].key) == 0)
            ok = schema_raw_fail(t->raw, names[i].offset,
                                 "the type %.*s is declared twice",
                                 STR_FMT(str_first(names[i].key.name, 60)));
    return ok;
}

static bool name_commons(struct schema_types *t)
{
    size_t count = t->raw->commons.count;
    struct named *names = ARENA_NEW(&t->schema->arena, struct named, count);
    t->commons = ARENA_NEW(&t->schema->arena, struct schema_common, count);
    if (names == NULL || t->commons == NULL)
        return schema_raw_no_memory(t->raw);
    for (size_t i = 0; i < count; i++) {
        const struct raw_common *c = &t->raw->commons.at[i];
        names[i] = (struct named){.offset = c->offset, .raw = c};
        if (!add_name(t, &names[i], c->space, c->name))
            return false;
    }
    if (!sort_names(t, names, count))
        return false;
    for (size_t i = 0; i < count; i++)
        t->commons[i] =
            (struct schema_common){.name = names[i].key, .raw = names[i].raw};
    t->common_count = (uint32_t)count;
    return true;
}

static bool collect_entities(struct schema_types *t, struct named *names)
{
    const struct schema_raw *raw = t->raw;
    size_t n = 0;
    bool ok = true;
    for (size_t i = 0; i < raw->entities.count; i++, n++) {
        const struct raw_entity *e = &raw->entities.at[i];
        names[n] = (struct named){.offset = e->offset, .raw = e};
        if (!add_name(t, &names[n], e->space, e->name))
            return false;
        if (str_eq(e->name, STR("Action")))
            ok = schema_raw_fail(t->raw, e->offset,
                                 "Action is the type of actions and cannot be "
                                 "declared");
    }
    for (size_t i = 0; i < raw->actions.count; i++, n++) {
        names[n] = (struct named){.offset = raw->actions.at[i].offset};
        if (!add_name(t, &names[n], raw->actions.at[i].space, STR("Action")))
            return false;
    }
    return ok;
}

/* Entity types by name, still empty; *ret are their declarations. */
static bool name_entities(struct schema_types *t,
                          const struct raw_entity ***ret)
{
    struct cedar_schema *s = t->schema;
    size_t count = t->raw->entities.count + t->raw->actions.count;
    struct named *names = ARENA_NEW(&s->arena, struct named, count);
    s->entities = ARENA_NEW(&s->arena, struct schema_entity, count);
    *ret = ARENA_NEW(&s->arena, const struct raw_entity *, count);
    if (names == NULL || s->entities == NULL || *ret == NULL)
        return schema_raw_no_memory(t->raw);
    if (!collect_entities(t, names) || !sort_names(t, names, count))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && value_key_order(&names[i].key, &names[i - 1].key) == 0)
            continue; /* the type of one more action */
        uint32_t n = s->entity_count++;
        struct schema_entity *e = &s->entities[n];
        (*ret)[n] = names[i].raw;
        e->name = names[i].key;
        e->is_action = names[i].raw == NULL;
        e->type = (struct type){.kind = TYPE_ENTITY,
                                .number = TYPE_ENTITY + 1 + n,
                                .as.entity = e};
    }
    return true;
}

static bool check_shadow(struct schema_types *t, struct str space,
                         struct str name, size_t offset)
{
    const struct schema_entity *e = schema_entity(t->schema, name);
    if (space.len == 0 ||
        ((e == NULL || e->is_action) && schema_types_common(t, name) == NULL))
        return true;
    return schema_raw_fail(t->raw, offset,
                           "%.*s::%.*s hides the type %.*s that has no "
                           "namespace",
                           STR_FMT(str_first(space, 40)),
                           STR_FMT(str_first(name, 40)),
                           STR_FMT(str_first(name, 40)));
}

static bool check_shadows(struct schema_types *t)
{
    const struct schema_raw *raw = t->raw;
    bool ok = true;
    for (size_t i = 0; i < raw->entities.count; i++) {
        const struct raw_entity *e = &raw->entities.at[i];
        ok = check_shadow(t, e->space, e->name, e->offset) && ok;
    }
    for (size_t i = 0; i < raw->commons.count; i++) {
        const struct raw_common *c = &raw->commons.at[i];
        ok = check_shadow(t, c->space, c->name, c->offset) && ok;
    }
    return ok;
}

static int order_numbers(const void *a, const void *b)
{
    const uint32_t *left = a;
    const uint32_t *right = b;
    return (*left > *right) - (*left < *right);
}

static int order_texts(const void *a, const void *b)
{
    const struct str *left = a;
    const struct str *right = b;
    return str_compare(*left, *right);
}

static bool fill_ids(struct schema_types *t, struct schema_entity *e,
                     const struct raw_name *ids)
{
    uint32_t count = 0;
    struct str spare;
    for (const struct raw_name *n = ids; n != NULL; n = n->next)
        count++;
    struct str *all = ARENA_NEW(&t->schema->arena, struct str, count);
    if (all == NULL)
        return schema_raw_no_memory(t->raw);
    count = 0;
    for (const struct raw_name *n = ids; n != NULL; n = n->next)
        all[count++] = n->id;
    sort_array(all, count, sizeof(spare), order_texts, &spare);
    for (uint32_t i = 0; i < count; i++)
        if (e->id_count == 0 || !str_eq(all[e->id_count - 1], all[i]))
            all[e->id_count++] = all[i];
    e->ids = all;
    return true;
}

static bool fill_entity(struct schema_types *t, struct schema_entity *e,
                        const struct raw_entity *raw)
{
    struct raw_entity none = {0};
    const struct raw_entity *from = raw == NULL ? &none : raw;
    bool ok = schema_types_list(t, from->space, from->parents, &e->parents,
                                &e->parent_count);
    e->shape = schema_types_record(t, from->space, from->shape, e->name.name);
    e->is_enum = from->is_enum;
    ok = e->shape != NULL && fill_ids(t, e, from->ids) && ok;
    if (from->tags == NULL)
        return ok;
    e->tags = schema_types_resolve(t, from->space, from->tags);
    return e->tags != NULL && ok;
}

struct closing {
    uint32_t *seen_by; /* by type: the one that it was last found above, + 1 */
    uint32_t *above;   /* what was found, and is yet to be looked at */
    size_t work;
};

/* Counts the types above type `i`, in any number of steps. */
static uint32_t find_above(const struct cedar_schema *s, struct closing *c,
                           uint32_t i)
{
    uint32_t count = 0;
    const struct schema_entity *at = &s->entities[i];
    for (uint32_t next = 0;; at = &s->entities[c->above[next++]]) {
        for (uint32_t k = 0; k < at->parent_count; k++) {
            uint32_t parent = at->parents[k];
            if (c->seen_by[parent] != i + 1)
                c->above[count++] = parent;
            c->seen_by[parent] = i + 1;
        }
        c->work += at->parent_count + (size_t)1;
        if (next == count)
            return count;
    }
}

/* The ancestors of all types; cycles are allowed. */
static bool close_types(struct schema_types *t)
{
    struct cedar_schema *s = t->schema;
    size_t n = s->entity_count + (size_t)1;
    uint32_t spare;
    struct closing c = {.seen_by = ARENA_NEW(&s->arena, uint32_t, n),
                        .above = ARENA_NEW(&s->arena, uint32_t, n)};
    if (c.seen_by == NULL || c.above == NULL)
        return schema_raw_no_memory(t->raw);
    for (uint32_t i = 0; i < s->entity_count; i++) {
        uint32_t count = find_above(s, &c, i);
        uint32_t *kept = ARENA_NEW(&s->arena, uint32_t, count);
        if (kept == NULL || c.work > WORK_MIN + WORK_PER_TYPE * n)
            return schema_raw_no_memory(t->raw);
        if (count > 0)
            memcpy(kept, c.above, count * sizeof(*kept));
        sort_array(kept, count, sizeof(spare), order_numbers, &spare);
        s->entities[i].ancestors = kept;
        s->entities[i].ancestor_count = count;
    }
    return true;
}

bool schema_resolve(struct schema_raw *raw)
{
    struct schema_types t = {.raw = raw, .schema = raw->schema};
    const struct raw_entity **raws = NULL;
    bool ok = name_commons(&t);
    ok = name_entities(&t, &raws) && ok;
    ok = ok && check_shadows(&t);
    for (uint32_t i = 0; ok && i < t.common_count; i++)
        (void)schema_types_resolve_common(&t, &t.commons[i]);
    for (uint32_t i = 0; ok && i < raw->schema->entity_count; i++)
        (void)fill_entity(&t, &raw->schema->entities[i], raws[i]);
    ok = ok && raw->err != ERR_LIMIT && schema_actions_resolve(&t) &&
         raw->err == ERR_OK && close_types(&t);
    raw->schema->type_count =
        TYPE_ENTITY + 1 + raw->schema->entity_count + t.known.count;
    free((void *)t.known.slots);
    return ok;
}
