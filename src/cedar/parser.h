/*
 * parser.h - policy text to program.h's form; parser.c does policies and
 * scopes, expression.c and operand.c what stands in conditions.
 *
 * Functions return false after one error was reported; the caller gives up
 * the policy it is in.  Recursion is bounded by CEDAR_DEPTH_MAX.
 */
#ifndef CEDAR_PARSER_H
#define CEDAR_PARSER_H

#include "cedar/lexer.h"
#include "cedar/program.h"

struct parser {
    struct lexer lexer;
    struct lexer_token token; /* the one to be looked at */
    struct cedar_policies *set;
    struct value_pool pool; /* the set's arena */
    struct cedar_errors *errors;
    enum err err; /* the first one's */
    unsigned depth;
    /* What the nodes so far leave on the stack: values, CEDAR_NOTHING where
     * they are no constants, and the first node of each. */
    PROGRAM_LIST(struct cedar_value) constants;
    PROGRAM_LIST(uint32_t) starts;
    PROGRAM_LIST(struct value_key) keys; /* of the records being read */
};

/* "expected <what>, found <token>"; returns false. */
bool parser_expected(struct parser *p, const char *what);
/* The same, and which of the words was meant if one is near. */
bool parser_expected_word(struct parser *p, const char *what,
                          const struct str *words, size_t count);
/* As errors_add(), at an offset; returns false. */
bool parser_fail(struct parser *p, size_t offset, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Out of memory or over the arena's cap; returns false. */
bool parser_no_memory(struct parser *p);

void parser_advance(struct parser *p);

static inline bool parser_at(const struct parser *p, int sign)
{
    return p->token.kind == TOKEN_SIGN && p->token.sign == sign;
}
static inline bool parser_at_word(const struct parser *p, struct str word)
{
    return p->token.kind == TOKEN_NAME && str_eq(p->token.text, word);
}
/* Steps over the sign if it is there. */
bool parser_take(struct parser *p, int sign);
/* The same; an error when it is not. */
bool parser_need(struct parser *p, int sign);
bool parser_take_word(struct parser *p, struct str word);

/* A string literal's text. */
bool parser_string(struct parser *p, struct str *ret);
/* An identifier that is not reserved. */
bool parser_name(struct parser *p, struct str *ret);

/* "A::B", or "A::B::\"id\"" and then *ret_is_uid is true. */
struct parser_path {
    struct str name;
    struct str id;
    size_t offset;
    bool is_uid;
    bool is_qualified; /* the name has several parts */
};
bool parser_path(struct parser *p, struct parser_path *ret);

/* An entity's uid in the arena. */
const struct cedar_uid *parser_uid(struct parser *p,
                                   const struct parser_path *path);

#endif
