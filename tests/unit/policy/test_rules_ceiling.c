/* Tests policy/rules_ceiling: no policy permits above a registered risk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "domain/risk.h"
#include "fixture.h"

static void test_rule_13_no_policy_permits_above_the_ceiling(void **state)
{
    (void)state;
    static const struct {
        enum action_kind action;
        uint32_t risk, person, agent;
        bool within;
    } rows[] = {
        {ACTION_TOOL_CALL, RISK_READ, 0, RISK_READ, true},
        {ACTION_TOOL_CALL, RISK_READ, 0, RISK_READ | RISK_WRITE, true},
        {ACTION_TOOL_CALL, RISK_WRITE, RISK_ALL, RISK_READ, false},
        {ACTION_TOOL_CALL, RISK_READ | RISK_WRITE, 0, RISK_WRITE, false},
        {ACTION_TOOL_CALL, RISK_READ, RISK_ALL, 0, false},
        {ACTION_TOOL_CALL, RISK_ALL, 0, RISK_ALL & ~RISK_ADMIN, false},
        {ACTION_TOOL_CALL, RISK_ALL, 0, RISK_ALL, true},
        /* Nobody said what it can do: everything. */
        {ACTION_TOOL_CALL, 0, 0, RISK_ALL & ~RISK_EXPORT, false},
        {ACTION_TOOL_CALL, 0, 0, RISK_ALL, true},
        /* No call, and no risk: nothing to hold against anybody. */
        {ACTION_TOOL_LIST, 0, 0, 0, true},
        {ACTION_TOOL_LIST, RISK_READ, 0, 0, false},
    };
    struct rules *r =
        fixture_rules("permit(principal, action, resource);",
                      "permit(principal, action, resource);", NULL);
    struct fixture f;
    fixture_begin(&f);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        f.request.action = rows[i].action;
        f.request.risk = rows[i].risk;
        f.links[0].risk = rows[i].person;
        f.links[1].risk = rows[i].agent;
        struct rules_answer a = fixture_ask(&f, r);
        assert_int_equal(a.decision.effect,
                         rows[i].within ? DECISION_ALLOW : DECISION_DENY);
        if (!rows[i].within) {
            assert_int_equal(a.denied_link, RULES_DENIED_BY_CEILING);
            assert_string_equal(fixture_policies(&a.decision), "risk");
            assert_string_equal(fixture_policies(&a.shadow.decision), "risk");
        }
    }
    /* A person by themselves has no ceiling; nobody knows the agent's. */
    f.request.action = ACTION_TOOL_CALL;
    f.request.risk = RISK_ALL;
    f.chain.count = 1;
    assert_int_equal(fixture_ask(&f, r).decision.effect, DECISION_ALLOW);
    f.chain.count = 2;
    f.request.links = NULL;
    assert_int_equal(fixture_ask(&f, r).decision.effect, DECISION_DENY);
    /* The fence of tenants is before it. */
    f.request.tenant = STR("other");
    assert_int_equal(fixture_ask(&f, r).denied_link, RULES_DENIED_BY_FENCE);
    fixture_end(&f);
    rules_unref(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_13_no_policy_permits_above_the_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
