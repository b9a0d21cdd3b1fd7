/* Tests http/server and http/client as a pair: what came is passed on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/limits.h"
#include "fixture.h"

struct relay {
    struct world w;
    struct upstream up;
    struct http_client *client;
    struct http_call *call; /* the last one, until its head came */
    int failed;
};

static struct relay *relay;

static void on_head(void *user, const struct http_response_head *head)
{
    struct seen *s = user;
    struct http_call *call = relay->call;
    relay->call = NULL;
    http_request_reply_stream(s->r, head, http_call_body(call));
}

static void on_failed(void *user, enum err why, bool sent)
{
    (void)sent;
    relay->failed++;
    relay->call = NULL;
    reply_text(user, err_http_status(why), str_from(err_code(why)));
}

static void on_body(void *user, struct str body, enum err e)
{
    static const struct http_call_events events = {on_head, on_failed};
    struct seen *s = user;
    assert_int_equal(e, ERR_OK);
    const struct http_origin origin = {.host = STR("127.0.0.1"),
                                       .port = relay->up.port,
                                       .allow_local = true};
    const struct http_request_head *head = http_request_head(s->r);
    const struct http_call_request r = {
        .origin = &origin,
        .method = head->method,
        .target = head->path,
        .fields = head->fields,
        .body = body,
        .head_timeout_ms = 5000,
        .body_idle_ms = 5000,
    };
    assert_int_equal(http_client_send(relay->client, &r, &events, s,
                                      &relay->call),
                     ERR_OK);
}

static void forward(struct seen *s)
{
    http_request_read(s->r, MIB, on_body, s);
}

static void open_relay(void (*on_data)(struct peer *p))
{
    static const struct http_client_options options = {
        .connect_timeout_ms = 2000,
        .idle_timeout_ms = 5000,
        .pool_max = 8,
        .connections_max = 8,
    };
    relay = calloc(1, sizeof(*relay));
    assert_non_null(relay);
    world_open(&relay->w);
    relay->w.handle = forward;
    world_serve(&relay->w);
    upstream_open(&relay->up, &relay->w, on_data);
    assert_int_equal(http_client_new(relay->w.l, NULL, &options,
                                     &relay->client),
                     ERR_OK);
}

static void close_relay(void)
{
    http_client_free(relay->client);
    world_turn(&relay->w, 10);
    upstream_close(&relay->up);
    world_close(&relay->w);
    free(relay);
}

#define POST                                                                   \
    "POST /x HTTP/1.1\r\nHost: a.test\r\nX-Question: 1\r\n"                    \
    "Content-Length: 5\r\n\r\nhello"

static bool next_request(struct peer *p)
{
    if (peer_count(p, "\r\n\r\nhello") <= p->answered)
        return false;
    p->answered++;
    return true;
}

static void say_ok(struct peer *p)
{
    while (next_request(p))
        peer_write(p, STR("HTTP/1.1 200 OK\r\nX-Answer: 2\r\n"
                          "Content-Length: 2\r\n\r\nok"));
}

static size_t reads;

static void count_reads(struct peer *p)
{
    (void)p;
    reads++;
}

static void test_head_and_body_pass_in_one_write(void **state)
{
    (void)state;
    struct peer p;
    open_relay(say_ok);
    peer_dial(&p, &relay->w);
    p.on_data = count_reads;
    for (size_t i = 1; i <= 10; i++) {
        reads = 0;
        peer_write(&p, STR(POST));
        world_wait_done(&relay->w, i);
        world_turn(&relay->w, 2);
        assert_int_equal(peer_count(&p, "x-answer: 2\r\n"), i);
        assert_int_equal(peer_count(&p, "2\r\nok\r\n0\r\n\r\n"), i);
        assert_int_equal(reads, 1);
    }
    assert_true(peer_has(&relay->up.peers[0], "x-question: 1\r\n"));
    assert_int_equal(relay->up.count, 1);
    peer_release(&p);
    close_relay();
}

static void say_events(struct peer *p)
{
    if (next_request(p))
        peer_write(p, STR("HTTP/1.1 200 OK\r\nX-Answer: 2\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n"));
}

static void test_events_pass_one_by_one(void **state)
{
    (void)state;
    struct peer p;
    open_relay(say_events);
    peer_dial(&p, &relay->w);
    peer_write(&p, STR(POST));
    peer_wait_text(&p, "x-answer: 2\r\n");
    struct peer *up = &relay->up.peers[0];
    for (int i = 0; i < 5; i++) {
        char event[32], text[32];
        (void)snprintf(event, sizeof(event), "6\r\nevent%d\r\n", i);
        (void)snprintf(text, sizeof(text), "event%d\r\n", i);
        peer_write(up, str_from(event));
        peer_wait_text(&p, text);
    }
    peer_write(up, STR("0\r\n\r\n"));
    peer_wait_text(&p, "0\r\n\r\n");
    world_wait_done(&relay->w, 1);
    assert_int_equal(relay->w.seen[0].why, ERR_OK);
    peer_release(&p);
    close_relay();
}

static void test_a_client_that_leaves_ends_the_call(void **state)
{
    (void)state;
    struct peer p;
    open_relay(say_events);
    peer_dial(&p, &relay->w);
    peer_write(&p, STR(POST));
    peer_wait_text(&p, "x-answer: 2\r\n");
    peer_close(&p);
    peer_wait_ended(&relay->up.peers[0]);
    world_wait_done(&relay->w, 1);
    assert_int_equal(relay->w.seen[0].why, ERR_CLOSED);
    peer_release(&p);
    close_relay();
}

static void cut_short(struct peer *p)
{
    if (!next_request(p))
        return;
    peer_write(p, STR("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nok"));
    stream_finish(p->s);
}

static void test_a_reply_that_is_cut_short_is_passed_on_cut_short(void **state)
{
    (void)state;
    struct peer p;
    open_relay(cut_short);
    peer_dial(&p, &relay->w);
    peer_write(&p, STR(POST));
    peer_wait_ended(&p);
    assert_true(peer_has(&p, "2\r\nok\r\n"));
    assert_false(peer_has(&p, "0\r\n\r\n"));
    peer_release(&p);
    close_relay();
}

static void test_a_slow_client_slows_the_destination(void **state)
{
    (void)state;
    enum { ALL = 128 * 1024 * 1024, BOUND = 48 * 1024 * 1024 };
    struct peer p;
    char *much = calloc(1, ALL);
    assert_non_null(much);
    open_relay(say_events);
    peer_dial(&p, &relay->w);
    p.forgets = true;
    peer_write(&p, STR(POST));
    while (relay->up.count == 0 || relay->up.peers[0].answered == 0)
        world_turn(&relay->w, 1);
    stream_pause(p.s);
    struct stream *up = relay->up.peers[0].s;
    const struct str pieces[] = {STR("8000000\r\n"), {much, ALL}};
    assert_int_equal(stream_write(up, pieces, 2), ERR_OK);
    size_t left = world_wait_still(&relay->w, NULL, up);
    assert_true(left > ALL - BOUND); /* four sockets' buffers */
    stream_resume(p.s);
    while (stream_queued(up) > 0)
        world_turn(&relay->w, 5);
    free(much);
    peer_release(&p);
    close_relay();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head_and_body_pass_in_one_write),
        cmocka_unit_test(test_events_pass_one_by_one),
        cmocka_unit_test(test_a_client_that_leaves_ends_the_call),
        cmocka_unit_test(test_a_reply_that_is_cut_short_is_passed_on_cut_short),
        cmocka_unit_test(test_a_slow_client_slows_the_destination),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
