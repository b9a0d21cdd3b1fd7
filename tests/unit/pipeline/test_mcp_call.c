/* Tests pipeline/mcp_call.c and what it stands on, through the table: which
 * tool, which arguments, and what reaches a server, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "mcp_fixture.h"
#include "pipeline/action.h"

static void rule_25_nothing_leaves_before_its_intent(void **state)
{
    struct world *w = *state;

    mcp_prepare(w, FILES, mcp_files_session,
                CALL("7", "read_file", "{\"path\":\"a\"}"));
    world_send(w);
    assert_int_equal(hub.count, 0);
    assert_true(world_last(w, "\"kind\":\"intent\""));
    assert_true(world_last(w, "files/read_file"));
    world_ack(w, ERR_OK);
    assert_int_equal(hub.count, 1);
    assert_string_equal(hub.sent[0].params,
                        "{\"name\":\"read_file\",\"arguments\":{\"path\":"
                        "\"a\"}}");
    mcp_answered(mcp_last(), RESULT, false);
    assert_int_equal(w->r.status, 200);
    assert_true(request_says(&w->r, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":"
                                    "{\"content\""));
}

static void rule_25_a_lost_intent_sends_nothing(void **state)
{
    struct world *w = *state;

    mcp_prepare(w, FILES, mcp_files_session,
                CALL("7", "read_file", "{\"path\":\"a\"}"));
    world_send(w);
    world_ack(w, ERR_EVIDENCE);
    assert_int_equal(hub.count, 0);
    assert_true(request_says(&w->r, "\"isError\":true"));
    assert_true(request_says(&w->r, "evidence_unavailable"));
}

static void rule_25_a_result_beyond_reading_waits_for_its_outcome(void **state)
{
    struct world *w = *state;

    mcp_post(w, FILES, mcp_files_session, CALL("7", "pay", "{\"amount\":1}"));
    mcp_answered(mcp_last(), RESULT, false);
    assert_int_equal(w->r.replies, 0);
    assert_true(world_last(w, "\"kind\":\"outcome\""));
    world_ack(w, ERR_OK);
    assert_int_equal(w->r.status, 200);
}

static void rule_21_an_answer_that_waits_for_its_outcome_is_cut(void **state)
{
    struct world *w = *state;

    mcp_post(w, FILES, mcp_files_session, CALL("7", "pay", "{\"amount\":1}"));
    mcp_answered(mcp_last(), RESULT, false);
    mcp_suspend(w);
    assert_int_equal(w->r.status, 401);
    assert_false(request_says(&w->r, "done"));
    world_ack(w, ERR_OK);
    assert_false(request_says(&w->r, "done"));
}

static void rule_21_a_call_under_way_is_given_up(void **state)
{
    struct world *w = *state;

    mcp_call_read(w);
    mcp_suspend(w);
    assert_true(hub.sent[0].cancelled);
    assert_int_equal(w->r.status, 401);
}

static void rule_21_a_stream_of_notices_is_cut(void **state)
{
    struct world *w = *state;

    mcp_call_read(w);
    mcp_notice(mcp_last(), METHOD_RESOURCES_CHANGED, "{}");
    assert_true(w->r.streamed);
    mcp_suspend(w);
    assert_true(w->r.cut);
    assert_false(request_says(&w->r, "list_changed"));
}

static void an_answer_after_a_stream_that_is_gone_is_dropped(void **state)
{
    struct world *w = *state;

    mcp_call_read(w);
    w->r.over = true; /* the connection has ended in this very turn */
    mcp_notice(mcp_last(), METHOD_RESOURCES_CHANGED, "{}");
    mcp_answered(mcp_last(), RESULT, false);
    assert_false(request_says(&w->r, "done"));
}

static void a_failure_after_a_stream_that_is_gone_is_dropped(void **state)
{
    struct world *w = *state;

    mcp_call_read(w);
    w->r.over = true;
    mcp_notice(mcp_last(), METHOD_RESOURCES_CHANGED, "{}");
    mcp_failed(mcp_last(), ERR_UPSTREAM, true);
    assert_int_equal(w->r.text.len, 0);
}

static void rule_11_arguments_have_to_fit_the_schema(void **state)
{
    struct world *w = *state;

    mcp_post(w, FILES, mcp_files_session,
             CALL("7", "read_file", "{\"path\":1}"));
    assert_int_equal(hub.count, 0);
    assert_int_equal(w->r.status, 200);
    assert_true(request_says(&w->r, "/params/arguments/path"));
    mcp_post(w, FILES, mcp_files_session,
             CALL("8", "read_file", "{\"other\":1}"));
    assert_int_equal(hub.count, 0);
    assert_true(request_says(&w->r, "/params/arguments"));
}

static void rule_13_what_cannot_be_listed_cannot_be_called(void **state)
{
    static const struct {
        const char *call, *says;
    } cases[] = {
        {CALL("7", "odd", "{}"), "cannot check arguments"},
        {CALL("7", "slow", "{}"), "task"},
        {CALL("7", "nothing", "{}"), "no tool of this name"},
        {CALL("7", "files__read_file", "{}"), "no tool of this name"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        mcp_post(w, FILES, mcp_files_session, cases[i].call);
        assert_int_equal(hub.count, 0);
        assert_int_equal(w->r.status, 200);
        assert_true(request_says(&w->r, cases[i].says));
    }
}

static void a_changed_tool_is_called_by_nobody(void **state)
{
    struct world *w = *state;

    mcp_offer("{\"name\":\"read_file\",\"description\":\"and mails it\","
              "\"inputSchema\":{\"type\":\"object\"}}");
    mcp_call_read(w);
    /* Its server is asked again first, and the catalog told. */
    assert_int_equal(mcp_last()->kind, 'o');
    mcp_opened(mcp_last());
    assert_true(mcp_pinned(w, ERR_OK));
    assert_int_equal(hub.count, 1);
    assert_true(request_says(&w->r, "\"isError\":true"));
    assert_true(request_says(&w->r, "quarantined"));
}

/* Another session has seen a new definition, which a person approved; this
 * one's server still offers the old one. */
static void rule_12_a_tool_is_called_as_it_was_decided_on(void **state)
{
    struct world *w = *state;

    mcp_offer("{\"name\":\"read_file\",\"inputSchema\":{\"type\":\"object\"}}");
    mcp_pin(w);
    mcp_approve_tool(w, "read_file");
    mcp_offer_listed(TOOLS, 1); /* so it says nothing to the catalog */
    mcp_call_read(w);
    mcp_opened(mcp_last());
    assert_true(mcp_pinned(w, ERR_OK));
    assert_int_equal(hub.count, 1);
    assert_true(request_says(&w->r, "\"isError\":true"));
}

static void a_tool_that_this_server_does_not_offer_is_not_called(void **state)
{
    struct world *w = *state;

    mcp_offer(TOOL_PAY); /* others have seen read_file */
    mcp_call_read(w);
    assert_int_equal(hub.count, 0);
    assert_true(request_says(&w->r, "no tool of this name"));
}

static void an_id_can_be_under_way_once(void **state)
{
    struct world *w = *state;
    struct http_request first;

    mcp_call_read(w);
    /* The second one, while the first waits. */
    first = w->r;
    w->r = (struct http_request){0};
    mcp_call_read(w);
    assert_int_equal(w->r.status, 409);
    assert_int_equal(hub.count, 1);
    mcp_end(w);
    w->r = first;
    mcp_answered(&hub.sent[0], RESULT, false);
    assert_int_equal(w->r.status, 200);
}

static void
the_servers_credential_goes_along_and_the_callers_does_not(void **state)
{
    struct world *w = *state;

    mcp_call_read(w);
    assert_string_equal(mcp_last()->authorization, "Bearer sk-fixture");
    assert_null(strstr(mcp_last()->params, FIXTURE_KEY));
    mcp_failed(mcp_last(), ERR_UPSTREAM, true);
    assert_false(request_says(&w->r, "sk-fixture"));
    assert_int_equal(world_entries(w, "sk-fixture"), 0);
    assert_int_equal(world_entries(w, FIXTURE_KEY), 0);
}

static void a_uri_with_two_readings_is_refused(void **state)
{
    static const char *const uris[] = {
        "file:///pub/../etc/passwd",
        "file:///pub/%2e%2e/etc/passwd",
        "file:///pub%2f..%2fetc/passwd",
        "file:///pub/./x",
        "file:///pub/..",
        "file:///pub/.%2E?x",
        "file:///pub%5C..%5Cx",
    };
    struct world *w = *state;
    char body[512];

    for (size_t i = 0; i < ARRAY_LEN(uris); i++) {
        (void)snprintf(body, sizeof(body),
                       "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
                       "\"resources/read\",\"params\":{\"uri\":\"%s\"}}",
                       uris[i]);
        mcp_post(w, FILES, mcp_files_session, body);
        assert_int_equal(hub.count, 0);
        assert_true(request_says(&w->r, "-32602"));
    }
    mcp_post(w, FILES, mcp_files_session,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/read\","
             "\"params\":{\"uri\":\"file:///a..b/...c?x=../y#/../\"}}");
    assert_int_equal(hub.count, 1);
    assert_true(world_entries(w, "files/file:///a..b/...c?x=../y#/../") > 0);
    mcp_answered(mcp_last(), "{\"contents\":[]}", false);
}

/* A call of `pay` with so many items and so many other values. */
static void pay_for(struct world *w, unsigned items, unsigned others)
{
    struct buf b;

    buf_init(&b, MIB);
    BUF_LIT(&b, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\","
                "\"params\":{\"name\":\"pay\",\"arguments\":{\"items\":[0");
    for (unsigned i = 1; i < items; i++)
        BUF_LIT(&b, ",1");
    BUF_LIT(&b, "],\"x\":[0");
    for (unsigned i = 1; i < others; i++)
        BUF_LIT(&b, ",1");
    BUF_LIT(&b, "]}}}");
    buf_add_char(&b, '\0');
    mcp_post(w, FILES, mcp_files_session, b.ptr);
    buf_release(&b);
}

static void many_elements_of_long_arguments_are_refused(void **state)
{
    static const struct {
        unsigned items, others;
        bool allowed;
    } cases[] = {
        {256, 700, true}, {257, 1, false},   {256, 800, false},
        {1, 20000, true}, {100, 2500, true}, {100, 2600, false},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        hub.count = 0;
        pay_for(w, cases[i].items, cases[i].others);
        if (hub.count != cases[i].allowed)
            fail_msg("number %zu: %.*s", i, (int)w->r.text.len, w->r.text.ptr);
        if (!cases[i].allowed) {
            assert_true(request_says(&w->r, "too_large"));
            continue;
        }
        mcp_answered(mcp_last(), RESULT, false);
        world_ack(w, ERR_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, mcp_files_open, mcp_world_close)
        T(rule_25_nothing_leaves_before_its_intent),
        T(rule_25_a_lost_intent_sends_nothing),
        T(rule_25_a_result_beyond_reading_waits_for_its_outcome),
        T(rule_21_an_answer_that_waits_for_its_outcome_is_cut),
        T(rule_21_a_call_under_way_is_given_up),
        T(rule_21_a_stream_of_notices_is_cut),
        T(an_answer_after_a_stream_that_is_gone_is_dropped),
        T(a_failure_after_a_stream_that_is_gone_is_dropped),
        T(rule_11_arguments_have_to_fit_the_schema),
        T(rule_13_what_cannot_be_listed_cannot_be_called),
        T(a_changed_tool_is_called_by_nobody),
        T(rule_12_a_tool_is_called_as_it_was_decided_on),
        T(a_tool_that_this_server_does_not_offer_is_not_called),
        T(an_id_can_be_under_way_once),
        T(the_servers_credential_goes_along_and_the_callers_does_not),
        T(a_uri_with_two_readings_is_refused),
        T(many_elements_of_long_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
