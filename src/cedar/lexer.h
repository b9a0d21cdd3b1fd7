/*
 * lexer.h - policy text to tokens.
 */
#ifndef CEDAR_LEXER_H
#define CEDAR_LEXER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum lexer_kind {
    TOKEN_END = 0,
    TOKEN_BAD, /* `text` is what cannot begin a token */
    TOKEN_NAME,
    TOKEN_NUMBER,
    TOKEN_STRING, /* `text` without the quotes, escapes as they came */
    TOKEN_SLOT,   /* `text` without the question mark */
    TOKEN_SIGN,   /* an operator or punctuation: see `sign` */
};

/* Two characters of a sign in one number: LEXER_SIGN('&', '&'). */
#define LEXER_SIGN(first, second) ((first) << 8 | (second))

struct lexer_token {
    enum lexer_kind kind;
    int sign; /* LEXER_SIGN(first, second), second 0 if single */
    struct str text;
    size_t offset;
};

struct lexer {
    struct str text;
    size_t at;
};

struct lexer_token lexer_next(struct lexer *l);

#endif
