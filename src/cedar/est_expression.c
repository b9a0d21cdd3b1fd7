/* est_expression.c - expressions in JSON to nodes; see est.h. */
#include "cedar/construct.h"
#include "cedar/emit.h"
#include "cedar/est.h"
#include "cedar/nearest.h"
#include "cedar/quote.h"

struct operator;
typedef bool operator_fn(struct est *e, const struct json *json,
                         const struct operator* o);

struct operator
{
    struct str name;
    operator_fn *read;
    enum program_op op;
};

static struct program_node node_of(enum program_op op)
{
    return (struct program_node){.op = (uint8_t)op};
}

static bool operand(struct est *e, const struct est_object *o, size_t field)
{
    return est_member(e, o, field, est_expression, NULL);
}

static const struct est_field sides[] = {{"left", false}, {"right", false}};

static bool unary(struct est *e, const struct json *json,
                  const struct operator* o)
{
    static const struct est_field known[] = {{"arg", false}};
    struct est_object object;
    return est_fields(e, json, known, ARRAY_LEN(known), &object) &&
           operand(e, &object, 0) && emit_node(&e->p, node_of(o->op), 0, 1);
}

static bool binary(struct est *e, const struct json *json,
                   const struct operator* o)
{
    struct est_object object;
    return est_fields(e, json, sides, ARRAY_LEN(sides), &object) &&
           operand(e, &object, 0) && operand(e, &object, 1) &&
           emit_node(&e->p, node_of(o->op), 0, 2);
}

static bool logical(struct est *e, const struct json *json,
                    const struct operator* o)
{
    struct est_object object;
    if (!est_fields(e, json, sides, ARRAY_LEN(sides), &object) ||
        !operand(e, &object, 0))
        return false;
    uint32_t jump = emit_here(&e->p);
    return emit_node(&e->p, node_of(o->op == OP_AND ? OP_AND_JUMP : OP_OR_JUMP),
                     0, 0) &&
           operand(e, &object, 1) && emit_node(&e->p, node_of(o->op), 0, 2) &&
           emit_land(&e->p, jump);
}

static bool choice(struct est *e, const struct json *json,
                   const struct operator* o)
{
    static const struct est_field known[] = {{"if", false},
                                             {"then", false},
                                             {"else", false}};
    struct parser *p = &e->p;
    struct est_object object;
    if (!est_fields(e, json, known, ARRAY_LEN(known), &object) ||
        !operand(e, &object, 0))
        return false;
    uint32_t to_else = emit_here(p);
    if (!emit_node(p, node_of(OP_IF_JUMP), 0, 0) || !operand(e, &object, 1))
        return false;
    uint32_t to_end = emit_here(p);
    return emit_node(p, node_of(OP_ELSE_JUMP), 0, 0) && emit_land(p, to_else) &&
           operand(e, &object, 2) && emit_land(p, to_end) &&
           emit_node(p, node_of(o->op), 0, 3);
}

static bool get(struct est *e, const struct json *json,
                const struct operator* o)
{
    static const struct est_field known[] = {{"left", false}, {"attr", false}};
    struct est_object object;
    struct str name;
    (void)o;
    return est_fields(e, json, known, ARRAY_LEN(known), &object) &&
           operand(e, &object, 0) &&
           est_member(e, &object, 1, est_string, &name) &&
           construct_get(&e->p, name, 0);
}

static bool has_name(struct est *e, const struct json *json, void *to)
{
    struct str name;
    (void)to;
    return est_string(e, json, &name) && construct_key(&e->p, name);
}

/* The names of `e has a.b.c`, or the one of `e has "a b"`. */
static bool has_names(struct est *e, const struct json *json, void *to)
{
    if (json_type(json) == JSON_STRING)
        return has_name(e, json, to);
    size_t first = e->p.keys.count;
    if (json_type(json) != JSON_ARRAY)
        return est_refuse(e, "expected a string or an array of strings");
    if (!est_elements(e, json, has_name, NULL))
        return false;
    size_t count = e->p.keys.count - first;
    if (count == 0)
        return est_refuse(e, "a name is missing");
    for (size_t i = first; count > 1 && i < e->p.keys.count; i++)
        if (!quote_is_name(e->p.keys.at[i].name))
            return est_refuse(e, "of several names each is an identifier");
    return true;
}

static bool has(struct est *e, const struct json *json,
                const struct operator* o)
{
    static const struct est_field known[] = {{"left", false}, {"attr", false}};
    struct est_object object;
    (void)o;
    if (!est_fields(e, json, known, ARRAY_LEN(known), &object) ||
        !operand(e, &object, 0))
        return false;
    size_t first = e->p.keys.count;
    return est_member(e, &object, 1, has_names, NULL) &&
           construct_has(&e->p, first, 0);
}

/* What a pattern takes, then the pattern itself: see pattern(). */
struct pieces {
    struct program_pattern *to; /* NULL: only count */
    char *text, *end;
    size_t bytes;
    uint32_t count;
};

static bool pattern_element(struct est *e, const struct json *json, void *to)
{
    static const struct est_field known[] = {{"Literal", false}};
    struct pieces *p = to;
    struct est_object object;
    struct str text;
    if (json_is_string(json, STR("Wildcard"))) {
        p->count++;
        if (p->to != NULL)
            p->to->pieces[p->count - 1] = (struct str){p->end, 0};
        return true;
    }
    if (json_type(json) != JSON_OBJECT)
        return est_refuse(e, "expected \"Wildcard\" or {\"Literal\": ...}");
    if (!est_fields(e, json, known, ARRAY_LEN(known), &object))
        return false;
    if (!json_str(object.values[0], &text))
        return est_refuse(e, "a Literal is a string");
    p->bytes += text.len;
    if (p->to == NULL || text.len == 0)
        return true;
    memcpy(p->end, text.ptr, text.len);
    p->end += text.len;
    p->to->pieces[p->count - 1].len += text.len;
    return true;
}

static bool pattern(struct est *e, const struct json *json, void *to)
{
    struct program_node *ret = to;
    struct arena *a = &e->p.set->arena;
    struct pieces p = {.count = 1};
    if (!est_elements(e, json, pattern_element, &p))
        return false;
    p.to = arena_alloc(a, sizeof(*p.to) + p.count * sizeof(p.to->pieces[0]));
    p.text = arena_alloc_raw(a, p.bytes);
    if (p.to == NULL || p.text == NULL)
        return parser_no_memory(&e->p);
    p.to->count = p.count;
    p.to->pieces[0] = (struct str){p.text, 0};
    p.end = p.text;
    p.count = 1;
    ret->as.pattern = p.to;
    return est_elements(e, json, pattern_element, &p);
}

static bool like(struct est *e, const struct json *json,
                 const struct operator* o)
{
    static const struct est_field known[] = {{"left", false},
                                             {"pattern", false}};
    struct program_node node = node_of(o->op);
    struct est_object object;
    return est_fields(e, json, known, ARRAY_LEN(known), &object) &&
           operand(e, &object, 0) &&
           est_member(e, &object, 1, pattern, &node) &&
           emit_node(&e->p, node, 0, 1);
}

static bool is(struct est *e, const struct json *json, const struct operator* o)
{
    static const struct est_field known[] = {{"left", false},
                                             {"entity_type", false},
                                             {"in", true}};
    struct program_node node = node_of(o->op);
    struct parser *p = &e->p;
    struct est_object object;
    struct str *type = arena_alloc_raw(&p->set->arena, sizeof(*type));
    if (type == NULL)
        return parser_no_memory(p);
    if (!est_fields(e, json, known, ARRAY_LEN(known), &object) ||
        !operand(e, &object, 0) || !est_member(e, &object, 1, est_type, type))
        return false;
    node.as.type = type;
    if (object.values[2] == NULL)
        return emit_node(p, node, 0, 1);
    node.op = OP_IS_JUMP;
    uint32_t jump = emit_here(p);
    return emit_node(p, node, 0, 0) && operand(e, &object, 2) &&
           emit_node(p, node_of(OP_IS_IN), 0, 2) && emit_land(p, jump);
}

static bool value(struct est *e, const struct json *json,
                  const struct operator* o)
{
    (void)o;
    return est_value(e, json, NULL);
}

static bool variable(struct est *e, const struct json *json,
                     const struct operator* o)
{
    static const struct str names[] = {
        [VAR_PRINCIPAL] = STR_INIT("principal"),
        [VAR_ACTION] = STR_INIT("action"),
        [VAR_RESOURCE] = STR_INIT("resource"),
        [VAR_CONTEXT] = STR_INIT("context"),
    };
    struct program_node node = node_of(o->op);
    for (; node.a < ARRAY_LEN(names); node.a++)
        if (json_is_string(json, names[node.a]))
            return emit_operand(&e->p, node, 0, (struct cedar_value){0});
    return est_refuse(e, "a variable is principal, action, resource or "
                         "context");
}

static bool slot(struct est *e, const struct json *json,
                 const struct operator* o)
{
    (void)json;
    (void)o;
    return est_refuse(e, "a slot may stand in the scope only");
}

static bool set(struct est *e, const struct json *json,
                const struct operator* o)
{
    (void)o;
    return est_set(e, json, est_expression);
}

static bool record(struct est *e, const struct json *json,
                   const struct operator* o)
{
    (void)o;
    return est_record(e, json, est_expression);
}

static const struct operator operators[] = {
    {STR_INIT("Value"), value, OP_COUNT},
    {STR_INIT("Var"), variable, OP_VARIABLE},
    {STR_INIT("Slot"), slot, OP_COUNT},
    {STR_INIT("!"), unary, OP_NOT},
    {STR_INIT("neg"), unary, OP_NEGATE},
    {STR_INIT("isEmpty"), unary, OP_IS_EMPTY},
    {STR_INIT("=="), binary, OP_EQUAL},
    {STR_INIT("!="), binary, OP_DIFFERENT},
    {STR_INIT("in"), binary, OP_IN},
    {STR_INIT("<"), binary, OP_LESS},
    {STR_INIT("<="), binary, OP_LESS_EQUAL},
    {STR_INIT(">"), binary, OP_GREATER},
    {STR_INIT(">="), binary, OP_GREATER_EQUAL},
    {STR_INIT("&&"), logical, OP_AND},
    {STR_INIT("||"), logical, OP_OR},
    {STR_INIT("+"), binary, OP_ADD},
    {STR_INIT("-"), binary, OP_SUBTRACT},
    {STR_INIT("*"), binary, OP_MULTIPLY},
    {STR_INIT("contains"), binary, OP_CONTAINS},
    {STR_INIT("containsAll"), binary, OP_CONTAINS_ALL},
    {STR_INIT("containsAny"), binary, OP_CONTAINS_ANY},
    {STR_INIT("hasTag"), binary, OP_HAS_TAG},
    {STR_INIT("getTag"), binary, OP_GET_TAG},
    {STR_INIT("."), get, OP_GET},
    {STR_INIT("has"), has, OP_HAS},
    {STR_INIT("like"), like, OP_LIKE},
    {STR_INIT("is"), is, OP_IS},
    {STR_INIT("if-then-else"), choice, OP_IF},
    {STR_INIT("Set"), set, OP_SET},
    {STR_INIT("Record"), record, OP_RECORD},
};

static bool unknown(struct est *e, struct str name)
{
    struct nearest n = nearest_to(name);
    const struct extension *x;
    for (size_t i = 0; i < ARRAY_LEN(operators); i++)
        nearest_consider(&n, operators[i].name);
    for (size_t i = 0; (x = extension_at(i)) != NULL; i++)
        nearest_consider(&n, x->name);
    name = str_first(name, 40);
    if (n.found.len == 0)
        return est_refuse(e, "there is no operator or function %.*s",
                          STR_FMT(name));
    return est_refuse(
        e, "there is no operator or function %.*s; did you mean %.*s?",
        STR_FMT(name), STR_FMT(n.found));
}

bool est_call(struct est *e, struct str name, const struct json *args,
              est_fn *read)
{
    const struct extension *x = extension_find(name);
    size_t count = json_count(args);
    uint32_t open = 0;
    if (x == NULL)
        return unknown(e, name);
    if (x->is_method && json_type(args) == JSON_ARRAY && count == 0)
        return est_refuse(e, "what %.*s is called on is missing",
                          STR_FMT(name));
    if ((!x->is_method && !construct_open(&e->p, 0, &open)) ||
        !est_elements(e, args, read, NULL))
        return false;
    if (!x->is_method)
        return construct_call(&e->p, x, open, count);
    struct program_node node = {.op = OP_CALL,
                                .a = (uint32_t)count,
                                .as.extension = x};
    return emit_node(&e->p, node, 0, count);
}

static bool operation(struct est *e, const struct json *json, void *to)
{
    const struct str *name = to;
    for (size_t i = 0; i < ARRAY_LEN(operators); i++)
        if (str_eq(operators[i].name, *name))
            return operators[i].read(e, json, &operators[i]);
    return est_call(e, *name, json, est_expression);
}

bool est_expression(struct est *e, const struct json *json, void *to)
{
    struct json_iter it = json_each(json);
    struct str name;
    const struct json *inner;
    (void)to;
    if (json_type(json) != JSON_OBJECT || json_count(json) != 1)
        return est_refuse(e, "an expression is an object with one member");
    return json_next(&it, &name, &inner) &&
           est_inside(e, name, 0, operation, inner, &name);
}
