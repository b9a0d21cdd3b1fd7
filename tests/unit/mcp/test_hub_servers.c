/* Tests mcp/hub over links as they are: a server over HTTP, and a child. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/container.h"
#include "link_fixture.h"
#include "mcp/hub.h"

#define TOOLS                                                                  \
    "{\"tools\":[{\"name\":\"echo\",\"inputSchema\":{\"type\":\"object\"}}]}"

struct asker {
    struct hub_call call;
    struct hub *hub;
    int opened, notices, asked, answered, failed;
    enum err why;
    bool sent;
    char text[256], id[64];
    struct hub_offer *offer;
};

struct bench {
    struct desk d;
    struct hub_net *net;
    struct hub *hub;
    struct mcp_sessions *sessions;
    struct mcp_session *session;
    struct hub_to to;
    struct asker asker;
    char log[1024]; /* what operators are told */
};

static void copy(char *to, size_t room, struct str s)
{
    size_t n = s.len < room ? s.len : room - 1;
    if (n > 0)
        memcpy(to, s.ptr, n);
    to[n] = '\0';
}

static void on_event(struct hub_call *c, const struct hub_event *e)
{
    struct asker *a = CONTAINER_OF(c, struct asker, call);
    copy(a->text, sizeof(a->text), e->text);
    switch (e->kind) {
    case HUB_OPENED:
        hub_offer_unref(a->offer);
        a->offer = hub_offer_ref(e->offer);
        a->opened++;
        break;
    case HUB_NOTICE:
        a->notices++;
        hub_next(a->hub, c);
        break;
    case HUB_ASKED:
        a->asked++;
        copy(a->id, sizeof(a->id), e->id.text);
        hub_next(a->hub, c);
        break;
    case HUB_ANSWERED:
        a->answered++;
        break;
    case HUB_FAILED:
        a->why = e->err;
        a->sent = e->sent;
        copy(a->text, sizeof(a->text), e->why);
        a->failed++;
        break;
    }
}

static void nothing(void *it)
{
    (void)it;
}

static void on_closed(void *user, struct str server, struct str why)
{
    struct bench *b = user;
    assert_true(server.len > 0);
    copy(b->log, sizeof(b->log), why);
}

static void start(struct bench *b)
{
    static const struct hash digest = {.bytes = {1}};
    struct hub_options o = {.loop = b->d.l,
                            .http = b->d.client,
                            .runner = b->d.runner,
                            .version = STR("0.1"),
                            .closed = on_closed,
                            .user = b};
    b->log[0] = '\0';
    struct mcp_session_about about = {.client_has = METHOD_HAS_ELICITATION};
    assert_int_equal(hub_net_new(1, &b->net), ERR_OK);
    o.net = b->net;
    assert_int_equal(hub_new(&o, &b->hub), ERR_OK);
    assert_int_equal(mcp_sessions_new(&b->sessions), ERR_OK);
    assert_int_equal(mcp_sessions_open(b->sessions, &about, 60000, 0,
                                       &b->session),
                     ERR_OK);
    b->d.server.elicitation = true;
    b->d.server.idle_ms = 60000;
    b->to = (struct hub_to){.session = b->session,
                            .server = &b->d.server,
                            .digest = &digest,
                            .keep = {.ref = nothing, .unref = nothing},
                            .tenant = STR("acme")};
    b->asker = (struct asker){.call = {.event = on_event}, .hub = b->hub};
}

static void stop(struct bench *b)
{
    hub_offer_unref(b->asker.offer);
    mcp_session_unref(b->session);
    mcp_sessions_free(b->sessions);
    hub_free(b->hub);
    hub_net_free(b->net);
    desk_close(&b->d);
}

static void open_link(struct bench *b)
{
    int n = b->asker.opened;
    assert_int_equal(hub_open(b->hub, &b->asker.call, &b->to), ERR_OK);
    desk_wait_int(&b->d, &b->asker.opened, n + 1);
    assert_int_equal(b->asker.offer->page->count, 1);
}

static void call_tool(struct bench *b)
{
    b->asker.call.number = hub_number(b->hub);
    b->to.offer = b->asker.offer;
    assert_int_equal(hub_send(b->hub, &b->asker.call, &b->to, METHOD_TOOLS_CALL,
                              STR("{\"name\":\"echo\",\"arguments\":{}}")),
                     ERR_OK);
}

/* ---- over HTTP ---- */

static void serve(struct question *q)
{
    if (question_has(q, "\"tools/list\""))
        answer_result(q, TOOLS);
    else if (question_has(q, "\"tools/call\""))
        return; /* the test does */
    else
        answer_usual(q);
}

static void test_a_call_over_http_may_be_asked_and_told(void **state)
{
    struct bench b;
    (void)state;
    desk_open(&b.d);
    desk_serve(&b.d);
    b.d.handle = serve;
    start(&b);
    open_link(&b);
    call_tool(&b);
    struct question *q = desk_question(&b.d, "POST", "\"tools/call\"", 1);
    assert_string_equal(q->session, "s-1");
    answer_stream(q);
    char progress[256], answer[256], id[64];
    id_of(str_from(q->body), id, sizeof(id));
    (void)snprintf(progress, sizeof(progress),
                   "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\","
                   "\"params\":{\"progressToken\":%s,\"progress\":1}}",
                   id);
    (void)snprintf(answer, sizeof(answer),
                   "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"content\":"
                   "[]}}",
                   id);
    feed_event(&q->feed, NULL, progress);
    feed_event(&q->feed, NULL, progress);
    desk_wait_int(&b.d, &b.asker.notices, 2);
    feed_event(&q->feed, NULL,
               "{\"jsonrpc\":\"2.0\",\"id\":\"q1\",\"method\":\"elicitation/"
               "create\",\"params\":{\"message\":\"who?\",\"requestedSchema\":"
               "{\"type\":\"object\",\"properties\":{}}}}");
    desk_wait_int(&b.d, &b.asker.asked, 1);
    assert_string_equal(b.asker.id, "q1");
    hub_answer(b.hub, &b.asker.call,
               (struct message_id){MESSAGE_ID_STRING, STR("q1")}, false,
               STR("{\"action\":\"decline\"}"));
    (void)desk_question(&b.d, "POST", "\"decline\"", 1);
    feed_event(&q->feed, NULL, answer);
    feed_end(&q->feed);
    desk_wait_int(&b.d, &b.asker.answered, 1);
    assert_string_equal(b.asker.text, "{\"content\":[]}");
    assert_int_equal(desk_count(&b.d, "POST", "\"tools/list\""), 1);

    /* Giving up tells the server. */
    call_tool(&b);
    q = desk_question(&b.d, "POST", "\"tools/call\"", 2);
    hub_cancel(b.hub, &b.asker.call, STR("enough"));
    (void)desk_question(&b.d, "POST", "notifications/cancelled", 1);
    stop(&b);
}

static void test_a_server_that_forgot_us_is_greeted_again(void **state)
{
    struct bench b;
    (void)state;
    desk_open(&b.d);
    desk_serve(&b.d);
    b.d.handle = serve;
    start(&b);
    open_link(&b);
    call_tool(&b);
    struct question *q = desk_question(&b.d, "POST", "\"tools/call\"", 1);
    b.d.session = "s-2";
    answer_status(q, 404);
    q = desk_question(&b.d, "POST", "\"tools/call\"", 2);
    assert_string_equal(q->session, "s-2");
    answer_result(q, "{\"content\":[]}");
    desk_wait_int(&b.d, &b.asker.answered, 1);
    assert_int_equal(b.asker.failed, 0);
    assert_int_equal(desk_count(&b.d, "POST", "\"tools/list\""), 2);
    /* And the session ends with its own. */
    mcp_session_end(b.session);
    hub_sweep(b.hub);
    q = desk_question(&b.d, "DELETE", "", 1);
    assert_string_equal(q->session, "s-2");
    stop(&b);
}

static void refuse(struct question *q)
{
    answer_status(q, 500);
}

static void test_a_server_that_does_not_answer_is_named(void **state)
{
    struct bench b;
    (void)state;
    desk_open(&b.d);
    desk_serve(&b.d);
    b.d.handle = refuse;
    start(&b);
    for (int i = 1; i <= 2; i++) {
        assert_int_equal(hub_open(b.hub, &b.asker.call, &b.to), ERR_OK);
        desk_wait_int(&b.d, &b.asker.failed, i);
        assert_false(b.asker.sent);
        assert_non_null(strstr(b.asker.text, "HTTP status 500"));
    }
    stop(&b);
}

/* ---- over pipes ---- */

static void answer_line(struct desk *d, struct str line)
{
    char text[1024], id[64];
    bool lists = false;
    for (size_t i = 0; i < line.len; i++)
        lists = lists || str_starts(str_skip(line, i), STR("\"tools/list\""));
    if (!lists) {
        child_usual(d, line);
        return;
    }
    id_of(line, id, sizeof(id));
    (void)snprintf(text, sizeof(text),
                   "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":%s}\n", id,
                   TOOLS);
    child_say(d, text);
}

static void
test_a_child_that_dies_is_told_and_its_last_words_are_logged(void **state)
{
    struct bench b;
    (void)state;
    desk_open(&b.d);
    desk_run(&b.d);
    b.d.on_line = answer_line;
    start(&b);
    open_link(&b);
    call_tool(&b);
    child_wait_heard(&b.d, "\"tools/call\"");
    child_complain(&b.d, "out of luck\n");
    child_exit(&b.d, 3);
    desk_wait_int(&b.d, &b.asker.failed, 1);
    assert_true(b.asker.sent);
    assert_non_null(strstr(b.asker.text, "exited with code 3"));
    assert_null(strstr(b.asker.text, "out of luck"));
    assert_non_null(strstr(b.log, "out of luck"));
    assert_null(hub_known(b.hub, &b.to));
    /* It is not started again at once. */
    assert_int_equal(hub_open(b.hub, &b.asker.call, &b.to), ERR_OK);
    desk_wait_int(&b.d, &b.asker.failed, 2);
    assert_non_null(strstr(b.asker.text, "exited with code 3"));
    assert_int_equal(b.d.starts, 1);
    stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_over_http_may_be_asked_and_told),
        cmocka_unit_test(test_a_server_that_forgot_us_is_greeted_again),
        cmocka_unit_test(test_a_server_that_does_not_answer_is_named),
        cmocka_unit_test(
            test_a_child_that_dies_is_told_and_its_last_words_are_logged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
