/* Tests domain/: names, the closed list of actions, labels that only rise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "domain/action.h"
#include "domain/decision.h"
#include "domain/label.h"
#include "domain/outcome.h"
#include "domain/principal.h"
#include "domain/risk.h"

static void test_the_zero_of_everything_is_the_safe_one(void **state)
{
    (void)state;
    assert_int_equal(DECISION_DENY, 0);
    assert_int_equal(ACTION_NONE, 0);
    assert_int_equal(PRINCIPAL_NONE, 0);
    assert_int_equal(LINK_NONE, 0);
    assert_int_equal(AUTH_NONE, 0);
    assert_int_equal(OUTCOME_UNKNOWN, 0);
}

static void test_actions_have_distinct_names_of_two_parts(void **state)
{
    (void)state;
    assert_true(str_eq(action_kind_name(ACTION_NONE), STR("")));
    for (int a = 1; a < ACTION_COUNT; a++) {
        struct str name = action_kind_name((enum action_kind)a);
        assert_true(str_find(name, ':') > 0 && str_find(name, ':') < name.len);
        for (int b = 1; b < a; b++)
            assert_false(str_eq(name, action_kind_name((enum action_kind)b)));
    }
}

/* Rule 3: the names of the field, and back. */
static void rule_03_kinds_have_one_name_and_one_entity_each(void **state)
{
    (void)state;
    static const struct {
        enum principal_kind kind;
        const char *name, *entity;
    } rows[] = {
        {PRINCIPAL_USER, "human", "User"},
        {PRINCIPAL_APPLICATION, "application", "Application"},
        {PRINCIPAL_WORKLOAD, "workload", "Workload"},
        {PRINCIPAL_AGENT, "agent", "Agent"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_true(
            str_eq(principal_kind_name(rows[i].kind), str_from(rows[i].name)));
        assert_true(str_eq(principal_kind_entity(rows[i].kind),
                           str_from(rows[i].entity)));
        assert_int_equal(principal_kind_from(str_from(rows[i].name)),
                         rows[i].kind);
    }
    assert_int_equal(principal_kind_from(STR("Human")), PRINCIPAL_NONE);
    assert_int_equal(principal_kind_from(STR("")), PRINCIPAL_NONE);
}

static void test_labels_are_sorted_unique_and_never_lost(void **state)
{
    (void)state;
    static const char *const names[] = {"secret", "private", "secret", "a"};
    struct labels l = {0};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        labels_add(&l, str_from(names[i]));
    assert_int_equal(l.count, 3);
    assert_true(str_eq(l.names[0], STR("a")));
    assert_true(str_eq(l.names[2], STR("secret")));
    assert_false(labels_has(&l, STR("untrusted")));

    char more[LABELS_MAX + 1][4];
    for (size_t i = 0; i <= LABELS_MAX; i++) {
        (void)snprintf(more[i], sizeof(more[i]), "z%02zu", i);
        labels_add(&l, str_from(more[i]));
    }
    assert_true(l.all);
    assert_true(labels_has(&l, STR("untrusted"))); /* overflow is everything */
}

static void test_risks_have_words_of_one_bit_each(void **state)
{
    (void)state;
    uint32_t all = 0;
    for (unsigned n = 0; n < RISK_WORDS; n++) {
        uint32_t bit = risk_from(risk_word(n));
        assert_int_equal(bit, 1U << n);
        all |= bit;
    }
    assert_int_equal(all, RISK_ALL);
    assert_int_equal(risk_from(STR("")), 0);
    assert_int_equal(risk_from(STR("Read")), 0);
    assert_true(str_eq(risk_word(8), STR("admin")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_zero_of_everything_is_the_safe_one),
        cmocka_unit_test(test_actions_have_distinct_names_of_two_parts),
        cmocka_unit_test(rule_03_kinds_have_one_name_and_one_entity_each),
        cmocka_unit_test(test_risks_have_words_of_one_bit_each),
        cmocka_unit_test(test_labels_are_sorted_unique_and_never_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
