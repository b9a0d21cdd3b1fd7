/* Tests pipeline/standing and pipeline/worker: who is looked up, and what ends
 * at each border of the table when somebody is cut off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "fixture.h"
#include "pipeline/action.h"
#include "pipeline/exchange.h"

/* Alice is suspended, and every worker is told. */
static void suspend(struct world *w)
{
    w->registry.standing = ERR_REVOKED;
    w->registry.epoch++;
    worker_revoked(&w->w);
}

static void expect_refused(struct world *w, enum err standing, int status,
                           const char *code)
{
    w->registry.standing = standing;
    world_ask(w, CHAT, PLAIN_BODY);
    assert_int_equal(w->r.status, status);
    assert_true(request_says(&w->r, code));
    assert_int_equal(w->client.count, 0);
    assert_int_equal(w->keeper.asked, 0); /* no session for who may not act */
    assert_true(world_last(w, code));
    world_done(w, ERR_OK);
}

static void rule_01_every_link_has_to_be_alive(void **state)
{
    expect_refused(*state, ERR_REVOKED, 401, "revoked");
    expect_refused(*state, ERR_INACTIVE, 403, "not_active");
}

static void rule_01_a_link_without_an_entry_denies_and_is_told(void **state)
{
    struct world *w = *state;

    w->registry.hidden = true; /* proven, as by an issuer, and not known */
    expect_refused(w, ERR_OK, 403, "not_registered");
    assert_int_equal(w->registry.discovered, 1);
}

static void rule_04_a_delegated_agent_needs_its_user(void **state)
{
    struct world *w = *state;

    w->registry.alice.who.kind = PRINCIPAL_AGENT;
    w->registry.alice.who.id = STR("acme/alice");
    w->registry.alice.mode = REGISTRY_DELEGATED;
    expect_refused(w, ERR_OK, 403, "subject_required");
}

static void rule_05_purpose_is_the_registered_one(void **state)
{
    struct world *w = *state;

    world_prepare(w, CHAT, PLAIN_BODY);
    w->r.fields[2] = (struct http_field){STR("writ-purpose"), STR("evil")};
    w->r.head.fields.count = 3;
    world_send(w);
    world_key(w, ERR_OK);
    assert_true(world_last(w, "\"purpose\":\"testing\""));
    assert_int_equal(world_entries(w, "evil"), 0);
}

static void rule_05_of_several_purposes_none_is_implied(void **state)
{
    static const struct str two[] = {STR_INIT("testing"), STR_INIT("billing")};
    struct world *w = *state;

    w->registry.alice.purposes = two;
    w->registry.alice.purpose_count = 2;
    world_ask(w, CHAT, PLAIN_BODY);
    world_key(w, ERR_OK);
    assert_true(world_last(w, "\"kind\":\"intent\""));
    assert_int_equal(world_entries(w, "\"purpose\""), 0);
}

/* At which border, and what has been recorded by then. */
static void rule_21_before_the_session_has_its_key(void **state)
{
    struct world *w = *state;

    world_ask(w, CHAT, PLAIN_BODY);
    assert_non_null(w->keeper.wait);
    suspend(w);
    assert_int_equal(w->r.status, 401);
    assert_int_equal(w->client.count, 0);
    assert_int_equal(world_entries(w, "\"kind\":\"intent\""), 0);
}

static void rule_21_while_the_intent_is_on_its_way(void **state)
{
    struct world *w = *state;

    world_ask(w, CHAT, PLAIN_BODY);
    world_key(w, ERR_OK);
    suspend(w);
    assert_int_equal(w->r.status, 401);
    world_ack(w, ERR_OK);
    assert_int_equal(w->client.count, 0); /* recorded, and never sent */
    assert_true(world_last(w, "\"status\":\"not_sent\""));
}

static void rule_21_while_the_destination_thinks(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, PLAIN_BODY, 1);

    suspend(w);
    assert_true(c->cancelled);
    assert_int_equal(w->r.status, 401);
    assert_true(request_says(&w->r, "revoked"));
    assert_true(world_last(w, "\"code\":\"revoked\""));
}

static void
rule_21_in_mid_stream_the_caller_is_told_and_no_more_comes(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, STREAM_BODY, 1);

    call_head(c, 200, SSE_TYPE);
    request_pull(&w->r);
    call_piece(c, CHUNK, false, ERR_OK);
    request_pull(&w->r);
    suspend(w);
    assert_true(c->cancelled);
    assert_true(request_says(&w->r, "\"code\":\"revoked\""));
    assert_true(world_last(w, "\"status\":\"interrupted\""));
    request_pull(&w->r);
    assert_true(w->r.ended);
    assert_int_equal(w->r.why, ERR_REVOKED);
}

static void rule_21_who_lags_behind_is_cut_without_a_word(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, STREAM_BODY, 1);

    call_head(c, 200, SSE_TYPE);
    request_pull(&w->r);
    call_piece(c, CHUNK, false, ERR_OK);
    suspend(w); /* its connection still holds what it has not taken */
    assert_true(c->cancelled);
    assert_true(w->r.cut);
    assert_true(world_last(w, "\"status\":\"interrupted\""));
}

static void rule_21_who_has_lost_their_owner_is_cut_as_well(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, STREAM_BODY, 1);

    call_head(c, 200, SSE_TYPE);
    request_pull(&w->r);
    call_piece(c, CHUNK, false, ERR_OK);
    w->registry.standing = ERR_INACTIVE;
    w->registry.epoch++;
    worker_revoked(&w->w);
    assert_true(c->cancelled);
    assert_true(w->r.cut);
}

/* With HTTP/2 a piece is asked for before the one before it has left. */
static void rule_21_a_slow_connection_is_cut_without_a_word(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, STREAM_BODY, 1);

    call_head(c, 200, SSE_TYPE);
    request_pull(&w->r);
    call_piece(c, CHUNK, false, ERR_OK);
    request_pull(&w->r);
    w->r.queued = true;
    suspend(w);
    assert_true(w->r.cut);
    assert_false(request_says(&w->r, "revoked"));
}

static void rule_21_an_answer_that_has_not_left_is_cut(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, PLAIN_BODY, 1);

    call_head(c, 200, JSON_TYPE);
    call_piece(c, ANSWER, true, ERR_OK);
    assert_int_equal(w->r.status, 200);
    assert_true(list_empty(&w->w.actions));
    w->registry.epoch++;
    worker_revoked(&w->w); /* of somebody else */
    assert_false(w->r.cut);
    suspend(w);
    assert_true(w->r.cut);
    assert_true(list_empty(&w->w.leaving));
    world_done(w, ERR_CLOSED);
}

static void rule_21_an_answer_that_has_left_is_forgotten(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, PLAIN_BODY, 1);

    call_head(c, 200, JSON_TYPE);
    call_piece(c, ANSWER, true, ERR_OK);
    world_done(w, ERR_OK);
    assert_true(list_empty(&w->w.leaving));
    suspend(w);
    assert_false(w->r.cut);
}

static void rule_21_a_key_that_was_replaced_ends_what_it_began(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, PLAIN_BODY, 1);
    const struct registry_key other = {.fingerprint = STR("ffffffffffffffff"),
                                       .expires_us = INT64_MAX};

    w->registry.alice.keys = &other;
    w->registry.epoch++;
    worker_revoked(&w->w);
    assert_true(c->cancelled);
    assert_int_equal(w->r.status, 401);
    assert_true(request_says(&w->r, "revoked"));
}

static void a_change_that_does_not_matter_ends_nothing(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, PLAIN_BODY, 1);

    w->registry.epoch++;
    worker_revoked(&w->w);
    assert_false(c->cancelled);
    call_head(c, 200, JSON_TYPE);
    call_piece(c, ANSWER, true, ERR_OK);
    assert_int_equal(w->r.status, 200);
}

static void an_ended_session_ends_what_is_under_way_in_it(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, PLAIN_BODY, 1);
    struct exchange *x = w->r.user;

    assert_true(
        session_table_end(w->w.sessions, session_id(x->action->session)));
    worker_revoked(&w->w);
    assert_true(c->cancelled);
    assert_int_equal(w->r.status, 401);
}

static void rule_22_what_outlives_its_registration_is_found(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, PLAIN_BODY, 1);

    w->registry.standing = ERR_INACTIVE; /* it has expired: no event says so */
    worker_recheck(&w->w, false);
    assert_false(c->cancelled);
    worker_recheck(&w->w, true);
    assert_true(c->cancelled);
    assert_int_equal(w->r.status, 403);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(rule_01_every_link_has_to_be_alive),
        TEST(rule_01_a_link_without_an_entry_denies_and_is_told),
        TEST(rule_04_a_delegated_agent_needs_its_user),
        TEST(rule_05_purpose_is_the_registered_one),
        TEST(rule_05_of_several_purposes_none_is_implied),
        TEST(rule_21_before_the_session_has_its_key),
        TEST(rule_21_while_the_intent_is_on_its_way),
        TEST(rule_21_while_the_destination_thinks),
        TEST(rule_21_in_mid_stream_the_caller_is_told_and_no_more_comes),
        TEST(rule_21_who_lags_behind_is_cut_without_a_word),
        TEST(rule_21_who_has_lost_their_owner_is_cut_as_well),
        TEST(rule_21_a_slow_connection_is_cut_without_a_word),
        TEST(rule_21_an_answer_that_has_not_left_is_cut),
        TEST(rule_21_an_answer_that_has_left_is_forgotten),
        TEST(rule_21_a_key_that_was_replaced_ends_what_it_began),
        TEST(a_change_that_does_not_matter_ends_nothing),
        TEST(an_ended_session_ends_what_is_under_way_in_it),
        TEST(rule_22_what_outlives_its_registration_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
