/*
 * type.h - the types of schemas and of expressions.
 */
#ifndef CEDAR_TYPE_H
#define CEDAR_TYPE_H

#include "cedar/value.h"

enum type_kind {
    TYPE_UNKNOWN = 0, /* an error was reported; goes with every type */
    TYPE_BOOL,
    TYPE_TRUE, /* only of expressions: a Bool that is known */
    TYPE_FALSE,
    TYPE_LONG,
    TYPE_STRING,
    TYPE_DECIMAL,
    TYPE_IP,
    TYPE_DATETIME,
    TYPE_DURATION,
    TYPE_SIMPLE, /* how many kinds need nothing but the kind */
    TYPE_SET = TYPE_SIMPLE,
    TYPE_RECORD,
    TYPE_ENTITY,
};

struct schema_entity;
struct type_member;

struct type {
    uint8_t kind;
    uint8_t depth;   /* 0 for what holds no other type */
    uint32_t number; /* of a type in a schema: equal types, equal numbers */
    uint32_t count;  /* of members */
    union {
        const struct type *element;
        const struct type_member *members; /* by value_key_order() */
        const struct schema_entity *entity;
    } as;
};

struct type_member {
    struct value_key key;
    const struct type *type;
    bool is_required;
};

/* The type without parts of that kind. */
const struct type *type_simple(enum type_kind kind);

static inline bool type_is_bool(const struct type *t)
{
    return t->kind >= TYPE_BOOL && t->kind <= TYPE_FALSE;
}

/* NULL: no such member. */
const struct type_member *type_member(const struct type *record,
                                      const struct value_key *key);

/*
 * The least type above both in strict mode: Bools join, everything else has
 * to be the same.  ERR_MALFORMED: there is none; ERR_LIMIT: no memory.
 */
MUST_CHECK enum err type_join(struct arena *a, const struct type *x,
                              const struct type *y, const struct type **ret);

/* Writes a type as a schema would, cut to `room`; NUL-terminated. */
void type_print(const struct type *t, char *to, size_t room);

/* True when the value has the type, all parts included. */
bool type_has_value(const struct type *t, struct cedar_value v);

#endif
