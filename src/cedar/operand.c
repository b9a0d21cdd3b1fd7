/* operand.c - see operand.h. */
#include "cedar/operand.h"

#include "base/num.h"
#include "base/text.h"
#include "cedar/emit.h"
#include "cedar/expression.h"
#include "cedar/name.h"

/* What stands between an opening and its closing sign, commas between. */
typedef bool item_fn(struct parser *p);
static bool items(struct parser *p, int close, item_fn *item, size_t *ret_count)
{
    size_t count = 0;
    while (!parser_at(p, close)) {
        if (!item(p))
            return false;
        count++;
        if (!parser_take(p, LEXER_SIGN(',', 0)))
            break;
    }
    *ret_count = count;
    return parser_need(p, close);
}

static bool open_node(struct parser *p, size_t offset, uint32_t *ret_open)
{
    *ret_open = emit_here(p);
    return emit_node(p, (struct program_node){.op = OP_OPEN}, offset, 0);
}

static bool set(struct parser *p, size_t offset)
{
    uint32_t open;
    size_t count;
    struct cedar_value constant = {0};
    if (!open_node(p, offset, &open) ||
        !items(p, LEXER_SIGN(']', 0), expression_parse, &count))
        return false;
    if (emit_all_constant(p, count)) {
        constant.kind = CEDAR_SET;
        if (value_set_make(&p->pool, emit_constants(p, count), count,
                           &constant.as.set) != ERR_OK)
            return parser_no_memory(p);
    }
    struct program_node node = {.op = OP_SET, .a = (uint32_t)count};
    return emit_close(p, node, open, count, constant);
}

static bool record_member(struct parser *p)
{
    struct str name;
    if (p->token.kind == TOKEN_STRING ? !parser_string(p, &name)
                                      : !parser_name(p, &name))
        return false;
    if (!PROGRAM_ROOM(p->keys))
        return parser_no_memory(p);
    p->keys.at[p->keys.count++] = value_key_make(name);
    return parser_need(p, LEXER_SIGN(':', 0)) && expression_parse(p);
}

static bool record(struct parser *p, size_t offset)
{
    uint32_t open;
    size_t count;
    size_t first = p->keys.count;
    if (!open_node(p, offset, &open) ||
        !items(p, LEXER_SIGN('}', 0), record_member, &count))
        return false;
    struct value_key *keys = ARENA_NEW(&p->set->arena, struct value_key, count);
    if (keys == NULL)
        return parser_no_memory(p);
    if (count > 0)
        memcpy(keys, p->keys.at + first, count * sizeof(*keys));
    p->keys.count = first;

    struct cedar_value constant = {.kind = CEDAR_RECORD};
    enum err e = value_record_make(&p->pool, keys, emit_constants(p, count),
                                   count, &constant.as.record);
    if (e == ERR_MALFORMED)
        return parser_fail(p, offset, "a record has one attribute twice");
    if (e != ERR_OK)
        return parser_no_memory(p);
    if (!emit_all_constant(p, count))
        constant.kind = CEDAR_NOTHING;
    struct program_node node = {.op = OP_RECORD,
                                .a = (uint32_t)count,
                                .as.keys = keys};
    return emit_close(p, node, open, count, constant);
}

static const struct method {
    struct str name;
    enum program_op op;
    size_t argc;
} methods[] = {
    {STR_INIT("contains"), OP_CONTAINS, 1},
    {STR_INIT("containsAll"), OP_CONTAINS_ALL, 1},
    {STR_INIT("containsAny"), OP_CONTAINS_ANY, 1},
    {STR_INIT("isEmpty"), OP_IS_EMPTY, 0},
    {STR_INIT("hasTag"), OP_HAS_TAG, 1},
    {STR_INIT("getTag"), OP_GET_TAG, 1},
};

static void consider(struct str name, struct str other, unsigned *best,
                     struct str *nearest)
{
    unsigned distance = text_distance(name, other);
    if (distance < *best) {
        *best = distance;
        *nearest = other;
    }
}

/* "no such method", with the nearest name that there is. */
static bool unknown(struct parser *p, size_t offset, struct str name,
                    bool is_method)
{
    unsigned best = name.len < 4 ? 2 : 3;
    struct str nearest = {0};
    const struct extension *x;
    for (size_t i = 0; (x = extension_at(i)) != NULL; i++)
        if (x->is_method == is_method)
            consider(name, x->name, &best, &nearest);
    for (size_t i = 0; is_method && i < ARRAY_LEN(methods); i++)
        consider(name, methods[i].name, &best, &nearest);
    const char *what = is_method ? "method" : "function";
    name = str_first(name, 60);
    if (nearest.len == 0)
        return parser_fail(p, offset, "there is no %s %.*s", what,
                           STR_FMT(name));
    return parser_fail(p, offset, "there is no %s %.*s; did you mean %.*s?",
                       what, STR_FMT(name), STR_FMT(nearest));
}

static bool function(struct parser *p, const struct parser_path *path)
{
    const struct extension *x =
        path->is_qualified ? NULL : extension_find(path->name);
    uint32_t open;
    size_t count;
    struct cedar_value constant = {0};
    if (x == NULL)
        return unknown(p, path->offset, path->name, false);
    if (x->is_method)
        return parser_fail(p, path->offset, "%.*s is a method: write x.%.*s()",
                           STR_FMT(x->name), STR_FMT(x->name));
    parser_advance(p);
    if (!open_node(p, path->offset, &open) ||
        !items(p, LEXER_SIGN(')', 0), expression_parse, &count))
        return false;
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

/* `name` was read, "(" is the token; the receiver is an operand already. */
static bool method(struct parser *p, struct str name, size_t offset)
{
    size_t count;
    parser_advance(p);
    const struct method *m = NULL;
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (str_eq(methods[i].name, name))
            m = &methods[i];
    const struct extension *x = extension_find(name);
    if (m == NULL && x == NULL)
        return unknown(p, offset, name, true);
    if (m == NULL && !x->is_method)
        return parser_fail(p, offset, "%.*s is a function: write %.*s(x)",
                           STR_FMT(name), STR_FMT(name));
    if (!items(p, LEXER_SIGN(')', 0), expression_parse, &count))
        return false;
    struct program_node node = {.op = OP_CALL, .a = (uint32_t)count + 1};
    if (m == NULL) {
        node.as.extension = x;
        return emit_node(p, node, offset, count + 1);
    }
    if (count != m->argc)
        return parser_fail(p, offset, "%.*s takes %zu argument%s, not %zu",
                           STR_FMT(name), m->argc, m->argc == 1 ? "" : "s",
                           count);
    node = (struct program_node){.op = (uint8_t)m->op};
    return emit_node(p, node, offset, count + 1);
}

static bool get(struct parser *p, struct str name, size_t offset)
{
    struct value_key *key = arena_alloc_raw(&p->set->arena, sizeof(*key));
    if (key == NULL)
        return parser_no_memory(p);
    *key = value_key_make(name);
    struct program_node node = {.op = OP_GET, .as.keys = key};
    return emit_node(p, node, offset, 1);
}

static bool accesses(struct parser *p)
{
    for (;;) {
        struct str name;
        size_t offset = p->token.offset;
        if (parser_take(p, LEXER_SIGN('[', 0))) {
            if (!parser_string(p, &name) ||
                !parser_need(p, LEXER_SIGN(']', 0)) || !get(p, name, offset))
                return false;
            continue;
        }
        if (!parser_take(p, LEXER_SIGN('.', 0)))
            return true;
        offset = p->token.offset;
        if (!parser_name(p, &name) ||
            !(parser_at(p, LEXER_SIGN('(', 0)) ? method(p, name, offset)
                                               : get(p, name, offset)))
            return false;
    }
}

static bool named(struct parser *p)
{
    static const struct str variables[] = {
        [VAR_PRINCIPAL] = STR_INIT("principal"),
        [VAR_ACTION] = STR_INIT("action"),
        [VAR_RESOURCE] = STR_INIT("resource"),
        [VAR_CONTEXT] = STR_INIT("context"),
    };
    struct parser_path path;
    if (!parser_path(p, &path))
        return false;
    if (path.is_uid) {
        const struct cedar_uid *uid = parser_uid(p, &path);
        struct program_node node = {.op = OP_ENTITY, .as.uid = uid};
        return uid != NULL &&
               emit_operand(p, node, path.offset, cedar_value_entity(uid));
    }
    bool is_call = parser_at(p, LEXER_SIGN('(', 0));
    if (is_call)
        return function(p, &path);
    for (uint32_t i = 0; !path.is_qualified && i < ARRAY_LEN(variables); i++)
        if (str_eq(path.name, variables[i])) {
            struct program_node node = {.op = OP_VARIABLE, .a = i};
            return emit_operand(p, node, path.offset, (struct cedar_value){0});
        }
    path.name = str_first(path.name, 60);
    return parser_fail(p, path.offset,
                       "%.*s is no variable; those are principal, action, "
                       "resource and context",
                       STR_FMT(path.name));
}

static bool long_literal(struct parser *p, bool negative)
{
    uint64_t number;
    uint64_t most = (uint64_t)INT64_MAX + negative;
    if (!num_u64(p->token.text, most, &number))
        return parser_fail(p, p->token.offset,
                           "a number of more than 64 bits, with its sign");
    int64_t value = negative ? (int64_t)(0 - number) : (int64_t)number;
    struct program_node node = {.op = OP_LONG, .as.number = value};
    size_t offset = p->token.offset;
    parser_advance(p);
    return emit_operand(p, node, offset, cedar_value_long(value));
}

static bool string_literal(struct parser *p)
{
    struct str text;
    size_t offset = p->token.offset;
    if (!parser_string(p, &text))
        return false;
    struct program_node node = {.op = OP_STRING,
                                .a = (uint32_t)text.len,
                                .as.text = text.ptr};
    return emit_operand(p, node, offset, cedar_value_string(text));
}

static bool primary(struct parser *p)
{
    size_t offset = p->token.offset;
    if (p->token.kind == TOKEN_NUMBER)
        return long_literal(p, false);
    if (p->token.kind == TOKEN_STRING)
        return string_literal(p);
    if (p->token.kind == TOKEN_SLOT)
        return parser_fail(p, offset, "a slot may stand in the scope only");
    if (parser_at_word(p, STR("true")) || parser_at_word(p, STR("false"))) {
        bool truth = p->token.text.len == 4;
        struct program_node node = {.op = OP_BOOL, .as.number = truth};
        parser_advance(p);
        return emit_operand(p, node, offset, cedar_value_bool(truth));
    }
    if (p->token.kind == TOKEN_NAME)
        return named(p);
    if (parser_take(p, LEXER_SIGN('(', 0)))
        return expression_parse(p) && parser_need(p, LEXER_SIGN(')', 0));
    if (parser_take(p, LEXER_SIGN('[', 0)))
        return set(p, offset);
    if (parser_take(p, LEXER_SIGN('{', 0)))
        return record(p, offset);
    return parser_expected(p, "an expression");
}

/* True when the number that is the token has no accesses. */
static bool is_bare_number(const struct parser *p)
{
    struct lexer ahead = p->lexer;
    if (p->token.kind != TOKEN_NUMBER)
        return false;
    struct lexer_token next = lexer_next(&ahead);
    return next.kind != TOKEN_SIGN ||
           (next.sign != LEXER_SIGN('.', 0) && next.sign != LEXER_SIGN('[', 0));
}

bool operand_parse(struct parser *p)
{
    size_t offset = p->token.offset;
    bool negate = parser_at(p, LEXER_SIGN('-', 0));
    int sign = negate ? LEXER_SIGN('-', 0) : LEXER_SIGN('!', 0);
    unsigned count = 0;
    while (parser_take(p, sign))
        count++;
    if (count > 4)
        return parser_fail(p, offset, "more than four '%c' in a row",
                           negate ? '-' : '!');
    bool folded = negate && is_bare_number(p);
    if (!(folded ? long_literal(p, true) : primary(p) && accesses(p)))
        return false;
    for (count -= folded; count > 0; count--) {
        struct program_node node = {.op = negate ? OP_NEGATE : OP_NOT};
        if (!emit_node(p, node, offset, 1))
            return false;
    }
    return true;
}
