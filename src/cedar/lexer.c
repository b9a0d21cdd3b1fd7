/* lexer.c - see lexer.h. */
#include "cedar/lexer.h"

#include "cedar/name.h"

/* Bytes of the Unicode White_Space character at `at`, or 0. */
static size_t blank(struct str s, size_t at)
{
    unsigned char c = (unsigned char)s.ptr[at];
    if (c == ' ' || (c >= '\t' && c <= '\r'))
        return 1;
    if (c < 0x80 || s.len - at < 2)
        return 0;
    unsigned char d = (unsigned char)s.ptr[at + 1];
    if (c == 0xC2)
        return d == 0x85 || d == 0xA0 ? 2 : 0;
    if (s.len - at < 3)
        return 0;
    unsigned char e = (unsigned char)s.ptr[at + 2];
    bool is_blank = (c == 0xE1 && d == 0x9A && e == 0x80) ||
                    (c == 0xE2 && d == 0x80 && e >= 0x80 && e <= 0x8A) ||
                    (c == 0xE2 && d == 0x80 && (e == 0xA8 || e == 0xA9)) ||
                    (c == 0xE2 && d == 0x80 && e == 0xAF) ||
                    (c == 0xE2 && d == 0x81 && e == 0x9F) ||
                    (c == 0xE3 && d == 0x80 && e == 0x80);
    return is_blank ? 3 : 0;
}

static void skip_blanks(struct lexer *l)
{
    struct str s = l->text;
    while (l->at < s.len) {
        size_t n = blank(s, l->at);
        l->at += n;
        if (n > 0)
            continue;
        if (s.len - l->at < 2 || s.ptr[l->at] != '/' || s.ptr[l->at + 1] != '/')
            return;
        while (l->at < s.len && s.ptr[l->at] != '\n' && s.ptr[l->at] != '\r')
            l->at++;
    }
}

/* A string from its opening quote; a line break after `\` ends it badly. */
static void string(struct lexer *l, struct lexer_token *t)
{
    struct str s = l->text;
    size_t at = l->at + 1;
    while (at < s.len && s.ptr[at] != '"') {
        if (s.ptr[at] == '\\' && (at + 1 == s.len || s.ptr[at + 1] == '\n'))
            return;
        at += s.ptr[at] == '\\' ? 2 : 1;
    }
    if (at >= s.len)
        return;
    t->kind = TOKEN_STRING;
    t->text = (struct str){s.ptr + l->at + 1, at - l->at - 1};
    l->at = at + 1;
}

static void word(struct lexer *l, struct lexer_token *t, enum lexer_kind kind)
{
    size_t start = l->at;
    while (l->at < l->text.len &&
           (kind == TOKEN_NUMBER ? name_is_digit(l->text.ptr[l->at])
                                 : name_is_part(l->text.ptr[l->at])))
        l->at++;
    t->kind = kind;
    t->text = (struct str){l->text.ptr + start, l->at - start};
}

static void sign(struct lexer *l, struct lexer_token *t)
{
    static const char pairs[][3] = {"::", "==", "!=", "<=", ">=", "||", "&&"};
    static const char singles[] = "@.,;:(){}[]<>+-*/%!=";
    const char *at = l->text.ptr + l->at;
    size_t left = l->text.len - l->at;
    size_t n = *at != '\0' && strchr(singles, *at) != NULL;
    for (size_t i = 0; left >= 2 && i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (at[0] == pairs[i][0] && at[1] == pairs[i][1])
            n = 2;
    if (n == 0)
        return;
    t->kind = TOKEN_SIGN;
    t->sign = LEXER_SIGN(at[0], n == 2 ? at[1] : 0);
    t->text = (struct str){at, n};
    l->at += n;
}

struct lexer_token lexer_next(struct lexer *l)
{
    skip_blanks(l);
    struct lexer_token t = {.kind = TOKEN_BAD, .offset = l->at};
    if (l->at == l->text.len) {
        t.kind = TOKEN_END;
        return t;
    }
    char c = l->text.ptr[l->at];
    if (name_is_start(c))
        word(l, &t, TOKEN_NAME);
    else if (name_is_digit(c))
        word(l, &t, TOKEN_NUMBER);
    else if (c == '"')
        string(l, &t);
    else if (c == '?' && l->text.len - l->at >= 2 &&
             name_is_start(l->text.ptr[l->at + 1])) {
        l->at++;
        word(l, &t, TOKEN_SLOT);
    } else {
        sign(l, &t);
    }
    if (t.kind == TOKEN_BAD) {
        t.text = (struct str){l->text.ptr + l->at, 1};
        l->at++;
    }
    return t;
}
