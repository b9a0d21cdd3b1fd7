/* parser.c - see parser.h; names, literals and what errors look like. */
#include "cedar/parser.h"

#include <stdarg.h>
#include <stdio.h>

#include "cedar/errors.h"
#include "cedar/literal.h"
#include "cedar/name.h"
#include "cedar/nearest.h"

bool parser_fail(struct parser *p, size_t offset, const char *format, ...)
{
    char text[sizeof(((struct cedar_error *)0)->text)];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    errors_add(p->errors, p->set->text, offset, "%s", text);
    if (p->err == ERR_OK)
        p->err = ERR_MALFORMED;
    return false;
}

bool parser_no_memory(struct parser *p)
{
    errors_add(p->errors, p->set->text, p->token.offset,
               "the text needs more memory than it may have");
    p->err = ERR_LIMIT;
    return false;
}

bool parser_expected(struct parser *p, const char *what)
{
    struct str found = str_first(p->token.text, 40);
    if (p->token.kind == TOKEN_END)
        return parser_fail(p, p->token.offset, "expected %s, found the end",
                           what);
    if (p->token.kind == TOKEN_STRING)
        return parser_fail(p, p->token.offset, "expected %s, found \"%.*s\"",
                           what, STR_FMT(found));
    return parser_fail(p, p->token.offset, "expected %s, found %.*s", what,
                       STR_FMT(found));
}

bool parser_expected_word(struct parser *p, const char *what,
                          const struct str *words, size_t count)
{
    struct str near = {0};
    if (p->token.kind == TOKEN_NAME)
        near = nearest_of(p->token.text, words, count);
    if (near.len == 0)
        return parser_expected(p, what);
    return parser_fail(p, p->token.offset,
                       "expected %s, found %.*s; did you mean %.*s?", what,
                       STR_FMT(str_first(p->token.text, 40)), STR_FMT(near));
}

void parser_advance(struct parser *p)
{
    p->token = lexer_next(&p->lexer);
}

bool parser_take(struct parser *p, int sign)
{
    if (!parser_at(p, sign))
        return false;
    parser_advance(p);
    return true;
}

bool parser_need(struct parser *p, int sign)
{
    if (parser_take(p, sign))
        return true;
    char what[] = {'\'', (char)(sign >> 8), '\'', '\0', '\0'};
    if ((sign & 0xFF) != 0)
        memcpy(what + 2, (char[]){(char)(sign & 0xFF), '\''}, 2);
    return parser_expected(p, what);
}

bool parser_take_word(struct parser *p, struct str word)
{
    if (!parser_at_word(p, word))
        return false;
    parser_advance(p);
    return true;
}

bool parser_string(struct parser *p, struct str *ret)
{
    if (p->token.kind != TOKEN_STRING)
        return parser_expected(p, "a string");
    size_t bad;
    enum err e = literal_string(&p->set->arena, p->token.text, ret, &bad);
    if (e == ERR_LIMIT)
        return parser_no_memory(p);
    if (e != ERR_OK)
        return parser_fail(p, p->token.offset + 1 + bad,
                           "not a valid escape in a string");
    parser_advance(p);
    return true;
}

bool parser_name(struct parser *p, struct str *ret)
{
    if (p->token.kind != TOKEN_NAME)
        return parser_expected(p, "a name");
    if (name_is_reserved(p->token.text))
        return parser_fail(p, p->token.offset,
                           "%.*s is a reserved word and cannot be a name",
                           STR_FMT(p->token.text));
    *ret = p->token.text;
    parser_advance(p);
    return true;
}

/* `*name` and "::part", in the arena. */
static bool join(struct parser *p, struct str *name, struct str part)
{
    size_t len = name->len + 2 + part.len;
    char *text = arena_alloc_raw(&p->set->arena, len);
    if (text == NULL)
        return parser_no_memory(p);
    memcpy(text, name->ptr, name->len);
    text[name->len] = ':';
    text[name->len + 1] = ':';
    memcpy(text + name->len + 2, part.ptr, part.len);
    *name = (struct str){text, len};
    return true;
}

bool parser_path(struct parser *p, struct parser_path *ret)
{
    *ret = (struct parser_path){.name = STR(""), .offset = p->token.offset};
    if (!parser_name(p, &ret->name))
        return false;
    for (unsigned parts = 1; parser_take(p, LEXER_SIGN(':', ':')); parts++) {
        struct str part = STR("");
        if (p->token.kind == TOKEN_STRING) {
            ret->is_uid = true;
            return parser_string(p, &ret->id);
        }
        if (parts == CEDAR_NAME_PARTS_MAX)
            return parser_fail(p, ret->offset, "a name has more than %d parts",
                               CEDAR_NAME_PARTS_MAX);
        if (!parser_name(p, &part) || !join(p, &ret->name, part))
            return false;
        ret->is_qualified = true;
    }
    return true;
}

const struct cedar_uid *parser_uid(struct parser *p,
                                   const struct parser_path *path)
{
    struct cedar_uid *uid =
        arena_alloc_raw(&p->set->arena, sizeof(struct cedar_uid));
    if (uid == NULL) {
        (void)parser_no_memory(p);
        return NULL;
    }
    *uid = cedar_uid_make(path->name, path->id);
    return uid;
}
