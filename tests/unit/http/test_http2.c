/* Tests http/client and http/server over HTTP/2, against each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/limits.h"
#include "fixture.h"
#include "os/clock.h"

enum { CALLS_MAX = 1000 };

struct call {
    struct http_call *call;
    int heads, fails, status;
    enum err why;
    bool sent, is_over;
    size_t *over_count;
    struct sink sink;
};

struct test {
    struct world w;
    struct http_client *client;
    struct http_origin origin;
    size_t over_count;
    struct call calls[CALLS_MAX];
};

static struct pattern pattern;

static struct test *open_test(void (*handle)(struct seen *s), bool http2)
{
    static const struct http_client_options options = {
        .connect_timeout_ms = 2000,
        .idle_timeout_ms = 5000,
        .pool_max = 8,
        .connections_max = 8,
    };
    struct test *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    world_open(&t->w);
    t->w.handle = handle;
    world_use_tls(&t->w, http2);
    world_serve(&t->w);
    t->origin = (struct http_origin){.host = STR("127.0.0.1"),
                                     .port = t->w.port,
                                     .tls = t->w.dial_tls,
                                     .allow_local = true};
    assert_int_equal(http_client_new(t->w.l, NULL, &options, &t->client),
                     ERR_OK);
    return t;
}

static void close_test(struct test *t)
{
    http_client_free(t->client);
    world_turn(&t->w, 10);
    for (size_t i = 0; i < CALLS_MAX; i++)
        sink_release(&t->calls[i].sink);
    world_close(&t->w);
    free(t);
}

static void on_piece_end(struct call *c)
{
    c->is_over = true;
    (*c->over_count)++;
}

static void on_piece(void *reader, struct str piece, bool last, enum err e)
{
    struct call *c = reader;
    c->sink.busy = false;
    assert_true(buf_add(&c->sink.got, piece));
    if (last || e != ERR_OK) {
        c->sink.ended = true;
        c->sink.e = e;
        on_piece_end(c);
    } else if (c->sink.stop_at == 0 || c->sink.got.len < c->sink.stop_at) {
        c->sink.src->pull(c->sink.src, on_piece, c);
    }
}

static void on_head(void *user, const struct http_response_head *head)
{
    struct call *c = user;
    c->heads++;
    c->status = head->status;
    c->sink.src = http_call_body(c->call);
    c->sink.src->pull(c->sink.src, on_piece, c);
}

static void on_failed(void *user, enum err why, bool sent)
{
    struct call *c = user;
    c->fails++;
    c->why = why;
    c->sent = sent;
    on_piece_end(c);
}

static void call_with(struct test *t, struct call *c, const char *method,
                      struct str body)
{
    static const struct http_call_events events = {on_head, on_failed};
    const struct http_field accept = {STR("accept"), STR("*/*")};
    const struct http_call_request r = {
        .origin = &t->origin,
        .method = str_from(method),
        .target = STR("/v1/x?y=z"),
        .fields = {&accept, 1},
        .body = body,
        .head_timeout_ms = 5000,
        .body_idle_ms = 5000,
    };
    sink_release(&c->sink);
    memset(c, 0, sizeof(*c));
    sink_init(&c->sink);
    c->over_count = &t->over_count;
    assert_int_equal(http_client_send(t->client, &r, &events, c, &c->call),
                     ERR_OK);
}

static bool is_over(void *arg)
{
    return ((struct call *)arg)->is_over;
}

static bool has_head(void *arg)
{
    return ((struct call *)arg)->heads > 0;
}

static void reply_pattern(struct seen *s)
{
    const struct http_response_head head = {.status = 200, .body_bytes = -1};
    http_request_reply_stream(s->r, &head, &pattern.source);
}

static void test_a_call_and_its_answer(void **state)
{
    (void)state;
    for (int http2 = 0; http2 < 2; http2++) {
        struct test *t = open_test(read_then_echo, http2 == 1);
        struct call *c = &t->calls[0];
        int slow = 0; /* the handshake, and a few on a busy machine */
        for (int i = 0; i < 20; i++) {
            int64_t before = clock_monotonic_ms();
            call_with(t, c, "POST", STR("hello"));
            world_wait(&t->w, is_over, c);
            slow += clock_monotonic_ms() - before >= 20;
            assert_int_equal(c->status, 200);
            assert_int_equal(c->sink.e, ERR_OK);
            assert_true(str_eq(buf_str(&c->sink.got), STR("hello")));
        }
        assert_true(slow < 10);
        world_wait_done(&t->w, 20);
        for (size_t i = 0; i < 20; i++)
            assert_int_equal(t->w.seen[i].why, ERR_OK);
        assert_int_equal(http_server_connections(t->w.server), 1);
        close_test(t);
    }
}

static enum http_version version_seen;
static char authority_seen[64];

static void note_head(struct seen *s)
{
    const struct http_request_head *head = http_request_head(s->r);
    version_seen = head->version;
    assert_true(head->authority.len < sizeof(authority_seen));
    memcpy(authority_seen, head->authority.ptr, head->authority.len);
    authority_seen[head->authority.len] = '\0';
    assert_true(str_eq(head->path, STR("/v1/x")));
    assert_true(str_eq(head->query, STR("y=z")));
    assert_int_equal(head->fields.count, 2);
    assert_true(str_eq(http_fields_get(head->fields, STR("accept-encoding")),
                       STR("identity")));
    assert_int_equal(head->body_bytes, 0);
    reply_ok(s);
}

static void test_the_head_is_the_same_in_both(void **state)
{
    (void)state;
    for (int http2 = 0; http2 < 2; http2++) {
        struct test *t = open_test(note_head, http2 == 1);
        struct call *c = &t->calls[0];
        char expected[64];
        call_with(t, c, "GET", (struct str){NULL, 0});
        world_wait(&t->w, is_over, c);
        assert_int_equal(version_seen,
                         http2 == 1 ? HTTP_VERSION_2 : HTTP_VERSION_1_1);
        (void)snprintf(expected, sizeof(expected), "127.0.0.1:%d", t->w.port);
        assert_string_equal(authority_seen, expected);
        assert_true(str_eq(buf_str(&c->sink.got), STR("ok")));
        call_with(t, c, "HEAD", (struct str){NULL, 0});
        world_wait(&t->w, is_over, c);
        assert_int_equal(c->status, 200);
        assert_int_equal(c->sink.got.len, 0);
        close_test(t);
    }
}

static bool all_over(void *arg)
{
    return ((struct test *)arg)->over_count == CALLS_MAX;
}

static void test_a_thousand_streams_share_one_connection(void **state)
{
    (void)state;
    struct test *t = open_test(read_then_echo, true);
    for (size_t i = 0; i < CALLS_MAX; i++)
        call_with(t, &t->calls[i], "POST", STR("hello"));
    world_wait(&t->w, all_over, t);
    for (size_t i = 0; i < CALLS_MAX; i++) {
        assert_int_equal(t->calls[i].status, 200);
        assert_true(str_eq(buf_str(&t->calls[i].sink.got), STR("hello")));
    }
    assert_int_equal(http_server_connections(t->w.server), 1);
    close_test(t);
}

static void test_big_bodies_both_ways(void **state)
{
    (void)state;
    enum { N = 5 * 1024 * 1024 };
    struct test *t = open_test(read_then_echo, true);
    struct call *c = &t->calls[0];
    char *big = malloc(N);
    assert_non_null(big);
    for (size_t i = 0; i < N; i++)
        big[i] = (char)('a' + i % 26);
    call_with(t, c, "POST", (struct str){big, N});
    world_wait(&t->w, is_over, c);
    assert_int_equal(c->sink.e, ERR_OK);
    assert_int_equal(c->sink.got.len, N);
    assert_memory_equal(c->sink.got.ptr, big, N);
    free(big);
    close_test(t);
}

static void test_streamed_replies(void **state)
{
    (void)state;
    for (int64_t every_ms = 0; every_ms <= 5; every_ms += 5) {
        struct test *t = open_test(reply_pattern, true);
        struct call *c = &t->calls[0];
        pattern_init(&pattern, &t->w, 100, 10);
        pattern.every_ms = every_ms;
        call_with(t, c, "GET", (struct str){NULL, 0});
        world_wait(&t->w, is_over, c);
        assert_int_equal(c->sink.e, ERR_OK);
        assert_int_equal(c->sink.got.len, 100);
        world_wait_done(&t->w, 1);
        assert_int_equal(t->w.seen[0].why, ERR_OK);
        assert_int_equal(pattern.cancels, 0);
        close_test(t);
    }
}

static void test_a_source_that_fails_resets_the_stream(void **state)
{
    (void)state;
    struct test *t = open_test(reply_pattern, true);
    struct call *c = &t->calls[0];
    pattern_init(&pattern, &t->w, 100, 60);
    pattern.fails = ERR_UPSTREAM;
    pattern.every_ms = 5;
    call_with(t, c, "GET", (struct str){NULL, 0});
    world_wait(&t->w, is_over, c);
    assert_int_equal(c->sink.e, ERR_UPSTREAM);
    assert_int_equal(c->sink.got.len, 60);
    t->w.handle = reply_ok; /* the connection is still good */
    call_with(t, c, "GET", (struct str){NULL, 0});
    world_wait(&t->w, is_over, c);
    assert_int_equal(c->status, 200);
    assert_int_equal(http_server_connections(t->w.server), 1);
    close_test(t);
}

static void test_a_slow_reader_slows_only_its_own_stream(void **state)
{
    (void)state;
    enum { ALL = 64 * 1024 * 1024, BOUND = 2 * 1024 * 1024 };
    struct test *t = open_test(reply_pattern, true);
    struct call *slow = &t->calls[0], *other = &t->calls[1];
    pattern_init(&pattern, &t->w, ALL, 65536);
    call_with(t, slow, "GET", (struct str){NULL, 0});
    slow->sink.stop_at = 1;
    world_wait(&t->w, has_head, slow);
    size_t given = world_wait_still(&t->w, &pattern.given, NULL);
    assert_true(given < BOUND); /* a window and what is on its way */

    t->w.handle = read_then_echo;
    call_with(t, other, "POST", STR("hello"));
    world_wait(&t->w, is_over, other);
    assert_int_equal(other->status, 200);

    slow->sink.stop_at = 0;
    slow->sink.src->pull(slow->sink.src, on_piece, slow);
    world_wait(&t->w, is_over, slow);
    assert_int_equal(slow->sink.got.len, ALL);
    close_test(t);
}

static void test_a_cancelled_call_ends_its_request(void **state)
{
    (void)state;
    struct test *t = open_test(never_reply, true);
    struct call *c = &t->calls[0];
    call_with(t, c, "POST", STR("hello"));
    world_wait_seen(&t->w, 1);
    http_call_cancel(c->call);
    world_wait_done(&t->w, 1);
    assert_int_equal(t->w.seen[0].why, ERR_CLOSED);

    pattern_init(&pattern, &t->w, 1000, 10);
    pattern.every_ms = 5;
    t->w.handle = reply_pattern;
    call_with(t, c, "GET", (struct str){NULL, 0});
    world_wait(&t->w, has_head, c);
    world_turn(&t->w, 20);
    c->sink.src->cancel(c->sink.src);
    world_wait_done(&t->w, 2);
    assert_int_equal(t->w.seen[1].why, ERR_CLOSED);
    assert_int_equal(pattern.cancels, 1);
    assert_int_equal(http_server_connections(t->w.server), 1);
    close_test(t);
}

static void test_a_cut_reply_is_a_reset(void **state)
{
    (void)state;
    struct test *t = open_test(reply_pattern, true);
    struct call *c = &t->calls[0];
    pattern_init(&pattern, &t->w, 1000, 10);
    pattern.every_ms = 5;
    call_with(t, c, "GET", (struct str){NULL, 0});
    world_wait(&t->w, has_head, c);
    world_turn(&t->w, 20);
    http_request_cut(t->w.seen[0].r);
    assert_int_equal(pattern.cancels, 1);
    world_wait(&t->w, is_over, c);
    assert_int_equal(c->sink.e, ERR_UPSTREAM);
    assert_true(c->sink.got.len <= pattern.given);
    world_wait_done(&t->w, 1);
    assert_int_equal(t->w.seen[0].why, ERR_CLOSED);
    close_test(t);
}

static void test_an_early_answer_ends_the_upload(void **state)
{
    (void)state;
    enum { N = 8 * 1024 * 1024 };
    struct test *t = open_test(reply_ok, true); /* without reading */
    struct call *c = &t->calls[0];
    char *big = calloc(1, N);
    assert_non_null(big);
    call_with(t, c, "POST", (struct str){big, N});
    world_wait(&t->w, is_over, c);
    assert_int_equal(c->status, 200);
    assert_int_equal(c->sink.e, ERR_OK);
    world_wait_done(&t->w, 1);
    assert_int_equal(t->w.seen[0].why, ERR_OK);
    free(big);
    t->w.handle = read_then_echo;
    call_with(t, c, "POST", STR("hello"));
    world_wait(&t->w, is_over, c);
    assert_int_equal(c->status, 200);
    assert_int_equal(http_server_connections(t->w.server), 1);
    close_test(t);
}

static void test_a_body_over_the_limit(void **state)
{
    (void)state;
    enum { N = 2 * 1024 * 1024 };
    struct test *t = open_test(read_then_ok, true); /* at most 1 MiB */
    struct call *c = &t->calls[0];
    char *big = calloc(1, N);
    assert_non_null(big);
    call_with(t, c, "POST", (struct str){big, N});
    world_wait(&t->w, is_over, c);
    assert_int_equal(c->status, 413);
    assert_int_equal(t->w.seen[0].body_err, ERR_LIMIT);
    free(big);
    close_test(t);
}

static bool is_drained(void *arg)
{
    return ((struct world *)arg)->drained;
}

static void on_drained(void *user)
{
    ((struct world *)user)->drained = true;
}

static void test_drain_lets_streams_end(void **state)
{
    (void)state;
    struct test *t = open_test(reply_pattern, true);
    struct call *c = &t->calls[0];
    pattern_init(&pattern, &t->w, 100, 10);
    pattern.every_ms = 10;
    call_with(t, c, "GET", (struct str){NULL, 0});
    world_wait(&t->w, has_head, c);
    http_server_drain(t->w.server, on_drained);
    world_wait(&t->w, is_over, c);
    assert_int_equal(c->sink.e, ERR_OK);
    assert_int_equal(c->sink.got.len, 100);
    world_wait(&t->w, is_drained, &t->w);
    close_test(t);
}

static void test_a_server_that_goes_away(void **state)
{
    (void)state;
    struct test *t = open_test(never_reply, true);
    struct call *sent = &t->calls[0], *read = &t->calls[1];
    call_with(t, sent, "POST", STR("hello"));
    world_wait_seen(&t->w, 1);
    pattern_init(&pattern, &t->w, 1000, 10);
    pattern.every_ms = 5;
    t->w.handle = reply_pattern;
    call_with(t, read, "GET", (struct str){NULL, 0});
    world_wait(&t->w, has_head, read);
    http_server_free(t->w.server);
    t->w.server = NULL;
    world_wait(&t->w, is_over, sent);
    world_wait(&t->w, is_over, read);
    assert_int_equal(sent->why, ERR_UPSTREAM);
    assert_true(sent->sent);
    assert_int_equal(read->sink.e, ERR_UPSTREAM);
    close_test(t);
}

static void test_free_with_calls_open(void **state)
{
    (void)state;
    struct test *t = open_test(never_reply, true);
    call_with(t, &t->calls[0], "POST", STR("hello"));
    world_wait_seen(&t->w, 1);
    call_with(t, &t->calls[1], "POST", STR("hello"));
    http_client_free(t->client);
    t->client = NULL;
    world_wait_done(&t->w, t->w.seen_count);
    assert_int_equal(t->calls[0].fails + t->calls[1].fails, 0);
    close_test(t);
}

/* --- plain connections, by prior knowledge --- */

static void test_the_preface_chooses_http2_on_plain_connections(void **state)
{
    (void)state;
    struct world *w = malloc(sizeof(*w));
    struct peer p;
    assert_non_null(w);
    world_open(w);
    world_serve(w);
    peer_dial(&p, w);
    /* GET / of a.test, in literal fields, byte by byte. */
    static const char raw[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                              "\0\0\0\4\0\0\0\0\0"
                              "\0\0\x0b\1\5\0\0\0\1"
                              "\x82\x86\x84\x41\x06"
                              "a.test";
    for (size_t i = 0; i < sizeof(raw) - 1; i++) {
        peer_write(&p, (struct str){raw + i, 1});
        world_turn(w, 0);
    }
    world_wait_done(w, 1);
    assert_int_equal(w->seen[0].why, ERR_OK);
    peer_wait_text(&p, "ok");
    assert_false(peer_has(&p, "HTTP/1.1"));
    peer_release(&p);
    world_close(w);
    free(w);
}

static void test_deadlines(void **state)
{
    (void)state;
    static const struct {
        const char *name, *raw;
        size_t len;
    } rows[] = {
        {"no request", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
         33},
        {"half a preface", "PRI * HTTP/2.0\r\n", 16},
        {"idle after a request",
         "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
         "\0\0\x0b\1\5\0\0\0\1\x82\x86\x84\x41\x06"
         "a.test",
         53},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world *w = malloc(sizeof(*w));
        struct peer p;
        assert_non_null(w);
        world_open(w);
        w->options.head_timeout_ms = w->options.idle_timeout_ms = 60;
        world_serve(w);
        peer_dial(&p, w);
        int64_t before = clock_monotonic_ms();
        peer_write(&p, (struct str){rows[i].raw, rows[i].len});
        peer_wait_ended(&p);
        int64_t took = clock_monotonic_ms() - before;
        if (took < 50 || took > 5000)
            fail_msg("%s: %d ms", rows[i].name, (int)took);
        peer_release(&p);
        world_close(w);
        free(w);
    }
}

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
#define GET_A                                                                  \
    "\0\0\x0b\1\5\0\0\0\1\x82\x86\x84\x41\x06"                                 \
    "a.test"

/* One that floods is shown the door, and nobody else notices. */
static void test_a_flood_ends_its_own_connection_only(void **state)
{
    (void)state;
    struct world *w = malloc(sizeof(*w));
    struct peer bad, good;
    struct buf pings;
    assert_non_null(w);
    world_open(w);
    world_serve(w);
    peer_dial(&bad, w);
    peer_dial(&good, w);
    buf_init(&pings, MIB);
    buf_add(&pings, STR(PREFACE));
    for (int i = 0; i < 2000; i++)
        buf_add(&pings, STR("\0\0\x08\6\0\0\0\0\0"
                            "12345678"));
    peer_write(&bad, buf_str(&pings));
    peer_wait_ended(&bad);
    /* GOAWAY with ENHANCE_YOUR_CALM */
    static const char calm[] = "\0\0\x08\7\0\0\0\0\0\0\0\0\0\0\0\0\x0b";
    assert_non_null(memmem(bad.got.ptr, bad.got.len, calm, sizeof(calm) - 1));

    peer_write(&good, STR(PREFACE GET_A));
    world_wait_done(w, 1);
    assert_int_equal(w->seen[0].why, ERR_OK);
    buf_release(&pings);
    peer_release(&bad);
    peer_release(&good);
    world_close(w);
    free(w);
}

static void test_a_window_that_stays_shut_ends_the_connection(void **state)
{
    (void)state;
    struct world *w = malloc(sizeof(*w));
    struct peer p;
    assert_non_null(w);
    world_open(w);
    w->options.write_idle_ms = 100;
    w->handle = reply_pattern;
    world_serve(w);
    pattern_init(&pattern, w, 1000, 10);
    peer_dial(&p, w);
    peer_write(&p, STR("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                       "\0\0\6\4\0\0\0\0\0\0\4\0\0\0\0" GET_A));
    world_wait_done(w, 1);
    assert_int_equal(w->seen[0].why, ERR_CLOSED);
    assert_int_equal(pattern.cancels, 1);
    assert_int_equal(pattern.given, 10);
    peer_release(&p);
    world_close(w);
    free(w);
}

static void test_a_handshake_has_a_deadline(void **state)
{
    (void)state;
    struct world *w = malloc(sizeof(*w));
    struct peer p;
    assert_non_null(w);
    world_open(w);
    world_use_tls(w, true);
    w->options.head_timeout_ms = 60;
    world_serve(w);
    struct tls_context *dial_tls = w->dial_tls;
    w->dial_tls = NULL; /* it never says hello */
    peer_dial(&p, w);
    peer_wait_ended(&p);
    assert_int_equal(p.got.len, 0);
    w->dial_tls = dial_tls;
    peer_release(&p);
    world_close(w);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_and_its_answer),
        cmocka_unit_test(test_the_head_is_the_same_in_both),
        cmocka_unit_test(test_a_thousand_streams_share_one_connection),
        cmocka_unit_test(test_big_bodies_both_ways),
        cmocka_unit_test(test_streamed_replies),
        cmocka_unit_test(test_a_source_that_fails_resets_the_stream),
        cmocka_unit_test(test_a_slow_reader_slows_only_its_own_stream),
        cmocka_unit_test(test_a_cancelled_call_ends_its_request),
        cmocka_unit_test(test_a_cut_reply_is_a_reset),
        cmocka_unit_test(test_an_early_answer_ends_the_upload),
        cmocka_unit_test(test_a_body_over_the_limit),
        cmocka_unit_test(test_drain_lets_streams_end),
        cmocka_unit_test(test_a_server_that_goes_away),
        cmocka_unit_test(test_free_with_calls_open),
        cmocka_unit_test(test_the_preface_chooses_http2_on_plain_connections),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_a_flood_ends_its_own_connection_only),
        cmocka_unit_test(test_a_window_that_stays_shut_ends_the_connection),
        cmocka_unit_test(test_a_handshake_has_a_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
