/*
 * json.h - JSON from outside, read once and strictly (RFC 8259, RFC 7493).
 *
 * There is one reading of a document: duplicate member names, invalid UTF-8,
 * lone surrogates, a NUL inside a string, trailing bytes, nesting over
 * JSON_DEPTH_MAX, more than JSON_MEMBERS_MAX members in one object or
 * JSON_ELEMENTS_MAX values in all, a number over JSON_NUMBER_MAX are refused.
 * Numbers keep their text, so that writing a document back never changes a
 * value.
 *
 * Values are immutable and live in the arena that json_read() was given.
 * Every accessor takes NULL and answers as for a missing value, so lookups
 * chain: json_str(json_get(json_get(v, STR("usage")), STR("model")), &s).
 *
 * Threads: a document may be read by any number of threads.
 */
#ifndef CODEC_JSON_H
#define CODEC_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct json; /* one value; never allocated by callers */

enum json_type {
    JSON_NONE = 0, /* what NULL is */
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

/* Where and why reading failed; `what` is a static text. */
struct json_error {
    size_t offset; /* bytes from the start */
    const char *what;
};

/*
 * Parses `text` (borrowed for the call; strings are copied into `a`).
 * ERR_MALFORMED or ERR_LIMIT (then *ret_error is set, NULL is allowed).
 * ERR_LIMIT also when the arena is full.
 */
MUST_CHECK enum err json_read(struct arena *a, struct str text,
                              const struct json **ret,
                              struct json_error *ret_error);

/* The same, but strings may hold NUL: for formats that give it a meaning and
 * readers that count lengths. */
MUST_CHECK enum err json_read_nul(struct arena *a, struct str text,
                                  const struct json **ret,
                                  struct json_error *ret_error);

/*
 * As json_read_nul(), with room for what an operator writes: expressions that
 * nest JSON_LARGE_DEPTH_MAX deep, objects of JSON_LARGE_MEMBERS_MAX members,
 * any number of values.  The arena's cap is the limit.  What was read so is
 * not for json_write().
 */
enum { JSON_LARGE_DEPTH_MAX = 1024, JSON_LARGE_MEMBERS_MAX = 1000000 };
MUST_CHECK enum err json_read_large(struct arena *a, struct str text,
                                    const struct json **ret,
                                    struct json_error *ret_error);

enum json_type json_type(const struct json *v);

/* The member's value, or NULL: not an object, or no such member. */
const struct json *json_get(const struct json *object, struct str name);

/* Members of an object, elements of an array, else 0. */
size_t json_count(const struct json *v);

/* The element, or NULL.  O(1) for arrays of scalars, else O(index). */
const struct json *json_at(const struct json *array, size_t index);

/* Steps over members or elements in document order; see json_next(). */
struct json_iter {
    const struct json *at; /* private */
    size_t left;           /* private */
};
struct json_iter json_each(const struct json *object_or_array);
/* False at the end.  *ret_name is empty for arrays; NULL is allowed. */
bool json_next(struct json_iter *it, struct str *ret_name,
               const struct json **ret_value);

/* True and *ret set when `v` has that type (and fits); else *ret untouched. */
MUST_CHECK bool json_str(const struct json *v, struct str *ret);
MUST_CHECK bool json_bool(const struct json *v, bool *ret);
MUST_CHECK bool json_number(const struct json *v,
                            struct str *ret); /* its text, as it came */
MUST_CHECK bool json_i64(const struct json *v,
                         int64_t *ret); /* integers only */
MUST_CHECK bool json_f64(const struct json *v, double *ret);
static inline bool json_is_string(const struct json *v, struct str text)
{
    struct str s;
    return json_str(v, &s) && str_eq(s, text);
}

/* Replacement of one top-level member when writing; see json_write(). */
struct json_patch {
    struct str name;
    struct str raw; /* the new value as JSON text; {NULL,0} drops the member */
};

/*
 * Appends `v` as compact JSON.  For an object, `patches` (may be NULL) are
 * applied to its own members: replaced in place, dropped, or added at the
 * end in the order given.  Check buf_ok() at the end.
 */
void json_write(struct buf *to, const struct json *v,
                const struct json_patch *patches, size_t n);

/*
 * Appends `s`, which must be UTF-8, as a JSON string: quotes included,
 * escaped as RFC 8785 says.
 */
void json_write_str(struct buf *to, struct str s);
/* The same in one pass, if `s` is ASCII of which nothing must be escaped;
 * else false, and nothing is written. */
MUST_CHECK bool json_write_ascii(struct buf *to, struct str s);

#endif
