/* Tests codec/http2: a server's session fed by hand, and a client's session
 * against it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <yyjson.h>

#include "archive.h"
#include "base/buf.h"
#include "base/limits.h"
#include "codec/http2.h"

enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE };
enum { PING = 6, GOAWAY, WINDOW_UPDATE, CONTINUATION };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4 };

enum { SIDES_STREAMS_MAX = 64 };

struct side;

struct stream {
    struct side *side;
    struct arena arena;
    int32_t id;
    bool open;
};

/* One end: its events as text, its frames as bytes. */
struct side {
    struct http2 *h;
    struct buf events, out;
    struct stream streams[SIDES_STREAMS_MAX];
    size_t count;
    bool answers;  /* requests, with "ok", at their end */
    bool consumes; /* data as it comes */
    bool abandons; /* streams in `response` */
    size_t unread;
};

static struct stream *new_stream(struct side *s, int32_t id)
{
    if (s->count == SIDES_STREAMS_MAX)
        return NULL;
    struct stream *st = &s->streams[s->count++];
    *st = (struct stream){.side = s, .id = id, .open = true};
    arena_init(&st->arena, MIB);
    return st;
}

static void *on_begin(void *user, int32_t id, struct arena **ret_arena)
{
    struct stream *st = new_stream(user, id);
    if (st != NULL)
        *ret_arena = &st->arena;
    return st;
}

static void add_fields(struct buf *to, struct http_fields f)
{
    for (size_t i = 0; i < f.count; i++)
        buf_addf(to, " %.*s=%.*s", STR_FMT(f.at[i].name),
                 STR_FMT(f.at[i].value));
}

static void on_request(void *stream, const struct http_request_head *head,
                       const struct http_hop *hop)
{
    struct stream *st = stream;
    buf_addf(&st->side->events, "%d: %.*s %.*s ? %.*s @ %.*s body %d%s", st->id,
             STR_FMT(head->method), STR_FMT(head->path), STR_FMT(head->query),
             STR_FMT(head->authority), (int)head->body_bytes,
             hop->expect_continue ? " expects" : "");
    add_fields(&st->side->events, head->fields);
    BUF_LIT(&st->side->events, "\n");
}

static void on_refused(void *stream, enum http_fault fault)
{
    struct stream *st = stream;
    const struct http2_response r = {.status = http_fault_status(fault),
                                     .body_bytes = 0};
    buf_addf(&st->side->events, "%d: refused %d\n", st->id, r.status);
    assert_int_equal(http2_respond(st->side->h, st->id, &r), ERR_OK);
}

static void on_response(void *stream, const struct http_response_head *head)
{
    struct stream *st = stream;
    buf_addf(&st->side->events, "%d: %d body %d", st->id, head->status,
             (int)head->body_bytes);
    add_fields(&st->side->events, head->fields);
    BUF_LIT(&st->side->events, "\n");
    if (st->side->abandons) {
        http2_abandon(st->side->h, st->id, HTTP2_CANCEL);
        arena_release(&st->arena);
        st->open = false;
    }
}

static void on_data(void *stream, struct str piece)
{
    struct stream *st = stream;
    assert_true(st->open);
    st->side->unread += piece.len;
    if (piece.len < 100)
        buf_addf(&st->side->events, "%d: \"%.*s\"\n", st->id, STR_FMT(piece));
    if (st->side->consumes)
        http2_consume(st->side->h, st->id, piece.len);
}

static void on_end(void *stream)
{
    struct stream *st = stream;
    buf_addf(&st->side->events, "%d: end\n", st->id);
    if (!st->side->answers)
        return;
    const struct http_field type = {STR("content-type"), STR("text/plain")};
    const struct http2_response r = {.status = 200,
                                     .fields = {&type, 1},
                                     .body_bytes = 2,
                                     .has_body = true};
    assert_int_equal(http2_respond(st->side->h, st->id, &r), ERR_OK);
    assert_int_equal(http2_write(st->side->h, st->id, STR("ok"), true), ERR_OK);
}

static void on_taken(void *stream)
{
    struct stream *st = stream;
    buf_addf(&st->side->events, "%d: taken\n", st->id);
}

static void on_closed(void *stream, uint32_t code)
{
    struct stream *st = stream;
    assert_true(st->open);
    st->open = false;
    buf_addf(&st->side->events, "%d: closed %u\n", st->id, code);
    arena_release(&st->arena);
}

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

static void side_open(struct side *s, enum http2_role role)
{
    memset(s, 0, sizeof(*s));
    buf_init(&s->events, MIB);
    buf_init(&s->out, 16 * MIB);
    s->answers = role == HTTP2_SERVER;
    s->consumes = true;
    assert_int_equal(http2_new(role, 100, &events, s, &s->h), ERR_OK);
}

static void side_close(struct side *s)
{
    http2_free(s->h);
    for (size_t i = 0; i < s->count; i++)
        arena_release(&s->streams[i].arena);
    buf_release(&s->events);
    buf_release(&s->out);
}

static void collect(struct side *s)
{
    struct str run;
    while (http2_output(s->h, &run))
        assert_true(buf_add(&s->out, run));
}

static enum err feed(struct side *s, struct str bytes)
{
    enum err e = http2_feed(s->h, bytes, 1000);
    collect(s);
    return e;
}

static void assert_events(struct side *s, const char *expected)
{
    if (!str_eq(buf_str(&s->events), str_from(expected)))
        fail_msg("events\n%.*s\nnot\n%s", STR_FMT(buf_str(&s->events)),
                 expected);
}

/* The error code of the first frame of `type` in what was sent, or -1. */
static int code_sent(const struct side *s, int type)
{
    struct str left = buf_str(&s->out);
    while (left.len >= 9) {
        const unsigned char *f = (const unsigned char *)left.ptr;
        size_t len = (size_t)f[0] << 16 | (size_t)f[1] << 8 | f[2];
        size_t at = type == GOAWAY ? 9 + 7 : 9 + 3;
        if (f[3] == type)
            return f[at];
        left = str_skip(left, 9 + len);
    }
    return -1;
}

/* --- frames by hand --- */

static void add_frame(struct buf *to, int type, int flags, int32_t id,
                      struct str payload)
{
    const unsigned char head[9] = {(unsigned char)(payload.len >> 16),
                                   (unsigned char)(payload.len >> 8),
                                   (unsigned char)payload.len,
                                   (unsigned char)type,
                                   (unsigned char)flags,
                                   (unsigned char)(id >> 24),
                                   (unsigned char)(id >> 16),
                                   (unsigned char)(id >> 8),
                                   (unsigned char)id};
    buf_add(to, (struct str){(const char *)head, 9});
    buf_add(to, payload);
}

/* An HPACK integer with a prefix of seven bits, and no Huffman code. */
static void add_string(struct buf *to, struct str s)
{
    size_t n = s.len;
    if (n < 127) {
        buf_add_char(to, (char)n);
    } else {
        buf_add_char(to, 127);
        for (n -= 127; n >= 128; n >>= 7)
            buf_add_char(to, (char)((n & 127) | 128));
        buf_add_char(to, (char)n);
    }
    buf_add(to, s);
}

static void add_field(struct buf *to, struct str name, struct str value)
{
    buf_add_char(to, 0); /* literal, not indexed, new name */
    add_string(to, name);
    add_string(to, value);
}

static void add_start(struct buf *to)
{
    BUF_LIT(to, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    add_frame(to, SETTINGS, 0, 0, (struct str){NULL, 0});
}

static void add_pseudo(struct buf *block, const char *method)
{
    add_field(block, STR(":method"), str_from(method));
    add_field(block, STR(":scheme"), STR("https"));
    add_field(block, STR(":authority"), STR("A.test"));
    add_field(block, STR(":path"), STR("/x?y"));
}

static void add_get(struct buf *to, int32_t id)
{
    struct buf block;
    buf_init(&block, MIB);
    add_pseudo(&block, "GET");
    add_frame(to, HEADERS, END_STREAM | END_HEADERS, id, buf_str(&block));
    buf_release(&block);
}

/* --- what is read --- */

static void test_requests_are_read_however_they_are_cut(void **state)
{
    (void)state;
    struct buf raw, block;
    buf_init(&raw, MIB);
    buf_init(&block, MIB);
    add_start(&raw);
    add_pseudo(&block, "POST");
    add_field(&block, STR("x-a"), STR("b"));
    add_field(&block, STR("content-length"), STR("5"));
    add_field(&block, STR("expect"), STR("100-continue"));
    add_frame(&raw, HEADERS, END_HEADERS, 1, buf_str(&block));
    add_frame(&raw, DATA, END_STREAM, 1, STR("hello"));
    add_get(&raw, 3);
    for (size_t step = 1; step <= raw.len; step++) {
        struct side s;
        side_open(&s, HTTP2_SERVER);
        for (size_t at = 0; at < raw.len; at += step)
            assert_int_equal(feed(&s,
                                  str_first(str_skip(buf_str(&raw), at), step)),
                             ERR_OK);
        assert_non_null(memmem(s.events.ptr, s.events.len,
                               "1: POST /x ? y @ a.test body 5 expects x-a=b\n",
                               45));
        assert_non_null(memmem(s.events.ptr, s.events.len,
                               "3: GET /x ? y @ a.test body 0\n3: end\n", 37));
        assert_non_null(
            memmem(s.events.ptr, s.events.len, "1: closed 0\n", 12));
        assert_non_null(
            memmem(s.events.ptr, s.events.len, "3: closed 0\n", 12));
        side_close(&s);
    }
    buf_release(&raw);
    buf_release(&block);
}

/* One case of http-desync; none may come to its end. */
static void check_bad_request(yyjson_val *it)
{
    static const char *const names[] = {":method", ":scheme", ":authority",
                                        ":path"};
    static const char *const defaults[] = {"POST", "http", "a.test", "/"};
    const char *id = yyjson_get_str(yyjson_obj_get(it, "id"));
    yyjson_val *headers = yyjson_obj_get(it, "headers"), *pair;
    yyjson_val *body = yyjson_obj_get(it, "body");
    struct buf raw, block;
    struct side s;
    size_t at, max;
    buf_init(&raw, MIB);
    buf_init(&block, MIB);
    add_start(&raw);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct str value = str_from(defaults[i]);
        yyjson_arr_foreach(headers, at, max, pair)
        {
            yyjson_val *v = yyjson_arr_get(pair, 1);
            if (strcmp(yyjson_get_str(yyjson_arr_get(pair, 0)), names[i]) == 0)
                value = (struct str){yyjson_get_str(v), yyjson_get_len(v)};
        }
        add_field(&block, str_from(names[i]), value);
    }
    yyjson_arr_foreach(headers, at, max, pair)
    {
        yyjson_val *n = yyjson_arr_get(pair, 0), *v = yyjson_arr_get(pair, 1);
        if (yyjson_get_str(n)[0] != ':')
            add_field(&block,
                      (struct str){yyjson_get_str(n), yyjson_get_len(n)},
                      (struct str){yyjson_get_str(v), yyjson_get_len(v)});
    }
    bool has_body = yyjson_get_len(body) > 0;
    add_frame(&raw, HEADERS, END_HEADERS | (has_body ? 0 : END_STREAM), 1,
              buf_str(&block));
    if (has_body)
        add_frame(&raw, DATA, END_STREAM, 1,
                  (struct str){yyjson_get_str(body), yyjson_get_len(body)});

    side_open(&s, HTTP2_SERVER);
    (void)!feed(&s, buf_str(&raw));
    if (memmem(s.events.ptr, s.events.len, "end", 3) != NULL)
        fail_msg("%s: %.*s", id, STR_FMT(buf_str(&s.events)));
    if (code_sent(&s, RST_STREAM) < 0 && code_sent(&s, GOAWAY) < 0 &&
        memmem(s.events.ptr, s.events.len, "refused 4", 9) == NULL)
        fail_msg("%s: not rejected", id);
    side_close(&s);
    buf_release(&raw);
    buf_release(&block);
}

static void test_requests_with_two_readings_are_reset(void **state)
{
    (void)state;
    struct archive a;
    if (!archive_open(&a, "reliability/http-desync"))
        skip();
    size_t len, at, max, n = 0;
    char *text = archive_read(&a, "http-desync/cases.json", &len);
    yyjson_doc *doc = yyjson_read(text, len, 0);
    assert_non_null(doc);
    yyjson_val *cases = yyjson_obj_get(yyjson_doc_get_root(doc), "h2"), *it;
    yyjson_arr_foreach(cases, at, max, it)
    {
        check_bad_request(it);
        n++;
    }
    assert_int_equal(n, 29);
    yyjson_doc_free(doc);
    free(text);
    archive_close(&a);
}

static void test_other_rules(void **state)
{
    (void)state;
    static const struct {
        const char *name, *method, *field, *value, *events;
        int reset; /* the code, or -1 */
    } rows[] = {
        {"CONNECT is refused", "TRACE", "x", "y", "refused 405", -1},
        {"an expectation", "POST", "expect", "x", "refused 417", -1},
        {"two credentials", "POST", "authorization", "b", NULL, 1},
        {"another Host", "POST", "host", "b.test", NULL, 1},
        {"the same Host", "POST", "host", "a.test", "POST /x", -1},
        {"a trailing blank", "POST", "x", "y ", NULL, 1},
        {"te: trailers", "POST", "te", "trailers", "POST /x", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf raw, block;
        struct side s;
        buf_init(&raw, MIB);
        buf_init(&block, MIB);
        add_start(&raw);
        add_pseudo(&block, rows[i].method);
        if (strcmp(rows[i].field, "authorization") == 0)
            add_field(&block, STR("authorization"), STR("a"));
        add_field(&block, str_from(rows[i].field), str_from(rows[i].value));
        add_frame(&raw, HEADERS, END_HEADERS | END_STREAM, 1, buf_str(&block));
        side_open(&s, HTTP2_SERVER);
        assert_int_equal(feed(&s, buf_str(&raw)), ERR_OK);
        if (code_sent(&s, RST_STREAM) != rows[i].reset)
            fail_msg("%s: reset %d", rows[i].name, code_sent(&s, RST_STREAM));
        if (rows[i].events != NULL &&
            memmem(s.events.ptr, s.events.len, rows[i].events,
                   strlen(rows[i].events)) == NULL)
            fail_msg("%s: %.*s", rows[i].name, STR_FMT(buf_str(&s.events)));
        side_close(&s);
        buf_release(&raw);
        buf_release(&block);
    }
}

static void test_heads_are_bounded(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct buf raw, block;
        struct side s;
        buf_init(&raw, MIB);
        buf_init(&block, MIB);
        add_start(&raw);
        add_pseudo(&block, "GET");
        char *value = malloc(HTTP_HEAD_MAX);
        assert_non_null(value);
        memset(value, 'a', HTTP_HEAD_MAX);
        for (size_t i = 0; i <= (big ? 2 : HTTP_FIELDS_MAX); i++)
            add_field(&block, STR("x"),
                      (struct str){value, big ? HTTP_HEAD_MAX / 3 : 1});
        struct str left = buf_str(&block);
        bool first = true;
        while (left.len > 0) {
            struct str part = str_first(left, 16384);
            left = str_skip(left, part.len);
            int flags = left.len == 0 ? END_HEADERS : 0;
            add_frame(&raw, first ? HEADERS : CONTINUATION,
                      first ? flags | END_STREAM : flags, 1, part);
            first = false;
        }
        side_open(&s, HTTP2_SERVER);
        assert_int_equal(feed(&s, buf_str(&raw)), ERR_OK);
        assert_events(&s, "1: refused 431\n1: closed 0\n");
        side_close(&s);
        free(value);
        buf_release(&raw);
        buf_release(&block);
    }
}

/* RFC 9113, 5.1.1: an id that was passed over is closed for good. */
static void test_streams_are_opened_in_order(void **state)
{
    (void)state;
    static const struct {
        int32_t ids[4];
        int goaway;
    } rows[] = {
        {{1, 3, 5, 7}, -1}, {{1, 5, 3, 0}, 1},    {{5, 1, 0, 0}, 1},
        {{5, 9, 7, 0}, 1},  {{1, 101, 0, 0}, -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct side s;
        struct buf raw;
        buf_init(&raw, MIB);
        side_open(&s, HTTP2_SERVER);
        add_start(&raw);
        for (size_t k = 0; k < 4 && rows[i].ids[k] != 0; k++)
            add_get(&raw, rows[i].ids[k]);
        enum err e = feed(&s, buf_str(&raw));
        assert_int_equal(e, rows[i].goaway < 0 ? ERR_OK : ERR_MALFORMED);
        assert_int_equal(code_sent(&s, GOAWAY), rows[i].goaway);
        side_close(&s);
        buf_release(&raw);
    }
}

/* --- floods --- */

static void add_flood(struct buf *to, int kind, int32_t at)
{
    const struct str none = {NULL, 0};
    switch (kind) {
    case PING:
        add_frame(to, PING, 0, 0, STR("12345678"));
        break;
    case SETTINGS:
        add_frame(to, SETTINGS, 0, 0, none);
        break;
    case PRIORITY:
        add_frame(to, PRIORITY, 0, 1, STR("\0\0\0\0\1"));
        break;
    case RST_STREAM: /* rapid reset */
        add_get(to, 2 * at + 1);
        add_frame(to, RST_STREAM, 0, 2 * at + 1, STR("\0\0\0\x08"));
        break;
    case DATA: /* empty, without end */
        add_frame(to, DATA, 0, 1, none);
        break;
    case CONTINUATION:
        add_frame(to, CONTINUATION, 0, 1, none);
        break;
    default:
        break;
    }
}

static void start_flood(struct buf *to, int kind)
{
    struct buf block;
    buf_init(&block, MIB);
    add_pseudo(&block, "POST");
    add_start(to);
    if (kind == DATA)
        add_frame(to, HEADERS, END_HEADERS, 1, buf_str(&block));
    else if (kind == CONTINUATION)
        add_frame(to, HEADERS, 0, 1, buf_str(&block));
    buf_release(&block);
}

static const int flood_kinds[] = {PING,       SETTINGS, PRIORITY,
                                  RST_STREAM, DATA,     CONTINUATION};

static void test_floods_end_the_connection(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(flood_kinds); i++) {
        struct side s;
        struct buf raw;
        buf_init(&raw, MIB);
        side_open(&s, HTTP2_SERVER);
        s.answers = false;
        start_flood(&raw, flood_kinds[i]);
        assert_int_equal(feed(&s, buf_str(&raw)), ERR_OK);
        int32_t at = 0;
        enum err e = ERR_OK;
        while (e == ERR_OK && at < 2000) {
            buf_clear(&raw);
            add_flood(&raw, flood_kinds[i], at++);
            if (flood_kinds[i] == RST_STREAM)
                s.count = 0; /* the streams are gone by then */
            e = feed(&s, buf_str(&raw));
        }
        if (e != ERR_MALFORMED || at > HTTP2_PATIENCE_MAX + 8)
            fail_msg("frame %d: %d of them", flood_kinds[i], at);
        if (code_sent(&s, GOAWAY) != HTTP2_ENHANCE_YOUR_CALM)
            fail_msg("frame %d: %d after %d", flood_kinds[i],
                     code_sent(&s, GOAWAY), at);
        side_close(&s);
        buf_release(&raw);
    }
}

/* Ten a second for an hour are no flood. */
static void test_patience_comes_back(void **state)
{
    (void)state;
    struct side s;
    struct buf raw;
    buf_init(&raw, MIB);
    side_open(&s, HTTP2_SERVER);
    add_start(&raw);
    assert_int_equal(feed(&s, buf_str(&raw)), ERR_OK);
    buf_clear(&raw);
    add_flood(&raw, PING, 0);
    for (int64_t ms = 1000; ms < 3600000; ms += 100) {
        assert_int_equal(http2_feed(s.h, buf_str(&raw), ms), ERR_OK);
        collect(&s);
        buf_clear(&s.out);
    }
    side_close(&s);
    buf_release(&raw);
}

static void test_noise_is_refused(void **state)
{
    (void)state;
    static const struct str rows[] = {
        STR_INIT("GET / HTTP/1.1\r\nHost: a\r\n\r\n.................."),
        STR_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nxxxxxxxxxxxxxxxxxxxx"),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct side s;
        side_open(&s, HTTP2_SERVER);
        enum err e = feed(&s, rows[i]);
        assert_true(e == ERR_MALFORMED || http2_is_over(s.h));
        assert_int_equal(code_sent(&s, GOAWAY), HTTP2_PROTOCOL_ERROR);
        side_close(&s);
    }
}

/* --- a client against it --- */

static void exchange(struct side *a, struct side *b)
{
    do {
        collect(a);
        if (a->out.len > 0)
            assert_int_equal(http2_feed(b->h, buf_str(&a->out), 1000), ERR_OK);
        buf_clear(&a->out);
        collect(b);
        if (b->out.len > 0)
            assert_int_equal(http2_feed(a->h, buf_str(&b->out), 1000), ERR_OK);
        buf_clear(&b->out);
        collect(a);
    } while (a->out.len > 0);
}

static struct stream *request(struct side *client, const char *method,
                              int64_t body_bytes)
{
    const struct http_field x = {STR("x-a"), STR("b")};
    struct stream *st = new_stream(client, 0);
    assert_non_null(st);
    const struct http2_request r = {
        .method = str_from(method),
        .scheme = STR("https"),
        .authority = STR("a.test"),
        .target = STR("/x?y"),
        .fields = {&x, 1},
        .body_bytes = body_bytes,
        .stream = st,
        .arena = &st->arena,
    };
    assert_int_equal(http2_request(client->h, &r, &st->id), ERR_OK);
    return st;
}

static void test_both_halves_understand_each_other(void **state)
{
    (void)state;
    struct side c, s;
    side_open(&c, HTTP2_CLIENT);
    side_open(&s, HTTP2_SERVER);
    struct stream *st = request(&c, "POST", 5);
    assert_int_equal(http2_write(c.h, st->id, STR("hello"), true), ERR_OK);
    exchange(&c, &s);
    assert_events(&s, "1: POST /x ? y @ a.test body 5 x-a=b\n1: \"hello\"\n"
                      "1: end\n1: closed 0\n");
    assert_events(&c, "1: 200 body 2 content-type=text/plain\n1: \"ok\"\n"
                      "1: end\n1: closed 0\n");
    assert_int_equal(http2_streams(c.h), 0);
    assert_int_equal(http2_streams(s.h), 0);
    side_close(&c);
    side_close(&s);
}

static void test_what_is_not_consumed_stops_the_sender(void **state)
{
    (void)state;
    enum { ALL = 1024 * 1024 };
    struct side c, s;
    char *much = calloc(1, ALL);
    assert_non_null(much);
    side_open(&c, HTTP2_CLIENT);
    side_open(&s, HTTP2_SERVER);
    s.consumes = false;
    exchange(&c, &s);
    struct stream *st = request(&c, "POST", ALL);
    assert_int_equal(http2_write(c.h, st->id, (struct str){much, ALL}, true),
                     ERR_OK);
    exchange(&c, &s);
    assert_int_equal(s.unread, HTTP2_STREAM_WINDOW);
    assert_int_equal(http2_blocked(c.h), 1);
    assert_int_equal(http2_sent(c.h), HTTP2_STREAM_WINDOW);

    /* Others are not held up by it. */
    (void)request(&c, "GET", 0);
    exchange(&c, &s);
    assert_non_null(memmem(c.events.ptr, c.events.len, "3: 200", 6));

    s.consumes = true;
    http2_consume(s.h, st->id, HTTP2_STREAM_WINDOW);
    exchange(&c, &s);
    exchange(&s, &c);
    assert_int_equal(s.unread, ALL);
    assert_int_equal(http2_blocked(c.h), 0);
    free(much);
    side_close(&c);
    side_close(&s);
}

static void test_a_body_is_pulled_piece_by_piece(void **state)
{
    (void)state;
    struct side c, s;
    side_open(&c, HTTP2_CLIENT);
    side_open(&s, HTTP2_SERVER);
    s.answers = false;
    struct stream *st = request(&c, "GET", 0);
    exchange(&c, &s);
    const struct http2_response r = {.status = 200,
                                     .body_bytes = -1,
                                     .has_body = true};
    assert_int_equal(http2_respond(s.h, st->id, &r), ERR_OK);
    exchange(&s, &c);
    buf_clear(&s.events);
    buf_clear(&c.events);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(http2_write(s.h, st->id, STR("abc"), false), ERR_OK);
        exchange(&s, &c);
    }
    assert_events(&s, "1: taken\n1: taken\n1: taken\n");
    assert_int_equal(http2_write(s.h, st->id, (struct str){NULL, 0}, true),
                     ERR_OK);
    exchange(&s, &c);
    assert_events(&c, "1: \"abc\"\n1: \"abc\"\n1: \"abc\"\n1: end\n"
                      "1: closed 0\n");
    assert_int_equal(http2_write(s.h, st->id, STR("x"), false), ERR_CLOSED);
    side_close(&c);
    side_close(&s);
}

static void test_resets_and_refusals(void **state)
{
    (void)state;
    struct side c, s;
    side_open(&c, HTTP2_CLIENT);
    side_open(&s, HTTP2_SERVER);
    s.answers = false;
    struct stream *a = request(&c, "GET", 0);
    struct stream *b = request(&c, "GET", 0);
    struct stream *d = request(&c, "GET", 0);
    http2_reset(c.h, d->id, HTTP2_CANCEL); /* before it was sent */
    exchange(&c, &s);
    http2_reset(c.h, a->id, HTTP2_CANCEL);
    http2_reset(s.h, b->id, HTTP2_INTERNAL_ERROR);
    exchange(&c, &s);
    assert_events(&c, "5: closed 7\n1: closed 8\n3: closed 2\n");
    assert_int_equal(http2_streams(c.h), 0);
    assert_int_equal(http2_streams(s.h), 0);
    side_close(&c);
    side_close(&s);
}

static void test_an_abandoned_stream_is_silent(void **state)
{
    (void)state;
    struct side c, s;
    side_open(&c, HTTP2_CLIENT);
    side_open(&s, HTTP2_SERVER);
    c.abandons = true;
    (void)request(&c, "GET", 0);
    exchange(&c, &s);
    assert_events(&c, "1: 200 body 2 content-type=text/plain\n");
    assert_int_equal(http2_streams(c.h), 0);
    side_close(&c);
    side_close(&s);
}

static void test_goaway_lets_streams_end(void **state)
{
    (void)state;
    struct side c, s;
    side_open(&c, HTTP2_CLIENT);
    side_open(&s, HTTP2_SERVER);
    s.answers = false;
    struct stream *st = request(&c, "GET", 0);
    exchange(&c, &s);
    assert_true(http2_may_request(c.h));
    http2_goaway(s.h);
    exchange(&s, &c);
    assert_false(http2_may_request(c.h));
    const struct http2_response r = {.status = 204, .body_bytes = -1};
    assert_int_equal(http2_respond(s.h, st->id, &r), ERR_OK);
    exchange(&s, &c);
    assert_events(&c, "1: 204 body 0\n1: end\n1: closed 0\n");
    assert_true(http2_is_over(c.h));
    side_close(&c);
    side_close(&s);
}

static void test_1xx_is_skipped(void **state)
{
    (void)state;
    struct side c, s;
    side_open(&c, HTTP2_CLIENT);
    side_open(&s, HTTP2_SERVER);
    struct stream *st = request(&c, "POST", 2);
    exchange(&c, &s);
    http2_continue(s.h, st->id);
    exchange(&s, &c);
    assert_events(&c, "");
    assert_int_equal(http2_write(c.h, st->id, STR("hi"), true), ERR_OK);
    exchange(&c, &s);
    assert_events(&c, "1: 200 body 2 content-type=text/plain\n1: \"ok\"\n"
                      "1: end\n1: closed 0\n");
    side_close(&c);
    side_close(&s);
}

static void test_an_answer_before_the_question_ends_it(void **state)
{
    (void)state;
    struct side c, s;
    side_open(&c, HTTP2_CLIENT);
    side_open(&s, HTTP2_SERVER);
    struct stream *st = request(&c, "POST", 100);
    assert_int_equal(http2_write(c.h, st->id, STR("half"), false), ERR_OK);
    exchange(&c, &s);
    const struct http2_response r = {.status = 413, .body_bytes = 0};
    assert_int_equal(http2_respond(s.h, st->id, &r), ERR_OK);
    exchange(&s, &c);
    assert_events(&c, "1: taken\n1: 413 body 0\n1: end\n1: closed 0\n");
    assert_int_equal(http2_streams(s.h), 0);
    side_close(&c);
    side_close(&s);
}

static void test_what_must_not_be_sent_is_refused(void **state)
{
    (void)state;
    static const struct http_field rows[] = {
        {STR_INIT("x"), STR_INIT("a\r\nb")},
        {STR_INIT("X"), STR_INIT("a")},
        {STR_INIT("connection"), STR_INIT("close")},
        {STR_INIT("content-length"), STR_INIT("5")},
        {STR_INIT(":path"), STR_INIT("/")},
    };
    struct side c, s;
    side_open(&c, HTTP2_CLIENT);
    side_open(&s, HTTP2_SERVER);
    s.answers = false;
    struct stream *st = request(&c, "GET", 0);
    exchange(&c, &s);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct http2_response r = {.status = 200,
                                         .fields = {&rows[i], 1},
                                         .body_bytes = -1};
        assert_int_equal(http2_respond(s.h, st->id, &r), ERR_MALFORMED);
    }
    side_close(&c);
    side_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_are_read_however_they_are_cut),
        cmocka_unit_test(test_requests_with_two_readings_are_reset),
        cmocka_unit_test(test_other_rules),
        cmocka_unit_test(test_heads_are_bounded),
        cmocka_unit_test(test_streams_are_opened_in_order),
        cmocka_unit_test(test_floods_end_the_connection),
        cmocka_unit_test(test_patience_comes_back),
        cmocka_unit_test(test_noise_is_refused),
        cmocka_unit_test(test_both_halves_understand_each_other),
        cmocka_unit_test(test_what_is_not_consumed_stops_the_sender),
        cmocka_unit_test(test_a_body_is_pulled_piece_by_piece),
        cmocka_unit_test(test_resets_and_refusals),
        cmocka_unit_test(test_an_abandoned_stream_is_silent),
        cmocka_unit_test(test_goaway_lets_streams_end),
        cmocka_unit_test(test_1xx_is_skipped),
        cmocka_unit_test(test_an_answer_before_the_question_ends_it),
        cmocka_unit_test(test_what_must_not_be_sent_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
