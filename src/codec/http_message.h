/*
 * http_message.h - heads of requests and replies, the same for HTTP/1 and 2.
 *
 * Field names are lower-case.  Framing and hop-by-hop fields (Connection,
 * Keep-Alive, TE, Trailer, Transfer-Encoding, Content-Length, Expect,
 * Upgrade, Proxy-*) and Host never show here in either direction: the codecs
 * consume and produce them.
 */
#ifndef CODEC_HTTP_MESSAGE_H
#define CODEC_HTTP_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct http_field {
    struct str name; /* lower-case */
    struct str value;
};

struct http_fields {
    const struct http_field *at;
    size_t count;
};

enum http_version { HTTP_VERSION_1_0, HTTP_VERSION_1_1, HTTP_VERSION_2 };

struct http_request_head {
    struct str method;
    struct str path;      /* normal form: absolute, no dot segments */
    struct str query;     /* without '?', or empty */
    struct str authority; /* Host or :authority, lower-case host */
    struct http_fields fields;
    int64_t body_bytes; /* -1: unknown; 0: none */
    enum http_version version;
};

struct http_response_head {
    int status;
    struct http_fields fields;
    int64_t body_bytes; /* -1: unknown (chunked or until close) */
};

/* The value of the only field called `name`; empty when it is missing or
 * there are several. */
struct str http_fields_get(struct http_fields f, struct str name);
/* How many fields are called `name`. */
size_t http_fields_count(struct http_fields f, struct str name);

#endif
