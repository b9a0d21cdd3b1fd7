/* Tests http/client over HTTP/1 against scripted destinations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "fixture.h"
#include "os/clock.h"

/* One call and what came of it. */
struct call {
    struct http_call *call;
    struct world *w;
    int heads, fails;
    int status;
    size_t fields;
    enum err why;
    bool sent;
    bool cancel_in_head, no_body;
    struct sink sink;
};

struct test {
    struct world w;
    struct upstream up;
    struct http_client *client;
    struct http_client_options options;
    struct http_origin origin;
    int64_t head_timeout_ms, body_idle_ms;
};

static struct test *open_test(void (*on_data)(struct peer *p))
{
    struct test *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    world_open(&t->w);
    upstream_open(&t->up, &t->w, on_data);
    t->options = (struct http_client_options){
        .connect_timeout_ms = 2000,
        .idle_timeout_ms = 5000,
        .pool_max = 8,
        .connections_max = 8,
    };
    t->origin = (struct http_origin){.host = STR("127.0.0.1"),
                                     .port = t->up.port,
                                     .allow_local = true};
    t->head_timeout_ms = t->body_idle_ms = 5000;
    return t;
}

static void start_client(struct test *t)
{
    assert_int_equal(http_client_new(t->w.l, NULL, &t->options, &t->client),
                     ERR_OK);
}

static void close_test(struct test *t)
{
    http_client_free(t->client);
    world_turn(&t->w, 10);
    upstream_close(&t->up);
    world_close(&t->w);
    free(t);
}

static void on_head(void *user, const struct http_response_head *head)
{
    struct call *c = user;
    c->heads++;
    c->status = head->status;
    c->fields = head->fields.count;
    if (c->cancel_in_head) {
        http_call_cancel(c->call);
        c->call = NULL;
    } else if (!c->no_body) {
        sink_start(&c->sink, http_call_body(c->call));
    }
}

static void on_failed(void *user, enum err why, bool sent)
{
    struct call *c = user;
    c->fails++;
    c->why = why;
    c->sent = sent;
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
        .head_timeout_ms = t->head_timeout_ms,
        .body_idle_ms = t->body_idle_ms,
    };
    memset(c, 0, sizeof(*c));
    c->w = &t->w;
    sink_init(&c->sink);
    assert_int_equal(http_client_send(t->client, &r, &events, c, &c->call),
                     ERR_OK);
    assert_int_equal(c->heads + c->fails, 0); /* never from inside */
}

static void call_now(struct test *t, struct call *c)
{
    call_with(t, c, "POST", STR("hello"));
}

static bool is_over(void *arg)
{
    const struct call *c = arg;
    return c->fails > 0 || c->sink.ended ||
           (c->heads > 0 && (c->no_body || c->cancel_in_head));
}

static bool has_head(void *arg)
{
    const struct call *c = arg;
    return c->heads > 0;
}

static bool has_piece(void *arg)
{
    const struct call *c = arg;
    return c->sink.got.len > 0;
}

static void finish(struct test *t, struct call *c)
{
    world_wait(&t->w, is_over, c);
    assert_int_equal(c->heads > 0 ? 0 : 1, c->fails);
    sink_release(&c->sink);
}

/* --- scripts --- */

/* Requests that have come in whole, with bodies of five bytes. */
static bool next_request(struct peer *p)
{
    if (peer_count(p, "\r\n\r\n") <= p->answered)
        return false;
    p->answered++;
    return true;
}

static void say_ok(struct peer *p)
{
    while (next_request(p))
        peer_write(p, STR("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
}

static const char *script; /* what answer_script() says */
static bool script_closes;

static void answer_script(struct peer *p)
{
    while (p->s != NULL && next_request(p)) {
        peer_write(p, str_from(script));
        if (script_closes)
            stream_finish(p->s);
    }
}

static void say_nothing(struct peer *p)
{
    (void)p;
}

/* Reset, so that what was written may be lost. */
static void reset(struct peer *p)
{
    if (next_request(p))
        stream_close(p->s);
}

/* --- tests --- */

static void test_a_call_is_written_in_one_form(void **state)
{
    (void)state;
    struct test *t = open_test(say_ok);
    struct call c;
    start_client(t);
    call_now(t, &c);
    world_wait(&t->w, is_over, &c);
    assert_int_equal(c.status, 200);
    assert_int_equal(c.sink.e, ERR_OK);
    assert_true(str_eq(buf_str(&c.sink.got), STR("ok")));
    char expected[256];
    (void)snprintf(expected, sizeof(expected),
                   "POST /v1/x?y=z HTTP/1.1\r\nhost: 127.0.0.1:%d\r\n"
                   "accept: */*\r\naccept-encoding: identity\r\n"
                   "content-length: 5\r\n\r\nhello",
                   t->up.port);
    assert_true(str_eq(buf_str(&t->up.peers[0].got), str_from(expected)));
    sink_release(&c.sink);
    close_test(t);
}

static void test_connections_are_kept_and_quick(void **state)
{
    (void)state;
    struct test *t = open_test(say_ok);
    int slow = 0; /* a busy machine has a few */
    start_client(t);
    for (int i = 0; i < 20; i++) {
        struct call c;
        int64_t before = clock_monotonic_ms();
        call_now(t, &c);
        finish(t, &c);
        slow += clock_monotonic_ms() - before >= 20;
    }
    assert_true(slow < 10);
    assert_int_equal(t->up.count, 1);
    close_test(t);
}

static void test_the_last_used_connection_is_taken_first(void **state)
{
    (void)state;
    struct test *t = open_test(say_ok);
    struct call a, b, c;
    start_client(t);
    call_now(t, &a);
    call_now(t, &b);
    finish(t, &a);
    finish(t, &b);
    assert_int_equal(t->up.count, 2);
    size_t before[2] = {t->up.peers[0].answered, t->up.peers[1].answered};
    for (int i = 0; i < 5; i++) {
        call_now(t, &c);
        finish(t, &c);
    }
    size_t more[2] = {t->up.peers[0].answered - before[0],
                      t->up.peers[1].answered - before[1]};
    assert_true((more[0] == 5 && more[1] == 0) ||
                (more[0] == 0 && more[1] == 5));
    assert_int_equal(t->up.count, 2);
    close_test(t);
}

static void test_partitions_share_nothing(void **state)
{
    (void)state;
    struct test *t = open_test(say_ok);
    struct call c;
    start_client(t);
    static const struct str partitions[] = {STR_INIT("acme"), STR_INIT("other"),
                                            STR_INIT("")};
    for (size_t i = 0; i < ARRAY_LEN(partitions); i++) {
        t->origin.partition = partitions[i];
        call_now(t, &c);
        finish(t, &c);
        assert_int_equal(t->up.count, i + 1);
    }
    close_test(t);
}

static void test_idle_connections_close(void **state)
{
    (void)state;
    struct test *t = open_test(say_ok);
    struct call c;
    t->options.idle_timeout_ms = 50;
    start_client(t);
    call_now(t, &c);
    finish(t, &c);
    peer_wait_ended(&t->up.peers[0]);
    call_now(t, &c);
    finish(t, &c);
    assert_int_equal(t->up.count, 2);
    close_test(t);
}

static void test_a_connection_that_the_peer_closed_is_not_used(void **state)
{
    (void)state;
    struct test *t = open_test(say_ok);
    struct call c;
    start_client(t);
    call_now(t, &c);
    finish(t, &c);
    stream_finish(t->up.peers[0].s);
    world_turn(&t->w, 20);
    call_now(t, &c);
    finish(t, &c);
    assert_int_equal(c.heads, 1);
    assert_int_equal(t->up.count, 2);
    close_test(t);
}

static void test_replies(void **state)
{
    (void)state;
    static const struct {
        const char *name, *method, *script;
        bool closes;
        int status; /* 0: no head, but `e` */
        const char *body;
        enum err e;
        bool reused;
    } rows[] = {
        {"a length", "POST", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
         false, 200, "ok", ERR_OK, true},
        {"chunks", "POST",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
         "1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
         false, 200, "ok", ERR_OK, true},
        {"until close", "POST", "HTTP/1.1 200 OK\r\n\r\nok", true, 200, "ok",
         ERR_OK, false},
        {"1.0", "POST", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false,
         200, "ok", ERR_OK, false},
        {"asked to close", "POST",
         "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
         false, 200, "ok", ERR_OK, false},
        {"no body", "POST", "HTTP/1.1 204 No Content\r\n\r\n", false, 204, "",
         ERR_OK, true},
        {"to HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
         false, 200, "", ERR_OK, true},
        {"1xx before", "POST",
         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nX: y\r\n\r\n"
         "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
         false, 200, "ok", ERR_OK, true},
        {"an error", "POST", "HTTP/1.1 429 Slow\r\nContent-Length: 2\r\n\r\nno",
         false, 429, "no", ERR_OK, true},
        {"a redirect, not followed", "POST",
         "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
         "Content-Length: 0\r\n\r\n",
         false, 302, "", ERR_OK, true},
        {"bytes after it", "POST",
         "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n",
         false, 200, "ok", ERR_OK, false},
        {"cut short", "POST", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok",
         true, 200, "ok", ERR_UPSTREAM, false},
        {"no last chunk", "POST",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
         true, 200, "ok", ERR_UPSTREAM, false},
        {"a bad chunk", "POST",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
         "2\r\nok\r\nzz\r\n",
         false, 200, "ok", ERR_UPSTREAM, false},
        {"both framings", "POST",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
         "Content-Length: 2\r\n\r\nok",
         false, 0, "", ERR_UPSTREAM, false},
        {"an unknown coding", "POST",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok", true, 0, "",
         ERR_UPSTREAM, false},
        {"switching protocols", "POST",
         "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
         false, 0, "", ERR_UPSTREAM, false},
        {"no HTTP", "POST", "SSH-2.0-OpenSSH_9\r\n", false, 0, "", ERR_UPSTREAM,
         false},
        {"nothing", "POST", "", true, 0, "", ERR_UPSTREAM, false},
        {"half a head", "POST", "HTTP/1.1 200 OK\r\nX: ", true, 0, "",
         ERR_UPSTREAM, false},
        {"100 and then nothing", "POST", "HTTP/1.1 100 Continue\r\n\r\n", true,
         0, "", ERR_UPSTREAM, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct test *t = open_test(answer_script);
        struct call c;
        script = rows[i].script;
        script_closes = rows[i].closes;
        start_client(t);
        bool head_only = strcmp(rows[i].method, "HEAD") == 0;
        call_with(t, &c, rows[i].method,
                  head_only ? (struct str){NULL, 0} : STR("hello"));
        world_wait(&t->w, is_over, &c);
        enum err e = c.heads > 0 ? c.sink.e : c.why;
        if (c.status != rows[i].status || e != rows[i].e ||
            !str_eq(buf_str(&c.sink.got), str_from(rows[i].body)))
            fail_msg("%s: %d %s \"%.*s\"", rows[i].name, c.status, err_name(e),
                     STR_FMT(buf_str(&c.sink.got)));
        if (c.fails > 0 && !c.sent)
            fail_msg("%s: it was sent", rows[i].name);
        sink_release(&c.sink);

        script = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        script_closes = false;
        world_turn(&t->w, 5);
        call_now(t, &c);
        finish(t, &c);
        if (t->up.count != (rows[i].reused ? 1U : 2U))
            fail_msg("%s: %zu connections", rows[i].name, t->up.count);
        close_test(t);
    }
}

static void test_a_reply_in_single_bytes_is_the_same(void **state)
{
    (void)state;
    const struct str raw =
        STR("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX: y\r\n"
            "Transfer-Encoding: chunked\r\n\r\n"
            "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n");
    struct test *t = open_test(say_nothing);
    struct call c;
    start_client(t);
    call_now(t, &c);
    while (t->up.count == 0 || !peer_has(&t->up.peers[0], "hello"))
        world_turn(&t->w, 1);
    for (size_t i = 0; i < raw.len; i++) {
        peer_write(&t->up.peers[0], str_first(str_skip(raw, i), 1));
        world_turn(&t->w, 0);
    }
    world_wait(&t->w, is_over, &c);
    assert_true(str_eq(buf_str(&c.sink.got), STR("abcde")));
    assert_int_equal(c.fields, 1);
    finish(t, &c);
    close_test(t);
}

static void test_a_reply_before_the_question_ends_is_the_last(void **state)
{
    (void)state;
    enum { N = 24 * 1024 * 1024 };
    struct test *t = open_test(say_ok);
    struct call c;
    char *big = calloc(1, N);
    assert_non_null(big);
    start_client(t);
    call_with(t, &c, "POST", (struct str){big, N});
    while (t->up.count == 0)
        world_turn(&t->w, 1);
    t->up.peers[0].forgets = false;
    peer_wait_text(&t->up.peers[0], "\r\n\r\n");
    if (t->up.peers[0].s != NULL)
        stream_pause(t->up.peers[0].s);
    finish(t, &c);
    assert_int_equal(c.status, 200);
    call_now(t, &c);
    finish(t, &c);
    assert_int_equal(t->up.count, 2);
    free(big);
    close_test(t);
}

static size_t body_got;

static void count_body(struct peer *p)
{
    if (p->got.len >= body_got)
        peer_write(p, STR("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
}

static void test_a_big_body_is_sent_whole(void **state)
{
    (void)state;
    enum { N = 3 * 1024 * 1024 };
    struct test *t = open_test(count_body);
    struct call c;
    char *big = malloc(N);
    assert_non_null(big);
    for (size_t i = 0; i < N; i++)
        big[i] = (char)('a' + i % 26);
    start_client(t);
    char head[128];
    int n = snprintf(head, sizeof(head),
                     "POST /v1/x?y=z HTTP/1.1\r\nhost: 127.0.0.1:%d\r\n"
                     "accept: */*\r\naccept-encoding: identity\r\n"
                     "content-length: %d\r\n\r\n",
                     t->up.port, N);
    body_got = (size_t)n + N;
    call_with(t, &c, "POST", (struct str){big, N});
    finish(t, &c);
    assert_int_equal(t->up.peers[0].got.len, body_got);
    assert_memory_equal(t->up.peers[0].got.ptr + n, big, N);
    free(big);
    close_test(t);
}

static void test_nobody_there(void **state)
{
    (void)state;
    struct test *t = open_test(say_ok);
    struct call a, b;
    start_client(t);
    t->origin.port = 1;
    call_now(t, &a);
    call_now(t, &b);
    finish(t, &a);
    finish(t, &b);
    assert_int_equal(a.why, ERR_CONNECT);
    assert_false(a.sent);
    assert_int_equal(b.why, ERR_CONNECT);
    close_test(t);
}

static void test_local_addresses_need_leave(void **state)
{
    (void)state;
    struct test *t = open_test(say_ok);
    static const struct http_call_events events = {on_head, on_failed};
    struct call c = {.w = &t->w};
    start_client(t);
    t->origin.allow_local = false;
    const struct http_call_request r = {.origin = &t->origin,
                                        .method = STR("GET"),
                                        .target = STR("/")};
    enum err e = http_client_send(t->client, &r, &events, &c, &c.call);
    if (e == ERR_OK) {
        world_wait(&t->w, is_over, &c);
        assert_false(c.sent);
        e = c.why;
    }
    assert_int_not_equal(e, ERR_OK);
    assert_int_equal(t->up.count, 0);
    close_test(t);
}

static void test_resets(void **state)
{
    (void)state;
    struct test *t = open_test(reset);
    struct call c;
    start_client(t);
    call_now(t, &c);
    finish(t, &c);
    assert_int_equal(c.why, ERR_UPSTREAM);
    assert_true(c.sent);

    t->up.on_data = answer_script;
    script = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nok";
    script_closes = false;
    call_now(t, &c);
    world_wait(&t->w, has_head, &c);
    stream_close(t->up.peers[1].s);
    finish(t, &c);
    assert_int_equal(c.sink.e, ERR_UPSTREAM);
    close_test(t);
}

static void test_deadlines(void **state)
{
    (void)state;
    struct test *t = open_test(say_nothing);
    struct call c;
    t->head_timeout_ms = t->body_idle_ms = 60;
    start_client(t);
    int64_t before = clock_monotonic_ms();
    call_now(t, &c);
    finish(t, &c);
    assert_int_equal(c.why, ERR_TIMEOUT);
    assert_true(c.sent);
    assert_true(clock_monotonic_ms() - before >= 50);
    peer_wait_ended(&t->up.peers[0]);

    t->up.on_data = answer_script;
    script = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nok";
    script_closes = false;
    call_now(t, &c);
    world_wait(&t->w, is_over, &c);
    assert_int_equal(c.heads, 1);
    assert_int_equal(c.sink.e, ERR_TIMEOUT);
    assert_true(str_eq(buf_str(&c.sink.got), STR("ok")));
    sink_release(&c.sink);
    peer_wait_ended(&t->up.peers[1]);
    close_test(t);
}

static void test_a_reader_that_waits_slows_the_destination(void **state)
{
    (void)state;
    enum { ALL = 64 * 1024 * 1024, BOUND = 16 * 1024 * 1024 };
    struct test *t = open_test(answer_script);
    struct call c;
    char *much = calloc(1, ALL);
    assert_non_null(much);
    script = "HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n";
    script_closes = false;
    t->options.idle_timeout_ms = 10000;
    start_client(t);
    call_now(t, &c);
    c.sink.stop_at = 1;
    world_wait(&t->w, has_head, &c);
    struct stream *s = t->up.peers[0].s;
    const struct str all = {much, ALL};
    assert_int_equal(stream_write(s, &all, 1), ERR_OK);
    world_wait(&t->w, has_piece, &c);
    size_t left = world_wait_still(&t->w, NULL, s);
    assert_true(left > ALL - BOUND); /* the sockets' own buffers */
    assert_in_range(c.sink.got.len, 1, BODY_PIECE_MAX);

    c.sink.stop_at = 0;
    sink_pull(&c.sink);
    world_wait(&t->w, is_over, &c);
    assert_int_equal(c.sink.got.len, ALL);
    finish(t, &c);
    free(much);
    close_test(t);
}

static void test_cancel_at_every_phase(void **state)
{
    (void)state;
    struct test *t = open_test(say_nothing);
    struct call c;
    start_client(t);
    /* Queued: nothing was dialled yet. */
    call_now(t, &c);
    http_call_cancel(c.call);
    world_turn(&t->w, 20);
    assert_int_equal(c.heads + c.fails, 0);

    /* Sent. */
    call_now(t, &c);
    world_turn(&t->w, 20);
    size_t count = t->up.count;
    assert_true(peer_has(&t->up.peers[count - 1], "hello"));
    http_call_cancel(c.call);
    peer_wait_ended(&t->up.peers[count - 1]);
    assert_int_equal(c.heads + c.fails, 0);

    /* In `head`. */
    t->up.on_data = answer_script;
    script = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nok";
    script_closes = false;
    call_now(t, &c);
    c.cancel_in_head = true;
    world_wait(&t->w, is_over, &c);

    /* Between two pieces, by the body's source. */
    call_now(t, &c);
    world_wait(&t->w, has_head, &c);
    world_turn(&t->w, 20);
    assert_true(str_eq(buf_str(&c.sink.got), STR("ok")));
    c.sink.src->cancel(c.sink.src);
    sink_release(&c.sink);

    /* After the end came, before it was read. */
    script = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    call_now(t, &c);
    c.no_body = true;
    world_wait(&t->w, is_over, &c);
    world_turn(&t->w, 20);
    http_call_cancel(c.call);
    close_test(t);
}

static void test_calls_beyond_the_limit_wait(void **state)
{
    (void)state;
    struct test *t = open_test(say_ok);
    struct call calls[10];
    t->options.connections_max = 2;
    start_client(t);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        call_now(t, &calls[i]);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        finish(t, &calls[i]);
        assert_int_equal(calls[i].status, 200);
    }
    assert_int_equal(t->up.count, 2);
    close_test(t);
}

static void test_calls_that_wait_too_long_fail(void **state)
{
    (void)state;
    struct test *t = open_test(say_nothing);
    struct call a, b;
    t->options.connections_max = 1;
    t->options.connect_timeout_ms = 50;
    start_client(t);
    call_now(t, &a);
    call_now(t, &b);
    finish(t, &b);
    assert_int_equal(b.why, ERR_TIMEOUT);
    assert_false(b.sent);
    assert_int_equal(a.heads + a.fails, 0);
    http_call_cancel(a.call);
    close_test(t);
}

static void test_a_request_that_cannot_be_sent_is_refused(void **state)
{
    (void)state;
    static const struct http_field bad[] = {
        {STR_INIT("x"), STR_INIT("a\r\nb: c")},
        {STR_INIT("host"), STR_INIT("evil")},
        {STR_INIT("transfer-encoding"), STR_INIT("chunked")},
    };
    static const struct http_call_events events = {on_head, on_failed};
    struct test *t = open_test(say_ok);
    struct call c;
    start_client(t);
    call_now(t, &c); /* so that a connection is there */
    finish(t, &c);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const struct http_call_request r = {.origin = &t->origin,
                                            .method = STR("GET"),
                                            .target = STR("/"),
                                            .fields = {&bad[i], 1}};
        assert_int_equal(http_client_send(t->client, &r, &events, &c, &c.call),
                         ERR_MALFORMED);
    }
    call_now(t, &c); /* which is still good */
    finish(t, &c);
    assert_int_equal(t->up.count, 1);
    close_test(t);
}

static void test_free_with_calls_open(void **state)
{
    (void)state;
    struct test *t = open_test(answer_script);
    struct call sent, queued, read;
    t->options.connections_max = 2;
    script = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nok";
    script_closes = false;
    start_client(t);
    call_now(t, &read);
    world_wait(&t->w, has_head, &read);
    t->up.on_data = say_nothing;
    call_now(t, &sent);
    world_turn(&t->w, 20);
    call_now(t, &queued);
    http_client_free(t->client);
    t->client = NULL;
    world_turn(&t->w, 20);
    assert_int_equal(sent.heads + sent.fails, 0);
    assert_int_equal(queued.heads + queued.fails, 0);
    assert_false(read.sink.ended);
    sink_release(&read.sink);
    close_test(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_is_written_in_one_form),
        cmocka_unit_test(test_connections_are_kept_and_quick),
        cmocka_unit_test(test_the_last_used_connection_is_taken_first),
        cmocka_unit_test(test_partitions_share_nothing),
        cmocka_unit_test(test_idle_connections_close),
        cmocka_unit_test(test_a_connection_that_the_peer_closed_is_not_used),
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_a_reply_in_single_bytes_is_the_same),
        cmocka_unit_test(test_a_reply_before_the_question_ends_is_the_last),
        cmocka_unit_test(test_a_big_body_is_sent_whole),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_local_addresses_need_leave),
        cmocka_unit_test(test_resets),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_a_reader_that_waits_slows_the_destination),
        cmocka_unit_test(test_cancel_at_every_phase),
        cmocka_unit_test(test_calls_beyond_the_limit_wait),
        cmocka_unit_test(test_calls_that_wait_too_long_fail),
        cmocka_unit_test(test_a_request_that_cannot_be_sent_is_refused),
        cmocka_unit_test(test_free_with_calls_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
