/* literal.c - see literal.h. */
#include "cedar/literal.h"

#include <stdalign.h>

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static char *put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
        return to;
    }
    if (c < 0x800) {
        *to++ = (char)(0xC0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *to++ = (char)(0xE0 | c >> 12);
        } else {
            *to++ = (char)(0xF0 | c >> 18);
            *to++ = (char)(0x80 | (c >> 12 & 0x3F));
        }
        *to++ = (char)(0x80 | (c >> 6 & 0x3F));
    }
    *to++ = (char)(0x80 | (c & 0x3F));
    return to;
}

/* "{1F600}" after \u: one to six digits, underscores between; 0 for none. */
static size_t code_point(struct str s, uint32_t *ret)
{
    uint32_t c = 0;
    size_t digits = 0;
    if (s.len < 3 || s.ptr[0] != '{' || s.ptr[1] == '_')
        return 0;
    size_t at = 1;
    for (; at < s.len && s.ptr[at] != '}'; at++) {
        if (s.ptr[at] == '_')
            continue;
        int digit = hex(s.ptr[at]);
        if (digit < 0 || ++digits > 6)
            return 0;
        c = c << 4 | (uint32_t)digit;
    }
    if (at == s.len || digits == 0 || c > 0x10FFFF ||
        (c >= 0xD800 && c <= 0xDFFF))
        return 0;
    *ret = c;
    return at + 1;
}

/* The escape after a backslash; its length, or 0 when there is none. */
static size_t escape(struct str s, uint32_t *ret)
{
    static const char from[] = "nrt0\\\"'";
    static const char to[] = "\n\r\t\0\\\"'";
    if (s.len == 0)
        return 0;
    for (size_t i = 0; i < sizeof(from) - 1; i++)
        if (s.ptr[0] == from[i]) {
            *ret = (uint32_t)to[i];
            return 1;
        }
    if (s.ptr[0] == 'u') {
        size_t n = code_point(str_skip(s, 1), ret);
        return n == 0 ? 0 : n + 1;
    }
    if (s.ptr[0] != 'x' || s.len < 3 || hex(s.ptr[1]) < 0 || hex(s.ptr[2]) < 0)
        return 0;
    *ret = (uint32_t)(hex(s.ptr[1]) << 4 | hex(s.ptr[2]));
    return *ret < 0x80 ? 3 : 0;
}

/*
 * One character of a literal at *at to *to; sets *star when it is a star
 * that was not written as \*.  False: no escape, or a bare CR.
 */
static bool character(struct str raw, size_t *at, char **to, bool pattern,
                      bool *star)
{
    *star = false;
    char c = raw.ptr[*at];
    if (c != '\\') {
        *(*to)++ = c;
        (*at)++;
        *star = c == '*';
        return c != '\r';
    }
    uint32_t code = 0;
    if (pattern && *at + 1 < raw.len && raw.ptr[*at + 1] == '*') {
        *(*to)++ = '*';
        *at += 2;
        return true;
    }
    size_t n = escape(str_skip(raw, *at + 1), &code);
    if (n == 0)
        return false;
    *to = put_utf8(*to, code); /* never longer than its escape */
    *at += 1 + n;
    *star = code == '*';
    return true;
}

enum err literal_string(struct arena *a, struct str raw, struct str *ret,
                        size_t *ret_bad)
{
    if (str_find(raw, '\\') == raw.len && str_find(raw, '\r') == raw.len) {
        *ret = raw;
        return ERR_OK;
    }
    char *text = arena_alloc_raw(a, raw.len);
    if (text == NULL)
        return ERR_LIMIT;
    char *to = text;
    bool star;
    for (size_t at = 0; at < raw.len;)
        if (!character(raw, &at, &to, false, &star)) {
            *ret_bad = at;
            return ERR_MALFORMED;
        }
    *ret = (struct str){text, (size_t)(to - text)};
    return ERR_OK;
}

enum err literal_pattern(struct arena *a, struct str raw,
                         const struct program_pattern **ret, size_t *ret_bad)
{
    /* A star may be written as an escape, but then takes four bytes. */
    size_t most = 1;
    for (size_t i = 0; i < raw.len; i++)
        most += raw.ptr[i] == '*' || raw.ptr[i] == '\\';
    struct program_pattern *p =
        arena_alloc(a, sizeof(*p) + most * sizeof(p->pieces[0]));
    char *text = arena_alloc_raw(a, raw.len);
    if (p == NULL || text == NULL)
        return ERR_LIMIT;
    char *to = text;
    char *piece = text;
    for (size_t at = 0; at < raw.len;) {
        bool star;
        if (!character(raw, &at, &to, true, &star)) {
            *ret_bad = at;
            return ERR_MALFORMED;
        }
        if (!star)
            continue;
        to--;
        p->pieces[p->count++] = (struct str){piece, (size_t)(to - piece)};
        piece = to;
    }
    p->pieces[p->count++] = (struct str){piece, (size_t)(to - piece)};
    *ret = p;
    return ERR_OK;
}

bool literal_matches(const struct program_pattern *p, struct str text)
{
    struct str first = p->pieces[0];
    struct str last = p->pieces[p->count - 1];
    if (p->count == 1)
        return str_eq(first, text);
    if (!str_starts(text, first) || text.len - first.len < last.len)
        return false;
    struct str tail = str_skip(text, text.len - last.len);
    if (!str_eq(tail, last))
        return false;
    size_t left = text.len - first.len - last.len;
    const char *at = left == 0 ? NULL : text.ptr + first.len;
    for (uint32_t i = 1; i + 1 < p->count; i++) {
        struct str piece = p->pieces[i];
        if (piece.len == 0)
            continue;
        const char *found =
            left == 0 ? NULL : memmem(at, left, piece.ptr, piece.len);
        if (found == NULL)
            return false;
        left -= (size_t)(found - at) + piece.len;
        at = found + piece.len;
    }
    return true;
}
