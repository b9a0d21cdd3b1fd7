/*
 * uri.h - URLs, authorities and request paths in one normal form (RFC 3986).
 *
 * What routes, policy and the destination see is the same bytes: a path has
 * one normal form or is refused, never repaired.  Refused is whatever two
 * parsers are known to read differently: dot segments, empty segments,
 * encoded slash, backslash or control characters, doubly encoded bytes,
 * bytes outside the grammar, encoded bytes that are no UTF-8.
 */
#ifndef CODEC_URI_H
#define CODEC_URI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/*
 * Splits an origin-form request target "/path?query" (RFC 9112, 3.2.1).
 *
 * The normal form of the path decodes what need not be encoded (unreserved
 * characters, ':' and '@'), writes the rest as upper-case %XX and starts with
 * '/'.  The query keeps its bytes; *ret_query is empty when there is none.
 * Both borrow from `raw`, or from `a` when the path had to be rewritten.
 *
 * ERR_MALFORMED: refused as above.  ERR_LIMIT: over HTTP_TARGET_MAX, or `a`
 * is full.
 */
MUST_CHECK enum err uri_normal_path(struct arena *a, struct str raw,
                                    struct str *ret_path,
                                    struct str *ret_query);

/* host [":" port], of a Host field, an :authority or a CONNECT target. */
struct uri_authority {
    struct str host; /* a name, an IPv4 address, or IPv6 without brackets */
    uint16_t port;   /* 0: none was given */
    bool is_ipv6;
    bool is_address; /* IPv4 or IPv6 */
};

/*
 * Reads an authority; *ret borrows from `s`, its case as it came.
 * ERR_MALFORMED: empty; userinfo, a list, a path or a blank in it; a name
 * that is not labels of letters, digits, '-', '_' (RFC 1123); numbers that
 * are no dotted quad ("127.1", "0x7f.1"); a port out of 1 to 65535.
 */
MUST_CHECK enum err uri_authority(struct str s, struct uri_authority *ret);

/* The rules above as a yes or no: is this a Host that we answer to? */
bool uri_host_valid(struct str host_field);

/*
 * The authority with a lower-case host and IPv6 in its shortest form
 * (RFC 5952), the port as it came.  Borrows from `s` when that is the same,
 * else from `a`.  ERR_MALFORMED as uri_authority(); ERR_LIMIT.
 */
MUST_CHECK enum err uri_normal_authority(struct arena *a, struct str s,
                                         struct str *ret);

/* An absolute URL, taken apart. */
struct uri {
    struct str scheme; /* lower-case */
    struct str host;   /* lower-case; IPv6 without brackets */
    uint16_t port;     /* the scheme's own when none was given; 0: unknown */
    bool is_ipv6;
    bool is_address;
    struct str authority; /* normal form, for a Host field */
    struct str path;      /* normal form; "/" when there is none */
    struct str query;     /* without '?', or empty */
};

/*
 * Splits "scheme://host[:port][/path][?query]".  Userinfo and a fragment are
 * refused.  *ret borrows from `text` and `a`.  ERR_MALFORMED: *ret_why (NULL
 * is allowed) is a static text for the operator.  ERR_LIMIT: `a` is full.
 */
MUST_CHECK enum err uri_split(struct arena *a, struct str text, struct uri *ret,
                              const char **ret_why);

/*
 * Percent-decodes `s` once; with `plus`, '+' is a blank (form bodies and
 * queries).  Borrows from `s` when there is nothing to decode, else from `a`.
 * ERR_MALFORMED: a bad %XX, a NUL, or not UTF-8.  ERR_LIMIT.
 */
MUST_CHECK enum err uri_decode(struct arena *a, struct str s, bool plus,
                               struct str *ret);

/*
 * Takes the next "name=value" off the front of a query or a form body; both
 * still encoded, the value empty where '=' is missing; empty pairs are
 * skipped.  False at the end.
 */
bool uri_next_pair(struct str *left, struct str *ret_name,
                   struct str *ret_value);

/* Appends `s` with everything but unreserved characters as %XX. */
void uri_add_encoded(struct buf *to, struct str s);

#endif
