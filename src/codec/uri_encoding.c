/*
 * uri_encoding.c - percent-encoding, and the normal form of paths; see uri.h.
 */
#include "base/limits.h"
#include "base/text.h"
#include "codec/uri.h"

static const char upper_hex[] = "0123456789ABCDEF";

/* ---- characters (RFC 3986, section 2) ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_unreserved(char c)
{
    return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/* What may stand in a path as it is; '/' apart. */
static bool is_pchar(char c)
{
    return is_unreserved(c) || c == ':' || c == '@' ||
           (c != '\0' && strchr("!$&'()*+,;=", c) != NULL);
}

/* Clients leave more in a query than the grammar has. */
static bool is_query_char(char c)
{
    return c > ' ' && c < '\x7f' && c != '#' && c != '"' && c != '<' &&
           c != '>';
}

/* 0 to 15, or -1. */
static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The byte that the "%XX" at the start of `s` stands for, or -1. */
static int encoded_byte(struct str s)
{
    if (s.len < 3 || s.ptr[0] != '%')
        return -1;
    int high = hex_value(s.ptr[1]);
    int low = hex_value(s.ptr[2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static char *put_encoded(char *to, unsigned char byte)
{
    *to++ = '%';
    *to++ = upper_hex[byte >> 4];
    *to++ = upper_hex[byte & 15];
    return to;
}

/* ---- paths ---- */

/*
 * Copies the character of encoded bytes at the start of `s`, all of them
 * 0x80 and up, to `to`; returns how many bytes it has, 0 if it is no UTF-8 or
 * a control character.
 */
static size_t put_utf8(struct str s, char **to)
{
    char bytes[4];
    size_t n = 0;
    for (int byte; n < sizeof(bytes); n++) {
        byte = encoded_byte(str_skip(s, 3 * n));
        if (byte < 0)
            break;
        bytes[n] = (char)byte;
    }
    size_t len = text_utf8_len((struct str){bytes, n});
    if (len == 2 && bytes[0] == '\xc2' && (unsigned char)bytes[1] < 0xa0)
        return 0;
    for (size_t i = 0; i < len; i++)
        *to = put_encoded(*to, (unsigned char)bytes[i]);
    return len;
}

/* As put_utf8() for any encoded byte; how many bytes of `s` it took. */
static size_t put_normal(struct str s, char **to)
{
    int byte = encoded_byte(s);
    if (byte >= 0x80)
        return 3 * put_utf8(s, to);
    if (byte < 0x20 || byte == 0x7f || byte == '/' || byte == '\\')
        return 0;
    char c = (char)byte;
    if (is_unreserved(c) || c == ':' || c == '@')
        *(*to)++ = c;
    else
        *to = put_encoded(*to, (unsigned char)byte);
    return 3;
}

/* Writes the characters of `path` in normal form to `to`, which has room for
 * as many; false: one of them is refused. */
static bool normalise(struct str path, char *to, size_t *ret_len)
{
    char *at = to;
    while (path.len > 0) {
        size_t used = 0;
        if (path.ptr[0] == '%') {
            used = put_normal(path, &at);
        } else if (path.ptr[0] == '/' || is_pchar(path.ptr[0])) {
            *at++ = path.ptr[0];
            used = 1;
        }
        if (used == 0)
            return false;
        path = str_skip(path, used);
    }
    *ret_len = (size_t)(at - to);
    return true;
}

static bool is_plain_path(struct str path)
{
    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] != '/' && !is_pchar(path.ptr[i]))
            return false;
    }
    return true;
}

/* "." and "..", also before the parameters that some servers strip. */
static bool is_dots(struct str segment)
{
    size_t dots = 0;
    while (dots < segment.len && segment.ptr[dots] == '.')
        dots++;
    struct str rest = str_skip(segment, dots);
    return (dots == 1 || dots == 2) && (rest.len == 0 || rest.ptr[0] == ';' ||
                                        str_starts(rest, STR("%3B")));
}

/* True when an encoded '%' begins what reads as an encoded byte again. */
static bool is_encoded_twice(struct str path)
{
    for (;;) {
        path = str_skip(path, str_find(path, '%'));
        if (path.len == 0)
            return false;
        if (str_starts(path, STR("%25")) && path.len >= 5 &&
            hex_value(path.ptr[3]) >= 0 && hex_value(path.ptr[4]) >= 0)
            return true;
        path = str_skip(path, 3);
    }
}

/* `path` is in normal form, but for its segments. */
static bool has_one_reading(struct str path)
{
    if (is_encoded_twice(path))
        return false;
    struct str left = str_skip(path, 1);
    while (left.len > 0) {
        size_t end = str_find(left, '/');
        if (end == 0 || is_dots(str_first(left, end)))
            return false;
        left = str_skip(left, end + 1);
    }
    return true;
}

static bool is_query(struct str query)
{
    for (size_t i = 0; i < query.len; i++) {
        if (!is_query_char(query.ptr[i]) ||
            (query.ptr[i] == '%' && encoded_byte(str_skip(query, i)) < 0))
            return false;
    }
    return true;
}

enum err uri_normal_path(struct arena *a, struct str raw, struct str *ret_path,
                         struct str *ret_query)
{
    if (raw.len > HTTP_TARGET_MAX)
        return ERR_LIMIT;
    size_t end = str_find(raw, '?');
    struct str path = str_first(raw, end);
    struct str query = str_skip(raw, end + 1);
    if (path.len == 0 || path.ptr[0] != '/' || !is_query(query))
        return ERR_MALFORMED;

    if (!is_plain_path(path)) {
        char *normal = arena_alloc_raw(a, path.len);
        if (normal == NULL)
            return ERR_LIMIT;
        size_t len;
        if (!normalise(path, normal, &len))
            return ERR_MALFORMED;
        path = (struct str){normal, len};
    }
    if (!has_one_reading(path))
        return ERR_MALFORMED;
    *ret_path = path;
    *ret_query = query;
    return ERR_OK;
}

/* ---- decoding and encoding ---- */

static bool decode(struct str s, bool plus, char *to, size_t *ret_len)
{
    size_t len = 0;
    while (s.len > 0) {
        char c = s.ptr[0];
        size_t used = 1;
        if (c == '%') {
            int byte = encoded_byte(s);
            if (byte < 0)
                return false;
            c = (char)byte;
            used = 3;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        to[len++] = c;
        s = str_skip(s, used);
    }
    *ret_len = len;
    return true;
}

enum err uri_decode(struct arena *a, struct str s, bool plus, struct str *ret)
{
    bool encoded =
        str_find(s, '%') < s.len || (plus && str_find(s, '+') < s.len);
    if (encoded) {
        char *to = arena_alloc_raw(a, s.len);
        if (to == NULL)
            return ERR_LIMIT;
        size_t len;
        if (!decode(s, plus, to, &len))
            return ERR_MALFORMED;
        s = (struct str){to, len};
    }
    if (str_find(s, '\0') < s.len || !text_is_utf8(s))
        return ERR_MALFORMED;
    *ret = s;
    return ERR_OK;
}

bool uri_next_pair(struct str *left, struct str *ret_name,
                   struct str *ret_value)
{
    while (left->len > 0) {
        size_t end = str_find(*left, '&');
        struct str pair = str_first(*left, end);
        *left = str_skip(str_skip(*left, end), 1);
        if (pair.len == 0)
            continue;
        size_t equals = str_find(pair, '=');
        *ret_name = str_first(pair, equals);
        *ret_value = str_skip(pair, equals + 1);
        return true;
    }
    return false;
}

void uri_add_encoded(struct buf *to, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char text[3];
        if (is_unreserved(s.ptr[i])) {
            (void)buf_add_char(to, s.ptr[i]);
        } else {
            (void)put_encoded(text, (unsigned char)s.ptr[i]);
            (void)buf_add(to, (struct str){text, sizeof(text)});
        }
    }
}
