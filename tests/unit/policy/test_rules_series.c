/* Tests the series of policy/rules.h: every answer is the one that the same
 * question gets alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/attr.h"
#include "domain/risk.h"
#include "fixture.h"

#define ALL "@id(\"all\") permit(principal, action, resource);"
#define TOOL "Writ::Action::\"tool:call/files/"

/* What tools are asked about, in this order. */
static const struct {
    const char *name;
    uint32_t risk;
} tools[] = {
    {"read_file", RISK_READ}, {"write_file", RISK_READ | RISK_WRITE},
    {"read_dir", RISK_READ},  {"list", RISK_READ},
    {"unknown", 0},           {"read_file", RISK_READ},
};

static const char *const policies[] = {
    ALL,
    "@id(\"one\") permit(principal, action == " TOOL "list\", resource);",
    ALL "@id(\"no\") forbid(principal is Writ::Agent, action, resource) when { "
        "resource.name like \"read_*\" };",
    ALL "@id(\"arguments\") forbid(principal, action == " TOOL
        "list\", resource) when { context.input.path == \"/etc\" };",
    "@id(\"arguments\") permit(principal, action in Writ::Action::\"tool:"
    "call\", resource) when { context.input.path == \"/etc\" };",
    ALL "@id(\"ask\") @approval(\"legal\") forbid(principal, action, resource) "
        "when { resource.name == \"read_dir\" };",
    ALL "@id(\"group\") forbid(principal in Writ::Group::\"okta|temps\", "
        "action, resource) when { resource.name != \"list\" };",
    ALL "@id(\"history\") forbid(principal, action, resource) when { "
        "context.chain.history.contains(resource.name) };",
    "@id(\"history\") permit(principal, action, resource) when { "
    "context.chain.history.contains(\"read_dir\") };",
    ALL "@id(\"errs\") forbid(principal, action, resource) when { "
        "context.task == \"t\" && resource.name == \"list\" };",
};

static void assert_same(const struct decision *a, const struct decision *b)
{
    char text[1024];
    assert_int_equal(a->effect, b->effect);
    assert_int_equal(a->errors, b->errors);
    (void)snprintf(text, sizeof(text), "%s", fixture_policies(a));
    assert_string_equal(text, fixture_policies(b));
    (void)snprintf(text, sizeof(text), "%s", fixture_approvals(a));
    assert_string_equal(text, fixture_approvals(b));
}

static void set(struct fixture *f, size_t i, char room[64])
{
    (void)snprintf(room, 64, "files/%s", tools[i].name);
    f->tool.name = str_from(tools[i].name);
    f->tool.risk = f->request.risk = tools[i].risk;
    f->request.resource = str_from(room);
}

static void compare(struct fixture *f, const struct rules *r)
{
    struct rules_answer alone[ARRAY_LEN(tools)], one;
    char room[64];
    for (size_t i = 0; i < ARRAY_LEN(tools); i++) {
        set(f, i, room);
        rules_decide(r, f->evaluator, &f->request, &alone[i]);
    }
    rules_decide_begin(r, f->evaluator, &f->request);
    for (size_t i = 0; i < ARRAY_LEN(tools); i++) {
        set(f, i, room);
        rules_decide_next(f->evaluator, &f->request, &one);
        assert_same(&one.decision, &alone[i].decision);
        assert_int_equal(one.shadow.present, alone[i].shadow.present);
        assert_same(&one.shadow.decision, &alone[i].shadow.decision);
        assert_int_equal(one.denied_link, alone[i].denied_link);
        assert_int_equal(one.by_forbid, alone[i].by_forbid);
    }
    rules_decide_end(f->evaluator);
}

/* A third link is the first one's identity, with another credential's group. */
static void add_link(struct fixture *f)
{
    static const struct str temps[] = {STR_INIT("temps")};
    f->chain.links[2] = f->chain.links[0];
    f->chain.links[2].groups = temps;
    f->chain.links[2].group_count = 1;
    f->chain.count = 3;
}

static void test_a_series_answers_as_each_question_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
        struct rules_link links[3];
        struct fixture f;
        fixture_begin(&f);
        f.tool.any_arguments = true;
        struct rules *r = fixture_rules(policies[i], policies[2], NULL);
        compare(&f, r);
        memcpy(links, f.links, sizeof(f.links));
        links[2] = links[0];
        f.request.links = links;
        add_link(&f);
        compare(&f, r);
        f.chain.history[f.chain.history_count++] = STR("read_dir");
        compare(&f, r);
        rules_unref(r);
        fixture_end(&f);
    }
}

static void test_another_question_is_denied(void **state)
{
    (void)state;
    struct fixture f;
    struct rules_answer a;
    fixture_begin(&f);
    struct rules *r = fixture_rules(ALL, NULL, NULL);
    struct chain other = f.chain;
    f.tool.any_arguments = true;
    rules_decide_begin(r, f.evaluator, &f.request);
    rules_decide_next(f.evaluator, &f.request, &a);
    assert_int_equal(a.decision.effect, DECISION_ALLOW);
    for (unsigned i = 0; i < 5; i++) {
        struct rules_request q = f.request;
        struct rules_tool tool = f.tool;
        q.tool = &tool;
        tool.any_arguments = i != 0;
        q.chain = i == 1 ? &other : q.chain;
        q.action = i == 2 ? ACTION_TOOL_LIST : q.action;
        q.tool = i == 3 ? NULL : q.tool;
        q.resource = i == 4 ? STR("pay/read_file") : q.resource;
        rules_decide_next(f.evaluator, &q, &a);
        assert_int_equal(a.decision.effect, DECISION_DENY);
    }
    rules_decide_next(f.evaluator, &f.request, &a);
    assert_int_equal(a.decision.effect, DECISION_ALLOW);
    rules_decide_end(f.evaluator);
    rules_decide_next(f.evaluator, &f.request, &a); /* it is over */
    assert_int_equal(a.decision.effect, DECISION_DENY);
    /* One that nobody may begin. */
    f.tool.any_arguments = false;
    rules_decide_begin(r, f.evaluator, &f.request);
    f.tool.any_arguments = true;
    rules_decide_next(f.evaluator, &f.request, &a);
    assert_int_equal(a.decision.effect, DECISION_DENY);
    rules_decide_end(f.evaluator);
    rules_unref(r);
    fixture_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_series_answers_as_each_question_alone),
        cmocka_unit_test(test_another_question_is_denied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
