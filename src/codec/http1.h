/*
 * http1.h - HTTP/1.1 and 1.0 messages from bytes and to bytes (RFC 9112).
 *
 * A parser over llhttp, strict, with the rules of codec/http_rules.h on top
 * and its own for what llhttp lets through: HTTP/0.9 and other versions,
 * doubled blanks, endless empty lines, chunk extensions and trailers.  It is
 * fed bytes as they come and returns events; how the bytes were cut never
 * changes the events.
 *
 *     http1_init(&p, HTTP1_REQUEST);
 *     http1_start(&p, arena);                    // for each message
 *     while ((e = http1_next(&p, &in, &event)) == ERR_OK &&
 *            event != HTTP1_MORE) ...
 *
 * Head: p.request or p.response, p.hop; they live in the arena.  Body:
 * p.piece, which borrows from the input.  Trailers are checked and dropped.
 * After an error the parser is good for nothing; p.fault says what to answer.
 */
#ifndef CODEC_HTTP1_H
#define CODEC_HTTP1_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/http1_line.h"
#include "codec/http_message.h"
#include "codec/http_rules.h"

enum {
    HTTP1_LLHTTP_BYTES = 128,   /* checked in http1.c */
    HTTP1_EXTENSIONS_MAX = 256, /* bytes of the extensions of one chunk */
    HTTP1_OVERHEAD_MAX = 8192,  /* between two pieces of a body; trailers */
    HTTP1_INFORMATIONAL_MAX = 8,
};

enum http1_kind { HTTP1_REQUEST, HTTP1_RESPONSE };

enum http1_event {
    HTTP1_MORE, /* all input was used */
    HTTP1_HEAD, /* p.request or p.response, p.hop, p.keep_alive */
    HTTP1_BODY, /* p.piece, not empty */
    HTTP1_END,  /* the message is complete; http1_start() for the next */
};

struct http1 {
    alignas(8) unsigned char llhttp[HTTP1_LLHTTP_BYTES];

    struct arena *arena;
    char *text; /* of the head, in the arena; fields point into it */
    size_t text_len, text_room;
    struct http_field *fields;
    struct str target; /* as it came */
    uint32_t field_count, field_room;
    uint32_t head_bytes;    /* of the head so far, as they came */
    uint32_t overhead;      /* bytes since the last event of the body */
    uint32_t extensions;    /* bytes of this chunk's */
    uint8_t state;          /* enum state in http1.c */
    uint8_t kind;           /* enum http1_kind */
    struct http1_line line; /* the request line, as far as it was read */
    uint8_t informational;  /* 1xx heads before this response */
    bool no_body;           /* the response to HEAD */
    enum http_fault fault;

    union {
        struct http_request_head request;
        struct http_response_head response;
    };
    struct http_hop hop;
    struct str piece;
    bool keep_alive;  /* another message may follow on this connection */
    bool until_close; /* a response's body ends with the connection */
};

/* Cannot fail and allocates nothing; nothing is to be released. */
void http1_init(struct http1 *p, enum http1_kind kind);

/*
 * Begins the next message; its head will be in `a`, which stays until then.
 * Only before the first message and after HTTP1_END.
 */
void http1_start(struct http1 *p, struct arena *a);

/* As above, for the response to a request whose method was HEAD. */
void http1_start_headless(struct http1 *p, struct arena *a);

/*
 * Reads from the front of *in, which is shortened by what was used, up to
 * the next event.  1xx responses are skipped.
 * ERR_MALFORMED, ERR_HEAD_LIMIT, ERR_NO_MEMORY: p.fault says why.
 */
MUST_CHECK enum err http1_next(struct http1 *p, struct str *in,
                               enum http1_event *ret);

/* No more bytes will come.  ERR_OK: the message ended with that, or none had
 * begun; else it was cut short. */
MUST_CHECK enum err http1_finish(struct http1 *p);

/* Has a byte of the next message been read? */
bool http1_has_begun(const struct http1 *p);

#endif
