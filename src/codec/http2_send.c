/* http2_send.c - the sending half of http2.h. */
#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "codec/http1_write.h"
#include "codec/http2_session.h"

/* Fields of ours beside the user's: pseudo-headers, date, content-length. */
enum { OWN_FIELDS_MAX = 8, ROOM_KEPT = 16 * 1024 };

/* --- bodies --- */

static size_t left_of(const struct http2_stream *s)
{
    return s->out.len - s->out_at;
}

static void set_blocked(struct http2_stream *s, bool blocked)
{
    if (s->is_blocked == blocked)
        return;
    s->is_blocked = blocked;
    s->h->blocked += blocked ? 1 : (size_t)-1;
}

/* All was taken: a stream that is quiet for long keeps no memory for it. */
static void out_emptied(struct http2_stream *s)
{
    s->out_at = 0;
    if (s->out.room > ROOM_KEPT)
        buf_release(&s->out);
    else
        buf_clear(&s->out);
    set_blocked(s, false);
    if (!s->out_last && list_empty(&s->due))
        list_push(&s->h->drained, &s->due);
}

/* NOLINTNEXTLINE(readability-function-size): nghttp2's seven arguments */
static ssize_t read_body(nghttp2_session *ng, int32_t id, uint8_t *to,
                         size_t room, uint32_t *flags,
                         nghttp2_data_source *source, void *user)
{
    (void)ng, (void)id, (void)user;
    struct http2_stream *s = source->ptr;
    size_t n = left_of(s);
    if (n == 0 && !s->out_last) {
        s->waiting = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    n = n < room ? n : room;
    if (n > 0)
        memcpy(to, s->out.ptr + s->out_at, n);
    s->out_at += n;
    s->h->sent += n;
    if (left_of(s) == 0) {
        out_emptied(s);
        if (s->out_last)
            *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)n;
}

enum err http2_write(struct http2 *h, int32_t id, struct str piece, bool last)
{
    struct http2_stream *s = http2_stream_get(h, id);
    if (s == NULL || s->out_last)
        return ERR_CLOSED;
    if (!buf_add(&s->out, piece))
        return ERR_NO_MEMORY;
    s->out_last = last;
    if (left_of(s) > 0)
        set_blocked(s, true);
    if (s->waiting && (last || left_of(s) > 0)) {
        s->waiting = false;
        if (nghttp2_session_resume_data(h->ng, id) == NGHTTP2_ERR_NOMEM)
            return ERR_NO_MEMORY;
    }
    return ERR_OK;
}

void http2_consume(struct http2 *h, int32_t id, size_t n)
{
    if (n > 0 && http2_stream_get(h, id) != NULL)
        (void)nghttp2_session_consume_stream(h->ng, id, n);
}

/* --- heads --- */

/* nghttp2 copies names and values; it has no const in its type. */
static uint8_t *without_const(const char *text)
{
    union {
        const char *in;
        uint8_t *out;
    } p = {text};
    return p.out;
}

static nghttp2_nv nv(struct str name, struct str value)
{
    return (nghttp2_nv){
        .name = without_const(name.ptr),
        .value = without_const(value.ptr),
        .namelen = name.len,
        .valuelen = value.len,
        .flags = NGHTTP2_NV_FLAG_NONE,
    };
}

struct head {
    nghttp2_nv nv[HTTP_FIELDS_MAX + OWN_FIELDS_MAX];
    size_t n;
};

static enum err add_fields(struct head *to, struct http_fields fields)
{
    if (fields.count > HTTP_FIELDS_MAX)
        return ERR_LIMIT;
    for (size_t i = 0; i < fields.count; i++) {
        if (!http_rules_may_send(&fields.at[i]))
            return ERR_MALFORMED;
        to->nv[to->n++] = nv(fields.at[i].name, fields.at[i].value);
    }
    return ERR_OK;
}

struct number {
    char text[24];
};

static struct str number(int64_t v, struct number *to)
{
    int n = snprintf(to->text, sizeof(to->text), "%lld", (long long)v);
    return (struct str){to->text, (size_t)n};
}

static enum err from_nghttp2(int rc)
{
    if (rc >= 0)
        return ERR_OK;
    return rc == NGHTTP2_ERR_NOMEM ? ERR_NO_MEMORY : ERR_CLOSED;
}

enum err http2_respond(struct http2 *h, int32_t id,
                       const struct http2_response *r)
{
    struct http2_stream *s = http2_stream_get(h, id);
    if (s == NULL || s->replied)
        return ERR_CLOSED;
    struct number status, length;
    struct head head = {.n = 0};
    head.nv[head.n++] = nv(STR(":status"), number(r->status, &status));
    if (r->date.len > 0)
        head.nv[head.n++] = nv(STR("date"), r->date);
    enum err e = add_fields(&head, r->fields);
    if (e != ERR_OK)
        return e;
    if (r->body_bytes >= 0)
        head.nv[head.n++] =
            nv(STR("content-length"), number(r->body_bytes, &length));

    nghttp2_data_provider body = {.source.ptr = s, .read_callback = read_body};
    s->replied = true;
    return from_nghttp2(nghttp2_submit_response(h->ng, id, head.nv, head.n,
                                                r->has_body ? &body : NULL));
}

void http2_continue(struct http2 *h, int32_t id)
{
    const nghttp2_nv status = nv(STR(":status"), STR("100"));
    if (http2_stream_get(h, id) != NULL)
        (void)nghttp2_submit_headers(h->ng, NGHTTP2_FLAG_NONE, id, NULL,
                                     &status, 1, NULL);
}

enum err http2_request(struct http2 *h, const struct http2_request *r,
                       int32_t *ret_id)
{
    if (!http2_may_request(h))
        return ERR_OVERLOAD;
    struct number length;
    struct head head = {.n = 0};
    head.nv[head.n++] = nv(STR(":method"), r->method);
    head.nv[head.n++] = nv(STR(":scheme"), r->scheme);
    head.nv[head.n++] = nv(STR(":authority"), r->authority);
    head.nv[head.n++] = nv(STR(":path"), r->target);
    for (size_t i = 0; i < head.n; i++) {
        const struct http_field f = {STR("x"),
                                     {(const char *)head.nv[i].value,
                                      head.nv[i].valuelen}};
        if (f.value.len == 0 || str_find(f.value, ' ') < f.value.len ||
            !http_rules_may_send(&f))
            return ERR_MALFORMED;
    }
    enum err e = add_fields(&head, r->fields);
    if (e != ERR_OK)
        return e;
    if (r->body_bytes > 0)
        head.nv[head.n++] =
            nv(STR("content-length"), number(r->body_bytes, &length));

    struct http2_stream *s = http2_stream_new(h, 0);
    if (s == NULL)
        return ERR_NO_MEMORY;
    s->user = r->stream;
    s->arena = r->arena;
    nghttp2_data_provider body = {.source.ptr = s, .read_callback = read_body};
    int32_t id = nghttp2_submit_request(h->ng, NULL, head.nv, head.n,
                                        r->body_bytes > 0 ? &body : NULL, s);
    if (id < 0) {
        http2_stream_free(s);
        return id == NGHTTP2_ERR_NOMEM ? ERR_NO_MEMORY : ERR_OVERLOAD;
    }
    s->id = id;
    *ret_id = id;
    return ERR_OK;
}

void http2_reset(struct http2 *h, int32_t id, enum http2_code code)
{
    (void)nghttp2_submit_rst_stream(h->ng, NGHTTP2_FLAG_NONE, id,
                                    (uint32_t)code);
}

void http2_abandon(struct http2 *h, int32_t id, enum http2_code code)
{
    struct http2_stream *s = http2_stream_get(h, id);
    if (s == NULL)
        return;
    s->user = NULL;
    s->is_bad = true; /* its arena may be gone */
    list_remove(&s->due);
    http2_reset(h, id, code);
}

/* --- output --- */

int http2_on_sent(nghttp2_session *ng, const nghttp2_frame *frame, void *user)
{
    struct http2 *h = user;
    int32_t id = frame->hd.stream_id;
    struct http2_stream *s = http2_stream_get(h, id);
    if (frame->hd.type == NGHTTP2_DATA)
        http2_flood_earn(h, 1);
    if (frame->hd.type == NGHTTP2_HEADERS && s != NULL)
        s->sent = true;
    /* The answer is complete and the question is not: it is not wanted any
     * more (RFC 9113, 8.1). */
    bool ends =
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
        (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS);
    if (ends && h->role == HTTP2_SERVER &&
        nghttp2_session_get_stream_remote_close(ng, id) == 0)
        (void)nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, id,
                                        NGHTTP2_NO_ERROR);
    return 0;
}

/* Asks for more where all was taken; true if there was such a stream. */
static bool tell_taken(struct http2 *h)
{
    bool told = false;
    while (!list_empty(&h->drained)) {
        struct http2_stream *s =
            CONTAINER_OF(h->drained.next, struct http2_stream, due);
        list_remove(&s->due);
        told = true;
        if (s->user != NULL)
            h->events.taken(s->user);
    }
    return told;
}

bool http2_output(struct http2 *h, struct str *ret)
{
    for (;;) {
        const uint8_t *bytes;
        ssize_t n = nghttp2_session_mem_send(h->ng, &bytes);
        if (n > 0) {
            *ret = (struct str){(const char *)bytes, (size_t)n};
            return true;
        }
        if (n < 0)
            h->broken = true;
        if (n < 0 || !tell_taken(h))
            return false;
    }
}
