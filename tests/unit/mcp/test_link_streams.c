/* Tests mcp/link over HTTP where streams break, and servers misbehave. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/limits.h"
#include "link_fixture.h"

#define RESULT_OF_1 "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":1}}"

static void stream_calls(struct question *q)
{
    if (question_has(q, "tools/call"))
        answer_stream(q);
    else
        answer_usual(q);
}

/* A call whose stream the test holds. */
static struct question *begin(struct desk *d, struct caller *c)
{
    desk_open(d);
    desk_serve(d);
    d->handle = stream_calls;
    desk_link(d, true);
    (void)desk_question(d, "GET", "", 1); /* the listener's, refused */
    desk_send(d, c, "");
    return desk_question(d, "POST", "tools/call", 1);
}

static void stream_gets(struct question *q)
{
    if (q->method[0] == 'G')
        answer_stream(q);
    else
        stream_calls(q);
}

static void test_a_stream_with_ids_is_taken_up_again(void **state)
{
    struct desk d;
    struct caller c = {.answers = 0};
    (void)state;
    struct question *q = begin(&d, &c);
    d.handle = stream_gets;
    /* An id alone, as servers begin with that close early. */
    feed_say(&q->feed, "retry: 20\nid: e-1\ndata:\n\n");
    feed_end(&q->feed);
    struct question *g = desk_question(&d, "GET", "", 2);
    assert_string_equal(g->last_id, "e-1");
    assert_string_equal(g->session, "s-1");
    feed_event(&g->feed, "e-2",
               "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\","
               "\"params\":{\"progressToken\":1,\"progress\":1}}");
    desk_wait_int(&d, &c.notices, 1);
    /* Cut in the middle of an event, which has to come again. */
    feed_say(&g->feed, "id: e-3\ndata: {\"jsonrpc\"");
    desk_turn(&d, 20);
    feed_cut(&g->feed);
    g = desk_question(&d, "GET", "", 3);
    assert_string_equal(g->last_id, "e-2");
    feed_event(&g->feed, "e-3", RESULT_OF_1);
    desk_wait_int(&d, &c.answers, 1);
    assert_string_equal(c.text, "{\"a\":1}");
    assert_int_equal(desk_count(&d, "POST", "tools/call"), 1);
    desk_close(&d);
}

static void end_gets(struct question *q)
{
    if (q->method[0] == 'G')
        answer_status(q, 503);
    else
        stream_calls(q);
}

static void test_a_stream_is_taken_up_so_often_and_no_more(void **state)
{
    struct desk d;
    struct caller c = {.answers = 0};
    (void)state;
    struct question *q = begin(&d, &c);
    d.handle = end_gets;
    feed_say(&q->feed, "retry: 1\nid: e-1\ndata:\n\n");
    feed_end(&q->feed);
    desk_wait_int(&d, &c.failures, 1);
    assert_int_equal(c.why, ERR_UPSTREAM);
    assert_true(c.sent);
    assert_int_equal(desk_count(&d, "GET", ""), 1 + 3);
    assert_true(link_is_open(d.link));
    desk_close(&d);
}

static void test_a_stream_without_ids_that_ends_fails_the_call(void **state)
{
    (void)state;
    for (int cut = 0; cut < 2; cut++) {
        struct desk d;
        struct caller c = {.answers = 0};
        struct question *q = begin(&d, &c);
        feed_say(&q->feed, ": keep-alive\n\n");
        if (cut == 0)
            feed_end(&q->feed);
        else
            feed_cut(&q->feed);
        desk_wait_int(&d, &c.failures, 1);
        assert_int_equal(c.why, ERR_UPSTREAM);
        assert_true(c.sent);
        assert_true(link_is_open(d.link));
        desk_close(&d);
    }
}

static void test_what_is_no_answer_fails_its_call_alone(void **state)
{
    static const char *const events[] = {
        "{",
        "[]",
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":{}}",
        ("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":1,"
         "\"message\":\"x\"}}"),
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"extra\":1}",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(events); i++) {
        struct desk d;
        struct caller c = {.answers = 0};
        struct question *q = begin(&d, &c);
        feed_event(&q->feed, "e-1", events[i]);
        desk_wait_int(&d, &c.failures, 1);
        assert_int_equal(c.why, ERR_UPSTREAM);
        desk_wait_true(&d, &q->gone);
        assert_true(link_is_open(d.link));
        desk_close(&d);
    }
}

static void odd_answers(struct question *q)
{
    static const struct http_field types[] = {
        {STR_INIT("content-type"), STR_INIT("text/html")},
        {STR_INIT("content-type"), STR_INIT("application/json")},
        {STR_INIT("content-encoding"), STR_INIT("gzip")},
    };
    struct http_response_head head = {.status = 200};
    if (!question_has(q, "tools/call")) {
        answer_usual(q);
        return;
    }
    if (question_has(q, "\"odd\":1"))
        head.fields = (struct http_fields){types, 1};
    else if (question_has(q, "\"odd\":2"))
        head.fields = (struct http_fields){types + 1, 2};
    else if (question_has(q, "\"odd\":3"))
        head.status = 307;
    else if (question_has(q, "\"odd\":4"))
        head.status = 202;
    else if (question_has(q, "\"odd\":5"))
        head.status = 401;
    else
        head.status = 500;
    http_request_reply(q->r, &head,
                       STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"));
}

static void test_replies_that_are_none_fail_their_calls(void **state)
{
    struct desk d;
    (void)state;
    desk_open(&d);
    desk_serve(&d);
    d.handle = odd_answers;
    desk_link(&d, true);
    for (int i = 1; i <= 6; i++) {
        struct caller c = {.answers = 0};
        char params[32];
        (void)snprintf(params, sizeof(params), "{\"odd\":%d}", i);
        desk_send(&d, &c, params);
        desk_wait_int(&d, &c.failures, 1);
        assert_int_equal(c.why, ERR_UPSTREAM);
        assert_true(c.sent);
    }
    assert_true(link_is_open(d.link));
    desk_close(&d);
}

static void forget(struct question *q)
{
    if (question_has(q, "{\"first\":1}"))
        return; /* no answer to that one */
    answer_status(q, 404);
}

static void test_a_forgotten_session_ends_the_link(void **state)
{
    struct desk d;
    struct caller a = {.answers = 0}, b = {.answers = 0};
    struct link_call_events none = {NULL, NULL, NULL, NULL};
    struct link_call late;
    (void)state;
    desk_open(&d);
    desk_serve(&d);
    desk_link(&d, true);
    (void)desk_question(&d, "GET", "", 1);
    d.handle = forget;
    desk_send(&d, &a, "{\"first\":1}");
    (void)desk_question(&d, "POST", "first", 1);
    desk_send(&d, &b, "");
    desk_wait_true(&d, &d.closed);
    assert_int_equal(d.why, ERR_NOT_FOUND);
    assert_int_equal(a.why, ERR_NOT_FOUND);
    assert_true(a.sent);
    assert_int_equal(b.why, ERR_NOT_FOUND);
    assert_false(b.sent); /* that one was refused */
    assert_int_equal(link_send(d.link, &late, 9, METHOD_TOOLS_CALL, STR(""),
                               &none),
                     ERR_CONNECT);
    link_close(d.link);
    d.link = NULL;
    desk_turn(&d, 30);
    assert_int_equal(desk_count(&d, "DELETE", ""), 0);
    desk_close(&d);
}

static void refuse_all(struct question *q)
{
    answer_status(q, 400);
}

static void refuse_calls(struct question *q)
{
    if (question_has(q, "\"ping\""))
        answer_result(q, "{}");
    else
        answer_status(q, 400);
}

static void test_a_session_that_400_ends_is_found_out(void **state)
{
    struct desk d;
    struct caller a = {.answers = 0}, b = {.answers = 0};
    (void)state;
    desk_open(&d);
    desk_serve(&d);
    desk_link(&d, true);
    d.handle = refuse_calls;
    desk_send(&d, &a, "");
    desk_wait_int(&d, &a.failures, 1);
    assert_int_equal(a.why, ERR_UPSTREAM);
    struct question *q = desk_question(&d, "POST", "\"ping\"", 1);
    assert_string_equal(q->session, "s-1");
    desk_turn(&d, 20);
    assert_true(link_is_open(d.link)); /* it knows us still */
    d.handle = refuse_all;
    desk_send(&d, &b, "");
    desk_wait_true(&d, &d.closed);
    assert_int_equal(d.why, ERR_NOT_FOUND);
    assert_int_equal(b.why, ERR_UPSTREAM);
    assert_int_equal(desk_count(&d, "POST", "\"ping\""), 2);
    desk_close(&d);
}

static void huge(struct question *q)
{
    enum { LEN = 300000 };
    if (!question_has(q, "tools/call")) {
        answer_usual(q);
        return;
    }
    struct buf text;
    buf_init(&text, MIB);
    bool stream = question_has(q, "stream");
    (void)buf_add(&text, str_from(stream ? "data: " : ""));
    (void)buf_add(&text, STR("{\"jsonrpc\":\"2.0\",\"id\":"));
    (void)buf_add_u64(&text, q->desk->next);
    (void)buf_add(&text, STR(",\"result\":{\"x\":\""));
    memset(buf_space(&text, LEN), 'x', LEN);
    buf_added(&text, LEN);
    (void)buf_add(&text, STR("\"}}"));
    (void)buf_add(&text, str_from(stream ? "\n\n" : ""));
    (void)buf_add(&text, (struct str){"", 1});
    if (stream) {
        answer_stream(q);
        feed_say(&q->feed, text.ptr);
    } else {
        answer_json(q, text.ptr);
    }
    buf_release(&text);
}

static void test_an_answer_has_a_limit(void **state)
{
    static const char *const params[] = {"{\"form\":\"json\"}",
                                         "{\"form\":\"stream\"}"};
    struct desk d;
    (void)state;
    desk_open(&d);
    desk_serve(&d);
    desk_link(&d, true);
    d.handle = huge;
    for (size_t i = 0; i < ARRAY_LEN(params); i++) {
        struct caller small = {.answers = 0}, large = {.answers = 0};
        d.server.result_max = MIB;
        desk_send(&d, &small, params[i]);
        desk_wait_int(&d, &small.answers, 1);
        assert_int_equal(small.text_len, 300000 + 8);
        d.server.result_max = 290000;
        desk_send(&d, &large, params[i]);
        desk_wait_int(&d, &large.failures, 1);
        assert_int_equal(large.why, ERR_LIMIT);
        assert_true(large.sent);
        assert_true(link_is_open(d.link));
    }
    desk_close(&d);
}

static void hear_no_answers(struct question *q)
{
    if (!question_has(q, "\"result\":{}"))
        stream_calls(q);
}

static void test_a_server_that_takes_no_answers_loses_its_link(void **state)
{
    struct desk d;
    struct caller c = {.answers = 0};
    (void)state;
    struct question *q = begin(&d, &c);
    d.handle = hear_no_answers;
    for (int i = 0; i < 300; i++)
        feed_event(&q->feed, NULL,
                   "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}");
    desk_wait_true(&d, &d.closed);
    assert_int_equal(d.why, ERR_UPSTREAM);
    assert_non_null(strstr(d.why_text, "does not take what it is told"));
    assert_int_equal(c.failures, 1);
    desk_close(&d);
}

static void test_the_listener_hears_what_belongs_to_no_call(void **state)
{
    struct desk d;
    struct caller c = {.answers = 0};
    (void)state;
    desk_open(&d);
    desk_serve(&d);
    d.options.offers = METHOD_HAS_SAMPLING;
    d.handle = stream_gets;
    desk_link(&d, true);
    struct question *g = desk_question(&d, "GET", "", 1);
    feed_say(&g->feed, "retry: 10\n\n");
    feed_event(&g->feed, "g-1",
               "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\","
               "\"params\":{\"level\":\"info\",\"data\":1}}");
    desk_wait_int(&d, &d.notices, 1);
    assert_int_equal(d.notice_method, METHOD_LOG);
    feed_event(&g->feed, NULL, /* of a capability that nobody has */
               "{\"jsonrpc\":\"2.0\",\"method\":"
               "\"notifications/resources/updated\",\"params\":{}}");
    feed_event(&g->feed, NULL, RESULT_OF_1); /* nobody asked */
    feed_event(&g->feed, NULL,
               "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":"
               "\"sampling/createMessage\"}");
    struct question *q = desk_question(&d, "POST", "\"id\":5", 1);
    assert_true(question_has(q, "no request of yours is under way that this "
                                "could belong to"));
    desk_send(&d, &c, "");
    (void)desk_question(&d, "POST", "tools/call", 1);
    feed_event(&g->feed, NULL,
               "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":"
               "\"sampling/createMessage\"}");
    desk_wait_int(&d, &c.asks, 1);
    assert_int_equal(d.notices, 1);

    feed_cut(&g->feed); /* and it comes back */
    g = desk_question(&d, "GET", "", 2);
    assert_string_equal(g->last_id, "g-1");
    desk_wait_true(&d, &g->feed.in_use);
    feed_event(&g->feed, NULL,
               "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/"
               "list_changed\"}");
    desk_wait_int(&d, &d.notices, 2);

    feed_say(&g->feed, "data: nonsense\n\n");
    desk_wait_true(&d, &d.closed);
    assert_int_equal(d.why, ERR_UPSTREAM);
    assert_int_equal(c.failures, 1);
    desk_close(&d);
}

static void fail_gets(struct question *q)
{
    if (q->method[0] == 'G')
        answer_status(q, q->desk->question_count < 4 ? 500 : 404);
    else
        answer_usual(q);
}

static void test_a_listener_that_nobody_serves_is_given_up(void **state)
{
    struct desk d;
    (void)state;
    desk_open(&d);
    desk_serve(&d);
    d.handle = fail_gets;
    desk_link(&d, true);
    (void)desk_question(&d, "GET", "", 2); /* once more after a 500 */
    desk_turn(&d, 50);
    assert_int_equal(desk_count(&d, "GET", ""), 2);
    assert_true(link_is_open(d.link));
    desk_close(&d);
}

static void test_a_server_that_cannot_be_reached_closes_the_link(void **state)
{
    struct desk d;
    struct caller c = {.answers = 0};
    (void)state;
    desk_open(&d);
    desk_serve(&d);
    http_server_free(d.http);
    d.http = NULL;
    desk_link(&d, false);
    desk_send(&d, &c, "");
    desk_wait_true(&d, &d.closed);
    assert_int_equal(d.why, ERR_CONNECT);
    assert_int_equal(c.why, ERR_CONNECT);
    assert_false(c.sent);
    desk_close(&d);
}

static void test_a_request_that_cannot_be_sent_is_told_later(void **state)
{
    static char partition[8192];
    (void)state;
    memset(partition, 'x', sizeof(partition) - 1);
    for (int at_once = 0; at_once < 2; at_once++) {
        struct desk d;
        struct link_call c;
        static const struct link_call_events none = {NULL, NULL, NULL, NULL};
        desk_open(&d);
        desk_serve(&d);
        if (at_once == 1)
            d.options.partition = str_from(partition);
        else
            d.options.authorization = STR("two\r\nlines");
        desk_link(&d, false);
        assert_false(d.closed);
        if (at_once == 1)
            assert_int_equal(link_send(d.link, &c, 1, METHOD_PING, STR(""),
                                       &none),
                             ERR_CONNECT);
        desk_wait_true(&d, &d.closed);
        assert_int_equal(d.question_count, 0);
        desk_close(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stream_with_ids_is_taken_up_again),
        cmocka_unit_test(test_a_stream_is_taken_up_so_often_and_no_more),
        cmocka_unit_test(test_a_stream_without_ids_that_ends_fails_the_call),
        cmocka_unit_test(test_what_is_no_answer_fails_its_call_alone),
        cmocka_unit_test(test_replies_that_are_none_fail_their_calls),
        cmocka_unit_test(test_a_forgotten_session_ends_the_link),
        cmocka_unit_test(test_a_session_that_400_ends_is_found_out),
        cmocka_unit_test(test_an_answer_has_a_limit),
        cmocka_unit_test(test_a_server_that_takes_no_answers_loses_its_link),
        cmocka_unit_test(test_the_listener_hears_what_belongs_to_no_call),
        cmocka_unit_test(test_a_listener_that_nobody_serves_is_given_up),
        cmocka_unit_test(test_a_server_that_cannot_be_reached_closes_the_link),
        cmocka_unit_test(test_a_request_that_cannot_be_sent_is_told_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
