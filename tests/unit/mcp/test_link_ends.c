/*
 * Tests mcp/link where its user ends a call, or the link, inside an event; the
 * memory of what has ended is overwritten at once (link_fixture.c).
 */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/attr.h"
#include "base/limits.h"
#include "link_fixture.h"

#define PROGRESS                                                               \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":"   \
    "{\"progressToken\":1,\"progress\":1}}"
#define ASK                                                                    \
    "{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"elicitation/create\","     \
    "\"params\":{}}"
#define CHANGED                                                                \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}"
#define ANSWER "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"

enum at { AT_NOTICE, AT_ASKED, AT_ANSWERED, AT_FAILED, AT_LINK_NOTICE };

struct end {
    enum at at;
    enum deed deed;
    /* What the server says; more of it comes after what is told. */
    const char *says[4];
};

static const struct end ends[] = {
    {AT_NOTICE, DEED_CANCEL, {PROGRESS, PROGRESS, ANSWER}},
    {AT_NOTICE, DEED_CLOSE, {PROGRESS, PROGRESS, ANSWER}},
    {AT_ASKED, DEED_CANCEL, {ASK, PROGRESS, ANSWER}},
    {AT_ASKED, DEED_CLOSE, {ASK, PROGRESS, ANSWER}},
    {AT_ANSWERED, DEED_CLOSE, {ANSWER, PROGRESS, CHANGED}},
    {AT_ANSWERED, DEED_SEND, {ANSWER, PROGRESS, CHANGED}},
    {AT_FAILED, DEED_CLOSE, {"{\"id\":1}", PROGRESS, ANSWER}},
    {AT_FAILED, DEED_SEND, {"{\"id\":1}", PROGRESS, ANSWER}},
    {AT_LINK_NOTICE, DEED_CLOSE, {CHANGED, PROGRESS, ANSWER}},
};

static void prepare(const struct end *e, struct desk *d, struct caller *c,
                    struct caller *next)
{
    enum deed *const places[] = {[AT_NOTICE] = &c->on_notice,
                                 [AT_ASKED] = &c->on_asked,
                                 [AT_ANSWERED] = &c->on_answered,
                                 [AT_FAILED] = &c->on_failed,
                                 [AT_LINK_NOTICE] = &d->on_notice};
    memset(c, 0, sizeof(*c));
    memset(next, 0, sizeof(*next));
    desk_open(d);
    d->options.offers = METHOD_HAS_ELICITATION;
    c->then = next;
    *places[e->at] = e->deed;
}

static bool is_over(void *arg)
{
    const struct caller *c = arg;
    const struct desk *d = c->desk;
    bool sent = c->then->desk != NULL;
    return d->link == NULL || sent || c->answers + c->failures > 0 ||
           c->notices + c->asks > 0;
}

static void check(const struct end *e, struct desk *d, struct caller *c,
                  const struct caller *next)
{
    desk_wait(d, is_over, c);
    desk_turn(d, 20); /* nothing more is told */
    assert_int_equal(c->answers, e->at == AT_ANSWERED);
    assert_int_equal(c->failures, e->at == AT_FAILED);
    assert_int_equal(c->notices, e->at == AT_NOTICE);
    assert_int_equal(c->asks, e->at == AT_ASKED);
    assert_int_equal(d->notices,
                     e->at == AT_LINK_NOTICE ||
                         (e->at == AT_ANSWERED && e->deed == DEED_SEND));
    assert_false(d->closed);
    assert_int_equal(next->answers + next->failures, 0);
    assert_true((d->link == NULL) == (e->deed == DEED_CLOSE));
}

static void answer_calls(struct question *q)
{
    if (question_has(q, "tools/call"))
        answer_stream(q);
    else
        answer_usual(q);
}

static void test_over_http_anything_may_end_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct desk d;
        struct caller c, next;
        char text[1024];
        size_t len = 0;
        prepare(&ends[i], &d, &c, &next);
        desk_serve(&d);
        d.handle = answer_calls;
        desk_link(&d, true);
        desk_send(&d, &c, "");
        struct question *q = desk_question(&d, "POST", "tools/call", 1);
        for (size_t j = 0; ends[i].says[j] != NULL; j++)
            len += (size_t)snprintf(text + len, sizeof(text) - len,
                                    "data: %s\n\n", ends[i].says[j]);
        feed_say(&q->feed, text); /* all in one piece */
        if (ends[i].at == AT_ANSWERED && ends[i].deed == DEED_SEND) {
            /* its stream has ended; a change comes by another's */
            q = desk_question(&d, "POST", "\"id\":2,", 1);
            feed_event(&q->feed, NULL, CHANGED);
            desk_wait_int(&d, &d.notices, 1);
        }
        check(&ends[i], &d, &c, &next);
        desk_close(&d);
    }
}

static void test_over_pipes_anything_may_end_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct desk d;
        struct caller c, next;
        char text[1024];
        size_t len = 0;
        prepare(&ends[i], &d, &c, &next);
        desk_run(&d);
        desk_link(&d, true);
        desk_send(&d, &c, "");
        child_wait_heard(&d, "\"id\":1,");
        for (size_t j = 0; ends[i].says[j] != NULL; j++)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\n",
                                    ends[i].says[j]);
        child_say(&d, text);
        check(&ends[i], &d, &c, &next);
        desk_close(&d);
    }
}

static void test_a_link_may_be_closed_when_it_opens(void **state)
{
    (void)state;
    for (int pipes = 0; pipes < 2; pipes++) {
        struct desk d;
        struct caller c = {.answers = 0};
        desk_open(&d);
        if (pipes == 1)
            desk_run(&d);
        else
            desk_serve(&d);
        d.on_opened = DEED_CLOSE;
        desk_link(&d, false);
        desk_send(&d, &c, "");
        desk_wait_true(&d, &d.opened);
        assert_null(d.link);
        desk_turn(&d, 20);
        assert_int_equal(c.answers + c.failures, 0);
        assert_false(d.closed);
        desk_close(&d);
    }
}

static void test_a_link_may_be_closed_when_it_has_ended(void **state)
{
    struct desk d;
    struct caller a = {.on_failed = DEED_CLOSE}, b = {.answers = 0};
    (void)state;
    desk_open(&d);
    desk_run(&d);
    d.on_closed = DEED_CLOSE;
    desk_link(&d, true);
    child_say(&d, "garbage\n");
    desk_wait_true(&d, &d.closed);
    assert_null(d.link);
    desk_close(&d);

    desk_open(&d); /* ... and when the first of its calls hears of it */
    desk_run(&d);
    desk_link(&d, true);
    desk_send(&d, &a, "");
    desk_send(&d, &b, "");
    child_wait_heard(&d, "\"id\":2,");
    child_say(&d, "garbage\n");
    desk_wait_int(&d, &a.failures, 1);
    desk_turn(&d, 20);
    assert_null(d.link);
    assert_int_equal(b.failures, 0);
    assert_false(d.closed);
    desk_close(&d);
}

static void test_a_link_may_be_closed_at_any_moment(void **state)
{
    (void)state;
    /* From the first turn on, through the handshake, into its calls. */
    for (int turns = 0; turns < 14; turns++) {
        for (int pipes = 0; pipes < 2; pipes++) {
            struct desk d;
            struct caller c[2] = {{.answers = 0}};
            desk_open(&d);
            if (pipes == 1)
                desk_run(&d);
            else
                desk_serve(&d);
            desk_link(&d, false);
            for (int i = 0; i < 2; i++)
                desk_send(&d, &c[i], "");
            for (int i = 0; i < turns; i++)
                desk_turn(&d, 1);
            link_close(d.link);
            d.link = NULL;
            memset(c, 0xa5, sizeof(c));
            desk_turn(&d, 10);
            desk_close(&d);
        }
    }
}

static void test_what_is_over_may_be_cancelled_again(void **state)
{
    struct desk d;
    struct link_call c = {.link = NULL};
    (void)state;
    desk_open(&d);
    desk_run(&d);
    desk_link(&d, true);
    link_cancel(&c, STR(""));
    link_pause(&c, true);
    link_close(NULL);
    static const struct link_call_events none = {NULL, NULL, NULL, NULL};
    assert_int_equal(link_send(d.link, &c, 1, METHOD_PING, STR(""), &none),
                     ERR_OK);
    link_cancel(&c, STR(""));
    link_cancel(&c, STR(""));
    child_wait_heard(&d, "{\"requestId\":1}");
    desk_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_over_http_anything_may_end_anywhere),
        cmocka_unit_test(test_over_pipes_anything_may_end_anywhere),
        cmocka_unit_test(test_a_link_may_be_closed_when_it_opens),
        cmocka_unit_test(test_a_link_may_be_closed_when_it_has_ended),
        cmocka_unit_test(test_a_link_may_be_closed_at_any_moment),
        cmocka_unit_test(test_what_is_over_may_be_cancelled_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
