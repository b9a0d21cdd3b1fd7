/*
 * http_rules.h - what a head must be, whatever version carried it.
 *
 * The parsers below (llhttp, nghttp2) accept what two readers may take for
 * two things: two Hosts, odd targets, two credentials, fields that another
 * field deletes.  Here such a head is refused, and one that passes is put in
 * the one form that the rest of the program sees (RFC 9110, 9112, 9113).
 *
 * Pure; used by codec/http1 and codec/http2 only.
 */
#ifndef CODEC_HTTP_RULES_H
#define CODEC_HTTP_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/str.h"
#include "codec/http_message.h"

/* clang-format off */
/*    name                    status  code                  text             */
#define HTTP_FAULT_LIST(X)                                                     \
    X(HTTP_FAULT_NONE,        200, "ok",                  "ok")                \
    X(HTTP_FAULT_SYNTAX,      400, "malformed",           "the request head is malformed") \
    X(HTTP_FAULT_TARGET,      400, "malformed_target",    "the request target is not one that has a single reading") \
    X(HTTP_FAULT_HOST,        400, "malformed_host",      "the request does not name exactly one valid host") \
    X(HTTP_FAULT_FRAMING,     400, "malformed_framing",   "the length of the request body can be read in two ways") \
    X(HTTP_FAULT_BODY,        400, "malformed_body",      "the request body does not keep to its framing") \
    X(HTTP_FAULT_DUPLICATE,   400, "duplicate_field",     "a field that may be there once is there twice") \
    X(HTTP_FAULT_CONNECTION,  400, "malformed_connection", "the connection field names a field that is not its own") \
    X(HTTP_FAULT_METHOD,      405, "method_not_allowed",  "the gateway does not take that method") \
    X(HTTP_FAULT_TIMEOUT,     408, "request_timeout",     "the request did not arrive in time") \
    X(HTTP_FAULT_BODY_LONG,   413, "too_large",           "the request body exceeds a limit") \
    X(HTTP_FAULT_TARGET_LONG, 414, "target_too_large",    "the request target exceeds a limit") \
    X(HTTP_FAULT_EXPECT,      417, "unknown_expectation", "the gateway cannot meet that expectation") \
    X(HTTP_FAULT_HEAD_LONG,   431, "head_too_large",      "the request head exceeds a limit") \
    X(HTTP_FAULT_CODING,      501, "unknown_coding",      "the gateway does not know that transfer coding") \
    X(HTTP_FAULT_MEMORY,      503, "out_of_memory",       "the gateway is out of memory for this request") \
    X(HTTP_FAULT_VERSION,     505, "unknown_version",     "the gateway does not speak that version of HTTP")
/* clang-format on */

enum http_fault {
#define X(name, status, code, text) name,
    HTTP_FAULT_LIST(X)
#undef X
        HTTP_FAULT_COUNT /* always last */
};

int http_fault_status(enum http_fault f);
const char *http_fault_code(enum http_fault f);
const char *http_fault_text(enum http_fault f);

/* A head as it came: names lower-case, values trimmed. */
struct http_raw_head {
    struct str method, target; /* requests */
    struct str authority;      /* HTTP/2's :authority; has_authority */
    bool has_authority;
    struct http_field *fields; /* changed: what is hop-by-hop is taken out */
    size_t count;
    enum http_version version;
};

/* What the hop-by-hop fields said. */
struct http_hop {
    bool close;             /* Connection: close */
    bool expect_continue;   /* Expect: 100-continue */
    bool has_coding;        /* Transfer-Encoding; of HTTP/1 only */
    bool is_chunked;        /* ... and it is exactly "chunked" */
    bool has_length;        /* Content-Length */
    int64_t content_length; /* when has_length */
};

/*
 * Applies the rules of requests.  On HTTP_FAULT_NONE *ret and *ret_hop are
 * written (body_bytes from Content-Length, -1 when chunked, 0 when neither);
 * both borrow from `raw` and from `a`.
 */
MUST_CHECK enum http_fault http_rules_request(struct arena *a,
                                              struct http_raw_head *raw,
                                              struct http_request_head *ret,
                                              struct http_hop *ret_hop);

/* The same for the head of a reply; body_bytes is -1 when not given. */
MUST_CHECK enum http_fault http_rules_response(struct http_raw_head *raw,
                                               int status,
                                               struct http_response_head *ret,
                                               struct http_hop *ret_hop);

/*
 * May this field be sent?  Name a lower-case token and not one of those that
 * the codecs produce, value without control characters and outer blanks.
 */
MUST_CHECK bool http_rules_may_send(const struct http_field *f);

/* Are all bytes of `s`, at least one, those of a token (RFC 9110, 5.6.2)? */
bool http_rules_is_token(struct str s);

#endif
