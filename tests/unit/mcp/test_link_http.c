/* Tests mcp/link over Streamable HTTP: the server is a script. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/limits.h"
#include "link_fixture.h"

static void open_desk(struct desk *d)
{
    desk_open(d);
    desk_serve(d);
}

static void test_a_handshake_opens_the_link(void **state)
{
    struct desk d;
    (void)state;
    open_desk(&d);
    d.options.authorization = STR("Bearer k");
    d.options.offers = METHOD_HAS_SAMPLING;
    desk_link(&d, false);
    assert_false(link_is_open(d.link));
    desk_wait_true(&d, &d.opened);
    assert_true(link_is_open(d.link));
    assert_int_equal(d.revision, REVISION_2025_11_25);
    assert_int_equal(d.has, METHOD_HAS_TOOLS | METHOD_HAS_CHANGES |
                                METHOD_HAS_LOGGING);
    assert_string_equal(d.name, "fake");

    struct question *q = desk_question(&d, "POST", "\"initialize\"", 1);
    assert_true(question_has(q, "\"protocolVersion\":\"2025-11-25\""));
    assert_true(question_has(q, "\"sampling\":{}"));
    assert_true(question_has(q, "\"name\":\"writ\",\"version\":\"0.1\""));
    assert_string_equal(q->accept, "application/json, text/event-stream");
    assert_string_equal(q->authorization, "Bearer k");
    assert_string_equal(q->session, "");
    assert_string_equal(q->revision, "");
    q = desk_question(&d, "POST", "notifications/initialized", 1);
    assert_string_equal(q->session, "s-1");
    assert_string_equal(q->revision, "2025-11-25");
    q = desk_question(&d, "GET", "", 1);
    assert_string_equal(q->session, "s-1");
    assert_string_equal(q->accept, "text/event-stream");

    link_close(d.link);
    d.link = NULL;
    q = desk_question(&d, "DELETE", "", 1);
    assert_string_equal(q->session, "s-1");
    assert_string_equal(q->authorization, "Bearer k");
    desk_close(&d);
}

static void refuse_hello(struct question *q)
{
    static const char *const answers[] = {
        "not JSON",
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"error\":{\"code\":-32602,"
        "\"message\":\"no\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{\"protocolVersion\":"
        "\"2031-01-01\",\"capabilities\":{},\"serverInfo\":{\"name\":\"a\","
        "\"version\":\"1\"}}}",
    };
    int status = (int)strtol(q->desk->session, NULL, 10);
    if (status >= 100)
        answer_status(q, status);
    else
        answer_json(q, answers[status]);
}

static void test_a_handshake_that_fails_closes_the_link(void **state)
{
    static const struct {
        const char *how, *why;
    } cases[] = {
        {"401", "HTTP status 401"}, {"404", "HTTP status 404"},
        {"302", "HTTP status 302"}, {"202", "HTTP status 202"},
        {"500", "HTTP status 500"}, {"0", "no usable answer"},
        {"1", "is not valid"},      {"2", "refuses `initialize`: no"},
        {"3", "no usable answer"},  {"4", "does not speak this revision"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct desk d;
        struct caller c = {.answers = 0};
        open_desk(&d);
        d.session = cases[i].how;
        d.handle = refuse_hello;
        desk_link(&d, false);
        desk_send(&d, &c, "");
        desk_wait_true(&d, &d.closed);
        assert_false(d.opened);
        assert_int_equal(d.why, ERR_UPSTREAM);
        assert_non_null(strstr(d.why_text, cases[i].why));
        assert_int_equal(c.failures, 1);
        assert_false(c.sent);
        assert_int_equal(d.question_count, 1); /* nothing was followed */
        desk_close(&d);
    }
}

static void test_a_session_id_must_be_visible_ascii(void **state)
{
    char long_id[300];
    const char *const bad[] = {"a b", long_id};
    (void)state;
    memset(long_id, 'x', sizeof(long_id));
    long_id[257] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct desk d;
        open_desk(&d);
        d.session = bad[i];
        desk_link(&d, false);
        desk_wait_true(&d, &d.closed);
        assert_int_equal(d.why, ERR_UPSTREAM);
        desk_close(&d);
    }
}

static void test_a_server_without_sessions_is_served(void **state)
{
    struct desk d;
    struct caller c = {.answers = 0};
    (void)state;
    open_desk(&d);
    d.session = NULL;
    desk_link(&d, true);
    desk_send(&d, &c, "{\"name\":\"t\"}");
    desk_wait_int(&d, &c.answers, 1);
    assert_string_equal(c.text, "{\"content\":[]}");
    struct question *q = desk_question(&d, "POST", "tools/call", 1);
    assert_string_equal(q->session, "");
    assert_string_equal(q->body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
                                 "\"tools/call\",\"params\":{\"name\":\"t\"}}");
    link_close(d.link);
    d.link = NULL;
    desk_turn(&d, 30);
    assert_int_equal(desk_count(&d, "DELETE", ""), 0);
    desk_close(&d);
}

static void test_calls_before_the_handshake_wait_for_it(void **state)
{
    struct desk d;
    struct caller c[3] = {{.answers = 0}};
    (void)state;
    open_desk(&d);
    desk_link(&d, false);
    for (int i = 0; i < 3; i++)
        desk_send(&d, &c[i], "");
    link_cancel(&c[1].call, STR("changed my mind"));
    desk_wait_int(&d, &c[0].answers, 1);
    desk_wait_int(&d, &c[2].answers, 1);
    assert_int_equal(desk_count(&d, "POST", "tools/call"), 2);
    assert_int_equal(desk_count(&d, "POST", "cancelled"), 0);
    assert_true(question_has(&d.questions[0], "initialize"));
    assert_true(question_has(&d.questions[1], "initialized"));
    desk_close(&d);
}

static void stream_calls(struct question *q)
{
    if (question_has(q, "tools/call"))
        answer_stream(q);
    else
        answer_usual(q);
}

static void test_several_calls_have_streams_of_their_own(void **state)
{
    struct desk d;
    struct caller a = {.answers = 0}, b = {.answers = 0};
    (void)state;
    open_desk(&d);
    d.handle = stream_calls;
    desk_link(&d, true);
    desk_send(&d, &a, "");
    desk_send(&d, &b, "");
    struct question *qa = desk_question(&d, "POST", "\"id\":1,", 1);
    struct question *qb = desk_question(&d, "POST", "\"id\":2,", 1);
    feed_event(&qa->feed, NULL,
               "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\","
               "\"params\":{\"progressToken\":1,\"progress\":1}}");
    feed_event(&qa->feed, NULL,
               "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\","
               "\"params\":{\"level\":\"info\",\"data\":\"x\"}}");
    desk_wait_int(&d, &a.notices, 2);
    assert_int_equal(a.notice_method, METHOD_LOG);
    assert_int_equal(b.notices, 0);
    /* A change concerns the link, wherever it came. */
    feed_event(&qa->feed, NULL,
               "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/"
               "list_changed\"}");
    desk_wait_int(&d, &d.notices, 1);
    assert_int_equal(d.notice_method, METHOD_TOOLS_CHANGED);
    feed_event(&qb->feed, NULL,
               "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"n\":2}}");
    desk_wait_int(&d, &b.answers, 1);
    feed_event(&qa->feed, NULL,
               "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,"
               "\"message\":\"no\"}}");
    desk_wait_int(&d, &a.answers, 1);
    assert_true(a.is_error);
    assert_string_equal(a.text, "no");
    assert_string_equal(b.text, "{\"n\":2}");
    desk_close(&d);
}

static void test_what_is_asked_belongs_to_its_stream(void **state)
{
    struct desk d;
    struct caller a = {.answers = 0}, b = {.answers = 0};
    struct message_id id = {MESSAGE_ID_STRING, STR_INIT("q1")};
    (void)state;
    open_desk(&d);
    d.handle = stream_calls;
    d.options.offers = METHOD_HAS_SAMPLING;
    desk_link(&d, true);
    desk_send(&d, &a, "");
    desk_send(&d, &b, "");
    struct question *qb = desk_question(&d, "POST", "\"id\":2,", 1);
    feed_event(&qb->feed, NULL,
               "{\"jsonrpc\":\"2.0\",\"id\":\"q1\",\"method\":"
               "\"sampling/createMessage\",\"params\":{}}");
    desk_wait_int(&d, &b.asks, 1);
    assert_int_equal(b.ask_method, METHOD_SAMPLE);
    assert_string_equal(b.ask_id, "q1");
    assert_int_equal(a.asks, 0);
    link_answer(d.link, id, false, STR("{\"role\":\"user\"}"));
    link_answer(d.link, id, false, STR("{\"role\":\"late\"}"));
    struct question *q = desk_question(&d, "POST", "\"result\"", 1);
    assert_string_equal(q->body, "{\"jsonrpc\":\"2.0\",\"id\":\"q1\","
                                 "\"result\":{\"role\":\"user\"}}");
    assert_string_equal(q->session, "s-1");

    /* ... one with an error, one that ends with its call, one taken back. */
    feed_event(&qb->feed, NULL,
               "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":"
               "\"sampling/createMessage\"}");
    desk_wait_int(&d, &b.asks, 2);
    link_answer(d.link, (struct message_id){MESSAGE_ID_INTEGER, STR("7")}, true,
                STR("{\"code\":-1,\"message\":\"no\"}"));
    q = desk_question(&d, "POST", "\"id\":7", 1);
    assert_string_equal(q->body, "{\"jsonrpc\":\"2.0\",\"id\":7,"
                                 "\"error\":{\"code\":-1,\"message\":\"no\"}}");
    feed_event(&qb->feed, NULL,
               "{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":"
               "\"sampling/createMessage\"}");
    feed_event(&qb->feed, NULL,
               "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
               "\"params\":{\"requestId\":8}}");
    desk_wait_int(&d, &b.notices, 1);
    assert_int_equal(b.notice_method, METHOD_CANCELLED);
    feed_event(&qb->feed, NULL,
               "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":"
               "\"sampling/createMessage\"}");
    desk_wait_int(&d, &b.asks, 4);
    link_cancel(&b.call, STR(""));
    q = desk_question(&d, "POST", "\"id\":9", 1);
    assert_true(question_has(q, "is over"));
    assert_int_equal(desk_count(&d, "POST", "\"id\":8"), 0);
    assert_int_equal(desk_count(&d, "POST", "late"), 0);
    desk_close(&d);
}

static void test_the_link_answers_what_is_not_for_its_user(void **state)
{
    static const struct {
        const char *asked, *answer;
    } cases[] = {
        {"{\"jsonrpc\":\"2.0\",\"id\":50,\"method\":\"ping\"}",
         "{\"jsonrpc\":\"2.0\",\"id\":50,\"result\":{}}"},
        {"{\"jsonrpc\":\"2.0\",\"id\":51,\"method\":\"roots/list\"}",
         "{\"jsonrpc\":\"2.0\",\"id\":51,\"error\":{\"code\":-32601,"},
        {"{\"jsonrpc\":\"2.0\",\"id\":52,\"method\":\"tasks/get\"}",
         "{\"jsonrpc\":\"2.0\",\"id\":52,\"error\":{\"code\":-32601,"},
        {"{\"jsonrpc\":\"2.0\",\"id\":53,\"method\":\"tools/call\"}",
         "{\"jsonrpc\":\"2.0\",\"id\":53,\"error\":{\"code\":-32601,"},
    };
    struct desk d;
    struct caller c = {.answers = 0};
    (void)state;
    open_desk(&d);
    d.handle = stream_calls;
    desk_link(&d, true);
    desk_send(&d, &c, "");
    struct question *q = desk_question(&d, "POST", "tools/call", 1);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        feed_event(&q->feed, NULL, cases[i].asked);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        (void)desk_question(&d, "POST", cases[i].answer, 1);
    assert_int_equal(c.asks, 0);
    desk_close(&d);
}

static void test_a_server_cannot_offer_what_is_ours(void **state)
{
    struct desk d;
    (void)state;
    open_desk(&d);
    d.capabilities = "{\"tools\":{},\"sampling\":{}}";
    desk_link(&d, false);
    desk_wait_true(&d, &d.closed);
    assert_false(d.opened);
    assert_int_equal(d.why, ERR_UPSTREAM);
    assert_non_null(strstr(d.why_text, "/result/capabilities/sampling"));
    desk_close(&d);
}

static void test_a_cancelled_call_is_taken_back(void **state)
{
    struct desk d;
    struct caller c = {.answers = 0};
    (void)state;
    open_desk(&d);
    d.handle = stream_calls;
    desk_link(&d, true);
    desk_send(&d, &c, "");
    struct question *q = desk_question(&d, "POST", "tools/call", 1);
    desk_do(&d, &c, DEED_CANCEL);
    struct question *n = desk_question(&d, "POST", "cancelled", 1);
    assert_string_equal(
        n->body, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                 "\"params\":{\"requestId\":1,\"reason\":\"enough\"}}");
    desk_wait_true(&d, &q->gone);
    assert_int_equal(c.answers + c.failures, 0);
    assert_true(link_is_open(d.link));
    desk_close(&d);
}

static void never(struct question *q)
{
    if (!question_has(q, "tools/call"))
        answer_usual(q);
}

static void test_a_call_without_an_answer_times_out(void **state)
{
    struct desk d;
    struct caller c = {.answers = 0};
    (void)state;
    open_desk(&d);
    desk_link(&d, true);
    d.handle = never;
    d.server.call_ms = 60;
    desk_send(&d, &c, "");
    desk_wait_int(&d, &c.failures, 1);
    assert_int_equal(c.why, ERR_TIMEOUT);
    assert_true(c.sent);
    (void)desk_question(&d, "POST", "\"requestId\":1", 1);
    assert_true(link_is_open(d.link));
    desk_close(&d);
}

static void say_nothing(struct question *q)
{
    (void)q;
}

static void test_a_handshake_has_a_time_limit(void **state)
{
    struct desk d;
    struct caller c = {.answers = 0};
    (void)state;
    open_desk(&d);
    d.server.call_ms = 60;
    d.handle = say_nothing;
    desk_link(&d, false);
    desk_send(&d, &c, "");
    desk_wait_true(&d, &d.closed);
    assert_int_equal(d.why, ERR_TIMEOUT);
    assert_int_equal(c.why, ERR_TIMEOUT);
    assert_false(c.sent);
    assert_int_equal(desk_count(&d, "POST", "cancelled"), 0);
    desk_close(&d);
}

static void test_progress_and_our_own_delay_hold_the_time_limit(void **state)
{
    struct desk d;
    struct caller c = {.answers = 0};
    (void)state;
    open_desk(&d);
    d.options.offers = METHOD_HAS_SAMPLING;
    desk_link(&d, true);
    d.handle = stream_calls;
    d.server.call_ms = 700;
    d.server.call_max_ms = 2500;
    desk_send(&d, &c, "");
    struct question *q = desk_question(&d, "POST", "tools/call", 1);
    d.server.call_ms = 60000; /* from its next sign of life on */
    feed_event(&q->feed, NULL,
               "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\","
               "\"params\":{\"progressToken\":1,\"progress\":1}}");
    desk_wait_int(&d, &c.notices, 1);
    desk_turn(&d, 800);
    assert_int_equal(c.failures, 0);
    d.server.call_ms = 50; /* and then it waits for us, for longer than that */
    feed_say(&q->feed,
             "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\","
             "\"params\":{\"progressToken\":1,\"progress\":2}}\n\n"
             "data: {\"jsonrpc\":\"2.0\",\"id\":9,\"method\":"
             "\"sampling/createMessage\"}\n\n");
    desk_wait_int(&d, &c.asks, 1);
    desk_turn(&d, 200);
    assert_int_equal(c.failures, 0);
    desk_wait_int(&d, &c.failures, 1); /* call_max_ms holds in any case */
    assert_int_equal(c.why, ERR_TIMEOUT);
    desk_close(&d);
}

static void test_a_reader_without_room_slows_the_server(void **state)
{
    static char line[4096];
    struct desk d;
    struct caller c = {.answers = 0, .on_notice = DEED_PAUSE};
    (void)state;
    open_desk(&d);
    d.handle = stream_calls;
    desk_link(&d, true);
    desk_send(&d, &c, "");
    struct question *q = desk_question(&d, "POST", "tools/call", 1);
    memset(line, 'x', sizeof(line) - 1);
    static char event[5000];
    (void)snprintf(event, sizeof(event),
                   "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
                   "message\",\"params\":{\"level\":\"info\",\"data\":\"%s\"}}"
                   "\n\n",
                   line);
    for (int i = 0; i < 4000; i++)
        feed_say(&q->feed, event);
    desk_wait_int(&d, &c.notices, 1);
    size_t given;
    do { /* until nothing moves any more */
        given = q->feed.given;
        desk_turn(&d, 150);
    } while (given != q->feed.given);
    assert_int_equal(c.notices, 1);
    assert_true(given < 16 * MIB); /* what sockets hold, and some more */
    for (int i = 2; i < 40; i++) { /* one by one */
        link_pause(&c.call, false);
        desk_wait_int(&d, &c.notices, i);
        assert_int_equal(c.notices, i);
    }
    c.on_notice = DEED_NONE;
    link_pause(&c.call, false);
    desk_wait_int(&d, &c.notices, 4000);
    feed_event(&q->feed, NULL, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
    desk_wait_int(&d, &c.answers, 1);
    desk_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_handshake_opens_the_link),
        cmocka_unit_test(test_a_handshake_that_fails_closes_the_link),
        cmocka_unit_test(test_a_session_id_must_be_visible_ascii),
        cmocka_unit_test(test_a_server_without_sessions_is_served),
        cmocka_unit_test(test_calls_before_the_handshake_wait_for_it),
        cmocka_unit_test(test_several_calls_have_streams_of_their_own),
        cmocka_unit_test(test_what_is_asked_belongs_to_its_stream),
        cmocka_unit_test(test_the_link_answers_what_is_not_for_its_user),
        cmocka_unit_test(test_a_server_cannot_offer_what_is_ours),
        cmocka_unit_test(test_a_cancelled_call_is_taken_back),
        cmocka_unit_test(test_a_call_without_an_answer_times_out),
        cmocka_unit_test(test_a_handshake_has_a_time_limit),
        cmocka_unit_test(test_progress_and_our_own_delay_hold_the_time_limit),
        cmocka_unit_test(test_a_reader_without_room_slows_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
