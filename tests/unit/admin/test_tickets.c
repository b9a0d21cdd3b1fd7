/* Tests admin/tickets: who may decide about what, and what is evidence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "admin/api.h"
#include "admin/tickets.h"
#include "base/attr.h"
#include "base/text.h"
#include "fixture.h"
#include "os/loop.h"

static const struct str members[] = {STR_INIT("ada"), STR_INIT("bob")};
static const struct str lawyers[] = {STR_INIT("ada")};
static const struct str elsewhere[] = {STR_INIT("other")};
static const struct approval_group_settings groups[] = {
    {.name = STR_INIT("finance"), .members = {members, ARRAY_LEN(members)}},
    {.name = STR_INIT("legal"), .members = {lawyers, 1}},
    {.name = STR_INIT("abroad"),
     .members = {members, ARRAY_LEN(members)},
     .tenants = {elsewhere, 1}},
};

/* People who have accounts are in the registry as "local|<name>". */
static void add_person(struct fixture *f, const char *name)
{
    char body[256];
    struct registry_entry e = {
        .who = {.kind = PRINCIPAL_USER,
                .issuer = STR("local"),
                .tenant = STR("acme")},
        .state = REGISTRY_ACTIVE,
        .created_us = loop_wall_us(f->loop),
        .expires_us = loop_wall_us(f->loop) + INT64_C(3600000000),
        .revision = 1,
    };
    (void)snprintf(body, sizeof(body), "local|%s", name);
    e.who.id = str_from(body);
    e.owner = e.who.id;
    e.name = str_from(name);
    assert_int_equal(registry_put(f->host.registry, &e, -1, NULL), ERR_OK);
}

static int open_all(void **state)
{
    fixture_open(state);
    struct fixture *f = *state;
    f->settings.approvals.groups = groups;
    f->settings.approvals.group_count = ARRAY_LEN(groups);
    add_person(f, "ada");
    add_person(f, "bob");
    return 0;
}

struct ticket {
    char id[TEXT_HEX_LEN(APPROVAL_ID_LEN) + 1];
    unsigned char raw[APPROVAL_ID_LEN];
};

static struct ticket ask(struct fixture *f, unsigned char digest,
                         const char *link,
                         const struct decision_approval *needs,
                         unsigned need_count)
{
    struct chain c = {.count = 1};
    struct ticket t;
    enum approval_state state;
    bool is_new;
    c.links[0].who = (struct principal){PRINCIPAL_USER, STR("local"),
                                        str_from(link), STR("acme")};
    const struct approval_ask a = {
        .digest = {{digest}},
        .tenant = STR("acme"),
        .chain = &c,
        .needs = needs,
        .need_count = need_count,
        .action = STR("tool:call/bank/pay"),
        .resource = STR("bank/pay"),
        .purpose = STR("invoices"),
        .destination = STR("bank"),
        .arguments = STR("{\"to\":\"p\u0430ul\u202e\"}"),
        .decision = {0xdd},
        .now_us = loop_wall_us(f->loop),
        .ttl_ms = 600000,
        .used_ms = 60000,
    };
    assert_int_equal(approvals_ask(f->host.approvals, &a, t.raw, &state,
                                   &is_new),
                     ERR_OK);
    text_hex(t.raw, sizeof(t.raw), t.id);
    t.id[sizeof(t.id) - 1] = 0;
    return t;
}

static const struct decision_approval finance[] = {
    {STR_INIT("pay"), STR_INIT("finance")}};
static const struct decision_approval both[] = {{STR_INIT("pay"),
                                                 STR_INIT("finance")},
                                                {STR_INIT("abroad"),
                                                 STR_INIT("legal")}};
static const struct decision_approval abroad[] = {
    {STR_INIT("pay"), STR_INIT("abroad")}};

/* A person who logged in `age_s` seconds ago. */
static struct admin_author person(const struct fixture *f, const char *id,
                                  int64_t age_s)
{
    return (struct admin_author){.id = str_from(id),
                                 .method = AUTH_LOGIN,
                                 .login_us = loop_wall_us(f->loop) -
                                             age_s * INT64_C(1000000)};
}

static void say(struct fixture *f, struct admin_author who,
                const struct ticket *t, const char *word, const char *body)
{
    /* The call borrows it until it is answered, which may be later. */
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % ARRAY_LEN(paths)];

    (void)snprintf(path, sizeof(paths[0]), "approvals/%s/%s", t->id, word);
    fixture_ask_as(f, who, "POST", path, body);
}

static void test_what_waits_is_listed_and_shown(void **state)
{
    struct fixture *f = *state;
    struct ticket t = ask(f, 1, "corp|ann", finance, 1);
    char path[128];

    (void)ask(f, 2, "corp|ann", both, 2);
    fixture_ask(f, "GET", "approvals", "");
    assert_int_equal(f->status, 200);
    assert_true(fixture_says(f, t.id));
    assert_true(fixture_says(f, "\"group\":\"legal\""));
    assert_false(fixture_says(f, "arguments"));
    fixture_ask(f, "GET", "approvals?state=denied", "");
    assert_true(fixture_says(f, "{\"approvals\":[]}"));
    fixture_ask(f, "GET", "approvals?state=odd", "");
    assert_int_equal(f->status, 400);
    fixture_ask(f, "GET", "approvals?limit=1", "");
    assert_true(fixture_says(f, "\"next\":\""));

    (void)snprintf(path, sizeof(path), "approvals/%.8s", t.id);
    fixture_ask(f, "GET", path, "");
    assert_int_equal(f->status, 200);
    assert_true(fixture_says(f, "\"chain\":[\"User corp|ann\"]"));
    assert_true(fixture_says(f, "\"purpose\":\"invoices\""));
    assert_true(fixture_says(f, "\"state\":\"open\""));
    fixture_ask(f, "GET", "approvals/0011", "");
    assert_int_equal(f->status, 400);
    fixture_ask(f, "GET", "approvals/00112233445566778899aabbccddeeff", "");
    assert_int_equal(f->status, 404);
}

static void rule_19_what_is_hidden_in_arguments_is_shown(void **state)
{
    struct fixture *f = *state;
    struct ticket t = ask(f, 1, "corp|ann", finance, 1);
    char path[128];

    (void)snprintf(path, sizeof(path), "approvals/%s", t.id);
    fixture_ask(f, "GET", path, "");
    assert_true(fixture_says(
        f, "\"arguments\":\"{\\\"to\\\":\\\"p\\\\u{430}ul\\\\u{202e}\\\"}\""));
}

static void rule_18_only_a_person_who_has_just_logged_in_decides(void **state)
{
    struct fixture *f = *state;
    struct ticket t = ask(f, 1, "corp|ann", finance, 1);
    struct admin_author root = {.id = STR("local|uid:0"), .method = AUTH_PEER};
    static const char *const words[] = {"approve", "deny"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        root.method = AUTH_PEER;
        say(f, root, &t, words[i], "");
        assert_int_equal(f->status, 403);
        assert_true(fixture_says(f, "writ login"));
        say(f, person(f, "local|ada", TICKETS_LOGIN_S + 1), &t, words[i], "");
        assert_int_equal(f->status, 403);
        assert_true(fixture_says(f, "log in again"));
        say(f, person(f, "local|ada", -5), &t, words[i], "");
        assert_int_equal(f->status, 403);
        fixture_ask_unknown(f, "POST", "approvals/00/approve", "");
        assert_int_equal(f->status, 401);
    }
    assert_int_equal(fixture_entries(f, "\"event\":\"approve\""), 0);
    assert_int_equal(approvals_counts_of(f->host.approvals).open, 1);
    /* Five minutes are fine. */
    say(f, person(f, "local|ada", TICKETS_LOGIN_S - 5), &t, "approve", "");
    fixture_ack(f, ERR_OK);
    assert_int_equal(f->status, 200);
}

static void rule_18_no_link_of_the_chain_and_no_stranger_decides(void **state)
{
    struct fixture *f = *state;
    struct ticket own = ask(f, 1, "local|ada", finance, 1);
    struct ticket legal = ask(f, 2, "corp|ann", both, 2);
    struct ticket wall = ask(f, 3, "corp|ann", abroad, 1);

    say(f, person(f, "local|ada", 1), &own, "approve", "");
    assert_int_equal(f->status, 403);
    assert_true(fixture_says(f, "link of the chain"));
    say(f, person(f, "local|bob", 1), &legal, "approve", "");
    fixture_ack(f, ERR_OK);
    assert_int_equal(f->status, 200);
    assert_true(fixture_says(f, "\"state\":\"open\""));
    say(f, person(f, "local|bob", 1), &legal, "approve", "");
    assert_int_equal(f->status, 403);
    assert_true(fixture_says(f, "bob is in none of the groups that still have "
                                "to approve it: legal"));
    /* A group of another tenant does not count for this one. */
    say(f, person(f, "local|bob", 1), &wall, "approve", "");
    assert_int_equal(f->status, 403);
    assert_true(fixture_says(f, ": abroad"));
    say(f, person(f, "local|ada", 1), &legal, "approve", "");
    fixture_ack(f, ERR_OK);
    assert_true(fixture_says(f, "\"state\":\"granted\""));
    say(f, person(f, "local|ada", 1), &legal, "deny", "");
    assert_int_equal(f->status, 409);
    assert_true(fixture_says(f, "granted"));
}

static enum approval_state state_of(struct fixture *f, const struct ticket *t,
                                    unsigned char digest)
{
    const struct hash h = {{digest}};
    struct approval_grant g;
    struct arena a;
    (void)t;
    arena_init(&a, 4096);
    enum err e =
        approvals_look(f->host.approvals, &a, &h, loop_wall_us(f->loop), &g);
    arena_release(&a);
    return e == ERR_OK                 ? APPROVAL_GRANTED
           : e == ERR_APPROVAL_PENDING ? APPROVAL_OPEN
           : e == ERR_DENIED           ? APPROVAL_DENIED
                                       : APPROVAL_NONE;
}

static void test_a_word_counts_when_it_is_evidence(void **state)
{
    struct fixture *f = *state;
    struct ticket t = ask(f, 1, "corp|ann", finance, 1);

    say(f, person(f, "local|ada", 1), &t, "approve",
        "{\"reason\":\"seen the invoice\"}");
    assert_int_equal(f->replies, 0);
    assert_int_equal(state_of(f, &t, 1), APPROVAL_OPEN);
    /* Nobody else speaks in between. */
    assert_int_equal(
        fixture_entries(f, "\"author\":{\"id\":\"local|ada\",\"method\":"
                           "\"login\"},\"detail\":\"seen the invoice\","
                           "\"event\":\"approve\""),
        1);
    assert_int_equal(fixture_entries(f, "\"groups\":[\"finance\"]"), 1);
    fixture_ack(f, ERR_OK);
    assert_int_equal(f->status, 200);
    assert_int_equal(state_of(f, &t, 1), APPROVAL_GRANTED);
    assert_true(fixture_says(f, "\"by\":\"local|ada\""));
    assert_true(fixture_says(f, "\"purpose\":\"invoices\""));
}

static void test_without_evidence_nothing_is_approved(void **state)
{
    struct fixture *f = *state;
    struct ticket t = ask(f, 1, "corp|ann", finance, 1);

    f->ledger.answer = ERR_EVIDENCE;
    say(f, person(f, "local|ada", 1), &t, "approve", "");
    assert_int_equal(f->status, 503);
    f->ledger.answer = ERR_OK;
    say(f, person(f, "local|ada", 1), &t, "approve", "");
    fixture_ack(f, ERR_EVIDENCE);
    assert_int_equal(f->status, 503);
    assert_int_equal(state_of(f, &t, 1), APPROVAL_OPEN);
    say(f, person(f, "local|ada", 1), &t, "deny", "{\"reason\":\"no\"}");
    fixture_ack(f, ERR_OK);
    assert_int_equal(f->status, 200);
    assert_true(fixture_says(f, "\"reason\":\"no\""));
    assert_int_equal(state_of(f, &t, 1), APPROVAL_DENIED);
}

static void test_one_word_at_a_time(void **state)
{
    struct fixture *f = *state;
    struct ticket t = ask(f, 1, "corp|ann", finance, 1);

    say(f, person(f, "local|ada", 1), &t, "approve", "");
    assert_int_equal(f->replies, 0);
    say(f, person(f, "local|bob", 1), &t, "deny", "");
    assert_int_equal(f->status, 409);
    /* The first one's caller has gone; the word counts all the same. */
    fixture_ack(f, ERR_OK);
    assert_int_equal(state_of(f, &t, 1), APPROVAL_GRANTED);
}

static void test_a_word_of_somebody_suspended_meanwhile_is_none(void **state)
{
    struct fixture *f = *state;
    struct ticket t = ask(f, 1, "corp|ann", finance, 1);
    const struct registry_view *v = registry_now(f->host.registry);
    struct registry_entry ada =
        *registry_view_find(v, PRINCIPAL_USER, STR("local|ada"));

    say(f, person(f, "local|ada", 1), &t, "approve", "");
    ada.state = REGISTRY_SUSPENDED;
    ada.revision++;
    assert_int_equal(registry_put(f->host.registry, &ada, -1, NULL), ERR_OK);
    fixture_ack(f, ERR_OK);
    assert_int_equal(f->status, 403);
    assert_int_equal(state_of(f, &t, 1), APPROVAL_OPEN);
}

static void test_what_is_under_way_at_the_end_is_told(void **state)
{
    struct fixture *f = *state;
    struct ticket t = ask(f, 1, "corp|ann", finance, 1);

    say(f, person(f, "local|ada", 1), &t, "approve", "");
    tickets_close(&f->host);
    assert_int_equal(f->status, 503);
    fixture_ack(f, ERR_OK);
    assert_int_equal(state_of(f, &t, 1), APPROVAL_OPEN);
}

static void test_bodies_and_ids_are_read_strictly(void **state)
{
    struct fixture *f = *state;
    struct ticket t = ask(f, 1, "corp|ann", finance, 1);
    struct ticket none = {.id = "00112233445566778899aabbccddeeff"};
    struct ticket part = t;
    part.id[8] = 0;

    say(f, person(f, "local|ada", 1), &t, "approve", "{\"yes\":true}");
    assert_int_equal(f->status, 400);
    say(f, person(f, "local|ada", 1), &part, "approve", "");
    assert_int_equal(f->status, 400);
    say(f, person(f, "local|ada", 1), &none, "approve", "");
    assert_int_equal(f->status, 404);
}

int main(void)
{
#define WITH(test)                                                             \
    cmocka_unit_test_setup_teardown(test, open_all, fixture_close)
    const struct CMUnitTest tests[] = {
        WITH(test_what_waits_is_listed_and_shown),
        WITH(rule_19_what_is_hidden_in_arguments_is_shown),
        WITH(rule_18_only_a_person_who_has_just_logged_in_decides),
        WITH(rule_18_no_link_of_the_chain_and_no_stranger_decides),
        WITH(test_a_word_counts_when_it_is_evidence),
        WITH(test_without_evidence_nothing_is_approved),
        WITH(test_one_word_at_a_time),
        WITH(test_a_word_of_somebody_suspended_meanwhile_is_none),
        WITH(test_what_is_under_way_at_the_end_is_told),
        WITH(test_bodies_and_ids_are_read_strictly),
    };
#undef WITH
    return cmocka_run_group_tests(tests, NULL, NULL);
}
