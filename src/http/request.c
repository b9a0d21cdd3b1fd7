/* request.c - see server.h; what both protocols do alike. */
#include <assert.h>

#include "base/asan.h"
#include "base/limits.h"
#include "http/server_conn.h"

enum { BODY_ROOM_FIRST_MAX = 64 * 1024 };

/* The memory of a body goes to the next one, if that is of use: bodies are
 * mostly read and dropped before another begins. */
static void drop_body(struct http_request *r)
{
    struct http_server *s = r->conn->server;
    if (s == NULL || s->spare_body.ptr != NULL ||
        r->body.room > BODY_ROOM_FIRST_MAX) {
        buf_release(&r->body);
        return;
    }
    size_t max = r->body.max;
    s->spare_body = r->body;
    asan_poison(s->spare_body.ptr, s->spare_body.room);
    buf_init(&r->body, max);
}

/* Room for `n` more bytes of the body. */
static bool reserve_body(struct http_request *r, size_t n)
{
    struct http_server *s = r->conn->server;
    size_t max = r->body.max;
    if (r->body.ptr == NULL && s->spare_body.room >= n &&
        s->spare_body.room <= max) {
        r->body = s->spare_body;
        asan_unpoison(r->body.ptr, r->body.room);
        r->body.max = max;
        buf_clear(&r->body);
        buf_init(&s->spare_body, 0);
    }
    return buf_space(&r->body, n) != NULL;
}

void request_init(struct http_request *r, struct server_conn *c,
                  size_t early_max)
{
    *r = (struct http_request){.conn = c, .protocol = c->protocol};
    arena_init_spare(&r->arena, REQUEST_ARENA_MAX, &c->server->spare);
    buf_init(&r->body, early_max);
    list_init(&r->later);
}

void request_release(struct http_request *r)
{
    list_remove(&r->later);
    request_drop_source(r);
    drop_body(r);
    arena_release(&r->arena);
}

const struct http_request_head *http_request_head(const struct http_request *r)
{
    return &r->head;
}

struct arena *http_request_arena(struct http_request *r)
{
    return &r->arena;
}

void http_request_set_user(struct http_request *r, void *user)
{
    r->user = user;
}

void *http_request_user(const struct http_request *r)
{
    return r->user;
}

struct str http_request_peer(const struct http_request *r)
{
    return stream_peer(r->conn->stream);
}

struct str http_request_certificate(const struct http_request *r)
{
    return stream_peer_certificate(r->conn->stream);
}

bool http_request_peer_uid(const struct http_request *r, uint32_t *ret_uid)
{
    return stream_peer_uid(r->conn->stream, ret_uid);
}

/* --- the body of the request --- */

static void give(struct http_request *r, enum err e)
{
    if (r->body_state != BODY_READING)
        return;
    r->body_state = BODY_GIVEN;
    if (e != ERR_OK)
        drop_body(r);
    r->read(r->read_user, buf_str(&r->body), e);
}

void http_request_read(struct http_request *r, size_t max, http_body_read *read,
                       void *user)
{
    assert(r->body_state == BODY_UNREAD && !r->replied);
    r->body_state = BODY_READING;
    r->read = read;
    r->read_user = user;
    int64_t known = r->head.body_bytes;
    bool over = (known > 0 && (uint64_t)known > max) || r->body.len > max;
    r->body.max = max;
    if (over || !buf_ok(&r->body)) {
        give(r, over ? ERR_LIMIT : ERR_NO_MEMORY);
        return;
    }
    if (r->body_complete) {
        give(r, ERR_OK);
        return;
    }
    /* A length is a claim: no more is reserved for it than this. */
    size_t room = known > BODY_ROOM_FIRST_MAX ? BODY_ROOM_FIRST_MAX
                  : known > 0                 ? (size_t)known
                                              : 0;
    if (room > 0 && !reserve_body(r, room)) {
        give(r, ERR_NO_MEMORY);
        return;
    }
    r->body_since_ms = loop_now_ms(r->conn->loop);
    r->protocol->read(r);
}

void http_request_drop_body(struct http_request *r)
{
    if (r->body_state == BODY_GIVEN)
        drop_body(r);
}

void request_body_piece(struct http_request *r, struct str piece)
{
    r->body_received += (int64_t)piece.len;
    if (r->body_state == BODY_GIVEN || r->replied)
        return;
    if (piece.len > r->body.max - r->body.len)
        give(r, ERR_LIMIT);
    else if (!buf_add(&r->body, piece))
        give(r, ERR_NO_MEMORY);
}

void request_body_end(struct http_request *r)
{
    r->body_complete = true;
    give(r, ERR_OK);
}

void request_body_fail(struct http_request *r, enum err why)
{
    give(r, why);
}

/* --- the reply --- */

void http_request_reply(struct http_request *r,
                        const struct http_response_head *head, struct str body)
{
    assert(!r->replied);
    r->replied = true;
    r->body_state = r->body_state == BODY_READING ? BODY_GIVEN : r->body_state;
    r->protocol->reply(r, head, body);
}

void http_request_reply_stream(struct http_request *r,
                               const struct http_response_head *head,
                               struct body_source *src)
{
    assert(!r->replied);
    r->replied = true;
    r->body_state = r->body_state == BODY_READING ? BODY_GIVEN : r->body_state;
    r->source = src;
    r->protocol->reply_stream(r, head);
}

void http_request_cut(struct http_request *r)
{
    request_drop_source(r);
    r->protocol->cut(r);
}

bool http_request_queued(const struct http_request *r)
{
    return stream_queued(r->conn->stream) > 0;
}

void request_drop_source(struct http_request *r)
{
    struct body_source *src = r->source;
    r->source = NULL;
    if (src != NULL)
        src->cancel(src);
}

bool request_reply_is_bare(const struct http_request *r, int status)
{
    return str_eq(r->head.method, STR("HEAD")) || status == 204 ||
           status == 304 || status < 200;
}

size_t request_refusal(enum http_fault fault, char to[REQUEST_REFUSAL_MAX])
{
    int n = snprintf(to, REQUEST_REFUSAL_MAX,
                     "{\"error\":{\"message\":\"%s\",\"type\":"
                     "\"invalid_request_error\",\"param\":null,\"code\":"
                     "\"%s\"}}",
                     http_fault_text(fault), http_fault_code(fault));
    assert(n > 0 && n < REQUEST_REFUSAL_MAX);
    return (size_t)n;
}
