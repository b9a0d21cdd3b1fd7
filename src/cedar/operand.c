/* operand.c - see operand.h. */
#include "cedar/operand.h"

#include "base/num.h"
#include "cedar/construct.h"
#include "cedar/emit.h"
#include "cedar/expression.h"
#include "cedar/nearest.h"

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

static bool set(struct parser *p, size_t offset)
{
    uint32_t open;
    size_t count;
    return construct_open(p, offset, &open) &&
           items(p, LEXER_SIGN(']', 0), expression_parse, &count) &&
           construct_set(p, open, count);
}

static bool record_member(struct parser *p)
{
    struct str name;
    if (p->token.kind == TOKEN_STRING ? !parser_string(p, &name)
                                      : !parser_name(p, &name))
        return false;
    return construct_key(p, name) && parser_need(p, LEXER_SIGN(':', 0)) &&
           expression_parse(p);
}

static bool record(struct parser *p, size_t offset)
{
    uint32_t open;
    size_t count;
    return construct_open(p, offset, &open) &&
           items(p, LEXER_SIGN('}', 0), record_member, &count) &&
           construct_record(p, open, count);
}

static bool function(struct parser *p, const struct parser_path *path)
{
    const struct extension *x =
        path->is_qualified ? NULL : extension_find(path->name);
    uint32_t open;
    size_t count;
    if (x == NULL)
        return construct_unknown(p, path->offset, path->name, false);
    if (x->is_method)
        return parser_fail(p, path->offset, "%.*s is a method: write x.%.*s()",
                           STR_FMT(x->name), STR_FMT(x->name));
    parser_advance(p);
    return construct_open(p, path->offset, &open) &&
           items(p, LEXER_SIGN(')', 0), expression_parse, &count) &&
           construct_call(p, x, open, count);
}

/* `name` was read, "(" is the token; the receiver is an operand already. */
static bool method(struct parser *p, struct str name, size_t offset)
{
    size_t count;
    parser_advance(p);
    const struct construct_method *m = NULL;
    for (size_t i = 0; (m = construct_method(i)) != NULL; i++)
        if (str_eq(m->name, name))
            break;
    const struct extension *x = extension_find(name);
    if (m == NULL && x == NULL)
        return construct_unknown(p, offset, name, true);
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

static bool accesses(struct parser *p)
{
    for (;;) {
        struct str name;
        size_t offset = p->token.offset;
        if (parser_take(p, LEXER_SIGN('[', 0))) {
            if (!parser_string(p, &name) ||
                !parser_need(p, LEXER_SIGN(']', 0)) ||
                !construct_get(p, name, offset))
                return false;
            continue;
        }
        if (!parser_take(p, LEXER_SIGN('.', 0)))
            return true;
        offset = p->token.offset;
        if (!parser_name(p, &name) || !(parser_at(p, LEXER_SIGN('(', 0))
                                            ? method(p, name, offset)
                                            : construct_get(p, name, offset)))
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
    struct str near = nearest_of(path.name, variables, ARRAY_LEN(variables));
    path.name = str_first(path.name, 60);
    if (near.len > 0)
        return parser_fail(p, path.offset,
                           "%.*s is no variable; did you mean %.*s?",
                           STR_FMT(path.name), STR_FMT(near));
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
    size_t offset = p->token.offset;
    parser_advance(p);
    return construct_long(p, value, offset);
}

static bool string_literal(struct parser *p)
{
    struct str text;
    size_t offset = p->token.offset;
    return parser_string(p, &text) && construct_string(p, text, offset);
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
        parser_advance(p);
        return construct_bool(p, truth, offset);
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
