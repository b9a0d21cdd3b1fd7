/* layers: codec base */
/*
 * Property: whatever a peer sends, a stream's events keep their order
 * (begin, head, data, end, closed) and each stream closes at most once; no
 * more bytes come out than went in.  The first byte says which side we are,
 * whether bodies are read, and how to cut; the preface is there already.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "codec/http2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct session {
    struct http2 *h;
    struct stream *streams; /* all that are open */
    size_t received;
    bool reads, is_client;
};

struct stream {
    struct session *s;
    struct stream *next;
    struct arena arena;
    int32_t id;
    bool headed, ended;
};

static void *on_begin(void *user, int32_t id, struct arena **ret_arena)
{
    struct session *s = user;
    struct stream *st = calloc(1, sizeof(*st));
    assert(st != NULL);
    st->s = s;
    st->id = id;
    st->next = s->streams;
    s->streams = st;
    arena_init(&st->arena, MIB);
    *ret_arena = &st->arena;
    return st;
}

static void reply(struct stream *st, int status)
{
    const struct http2_response r = {.status = status,
                                     .body_bytes = 2,
                                     .has_body = true};
    enum err e = http2_respond(st->s->h, st->id, &r);
    if (e == ERR_OK)
        e = http2_write(st->s->h, st->id, STR("ok"), true);
    assert(e != ERR_MALFORMED);
}

static void on_request(void *stream, const struct http_request_head *head,
                       const struct http_hop *hop)
{
    (void)hop;
    struct stream *st = stream;
    assert(!st->headed);
    assert(head->path.len > 0 && head->path.ptr[0] == '/');
    assert(head->authority.len > 0 && head->fields.count <= HTTP_FIELDS_MAX);
    st->headed = true;
    if (!st->s->reads)
        reply(st, 413);
}

static void on_refused(void *stream, enum http_fault fault)
{
    struct stream *st = stream;
    assert(!st->headed);
    reply(st, http_fault_status(fault));
}

static void on_response(void *stream, const struct http_response_head *head)
{
    struct stream *st = stream;
    assert(!st->headed && head->status >= 200 && head->status < 600);
    st->headed = true;
}

static void on_data(void *stream, struct str piece)
{
    struct stream *st = stream;
    assert(st->headed && !st->ended && piece.len > 0);
    st->s->received += piece.len;
    if (st->s->reads)
        http2_consume(st->s->h, st->id, piece.len);
}

static void on_end(void *stream)
{
    struct stream *st = stream;
    assert(st->headed && !st->ended);
    st->ended = true;
    if (st->s->reads && !st->s->is_client)
        reply(st, 200);
}

static void on_taken(void *stream)
{
    (void)stream;
}

static void on_closed(void *stream, uint32_t code)
{
    (void)code;
    struct stream *st = stream, **at = &st->s->streams;
    while (*at != st) {
        assert(*at != NULL); /* closed before */
        at = &(*at)->next;
    }
    *at = st->next;
    arena_release(&st->arena);
    free(st);
}

/* Two calls whose answers the input is. */
static void send_requests(struct session *s)
{
    for (int64_t body_bytes = 0; body_bytes < 2; body_bytes++) {
        struct arena *arena;
        struct stream *st = on_begin(s, 0, &arena);
        const struct http2_request r = {
            .method = STR("POST"),
            .scheme = STR("https"),
            .authority = STR("a.test"),
            .target = STR("/x"),
            .body_bytes = body_bytes,
            .stream = st,
            .arena = arena,
        };
        enum err e = http2_request(s->h, &r, &st->id);
        assert(e == ERR_OK);
        if (body_bytes > 0)
            e = http2_write(s->h, st->id, STR("x"), true);
        assert(e == ERR_OK);
    }
}

static void collect(struct session *s)
{
    struct str run;
    while (http2_output(s->h, &run))
        assert(run.len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct http2_events events = {
        .begin = on_begin,
        .request = on_request,
        .refused = on_refused,
        .response = on_response,
        .data = on_data,
        .end = on_end,
        .taken = on_taken,
        .closed = on_closed,
    };
    static const struct str preface =
        STR_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0");
    struct session s = {.h = NULL};
    if (size == 0)
        return 0;
    s.reads = data[0] % 2 == 0;
    s.is_client = data[0] / 2 % 2 == 1;
    size_t step = data[0] / 4 + 1U;
    struct str bytes = {(const char *)data + 1, size - 1};
    enum err e = http2_new(s.is_client ? HTTP2_CLIENT : HTTP2_SERVER, 16,
                           &events, &s, &s.h);
    assert(e == ERR_OK);
    /* A server begins with its settings alone. */
    struct str start = s.is_client ? str_skip(preface, 24) : preface;
    e = http2_feed(s.h, start, 1);
    if (s.is_client)
        send_requests(&s);
    collect(&s);
    for (int64_t ms = 2; e == ERR_OK && bytes.len > 0; ms++) {
        e = http2_feed(s.h, str_first(bytes, step), ms);
        bytes = str_skip(bytes, step);
        collect(&s);
    }
    collect(&s);
    assert(s.received <= size);
    http2_free(s.h);
    while (s.streams != NULL)
        on_closed(s.streams, 0);
    return 0;
}
