/* Tests policy/rules_tool: tools, their servers, and calls as actions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/attr.h"
#include "codec/json.h"
#include "domain/risk.h"
#include "fixture.h"

/* The sanitizer's, where there is one; NULL elsewhere. */
typedef void malloc_hook(const volatile void *p, size_t size);
typedef void free_hook(const volatile void *p);
int install_hooks(malloc_hook *on_malloc, free_hook *on_free) __asm__(
    "__sanitizer_install_malloc_and_free_hooks") __attribute__((weak));

#define ALL "permit(principal, action, resource);"

static enum decision_effect effect(struct fixture *f, const char *policy,
                                   const char *entities)
{
    struct rules *r = fixture_rules(policy, NULL, entities);
    struct rules_answer a = fixture_ask(f, r);
    rules_unref(r);
    return a.decision.effect;
}

static void test_rule_11_each_tool_is_an_action_of_its_own(void **state)
{
    (void)state;
    static const struct {
        const char *scope;
        bool applies;
    } rows[] = {
        {"action in Writ::Action::\"tool:call\"", true},
        {"action in [Writ::Action::\"model:invoke\", "
         "Writ::Action::\"tool:call\"]",
         true},
        {"action == Writ::Action::\"tool:call/files/read_file\"", true},
        {"action in Writ::Action::\"tool:call/files/read_file\"", true},
        {"action == Writ::Action::\"tool:call/files/write_file\"", false},
        {"action == Writ::Action::\"tool:call/pay/read_file\"", false},
        {"action in Writ::Action::\"tool:list\"", false},
    };
    struct fixture f;
    fixture_begin(&f);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char policy[256];
        (void)snprintf(policy, sizeof(policy),
                       "permit(principal, %s, resource);", rows[i].scope);
        assert_int_equal(effect(&f, policy, NULL),
                         rows[i].applies ? DECISION_ALLOW : DECISION_DENY);
    }
    fixture_end(&f);
}

static void test_rule_02_every_link_decides_on_a_call(void **state)
{
    (void)state;
    struct rules *r = fixture_rules(
        "permit(principal is Writ::User, action in "
        "Writ::Action::\"tool:call\", resource);"
        "permit(principal is Writ::Agent, action == "
        "Writ::Action::\"tool:call/files/read_file\", resource) when { "
        "context.link.role == \"actor\" };",
        NULL, NULL);
    struct fixture f;
    fixture_begin(&f);
    assert_int_equal(fixture_ask(&f, r).decision.effect, DECISION_ALLOW);
    f.tool.name = STR("stat"); /* alice may, her agent may not */
    f.request.resource = STR("files/stat");
    struct rules_answer a = fixture_ask(&f, r);
    assert_int_equal(a.decision.effect, DECISION_DENY);
    assert_int_equal(a.denied_link, 1);
    f.chain.count = 1;
    assert_int_equal(fixture_ask(&f, r).decision.effect, DECISION_ALLOW);
    fixture_end(&f);
    rules_unref(r);
}

static void test_rule_11_the_group_of_calls_is_compared_with_in(void **state)
{
    (void)state;
    static const struct {
        const char *policy, *want;
    } rows[] = {
        {"forbid(principal, action == Writ::Action::\"tool:call\", resource);",
         "a.cedar:1:43: no call is equal to \"tool:call\", the group of all of "
         "them; write: action in Writ::Action::\"tool:call\""},
        {"forbid(principal, action, resource) when { "
         "action != Writ::Action::\"tool:call\" };",
         "a.cedar:1:68: no call is equal to \"tool:call\", the group of all of "
         "them; write: action in Writ::Action::\"tool:call\""},
        {"forbid(principal, action, resource) when { "
         "Writ::Action::\"tool:call\" == action };",
         "a.cedar:1:58: no call is equal to \"tool:call\", the group of all of "
         "them; write: action in Writ::Action::\"tool:call\""},
        {"forbid(principal, action == Writ::Action::\"tool:call/files\", "
         "resource);",
         "a.cedar:1:43: the call of a tool is \"tool:call/<server>/<tool>\""},
        {"forbid(principal, action == Writ::Action::\"tool:cal\", resource);",
         "a.cedar:1:43: there is no action \"tool:cal\"; did you mean "
         "\"tool:call\"?"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(fixture_error(rows[i].policy), rows[i].want);
}

static void test_rule_13_policies_see_what_a_tool_is(void **state)
{
    (void)state;
    static const struct str labels[] = {STR_INIT("private"), STR_INIT("pii")};
    static const struct names yields = {labels, 2};
    static const struct names clearance = {labels, 1};
    static const char *const rows[] = {
        "resource == Writ::Tool::\"files/read_file\" && resource is Writ::Tool",
        "resource in Writ::ToolServer::\"files\"",
        "!(resource in Writ::ToolServer::\"pay\")",
        "resource.server == \"files\" && resource.name == \"read_file\"",
        "resource.risk == [\"write\", \"read\"]",
        "resource.labels == [\"pii\", \"private\"]",
        "resource.clearance == [\"private\"] && resource.pinned",
        "context.destination.provider == \"files\"",
    };
    struct fixture f;
    fixture_begin(&f);
    f.tool.risk = RISK_READ | RISK_WRITE;
    f.tool.yields = &yields;
    f.tool.clearance = &clearance;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char policy[256];
        (void)snprintf(policy, sizeof(policy),
                       "permit(principal, action, resource) when { %s };",
                       rows[i]);
        if (effect(&f, policy, NULL) != DECISION_ALLOW)
            fail_msg("not so: %s", rows[i]);
    }
    f.tool.yields = NULL; /* not known: a forbid that asks denies */
    assert_int_equal(effect(&f,
                            ALL "forbid(principal, action, resource) when "
                                "{ resource.labels.contains(\"x\") };",
                            NULL),
                     DECISION_DENY);
    fixture_end(&f);
}

static void test_what_else_a_server_has_is_in_it(void **state)
{
    (void)state;
    static const struct {
        enum action_kind action;
        const char *type, *resource, *name, *policy;
    } rows[] = {
        {ACTION_RESOURCE_READ, "Resource", "files/file:///srv/a",
         "file:///srv/a",
         "permit(principal, action == Writ::Action::\"resource:read\", "
         "resource in Writ::ToolServer::\"files\") when { resource is "
         "Writ::Resource && resource.name like \"file:///srv/*\" && "
         "!(resource has pinned) };"},
        {ACTION_PROMPT_GET, "Prompt", "files/review", "review",
         "permit(principal, action == Writ::Action::\"prompt:get\", resource "
         "== Writ::Prompt::\"files/review\");"},
        {ACTION_TOOL_LIST, "ToolServer", "files", "",
         "permit(principal, action == Writ::Action::\"tool:list\", resource "
         "== Writ::ToolServer::\"files\") when { resource.name == \"files\" "
         "};"},
    };
    struct fixture f;
    fixture_begin(&f);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        f.request.action = rows[i].action;
        f.request.resource_type = str_from(rows[i].type);
        f.request.resource = str_from(rows[i].resource);
        f.tool.name = str_from(rows[i].name);
        assert_int_equal(effect(&f, rows[i].policy, NULL), DECISION_ALLOW);
    }
    fixture_end(&f);
}

#define UID(type, id) "{\"type\":\"Writ::" type "\",\"id\":\"" id "\"}"
#define ENTITY(type, id, attrs, parent)                                        \
    "[{\"uid\":" UID(type, id) ",\"attrs\":{" attrs "},\"parents\":[" parent   \
                               "]}]"

static void test_files_put_tools_and_servers_into_groups(void **state)
{
    (void)state;
    static const char group[] =
        "permit(principal, action, resource in Writ::ToolGroup::\"safe\") when "
        "{ resource in Writ::ToolServer::\"files\" && resource.risk == "
        "[\"read\"] };";
    struct fixture f;
    fixture_begin(&f);
    assert_int_equal(effect(&f, group, NULL), DECISION_DENY);
    assert_int_equal(effect(&f, group,
                            ENTITY("Tool", "files/read_file", "",
                                   UID("ToolGroup", "safe"))),
                     DECISION_ALLOW);
    assert_int_equal(effect(&f, group,
                            ENTITY("Tool", "files/other", "",
                                   UID("ToolGroup", "safe"))),
                     DECISION_DENY);
    assert_int_equal(effect(&f, group,
                            ENTITY("ToolServer", "files", "\"tier\":1",
                                   UID("ToolGroup", "safe"))),
                     DECISION_ALLOW);
    f.request.action = ACTION_TOOL_LIST;
    f.request.resource_type = STR("ToolServer");
    f.request.resource = STR("files");
    f.tool.name = STR("");
    assert_int_equal(effect(&f,
                            "permit(principal, action, resource) when { "
                            "resource.tier == 1 && resource.name == \"files\" "
                            "};",
                            ENTITY("ToolServer", "files", "\"tier\":1", "")),
                     DECISION_ALLOW);
    fixture_end(&f);
}

static void test_rule_03_files_cannot_say_what_a_server_says(void **state)
{
    (void)state;
    static const struct {
        const char *entities, *want;
    } rows[] = {
        {ENTITY("Tool", "files/a", "\"risk\":[]", ""),
         "a tool's attributes come from its server and the configuration; a "
         "file can only give it parents"},
        {ENTITY("Tool", "files/a", "", UID("ToolServer", "pay")),
         "a tool's server is the one in its id"},
        {ENTITY("Resource", "files/a", "", ""),
         "Writ::Resource::\"files/a\" cannot be given in a file: it comes from "
         "its server"},
        {ENTITY("Action", "tool:call/files/a", "", ""),
         "Writ::Action::\"tool:call/files/a\" cannot be given in a file: it "
         "comes from the registry, the configuration or a token"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct rules_file file = {STR("e.json"),
                                        str_from(rows[i].entities)};
        const struct rules_sources from = {.entities = &file,
                                           .entity_count = 1};
        struct rules_errors errors;
        struct rules *r = NULL;
        assert_int_equal(rules_new(fixture_settings(), &from, &errors, &r),
                         ERR_CONFIG);
        assert_string_equal(errors.at[0].text, rows[i].want);
    }
}

static void test_what_is_no_question_is_denied(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    assert_int_equal(effect(&f, ALL, NULL), DECISION_ALLOW);
    f.request.resource = STR("files/write_file"); /* and the tool is another */
    assert_int_equal(effect(&f, ALL, NULL), DECISION_DENY);
    f.request.resource = STR("files.read_file");
    assert_int_equal(effect(&f, ALL, NULL), DECISION_DENY);
    f.request.resource = STR("files/read_file");
    f.request.resource_type = STR("Prompt"); /* which cannot be called */
    assert_int_equal(effect(&f, ALL, NULL), DECISION_DENY);
    f.request.resource_type = STR("Model");
    f.request.action = ACTION_MODEL_INVOKE;
    assert_int_equal(effect(&f, ALL, NULL), DECISION_DENY);
    f.request.resource_type = STR("Tool");
    f.request.action = ACTION_TOOL_CALL;
    f.tool.name = STR("");
    assert_int_equal(effect(&f, ALL, NULL), DECISION_DENY);
    f.request.action = ACTION_RESOURCE_READ;
    f.request.resource_type = STR("Resource");
    f.request.resource = STR("files/");
    assert_int_equal(effect(&f, ALL, NULL), DECISION_DENY);
    f.request.resource = STR("pay/x");
    assert_int_equal(effect(&f, ALL, NULL), DECISION_DENY);
    f.request.resource = STR("files/x"); /* says its name itself */
    assert_int_equal(effect(&f,
                            "permit(principal, action, resource) when { "
                            "resource.name == \"x\" && resource in "
                            "Writ::ToolServer::\"files\" };",
                            NULL),
                     DECISION_ALLOW);
    f.request.action = ACTION_TOOL_CALL;
    f.request.resource_type = STR("Tool");
    f.request.tool = NULL;
    assert_int_equal(effect(&f, ALL, NULL), DECISION_DENY);
    fixture_end(&f);
}

static void test_the_fence_of_tenants_stands_before_servers(void **state)
{
    (void)state;
    static const struct {
        const char *tenant, *server, *provider, *region;
        bool inside;
    } rows[] = {
        {"acme", "files", "files", "eu", true},
        {"acme", "files", "", "", true}, /* the server says where */
        {"acme", "pay", "pay", "eu", true},
        {"acme", "far", "far", "us", false}, /* acme is of the eu */
        {"acme", "far", "", "", false},
        {"acme", "files", "files", "us", false},
        {"acme", "files", "pay", "eu", false},
        {"acme", "none", "", "", false},
        {"other", "files", "files", "eu", true},
        {"other", "far", "far", "us", true},
        {"other", "pay", "pay", "eu", false}, /* which is acme's */
        {"nobody", "files", "files", "eu", false},
    };
    struct rules *r = fixture_rules(ALL, ALL, NULL);
    struct fixture f;
    fixture_begin(&f);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char resource[64];
        (void)snprintf(resource, sizeof(resource), "%s/x", rows[i].server);
        f.tool.server = str_from(rows[i].server);
        f.tool.name = STR("x");
        f.request.resource = str_from(resource);
        f.request.tenant = str_from(rows[i].tenant);
        for (unsigned k = 0; k < f.chain.count; k++)
            f.chain.links[k].who.tenant = f.request.tenant;
        f.request.destination =
            (struct rules_destination){str_from(rows[i].provider), STR(""),
                                       str_from(rows[i].region)};
        struct rules_answer a = fixture_ask(&f, r);
        assert_int_equal(a.decision.effect,
                         rows[i].inside ? DECISION_ALLOW : DECISION_DENY);
        if (!rows[i].inside) {
            assert_int_equal(a.denied_link, RULES_DENIED_BY_FENCE);
            assert_string_equal(fixture_policies(&a.decision), "tenants");
            assert_string_equal(fixture_policies(&a.shadow.decision),
                                "tenants");
        }
    }
    fixture_end(&f);
    rules_unref(r);
}

static void test_what_no_server_has_is_warned_of(void **state)
{
    (void)state;
    const struct rules_file file = {
        STR("a.cedar"),
        STR("permit(principal, action == Writ::Action::\"tool:call/fils/x\", "
            "resource) when { resource in [Writ::ToolServer::\"pai\", "
            "Writ::Tool::\"files/whatever\", Writ::Tool::\"files\", "
            "Writ::Resource::\"none/a\", Writ::ToolGroup::\"g\"] };\n"
            "@approval(\"legal\") forbid(principal, action, resource);\n"
            "@id(\"a\") @approval(\"legal\") forbid(principal, action, "
            "resource);")};
    static const char *const want[] = {
        ("a forbid with @approval but without @id: its name changes with its "
         "place in the file"),
        "nothing is known of ToolServer \"fils\"; did you mean \"files\"?",
        "nothing is known of ToolServer \"pai\"; did you mean \"pay\"?",
        "the id of a Tool is \"<server>/<name>\"",
        "nothing is known of ToolServer \"none\"",
        "nothing is known of ToolGroup \"g\"",
    };
    const struct rules_sources from = {.policies = &file, .policy_count = 1};
    struct rules_errors found;
    struct rules *r = NULL;
    assert_int_equal(rules_new(fixture_settings(), &from, &found, &r), ERR_OK);
    rules_warnings(r, &from, &found);
    assert_int_equal(found.count, ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        assert_string_equal(found.at[i].text, want[i]);
    rules_unref(r);
}

static unsigned long allocations;

static void count_malloc(const volatile void *p, size_t size)
{
    (void)p;
    (void)size;
    allocations++;
}

static void no_free(const volatile void *p)
{
    (void)p;
}

static void test_a_warm_call_allocates_nothing(void **state)
{
    (void)state;
    static const char text[] =
        "{\"path\":\"/srv/a\",\"n\":1.5,\"list\":[1,2,3],\"o\":{\"a\":null}}";
    struct rules *r = fixture_rules(
        ALL "@approval(\"legal\") forbid(principal, action in "
            "Writ::Action::\"tool:call\", resource) when { context.input.path "
            "like \"/etc/*\" };",
        ALL, NULL);
    struct arena a;
    struct fixture f;
    fixture_begin(&f);
    arena_init(&a, 1 << 20);
    assert_int_equal(json_read(&a, STR(text), &f.tool.arguments, NULL), ERR_OK);
    f.chain.history[f.chain.history_count++] = STR("x");
    struct rules_answer answer = fixture_ask(&f, r);
    if (install_hooks != NULL && install_hooks(count_malloc, no_free) > 0) {
        allocations = 0;
        for (unsigned i = 0; i < 100; i++)
            rules_decide(r, f.evaluator, &f.request, &answer);
        unsigned long counted = allocations;
        assert_int_equal(counted, 0);
    }
    assert_int_equal(answer.decision.effect, DECISION_ALLOW);
    arena_release(&a);
    fixture_end(&f);
    rules_unref(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_11_each_tool_is_an_action_of_its_own),
        cmocka_unit_test(test_rule_02_every_link_decides_on_a_call),
        cmocka_unit_test(test_rule_11_the_group_of_calls_is_compared_with_in),
        cmocka_unit_test(test_rule_13_policies_see_what_a_tool_is),
        cmocka_unit_test(test_what_else_a_server_has_is_in_it),
        cmocka_unit_test(test_files_put_tools_and_servers_into_groups),
        cmocka_unit_test(test_rule_03_files_cannot_say_what_a_server_says),
        cmocka_unit_test(test_what_is_no_question_is_denied),
        cmocka_unit_test(test_the_fence_of_tenants_stands_before_servers),
        cmocka_unit_test(test_what_no_server_has_is_warned_of),
        cmocka_unit_test(test_a_warm_call_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
