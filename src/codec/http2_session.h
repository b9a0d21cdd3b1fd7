/* http2_session.h - inside codec/http2*.c: the session and its streams. */
#ifndef CODEC_HTTP2_SESSION_H
#define CODEC_HTTP2_SESSION_H

#include <nghttp2/nghttp2.h>

#include "base/buf.h"
#include "base/list.h"
#include "codec/http2.h"

enum {
    HTTP2_GAPS_MAX = 16,
    /* Of one stream, not yet taken: two pieces of a streamed body, or a whole
     * one. */
    HTTP2_OUT_MAX = 64 * 1024 * 1024,
};

/* Stream ids that the peer has passed over, which closes them for good. */
struct http2_gap {
    int32_t from, to;
};

struct http2 {
    nghttp2_session *ng;
    enum http2_role role;
    struct http2_events events;
    void *user;
    struct list streams; /* struct http2_stream */
    size_t stream_count;
    struct list drained; /* streams whose `taken` is due */
    size_t blocked;
    uint64_t sent;

    int32_t last_id; /* the highest that the peer has opened */
    struct http2_gap gaps[HTTP2_GAPS_MAX];
    size_t gap_count;

    int64_t patience; /* see http2_flood.c */
    int64_t patience_ms;
    bool broken; /* no more input is taken */
};

struct http2_stream {
    struct list node;
    struct list due; /* in `drained` */
    struct http2 *h;
    void *user; /* NULL: abandoned */
    int32_t id;

    struct arena *arena; /* the head being read */
    struct http_field *fields;
    uint32_t field_count, field_room;
    size_t head_bytes;
    struct str method, path, authority, scheme;
    int status;
    uint8_t informational;
    bool has_authority;
    bool head_done;
    bool is_bad; /* the head broke a rule; it is read to its end */
    enum http_fault fault;

    struct buf out;
    size_t out_at; /* bytes before it were taken */
    bool out_last; /* nothing comes after `out` */
    bool waiting;  /* nghttp2 was told that there is nothing now */
    bool is_blocked;
    bool replied; /* a head was given to be sent */
    bool sent;    /* the request's head was sent */
};

/* --- http2.c --- */

struct http2_stream *http2_stream_new(struct http2 *h, int32_t id);
void http2_stream_free(struct http2_stream *s);
/* NULL: there is none that we know. */
struct http2_stream *http2_stream_get(const struct http2 *h, int32_t id);

/* --- http2_send.c --- */

/* nghttp2 has sent a frame. */
int http2_on_sent(nghttp2_session *ng, const nghttp2_frame *frame, void *user);

/* --- http2_head.c --- */

/* A header of a head, as nghttp2 hands it out; false: stop this stream. */
bool http2_head_add(struct http2_stream *s, struct str name, struct str value);

/* The head is complete, and with it the stream if it `ends`: applies the
 * rules, then the event. */
void http2_head_end(struct http2_stream *s, bool ends);

/* --- http2_flood.c --- */

/* The peer may send for nothing what time and work have earned it. */
void http2_flood_time(struct http2 *h, int64_t now_ms);
void http2_flood_earn(struct http2 *h, int64_t n);
/* False: its patience with it is over. */
bool http2_flood_spend(struct http2 *h, int64_t n);

/* What a frame's arrival costs; false as above, or the peer has broken the
 * order of streams (*ret_code). */
bool http2_flood_frame(struct http2 *h, const nghttp2_frame_hd *hd,
                       uint32_t *ret_code);

#endif
