/* Tests app/policy_case: questions and tests as they stand in files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "app/policy_case.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/limits.h"
#include "codec/json.h"
#include "domain/risk.h"

static struct arena arena;

static int begin(void **state)
{
    (void)state;
    arena_init(&arena, 4 * MIB);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

#define CHAIN "chain: [{kind: human, id: corp|ann, tenant: acme}]\n"
#define WHAT "action: model:invoke\nresource: small\n"

static const struct policy_case *read_one(const char *over, const char *text)
{
    const struct policy_case_source from = {
        .file = {STR("q.yaml"), str_from(text)},
        .over = {STR("the options"), str_from(over)},
        .now_us = 5000000,
    };
    struct rules_errors errors = {.count = 0};
    const struct policy_case *c = NULL;
    enum err e = policy_case_read_one(&arena, &from, &errors, &c);
    if (e != ERR_OK && errors.count > 0)
        print_error("%u:%u: %s\n", errors.at[0].line, errors.at[0].column,
                    errors.at[0].text);
    assert_int_equal(e, ERR_OK);
    return c;
}

static void is(struct str got, const char *want)
{
    if (!str_eq(got, str_from(want)))
        print_error("\"%.*s\" is not \"%s\"\n", STR_FMT(got), want);
    assert_true(str_eq(got, str_from(want)));
}

static void test_a_question_has_what_its_file_says(void **state)
{
    (void)state;
    const struct policy_case *c = read_one(
        "",
        "tenant: acme\n" WHAT
        "destination: {provider: p, host: h, region: eu}\n"
        "chain:\n"
        "  - {kind: human, id: corp|ann, groups: [eng, ops],\n"
        "     auth: {acr: phr, age: 2s}}\n"
        "  - {kind: agent, id: acme/bot, owner: corp|ann, purposes: review,\n"
        "     risk: [read, admin], auth: {method: x509, bound: true}}\n"
        "  - {kind: workload, id: \"spiffe://a/b\", role: via, issuer: i}\n"
        "context: {purpose: review, task: t, labels: [b, a], ip: 192.0.2.1,\n"
        "  session: {calls: 1, tokens: 2, age: 3s, labels: \"*\"},\n"
        "  chain: {supervised: true, history: [x]}, estimate: {tokens: 4}}\n");
    const struct rules_request *q = &c->request;
    const struct link *l = c->chain.links;
    assert_int_equal(c->chain.count, 3);
    assert_int_equal(l[0].role, LINK_SUBJECT);
    assert_int_equal(l[0].method, AUTH_JWT);
    assert_int_equal(l[0].auth_time_us, 3000000);
    assert_int_equal(l[0].group_count, 2);
    is(l[0].who.issuer, "corp");
    is(l[0].acr, "phr");
    is(c->links[0].name, "ann");
    is(c->links[0].mode, "both");
    assert_int_equal(l[1].role, LINK_ACTOR);
    assert_int_equal(l[1].method, AUTH_X509);
    assert_true(l[1].bound);
    is(l[1].who.issuer, "keys");
    is(l[1].who.tenant, "acme");
    is(c->links[1].name, "bot");
    is(c->links[1].mode, "delegated");
    is(c->links[1].purposes[0], "review");
    assert_int_equal(c->links[1].risk, RISK_READ | RISK_ADMIN);
    assert_int_equal(l[2].role, LINK_VIA);
    is(l[2].who.issuer, "i");
    is(c->links[2].name, "spiffe://a/b");
    is(q->destination.region, "eu");
    is(q->purpose, "review");
    is(q->ip, "192.0.2.1");
    is(q->labels->names[0], "a");
    assert_true(q->session->labels->all);
    assert_int_equal(q->session->age_ms, 3000);
    assert_int_equal(q->tokens, 4);
    assert_int_equal(q->now_us, 5000000);
    assert_true(q->supervised);
    is(c->chain.history[0], "x");
}

static void test_options_go_before_the_file(void **state)
{
    (void)state;
    const struct policy_case *c =
        read_one("resource: {type: Tool, id: a/b}\ncontext: {purpose: p}\n"
                 "principal: {kind: agent, id: acme/x}\n",
                 CHAIN WHAT "context: {purpose: q, task: t}\n");
    is(c->request.resource, "a/b");
    is(c->request.resource_type, "Tool");
    is(c->request.purpose, "p");
    is(c->request.task, "t");
    is(c->request.tenant, "acme");
    assert_null(c->request.session);
    assert_int_equal(c->chain.count, 1);
    assert_int_equal(c->chain.links[0].role, LINK_PRESENTER);
    c = read_one("", "{\"chain\": [{\"kind\": \"human\", \"id\": \"corp|a\", "
                     "\"tenant\": \"t\"}], \"action\": \"model:embed\", "
                     "\"resource\": \"m\"}");
    assert_int_equal(c->request.action, ACTION_MODEL_EMBED);
}

static void test_tests_are_read_with_their_defaults(void **state)
{
    (void)state;
    const struct rules_file file = {
        STR("a.test.yaml"),
        STR("defaults:\n  given:\n    action: model:invoke\n"
            "    principal: {kind: human, id: corp|a, tenant: t}\n"
            "    resource: small\n    context: {session: {calls: 1}}\n"
            "tests:\n"
            "  - {name: one, expect: allow}\n"
            "  - name: two\n    expect: deny\n    shadow: allow\n"
            "    policies: []\n"
            "    given: {resource: big, context: {session: {tokens: 2}}}\n")};
    struct rules_errors errors = {.count = 0};
    struct policy_cases cases;
    assert_int_equal(policy_case_read(&arena, NULL, &file, &errors, &cases),
                     ERR_OK);
    assert_int_equal(cases.count, 2);
    is(cases.at[0].request.resource, "small");
    assert_false(cases.at[0].has_policies);
    assert_int_equal(cases.at[0].expect, DECISION_ALLOW);
    assert_int_equal(cases.at[0].line, 8);
    assert_int_equal(cases.at[0].request.now_us, POLICY_CASE_TIME_US);
    is(cases.at[1].request.resource, "big");
    assert_true(cases.at[1].has_policies && cases.at[1].has_shadow);
    assert_int_equal(cases.at[1].session.calls, 1);
    assert_int_equal(cases.at[1].session.tokens, 2);
}

static const struct tool_risk_settings files_risk[] = {
    {STR_INIT("read_*"), RISK_READ},
    {STR_INIT("*_all"), RISK_EXPORT},
};
static const struct str yields[] = {STR_INIT("private")};
static const struct tool_server_settings servers[] = {
    {.name = STR_INIT("files"),
     .region = STR_INIT("eu"),
     .transport = TRANSPORT_HTTP,
     .http = {.host = STR_INIT("files.example")},
     .risk = files_risk,
     .risk_count = ARRAY_LEN(files_risk),
     .yields = {yields, 1}},
};
static const struct settings settings = {.tools = servers, .tool_count = 1};

static const struct policy_case *read_with(const struct settings *s,
                                           const char *text)
{
    const struct policy_case_source from = {
        .file = {STR("q.yaml"), str_from(text)},
        .settings = s,
    };
    struct rules_errors errors = {.count = 0};
    const struct policy_case *c = NULL;
    enum err e = policy_case_read_one(&arena, &from, &errors, &c);
    if (e != ERR_OK && errors.count > 0)
        print_error("%u:%u: %s\n", errors.at[0].line, errors.at[0].column,
                    errors.at[0].text);
    assert_int_equal(e, ERR_OK);
    return c;
}

static void test_rule_11_a_question_names_a_call(void **state)
{
    (void)state;
    static const char text[] =
        "agent: acme/bot\n"
        "tool: files/read_all\n"
        "arguments: {path: /x, n: 5, f: -1.5e3, t: true, z: null, s: \"5\",\n"
        "  o: {a: [1, 01, .5, ~]}}\n"
        "element: /o/a/0\n"
        "schema: {type: object}\n"
        "approved: [large]\n";
    static const char want[] =
        "{\"path\":\"/x\",\"n\":5,\"f\":-1.5e3,\"t\":true,\"z\":null,"
        "\"s\":\"5\",\"o\":{\"a\":[1,\"01\",\".5\",null]}}";
    const struct policy_case *c = read_with(&settings, text);
    const struct rules_request *q = &c->request;
    struct buf json;
    assert_int_equal(q->action, ACTION_TOOL_CALL);
    is(q->resource_type, "Tool");
    is(q->resource, "files/read_all");
    assert_ptr_equal(q->tool, &c->tool);
    is(q->tool->server, "files");
    is(q->tool->name, "read_all");
    assert_true(q->tool->pinned);
    assert_int_equal(q->risk, RISK_READ | RISK_EXPORT);
    assert_int_equal(q->tool->risk, q->risk);
    is(q->tool->yields->at[0], "private");
    is(q->destination.provider, "files");
    is(q->destination.host, "files.example");
    is(q->destination.region, "eu");
    is(q->lifted->policies[0], "large");
    assert_ptr_equal(
        q->tool->element,
        json_at(json_get(json_get(q->tool->arguments, STR("o")), STR("a")), 0));
    assert_non_null(q->tool->schema);
    buf_init(&json, 4096);
    json_write(&json, q->tool->arguments, NULL, 0);
    is(buf_str(&json), want);
    buf_release(&json);
    /* The agent has what the registry gives where nobody says more. */
    assert_int_equal(c->chain.count, 1);
    is(c->chain.links[0].who.tenant, "acme");
    assert_int_equal(c->links[0].risk, RISK_READ);
}

static void test_rule_13_a_tool_that_nobody_knows_has_every_risk(void **state)
{
    (void)state;
    static const struct {
        const char *rest;
        uint32_t risk;
    } rows[] = {
        {"tool: files/delete\n", RISK_ALL},
        {"tool: files/read_one\n", RISK_READ},
        {"tool: none/read_one\n", RISK_ALL},
        {"tool: none/read_one\nrisk: [write, read]\n", RISK_READ | RISK_WRITE},
        {"action: tool:list\nresource: {type: ToolServer, id: files}\n",
         RISK_READ},
        {"action: tool:call\nresource: {type: Tool, id: files/delete}\n",
         RISK_ALL},
        {"action: resource:read\nresource: {type: Resource, id: "
         "\"files/f:/x/y\"}"
         "\n",
         RISK_READ},
        {WHAT, RISK_READ},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[256];
        (void)snprintf(text, sizeof(text), "agent: acme/bot\n%s", rows[i].rest);
        const struct policy_case *c = read_with(&settings, text);
        assert_int_equal(c->request.risk, rows[i].risk);
        assert_int_equal(c->request.tool != NULL,
                         i + 1 < ARRAY_LEN(rows)); /* the last is a model */
    }
}

static void test_a_tests_own_tool_hides_what_defaults_do(void **state)
{
    (void)state;
    const struct rules_file file = {
        STR("a.test.yaml"),
        STR("defaults:\n  given: {action: model:invoke, resource: small,\n"
            "    agent: acme/bot, destination: {provider: p, region: us}}\n"
            "tests:\n"
            "  - {name: one, expect: defer, approvals: finance,\n"
            "     given: {tool: files/read_x}}\n"
            "  - {name: two, expect: allow}\n")};
    struct rules_errors errors = {.count = 0};
    struct policy_cases cases;
    assert_int_equal(policy_case_read(&arena, &settings, &file, &errors,
                                      &cases),
                     ERR_OK);
    const struct policy_case *c = &cases.at[0];
    assert_int_equal(c->expect, DECISION_DEFER);
    is(c->approvals.at[0], "finance");
    assert_int_equal(c->request.action, ACTION_TOOL_CALL);
    is(c->request.resource, "files/read_x");
    is(c->request.destination.provider, "files");
    assert_int_equal(cases.at[1].request.action, ACTION_MODEL_INVOKE);
    is(cases.at[1].request.destination.provider, "p");
    assert_null(cases.at[1].request.tool);
}

static void test_what_is_wrong_is_told_at_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", "t:0:0: there are no tests in it"},
        {"- 1", "t:1:1: a map is wanted, beginning with tests:"},
        {"test: []", "t:1:1: there is no key \"test\" here; did you mean "
                     "tests?"},
        {"tests: {}", "t:1:8: tests: is a list of at most 10000"},
        {"tests: [{expect: allow}]", "t:1:9: a test has a name:"},
        {"tests: [{name: a}]", "t:1:9: expect: is allow, deny or defer"},
        {"tests: [{name: a, expect: yes}]",
         "t:1:27: allow, deny or defer is wanted"},
        {"tests: [{name: a, expect: deny, given: {acton: x}}]",
         "t:1:41: there is no key \"acton\" here; did you mean action?"},
        {"tests: [{name: a, expect: deny}]", "t:1:9: chain: is missing"},
        {"tests:\n- name: a\n  expect: deny\n  given: {action: fly, "
         "resource: {}, principal: {kind: human, id: a|b, tenant: t}}",
         "t:4:19: there is no action \"fly\""},
        {"defaults: {given: {chain: []}}\ntests: [{name: a, expect: deny}]",
         "t:1:27: a chain is a list of 1 to 8 links"},
        {"defaults: {given: {chain: [{kind: alien, id: a}]}}\ntests: "
         "[{name: a, expect: deny}]",
         "t:1:28: kind: is human, application, workload or agent"},
        {"defaults: {given: {principal: {kind: human, id: \"a|b\"}}}\ntests: "
         "[{name: a, expect: deny}]",
         "t:1:31: tenant: is missing here and in the question"},
        {"defaults: {given: {tenant: t, principal: {kind: agent, id: a/b, "
         "mode: slow, risk: [all], role: boss, auth: {age: old}}}}\ntests: "
         "[{name: a, expect: deny}]",
         "t:1:96: role: is subject, application, actor, presenter or via"},
        {"defaults: {given: {context: {time: noon}}}\ntests: [{name: a, "
         "expect: deny}]",
         "t:1:36: a time like 2026-11-20T08:00:00Z is wanted"},
        {"defaults: {given: {context: {chain: {supervised: 1}}}}\ntests: "
         "[{name: a, expect: deny}]",
         "t:1:50: true or false is wanted"},
        {"defaults: {given: {context: {session: {calls: -1}}}}\ntests: "
         "[{name: a, expect: deny}]",
         "t:1:47: a whole number from 0 is wanted"},
#define TOOL(rest)                                                             \
    "tests: [{name: a, expect: deny, given: {agent: a/b, " rest "}}]"
        {TOOL("tool: files"), "t:1:40: a tool's name is <server>/<tool>"},
        {TOOL("tool: files/x, resource: small"),
         "t:1:59: tool: is a resource: not both"},
        {TOOL("tool: f/x, risk: [fun]"), "t:1:70: there is no risk \"fun\""},
        {TOOL("tool: f/x, risk: []"), "t:1:70: risk: is at least one word"},
        {TOOL("tool: f/x, arguments: [1]"), "t:1:75: arguments: is a map"},
        {TOOL("tool: f/x, arguments: {a: 1}, element: /b"),
         "t:1:92: there is no \"/b\" in the arguments; a JSON Pointer like "
         "/items/0 is wanted"},
        {TOOL("action: model:invoke, resource: m, arguments: {}"),
         "t:1:99: arguments: is for tools, and this is none"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct rules_file file = {STR("t"), str_from(rows[i].text)};
        struct rules_errors errors = {.count = 0};
        struct policy_cases cases;
        char got[RULES_TEXT_MAX + 64];
        struct buf text;
        assert_int_equal(policy_case_read(&arena, NULL, &file, &errors, &cases),
                         ERR_CONFIG);
        assert_true(errors.count > 0);
        buf_init_lent(&text, got, sizeof(got));
        buf_addf(&text, "%.*s:%u:%u: %s", STR_FMT(errors.at[0].file),
                 errors.at[0].line, errors.at[0].column, errors.at[0].text);
        assert_true(buf_add_char(&text, '\0'));
        assert_string_equal(got, rows[i].want);
    }
}

static void test_memory_that_runs_out_is_told(void **state)
{
    (void)state;
    const struct rules_file file = {
        STR("t"), STR("tests: [{name: a, expect: deny, given: {tenant: t, "
                      "principal: {kind: human, id: \"a|b\", groups: [x]}, "
                      "action: model:invoke, resource: m, context: {labels: "
                      "[a], time: 2026-11-20T08:00:00Z}}}]")};
    enum err e = ERR_NO_MEMORY;
    size_t cap = 0;
    for (; e != ERR_OK && cap < 256 * KIB; cap += 16) {
        struct rules_errors errors = {.count = 0};
        struct policy_cases cases;
        struct arena a;
        arena_init(&a, cap);
        e = policy_case_read(&a, NULL, &file, &errors, &cases);
        assert_true(e == ERR_OK || e == ERR_NO_MEMORY);
        arena_release(&a);
    }
    assert_int_equal(e, ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_question_has_what_its_file_says),
        cmocka_unit_test(test_options_go_before_the_file),
        cmocka_unit_test(test_tests_are_read_with_their_defaults),
        cmocka_unit_test(test_rule_11_a_question_names_a_call),
        cmocka_unit_test(test_rule_13_a_tool_that_nobody_knows_has_every_risk),
        cmocka_unit_test(test_a_tests_own_tool_hides_what_defaults_do),
        cmocka_unit_test(test_what_is_wrong_is_told_at_its_place),
        cmocka_unit_test(test_memory_that_runs_out_is_told),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
