/* Tests registry/registry_check: what may be new, what may follow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

static void who_was_discovered_may_be_new(void **state)
{
    struct fixture *f = *state;
    const char *why = "";
    (void)two(f);
    struct registry_entry eve = fixture_entry(PRINCIPAL_AGENT, "eve");
    assert_true(registry_discover(f->registry, &eve.who, NOW_US));
    assert_int_equal(check_new(f, &eve, &why), ERR_OK);
    eve.revision = 2; /* but not change */
    assert_int_equal(check_new(f, &eve, &why), ERR_NOT_FOUND);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rule_39_what_is_new_has_an_owner_a_purpose_an_end),
        TEST(a_person_needs_no_owner_but_itself),
        TEST(rule_03_a_name_is_given_once_and_never_again),
        TEST(a_change_is_of_what_is_there),
        TEST(what_is_stopped_needs_no_living_owner),
        TEST(who_was_discovered_may_be_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
