/*
 * expression.c - conditions to nodes in post-order; see program.h.
 *
 * Precedence climbing, so a chain of operators is a loop and only brackets,
 * arguments and `if` recurse.
 */
#include "cedar/expression.h"

#include "cedar/construct.h"
#include "cedar/emit.h"
#include "cedar/literal.h"
#include "cedar/operand.h"

/* From loose to tight; a unary operator binds tighter than all. */
enum level {
    LEVEL_NONE,
    LEVEL_OR,
    LEVEL_AND,
    LEVEL_RELATION,
    LEVEL_ADD,
    LEVEL_MULTIPLY
};

struct infix {
    int sign;
    enum level level;
    enum program_op op;
};

static struct infix infix_at(const struct parser *p)
{
    static const struct infix signs[] = {
        {LEXER_SIGN('|', '|'), LEVEL_OR, OP_OR},
        {LEXER_SIGN('&', '&'), LEVEL_AND, OP_AND},
        {LEXER_SIGN('=', '='), LEVEL_RELATION, OP_EQUAL},
        {LEXER_SIGN('!', '='), LEVEL_RELATION, OP_DIFFERENT},
        {LEXER_SIGN('<', 0), LEVEL_RELATION, OP_LESS},
        {LEXER_SIGN('<', '='), LEVEL_RELATION, OP_LESS_EQUAL},
        {LEXER_SIGN('>', 0), LEVEL_RELATION, OP_GREATER},
        {LEXER_SIGN('>', '='), LEVEL_RELATION, OP_GREATER_EQUAL},
        {LEXER_SIGN('+', 0), LEVEL_ADD, OP_ADD},
        {LEXER_SIGN('-', 0), LEVEL_ADD, OP_SUBTRACT},
        {LEXER_SIGN('*', 0), LEVEL_MULTIPLY, OP_MULTIPLY},
    };
    static const struct {
        struct str word;
        enum program_op op;
    } words[] = {
        {STR_INIT("in"), OP_IN},
        {STR_INIT("has"), OP_HAS},
        {STR_INIT("like"), OP_LIKE},
        {STR_INIT("is"), OP_IS},
    };
    if (p->token.kind == TOKEN_NAME)
        for (size_t i = 0; i < ARRAY_LEN(words); i++)
            if (str_eq(p->token.text, words[i].word))
                return (struct infix){0, LEVEL_RELATION, words[i].op};
    for (size_t i = 0; p->token.kind == TOKEN_SIGN && i < ARRAY_LEN(signs); i++)
        if (p->token.sign == signs[i].sign)
            return signs[i];
    return (struct infix){0, LEVEL_NONE, OP_COUNT};
}

static bool has_path(struct parser *p, size_t offset)
{
    struct str name;
    size_t first = p->keys.count;
    bool is_string = p->token.kind == TOKEN_STRING;
    do {
        if (is_string ? !parser_string(p, &name) : !parser_name(p, &name))
            return false;
        if (!construct_key(p, name))
            return false;
    } while (!is_string && parser_take(p, LEXER_SIGN('.', 0)));
    return construct_has(p, first, offset);
}

static bool like_pattern(struct parser *p, size_t offset)
{
    struct program_node node = {.op = OP_LIKE};
    size_t bad;
    if (p->token.kind != TOKEN_STRING)
        return parser_expected(p, "a string with the pattern");
    enum err e =
        literal_pattern(&p->set->arena, p->token.text, &node.as.pattern, &bad);
    if (e == ERR_LIMIT)
        return parser_no_memory(p);
    if (e != ERR_OK)
        return parser_fail(p, p->token.offset + 1 + bad,
                           "not a valid escape in a pattern");
    parser_advance(p);
    return emit_node(p, node, offset, 1);
}

static bool binary(struct parser *p, enum level least);

static bool is_type(struct parser *p, size_t offset)
{
    struct parser_path path;
    if (!parser_path(p, &path))
        return false;
    if (path.is_uid)
        return parser_fail(p, path.offset, "expected a type, found an entity");
    struct str *type = arena_alloc_raw(&p->set->arena, sizeof(*type));
    if (type == NULL)
        return parser_no_memory(p);
    *type = path.name;
    struct program_node node = {.op = OP_IS, .as.type = type};
    if (!parser_at_word(p, STR("in")))
        return emit_node(p, node, offset, 1);

    size_t in_offset = p->token.offset;
    parser_advance(p);
    node.op = OP_IS_JUMP;
    uint32_t jump = emit_here(p);
    if (!emit_node(p, node, offset, 0) || !binary(p, LEVEL_ADD))
        return false;
    node = (struct program_node){.op = OP_IS_IN};
    return emit_node(p, node, in_offset, 2) && emit_land(p, jump);
}

/* `a && b`, `a || b`: b only when a does not decide. */
static bool logical(struct parser *p, struct infix infix, size_t offset)
{
    bool is_and = infix.op == OP_AND;
    struct program_node node = {.op = is_and ? OP_AND_JUMP : OP_OR_JUMP};
    uint32_t jump = emit_here(p);
    if (!emit_node(p, node, offset, 0) ||
        !binary(p, (enum level)(infix.level + 1)))
        return false;
    node.op = (uint8_t)infix.op;
    return emit_node(p, node, offset, 2) && emit_land(p, jump);
}

static bool right_side(struct parser *p, struct infix infix, size_t offset)
{
    if (infix.op == OP_AND || infix.op == OP_OR)
        return logical(p, infix, offset);
    if (infix.op == OP_HAS)
        return has_path(p, offset);
    if (infix.op == OP_LIKE)
        return like_pattern(p, offset);
    if (infix.op == OP_IS)
        return is_type(p, offset);
    struct program_node node = {.op = (uint8_t)infix.op};
    return binary(p, (enum level)(infix.level + 1)) &&
           emit_node(p, node, offset, 2);
}

static bool binary(struct parser *p, enum level least)
{
    if (!operand_parse(p))
        return false;
    for (;;) {
        struct infix infix = infix_at(p);
        if (infix.level < least)
            return true;
        size_t offset = p->token.offset;
        parser_advance(p);
        if (!right_side(p, infix, offset))
            return false;
        if (infix.level == LEVEL_RELATION &&
            infix_at(p).level >= LEVEL_RELATION)
            return parser_fail(
                p, p->token.offset,
                "comparisons do not chain; put one of them in parentheses");
    }
}

static bool condition(struct parser *p, size_t offset)
{
    struct program_node jump = {.op = OP_IF_JUMP};
    struct program_node after = {.op = OP_ELSE_JUMP};
    uint32_t to_else;
    uint32_t to_end;
    if (!expression_parse(p))
        return false;
    if (!parser_take_word(p, STR("then")))
        return parser_expected(p, "'then'");
    to_else = emit_here(p);
    if (!emit_node(p, jump, offset, 0) || !expression_parse(p))
        return false;
    if (!parser_take_word(p, STR("else")))
        return parser_expected(p, "'else'");
    to_end = emit_here(p);
    if (!emit_node(p, after, offset, 0) || !emit_land(p, to_else) ||
        !expression_parse(p) || !emit_land(p, to_end))
        return false;
    return emit_node(p, (struct program_node){.op = OP_IF}, offset, 3);
}

bool expression_parse(struct parser *p)
{
    if (p->depth == CEDAR_DEPTH_MAX)
        return parser_fail(p, p->token.offset,
                           "an expression nests deeper than %d levels",
                           CEDAR_DEPTH_MAX);
    p->depth++;
    size_t offset = p->token.offset;
    bool ok = parser_take_word(p, STR("if")) ? condition(p, offset)
                                             : binary(p, LEVEL_OR);
    p->depth--;
    return ok;
}
