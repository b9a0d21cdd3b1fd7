/* construct.c - see construct.h. */
#include "cedar/construct.h"

#include "cedar/emit.h"
#include "cedar/nearest.h"

bool construct_open(struct parser *p, size_t offset, uint32_t *ret_open)
{
    *ret_open = emit_here(p);
    return emit_node(p, (struct program_node){.op = OP_OPEN}, offset, 0);
}

bool construct_set(struct parser *p, uint32_t open, size_t count)
{
    struct cedar_value constant = {0};
    if (emit_all_constant(p, count)) {
        constant.kind = CEDAR_SET;
        if (value_set_make(&p->pool, emit_constants(p, count), count,
                           &constant.as.set) != ERR_OK)
            return parser_no_memory(p);
    }
    struct program_node node = {.op = OP_SET, .a = (uint32_t)count};
    return emit_close(p, node, open, count, constant);
}

bool construct_key(struct parser *p, struct str name)
{
    if (!PROGRAM_ROOM(p->keys))
        return parser_no_memory(p);
    p->keys.at[p->keys.count++] = value_key_make(name);
    return true;
}

/* The keys from `first` on, in the arena; NULL: no memory. */
static struct value_key *take_keys(struct parser *p, size_t first)
{
    size_t count = p->keys.count - first;
    struct value_key *keys = ARENA_NEW(&p->set->arena, struct value_key, count);
    if (keys == NULL)
        (void)parser_no_memory(p);
    else if (count > 0)
        memcpy(keys, p->keys.at + first, count * sizeof(*keys));
    p->keys.count = first;
    return keys;
}

bool construct_record(struct parser *p, uint32_t open, size_t count)
{
    struct value_key *keys = take_keys(p, p->keys.count - count);
    if (keys == NULL)
        return false;
    struct cedar_value constant = {.kind = CEDAR_RECORD};
    enum err e = value_record_make(&p->pool, keys, emit_constants(p, count),
                                   count, &constant.as.record);
    if (e == ERR_MALFORMED)
        return parser_fail(p, p->set->offsets.at[open],
                           "a record has one attribute twice");
    if (e != ERR_OK)
        return parser_no_memory(p);
    if (!emit_all_constant(p, count))
        constant.kind = CEDAR_NOTHING;
    struct program_node node = {.op = OP_RECORD,
                                .a = (uint32_t)count,
                                .as.keys = keys};
    return emit_close(p, node, open, count, constant);
}

bool construct_call(struct parser *p, const struct extension *x, uint32_t open,
                    size_t count)
{
    struct cedar_value constant = {0};
    if (emit_all_constant(p, count)) {
        enum cedar_fault f = extension_call(x, emit_constants(p, count), count,
                                            &p->pool, &constant);
        if (f == CEDAR_FAULT_LIMIT)
            return parser_no_memory(p);
        if (f != CEDAR_FAULT_NONE) /* each evaluation errs */
            constant = (struct cedar_value){0};
    }
    struct program_node node = {.op = OP_CALL,
                                .a = (uint32_t)count,
                                .as.extension = x};
    return emit_close(p, node, open, count, constant);
}

bool construct_get(struct parser *p, struct str name, size_t offset)
{
    struct value_key *key = arena_alloc_raw(&p->set->arena, sizeof(*key));
    if (key == NULL)
        return parser_no_memory(p);
    *key = value_key_make(name);
    struct program_node node = {.op = OP_GET, .as.keys = key};
    return emit_node(p, node, offset, 1);
}

bool construct_has(struct parser *p, size_t first, size_t offset)
{
    uint32_t count = (uint32_t)(p->keys.count - first);
    struct value_key *keys = take_keys(p, first);
    struct program_node node = {.op = OP_HAS, .a = count, .as.keys = keys};
    return keys != NULL && emit_node(p, node, offset, 1);
}

bool construct_long(struct parser *p, int64_t number, size_t offset)
{
    struct program_node node = {.op = OP_LONG, .as.number = number};
    return emit_operand(p, node, offset, cedar_value_long(number));
}

bool construct_string(struct parser *p, struct str text, size_t offset)
{
    struct program_node node = {.op = OP_STRING,
                                .a = (uint32_t)text.len,
                                .as.text = text.ptr};
    return emit_operand(p, node, offset, cedar_value_string(text));
}

bool construct_bool(struct parser *p, bool truth, size_t offset)
{
    struct program_node node = {.op = OP_BOOL, .as.number = truth};
    return emit_operand(p, node, offset, cedar_value_bool(truth));
}

static const struct construct_method methods[] = {
    {STR_INIT("contains"), OP_CONTAINS, 1},
    {STR_INIT("containsAll"), OP_CONTAINS_ALL, 1},
    {STR_INIT("containsAny"), OP_CONTAINS_ANY, 1},
    {STR_INIT("isEmpty"), OP_IS_EMPTY, 0},
    {STR_INIT("hasTag"), OP_HAS_TAG, 1},
    {STR_INIT("getTag"), OP_GET_TAG, 1},
};

const struct construct_method *construct_method(size_t index)
{
    return index < ARRAY_LEN(methods) ? &methods[index] : NULL;
}

bool construct_unknown(struct parser *p, size_t offset, struct str name,
                       bool is_method)
{
    struct nearest n = nearest_to(name);
    const struct extension *x;
    for (size_t i = 0; (x = extension_at(i)) != NULL; i++)
        if (x->is_method == is_method)
            nearest_consider(&n, x->name);
    for (size_t i = 0; is_method && i < ARRAY_LEN(methods); i++)
        nearest_consider(&n, methods[i].name);
    const char *what = is_method ? "method" : "function";
    name = str_first(name, 60);
    if (n.found.len == 0)
        return parser_fail(p, offset, "there is no %s %.*s", what,
                           STR_FMT(name));
    return parser_fail(p, offset, "there is no %s %.*s; did you mean %.*s?",
                       what, STR_FMT(name), STR_FMT(n.found));
}
