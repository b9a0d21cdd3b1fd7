/* Tests pipeline/attempt through the table: every intent gets its outcome,
 * and what never became one ends as a refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"
#include "pipeline/action.h"
#include "pipeline/exchange.h"

#define INTENT "\"kind\":\"intent\""
#define OUTCOME "\"kind\":\"outcome\""
#define REFUSAL "\"kind\":\"refusal\""
#define SERVER_ERROR "{\"error\":{\"code\":\"server_error\"}}"

/* Up to the intent, which the ledger has not answered yet. */
static void ask_until_recorded(struct world *w, const char *body)
{
    world_ask(w, CHAT, body);
    world_key(w, ERR_OK);
    assert_true(world_last(w, INTENT));
}

static void rule_25_nothing_is_sent_before_its_intent_is_durable(void **state)
{
    struct world *w = *state;

    ask_until_recorded(w, PLAIN_BODY);
    world_turn(w);
    assert_int_equal(w->client.count, 0);
    world_ack(w, ERR_OK);
    assert_int_equal(w->client.count, 1);
    assert_int_equal(w->r.replies, 0);
}

static void rule_25_an_intent_that_is_lost_lets_nothing_out(void **state)
{
    struct world *w = *state;

    ask_until_recorded(w, PLAIN_BODY);
    world_ack(w, ERR_EVIDENCE);
    assert_int_equal(w->client.count, 0);
    assert_int_equal(w->r.status, 503);
    assert_true(request_says(&w->r, "evidence_unavailable"));
}

static void rule_25_no_ledger_lets_nothing_out(void **state)
{
    struct world *w = *state;

    w->ledger.answer = ERR_EVIDENCE;
    world_ask(w, CHAT, PLAIN_BODY);
    world_key(w, ERR_OK);
    assert_int_equal(w->client.count, 0);
    assert_int_equal(w->r.status, 503);
}

static void rule_25_an_abandoned_intent_is_closed_as_not_sent(void **state)
{
    struct world *w = *state;

    ask_until_recorded(w, PLAIN_BODY);
    world_done(w, ERR_CLOSED);
    assert_int_equal(world_entries(w, OUTCOME), 0);
    world_ack(w, ERR_OK);
    assert_int_equal(w->client.count, 0);
    assert_true(world_last(w, "\"status\":\"not_sent\""));
    assert_true(world_last(w, "\"tenant\":\"acme\""));
    assert_int_equal(w->ledger.how[w->ledger.count - 1].closes,
                     w->ledger.count - 2);
    assert_int_equal(world_entries(w, REFUSAL), 0);
}

static void an_abandoned_intent_that_is_lost_needs_no_outcome(void **state)
{
    struct world *w = *state;

    ask_until_recorded(w, PLAIN_BODY);
    world_done(w, ERR_CLOSED);
    world_ack(w, ERR_EVIDENCE);
    assert_int_equal(world_entries(w, OUTCOME), 0);
}

static void rule_23_each_attempt_has_its_own_intent_and_outcome(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, PAIR_BODY, 1);

    call_head(c, 500, JSON_TYPE);
    call_piece(c, SERVER_ERROR, true, ERR_OK);
    assert_int_equal(w->client.count, 1); /* not before the second intent */
    assert_int_equal(world_entries(w, INTENT), 2);
    assert_true(world_last(w, "\"provider\":\"two\""));
    world_ack(w, ERR_OK);
    assert_int_equal(w->client.count, 2);
    c = &w->client.calls[1];
    assert_true(str_eq(c->host, STR("two.example")));
    call_head(c, 200, JSON_TYPE);
    call_piece(c, ANSWER, true, ERR_OK);
    assert_int_equal(w->r.status, 200);
    assert_int_equal(world_entries(w, OUTCOME), 2);
}

static void rule_23_what_left_is_not_repeated(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, PAIR_BODY, 1);

    call_fail(c, ERR_UPSTREAM, true);
    assert_int_equal(world_entries(w, INTENT), 1);
    assert_int_equal(w->r.status, 502);
}

static void rule_23_what_did_not_leave_goes_elsewhere(void **state)
{
    struct world *w = *state;

    call_fail(world_call(w, CHAT, PAIR_BODY, 1), ERR_CONNECT, false);
    world_ack(w, ERR_OK);
    assert_int_equal(w->client.count, 2);
    call_fail(&w->client.calls[1], ERR_UPSTREAM, true);
    assert_int_equal(world_entries(w, OUTCOME), 2);
}

/* What was kept of the first answer must not be there at the end. */
static void an_error_and_then_no_connection_ends(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, PAIR_BODY, 1);

    call_head(c, 500, JSON_TYPE);
    call_piece(c, SERVER_ERROR, true, ERR_OK);
    world_ack(w, ERR_OK);
    call_fail(&w->client.calls[1], ERR_UPSTREAM, true);
    assert_int_equal(w->r.status, 502);
}

static void an_error_and_then_a_lost_intent_ends(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, PAIR_BODY, 1);

    call_head(c, 500, JSON_TYPE);
    call_piece(c, SERVER_ERROR, true, ERR_OK);
    world_ack(w, ERR_EVIDENCE);
    assert_int_equal(w->r.status, 503);
    assert_int_equal(world_entries(w, OUTCOME), 1);
}

static void an_error_and_then_a_caller_who_leaves_ends(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, PAIR_BODY, 1);

    call_head(c, 500, JSON_TYPE);
    call_piece(c, SERVER_ERROR, true, ERR_OK);
    world_done(w, ERR_CLOSED);
    world_ack(w, ERR_OK);
    assert_int_equal(world_entries(w, OUTCOME), 2);
}

static void an_error_that_is_cut_short_ends(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, PLAIN_BODY, 1);

    call_head(c, 500, JSON_TYPE);
    call_piece(c, "{", false, ERR_OK);
    call_piece(c, "", false, ERR_UPSTREAM);
    assert_int_equal(w->r.status, 502);
    assert_true(world_last(w, "\"status\":\"failed\""));
}

static void a_request_that_cannot_be_sent_gets_its_outcome(void **state)
{
    struct world *w = *state;

    w->client.answer = ERR_OVERLOAD;
    ask_until_recorded(w, PLAIN_BODY);
    world_ack(w, ERR_OK);
    assert_int_equal(world_entries(w, OUTCOME), 1);
    assert_int_equal(w->r.status, 503);
}

static void a_refusal_before_any_intent_is_an_entry(void **state)
{
    struct world *w = *state;

    world_ask(w, CHAT, "{\"model\":\"other\",\"messages\":[]}");
    world_key(w, ERR_OK);
    assert_int_equal(w->client.count, 0);
    assert_int_equal(world_entries(w, REFUSAL), 1);
    assert_int_equal(world_entries(w, INTENT), 0);
}

static void a_session_without_a_keeper_leaves_no_entry(void **state)
{
    struct world *w = *state;

    w->keeper.answer = ERR_KEEPER;
    world_ask(w, CHAT, PLAIN_BODY);
    world_turn(w);
    assert_int_equal(w->r.status, 503);
    assert_int_equal(world_entries(w, "\"kind\":\"session\""), 0);
    assert_int_equal(world_entries(w, REFUSAL), 1);

    /* And the next call begins a new one. */
    world_done(w, ERR_OK);
    w->keeper.answer = ERR_OK;
    ask_until_recorded(w, PLAIN_BODY);
    assert_int_equal(world_entries(w, "\"kind\":\"session\""), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rule_25_nothing_is_sent_before_its_intent_is_durable),
        TEST(rule_25_an_intent_that_is_lost_lets_nothing_out),
        TEST(rule_25_no_ledger_lets_nothing_out),
        TEST(rule_25_an_abandoned_intent_is_closed_as_not_sent),
        TEST(an_abandoned_intent_that_is_lost_needs_no_outcome),
        TEST(rule_23_each_attempt_has_its_own_intent_and_outcome),
        TEST(rule_23_what_left_is_not_repeated),
        TEST(rule_23_what_did_not_leave_goes_elsewhere),
        TEST(an_error_and_then_no_connection_ends),
        TEST(an_error_and_then_a_lost_intent_ends),
        TEST(an_error_and_then_a_caller_who_leaves_ends),
        TEST(an_error_that_is_cut_short_ends),
        TEST(a_request_that_cannot_be_sent_gets_its_outcome),
        TEST(a_refusal_before_any_intent_is_an_entry),
        TEST(a_session_without_a_keeper_leaves_no_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
