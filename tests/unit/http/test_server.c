/* Tests http/server over HTTP/1 with raw peers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/limits.h"
#include "fixture.h"
#include "os/clock.h"

#define GET "GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n"
#define POST(n) "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: " n "\r\n\r\n"

static struct world *open_world(void (*handle)(struct seen *s))
{
    struct world *w = malloc(sizeof(*w));
    assert_non_null(w);
    world_open(w);
    w->handle = handle;
    return w;
}

static void close_world(struct world *w)
{
    world_close(w);
    free(w);
}

/* A world with one raw client. */
static struct world *one_client(void (*handle)(struct seen *s), struct peer *p)
{
    struct world *w = open_world(handle);
    world_serve(w);
    peer_dial(p, w);
    return w;
}

static void end(struct world *w, struct peer *p)
{
    peer_release(p);
    close_world(w);
}

/* --- plain requests --- */

static void test_a_request_is_answered_in_one_form(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = one_client(reply_ok, &p);
    peer_write(&p, STR(GET));
    peer_wait_text(&p, "\r\n\r\nok");
    assert_true(peer_has(&p, "HTTP/1.1 200 OK\r\ndate: "));
    assert_true(peer_has(&p, "content-type: text/plain\r\n"
                             "content-length: 2\r\n\r\nok"));
    assert_false(peer_has(&p, "connection:"));
    world_wait_done(w, 1);
    assert_int_equal(w->seen[0].why, ERR_OK);
    end(w, &p);
}

/* Two writes instead of one meet Nagle and delayed acknowledgements: 40 ms. */
static void test_keep_alive_is_quick(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = one_client(read_then_ok, &p);
    int slow = 0; /* a busy machine has a few, that mode has nearly all */
    for (size_t i = 1; i <= 20; i++) {
        int64_t before = clock_monotonic_ms();
        peer_write(&p, STR(POST("5") "hello"));
        world_wait_done(w, i);
        while (peer_count(&p, "\r\n\r\nok") < i)
            world_turn(w, 1);
        slow += clock_monotonic_ms() - before >= 20;
    }
    assert_true(slow < 10);
    assert_int_equal(http_server_connections(w->server), 1);
    end(w, &p);
}

static void test_pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = one_client(read_then_echo, &p);
    struct buf all;
    buf_init(&all, MIB);
    for (int i = 0; i < 50; i++)
        buf_addf(&all, POST("4") "n%03d", i);
    peer_write(&p, buf_str(&all));
    world_wait_done(w, 50);
    peer_wait_text(&p, "n049");
    const char *last = p.got.ptr;
    for (int i = 0; i < 50; i++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "\r\n\r\nn%03d", i);
        const char *at = memmem(p.got.ptr, p.got.len, text, strlen(text));
        assert_true(at > last);
        last = at;
    }
    buf_release(&all);
    end(w, &p);
}

static void test_single_bytes_make_the_same_requests(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = one_client(read_then_echo, &p);
    const struct str raw = STR(POST("5") "hello"
                                         "POST /x HTTP/1.1\r\nHost: a\r\n"
                                         "Transfer-Encoding: chunked\r\n\r\n"
                                         "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    for (size_t i = 0; i < raw.len; i++) {
        peer_write(&p, str_first(str_skip(raw, i), 1));
        world_turn(w, 0);
    }
    peer_wait_text(&p, "\r\n\r\nhello");
    peer_wait_text(&p, "\r\n\r\nabcde");
    assert_int_equal(w->seen_count, 2);
    end(w, &p);
}

static void test_head_and_204_have_no_body(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = one_client(reply_ok, &p);
    peer_write(&p, STR("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n" GET));
    peer_wait_text(&p, "\r\n\r\nok");
    assert_int_equal(peer_count(&p, "content-length: 2\r\n"), 2);
    assert_int_equal(peer_count(&p, "\r\n\r\nok"), 1);
    end(w, &p);
}

static void reply_204(struct seen *s)
{
    reply_text(s, 204, (struct str){NULL, 0});
}

static void test_204_has_no_length(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = one_client(reply_204, &p);
    peer_write(&p, STR(GET));
    peer_wait_text(&p, "\r\n\r\n");
    assert_false(peer_has(&p, "content-length"));
    assert_false(peer_has(&p, "transfer-encoding"));
    end(w, &p);
}

static void test_http_1_0_closes(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = one_client(reply_ok, &p);
    peer_write(&p, STR("GET /x HTTP/1.0\r\n\r\n"));
    peer_wait_ended(&p);
    assert_true(peer_has(&p, "connection: close\r\n\r\nok"));
    end(w, &p);
}

/* --- bodies of requests --- */

static void test_100_continue_is_sent_when_the_body_is_wanted(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = one_client(read_then_echo, &p);
    peer_write(&p, STR("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                       "Expect: 100-continue\r\n\r\n"));
    peer_wait_text(&p, "HTTP/1.1 100 Continue\r\n\r\n");
    peer_write(&p, STR("hello"));
    peer_wait_text(&p, "\r\n\r\nhello");
    end(w, &p);
}

static void test_100_continue_is_not_sent_with_a_refusal(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = one_client(reply_ok, &p); /* without reading */
    peer_write(&p, STR("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                       "Expect: 100-continue\r\n\r\n"));
    peer_wait_ended(&p);
    assert_false(peer_has(&p, "100 Continue"));
    assert_true(peer_has(&p, "connection: close\r\n"));
    end(w, &p);
}

static void test_a_body_over_the_limit_is_an_error(void **state)
{
    (void)state;
    static const char *const heads[] = {
        POST("1048577"),
        "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "100001\r\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        struct peer p;
        struct world *w = one_client(read_then_ok, &p);
        peer_write(&p, str_from(heads[i]));
        if (i == 1) {
            char *much = calloc(1, MIB + 1);
            assert_non_null(much);
            peer_write(&p, (struct str){much, MIB + 1});
            free(much);
        }
        peer_wait_ended(&p);
        assert_true(peer_has(&p, "HTTP/1.1 413 "));
        assert_int_equal(w->seen[0].body_err, ERR_LIMIT);
        end(w, &p);
    }
}

static void test_a_broken_body_is_an_error(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = one_client(read_then_ok, &p);
    peer_write(&p, STR("POST /x HTTP/1.1\r\nHost: a\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX" GET));
    peer_wait_ended(&p);
    assert_true(peer_has(&p, "HTTP/1.1 400 "));
    assert_int_equal(w->seen[0].body_err, ERR_MALFORMED);
    assert_int_equal(w->seen_count, 1); /* the rest was not served */
    end(w, &p);
}

static void
test_a_refusal_keeps_the_connection_if_the_body_is_here(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = one_client(reply_ok, &p); /* without reading */
    peer_write(&p, STR(POST("5") "hello" GET));
    world_wait_done(w, 2);
    assert_false(peer_has(&p, "connection: close"));
    peer_write(&p, STR(POST("5") "hel"));
    peer_wait_ended(&p);
    assert_true(peer_has(&p, "connection: close"));
    assert_int_equal(w->seen_count, 3);
    end(w, &p);
}

struct later {
    struct timer timer;
    struct seen *s;
};

static struct later later;

static void read_now(struct timer *t)
{
    (void)t;
    read_then_echo(later.s);
}

static void read_later(struct seen *s)
{
    later.s = s;
    timer_set(s->w->l, &later.timer, 50, read_now);
}

static void test_a_body_waits_until_it_is_read(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = one_client(read_later, &p);
    peer_write(&p, STR(POST("10") "hello"));
    world_turn(w, 20);
    peer_write(&p, STR("there"));
    world_wait_done(w, 1);
    peer_wait_text(&p, "\r\n\r\nhellothere");
    end(w, &p);
}

static void test_a_big_body_arrives_whole(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = one_client(read_then_echo, &p);
    enum { N = 5 * 1024 * 1024 };
    char *big = malloc(N);
    assert_non_null(big);
    for (size_t i = 0; i < N; i++)
        big[i] = (char)('a' + i % 26);
    peer_write(&p, STR(POST("5242880")));
    peer_write(&p, (struct str){big, N});
    world_wait_done(w, 1);
    while (p.got.len < N)
        world_turn(w, 5);
    assert_memory_equal(p.got.ptr + p.got.len - N, big, N);
    free(big);
    end(w, &p);
}

/* --- streamed replies --- */

static struct pattern pattern;

static void reply_pattern(struct seen *s)
{
    const struct http_response_head head = {.status = 200, .body_bytes = -1};
    http_request_reply_stream(s->r, &head, &pattern.source);
}

static void test_a_streamed_reply_is_chunked(void **state)
{
    (void)state;
    for (int64_t every_ms = 0; every_ms <= 10; every_ms += 10) {
        struct peer p;
        struct world *w = one_client(reply_pattern, &p);
        pattern_init(&pattern, w, 30, 20);
        pattern.every_ms = every_ms;
        peer_write(&p, STR(GET));
        world_wait_done(w, 1);
        peer_wait_text(&p, "transfer-encoding: chunked\r\n\r\n"
                           "14\r\nabcdefghijklmnopqrst\r\n"
                           "a\r\nabcdefghij\r\n0\r\n\r\n");
        assert_int_equal(w->seen[0].why, ERR_OK);
        assert_int_equal(pattern.cancels, 0);
        end(w, &p);
    }
}

static void test_a_streamed_reply_to_1_0_ends_with_the_connection(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = one_client(reply_pattern, &p);
    pattern_init(&pattern, w, 30, 20);
    peer_write(&p, STR("GET /x HTTP/1.0\r\n\r\n"));
    peer_wait_ended(&p);
    assert_true(peer_has(&p, "\r\n\r\nabcdefghijklmnopqrstabcdefghij"));
    assert_false(peer_has(&p, "transfer-encoding"));
    end(w, &p);
}

static void test_a_streamed_reply_to_head_drops_its_source(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = one_client(reply_pattern, &p);
    pattern_init(&pattern, w, 30, 20);
    peer_write(&p, STR("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n"));
    world_wait_done(w, 1);
    assert_int_equal(pattern.cancels, 1);
    assert_int_equal(pattern.pulls, 0);
    end(w, &p);
}

/* The head does not wait for the first piece, however long that takes. */
static void test_the_head_leaves_before_the_first_piece(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = one_client(reply_pattern, &p);
    pattern_init(&pattern, w, 5, 5);
    pattern.every_ms = 200;
    peer_write(&p, STR(GET));
    peer_wait_text(&p, "chunked\r\n\r\n");
    assert_int_equal(pattern.given, 0);
    world_wait_done(w, 1);
    end(w, &p);
}

static void test_a_source_that_fails_cuts_the_reply(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = one_client(reply_pattern, &p);
    pattern_init(&pattern, w, 30, 20);
    pattern.fails = ERR_UPSTREAM;
    pattern.every_ms = 5;
    peer_write(&p, STR(GET));
    peer_wait_ended(&p);
    assert_true(peer_has(&p, "14\r\nabcdefghijklmnopqrst\r\n"));
    assert_false(peer_has(&p, "0\r\n\r\n"));
    world_wait_done(w, 1);
    end(w, &p);
}

static void test_a_slow_reader_slows_the_source(void **state)
{
    (void)state;
    enum { BOUND = 24 * 1024 * 1024 };
    struct peer p;
    struct world *w = one_client(reply_pattern, &p);
    pattern_init(&pattern, w, (size_t)1 << 40, 65536);
    p.forgets = true;
    stream_pause(p.s);
    peer_write(&p, STR(GET));
    size_t before = world_wait_still(w, &pattern.given, NULL);
    assert_true(before > 0 && before < BOUND); /* the sockets' own buffers */
    stream_resume(p.s);
    world_turn(w, 200);
    assert_true(pattern.given > before);
    peer_close(&p);
    world_wait_done(w, 1);
    assert_int_equal(w->seen[0].why, ERR_CLOSED);
    assert_int_equal(pattern.cancels, 1);
    end(w, &p);
}

static void test_a_cut_reply_sends_no_further_byte(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = one_client(reply_pattern, &p);
    pattern_init(&pattern, w, 1 << 20, 10);
    pattern.every_ms = 5;
    peer_write(&p, STR(GET));
    peer_wait_text(&p, "a\r\nabcdefghij\r\n");
    http_request_cut(w->seen[0].r);
    assert_int_equal(pattern.cancels, 1);
    size_t given = pattern.given;
    world_wait_done(w, 1);
    assert_int_equal(w->seen[0].why, ERR_CLOSED);
    peer_wait_ended(&p);
    assert_int_equal(pattern.given, given);
    assert_true(peer_count(&p, "abcdefghij") * 10 <= given);
    assert_false(peer_has(&p, "0\r\n\r\n"));
    end(w, &p);
}

/* --- clients that go away --- */

static void test_a_client_that_leaves_ends_its_request(void **state)
{
    (void)state;
    static const struct {
        void (*handle)(struct seen *s);
        const char *raw;
        bool half_close;
    } rows[] = {
        {never_reply, GET, false},
        {never_reply, GET, true},
        {read_then_ok, POST("10") "hello", false},
        {read_then_ok, POST("10") "hello", true},
        {reply_pattern, GET, false},
        {reply_pattern, GET, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer p;
        struct world *w = one_client(rows[i].handle, &p);
        pattern_init(&pattern, w, 1 << 20, 10);
        pattern.every_ms = 20;
        peer_write(&p, str_from(rows[i].raw));
        world_wait_seen(w, 1);
        world_turn(w, 30);
        assert_int_equal(w->done_count, 0);
        if (rows[i].half_close)
            stream_finish(p.s);
        else
            stream_close(p.s);
        world_wait_done(w, 1);
        assert_int_equal(w->seen[0].why, ERR_CLOSED);
        assert_int_equal(w->seen[0].body_reads, 0);
        if (rows[i].handle == reply_pattern)
            assert_int_equal(pattern.cancels, 1);
        end(w, &p);
    }
}

static void reply_after_done(struct timer *t)
{
    (void)t;
    if (later.s->r != NULL)
        reply_ok(later.s);
}

static void reply_later(struct seen *s)
{
    later.s = s;
    timer_set(s->w->l, &later.timer, 30, reply_after_done);
}

static void test_a_late_reply_is_fine(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = one_client(reply_later, &p);
    peer_write(&p, STR(GET));
    world_wait_done(w, 1);
    assert_int_equal(w->seen[0].why, ERR_OK);
    peer_wait_text(&p, "\r\n\r\nok");
    end(w, &p);
}

/* --- refusals --- */

static void test_refusals_are_json_and_close(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *line, *code;
    } rows[] = {
        {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n",
         "malformed_host"},
        {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 ", "malformed"},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "HTTP/1.1 505 ",
         "unknown_version"},
        {"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 405 ",
         "method_not_allowed"},
        {"POST / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", "HTTP/1.1 417 ",
         "unknown_expectation"},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x, chunked\r\n\r\n",
         "HTTP/1.1 501 ", "unknown_coding"},
        {"PRI * HTTP/2.0\r\n\r\nXX", "HTTP/1.1 400 ", "malformed"},
        {"\x16\x03\x01\x02", "HTTP/1.1 400 ", "malformed"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer p;
        char code[64];
        struct world *w = one_client(reply_ok, &p);
        peer_write(&p, str_from(rows[i].raw));
        peer_wait_ended(&p);
        (void)snprintf(code, sizeof(code), "\"code\":\"%s\"}}", rows[i].code);
        assert_true(peer_has(&p, rows[i].line));
        assert_true(peer_has(&p, "content-type: application/json\r\n"));
        assert_true(peer_has(&p, "connection: close\r\n\r\n{\"error\":{"));
        assert_true(peer_has(&p, code));
        assert_int_equal(w->seen_count, 0);
        end(w, &p);
    }
}

static void test_too_long_heads_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after, *line;
    } rows[] = {
        {"GET /", " HTTP/1.1\r\n", "HTTP/1.1 414 "},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: ", "\r\n\r\n", "HTTP/1.1 431 "},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer p;
        struct world *w = one_client(reply_ok, &p);
        char *much = malloc(70000);
        assert_non_null(much);
        memset(much, 'a', 70000);
        peer_write(&p, str_from(rows[i].before));
        peer_write(&p, (struct str){much, 70000});
        peer_write(&p, str_from(rows[i].after));
        peer_wait_ended(&p);
        assert_true(peer_has(&p, rows[i].line));
        free(much);
        end(w, &p);
    }
}

static void reply_bad_field(struct seen *s)
{
    const struct http_field bad = {STR("x"), STR("a\r\nset-cookie: b")};
    const struct http_response_head head = {.status = 200, .fields = {&bad, 1}};
    http_request_reply(s->r, &head, STR("ok"));
}

static void test_a_field_that_cannot_be_sent_closes(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = one_client(reply_bad_field, &p);
    peer_write(&p, STR(GET));
    peer_wait_ended(&p);
    assert_int_equal(p.got.len, 0);
    end(w, &p);
}

/* --- deadlines --- */

static void test_deadlines(void **state)
{
    (void)state;
    static const struct {
        const char *name, *raw, *answer;
        void (*handle)(struct seen *s);
    } rows[] = {
        {"nothing at all", "", NULL, reply_ok},
        {"half a head", "GET / HT", "HTTP/1.1 408 ", reply_ok},
        {"half a second head", GET "GET / HT", "HTTP/1.1 408 ", reply_ok},
        {"idle after a request", GET, "\r\n\r\nok", reply_ok},
        {"half a body", POST("10") "hello", "HTTP/1.1 408 ", read_then_ok},
        {"no body", POST("10"), "HTTP/1.1 408 ", read_then_ok},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer p;
        struct world *w = open_world(rows[i].handle);
        w->options.head_timeout_ms = 60;
        w->options.body_idle_ms = 60;
        w->options.idle_timeout_ms = 60;
        world_serve(w);
        peer_dial(&p, w);
        int64_t before = clock_monotonic_ms();
        if (rows[i].raw[0] != '\0')
            peer_write(&p, str_from(rows[i].raw));
        peer_wait_ended(&p);
        int64_t took = clock_monotonic_ms() - before;
        if (took < 50 || took > 5000)
            fail_msg("%s: %d ms", rows[i].name, (int)took);
        if (rows[i].answer != NULL && !peer_has(&p, rows[i].answer))
            fail_msg("%s: %.*s", rows[i].name, STR_FMT(buf_str(&p.got)));
        end(w, &p);
    }
}

/* A head in drops must not push its deadline before it. */
static void test_a_slow_loris_is_cut_off(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = open_world(reply_ok);
    w->options.head_timeout_ms = 100;
    world_serve(w);
    peer_dial(&p, w);
    peer_write(&p, STR("GET / HTTP/1.1\r\nX: "));
    for (int i = 0; i < 100 && !p.ended && !p.closed; i++) {
        peer_write(&p, STR("a"));
        world_turn(w, 10);
    }
    assert_true(peer_has(&p, "HTTP/1.1 408 "));
    end(w, &p);
}

static void test_a_body_in_drops_is_cut_off(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = open_world(read_then_ok);
    w->options.body_idle_ms = 100; /* then the minimum rate */
    world_serve(w);
    peer_dial(&p, w);
    peer_write(&p, STR(POST("1000")));
    for (int i = 0; i < 100 && !p.ended && !p.closed; i++) {
        peer_write(&p, STR("a"));
        world_turn(w, 10);
    }
    assert_true(peer_has(&p, "HTTP/1.1 408 "));
    assert_int_equal(w->seen[0].body_err, ERR_SLOW_CLIENT);
    end(w, &p);
}

static void test_a_client_that_takes_nothing_is_cut_off(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = open_world(reply_pattern);
    w->options.write_idle_ms = 100;
    world_serve(w);
    peer_dial(&p, w);
    pattern_init(&pattern, w, 1 << 30, 65536);
    stream_pause(p.s);
    peer_write(&p, STR(GET));
    world_wait_done(w, 1);
    assert_int_equal(w->seen[0].why, ERR_CLOSED);
    assert_int_equal(pattern.cancels, 1);
    end(w, &p);
}

/* --- the server as a whole --- */

static bool is_drained(void *arg)
{
    return ((struct world *)arg)->drained;
}

static void on_drained(void *user)
{
    ((struct world *)user)->drained = true;
}

static void test_drain_closes_the_idle_and_waits_for_the_busy(void **state)
{
    (void)state;
    struct peer idle, busy;
    struct world *w = one_client(reply_ok, &idle);
    peer_write(&idle, STR(GET));
    peer_wait_text(&idle, "\r\n\r\nok");
    world_wait_done(w, 1);
    w->handle = never_reply;
    peer_dial(&busy, w);
    peer_write(&busy, STR(GET));
    world_wait_seen(w, 2);

    http_server_drain(w->server, on_drained);
    peer_wait_ended(&idle);
    world_turn(w, 20);
    assert_false(w->drained);
    reply_ok(&w->seen[1]);
    peer_wait_text(&busy, "connection: close\r\n\r\nok");
    peer_wait_ended(&busy);
    peer_close(&busy);
    world_wait(w, is_drained, w);
    assert_int_equal(http_server_connections(w->server), 0);
    peer_release(&idle);
    end(w, &busy);
}

static void test_drain_of_an_idle_server_is_over_at_once(void **state)
{
    (void)state;
    struct world *w = open_world(reply_ok);
    world_serve(w);
    http_server_drain(w->server, on_drained);
    assert_false(w->drained); /* not from inside the call */
    world_wait(w, is_drained, w);
    close_world(w);
}

static void test_free_ends_open_requests(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = one_client(never_reply, &p);
    peer_write(&p, STR(GET));
    world_wait_seen(w, 1);
    http_server_free(w->server);
    w->server = NULL;
    assert_int_equal(w->done_count, 1);
    assert_int_equal(w->seen[0].why, ERR_CLOSED);
    peer_wait_ended(&p);
    end(w, &p);
}

static void test_connections_beyond_the_limit_wait(void **state)
{
    (void)state;
    struct peer a, b, c;
    struct world *w = open_world(reply_ok);
    w->options.connections_max = 2;
    world_serve(w);
    peer_dial(&a, w);
    peer_dial(&b, w);
    peer_write(&a, STR(GET));
    peer_write(&b, STR(GET));
    world_wait_done(w, 2);
    peer_dial(&c, w); /* the kernel takes it */
    peer_write(&c, STR(GET));
    world_turn(w, 50);
    assert_int_equal(w->done_count, 2);
    peer_close(&a);
    world_wait_done(w, 3);
    peer_wait_text(&c, "\r\n\r\nok");
    peer_release(&a);
    peer_release(&b);
    end(w, &c);
}

static void test_peers_are_named(void **state)
{
    (void)state;
    struct peer p;
    struct world *w = one_client(never_reply, &p);
    peer_write(&p, STR(GET));
    world_wait_seen(w, 1);
    struct str peer = http_request_peer(w->seen[0].r);
    assert_true(str_starts(peer, STR("127.0.0.1:")));
    assert_int_equal(http_request_certificate(w->seen[0].r).len, 0);
    end(w, &p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_is_answered_in_one_form),
        cmocka_unit_test(test_keep_alive_is_quick),
        cmocka_unit_test(test_pipelined_requests_are_answered_in_order),
        cmocka_unit_test(test_single_bytes_make_the_same_requests),
        cmocka_unit_test(test_head_and_204_have_no_body),
        cmocka_unit_test(test_204_has_no_length),
        cmocka_unit_test(test_http_1_0_closes),
        cmocka_unit_test(test_100_continue_is_sent_when_the_body_is_wanted),
        cmocka_unit_test(test_100_continue_is_not_sent_with_a_refusal),
        cmocka_unit_test(test_a_body_over_the_limit_is_an_error),
        cmocka_unit_test(test_a_broken_body_is_an_error),
        cmocka_unit_test(
            test_a_refusal_keeps_the_connection_if_the_body_is_here),
        cmocka_unit_test(test_a_body_waits_until_it_is_read),
        cmocka_unit_test(test_a_big_body_arrives_whole),
        cmocka_unit_test(test_a_streamed_reply_is_chunked),
        cmocka_unit_test(test_a_streamed_reply_to_1_0_ends_with_the_connection),
        cmocka_unit_test(test_a_streamed_reply_to_head_drops_its_source),
        cmocka_unit_test(test_the_head_leaves_before_the_first_piece),
        cmocka_unit_test(test_a_source_that_fails_cuts_the_reply),
        cmocka_unit_test(test_a_slow_reader_slows_the_source),
        cmocka_unit_test(test_a_cut_reply_sends_no_further_byte),
        cmocka_unit_test(test_a_client_that_leaves_ends_its_request),
        cmocka_unit_test(test_a_late_reply_is_fine),
        cmocka_unit_test(test_refusals_are_json_and_close),
        cmocka_unit_test(test_too_long_heads_are_refused),
        cmocka_unit_test(test_a_field_that_cannot_be_sent_closes),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_a_slow_loris_is_cut_off),
        cmocka_unit_test(test_a_body_in_drops_is_cut_off),
        cmocka_unit_test(test_a_client_that_takes_nothing_is_cut_off),
        cmocka_unit_test(test_drain_closes_the_idle_and_waits_for_the_busy),
        cmocka_unit_test(test_drain_of_an_idle_server_is_over_at_once),
        cmocka_unit_test(test_free_ends_open_requests),
        cmocka_unit_test(test_connections_beyond_the_limit_wait),
        cmocka_unit_test(test_peers_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
