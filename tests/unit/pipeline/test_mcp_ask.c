/* Tests pipeline/mcp_ask.c and pipeline/mcp_relay.c: what servers say and ask
 * in the middle of a call, and whose answers count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/container.h"
#include "mcp_fixture.h"
#include "pipeline/action.h"
#include "pipeline/mcp.h"

#define SAMPLE                                                                 \
    "{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\","        \
    "\"text\":\"hi\"}}],\"maxTokens\":9}"
#define NOTICES "{\"level\":\"info\",\"data\":1}"

/* The child that asks, which has none of its own. */
static struct action *asking(struct world *w)
{
    return list_empty(&w->w.asks)
               ? NULL
               : CONTAINER_OF(list_first(&w->w.asks), struct mcp_call, node)
                     ->action;
}

/* What waits in the stream goes to the caller. */
static void read_all(struct world *w)
{
    if (!w->r.pulling)
        request_pull(&w->r);
}

/* The server asks, and the caller has it. */
static struct action *ask(struct world *w)
{
    mcp_asks(mcp_last(), METHOD_SAMPLE, "900", SAMPLE);
    world_ack(w, ERR_OK);
    read_all(w);
    assert_non_null(asking(w));
    return asking(w);
}

static void say(struct world *w, uint64_t number, struct mcp_session *s,
                const char *text)
{
    const struct hub_word word = {.number = number,
                                  .session = s,
                                  .text = str_from(text)};

    mcp_ask_word(&w->w, &word);
}

static void
rule_25_what_a_server_asks_is_recorded_before_it_is_told(void **state)
{
    struct world *w = *state;

    mcp_call_read(w);
    size_t before = world_entries(w, "\"kind\":\"intent\"");
    mcp_asks(mcp_last(), METHOD_SAMPLE, "900", SAMPLE);
    assert_int_equal(world_entries(w, "\"kind\":\"intent\""), before + 1);
    assert_true(world_last(w, "sampling:create"));
    assert_true(world_last(w, "\"parent\""));
    assert_int_equal(w->r.replies, 0);
    world_ack(w, ERR_OK);
    assert_true(w->r.streamed);
    read_all(w);
    assert_true(request_says(&w->r, "\"method\":\"sampling/createMessage\""));
    assert_false(request_says(&w->r, "\"id\":900")); /* the server's own */

    struct action *child = asking(w);
    say(w, mcp_of(child)->call.number, mcp_of(child)->session,
        "{\"role\":\"assistant\"}");
    assert_int_equal(hub.answer_count, 1);
    assert_string_equal(hub.answers[0].id, "900");
    assert_string_equal(hub.answers[0].text, "{\"role\":\"assistant\"}");
    assert_false(hub.answers[0].is_error);
    mcp_answered(mcp_last(), RESULT, false);
    read_all(w);
    assert_true(request_says(&w->r, "done"));
}

static void a_word_of_another_session_is_nobodys(void **state)
{
    struct world *w = *state;
    struct mcp_session *other;
    const struct mcp_session_about about = {.server = STR("files")};

    assert_int_equal(mcp_sessions_open(w->w.mcp_sessions, &about, 1000, 0,
                                       &other),
                     ERR_OK);
    mcp_call_read(w);
    uint64_t number = mcp_of(ask(w))->call.number;
    say(w, number, other, "{}");
    say(w, number + 64, mcp_of(asking(w))->session, "{}");
    assert_int_equal(hub.answer_count, 0);
    const struct hub_word word = {.number = mcp_last()->number,
                                  .session = other,
                                  .is_cancel = true};
    mcp_ask_word(&w->w, &word);
    assert_non_null(mcp_last()->call);
    mcp_session_unref(other);
    mcp_answered(mcp_last(), RESULT, false);
}

static void rule_21_an_answer_of_who_is_cut_off_is_not_passed_on(void **state)
{
    struct world *w = *state;

    mcp_call_read(w);
    struct action *child = ask(w);
    /* This worker has not been told yet. */
    w->registry.standing = ERR_REVOKED;
    w->registry.epoch++;
    say(w, mcp_of(child)->call.number, mcp_of(child)->session,
        "{\"role\":\"assistant\"}");
    assert_int_equal(hub.answer_count, 1);
    assert_true(hub.answers[0].is_error);
    worker_revoked(&w->w);
    read_all(w);
    assert_true(w->r.ended);
    assert_true(request_says(&w->r, "revoked"));
}

static void what_policy_denies_is_answered_with_an_error(void **state)
{
    struct world *w = *state;

    mcp_policies(w,
                 PERMIT_ALL "@id(\"no\") forbid(principal, action == "
                            "Writ::Action::\"sampling:create\", resource);",
                 0);
    mcp_call_read(w);
    mcp_asks(mcp_last(), METHOD_SAMPLE, "900", SAMPLE);
    assert_int_equal(hub.answer_count, 1);
    assert_true(hub.answers[0].is_error);
    assert_int_equal(w->r.replies, 0); /* the call itself goes on */
    mcp_answered(mcp_last(), RESULT, false);
    assert_int_equal(w->r.status, 200);
}

static const struct {
    enum method method;
    const char *text;
} refused[] = {
    {METHOD_ELICIT, "{\"message\":\"?\"}"}, /* not configured */
    {METHOD_ROOTS_LIST, "{}"},
    {METHOD_SAMPLE, "{\"messages\":[]}"},
    {METHOD_SAMPLE, "{"},
    {METHOD_SAMPLE, "{\"messages\":[],\"messages\":[]}"},
};

static void what_is_no_question_is_answered_with_an_error(void **state)
{
    struct world *w = *state;

    mcp_call_read(w);
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        mcp_asks(mcp_last(), refused[i].method, "900", refused[i].text);
        world_ack(w, ERR_OK);
        assert_int_equal(hub.answer_count, i + 1);
        assert_true(hub.answers[i].is_error);
    }
    assert_int_equal(w->r.replies, 0);
    mcp_answered(mcp_last(), RESULT, false);
}

static void who_takes_no_stream_is_not_asked(void **state)
{
    struct world *w = *state;

    mcp_prepare(w, FILES, mcp_files_session, CALL("7", "read_file", "{}"));
    w->r.fields[2].value = STR("application/json");
    mcp_go(w);
    mcp_notice(mcp_last(), METHOD_LOG, NOTICES);
    mcp_asks(mcp_last(), METHOD_SAMPLE, "900", SAMPLE);
    assert_int_equal(hub.answer_count, 1);
    assert_true(hub.answers[0].is_error);
    mcp_answered(mcp_last(), RESULT, false);
    assert_false(w->r.streamed);
}

static void what_a_server_takes_back_is_told_by_our_number(void **state)
{
    struct world *w = *state;
    char ours[96];

    mcp_call_read(w);
    (void)snprintf(ours, sizeof(ours), "\"requestId\":%llu",
                   (unsigned long long)mcp_of(ask(w))->call.number);
    mcp_notice(mcp_last(), METHOD_CANCELLED, "{\"requestId\":901}");
    assert_non_null(asking(w)); /* it asked nothing by that id */
    mcp_notice(mcp_last(), METHOD_CANCELLED, "{\"requestId\":900}");
    assert_null(asking(w));
    read_all(w);
    assert_true(request_says(&w->r, ours));
    assert_false(request_says(&w->r, "90"));
    mcp_answered(mcp_last(), RESULT, false);
}

static void what_is_taken_back_before_it_was_told_is_not_told(void **state)
{
    struct world *w = *state;

    mcp_call_read(w);
    mcp_asks(mcp_last(), METHOD_SAMPLE, "900", SAMPLE);
    mcp_notice(mcp_last(), METHOD_CANCELLED, "{\"requestId\":900}");
    world_ack(w, ERR_OK);
    assert_int_equal(w->r.replies, 0);
    mcp_answered(mcp_last(), RESULT, false);
    assert_false(w->r.streamed);
}

static void an_answer_ends_what_is_still_asked(void **state)
{
    struct world *w = *state;

    mcp_call_read(w);
    struct mcp_session *s = mcp_of(ask(w))->session;
    uint64_t number = mcp_of(asking(w))->call.number;
    mcp_answered(mcp_last(), RESULT, false);
    assert_null(asking(w));
    say(w, number, s, "{}");
    assert_int_equal(hub.answer_count, 0);
    read_all(w);
    assert_true(request_says(&w->r, "done"));
}

static void a_caller_who_leaves_ends_what_is_asked(void **state)
{
    struct world *w = *state;

    mcp_call_read(w);
    (void)ask(w);
    mcp_end(w);
    assert_null(asking(w));
    assert_true(hub.sent[0].cancelled);
}

static void a_caller_cancels_what_is_under_way(void **state)
{
    struct world *w = *state;

    mcp_call_read(w);
    struct mcp_session *s =
        mcp_of(CONTAINER_OF(list_first(&w->w.actions), struct action, node))
            ->session;
    const struct hub_word word = {.number = mcp_last()->number,
                                  .session = s,
                                  .is_cancel = true};
    mcp_ask_word(&w->w, &word);
    assert_true(hub.sent[0].cancelled);
    assert_int_equal(w->r.replies, 1);
    mcp_ask_word(&w->w, &word); /* there is none any more */
}

static void
a_slow_caller_gets_the_next_notice_when_it_took_the_last(void **state)
{
    struct world *w = *state;

    mcp_call_read(w);
    mcp_notice(mcp_last(), METHOD_LOG, NOTICES);
    assert_int_equal(hub.nexts, 0);
    read_all(w);
    assert_int_equal(hub.nexts, 1);
    mcp_notice(mcp_last(), METHOD_LOG, "{\"level\":\"unheard of\"}");
    assert_int_equal(hub.nexts, 2); /* nothing to wait for */
    mcp_answered(mcp_last(), RESULT, false);
}

static void progress_comes_under_the_callers_token(void **state)
{
    struct world *w = *state;
    char ours[96];

    mcp_post(w, FILES, mcp_files_session,
             "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\","
             "\"params\":{\"name\":\"read_file\",\"arguments\":{},\"_meta\":{"
             "\"progressToken\":\"mine\"}}}");
    (void)snprintf(ours, sizeof(ours), "\"progressToken\":%llu",
                   (unsigned long long)mcp_last()->number);
    assert_non_null(strstr(mcp_last()->params, ours));
    assert_null(strstr(mcp_last()->params, "mine"));
    mcp_notice(mcp_last(), METHOD_PROGRESS,
               "{\"progressToken\":384,\"progress\":1}");
    read_all(w);
    assert_true(request_says(&w->r, "\"progressToken\":\"mine\""));
    mcp_answered(mcp_last(), RESULT, false);
}

static void progress_that_nobody_asked_for_is_not_told(void **state)
{
    struct world *w = *state;

    mcp_call_read(w);
    mcp_notice(mcp_last(), METHOD_PROGRESS,
               "{\"progressToken\":384,\"progress\":1}");
    mcp_answered(mcp_last(), RESULT, false);
    assert_false(w->r.streamed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, mcp_files_open, mcp_world_close)
        T(rule_25_what_a_server_asks_is_recorded_before_it_is_told),
        T(a_word_of_another_session_is_nobodys),
        T(rule_21_an_answer_of_who_is_cut_off_is_not_passed_on),
        T(what_policy_denies_is_answered_with_an_error),
        T(what_is_no_question_is_answered_with_an_error),
        T(who_takes_no_stream_is_not_asked),
        T(what_a_server_takes_back_is_told_by_our_number),
        T(what_is_taken_back_before_it_was_told_is_not_told),
        T(an_answer_ends_what_is_still_asked),
        T(a_caller_who_leaves_ends_what_is_asked),
        T(a_caller_cancels_what_is_under_way),
        T(a_slow_caller_gets_the_next_notice_when_it_took_the_last),
        T(progress_comes_under_the_callers_token),
        T(progress_that_nobody_asked_for_is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
