/*
 * http1_write.h - heads and chunks of HTTP/1.1, in the one form that we
 * write (RFC 9112): what was parsed is serialised afresh, never passed on.
 */
#ifndef CODEC_HTTP1_WRITE_H
#define CODEC_HTTP1_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/http_message.h"

enum {
    /* body_bytes, where it is no length */
    HTTP1_WRITE_CHUNKED = -1,
    HTTP1_WRITE_UNTIL_CLOSE = -2, /* responses, to HTTP/1.0 */
    HTTP1_WRITE_NO_LENGTH = -3,   /* 204, 304, GET: no framing field */

    HTTP1_WRITE_CHUNK_MAX = 20, /* bytes of a chunk's head */
};

struct http1_write_request {
    struct str method;
    struct str target;    /* path and query, as sent */
    struct str authority; /* Host */
    struct http_fields fields;
    int64_t body_bytes; /* or one of the above */
};

/*
 * Appends a request head.  ERR_MALFORMED: a field that may not be sent (see
 * http_rules_may_send), or a bad method, target or authority; nothing useful
 * was appended.  ERR_LIMIT: `to` is full.
 */
MUST_CHECK enum err http1_write_request(struct buf *to,
                                        const struct http1_write_request *r);

struct http1_write_response {
    int status;
    struct http_fields fields;
    int64_t body_bytes;
    struct str date; /* of now, or empty: no Date is added */
    bool close;      /* says so */
};

/* Appends a response head; errors as above. */
MUST_CHECK enum err http1_write_response(struct buf *to,
                                         const struct http1_write_response *r);

/* The head of a chunk of `n` bytes, n > 0, to `to`; returns its length.
 * After the bytes comes CRLF, and after the last chunk HTTP1_LAST_CHUNK. */
size_t http1_write_chunk(char to[HTTP1_WRITE_CHUNK_MAX], size_t n);
#define HTTP1_LAST_CHUNK "0\r\n\r\n"

/* "Fri, 20 Nov 2026 07:00:00 GMT" (RFC 9110, 5.6.7) of Unix seconds. */
#define HTTP1_DATE_LEN ((size_t)29)
void http1_write_date(int64_t unix_s, char to[HTTP1_DATE_LEN]);

/* "OK" of 200; "Unknown" where no phrase is registered. */
struct str http1_write_reason(int status);

#endif
