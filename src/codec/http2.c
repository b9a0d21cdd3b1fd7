/* http2.c - see http2.h: the session and what arrives; http2_send.c has what
 * is sent. */
#include "codec/http2.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "codec/http2_session.h"

/* nghttp2 knows a request only once it was sent; those that were not are the
 * last of our list. */
static struct http2_stream *stream_of(const struct http2 *h, int32_t id)
{
    struct http2_stream *s = nghttp2_session_get_stream_user_data(h->ng, id);
    if (s != NULL || h->role == HTTP2_SERVER)
        return s;
    for (struct list *n = h->streams.prev; n != &h->streams; n = n->prev) {
        s = CONTAINER_OF(n, struct http2_stream, node);
        if (s->sent || s->id == id)
            return s->id == id ? s : NULL;
    }
    return NULL;
}

/* --- what nghttp2 calls --- */

static int on_begin_frame(nghttp2_session *ng, const nghttp2_frame_hd *hd,
                          void *user)
{
    struct http2 *h = user;
    uint32_t code;
    if (!h->broken && !http2_flood_frame(h, hd, &code)) {
        h->broken = true;
        return nghttp2_session_terminate_session(ng, code) == 0
                   ? 0
                   : NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    return 0;
}

static int on_begin_headers(nghttp2_session *ng, const nghttp2_frame *frame,
                            void *user)
{
    struct http2 *h = user;
    int32_t id = frame->hd.stream_id;
    if (h->role == HTTP2_CLIENT || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    if (h->broken)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    struct http2_stream *s = http2_stream_new(h, id);
    if (s == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    (void)nghttp2_session_set_stream_user_data(ng, id, s);
    s->user = h->events.begin(h->user, id, &s->arena);
    if (s->user != NULL)
        return 0;
    (void)nghttp2_session_set_stream_user_data(ng, id, NULL);
    http2_stream_free(s);
    (void)nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, id,
                                    NGHTTP2_REFUSED_STREAM);
    return 0;
}

/* NOLINTNEXTLINE(readability-function-size): nghttp2's eight arguments */
static int on_header(nghttp2_session *ng, const nghttp2_frame *frame,
                     const uint8_t *name, size_t name_len, const uint8_t *value,
                     size_t value_len, uint8_t flags, void *user)
{
    (void)flags, (void)ng;
    struct http2_stream *s = stream_of(user, frame->hd.stream_id);
    if (s == NULL)
        return 0;
    bool ok = http2_head_add(s, (struct str){(const char *)name, name_len},
                             (struct str){(const char *)value, value_len});
    return ok ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int on_frame(nghttp2_session *ng, const nghttp2_frame *frame, void *user)
{
    (void)ng;
    struct http2 *h = user;
    int32_t id = frame->hd.stream_id;
    bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    bool is_head = frame->hd.type == NGHTTP2_HEADERS;
    struct http2_stream *s = stream_of(h, id);
    if (s == NULL || (!is_head && frame->hd.type != NGHTTP2_DATA))
        return 0;
    if (is_head)
        http2_head_end(s, ends);
    s = stream_of(h, id);
    if (ends && s != NULL && s->user != NULL && s->head_done && !s->is_bad)
        h->events.end(s->user);
    return 0;
}

static int on_data(nghttp2_session *ng, uint8_t flags, int32_t id,
                   const uint8_t *bytes, size_t len, void *user)
{
    (void)flags;
    struct http2 *h = user;
    struct http2_stream *s = stream_of(h, id);
    /* The connection's window is for all streams: one reader that does not
     * keep up must not stop the others, so only its own window fills. */
    (void)nghttp2_session_consume_connection(ng, len);
    if (s == NULL || s->is_bad || len == 0)
        return 0;
    http2_flood_earn(h, 1);
    h->events.data(s->user, (struct str){(const char *)bytes, len});
    return 0;
}

static void close_stream(struct http2 *h, struct http2_stream *s, uint32_t code)
{
    void *stream = s->user;
    http2_stream_free(s);
    if (stream != NULL)
        h->events.closed(stream, code);
}

static int on_stream_close(nghttp2_session *ng, int32_t id, uint32_t code,
                           void *user)
{
    struct http2 *h = user;
    struct http2_stream *s = stream_of(h, id);
    if (s == NULL)
        return 0;
    (void)nghttp2_session_set_stream_user_data(ng, id, NULL);
    if (code == NGHTTP2_NO_ERROR)
        http2_flood_earn(h, 4);
    close_stream(h, s, code);
    return 0;
}

/* A request that never left: the peer goes away, or it was reset before. */
static int on_not_sent(nghttp2_session *ng, const nghttp2_frame *frame, int rc,
                       void *user)
{
    (void)rc;
    struct http2 *h = user;
    int32_t id = frame->hd.stream_id;
    struct http2_stream *s = stream_of(h, id);
    if (h->role == HTTP2_CLIENT && frame->hd.type == NGHTTP2_HEADERS &&
        s != NULL && !s->sent) {
        (void)nghttp2_session_set_stream_user_data(ng, id, NULL);
        close_stream(h, s, NGHTTP2_REFUSED_STREAM);
    }
    return 0;
}

/* --- streams --- */

struct http2_stream *http2_stream_new(struct http2 *h, int32_t id)
{
    struct http2_stream *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    s->h = h;
    s->id = id;
    buf_init(&s->out, HTTP2_OUT_MAX);
    list_init(&s->due);
    list_push(&h->streams, &s->node);
    h->stream_count++;
    return s;
}

void http2_stream_free(struct http2_stream *s)
{
    if (s->is_blocked)
        s->h->blocked--;
    list_remove(&s->node);
    list_remove(&s->due);
    s->h->stream_count--;
    buf_release(&s->out);
    free(s);
}

struct http2_stream *http2_stream_get(const struct http2 *h, int32_t id)
{
    return stream_of(h, id);
}

/* --- the session --- */

static int make_session(struct http2 *h, const nghttp2_option *option)
{
    nghttp2_session_callbacks *cb;
    int rc = nghttp2_session_callbacks_new(&cb);
    if (rc != 0)
        return rc;
    nghttp2_session_callbacks_set_on_begin_frame_callback(cb, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(cb,
                                                            on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(cb, http2_on_sent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(cb, on_not_sent);
    rc = h->role == HTTP2_SERVER
             ? nghttp2_session_server_new2(&h->ng, cb, h, option)
             : nghttp2_session_client_new2(&h->ng, cb, h, option);
    nghttp2_session_callbacks_del(cb);
    return rc;
}

static int queue_settings(struct http2 *h, uint32_t streams_max)
{
    bool server = h->role == HTTP2_SERVER;
    const nghttp2_settings_entry entries[] = {
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, HTTP2_STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
         server ? HTTP_HEAD_MAX : HTTP_RESPONSE_HEAD_MAX},
        server
            ? (nghttp2_settings_entry){NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
                                       streams_max}
            : (nghttp2_settings_entry){NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
    };
    int rc = nghttp2_submit_settings(h->ng, NGHTTP2_FLAG_NONE, entries,
                                     ARRAY_LEN(entries));
    if (rc != 0)
        return rc;
    return nghttp2_session_set_local_window_size(h->ng, NGHTTP2_FLAG_NONE, 0,
                                                 HTTP2_CONNECTION_WINDOW);
}

enum err http2_new(enum http2_role role, uint32_t streams_max,
                   const struct http2_events *events, void *user,
                   struct http2 **ret)
{
    struct http2 *h = calloc(1, sizeof(*h));
    nghttp2_option *option = NULL;
    enum err e = ERR_NO_MEMORY;
    if (h == NULL)
        return e;
    h->role = role;
    h->events = *events;
    h->user = user;
    h->patience = HTTP2_PATIENCE_MAX;
    list_init(&h->streams);
    list_init(&h->drained);
    if (nghttp2_option_new(&option) != 0)
        goto out;
    nghttp2_option_set_no_auto_window_update(option, 1);
    if (make_session(h, option) != 0 || queue_settings(h, streams_max) != 0)
        goto out;
    *ret = h;
    h = NULL;
    e = ERR_OK;
out:
    if (option != NULL)
        nghttp2_option_del(option);
    http2_free(h);
    return e;
}

void http2_free(struct http2 *h)
{
    if (h == NULL)
        return;
    LIST_EACH(n, next, &h->streams)
    http2_stream_free(CONTAINER_OF(n, struct http2_stream, node));
    /* Callbacks are not called for what is left. */
    nghttp2_session_del(h->ng);
    free(h);
}

enum err http2_feed(struct http2 *h, struct str bytes, int64_t now_ms)
{
    if (h->broken)
        return ERR_MALFORMED;
    http2_flood_time(h, now_ms);
    ssize_t n =
        nghttp2_session_mem_recv(h->ng, (const uint8_t *)bytes.ptr, bytes.len);
    if (n == NGHTTP2_ERR_NOMEM)
        return ERR_NO_MEMORY;
    if (n < 0) {
        /* nghttp2 has queued its GOAWAY where it could; a bad preface or a
         * flood of answers leave that to us. */
        h->broken = true;
        bool flood =
            n == NGHTTP2_ERR_FLOODED || n == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS;
        (void)nghttp2_session_terminate_session(
            h->ng, flood ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_PROTOCOL_ERROR);
    }
    return h->broken ? ERR_MALFORMED : ERR_OK;
}

bool http2_is_over(struct http2 *h)
{
    return nghttp2_session_want_read(h->ng) == 0 &&
           nghttp2_session_want_write(h->ng) == 0;
}

size_t http2_streams(const struct http2 *h)
{
    return h->stream_count;
}

bool http2_may_request(struct http2 *h)
{
    uint32_t max = nghttp2_session_get_remote_settings(
        h->ng, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    return !h->broken && h->stream_count < max &&
           nghttp2_session_check_request_allowed(h->ng) != 0;
}

size_t http2_blocked(const struct http2 *h)
{
    return h->blocked;
}

uint64_t http2_sent(const struct http2 *h)
{
    return h->sent;
}

void http2_goaway(struct http2 *h)
{
    (void)nghttp2_submit_goaway(h->ng, NGHTTP2_FLAG_NONE,
                                nghttp2_session_get_last_proc_stream_id(h->ng),
                                NGHTTP2_NO_ERROR, NULL, 0);
}
