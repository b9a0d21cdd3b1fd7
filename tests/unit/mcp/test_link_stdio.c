/* Tests mcp/link over pipes: the child is a script, the runner half of one. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/limits.h"
#include "link_fixture.h"
#include "os/channel.h"

static void open_desk(struct desk *d, bool await)
{
    desk_open(d);
    desk_run(d);
    desk_link(d, await);
}

static void test_a_handshake_opens_the_link(void **state)
{
    struct desk d;
    (void)state;
    open_desk(&d, true);
    assert_int_equal(d.starts, 1);
    assert_int_equal(d.revision, REVISION_2025_11_25);
    child_wait_heard(&d, "notifications/initialized");
    assert_true(child_heard(
        &d, "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\","));
    link_close(d.link);
    d.link = NULL;
    while (d.fds[RUNNER_STDIN] >= 0 || d.stops == 0) /* and it is stopped */
        desk_turn(&d, 10);
    desk_close(&d);
}

static void test_calls_share_the_pipes(void **state)
{
    struct desk d;
    struct caller a = {.answers = 0}, b = {.answers = 0};
    (void)state;
    open_desk(&d, false);
    desk_send(&d, &a, "{\n\"name\": \"x\"\r\n}");
    desk_wait_true(&d, &d.opened);
    desk_send(&d, &b, "");
    child_wait_heard(&d, "\"id\":2");
    assert_true(child_heard(&d, "\"params\":{ \"name\": \"x\"  }}\n"));
    child_say(&d, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\","
                  "\"params\":{\"progressToken\":2,\"progress\":1}}\r\n\n"
                  "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\","
                  "\"params\":{\"level\":\"info\",\"data\":1}}\n"
                  "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"b\":1}}\n"
                  "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"b\":2}}\n"
                  "{\"jsonrpc\":\"2.0\",\"id\":77,\"result\":{}}\n"
                  "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/odd\"}\n"
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":1}}\n");
    desk_wait_int(&d, &a.answers, 1);
    assert_int_equal(b.answers, 1);
    assert_string_equal(a.text, "{\"a\":1}");
    assert_string_equal(b.text, "{\"b\":1}");
    assert_int_equal(b.notices, 1);
    assert_int_equal(a.notices, 0);
    assert_int_equal(d.notices, 1);
    assert_int_equal(d.notice_method, METHOD_LOG);
    desk_close(&d);
}

#define ASK(id)                                                                \
    "{\"jsonrpc\":\"2.0\",\"id\":" id                                          \
    ",\"method\":\"elicitation/create\",\"params\":{}}\n"

static void test_what_is_asked_belongs_to_the_only_call(void **state)
{
    struct desk d;
    struct caller a = {.answers = 0}, b = {.answers = 0};
    (void)state;
    desk_open(&d);
    d.options.offers = METHOD_HAS_ELICITATION;
    desk_run(&d);
    desk_link(&d, true);
    child_say(&d, ASK("10"));
    child_wait_heard(&d, "{\"jsonrpc\":\"2.0\",\"id\":10,\"error\":{\"code\":"
                         "-32600,\"message\":\"no request of yours is under "
                         "way that this could belong to\"}}");
    desk_send(&d, &a, "");
    child_wait_heard(&d, "\"id\":1,");
    child_say(&d, ASK("11") ASK("11"));
    desk_wait_int(&d, &a.asks, 1);
    link_answer(d.link, (struct message_id){MESSAGE_ID_STRING, STR("11")},
                false, STR("{\"wrong\":1}"));
    link_answer(d.link, (struct message_id){MESSAGE_ID_INTEGER, STR("11")},
                false, STR("{\"right\":1}"));
    child_wait_heard(
        &d, "{\"jsonrpc\":\"2.0\",\"id\":11,\"result\":{\"right\":1}}");
    assert_int_equal(a.asks, 1); /* of one id there is one */
    desk_send(&d, &b, "");
    child_wait_heard(&d, "\"id\":2,");
    child_say(&d, ASK("12"));
    child_wait_heard(&d, "\"id\":12,\"error\"");
    assert_int_equal(a.asks + b.asks, 1);
    assert_false(child_heard(&d, "wrong"));
    desk_close(&d);
}

static void test_questions_are_limited(void **state)
{
    struct desk d;
    struct caller a = {.answers = 0};
    char text[128];
    (void)state;
    desk_open(&d);
    d.options.offers = METHOD_HAS_ELICITATION;
    desk_run(&d);
    desk_link(&d, true);
    desk_send(&d, &a, "");
    child_wait_heard(&d, "\"id\":1,");
    for (int i = 0; i <= LINK_ASKS_MAX; i++) {
        (void)snprintf(text, sizeof(text),
                       "{\"jsonrpc\":\"2.0\",\"id\":\"q%d\",\"method\":"
                       "\"elicitation/create\",\"params\":{}}\n",
                       i);
        child_say(&d, text);
    }
    child_wait_heard(&d, "\"id\":\"q64\",\"error\"");
    assert_int_equal(a.asks, LINK_ASKS_MAX);
    desk_do(&d, &a, DEED_CANCEL);
    child_wait_heard(&d, "\"id\":\"q63\",\"error\"");
    desk_close(&d);
}

static void test_a_pause_drops_notices(void **state)
{
    struct desk d;
    struct caller a = {.answers = 0};
    (void)state;
    open_desk(&d, true);
    desk_send(&d, &a, "");
    child_wait_heard(&d, "\"id\":1,");
    link_pause(&a.call, true);
    child_say(&d, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\","
                  "\"params\":{\"progressToken\":1,\"progress\":1}}\n"
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    desk_wait_int(&d, &a.answers, 1);
    assert_int_equal(a.notices, 0);
    desk_close(&d);
}

static void test_cancel_and_timeout_tell_the_server(void **state)
{
    struct desk d;
    struct caller a = {.answers = 0}, b = {.answers = 0};
    (void)state;
    open_desk(&d, true);
    desk_send(&d, &a, "");
    desk_do(&d, &a, DEED_CANCEL);
    child_wait_heard(&d, "{\"requestId\":1,\"reason\":\"enough\"}");
    d.server.call_ms = 50;
    desk_send(&d, &b, "");
    desk_wait_int(&d, &b.failures, 1);
    assert_int_equal(b.why, ERR_TIMEOUT);
    assert_true(b.sent);
    child_wait_heard(&d, "{\"requestId\":2,\"reason\":\"no answer in time\"}");
    assert_true(link_is_open(d.link));
    desk_close(&d);
}

static void say_huge(struct desk *d, const char *before, const char *after)
{
    enum { LEN = 2 * 1024 * 1024 };
    static char x[LEN + 1];
    memset(x, 'x', LEN);
    child_say(d, before);
    child_say(d, x);
    child_say(d, after);
}

static void test_an_answer_that_is_too_long_fails_its_call(void **state)
{
    struct desk d;
    struct caller a = {.answers = 0}, b = {.answers = 0}, c = {.answers = 0};
    (void)state;
    open_desk(&d, true);
    desk_send(&d, &a, "");
    desk_send(&d, &b, "");
    desk_send(&d, &c, "");
    child_wait_heard(&d, "\"id\":3,");
    say_huge(&d, "{\"result\":{\"x\":\"",
             "\"},\"jsonrpc\":\"2.0\",\"id\":2}\n");
    desk_wait_int(&d, &b.failures, 1);
    assert_int_equal(b.why, ERR_LIMIT);
    say_huge(&d, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"id\":3,\"x\":\"",
             "\"}}\n");
    desk_wait_int(&d, &a.failures, 1);
    assert_int_equal(a.why, ERR_LIMIT);
    say_huge(&d, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\",\"x\":\"",
             "\"}\n{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}\n");
    desk_wait_int(&d, &c.answers, 1);
    assert_true(link_is_open(d.link));
    desk_close(&d);
}

static void test_an_answer_that_cannot_be_read_fails_its_call(void **state)
{
    struct desk d;
    struct caller a = {.answers = 0}, b = {.answers = 0};
    (void)state;
    open_desk(&d, true);
    desk_send(&d, &a, "");
    desk_send(&d, &b, "");
    child_wait_heard(&d, "\"id\":2,");
    child_say(&d, "{\"result\":{\"x\":\"\\ud800\"},\"jsonrpc\":\"2.0\","
                  "\"id\":1}\n{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}\n");
    desk_wait_int(&d, &b.answers, 1);
    assert_int_equal(a.failures, 1);
    assert_int_equal(a.why, ERR_UPSTREAM);
    desk_close(&d);
}

static void test_garbage_closes_the_link(void **state)
{
    static const struct {
        const char *said, *quoted;
    } cases[] = {
        {"Server running on stdio\n", "\"Server running on stdio\""},
        {"\x1b[31m\xff\"\\\n", "\"\\x1b[31m\\xff\\\"\\\\\""},
        {"{\"jsonrpc\":\"1.0\",\"method\":\"ping\",\"id\":9}\n", "1.0"},
        {"[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}]\n", "\"[{"},
        {"{\"jsonrpc\":\"2.0\",\"id\":99,\"result\":7}\n", "result"},
        {"null\n", "\"null\""},
        {"012345678901234567890123456789012345678901234567890123456789012345678"
         "9"
         "012345678901234567890123456789012345678901234567890123456789012345678"
         "9"
         "012345678901234567890123456789012345678901234567890123456789012345678"
         "9"
         "\n",
         "0123456789\" and more"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct desk d;
        struct caller a = {.answers = 0};
        open_desk(&d, true);
        desk_send(&d, &a, "");
        child_wait_heard(&d, "\"id\":1,");
        child_say(&d, cases[i].said);
        desk_wait_true(&d, &d.closed);
        assert_int_equal(d.why, ERR_UPSTREAM);
        assert_non_null(strstr(d.why_text, cases[i].quoted));
        assert_int_equal(a.failures, 1);
        assert_int_equal(a.why, ERR_UPSTREAM);
        assert_true(a.sent);
        while (d.stops == 0) /* its child is stopped */
            desk_turn(&d, 10);
        desk_close(&d);
    }
}

static void test_the_end_of_a_child_says_why(void **state)
{
    struct desk d;
    struct caller a = {.answers = 0}, b = {.answers = 0};
    (void)state;
    open_desk(&d, true);
    desk_send(&d, &a, "");
    desk_send(&d, &b, "");
    child_wait_heard(&d, "\"id\":2,");
    for (int i = 0; i < 2000; i++)
        child_complain(&d, "an earlier line of no interest\n");
    child_complain(&d, "Error: no\tlicence\n  at main\n\n");
    /* What it said before it went is still heard. */
    static const char last[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n";
    ssize_t n = write(d.fds[RUNNER_STDOUT], last, sizeof(last) - 1);
    assert_int_equal(n, sizeof(last) - 1);
    child_exit(&d, 3);
    desk_wait_true(&d, &d.closed);
    assert_int_equal(a.answers, 1);
    assert_int_equal(b.failures, 1);
    assert_true(b.sent);
    assert_int_equal(d.why, ERR_UPSTREAM);
    assert_non_null(strstr(d.why_text, "the server has exited with code 3; it "
                                       "said last: an earlier line"));
    assert_non_null(strstr(d.why_text, "\\nError: no\\x09licence\\n  at main"));
    desk_close(&d);
}

static void test_a_child_that_closes_its_output_is_ended(void **state)
{
    struct desk d;
    struct caller a = {.answers = 0};
    (void)state;
    open_desk(&d, true);
    desk_send(&d, &a, "");
    child_close(&d, RUNNER_STDOUT);
    desk_wait_true(&d, &d.closed);
    assert_non_null(strstr(d.why_text, "closed its output"));
    assert_int_equal(a.failures, 1);
    while (d.stops == 0)
        desk_turn(&d, 10);
    desk_close(&d);
}

static void test_a_start_that_is_refused_says_why(void **state)
{
    struct desk d;
    struct caller a = {.answers = 0};
    (void)state;
    desk_open(&d);
    desk_run(&d);
    d.refuses = true;
    desk_link(&d, false);
    desk_send(&d, &a, "");
    desk_wait_true(&d, &d.closed);
    assert_int_equal(d.why, ERR_CONNECT);
    assert_non_null(strstr(d.why_text, "there is no such command"));
    assert_int_equal(a.why, ERR_CONNECT);
    assert_false(a.sent);
    desk_close(&d);
}

static void test_a_lost_runner_closes_the_link(void **state)
{
    struct desk d;
    (void)state;
    open_desk(&d, true);
    channel_free(d.other);
    d.other = NULL;
    desk_wait_true(&d, &d.closed);
    assert_int_equal(d.why, ERR_CONNECT);
    desk_close(&d);

    desk_open(&d); /* and without one there is no link */
    d.server.transport = TRANSPORT_STDIO;
    static const struct link_events none = {NULL, NULL, NULL};
    struct link *l;
    assert_int_equal(link_open(&d.options, &none, NULL, &l), ERR_CONNECT);
    desk_close(&d);
}

static void test_a_child_that_does_not_read_costs_bounded_memory(void **state)
{
    enum { LEN = 1024 * 1024 };
    static char params[LEN + 1];
    static struct caller c[32];
    static const struct link_call_events none = {NULL, NULL, NULL, NULL};
    struct desk d;
    int sent = 0;
    enum err e = ERR_OK;
    (void)state;
    open_desk(&d, true);
    child_wait_heard(&d, "notifications/initialized");
    assert_int_equal(loop_poll_set(d.reads, 0), ERR_OK);
    memset(params, ' ', LEN);
    params[0] = '{';
    params[LEN - 1] = '}';
    while (sent < 32 && e == ERR_OK) {
        c[sent].desk = &d;
        e = link_send(d.link, &c[sent].call, (uint64_t)sent + 1,
                      METHOD_TOOLS_CALL, str_from(params), &none);
        sent += e == ERR_OK;
    }
    assert_int_equal(e, ERR_OVERLOAD);
    assert_in_range(sent, 14, 17);
    assert_true(link_is_open(d.link));
    /* Others are still served once it reads again. */
    assert_int_equal(loop_poll_set(d.reads, LOOP_READABLE), ERR_OK);
    child_wait_heard(&d, "\"id\":14,");
    link_close(d.link);
    d.link = NULL;
    desk_close(&d);
}

static void test_calls_are_limited(void **state)
{
    static struct link_call c[LINK_CALLS_MAX + 1];
    static const struct link_call_events none = {NULL, NULL, NULL, NULL};
    struct desk d;
    (void)state;
    open_desk(&d, true);
    for (uint64_t i = 0; i < LINK_CALLS_MAX; i++)
        assert_int_equal(link_send(d.link, &c[i], i + 1, METHOD_PING, STR(""),
                                   &none),
                         ERR_OK);
    assert_int_equal(link_send(d.link, &c[LINK_CALLS_MAX], LINK_CALLS_MAX + 1,
                               METHOD_PING, STR(""), &none),
                     ERR_OVERLOAD);
    link_close(d.link);
    d.link = NULL;
    desk_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_handshake_opens_the_link),
        cmocka_unit_test(test_calls_share_the_pipes),
        cmocka_unit_test(test_what_is_asked_belongs_to_the_only_call),
        cmocka_unit_test(test_questions_are_limited),
        cmocka_unit_test(test_a_pause_drops_notices),
        cmocka_unit_test(test_cancel_and_timeout_tell_the_server),
        cmocka_unit_test(test_an_answer_that_is_too_long_fails_its_call),
        cmocka_unit_test(test_an_answer_that_cannot_be_read_fails_its_call),
        cmocka_unit_test(test_garbage_closes_the_link),
        cmocka_unit_test(test_the_end_of_a_child_says_why),
        cmocka_unit_test(test_a_child_that_closes_its_output_is_ended),
        cmocka_unit_test(test_a_start_that_is_refused_says_why),
        cmocka_unit_test(test_a_lost_runner_closes_the_link),
        cmocka_unit_test(test_a_child_that_does_not_read_costs_bounded_memory),
        cmocka_unit_test(test_calls_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
