/* Tests admin/changes: what is given waits for its evidence, what is taken
 * does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"

#define WRITER                                                                 \
    "{\"name\":\"writer\",\"owner\":\"alice\",\"purposes\":[\"p\"],"           \
    "\"mode\":\"autonomous\",\"expires\":\"30d\"}"

static int open_with_writer(void **state)
{
    int e = fixture_open(state);
    struct fixture *f = *state;
    fixture_do(f, "POST", "agents", WRITER);
    assert_int_equal(f->status, 201);
    return e;
}

static void test_what_is_given_waits_for_evidence_and_workers(void **state)
{
    struct fixture *f = *state;

    fixture_ask(f, "POST", "agents", WRITER);
    assert_int_equal(f->replies, 0);
    assert_int_equal(fixture_state(f, "writer"), REGISTRY_NONE);
    fixture_ack(f, ERR_OK);
    assert_int_equal(fixture_state(f, "writer"), REGISTRY_ACTIVE);
    assert_int_equal(f->replies, 0);
    fixture_spread(f);
    assert_int_equal(f->status, 201);
    assert_true(fixture_says(f, "\"key\":\"writ_"));
    assert_int_equal(fixture_entries(f, "\"event\":\"add\""), 2);
    assert_int_equal(fixture_entries(f, "\"author\":{\"id\":\"local|ada\","
                                        "\"method\":\"login\"}"),
                     2);
}

static void test_what_is_given_needs_evidence(void **state)
{
    struct fixture *f = *state;

    fixture_ask(f, "POST", "agents", WRITER);
    fixture_ack(f, ERR_EVIDENCE);
    assert_int_equal(f->status, 503);
    assert_int_equal(fixture_state(f, "writer"), REGISTRY_NONE);
    f->ledger.answer = ERR_EVIDENCE;
    fixture_ask(f, "POST", "agents", WRITER);
    assert_int_equal(f->status, 503);
    assert_int_equal(fixture_state(f, "writer"), REGISTRY_NONE);
}

static void test_rule_21_what_is_taken_is_gone_before_its_evidence(void **state)
{
    struct fixture *f = *state;

    fixture_ask(f, "POST", "agents/acme/writer/suspend", "{\"reason\":\"r\"}");
    assert_int_equal(fixture_state(f, "writer"), REGISTRY_SUSPENDED);
    assert_int_equal(fixture_entries(f, "suspend"), 0);
    assert_int_equal(f->spread_count, 1);
    fixture_spread(f);
    assert_int_equal(fixture_entries(f, "\"event\":\"suspend\""), 1);
    assert_int_equal(fixture_entries(f, "\"kind\":\"revocation\""), 1);
    assert_int_equal(f->replies, 0);
    fixture_ack(f, ERR_OK);
    assert_int_equal(f->status, 200);
    assert_true(fixture_says(f, "\"state\":\"suspended\""));
    assert_true(fixture_says(f, "\"durable\":true"));
}

static void test_rule_26_taking_does_not_fail_for_want_of_evidence(void **state)
{
    struct fixture *f = *state;
    bool wrote = false;

    f->ledger.answer = ERR_EVIDENCE;
    fixture_ask(f, "POST", "agents/acme/writer/suspend", "");
    fixture_spread(f);
    assert_int_equal(f->status, 200);
    assert_true(fixture_says(f, "\"durable\":false"));
    assert_int_equal(fixture_state(f, "writer"), REGISTRY_SUSPENDED);

    /* Nothing is given back before that is in evidence. */
    fixture_ask(f, "POST", "agents/acme/writer/resume", "");
    assert_int_equal(f->status, 409);

    f->ledger.answer = ERR_OK;
    for (int i = 0; i < 1000 && !wrote; i++) {
        fixture_run(f, NULL);
        wrote = fixture_entries(f, "\"event\":\"suspend\"") == 1;
    }
    assert_true(wrote);
    fixture_ack(f, ERR_OK);
    fixture_do(f, "POST", "agents/acme/writer/resume", "");
    assert_int_equal(f->status, 200);
    assert_int_equal(fixture_state(f, "writer"), REGISTRY_ACTIVE);
}

static void test_a_suspension_wins_over_what_waits_for_evidence(void **state)
{
    struct fixture *f = *state;

    fixture_ask(f, "POST", "agents/acme/writer/rotate", "{\"grace\":\"0\"}");
    fixture_ask(f, "POST", "agents/acme/writer/suspend", "");
    fixture_ack(f, ERR_OK); /* of the new key: it comes too late */
    assert_int_equal(fixture_state(f, "writer"), REGISTRY_SUSPENDED);
    fixture_spread(f);
    fixture_ack(f, ERR_OK);
    assert_int_equal(f->status, 200);
    assert_int_equal(fixture_state(f, "writer"), REGISTRY_SUSPENDED);
}

/* Both would follow the same entry: a replay of the evidence after a restart
 * would let the one come to pass that was refused. */
static void test_rule_21_of_two_changes_at_a_time_one_is_begun(void **state)
{
    struct fixture *f = *state;

    fixture_do(f, "POST", "agents/acme/writer/suspend", "");
    fixture_ask(f, "POST", "agents/acme/writer/rotate", "{\"grace\":\"0\"}");
    fixture_ask(f, "POST", "agents/acme/writer/resume", "");
    assert_int_equal(f->status, 409);
    assert_int_equal(fixture_entries(f, "\"event\":\"resume\""), 0);
    fixture_ack(f, ERR_OK);
    fixture_spread(f);
    assert_int_equal(fixture_state(f, "writer"), REGISTRY_SUSPENDED);
    fixture_do(f, "POST", "agents/acme/writer/resume", "");
    assert_int_equal(f->status, 200);
}

/* The ledger wrote the entry and died before it could say so. */
static void test_rule_21_what_was_refused_is_taken_back(void **state)
{
    struct fixture *f = *state;
    bool wrote = false;

    fixture_do(f, "POST", "agents/acme/writer/suspend", "");
    fixture_ask(f, "POST", "agents/acme/writer/resume", "");
    fixture_ack(f, ERR_EVIDENCE);
    assert_int_equal(f->status, 503);
    fixture_ask(f, "POST", "agents/acme/writer/resume", "");
    assert_int_equal(f->status, 409);
    for (int i = 0; i < 1000 && !wrote; i++) {
        fixture_run(f, NULL);
        wrote = fixture_entries(f, "\"event\":\"restate\"") == 1;
    }
    assert_true(wrote);
    assert_int_equal(fixture_entries(f, "\"revision\":3,\"risk\":[\"read\"],"
                                        "\"state\":\"suspended\""),
                     1);
    fixture_ack(f, ERR_OK);
    assert_int_equal(fixture_state(f, "writer"), REGISTRY_SUSPENDED);
    fixture_do(f, "POST", "agents/acme/writer/resume", "");
    assert_int_equal(f->status, 200);
}

static void test_who_went_away_does_not_stop_a_change(void **state)
{
    struct fixture *f = *state;

    fixture_ask(f, "POST", "agents/acme/writer/suspend", "");
    fixture_ask(f, "GET", "status", ""); /* cancels the one before */
    fixture_spread(f);
    fixture_ack(f, ERR_OK);
    assert_int_equal(fixture_entries(f, "\"event\":\"suspend\""), 1);
    assert_int_equal(f->replies, 1); /* of status */
}

#define KEY_HASH                                                               \
    "\"key_hash\":\"hmac-sha256:"                                              \
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\""

static void test_rule_03_a_key_is_of_one_identity(void **state)
{
    struct fixture *f = *state;
    static const char one[] =
        "{\"name\":\"one\",\"owner\":\"alice\",\"purposes\":[\"p\"],"
        "\"mode\":\"autonomous\",\"expires\":\"30d\"," KEY_HASH "}";
    static const char two[] =
        "{\"name\":\"two\",\"owner\":\"alice\",\"purposes\":[\"p\"],"
        "\"mode\":\"autonomous\",\"expires\":\"30d\"," KEY_HASH "}";

    fixture_ask(f, "POST", "agents", one);
    fixture_ask(f, "POST", "agents", two); /* at the same time */
    assert_int_equal(f->status, 409);
    fixture_ack(f, ERR_OK);
    fixture_spread(f);
    assert_int_equal(fixture_state(f, "one"), REGISTRY_ACTIVE);
    fixture_do(f, "POST", "agents", two);
    assert_int_equal(f->status, 409);
    assert_int_equal(fixture_state(f, "two"), REGISTRY_NONE);
}

static void test_rule_24_an_owner_lifts_no_suspension(void **state)
{
    struct fixture *f = *state;
    const struct registry_entry ada = {
        .who = {PRINCIPAL_USER, STR("local"), STR("local|ada"), STR("acme")},
        .name = STR("ada"),
        .owner = STR("local|ada"),
        .state = REGISTRY_ACTIVE,
        .expires_us = INT64_C(4000000000000000),
        .revision = 1,
    };

    assert_int_equal(registry_put(f->host.registry, &ada, -1, NULL), ERR_OK);
    fixture_do(f, "POST", "agents",
               "{\"name\":\"mine\",\"owner\":\"local|ada\","
               "\"purposes\":[\"p\"],\"mode\":\"autonomous\","
               "\"expires\":\"30d\"}");
    assert_int_equal(f->status, 201);
    fixture_do(f, "POST", "agents/acme/mine/suspend", "");
    assert_int_equal(f->status, 200);
    fixture_do(f, "POST", "agents/acme/mine/resume", "");
    assert_int_equal(f->status, 403);
    assert_int_equal(fixture_state(f, "mine"), REGISTRY_SUSPENDED);
    fixture_do(f, "POST", "agents/acme/writer/suspend", "");
    fixture_do(f, "POST", "agents/acme/writer/resume", ""); /* alice's */
    assert_int_equal(f->status, 200);
}

static void test_a_retired_one_stays_so(void **state)
{
    struct fixture *f = *state;

    fixture_do(f, "POST", "agents/acme/writer/retire", "");
    assert_int_equal(f->status, 200);
    assert_true(fixture_says(f, "\"keys\":[]"));
    fixture_do(f, "POST", "agents/acme/writer/resume", "");
    assert_int_equal(f->status, 409);
    fixture_do(f, "POST", "agents/acme/writer/rotate", "");
    assert_int_equal(f->status, 409);
    fixture_do(f, "POST", "agents", WRITER);
    assert_int_equal(f->status, 409);
}

static void test_a_new_key_ends_the_old_one_after_a_while(void **state)
{
    struct fixture *f = *state;
    const struct registry_entry *e;

    fixture_do(f, "POST", "agents/acme/writer/rotate", "{\"grace\":\"1h\"}");
    assert_int_equal(f->status, 200);
    e = registry_view_find(registry_now(f->host.registry), PRINCIPAL_AGENT,
                           STR("acme/writer"));
    assert_int_equal(e->key_count, 2);
    assert_true(e->keys[0].expires_us < e->keys[1].expires_us);
    assert_int_equal(e->keys[1].expires_us, e->expires_us);
    fixture_do(f, "POST", "agents/acme/writer/rotate", "{\"grace\":\"0\"}");
    e = registry_view_find(registry_now(f->host.registry), PRINCIPAL_AGENT,
                           STR("acme/writer"));
    assert_int_equal(e->key_count, 1);
    for (unsigned i = 0; i < REGISTRY_KEYS_MAX - 1; i++) {
        fixture_do(f, "POST", "agents/acme/writer/rotate", "");
        assert_int_equal(f->status, 200);
    }
    fixture_do(f, "POST", "agents/acme/writer/rotate", "");
    assert_int_equal(f->status, 409);
}

static void test_nobody_is_added_who_lacks_something(void **state)
{
    struct fixture *f = *state;
    static const char *const bodies[] = {
        "{\"name\":\"x\",\"purposes\":[\"p\"],\"expires\":\"1d\"}",
        "{\"name\":\"x\",\"owner\":\"bob\",\"purposes\":[\"p\"],"
        "\"expires\":\"1d\"}",
        "{\"name\":\"x\",\"owner\":\"alice\",\"expires\":\"1d\"}",
        "{\"name\":\"x\",\"owner\":\"alice\",\"purposes\":[\"p\"]}",
        "{\"name\":\"x\",\"owner\":\"alice\",\"purposes\":[\"p\"],"
        "\"expires\":\"never\"}",
        "{\"name\":\"x/y\",\"owner\":\"alice\",\"purposes\":[\"p\"],"
        "\"expires\":\"1d\"}",
        "{\"name\":\"x\",\"owner\":\"alice\",\"purposes\":[\"p\"],"
        "\"expires\":\"1d\",\"tenant\":\"other\"}",
        "{\"name\":\"x\",\"owner\":\"alice\",\"purposes\":[\"p\"],"
        "\"expires\":\"1d\",\"issuer\":\"nobody\"}",
        "{\"name\":\"x\",\"owner\":\"alice\",\"purposes\":[\"p\"],"
        "\"expires\":\"1d\",\"risk\":[\"all\"]}",
        "{\"name\":\"x\",\"owner\":\"alice\",\"purposes\":[\"p\"],"
        "\"expires\":\"1d\",\"mode\":\"free\"}",
        "{\"name\":\"x\",\"kind\":\"robot\",\"expires\":\"1d\"}",
    };
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        print_message("  case: %s\n", bodies[i]);
        fixture_ask(f, "POST", "agents", bodies[i]);
        assert_int_equal(f->replies, 1);
        assert_int_equal(f->status, 400);
    }
    assert_int_equal(fixture_entries(f, "\"kind\":\"admin\""), 1); /* alice */
}

static void test_who_was_discovered_can_be_adopted(void **state)
{
    struct fixture *f = *state;
    const struct principal who = {.kind = PRINCIPAL_AGENT,
                                  .issuer = STR("corp"),
                                  .id = STR("acme/bot"),
                                  .tenant = STR("acme")};

    assert_true(registry_discover(f->host.registry, &who, 1));
    fixture_do(f, "POST", "agents/acme/bot/resume", "");
    assert_int_equal(f->status, 409);
    fixture_do(f, "POST", "agents/adopt",
               "{\"id\":\"acme/bot\",\"owner\":\"alice\",\"purposes\":\"p\","
               "\"expires\":\"1d\"}");
    assert_int_equal(f->status, 201);
    assert_false(fixture_says(f, "\"key\":")); /* its issuer proves it */
    assert_int_equal(fixture_state(f, "bot"), REGISTRY_ACTIVE);
    fixture_do(f, "POST", "agents/adopt",
               "{\"id\":\"acme/bot\",\"owner\":\"alice\",\"purposes\":\"p\","
               "\"expires\":\"1d\"}");
    assert_int_equal(f->status, 409);
}

#define WITH(name, open)                                                       \
    cmocka_unit_test_setup_teardown(name, open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(test_what_is_given_waits_for_evidence_and_workers, fixture_open),
        WITH(test_what_is_given_needs_evidence, fixture_open),
        WITH(test_rule_21_what_is_taken_is_gone_before_its_evidence,
             open_with_writer),
        WITH(test_rule_26_taking_does_not_fail_for_want_of_evidence,
             open_with_writer),
        WITH(test_a_suspension_wins_over_what_waits_for_evidence,
             open_with_writer),
        WITH(test_rule_21_of_two_changes_at_a_time_one_is_begun,
             open_with_writer),
        WITH(test_rule_03_a_key_is_of_one_identity, fixture_open),
        WITH(test_rule_24_an_owner_lifts_no_suspension, open_with_writer),
        WITH(test_rule_21_what_was_refused_is_taken_back, open_with_writer),
        WITH(test_who_went_away_does_not_stop_a_change, open_with_writer),
        WITH(test_a_retired_one_stays_so, open_with_writer),
        WITH(test_a_new_key_ends_the_old_one_after_a_while, open_with_writer),
        WITH(test_nobody_is_added_who_lacks_something, fixture_open),
        WITH(test_who_was_discovered_can_be_adopted, fixture_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
