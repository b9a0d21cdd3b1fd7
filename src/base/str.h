/*
 * str.h - a borrowed run of bytes: pointer and length, no terminating NUL.
 *
 * A `struct str` never owns memory; whoever made it says how long it lives.
 * Pass it by value.  The empty string is {NULL, 0} or {any, 0}.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *ptr;
    size_t len; /* bytes */
};

/* A string literal as a `struct str`; valid for the life of the program. */
#define STR(lit) ((struct str){(lit), sizeof(lit) - 1})
/* The same where C wants a constant expression (static tables). */
/* clang-format off */
#define STR_INIT(lit) { (lit), sizeof(lit) - 1 }
/* clang-format on */

/* The arguments for a "%.*s". */
#define STR_FMT(s) ((int)(s).len), ((s).len > 0 ? (s).ptr : "")

static inline struct str str_from(const char *z)
{
    return (struct str){z, z == NULL ? 0 : strlen(z)};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len &&
           (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

/* Bytes from `from` to the end; `from` beyond the end gives the empty one. */
static inline struct str str_skip(struct str s, size_t from)
{
    return from >= s.len ? (struct str){NULL, 0}
                         : (struct str){s.ptr + from, s.len - from};
}

static inline struct str str_first(struct str s, size_t n)
{
    return (struct str){s.ptr, n < s.len ? n : s.len};
}

/* The position of byte `c`, or s.len. */
static inline size_t str_find(struct str s, char c)
{
    const char *at = s.len == 0 ? NULL : memchr(s.ptr, c, s.len);
    return at == NULL ? s.len : (size_t)(at - s.ptr);
}

/* Equal but for the case of ASCII letters (HTTP names, not identities). */
bool str_eq_nocase(struct str a, struct str b);

/* <0, 0, >0 in the order of unsigned bytes; a prefix sorts first. */
int str_compare(struct str a, struct str b);

/* Time depends on the lengths only, never on the bytes. */
bool str_eq_secret(struct str a, struct str b);

/* `s` without blanks and tabs at both ends. */
struct str str_trim(struct str s);

#endif
