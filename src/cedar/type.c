/* type.c - see type.h. */
#include "cedar/type.h"

#include <stdio.h>

#include "cedar/schema.h"

const struct type *type_simple(enum type_kind kind)
{
    static const struct type simple[TYPE_SIMPLE] = {
        [TYPE_UNKNOWN] = {.kind = TYPE_UNKNOWN, .number = TYPE_UNKNOWN},
        [TYPE_BOOL] = {.kind = TYPE_BOOL, .number = TYPE_BOOL},
        [TYPE_TRUE] = {.kind = TYPE_TRUE, .number = TYPE_TRUE},
        [TYPE_FALSE] = {.kind = TYPE_FALSE, .number = TYPE_FALSE},
        [TYPE_LONG] = {.kind = TYPE_LONG, .number = TYPE_LONG},
        [TYPE_STRING] = {.kind = TYPE_STRING, .number = TYPE_STRING},
        [TYPE_DECIMAL] = {.kind = TYPE_DECIMAL, .number = TYPE_DECIMAL},
        [TYPE_IP] = {.kind = TYPE_IP, .number = TYPE_IP},
        [TYPE_DATETIME] = {.kind = TYPE_DATETIME, .number = TYPE_DATETIME},
        [TYPE_DURATION] = {.kind = TYPE_DURATION, .number = TYPE_DURATION},
    };
    return &simple[kind];
}

const struct type_member *type_member(const struct type *record,
                                      const struct value_key *key)
{
    uint32_t low = 0;
    uint32_t high = record->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct type_member *m = &record->as.members[middle];
        int order = value_key_order(&m->key, key);
        if (order == 0)
            return m;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static enum err join_records(struct arena *a, const struct type *x,
                             const struct type *y, const struct type **ret)
{
    if (x->count != y->count)
        return ERR_MALFORMED;
    struct type *joined = arena_alloc(a, sizeof(*joined));
    struct type_member *members = ARENA_NEW(a, struct type_member, x->count);
    if (joined == NULL || members == NULL)
        return ERR_LIMIT;
    for (uint32_t i = 0; i < x->count; i++) {
        const struct type_member *left = &x->as.members[i];
        const struct type_member *right = &y->as.members[i];
        members[i] = *left;
        if (value_key_order(&left->key, &right->key) != 0 ||
            left->is_required != right->is_required)
            return ERR_MALFORMED;
        enum err e = type_join(a, left->type, right->type, &members[i].type);
        if (e != ERR_OK)
            return e;
    }
    *joined = *x;
    joined->number = 0;
    joined->as.members = members;
    *ret = joined;
    return ERR_OK;
}

/*
 * Recurses as deep as the shallower one nests.  Types of schemas that are
 * equal are one object, so what is shared in them is not walked again and
 * again.
 */
enum err type_join(struct arena *a, const struct type *x, const struct type *y,
                   const struct type **ret)
{
    if (x == y || y->kind == TYPE_UNKNOWN) {
        *ret = x;
        return ERR_OK;
    }
    if (x->kind == TYPE_UNKNOWN) {
        *ret = y;
        return ERR_OK;
    }
    if (type_is_bool(x) && type_is_bool(y)) {
        *ret = type_simple(x->kind == y->kind ? x->kind : TYPE_BOOL);
        return ERR_OK;
    }
    if (x->kind != y->kind || (x->number != 0 && y->number != 0))
        return ERR_MALFORMED;
    if (x->kind == TYPE_RECORD)
        return join_records(a, x, y, ret);
    if (x->kind != TYPE_SET)
        return ERR_MALFORMED;
    struct type *set = arena_alloc(a, sizeof(*set));
    if (set == NULL)
        return ERR_LIMIT;
    *set = (struct type){.kind = TYPE_SET, .depth = x->depth};
    enum err e = type_join(a, x->as.element, y->as.element, &set->as.element);
    if (e == ERR_OK)
        *ret = set;
    return e;
}

struct printing {
    char *to;
    size_t room, used;
};

static void put(struct printing *p, struct str s)
{
    for (size_t i = 0; i < s.len && p->used + 1 < p->room; i++)
        p->to[p->used++] = s.ptr[i];
}

static void print(struct printing *p, const struct type *t)
{
    static const struct str names[TYPE_SIMPLE] = {
        [TYPE_UNKNOWN] = STR_INIT("an unknown type"),
        [TYPE_BOOL] = STR_INIT("Bool"),
        [TYPE_TRUE] = STR_INIT("Bool"),
        [TYPE_FALSE] = STR_INIT("Bool"),
        [TYPE_LONG] = STR_INIT("Long"),
        [TYPE_STRING] = STR_INIT("String"),
        [TYPE_DECIMAL] = STR_INIT("decimal"),
        [TYPE_IP] = STR_INIT("ipaddr"),
        [TYPE_DATETIME] = STR_INIT("datetime"),
        [TYPE_DURATION] = STR_INIT("duration"),
    };
    if (p->used + 1 >= p->room)
        return; /* each type puts something, so this ends */
    if (t->kind == TYPE_SET) {
        put(p, STR("Set<"));
        print(p, t->as.element);
        put(p, STR(">"));
    } else if (t->kind == TYPE_RECORD) {
        put(p, STR("{"));
        for (uint32_t i = 0; i < t->count && p->used + 1 < p->room; i++) {
            const struct type_member *m = &t->as.members[i];
            put(p, i == 0 ? STR("") : STR(", "));
            put(p, m->key.name);
            put(p, m->is_required ? STR(": ") : STR("?: "));
            print(p, m->type);
        }
        put(p, STR("}"));
    } else if (t->kind == TYPE_ENTITY) {
        put(p, t->as.entity->name.name);
    } else {
        put(p, names[t->kind]);
    }
}

void type_print(const struct type *t, char *to, size_t room)
{
    struct printing p = {to, room, 0};
    print(&p, t);
    if (p.used + 1 == room && room > 4)
        for (size_t i = room - 4; i < room - 1; i++)
            to[i] = '.';
    to[p.used] = '\0';
}

static bool has_set(const struct type *t, const struct cedar_set *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (!type_has_value(t->as.element, set->items[i]))
            return false;
    return true;
}

static bool has_record(const struct type *t, const struct cedar_record *r)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        const struct type_member *m = &t->as.members[i];
        const struct cedar_value *v = value_get(r, &m->key);
        if (v == NULL ? m->is_required : !type_has_value(m->type, *v))
            return false;
        found += v != NULL;
    }
    return found == r->count;
}

bool type_has_value(const struct type *t, struct cedar_value v)
{
    static const uint8_t kinds[TYPE_SIMPLE] = {
        [TYPE_BOOL] = CEDAR_BOOL,
        [TYPE_LONG] = CEDAR_LONG,
        [TYPE_STRING] = CEDAR_STRING,
        [TYPE_DECIMAL] = CEDAR_DECIMAL,
        [TYPE_IP] = CEDAR_IP,
        [TYPE_DATETIME] = CEDAR_DATETIME,
        [TYPE_DURATION] = CEDAR_DURATION,
    };
    if (t->kind == TYPE_SET)
        return v.kind == CEDAR_SET && has_set(t, v.as.set);
    if (t->kind == TYPE_RECORD)
        return v.kind == CEDAR_RECORD && has_record(t, v.as.record);
    if (t->kind == TYPE_ENTITY)
        return v.kind == CEDAR_ENTITY &&
               str_eq(v.as.uid->type, t->as.entity->name.name) &&
               schema_entity_has_id(t->as.entity, v.as.uid->id);
    return v.kind != CEDAR_NOTHING && v.kind == kinds[t->kind];
}
