/* Tests pipeline/mcp_open.c, mcp_gather.c, mcp_listen.c and what
 * mcp_lifecycle.c does with sessions: how they begin, whose they are, and how
 * they end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "identity/proof.h"
#include "mcp_fixture.h"
#include "pipeline/action.h"
#include "pipeline/mcp.h"

#define LIST "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\"}"
#define PING "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"ping\"}"

static char session[33];

static size_t sessions(const struct world *w)
{
    return mcp_sessions_count(w->w.mcp_sessions);
}

/* ---- the beginning ---- */

static void rule_25_a_server_is_opened_when_that_is_recorded(void **state)
{
    struct world *w = *state;

    mcp_prepare(w, FILES, NULL, CAPABLE);
    world_send(w);
    world_key(w, ERR_OK);
    assert_true(world_last(w, "tool:list"));
    assert_int_equal(hub.count, 0);
    world_ack(w, ERR_OK);
    assert_int_equal(hub.count, 1);
    assert_string_equal(mcp_last()->authorization, "Bearer sk-fixture");
    mcp_opened(mcp_last());
    assert_int_equal(w->r.replies, 0); /* its tools are not pinned yet */
    assert_true(mcp_pinned(w, ERR_OK));
    assert_int_equal(w->r.status, 200);
    mcp_session_of(w, session);
    assert_int_equal(sessions(w), 1);
}

static void a_server_that_cannot_be_reached_begins_no_session(void **state)
{
    struct world *w = *state;

    mcp_post(w, FILES, NULL, CAPABLE);
    assert_int_equal(sessions(w), 1); /* its link needs one */
    mcp_failed(mcp_last(), ERR_CONNECT, false);
    assert_int_equal(w->r.status, 502);
    assert_int_equal(sessions(w), 0);
    assert_true(world_entries(w, "not_sent") > 0);
}

static void a_hub_without_room_begins_no_session(void **state)
{
    struct world *w = *state;

    hub.answer = ERR_OVERLOAD;
    mcp_post(w, FILES, NULL, CAPABLE);
    assert_int_equal(w->r.status, 503);
    assert_int_equal(sessions(w), 0);
}

static void tools_that_cannot_be_pinned_begin_no_session(void **state)
{
    struct world *w = *state;

    mcp_post(w, FILES, NULL, CAPABLE);
    mcp_opened(mcp_last());
    assert_true(mcp_pinned(w, ERR_STORE));
    assert_int_equal(w->r.status, 503);
    assert_int_equal(sessions(w), 0);
}

static void a_caller_who_leaves_begins_no_session(void **state)
{
    struct world *w = *state;

    mcp_post(w, FILES, NULL, CAPABLE);
    mcp_end(w);
    assert_true(hub.sent[0].cancelled);
    assert_int_equal(sessions(w), 0);

    mcp_post(w, FILES, NULL, CAPABLE);
    mcp_opened(mcp_last());
    mcp_end(w); /* while the pins are on their way */
    assert_false(mcp_pinned(w, ERR_OK));
    assert_int_equal(sessions(w), 0);
}

static void rule_21_who_is_cut_off_begins_no_session(void **state)
{
    struct world *w = *state;

    mcp_post(w, FILES, NULL, CAPABLE);
    mcp_opened(mcp_last());
    mcp_suspend(w);
    assert_int_equal(w->r.status, 401);
    assert_false(mcp_pinned(w, ERR_OK));
    assert_int_equal(sessions(w), 0);
}

static void what_policy_denies_opens_nothing(void **state)
{
    struct world *w = *state;

    mcp_policies(w, "@id(\"none\") forbid(principal, action, resource);", 0);
    mcp_post(w, FILES, NULL, CAPABLE);
    assert_int_equal(w->r.status, 403);
    assert_int_equal(hub.count, 0);
    assert_int_equal(sessions(w), 0);
}

static void a_deferred_list_is_denied(void **state)
{
    struct world *w = *state;

    mcp_policies(w,
                 PERMIT_ALL "@id(\"a\") @approval(\"finance\") "
                            "forbid(principal, action, resource);",
                 0);
    mcp_post(w, FILES, NULL, CAPABLE);
    assert_int_equal(w->r.status, 403);
    assert_false(request_says(&w->r, "approval_pending"));
    assert_int_equal(hub.count, 0);
}

/* ---- whose it is ---- */

static void expect_no_session(struct world *w, const char *path,
                              const char *method, const char *id)
{
    mcp_prepare(w, path, id, PING);
    w->r.head.method = str_from(method);
    mcp_go(w);
    assert_int_equal(w->r.status, 404);
    assert_true(request_says(&w->r, "there is no such session"));
    assert_int_equal(hub.count, 0);
}

static void rule_38_a_session_is_its_openers_at_its_path(void **state)
{
    static const char *const methods[] = {"POST", "GET", "DELETE"};
    struct world *w = *state;

    mcp_begin(w, FILES, session);
    hub.count = 0;
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        expect_no_session(w, "/mcp", methods[i], session);
        expect_no_session(w, "/mcp/crm", methods[i], session);
        expect_no_session(w, FILES, methods[i],
                          "0123456789abcdef0123456789abcdef");
    }
    assert_int_equal(sessions(w), 1);
    mcp_end(w);

    /* The same key, and another chain. */
    w->registry.alice.who.id = STR("keys|other");
    w->registry.epoch++;
    mcp_prepare(w, FILES, session, PING);
    proof_cache_free(w->w.proofs);
    assert_int_equal(proof_cache_new(loop_seed(w->w.loop), &w->w.proofs),
                     ERR_OK);
    mcp_go(w);
    assert_int_equal(w->r.status, 404);
    assert_true(request_says(&w->r, "there is no such session; begin"));
}

static void rule_32_a_server_of_another_tenant_is_unknown(void **state)
{
    struct world *w = *state;
    struct buf hidden;

    buf_init(&hidden, MIB);
    mcp_post(w, "/mcp/hidden", NULL, CAPABLE);
    assert_int_equal(w->r.status, 404);
    buf_add(&hidden, buf_str(&w->r.text));
    mcp_post(w, "/mcp/nowhere", NULL, CAPABLE);
    assert_int_equal(w->r.status, 404);
    /* They differ by the decision's id alone. */
    assert_int_equal(hidden.len, w->r.text.len);
    assert_int_equal(hub.count, 0);
    buf_release(&hidden);
}

static void a_session_is_ended_by_its_caller(void **state)
{
    struct world *w = *state;

    mcp_begin(w, FILES, session);
    hub.count = 0;
    mcp_prepare(w, FILES, session, NULL);
    w->r.head.method = STR("DELETE");
    mcp_go(w);
    assert_int_equal(w->r.status, 204);
    assert_int_equal(sessions(w), 0);
    mcp_end(w);
    expect_no_session(w, FILES, "POST", session);
}

static void a_message_needs_a_session(void **state)
{
    struct world *w = *state;

    mcp_post(w, FILES, NULL, PING);
    assert_int_equal(w->r.status, 400);
    mcp_begin(w, FILES, session);
    mcp_post(w, FILES, session, PING);
    assert_int_equal(w->r.status, 200);
    assert_true(
        request_says(&w->r, "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}"));
}

static const struct {
    const char *field, *value, *body;
    int status;
} heads[] = {
    {"mcp-protocol-version", "2025-11-25", PING, 200},
    {"mcp-protocol-version", "2024-11-05", PING, 400},
    {"mcp-protocol-version", "1", PING, 400},
    {"mcp-session-id", "0123456789abcdef0123456789abcdef", PING, 400},
    {"mcp-method", "ping", PING, 200},
    {"mcp-method", "tools/list", PING, 400},
    {"mcp-name", "x", PING, 400},
    {"content-encoding", "gzip", PING, 415},
    {"origin", "http://evil.org", PING, 403},
    {"mcp-method", "ping", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", 400},
    {"x", "y", "[" PING "]", 400},
    {"x", "y", "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"ping\",\"x\":1}",
     400},
    {"x", "y", "{\"jsonrpc\":\"2.0\",\"id\":3,\"id\":3,\"method\":\"ping\"}",
     400},
    {"x", "y", "", 400},
};

static void rule_34_heads_and_bodies_are_read_by_allow_lists(void **state)
{
    struct world *w = *state;

    mcp_begin(w, FILES, session);
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        mcp_prepare(w, FILES, session, heads[i].body);
        mcp_add_field(w, heads[i].field, heads[i].value);
        mcp_go(w);
        if (w->r.status != heads[i].status)
            fail_msg("number %zu: %d %.*s", i, w->r.status, (int)w->r.text.len,
                     w->r.text.ptr);
    }
    mcp_prepare(w, FILES, session, PING);
    w->r.head.query = STR("a=b");
    mcp_go(w);
    assert_int_equal(w->r.status, 400);
}

/* ---- lists ---- */

static void lists_show_what_can_be_called(void **state)
{
    struct world *w = *state;

    mcp_begin(w, FILES, session);
    hub.knows = true;
    hub.count = 0;
    mcp_post(w, FILES, session, LIST);
    assert_true(request_says(&w->r, "\"read_file\""));
    assert_true(request_says(&w->r, "\"pay\""));
    assert_false(request_says(&w->r, "\"odd\""));
    assert_false(request_says(&w->r, "\"slow\""));
    mcp_policies(w,
                 PERMIT_ALL "@id(\"no\") forbid(principal, action, resource) "
                            "when { resource has name && resource.name == "
                            "\"pay\" };",
                 0);
    mcp_post(w, FILES, session, LIST);
    assert_true(request_says(&w->r, "\"read_file\""));
    assert_false(request_says(&w->r, "\"pay\""));
    assert_int_equal(hub.count, 0);
}

static void all_servers_are_listed_one_after_the_other(void **state)
{
    struct world *w = *state;

    mcp_begin(w, "/mcp", session);
    mcp_post(w, "/mcp", session, LIST);
    assert_int_equal(hub.count, 1);
    assert_string_equal(mcp_last()->server, "files");
    mcp_opened(mcp_last());
    assert_true(mcp_pinned(w, ERR_OK));
    world_ack(w, ERR_OK);
    assert_int_equal(hub.count, 2);
    assert_string_equal(mcp_last()->server, "crm");
    mcp_failed(mcp_last(), ERR_CONNECT, false);
    assert_int_equal(w->r.status, 200);
    assert_true(request_says(&w->r, "\"files__read_file\""));
    assert_true(request_says(&w->r, "\"writ/unavailable\":[\"crm\"]"));
    assert_false(request_says(&w->r, "hidden"));
}

static void rule_21_a_list_of_all_servers_is_cut(void **state)
{
    struct world *w = *state;

    mcp_begin(w, "/mcp", session);
    mcp_post(w, "/mcp", session, LIST);
    mcp_suspend(w);
    assert_int_equal(w->r.status, 401);
    assert_int_equal(hub.count, 1);
    assert_true(hub.sent[0].cancelled);
}

static void a_tool_of_all_servers_is_decided_on_as_its_servers(void **state)
{
    struct world *w = *state;

    mcp_begin(w, "/mcp", session);
    mcp_pin(w);
    hub.knows = true;
    mcp_post(w, "/mcp", session,
             CALL("7", "files__read_file", "{\"path\":\"a\"}"));
    assert_int_equal(hub.count, 1);
    assert_non_null(strstr(mcp_last()->params, "\"name\":\"read_file\""));
    assert_int_equal(world_entries(w, "\"files/read_file\""), 1);
    mcp_answered(mcp_last(), RESULT, false);
    mcp_post(w, "/mcp", session, CALL("8", "read_file", "{}"));
    assert_true(request_says(&w->r, "no tool of this name"));
    mcp_post(w, "/mcp", session, CALL("9", "hidden__read_file", "{}"));
    assert_true(request_says(&w->r, "no tool of this name"));
    assert_int_equal(hub.count, 1);
}

/* ---- a call that opens its server first ---- */

static void a_call_waits_for_its_server(void **state)
{
    struct world *w = *state;

    mcp_begin(w, FILES, session);
    hub.count = 0; /* the link was closed meanwhile */
    mcp_post(w, FILES, session, CALL("7", "read_file", "{\"path\":\"a\"}"));
    assert_int_equal(hub.count, 1);
    assert_int_equal(mcp_last()->kind, 'o');
    assert_int_equal(w->r.replies, 0);
    mcp_opened(mcp_last());
    world_ack(w, ERR_OK);
    assert_int_equal(hub.count, 2);
    assert_int_equal(mcp_last()->kind, 's');
    mcp_answered(mcp_last(), RESULT, false);
    assert_int_equal(w->r.status, 200);
}

static void a_call_whose_server_cannot_be_opened_is_refused(void **state)
{
    struct world *w = *state;

    mcp_begin(w, FILES, session);
    hub.count = 0;
    mcp_post(w, FILES, session, CALL("7", "read_file", "{}"));
    mcp_failed(mcp_last(), ERR_CONNECT, false);
    assert_int_equal(hub.count, 1);
    assert_true(request_says(&w->r, "\"isError\":true"));
}

static void rule_21_a_call_that_waits_for_its_server_ends(void **state)
{
    struct world *w = *state;

    mcp_begin(w, FILES, session);
    hub.count = 0;
    mcp_post(w, FILES, session, CALL("7", "read_file", "{}"));
    mcp_suspend(w);
    assert_true(hub.sent[0].cancelled);
    assert_int_equal(w->r.status, 401);
}

static void a_reload_meanwhile_changes_nothing_for_it(void **state)
{
    struct world *w = *state;

    mcp_begin(w, FILES, session);
    hub.count = 0;
    mcp_post(w, FILES, session, CALL("7", "read_file", "{}"));
    mcp_policies(w, "@id(\"none\") forbid(principal, action, resource);", 0);
    mcp_opened(mcp_last());
    world_ack(w, ERR_OK);
    assert_int_equal(mcp_last()->kind, 's');
    mcp_answered(mcp_last(), RESULT, false);
    mcp_post(w, FILES, session, CALL("8", "read_file", "{}"));
    assert_true(request_says(&w->r, "\"isError\":true"));
}

/* ---- notices ---- */

static void listen(struct world *w)
{
    mcp_begin(w, FILES, session);
    hub.count = 0;
    mcp_post(w, FILES, session, NULL);
    assert_int_equal(mcp_last()->kind, 'l');
    assert_true(w->r.streamed);
}

static void who_listens_is_told(void **state)
{
    struct world *w = *state;

    listen(w);
    mcp_notice(mcp_last(), METHOD_TOOLS_CHANGED, "{}");
    mcp_notice(mcp_last(), METHOD_CANCELLED, "{\"requestId\":1}");
    request_pull(&w->r);
    assert_true(request_says(&w->r, "notifications/tools/list_changed"));
    assert_false(request_says(&w->r, "cancelled"));
    mcp_failed(mcp_last(), ERR_CONFLICT, false);
    request_pull(&w->r);
    assert_true(w->r.ended);
    assert_int_equal(w->r.why, ERR_OK);
}

static void rule_21_who_listens_and_is_cut_off_hears_no_more(void **state)
{
    struct world *w = *state;

    listen(w);
    mcp_notice(mcp_last(), METHOD_TOOLS_CHANGED, "{}");
    mcp_suspend(w);
    assert_true(hub.sent[0].cancelled);
    assert_true(w->r.cut);
    assert_false(request_says(&w->r, "list_changed"));
}

static void rule_22_who_listens_is_decided_on_again(void **state)
{
    struct world *w = *state;

    listen(w);
    mcp_policies(w, "@id(\"none\") forbid(principal, action, resource);", 0);
    worker_reloaded(&w->w);
    request_pull(&w->r);
    assert_true(w->r.ended);
    assert_int_equal(w->r.why, ERR_OK);
    assert_true(hub.sent[0].cancelled);
    mcp_post(w, FILES, session, NULL);
    assert_int_equal(w->r.status, 403);
    assert_int_equal(hub.count, 1);
}

static void a_node_that_goes_keeps_no_listener(void **state)
{
    struct world *w = *state;

    listen(w);
    worker_drain(&w->w);
    request_pull(&w->r);
    assert_true(w->r.ended);
    assert_true(hub.sent[0].cancelled);
}

static void a_listener_that_is_gone_at_once_leaves_nothing(void **state)
{
    struct world *w = *state;

    mcp_begin(w, FILES, session);
    hub.count = 0;
    mcp_prepare(w, FILES, session, NULL);
    w->r.over = true;
    mcp_go(w);
    assert_true(hub.sent[0].cancelled);
}

/* ---- notifications ---- */

static void a_cancellation_is_passed_on_by_its_number(void **state)
{
    struct world *w = *state;

    mcp_begin(w, FILES, session);
    mcp_post(w, FILES, session,
             "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
             "\"params\":{\"requestId\":7}}");
    assert_int_equal(w->r.status, 202);
    assert_int_equal(hub.words, 0); /* nothing of that id is under way */
}

static void an_answer_is_passed_on_by_its_number(void **state)
{
    static const struct {
        const char *id;
        uint64_t number; /* 0: it is none of ours */
    } ids[] = {
        {"640", 640}, {"\"640\"", 0},           {"-640", 0},
        {"640.0", 0}, {"99999999999999999", 0}, {"0", 0},
    };
    struct world *w = *state;
    char body[256];

    mcp_begin(w, FILES, session);
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        hub.words = 0;
        (void)snprintf(body, sizeof(body),
                       "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"a\":1}}",
                       ids[i].id);
        mcp_post(w, FILES, session, body);
        assert_int_equal(hub.words, ids[i].number != 0);
        if (ids[i].number == 0)
            continue;
        assert_int_equal(w->r.status, 202);
        assert_int_equal(hub.word.number, ids[i].number);
        assert_string_equal(hub.word_text, "{\"a\":1}");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, mcp_world_open, mcp_world_close)
        T(rule_25_a_server_is_opened_when_that_is_recorded),
        T(a_server_that_cannot_be_reached_begins_no_session),
        T(a_hub_without_room_begins_no_session),
        T(tools_that_cannot_be_pinned_begin_no_session),
        T(a_caller_who_leaves_begins_no_session),
        T(rule_21_who_is_cut_off_begins_no_session),
        T(what_policy_denies_opens_nothing),
        T(a_deferred_list_is_denied),
        T(rule_38_a_session_is_its_openers_at_its_path),
        T(rule_32_a_server_of_another_tenant_is_unknown),
        T(a_session_is_ended_by_its_caller),
        T(a_message_needs_a_session),
        T(rule_34_heads_and_bodies_are_read_by_allow_lists),
        T(lists_show_what_can_be_called),
        T(all_servers_are_listed_one_after_the_other),
        T(rule_21_a_list_of_all_servers_is_cut),
        T(a_tool_of_all_servers_is_decided_on_as_its_servers),
        T(a_call_waits_for_its_server),
        T(a_call_whose_server_cannot_be_opened_is_refused),
        T(rule_21_a_call_that_waits_for_its_server_ends),
        T(a_reload_meanwhile_changes_nothing_for_it),
        T(who_listens_is_told),
        T(rule_21_who_listens_and_is_cut_off_hears_no_more),
        T(rule_22_who_listens_is_decided_on_again),
        T(a_node_that_goes_keeps_no_listener),
        T(a_listener_that_is_gone_at_once_leaves_nothing),
        T(a_cancellation_is_passed_on_by_its_number),
        T(an_answer_is_passed_on_by_its_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
