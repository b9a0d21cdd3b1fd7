/* Tests registry/registry: who may act, what moves, what lists show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "domain/risk.h"
#include "fixture.h"

static int set_up(void **state)
{
    static struct fixture f;
    fixture_init(&f);
    fixture_open_store(&f);
    fixture_open(&f);
    assert_int_equal(f.open_err, ERR_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_release(*state);
    return 0;
}

/* Alice and an agent of hers. */
static struct registry_entry two(struct fixture *f)
{
    struct registry_entry alice = fixture_entry(PRINCIPAL_USER, "alice");
    struct registry_entry bot = fixture_entry(PRINCIPAL_AGENT, "bot");
    fixture_put(f, &alice, 0);
    fixture_put(f, &bot, 1);
    return bot;
}

static void rule_01_a_link_without_an_entry_denies(void **state)
{
    struct fixture *f = *state;
    struct registry_entry bot = two(f);
    assert_int_equal(fixture_check(f, &bot), ERR_OK);
    struct registry_entry eve = fixture_entry(PRINCIPAL_AGENT, "eve");
    assert_int_equal(fixture_check(f, &eve), ERR_UNREGISTERED);
    assert_true(registry_discover(f->registry, &eve.who, NOW_US));
    assert_int_equal(fixture_check(f, &eve), ERR_UNREGISTERED);
    /* Another kind of the same name is somebody else. */
    struct registry_entry app = fixture_entry(PRINCIPAL_APPLICATION, "alice");
    assert_int_equal(fixture_check(f, &app), ERR_UNREGISTERED);
}

static void rule_01_an_owner_has_to_be_an_active_person(void **state)
{
    struct fixture *f = *state;
    struct registry_entry bot = two(f);
    struct registry_entry alice = fixture_entry(PRINCIPAL_USER, "alice");
    static const struct {
        enum registry_state state;
        int64_t expires_us;
        enum err alice, bot;
    } cases[] = {
        {REGISTRY_SUSPENDED, NOW_US + 1, ERR_REVOKED, ERR_INACTIVE},
        {REGISTRY_ACTIVE, NOW_US + 1, ERR_OK, ERR_OK},
        {REGISTRY_ACTIVE, NOW_US, ERR_INACTIVE, ERR_INACTIVE},
        {REGISTRY_PROPOSED, NOW_US + 1, ERR_INACTIVE, ERR_INACTIVE},
        {REGISTRY_ACTIVE, NOW_US + 1, ERR_OK, ERR_OK},
        {REGISTRY_RETIRED, NOW_US + 1, ERR_REVOKED, ERR_INACTIVE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        alice.state = cases[i].state;
        alice.expires_us = cases[i].expires_us;
        alice.revision++;
        fixture_put(f, &alice, 2 + (int64_t)i);
        assert_int_equal(fixture_check(f, &alice), cases[i].alice);
        assert_int_equal(fixture_check(f, &bot), cases[i].bot);
    }
}

static void rule_39_only_an_active_entry_may_act(void **state)
{
    struct fixture *f = *state;
    struct registry_entry bot = two(f);
    static const struct {
        enum registry_state state;
        int64_t expires_us;
        enum err want;
    } cases[] = {
        {REGISTRY_PROPOSED, NOW_US + DAY_US, ERR_INACTIVE},
        {REGISTRY_ACTIVE, NOW_US + DAY_US, ERR_OK},
        {REGISTRY_ACTIVE, NOW_US, ERR_INACTIVE},
        {REGISTRY_ACTIVE, NOW_US - DAY_US, ERR_INACTIVE},
        {REGISTRY_SUSPENDED, NOW_US + DAY_US, ERR_REVOKED},
        {REGISTRY_SUSPENDED, NOW_US - DAY_US, ERR_REVOKED},
        {REGISTRY_ACTIVE, NOW_US + 1, ERR_OK},
        {REGISTRY_RETIRED, NOW_US + DAY_US, ERR_REVOKED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bot.state = cases[i].state;
        bot.expires_us = cases[i].expires_us;
        bot.revision++;
        fixture_put(f, &bot, 2 + (int64_t)i);
        assert_int_equal(fixture_check(f, &bot), cases[i].want);
    }
}

static void rule_32_another_tenant_or_issuer_is_somebody_else(void **state)
{
    struct fixture *f = *state;
    struct registry_entry bot = two(f);
    struct registry_entry alice = fixture_entry(PRINCIPAL_USER, "alice");
    alice.who.tenant = STR("umbrella"); /* no part of her id */
    assert_int_equal(fixture_check(f, &alice), ERR_UNREGISTERED);
    bot.who.issuer = STR("okta"); /* nor this of its */
    assert_int_equal(fixture_check(f, &bot), ERR_UNREGISTERED);
}

static void rule_04_a_mode_is_delegated_unless_it_says_otherwise(void **state)
{
    struct fixture *f = *state;
    struct registry_entry bot = two(f);
    bot.mode = (enum registry_mode)0;
    bot.revision++;
    fixture_put(f, &bot, 2);
    const struct registry_entry *e =
        registry_view_find(f->view, bot.who.kind, bot.who.id);
    assert_int_equal(e->mode, REGISTRY_DELEGATED);
    struct registry_entry app = fixture_entry(PRINCIPAL_APPLICATION, "shop");
    app.mode = REGISTRY_DELEGATED; /* is for agents */
    fixture_put(f, &app, 3);
    e = registry_view_find(f->view, app.who.kind, app.who.id);
    assert_int_equal(e->mode, REGISTRY_BOTH);
}

/* ---- numbers that move ---- */

static void the_epoch_rises_with_what_can_end_something(void **state)
{
    struct fixture *f = *state;
    uint64_t epoch = registry_view_epoch(f->view);
    struct registry_entry bot = two(f);
    assert_int_equal(registry_view_epoch(f->view), epoch); /* first ones */
    struct registry_entry eve = fixture_entry(PRINCIPAL_AGENT, "eve");
    assert_true(registry_discover(f->registry, &eve.who, NOW_US));
    assert_int_equal(registry_view_epoch(f->view), epoch);
    fixture_put(f, &eve, 2); /* registered: nothing ends by that */
    assert_int_equal(registry_view_epoch(f->view), epoch);
    bot.state = REGISTRY_SUSPENDED;
    bot.revision++;
    fixture_put(f, &bot, -1);
    assert_int_equal(registry_view_epoch(f->view), epoch + 1);
    fixture_put(f, &bot, 3); /* the same, with its index */
    assert_int_equal(registry_view_epoch(f->view), epoch + 1);
}

static void the_number_of_keys_moves_with_answers_about_keys(void **state)
{
    struct fixture *f = *state;
    struct registry_entry bot = two(f);
    uint64_t before = registry_view_keys_number(f->view);
    const struct registry_key key = fixture_key(1);
    bot.revision++;
    bot.risk = RISK_READ;
    fixture_put(f, &bot, 2);
    assert_int_equal(registry_view_keys_number(f->view), before);
    struct registry_entry next = bot;
    for (unsigned i = 0; i < 4; i++) {
        next.revision++;
        if (i == 0) {
            next.keys = &key;
            next.key_count = 1;
        } else if (i == 1) {
            next.state = REGISTRY_SUSPENDED;
        } else if (i == 2) {
            next.expires_us++;
        } else {
            next.key_count = 0;
        }
        fixture_put(f, &next, 3 + (int64_t)i);
        assert_int_equal(registry_view_keys_number(f->view), before + 1 + i);
    }
}

static void a_key_leads_to_whom_it_belongs_now(void **state)
{
    struct fixture *f = *state;
    struct registry_entry bot = two(f);
    struct registry_entry cat = fixture_entry(PRINCIPAL_AGENT, "cat");
    const struct registry_key keys[] = {fixture_key(1), fixture_key(2)};
    const struct registry_key *got = NULL;
    assert_null(registry_view_by_key(f->view, &keys[0].hmac, &got));
    assert_null(got);
    bot.keys = keys;
    bot.key_count = 2;
    bot.revision++;
    fixture_put(f, &bot, 2);
    fixture_wait_applied(f, 2);
    fixture_reopen(f); /* so that it is in the base */
    const struct registry_entry *e =
        registry_view_by_key(f->view, &keys[1].hmac, &got);
    assert_non_null(e);
    assert_true(str_eq(e->who.id, STR("acme/bot")));
    assert_memory_equal(&got->hmac, &keys[1].hmac, HASH_LEN);

    bot.key_count = 1;
    bot.revision++;
    fixture_put(f, &bot, 3);
    assert_null(registry_view_by_key(f->view, &keys[1].hmac, &got));
    assert_non_null(registry_view_by_key(f->view, &keys[0].hmac, &got));
    cat.keys = &keys[1];
    cat.key_count = 1;
    fixture_put(f, &cat, 4);
    e = registry_view_by_key(f->view, &keys[1].hmac, &got);
    assert_true(e != NULL && str_eq(e->who.id, STR("acme/cat")));
}

static void an_entry_is_copied(void **state)
{
    struct fixture *f = *state;
    char id[] = "keys|carol";
    char name[] = "carol";
    char purpose[] = "audit";
    struct str purposes[] = {{purpose, 5}};
    struct registry_key key = fixture_key(7);
    struct registry_entry e = fixture_entry(PRINCIPAL_USER, "carol");
    e.who.id = (struct str){id, 10};
    e.owner = e.who.id;
    e.name = (struct str){name, 5};
    e.purposes = purposes;
    e.keys = &key;
    e.key_count = 1;
    fixture_put(f, &e, 0);
    memset(id, 'x', 10);
    memset(name, 'x', 5);
    memset(purpose, 'x', 5);
    purposes[0].len = 1;
    struct hash hmac = key.hmac;
    key.hmac.bytes[0] ^= 1;
    const struct registry_key *got;
    const struct registry_entry *there =
        registry_view_by_key(f->view, &hmac, &got);
    assert_non_null(there);
    assert_true(str_eq(there->who.id, STR("keys|carol")));
    assert_true(str_eq(there->owner, STR("keys|carol")));
    assert_true(str_eq(there->name, STR("carol")));
    assert_true(str_eq(there->purposes[0], STR("audit")));
    assert_true(str_eq(there->who.issuer, STR("keys")));
    assert_true(str_eq(there->who.tenant, STR("acme")));
}

/* ---- discovered ---- */

static void who_is_discovered_is_listed_and_can_be_registered(void **state)
{
    struct fixture *f = *state;
    (void)two(f);
    struct registry_entry eve = fixture_entry(PRINCIPAL_AGENT, "eve");
    assert_true(registry_discover(f->registry, &eve.who, NOW_US));
    assert_false(registry_discover(f->registry, &eve.who, NOW_US));
    const struct registry_entry *list[8];
    assert_int_equal(registry_view_list(f->view, STR(""), list, 8), 3);
    assert_int_equal(list[1]->state, REGISTRY_DISCOVERED);
    assert_true(str_eq(list[1]->name, STR("eve")));
    assert_int_equal(registry_view_count(f->view), 3);
    fixture_put(f, &eve, 2);
    assert_int_equal(registry_view_count(f->view), 3);
    assert_int_equal(fixture_check(f, &eve), ERR_OK);
}

static void a_bad_name_is_not_discovered(void **state)
{
    struct fixture *f = *state;
    static const struct principal bad[] = {
        {PRINCIPAL_NONE, STR_INIT("keys"), STR_INIT("keys|x"),
         STR_INIT("acme")},
        {PRINCIPAL_USER, STR_INIT("keys"), STR_INIT("okta|x"),
         STR_INIT("acme")},
        {PRINCIPAL_AGENT, STR_INIT("keys"), STR_INIT("umbrella/x"),
         STR_INIT("acme")},
        {PRINCIPAL_USER, STR_INIT("keys"), STR_INIT("keys|\n"),
         STR_INIT("acme")},
        {PRINCIPAL_USER, STR_INIT("keys"), STR_INIT(""), STR_INIT("acme")},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(registry_discover(f->registry, &bad[i], NOW_US));
    assert_int_equal(registry_view_count(f->view), 0);
}

static void lists_go_on_where_they_ended(void **state)
{
    struct fixture *f = *state;
    /* Kinds may share an id, and such a group is never split. */
    static const struct {
        enum principal_kind kind;
        const char *name;
    } who[] = {
        {PRINCIPAL_USER, "alice"},
        {PRINCIPAL_AGENT, "a"},
        {PRINCIPAL_APPLICATION, "alice"},
        {PRINCIPAL_WORKLOAD, "alice"},
        {PRINCIPAL_AGENT, "b"},
        {PRINCIPAL_AGENT, "c"},
        {PRINCIPAL_WORKLOAD, "spiffe://acme/x"},
    };
    for (size_t i = 0; i < ARRAY_LEN(who); i++) {
        struct registry_entry e = fixture_entry(who[i].kind, who[i].name);
        fixture_put(f, &e, (int64_t)i);
        if (i == 3) {
            fixture_wait_applied(f, 3);
            fixture_reopen(f); /* the rest comes from the overlay */
        }
    }
    static const char *const want[] = {"acme/a",     "acme/b",
                                       "acme/c",     "|",
                                       "keys|alice", "keys|alice",
                                       "keys|alice", "spiffe://acme/x",
                                       "|"};
    const struct registry_entry *list[4];
    struct str after = STR("");
    size_t at = 0;
    size_t n;
    while ((n = registry_view_list(f->view, after, list, 4)) > 0) {
        for (size_t i = 0; i < n; i++)
            assert_true(str_eq(list[i]->who.id, str_from(want[at++])));
        assert_string_equal(want[at++], "|"); /* the page's end */
        after = list[n - 1]->who.id;
    }
    assert_int_equal(at, ARRAY_LEN(want));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rule_01_a_link_without_an_entry_denies),
        TEST(rule_01_an_owner_has_to_be_an_active_person),
        TEST(rule_39_only_an_active_entry_may_act),
        TEST(rule_32_another_tenant_or_issuer_is_somebody_else),
        TEST(rule_04_a_mode_is_delegated_unless_it_says_otherwise),
        TEST(the_epoch_rises_with_what_can_end_something),
        TEST(the_number_of_keys_moves_with_answers_about_keys),
        TEST(a_key_leads_to_whom_it_belongs_now),
        TEST(an_entry_is_copied),
        TEST(who_is_discovered_is_listed_and_can_be_registered),
        TEST(a_bad_name_is_not_discovered),
        TEST(lists_go_on_where_they_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
