/* Tests approval/approval_digest: exactly this action, and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "approval/approval_digest.h"
#include "base/attr.h"
#include "base/text.h"

static const unsigned char root[APPROVAL_SESSION_LEN] = {1};
static const unsigned char other_root[APPROVAL_SESSION_LEN] = {2};
static const struct hash pinned = {{3}};
static const struct hash other_pinned = {{4}};
static const struct str two[] = {STR_INIT("crm"), STR_INIT("crm-eu")};
static const struct str reversed[] = {STR_INIT("crm-eu"), STR_INIT("crm"),
                                      STR_INIT("crm")};
static const struct str one[] = {STR_INIT("crm")};

static struct chain chain(void)
{
    struct chain c = {.count = 2};
    c.links[0].who = (struct principal){PRINCIPAL_USER, STR("corp"),
                                        STR("corp|ann"), STR("acme")};
    c.links[1].who = (struct principal){PRINCIPAL_AGENT, STR("keys"),
                                        STR("acme/writer"), STR("acme")};
    return c;
}

static struct approval_action action(const struct chain *c)
{
    return (struct approval_action){
        .tenant = STR("acme"),
        .chain = c,
        .session_root = root,
        .action = STR("tool:call/crm/delete"),
        .resource_type = STR("Tool"),
        .resource = STR("crm/delete"),
        .tool = &pinned,
        .arguments = STR("{\"id\":7}"),
        .destinations = two,
        .destination_count = 2,
        .audience = STR("crm/1"),
        .purpose = STR("support"),
        .task = STR("t-1"),
    };
}

static struct hash digest(const struct approval_action *a)
{
    struct hash h;
    assert_int_equal(approval_digest(a, &h), ERR_OK);
    return h;
}

static void rule_17_exactly_this_action(void **state)
{
    (void)state;
    const struct chain c = chain();
    const struct approval_action base = action(&c);
    const struct hash first = digest(&base);
    struct approval_action a[14];
    struct chain others[6];
    struct hash seen[ARRAY_LEN(a) + ARRAY_LEN(others) + 1];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(a); i++)
        a[i] = base;
    a[0].tenant = STR("other");
    a[1].session_root = other_root;
    a[2].action = STR("tool:call/crm/get");
    a[3].resource_type = STR("Resource");
    a[4].resource = STR("crm/get");
    a[5].tool = &other_pinned;
    a[6].tool = NULL;
    a[7].arguments = STR("{\"id\":8}");
    a[8].arguments = (struct str){NULL, 0};
    a[9].destinations = one;
    a[9].destination_count = 1;
    a[10].audience = STR("crm/2");
    a[11].purpose = STR("research");
    a[12].task = STR("t-2");
    /* The same bytes in other members. */
    a[13].purpose = STR("");
    a[13].task = STR("supportt-1");
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        others[i] = c;
    others[0].links[0].who.kind = PRINCIPAL_APPLICATION;
    others[1].links[0].who.issuer = STR("keys");
    others[2].links[0].who.id = STR("corp|bob");
    others[3].links[1] = c.links[0];
    others[3].links[0] = c.links[1];
    others[4].count = 1;
    others[5].count = 3;
    others[5].links[2] = c.links[1];

    seen[n++] = first;
    for (size_t i = 0; i < ARRAY_LEN(a); i++)
        seen[n++] = digest(&a[i]);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        const struct approval_action other = action(&others[i]);
        seen[n++] = digest(&other);
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(&seen[i], &seen[j], sizeof(seen[i]));
    }
}

static void rule_17_what_is_left_out_changes_nothing(void **state)
{
    (void)state;
    struct chain c = chain();
    struct approval_action a = action(&c);
    const struct hash first = digest(&a);
    struct hash again;

    /* Who proved a link, when and how; what a foreign token says of before. */
    c.links[0].credential = STR("0011223344556677");
    c.links[0].auth_time_us = 5;
    c.links[0].bound = true;
    c.links[0].method = AUTH_JWT;
    c.history[c.history_count++] = STR("corp|eve");
    again = digest(&a);
    assert_memory_equal(&first, &again, sizeof(first));
    /* In which order the destinations would be tried. */
    a.destinations = reversed;
    a.destination_count = ARRAY_LEN(reversed);
    again = digest(&a);
    assert_memory_equal(&first, &again, sizeof(first));
}

static void test_it_is_that_of_the_canonical_text(void **state)
{
    (void)state;
    const struct chain c = chain();
    const struct approval_action a = action(&c);
    const struct str text = STR(
        "{\"action\":\"tool:call/crm/delete\",\"arguments\":{\"id\":7},"
        "\"audience\":\"crm/1\",\"chain\":[{\"id\":\"corp|ann\",\"issuer\":"
        "\"corp\",\"kind\":\"human\"},{\"id\":\"acme/writer\",\"issuer\":"
        "\"keys\",\"kind\":\"agent\"}],\"destinations\":[\"crm\",\"crm-eu\"],"
        "\"purpose\":\"support\",\"resource\":{\"id\":\"crm/delete\",\"type\":"
        "\"Tool\"},\"session\":\"01000000000000000000000000000000\",\"task\":"
        "\"t-1\",\"tenant\":\"acme\",\"tool\":\"030000000000000000000000000000"
        "0000000000000000000000000000000000\"}");
    const struct hash want = hash_sha256(&text, 1);
    const struct hash got = digest(&a);
    assert_memory_equal(&got, &want, sizeof(got));
}

static void test_what_it_cannot_say_is_refused(void **state)
{
    (void)state;
    static struct str many[300];
    const struct chain c = chain();
    struct approval_action a = action(&c);
    struct hash h;

    a.destinations = many;
    a.destination_count = ARRAY_LEN(many);
    assert_int_equal(approval_digest(&a, &h), ERR_LIMIT);
    a = action(&c);
    a.purpose = STR("\xff");
    assert_int_equal(approval_digest(&a, &h), ERR_MALFORMED);
    a = action(&c);
    a.destinations = &a.purpose;
    a.destination_count = 1;
    a.purpose = STR("\xc0\x80");
    assert_int_equal(approval_digest(&a, &h), ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_17_exactly_this_action),
        cmocka_unit_test(rule_17_what_is_left_out_changes_nothing),
        cmocka_unit_test(test_it_is_that_of_the_canonical_text),
        cmocka_unit_test(test_what_it_cannot_say_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
