/* Tests registry/registry: who may act, what may be new, what moves. */
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

/* ---- what may be new ---- */

static enum err check_new(struct fixture *f, const struct registry_entry *e,
                          const char **ret_why)
{
    *ret_why = "";
    return registry_check_new(f->registry, e, NOW_US, ret_why);
}

enum change {
    NOTHING,
    NO_OWNER,
    UNKNOWN_OWNER,
    AGENT_AS_OWNER,
    PROPOSED_OWNER,
    OWNER_OF_ANOTHER_TENANT,
    NO_PURPOSE,
    EMPTY_PURPOSE,
    LONG_PURPOSE,
    PURPOSE_TWICE,
    MANY_PURPOSES,
    NO_EXPIRY,
    PAST_EXPIRY,
    EXPIRY_BEYOND_TIME,
    OTHER_ID,
    NAME_WITH_SLASH,
    NAME_WITH_BAR,
    CONTROL_IN_OWNER,
    NO_STATE,
    DISCOVERED,
    BORN_SUSPENDED,
    UNKNOWN_RISK,
    BAD_FINGERPRINT,
    FOREIGN_KEY,
    KEY_TWICE,
};

static struct str long_text(void)
{
    static char text[REGISTRY_TEXT_MAX + 1];
    memset(text, 'x', sizeof(text));
    return (struct str){text, sizeof(text)};
}

/* Not one long function, but two. */
static void change_texts(struct registry_entry *e, enum change what,
                         struct str purposes[REGISTRY_PURPOSES_MAX])
{
    purposes[0] = what == EMPTY_PURPOSE  ? STR("")
                  : what == LONG_PURPOSE ? long_text()
                                         : STR("support");
    purposes[1] = STR("support");
    e->purposes = purposes;
    e->purpose_count = what == NO_PURPOSE      ? 0
                       : what == PURPOSE_TWICE ? 2
                       : what == MANY_PURPOSES ? REGISTRY_PURPOSES_MAX + 1
                                               : 1;
    if (what == NO_OWNER)
        e->owner = STR("");
    if (what == UNKNOWN_OWNER)
        e->owner = STR("keys|nobody");
    if (what == AGENT_AS_OWNER)
        e->owner = STR("acme/bot");
    if (what == PROPOSED_OWNER)
        e->owner = STR("keys|carol");
    if (what == OWNER_OF_ANOTHER_TENANT)
        e->owner = STR("keys|dave");
    if (what == CONTROL_IN_OWNER)
        e->owner = STR("keys|al\nice");
    if (what == OTHER_ID)
        e->who.id = STR("acme/other");
    if (what == NAME_WITH_SLASH) {
        e->name = STR("a/b");
        e->who.id = STR("acme/a/b");
    }
    if (what == NAME_WITH_BAR) {
        e->name = STR("a|b");
        e->who.id = STR("acme/a|b");
    }
}

static void change_rest(struct registry_entry *e, enum change what,
                        struct registry_key keys[2])
{
    if (what == NO_EXPIRY)
        e->expires_us = 0;
    if (what == PAST_EXPIRY)
        e->expires_us = NOW_US;
    if (what == EXPIRY_BEYOND_TIME)
        e->expires_us = INT64_MAX;
    if (what == NO_STATE)
        e->state = REGISTRY_NONE;
    if (what == DISCOVERED)
        e->state = REGISTRY_DISCOVERED;
    if (what == BORN_SUSPENDED)
        e->state = REGISTRY_SUSPENDED;
    if (what == UNKNOWN_RISK)
        e->risk = RISK_ALL + 1;
    keys[0] = fixture_key(what == FOREIGN_KEY ? 1 : 2);
    keys[1] = keys[0];
    if (what == BAD_FINGERPRINT)
        keys[0].fingerprint = STR("0123456789abcdeg");
    e->keys = keys;
    e->key_count = what == KEY_TWICE ? 2 : 1;
}

static void rule_39_what_is_new_has_an_owner_a_purpose_an_end(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum change what;
        enum err want;
        const char *why;
    } cases[] = {
        {NOTHING, ERR_OK, ""},
        {NO_OWNER, ERR_MALFORMED, "it has no owner"},
        {UNKNOWN_OWNER, ERR_MALFORMED, "its owner is no active person"},
        {AGENT_AS_OWNER, ERR_MALFORMED, "its owner is no active person"},
        {PROPOSED_OWNER, ERR_MALFORMED, "its owner is no active person"},
        {OWNER_OF_ANOTHER_TENANT, ERR_MALFORMED,
         "its owner is of another tenant"},
        {NO_PURPOSE, ERR_MALFORMED, "it has no purpose"},
        {EMPTY_PURPOSE, ERR_MALFORMED, "a purpose is empty"},
        {LONG_PURPOSE, ERR_MALFORMED, "a purpose is empty, too long"},
        {PURPOSE_TWICE, ERR_MALFORMED, "a purpose is empty, too long"},
        {MANY_PURPOSES, ERR_MALFORMED, "there are too many purposes"},
        {NO_EXPIRY, ERR_MALFORMED, "it has no expiry"},
        {PAST_EXPIRY, ERR_MALFORMED, "its expiry has passed"},
        {EXPIRY_BEYOND_TIME, ERR_MALFORMED, "a time is not between"},
        {OTHER_ID, ERR_MALFORMED, "the id is not made of"},
        {NAME_WITH_SLASH, ERR_MALFORMED, "the id is not made of"},
        {NAME_WITH_BAR, ERR_MALFORMED, "the id is not made of"},
        {CONTROL_IN_OWNER, ERR_MALFORMED, "the owner is too long, or"},
        {NO_STATE, ERR_MALFORMED, "there is no such state"},
        {DISCOVERED, ERR_MALFORMED, "nobody is made discovered"},
        {BORN_SUSPENDED, ERR_CONFLICT, "a new one is proposed or active"},
        {UNKNOWN_RISK, ERR_MALFORMED, "the risk ceiling has"},
        {BAD_FINGERPRINT, ERR_MALFORMED, "a key's fingerprint"},
        {FOREIGN_KEY, ERR_CONFLICT, "its key is another one's"},
        {KEY_TWICE, ERR_CONFLICT, "it has a key twice"},
    };
    struct registry_entry bot = two(f);
    const struct registry_key bots = fixture_key(1);
    bot.keys = &bots;
    bot.key_count = 1;
    bot.revision++;
    fixture_put(f, &bot, 2);
    struct registry_entry carol = fixture_entry(PRINCIPAL_USER, "carol");
    carol.state = REGISTRY_PROPOSED;
    fixture_put(f, &carol, 3);
    struct registry_entry dave = fixture_entry(PRINCIPAL_USER, "dave");
    dave.who.tenant = STR("umbrella");
    fixture_put(f, &dave, 4);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str purposes[REGISTRY_PURPOSES_MAX];
        struct registry_key keys[2];
        struct registry_entry e = fixture_entry(PRINCIPAL_AGENT, "new");
        change_texts(&e, cases[i].what, purposes);
        change_rest(&e, cases[i].what, keys);
        const char *why = "";
        assert_int_equal(check_new(f, &e, &why), cases[i].want);
        assert_memory_equal(why, cases[i].why, strlen(cases[i].why));
    }
}

static void a_person_needs_no_owner_but_itself(void **state)
{
    struct fixture *f = *state;
    const char *why = "";
    struct registry_entry alice = fixture_entry(PRINCIPAL_USER, "alice");
    alice.purpose_count = 0;
    assert_int_equal(check_new(f, &alice, &why), ERR_OK);
    alice.owner = STR("");
    assert_int_equal(check_new(f, &alice, &why), ERR_OK);
    alice.owner = STR("keys|bob");
    assert_int_equal(check_new(f, &alice, &why), ERR_MALFORMED);
    assert_string_equal(why, "a person owns itself");
}

static void rule_03_a_name_is_given_once_and_never_again(void **state)
{
    struct fixture *f = *state;
    const char *why = "";
    struct registry_entry bot = two(f);
    assert_int_equal(check_new(f, &bot, &why), ERR_CONFLICT);
    assert_string_equal(why, "there is one of that name");

    bot.state = REGISTRY_RETIRED;
    bot.revision++;
    assert_int_equal(check_new(f, &bot, &why), ERR_OK);
    fixture_put(f, &bot, 2);
    bot.state = REGISTRY_ACTIVE;
    bot.revision++;
    assert_int_equal(check_new(f, &bot, &why), ERR_CONFLICT);
    assert_string_equal(why, "it was retired, which is for good");
    bot.revision = 1;
    assert_int_equal(check_new(f, &bot, &why), ERR_CONFLICT);
    assert_string_equal(why, "that name was retired; it is not used again");
}

static void a_change_is_of_what_is_there(void **state)
{
    struct fixture *f = *state;
    const char *why = "";
    struct registry_entry bot = two(f);
    struct registry_entry e = fixture_entry(PRINCIPAL_AGENT, "other");
    e.revision = 2;
    assert_int_equal(check_new(f, &e, &why), ERR_NOT_FOUND);
    e = bot;
    e.revision = 3; /* somebody else was faster */
    assert_int_equal(check_new(f, &e, &why), ERR_CONFLICT);
    e.revision = 2;
    assert_int_equal(check_new(f, &e, &why), ERR_OK);
    e.who.issuer = STR("okta");
    assert_int_equal(check_new(f, &e, &why), ERR_CONFLICT);
    assert_string_equal(why, "its tenant and issuer stay");
}

static void what_is_stopped_needs_no_living_owner(void **state)
{
    struct fixture *f = *state;
    const char *why = "";
    struct registry_entry bot = two(f);
    struct registry_entry alice = fixture_entry(PRINCIPAL_USER, "alice");
    alice.state = REGISTRY_RETIRED;
    alice.revision++;
    fixture_put(f, &alice, 2);
    bot.revision++;
    assert_int_equal(check_new(f, &bot, &why), ERR_MALFORMED);
    bot.state = REGISTRY_SUSPENDED;
    bot.expires_us = NOW_US - 1;
    assert_int_equal(check_new(f, &bot, &why), ERR_OK);
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
    const char *why = "";
    assert_int_equal(check_new(f, &eve, &why), ERR_OK);
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
        TEST(rule_39_what_is_new_has_an_owner_a_purpose_an_end),
        TEST(a_person_needs_no_owner_but_itself),
        TEST(rule_03_a_name_is_given_once_and_never_again),
        TEST(a_change_is_of_what_is_there),
        TEST(what_is_stopped_needs_no_living_owner),
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
