/* validate_operator.c - the type of one operator; see validate.h. */
#include <assert.h>

#include "cedar/sort.h"
#include "cedar/validate.h"

static const struct type *simple(enum type_kind kind)
{
    return type_simple(kind);
}

static bool is(const struct validate_operand *o, enum type_kind kind)
{
    return o->type->kind == kind || o->type->kind == TYPE_UNKNOWN;
}

static void constant(struct validate *v, uint32_t i,
                     const struct program_node *n)
{
    static const enum type_kind kinds[] = {
        [OP_LONG] = TYPE_LONG, [OP_STRING] = TYPE_STRING};
    enum type_kind kind = n->op == OP_BOOL
                              ? (n->as.number ? TYPE_TRUE : TYPE_FALSE)
                              : kinds[n->op];
    struct validate_operand *o = validate_push(v, i, simple(kind), NULL, 0);
    if (n->op == OP_BOOL)
        o->literal = cedar_value_bool(n->as.number != 0);
    else if (n->op == OP_LONG)
        o->literal = cedar_value_long(n->as.number);
    else
        o->literal = cedar_value_string((struct str){n->as.text, n->a});
}

/* A name that the schema does not have was reported already. */
static void entity(struct validate *v, uint32_t i, const struct cedar_uid *uid)
{
    const struct schema_entity *e = schema_entity(v->schema, uid->type);
    bool is_known =
        e != NULL && (!e->is_action || schema_action(v->schema, uid) != NULL);
    struct validate_operand *o =
        validate_push(v, i, is_known ? &e->type : simple(TYPE_UNKNOWN), NULL,
                      0);
    o->literal = cedar_value_entity(uid);
    o->is_named = true;
}

static void variable(struct validate *v, uint32_t i, uint32_t which)
{
    if (which == VAR_ACTION) {
        entity(v, i, v->action_uid);
        v->top[-1].is_named = false;
        return;
    }
    const struct type *type = which == VAR_PRINCIPAL  ? &v->principal->type
                              : which == VAR_RESOURCE ? &v->resource->type
                                                      : v->action->context;
    (void)validate_push(v, i, type, NULL, 0);
}

static void set(struct validate *v, uint32_t i, uint32_t count)
{
    struct validate_operand *o = validate_pop(v, count);
    const struct type *joined = simple(TYPE_UNKNOWN);
    struct type *made = arena_alloc(&v->scratch, sizeof(*made));
    bool ok = count > 0;
    bool named = false;
    if (made == NULL) {
        v->err = ERR_LIMIT;
        return;
    }
    if (count == 0)
        VALIDATE_REPORT(v, CEDAR_FINDING_EMPTY_SET, i,
                        "an empty set has no type, so it cannot be validated");
    for (uint32_t k = 0; ok && k < count; k++) {
        const struct type *next = joined;
        enum err e = type_join(&v->scratch, joined, o[k].type, &next);
        if (e == ERR_LIMIT)
            v->err = e;
        else if (e != ERR_OK)
            ok = validate_compatible(v, o[k].node, joined, o[k].type);
        joined = next;
        named = named || o[k].is_named;
    }
    *made = (struct type){.kind = TYPE_SET,
                          .as.element = ok ? joined : simple(TYPE_UNKNOWN)};
    validate_push(v, i, made, o, count)->is_named = named;
}

static int order_members(const void *a, const void *b)
{
    const struct type_member *left = a;
    const struct type_member *right = b;
    return value_key_order(&left->key, &right->key);
}

static void record(struct validate *v, uint32_t i, const struct program_node *n)
{
    struct validate_operand *o = validate_pop(v, n->a);
    struct type *made = arena_alloc(&v->scratch, sizeof(*made));
    struct type_member *members =
        ARENA_NEW(&v->scratch, struct type_member, n->a);
    bool named = false;
    if (made == NULL || members == NULL) {
        v->err = ERR_LIMIT;
        return;
    }
    for (uint32_t k = 0; k < n->a; k++) {
        members[k] = (struct type_member){n->as.keys[k], o[k].type, true};
        named = named || o[k].is_named;
    }
    struct type_member spare;
    sort_array(members, n->a, sizeof(spare), order_members, &spare);
    *made = (struct type){.kind = TYPE_RECORD,
                          .count = n->a,
                          .as.members = members};
    validate_push(v, i, made, o, n->a)->is_named = named;
}

/* The record of attributes that a value of the type has, or NULL. */
static const struct type *attributes(const struct type *t)
{
    if (t->kind == TYPE_ENTITY)
        return t->as.entity->shape;
    return t->kind == TYPE_RECORD ? t : NULL;
}

static void get(struct validate *v, uint32_t i, const struct value_key *key)
{
    struct validate_operand *o = validate_pop(v, 1);
    const struct type *from = attributes(o->type);
    const struct type *type = simple(TYPE_UNKNOWN);
    unsigned level =
        o->type->kind == TYPE_ENTITY ? validate_step(v, i, o) : o->level;
    bool named = o->is_named;
    char found[64];
    type_print(o->type, found, sizeof(found));
    if (from == NULL) {
        validate_unexpected(v, i, "an entity or a record", o->type);
    } else {
        const struct type_member *m = type_member(from, key);
        uint32_t test =
            exprs_test(&v->exprs, exprs_of(&v->exprs, o->node), key);
        if (m == NULL)
            VALIDATE_REPORT(v, CEDAR_FINDING_ATTRIBUTE, i,
                            "%s has no attribute %.*s", found,
                            STR_FMT(str_first(key->name, 60)));
        else if (!m->is_required && !validate_knows(v, test))
            VALIDATE_REPORT(v, CEDAR_FINDING_UNSAFE_ATTRIBUTE, i,
                            "the attribute %.*s of %s is optional: test for "
                            "it with 'has' first",
                            STR_FMT(str_first(key->name, 60)), found);
        if (m != NULL)
            type = m->type;
    }
    struct validate_operand *to = validate_push(v, i, type, NULL, 0);
    to->level = level;
    to->is_named = named;
}

/* What `has` is for one attribute; *type is that of the attribute. */
static enum type_kind has_one(struct validate *v, const struct type **type,
                              uint32_t test, const struct value_key *key)
{
    const struct type *from = attributes(*type);
    const struct type_member *m = type_member(from, key);
    bool exists = (*type)->kind == TYPE_RECORD;
    if (m == NULL)
        return TYPE_FALSE;
    *type = m->type;
    if (validate_knows(v, test) || (m->is_required && exists))
        return TYPE_TRUE;
    return TYPE_BOOL;
}

/* a has b.c is a has b && a.b has c. */
static void has(struct validate *v, uint32_t i, const struct program_node *n)
{
    struct validate_operand *o = validate_pop(v, 1);
    struct validate_operand step = *o;
    const struct type *type = o->type;
    enum type_kind all = TYPE_TRUE;
    uint64_t *tests = NULL;
    uint32_t number = exprs_of(&v->exprs, o->node);
    for (uint32_t k = 0; k < n->a && all != TYPE_FALSE; k++) {
        if (attributes(type) == NULL) {
            validate_unexpected(v, i, "an entity or a record", type);
            all = TYPE_UNKNOWN;
            break;
        }
        if (type->kind == TYPE_ENTITY)
            step.level = validate_step(v, i, &step);
        uint32_t test = exprs_test(&v->exprs, number, &n->as.keys[k]);
        assert(test != EXPRS_NONE);
        enum type_kind one = has_one(v, &type, test, &n->as.keys[k]);
        if (one == TYPE_BOOL)
            tests = validate_union(v, tests, validate_one(v, test));
        if (one != TYPE_TRUE)
            all = one;
        if (k + 1 < n->a)
            number = exprs_get(&v->exprs, number, &n->as.keys[k]);
    }
    struct validate_operand *to = validate_push(v, i, simple(all), NULL, 0);
    to->level = step.level;
    if (all == TYPE_BOOL)
        to->tests = tests;
    else
        validate_drop(v, tests);
}

static void tag(struct validate *v, uint32_t i, bool is_get)
{
    struct validate_operand *o = validate_pop(v, 2);
    const struct type *type = simple(is_get ? TYPE_UNKNOWN : TYPE_BOOL);
    unsigned level = validate_step(v, i, o);
    uint64_t *tests = NULL;
    bool named = is_get && o[0].is_named;
    if (level < o[1].level)
        level = o[1].level;
    if (!is(&o[1], TYPE_STRING))
        validate_unexpected(v, o[1].node, "a String", o[1].type);
    if (o[0].type->kind != TYPE_ENTITY) {
        validate_unexpected(v, o[0].node, "an entity", o[0].type);
    } else {
        const struct schema_entity *e = o[0].type->as.entity;
        uint32_t test =
            exprs_tag_test(&v->exprs, exprs_of(&v->exprs, o[0].node),
                           exprs_of(&v->exprs, o[1].node));
        bool known = validate_knows(v, test);
        if (is_get && (e->tags == NULL || !known))
            VALIDATE_REPORT(v, CEDAR_FINDING_TAG, i,
                            e->tags == NULL
                                ? "%.*s has no tags"
                                : "a tag of %.*s may be missing: test for it "
                                  "with the same 'hasTag' first",
                            STR_FMT(str_first(e->name.name, 60)));
        else if (is_get)
            type = e->tags;
        else if (e->tags == NULL)
            type = simple(TYPE_FALSE);
        else if (known)
            type = simple(TYPE_TRUE);
        else
            tests = validate_one(v, test);
    }
    struct validate_operand *to = validate_push(v, i, type, NULL, 0);
    to->tests = tests;
    to->level = level;
    to->is_named = named;
}

/* An action in the entities of a list of literals: known; else TYPE_UNKNOWN. */
static enum type_kind action_in(struct validate *v,
                                const struct validate_operand *left,
                                const struct validate_operand *right)
{
    const struct program_node *nodes = v->set->nodes.at;
    if (left->literal.kind != CEDAR_ENTITY ||
        schema_action(v->schema, left->literal.as.uid) == NULL)
        return TYPE_UNKNOWN;
    if (right->literal.kind == CEDAR_ENTITY)
        return schema_action_in(v->schema, left->literal.as.uid,
                                right->literal.as.uid)
                   ? TYPE_TRUE
                   : TYPE_FALSE;
    if (nodes[right->node].op != OP_SET)
        return TYPE_UNKNOWN;
    enum type_kind kind = TYPE_FALSE;
    for (uint32_t k = 1; k <= nodes[right->node].a; k++) {
        const struct program_node *n = &nodes[right->node - k];
        bool is_action = n->op == OP_VARIABLE && n->a == VAR_ACTION;
        if (n->op != OP_ENTITY && !is_action)
            return TYPE_UNKNOWN;
        if (schema_action_in(v->schema, left->literal.as.uid,
                             is_action ? v->action_uid : n->as.uid))
            kind = TYPE_TRUE;
    }
    return kind;
}

static enum type_kind in(struct validate *v, const struct validate_operand *o)
{
    const struct type *right = o[1].type;
    if (right->kind == TYPE_SET)
        right = right->as.element;
    if (o[0].type->kind != TYPE_ENTITY) {
        validate_unexpected(v, o[0].node, "an entity", o[0].type);
        return TYPE_BOOL;
    }
    if (right->kind != TYPE_ENTITY) {
        validate_unexpected(v, o[1].node, "an entity or a set of entities",
                            o[1].type);
        return TYPE_BOOL;
    }
    enum type_kind kind = action_in(v, &o[0], &o[1]);
    if (kind != TYPE_UNKNOWN)
        return kind;
    return schema_type_in(v->schema, o[0].type->as.entity, right->as.entity)
               ? TYPE_BOOL
               : TYPE_FALSE;
}

static enum type_kind equal(struct validate *v, uint32_t i,
                            const struct validate_operand *o)
{
    const struct type *joined;
    if (o[0].literal.kind != CEDAR_NOTHING &&
        o[1].literal.kind != CEDAR_NOTHING)
        return cedar_value_equal(o[0].literal, o[1].literal) ? TYPE_TRUE
                                                             : TYPE_FALSE;
    enum err e = type_join(&v->scratch, o[0].type, o[1].type, &joined);
    if (e == ERR_LIMIT)
        v->err = e;
    if (e == ERR_MALFORMED && o[0].type->kind == TYPE_ENTITY &&
        o[1].type->kind == TYPE_ENTITY)
        return TYPE_FALSE;
    if (e == ERR_MALFORMED)
        (void)validate_compatible(v, i, o[0].type, o[1].type);
    return TYPE_BOOL;
}

static void contains(struct validate *v, uint32_t i, bool is_one,
                     const struct validate_operand *o)
{
    for (uint32_t k = 0; k < (is_one ? 1 : 2); k++)
        if (o[k].type->kind != TYPE_SET) {
            validate_unexpected(v, o[k].node, "a Set", o[k].type);
            return;
        }
    (void)validate_compatible(v, i, o[0].type->as.element,
                              is_one ? o[1].type : o[1].type->as.element);
}

static void compare(struct validate *v, const struct validate_operand *o)
{
    const struct validate_operand *first =
        o[0].type->kind == TYPE_UNKNOWN ? &o[1] : &o[0];
    enum type_kind kind = first->type->kind;
    char what[64];
    if (kind != TYPE_UNKNOWN && kind != TYPE_LONG && kind != TYPE_DATETIME &&
        kind != TYPE_DURATION) {
        validate_unexpected(v, first->node, "a Long, datetime or duration",
                            first->type);
    } else if (!is(&o[1], kind)) {
        type_print(first->type, what, sizeof(what));
        validate_unexpected(v, o[1].node, what, o[1].type);
    }
}

static enum type_kind opposite(enum type_kind kind)
{
    return kind == TYPE_TRUE    ? TYPE_FALSE
           : kind == TYPE_FALSE ? TYPE_TRUE
                                : kind;
}

static void unary(struct validate *v, uint32_t i, const struct program_node *n)
{
    struct validate_operand *o = validate_pop(v, 1);
    enum type_kind kind = TYPE_BOOL;
    if (n->op == OP_NOT) {
        kind = type_is_bool(o->type) ? opposite(o->type->kind) : TYPE_BOOL;
        if (!type_is_bool(o->type))
            validate_unexpected(v, o->node, "a Bool", o->type);
    } else if (n->op == OP_NEGATE) {
        kind = TYPE_LONG;
        if (!is(o, kind))
            validate_unexpected(v, o->node, "a Long", o->type);
    } else if (n->op == OP_LIKE) {
        if (!is(o, TYPE_STRING))
            validate_unexpected(v, o->node, "a String", o->type);
    } else if (n->op == OP_IS_EMPTY) {
        if (!is(o, TYPE_SET))
            validate_unexpected(v, o->node, "a Set", o->type);
    } else if (!is(o, TYPE_ENTITY)) {
        validate_unexpected(v, o->node, "an entity", o->type);
    } else if (o->type->kind == TYPE_ENTITY) {
        kind = str_eq(o->type->as.entity->name.name, *n->as.type) ? TYPE_TRUE
                                                                  : TYPE_FALSE;
    }
    (void)validate_push(v, i, simple(kind), o, 1);
}

static void binary(struct validate *v, uint32_t i, const struct program_node *n)
{
    struct validate_operand *o = validate_pop(v, 2);
    enum type_kind kind = TYPE_BOOL;
    switch (n->op) {
    case OP_EQUAL:
        kind = equal(v, i, o);
        break;
    case OP_DIFFERENT:
        kind = opposite(equal(v, i, o));
        break;
    case OP_IN:
    case OP_IS_IN:
        o[0].level = validate_step(v, i, &o[0]);
        kind = in(v, o);
        break;
    case OP_ADD:
    case OP_SUBTRACT:
    case OP_MULTIPLY:
        kind = TYPE_LONG;
        for (uint32_t k = 0; k < 2; k++)
            if (!is(&o[k], kind))
                validate_unexpected(v, o[k].node, "a Long", o[k].type);
        break;
    case OP_CONTAINS:
    case OP_CONTAINS_ALL:
    case OP_CONTAINS_ANY:
        contains(v, i, n->op == OP_CONTAINS, o);
        break;
    default:
        compare(v, o);
        break;
    }
    (void)validate_push(v, i, simple(kind), o, 2);
}

void validate_operator(struct validate *v, uint32_t i)
{
    const struct program_node *n = &v->set->nodes.at[i];
    if (n->op == OP_BOOL || n->op == OP_LONG || n->op == OP_STRING)
        constant(v, i, n);
    else if (n->op == OP_ENTITY)
        entity(v, i, n->as.uid);
    else if (n->op == OP_VARIABLE)
        variable(v, i, n->a);
    else if (n->op == OP_SET)
        set(v, i, n->a);
    else if (n->op == OP_RECORD)
        record(v, i, n);
    else if (n->op == OP_CALL)
        validate_call(v, i);
    else if (n->op == OP_GET)
        get(v, i, n->as.keys);
    else if (n->op == OP_HAS)
        has(v, i, n);
    else if (n->op == OP_HAS_TAG || n->op == OP_GET_TAG)
        tag(v, i, n->op == OP_GET_TAG);
    else if (exprs_operands(n) == 1)
        unary(v, i, n);
    else
        binary(v, i, n);
}
