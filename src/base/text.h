/*
 * text.h - bytes as text: hex, base64 (RFC 4648), times (RFC 3339).
 *
 * Encoders write exactly what their *_LEN says, no NUL.  Decoders are
 * canonical: the wrong alphabet, padding where none belongs, or set bits
 * behind the last byte are refused.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"

#define TEXT_HEX_LEN(n) ((size_t)(n) * 2)
#define TEXT_BASE64_LEN(n) (((size_t)(n) + 2) / 3 * 4)
#define TEXT_BASE64URL_LEN(n) (((size_t)(n) * 4 + 2) / 3)

/* ASCII capitals become small letters, where they are. */
void text_lower(char *at, size_t n);

void text_hex(const void *bytes, size_t n, char *to);
/* False unless `s` is exactly 2n lower- or upper-case hex digits. */
MUST_CHECK bool text_unhex(struct str s, void *to, size_t n);

void text_base64(const void *bytes, size_t n, char *to);    /* padded */
void text_base64url(const void *bytes, size_t n, char *to); /* unpadded */
/* *ret_n bytes to `to`, which has room for s.len bytes. */
MUST_CHECK bool text_unbase64(struct str s, void *to, size_t *ret_n);
MUST_CHECK bool text_unbase64url(struct str s, void *to, size_t *ret_n);

/*
 * Unix time in microseconds as "2026-11-20T05:51:00.000000Z"; years 1970 to
 * 9999, clamped.
 */
#define TEXT_TIME_LEN ((size_t)27)
void text_time(int64_t unix_us, char *to);
/* The way back; false unless `s` is what text_time() writes. */
MUST_CHECK bool text_untime(struct str s, int64_t *ret_unix_us);

/*
 * How many single edits (insert, delete, change, swap of neighbours) lead
 * from `a` to `b`; for "did you mean".  Strings over 64 bytes count as 99.
 */
unsigned text_distance(struct str a, struct str b);

/* Bytes of the well-formed UTF-8 character that `s` begins with, or 0. */
size_t text_utf8_len(struct str s);

/* True when `s` is well-formed UTF-8 (RFC 3629), which excludes surrogates. */
bool text_is_utf8(struct str s);

/* ... and has no control character (Unicode's Cc: C0, DEL and C1). */
bool text_is_plain(struct str s);

#endif
