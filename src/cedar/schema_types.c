/* schema_types.c - see schema_types.h. */
#include "cedar/schema_types.h"

#include <stdlib.h>

#include "base/text.h"
#include "cedar/sort.h"

/* What may refer to what before it counts as too deep: types and names. */
enum { REFERENCES_MAX = 4 * CEDAR_TYPE_DEPTH_MAX };

/* Names that are compared for "did you mean". */
enum { GUESSES_MAX = 2000 };

struct schema_common *schema_types_common(const struct schema_types *t,
                                          struct str name)
{
    struct value_key key = value_key_make(name);
    uint32_t low = 0;
    uint32_t high = t->common_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = value_key_order(&t->commons[middle].name, &key);
        if (order == 0)
            return &t->commons[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void consider(struct str name, struct str other, unsigned *best,
                     struct str *nearest)
{
    unsigned distance = text_distance(name, other);
    if (distance < *best) {
        *best = distance;
        *nearest = other;
    }
}

static void *unknown(struct schema_types *t, size_t offset, struct str name,
                     enum raw_kind kind)
{
    unsigned best = name.len < 4 ? 2 : 3;
    struct str near = {0};
    const struct cedar_schema *s = t->schema;
    const char *what = kind == RAW_ENTITY_NAME ? "entity type" : "type";
    for (uint32_t i = 0; i < s->entity_count && i < GUESSES_MAX; i++)
        if (kind != RAW_COMMON_NAME && !s->entities[i].is_action)
            consider(name, s->entities[i].name.name, &best, &near);
    for (uint32_t i = 0; i < t->common_count && i < GUESSES_MAX; i++)
        if (kind != RAW_ENTITY_NAME)
            consider(name, t->commons[i].name.name, &best, &near);
    name = str_first(name, 60);
    if (near.len == 0)
        (void)schema_raw_fail(t->raw, offset, "there is no %s %.*s", what,
                              STR_FMT(name));
    else
        (void)schema_raw_fail(t->raw, offset,
                              "there is no %s %.*s; did you mean %.*s?", what,
                              STR_FMT(name), STR_FMT(str_first(near, 60)));
    return NULL;
}

static bool is_qualified(struct str name)
{
    return str_find(name, ':') < name.len;
}

const struct schema_entity *schema_types_entity(struct schema_types *t,
                                                struct str space,
                                                const struct raw_name *name)
{
    const struct schema_entity *e = NULL;
    struct str full;
    if (space.len > 0 && !is_qualified(name->name)) {
        if (!schema_raw_join(&t->schema->arena, space, name->name, &full)) {
            (void)schema_raw_no_memory(t->raw);
            return NULL;
        }
        e = schema_entity(t->schema, full);
    }
    if (e == NULL || e->is_action)
        e = schema_entity(t->schema, name->name);
    if (e == NULL || e->is_action)
        return unknown(t, name->offset, name->name, RAW_ENTITY_NAME);
    return e;
}

static uint64_t mix(uint64_t h, uint64_t more)
{
    h = (h ^ more) * 0x9E3779B97F4A7C15;
    return h ^ h >> 32;
}

static uint64_t hash_of(const struct type *t)
{
    uint64_t h = mix(t->kind, t->count);
    if (t->kind == TYPE_SET)
        return mix(h, t->as.element->number);
    for (uint32_t i = 0; i < t->count; i++) {
        const struct type_member *m = &t->as.members[i];
        h = mix(mix(h, m->key.hash),
                2 * (uint64_t)m->type->number + m->is_required);
    }
    return h;
}

/* Parts of both are known types already. */
static bool same(const struct type *a, const struct type *b)
{
    if (a->kind != b->kind || a->count != b->count)
        return false;
    if (a->kind == TYPE_SET)
        return a->as.element == b->as.element;
    for (uint32_t i = 0; i < a->count; i++) {
        const struct type_member *x = &a->as.members[i];
        const struct type_member *y = &b->as.members[i];
        if (x->type != y->type || x->is_required != y->is_required ||
            value_key_order(&x->key, &y->key) != 0)
            return false;
    }
    return true;
}

static bool grow(struct schema_types *t)
{
    uint32_t room = t->known.room == 0 ? 64 : 2 * t->known.room;
    const struct type **slots =
        (const struct type **)calloc(room, sizeof(const struct type *));
    if (slots == NULL || room < t->known.room) {
        free((void *)slots);
        return schema_raw_no_memory(t->raw);
    }
    for (uint32_t i = 0; i < t->known.room; i++) {
        const struct type *one = t->known.slots[i];
        if (one == NULL)
            continue;
        uint64_t at = hash_of(one) & (room - 1);
        while (slots[at] != NULL)
            at = (at + 1) & (room - 1);
        slots[at] = one;
    }
    free((void *)t->known.slots);
    t->known.slots = slots;
    t->known.room = room;
    return true;
}

/* The object for this type; NULL after an error. */
static const struct type *keep(struct schema_types *t, struct type type)
{
    if (2 * t->known.count >= t->known.room && !grow(t))
        return NULL;
    uint64_t at = hash_of(&type) & (t->known.room - 1);
    for (; t->known.slots[at] != NULL; at = (at + 1) & (t->known.room - 1))
        if (same(t->known.slots[at], &type))
            return t->known.slots[at];
    struct type *kept = arena_alloc_raw(&t->schema->arena, sizeof(*kept));
    if (kept == NULL) {
        (void)schema_raw_no_memory(t->raw);
        return NULL;
    }
    type.number = TYPE_ENTITY + 1 + t->schema->entity_count + t->known.count++;
    *kept = type;
    t->known.slots[at] = kept;
    return kept;
}

static bool deeper(struct schema_types *t, size_t offset, uint8_t *depth,
                   const struct type *part)
{
    if (part->depth >= *depth)
        *depth = part->depth + 1;
    return *depth <= CEDAR_TYPE_DEPTH_MAX ||
           schema_raw_fail(t->raw, offset, "a type nests deeper than %d levels",
                           CEDAR_TYPE_DEPTH_MAX);
}

static const struct type *set(struct schema_types *t, struct str space,
                              const struct raw_type *raw)
{
    struct type type = {.kind = TYPE_SET};
    type.as.element = schema_types_resolve(t, space, raw->element);
    if (type.as.element == NULL ||
        !deeper(t, raw->offset, &type.depth, type.as.element))
        return NULL;
    return keep(t, type);
}

static int order_members(const void *a, const void *b)
{
    const struct type_member *left = a;
    const struct type_member *right = b;
    return value_key_order(&left->key, &right->key);
}

struct attribute {
    struct value_key key;
    uint32_t place; /* in the text */
    struct raw_member *raw;
};

static int order_attributes(const void *a, const void *b)
{
    const struct attribute *left = a;
    const struct attribute *right = b;
    int order = value_key_order(&left->key, &right->key);
    if (order == 0)
        order = (left->place > right->place) - (left->place < right->place);
    return order;
}

/* The syntax allows a name twice; then the last one counts, and what the
 * others say need not even exist.  Counts those that are left. */
static bool hide_twins(struct schema_types *t, const struct raw_type *raw,
                       uint32_t *ret_count)
{
    uint32_t count = 0;
    struct attribute spare;
    struct attribute *all =
        ARENA_NEW(&t->schema->arena, struct attribute, raw->count);
    if (all == NULL)
        return schema_raw_no_memory(t->raw);
    for (struct raw_member *m = raw->members; m != NULL; m = m->next, count++)
        all[count] = (struct attribute){value_key_make(m->name), count, m};
    sort_array(all, count, sizeof(spare), order_attributes, &spare);
    *ret_count = count;
    for (uint32_t i = 1; i < count; i++)
        if (value_key_order(&all[i - 1].key, &all[i].key) == 0) {
            all[i - 1].raw->is_hidden = true;
            --*ret_count;
        }
    return true;
}

static const struct type *record(struct schema_types *t, struct str space,
                                 const struct raw_type *raw)
{
    struct type type = {.kind = TYPE_RECORD};
    struct type_member spare;
    uint32_t count = 0;
    bool ok = true;
    if (!hide_twins(t, raw, &type.count))
        return NULL;
    struct type_member *members =
        ARENA_NEW(&t->schema->arena, struct type_member, type.count);
    if (members == NULL) {
        (void)schema_raw_no_memory(t->raw);
        return NULL;
    }
    for (const struct raw_member *m = raw->members; m != NULL; m = m->next) {
        if (m->is_hidden)
            continue;
        struct type_member *to = &members[count++];
        to->key = value_key_make(m->name);
        to->is_required = m->is_required;
        to->type = schema_types_resolve(t, space, m->type);
        ok = to->type != NULL &&
             deeper(t, raw->offset, &type.depth, to->type) && ok;
    }
    if (!ok)
        return NULL;
    sort_array(members, count, sizeof(spare), order_members, &spare);
    type.as.members = members;
    return keep(t, type);
}

const struct type *schema_types_resolve_common(struct schema_types *t,
                                               struct schema_common *c)
{
    if (c->type != NULL)
        return c->type;
    if (c->is_open) {
        (void)schema_raw_fail(t->raw, c->raw->offset,
                              "the type %.*s is part of itself",
                              STR_FMT(str_first(c->name.name, 60)));
        return NULL;
    }
    c->is_open = true;
    c->type = schema_types_resolve(t, c->raw->space, c->raw->type);
    c->is_open = false;
    if (c->type == NULL) /* reported; enough said */
        c->type = type_simple(TYPE_UNKNOWN);
    return c->type;
}

/* A common type before an entity type, as near as possible. */
static const struct type *declared(struct schema_types *t, struct str name,
                                   enum raw_kind kind)
{
    struct schema_common *c =
        kind == RAW_ENTITY_NAME ? NULL : schema_types_common(t, name);
    const struct schema_entity *e =
        kind == RAW_COMMON_NAME ? NULL : schema_entity(t->schema, name);
    if (c != NULL)
        return schema_types_resolve_common(t, c);
    return e == NULL ? NULL : &e->type; /* the type of actions too */
}

static const struct type *named(struct schema_types *t, struct str space,
                                const struct raw_type *raw)
{
    struct str own = STR("__cedar::");
    struct str full = raw->name;
    const struct type *found = NULL;
    enum err before = t->raw->err;
    if (str_starts(raw->name, own)) {
        enum type_kind kind = schema_raw_simple(str_skip(raw->name, own.len));
        if (kind != TYPE_UNKNOWN && raw->kind != RAW_ENTITY_NAME)
            return type_simple(kind);
        return unknown(t, raw->offset, raw->name, raw->kind);
    }
    if (space.len > 0 && !is_qualified(raw->name)) {
        if (!schema_raw_join(&t->schema->arena, space, raw->name, &full)) {
            (void)schema_raw_no_memory(t->raw);
            return NULL;
        }
        found = declared(t, full, raw->kind);
    }
    if (found == NULL && t->raw->err == before)
        found = declared(t, raw->name, raw->kind);
    if (found != NULL || t->raw->err != before)
        return found;
    enum type_kind kind = schema_raw_simple(raw->name);
    if (kind != TYPE_UNKNOWN && raw->kind != RAW_ENTITY_NAME &&
        schema_entity(t->schema, raw->name) == NULL)
        return type_simple(kind);
    return unknown(t, raw->offset, raw->name, raw->kind);
}

const struct type *schema_types_resolve(struct schema_types *t,
                                        struct str space,
                                        const struct raw_type *raw)
{
    const struct type *found;
    if (t->raw->err == ERR_LIMIT)
        return NULL;
    if (t->depth == REFERENCES_MAX) {
        (void)schema_raw_fail(t->raw, raw->offset,
                              "types refer to each other over more than %d "
                              "steps",
                              REFERENCES_MAX);
        return NULL;
    }
    t->depth++;
    if (raw->kind == RAW_SIMPLE)
        found = type_simple(raw->simple);
    else if (raw->kind == RAW_SET)
        found = set(t, space, raw);
    else if (raw->kind == RAW_RECORD)
        found = record(t, space, raw);
    else
        found = named(t, space, raw);
    t->depth--;
    return found;
}

static int order_numbers(const void *a, const void *b)
{
    const uint32_t *left = a;
    const uint32_t *right = b;
    return (*left > *right) - (*left < *right);
}

bool schema_types_list(struct schema_types *t, struct str space,
                       const struct raw_name *names, const uint32_t **ret,
                       uint32_t *ret_count)
{
    uint32_t count = 0;
    uint32_t kept = 0;
    uint32_t spare;
    bool ok = true;
    for (const struct raw_name *n = names; n != NULL; n = n->next)
        count++;
    uint32_t *all = ARENA_NEW(&t->schema->arena, uint32_t, count);
    if (all == NULL)
        return schema_raw_no_memory(t->raw);
    count = 0;
    for (const struct raw_name *n = names; n != NULL; n = n->next) {
        const struct schema_entity *e = schema_types_entity(t, space, n);
        ok = e != NULL && ok;
        if (e != NULL)
            all[count++] = (uint32_t)(e - t->schema->entities);
    }
    sort_array(all, count, sizeof(spare), order_numbers, &spare);
    for (uint32_t i = 0; i < count; i++)
        if (kept == 0 || all[kept - 1] != all[i])
            all[kept++] = all[i];
    *ret = all;
    *ret_count = kept;
    return ok;
}

const struct type *schema_types_record(struct schema_types *t, struct str space,
                                       const struct raw_type *raw,
                                       struct str owner)
{
    if (raw == NULL)
        return keep(t, (struct type){.kind = TYPE_RECORD});
    const struct type *found = schema_types_resolve(t, space, raw);
    if (found == NULL || found->kind == TYPE_RECORD ||
        found->kind == TYPE_UNKNOWN)
        return found;
    (void)schema_raw_fail(t->raw, raw->offset,
                          "the attributes or context of %.*s are no record",
                          STR_FMT(str_first(owner, 60)));
    return NULL;
}
