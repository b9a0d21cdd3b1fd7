/* Tests policy/rules_input: arguments of tools as policies see them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/buf.h"
#include "base/limits.h"
#include "fixture.h"
#include "policy/rules_input.h"

static struct arena arena;

static int begin(void **state)
{
    (void)state;
    arena_init(&arena, 64 * MIB);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static const struct json *read(const char *text)
{
    const struct json *json = NULL;
    if (text != NULL)
        assert_int_equal(json_read(&arena, str_from(text), &json, NULL),
                         ERR_OK);
    return json;
}

/* Is the condition true of a call with these arguments? */
static bool holds(struct fixture *f, const char *condition)
{
    char policy[1024];
    (void)snprintf(policy, sizeof(policy),
                   "permit(principal, action, resource) when { %s };",
                   condition);
    struct rules *r = fixture_rules(policy, NULL, NULL);
    struct rules_answer a = fixture_ask(f, r);
    rules_unref(r);
    return a.decision.effect == DECISION_ALLOW && a.decision.errors == 0;
}

struct row {
    const char *schema, *arguments, *condition;
};

static void check(const struct row *rows, size_t count)
{
    struct fixture f;
    fixture_begin(&f);
    for (size_t i = 0; i < count; i++) {
        f.tool.schema = read(rows[i].schema);
        f.tool.arguments = read(rows[i].arguments);
        bool ok = holds(&f, rows[i].condition);
        if (!ok)
            print_error("row %zu: %s: not so: %s\n", i, rows[i].arguments,
                        rows[i].condition);
        assert_true(ok);
    }
    fixture_end(&f);
}

#define CLEAR "!context.input_opaque && "
#define OPAQUE "context.input_opaque && "

static void test_rule_11_typed_arguments(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {NULL, NULL, CLEAR "context.input == {}"},
        {NULL, "{}", CLEAR "context.input == {}"},
        {NULL, "{\"path\":\"/etc/passwd\",\"force\":true}",
         CLEAR "context.input.path like \"/etc/*\" && context.input.force"},
        {NULL, "{\"n\":-9223372036854775808}",
         CLEAR "context.input.n < 0 && context.input.n + 1 < 0"},
        {NULL, "{\"n\":1.5}",
         CLEAR "context.input.n.greaterThan(decimal(\"1.4999\"))"},
        {NULL, "{\"o\":{\"a\":[1,2,2,1],\"b\":{\"c\":\"x\"}}}",
         CLEAR "context.input.o.a == [2, 1] && context.input.o.b.c == \"x\""},
        {NULL, "{\"a\":[]}", CLEAR "context.input.a.isEmpty()"},
        {NULL, "{\"at\":\"2026-11-20T08:00:00Z\"}",
         CLEAR "context.input.at == \"2026-11-20T08:00:00Z\" && "
               "context.time < datetime(context.input.at)"},
        /* The caller's words are data: no escapes of entities. */
        {NULL,
         "{\"a\":{\"__entity\":{\"type\":\"Writ::User\",\"id\":\"x\"}},"
         "\"b\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"1.2.3.4\"}}}",
         CLEAR "context.input.a.__entity.type == \"Writ::User\" && "
               "context.input.b.__extn.fn == \"ip\""},
        /* What has no type in Cedar is left out, and is said. */
        {NULL, "{\"a\":null,\"b\":1}",
         OPAQUE "!(context.input has a) && context.input.b == 1"},
        {NULL, "{\"a\":{\"b\":[1,null,\"x\"]}}",
         OPAQUE "context.input.a.b == [1, \"x\"]"},
        {NULL, "{\"a\":9223372036854775808,\"b\":-9223372036854775809}",
         OPAQUE "context.input == {}"},
        {NULL, "{\"a\":0.12345,\"b\":1e3,\"c\":1E-2,\"d\":12345678901234567.5}",
         OPAQUE "context.input == {}"},
    };
    check(rows, sizeof(rows) / sizeof(rows[0]));
}

#define OBJECT(properties)                                                     \
    "{\"type\":\"object\",\"properties\":{" properties "}}"
#define TYPED(type) OBJECT("\"n\":{\"type\":" type "}")
#define IS_FIVE "context.input.n == decimal(\"5.0\")"

static void test_rule_11_typed_arguments_follow_the_schema(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {TYPED("\"number\""), "{\"n\":5}", CLEAR IS_FIVE},
        {TYPED("\"number\""), "{\"n\":5.0}", CLEAR IS_FIVE},
        {TYPED("\"number\""), "{\"n\":-0.5}",
         CLEAR "context.input.n.lessThan(decimal(\"0.0\"))"},
        {TYPED("\"number\""), "{\"n\":922337203685478}",
         OPAQUE "context.input == {}"},
        {TYPED("\"number\""), "{\"n\":0.00001}", OPAQUE "context.input == {}"},
        {TYPED("\"integer\""), "{\"n\":5}", CLEAR "context.input.n == 5"},
        {TYPED("\"integer\""), "{\"n\":5.0}", CLEAR "context.input.n == 5"},
        {TYPED("\"integer\""), "{\"n\":5.5}", OPAQUE "context.input == {}"},
        {TYPED("[\"integer\",\"null\"]"), "{\"n\":5}",
         CLEAR "context.input.n == 5"},
        {TYPED("[\"integer\",\"number\"]"), "{\"n\":5}", CLEAR IS_FIVE},
        {TYPED("\"string\""), "{\"n\":5}", CLEAR "context.input.n == 5"},
        {TYPED("\"number\""), "{\"n\":\"5\"}",
         CLEAR "context.input.n == \"5\""},
        {TYPED("\"number\""), "{\"m\":5}", CLEAR "context.input.m == 5"},
        {"{\"additionalProperties\":{\"type\":\"number\"}}", "{\"n\":5}",
         CLEAR IS_FIVE},
        {OBJECT(
             "\"n\":{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"number\"}]}"),
         "{\"n\":5}", CLEAR IS_FIVE},
        {OBJECT("\"n\":{\"oneOf\":[{\"type\":\"integer\"},"
                "{\"type\":\"number\"}]}"),
         "{\"n\":5}", CLEAR IS_FIVE},
        {"{\"allOf\":[" TYPED("\"number\"") "]}", "{\"n\":5}", CLEAR IS_FIVE},
        {"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":" TYPED("\"number\"") "}}",
         "{\"n\":5}", CLEAR IS_FIVE},
        {"{\"properties\":{\"n\":{\"$ref\":\"#/$defs/~0m~1s\"}},"
         "\"$defs\":{\"~m/s\":{\"type\":\"number\"}}}",
         "{\"n\":5}", CLEAR IS_FIVE},
        /* That lead nowhere, or in a circle, say nothing. */
        {OBJECT("\"n\":{\"$ref\":\"#/nowhere\"}"), "{\"n\":5}",
         CLEAR "context.input.n == 5"},
        {OBJECT("\"n\":{\"$ref\":\"http://x/\"}"), "{\"n\":5}",
         CLEAR "context.input.n == 5"},
        {"{\"$ref\":\"#\",\"anyOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"}]}",
         "{\"n\":5}", CLEAR "context.input.n == 5"},
        {"true", "{\"n\":5}", CLEAR "context.input.n == 5"},
        /* Elements: all of one form, or each of its own. */
        {OBJECT("\"n\":{\"items\":{\"type\":\"number\"}}"), "{\"n\":[5,6.5]}",
         CLEAR "context.input.n.containsAll([decimal(\"5.0\"), "
               "decimal(\"6.5\")])"},
        {OBJECT("\"n\":{\"prefixItems\":[{},{\"type\":\"number\"}],\"items\":"
                "{\"type\":\"integer\"}}"),
         "{\"n\":[1,2,3.0]}",
         CLEAR "context.input.n == [1, decimal(\"2.0\"), 3]"},
        {OBJECT("\"n\":{\"items\":[{},{\"type\":\"number\"}],"
                "\"additionalItems\":{\"type\":\"number\"}}"),
         "{\"n\":[1,2,3]}",
         CLEAR "context.input.n == [1, decimal(\"2.0\"), decimal(\"3.0\")]"},
        {OBJECT("\"n\":{\"items\":" OBJECT("\"m\":{\"type\":\"number\"}") "}"),
         "{\"n\":[{\"m\":1},{\"m\":2}]}",
         CLEAR "context.input.n.contains({m: decimal(\"2.0\")})"},
    };
    check(rows, sizeof(rows) / sizeof(rows[0]));
}

static void test_rule_11_typed_arguments_beyond_bounds_are_opaque(void **state)
{
    (void)state;
    struct fixture f;
    struct buf text;
    fixture_begin(&f);
    for (unsigned n = RULES_INPUT_VALUES_MAX - 2; n <= RULES_INPUT_VALUES_MAX;
         n++) {
        buf_init(&text, 8 * MIB);
        buf_addf(&text, "{\"a\":[0");
        for (unsigned i = 1; i < n; i++)
            buf_addf(&text, ",%u", i);
        buf_addf(&text, "]}");
        assert_true(buf_add_char(&text, '\0'));
        f.tool.arguments = read(text.ptr);
        buf_release(&text);
        /* The object and the array are values, too. */
        bool fits = n + 2 <= RULES_INPUT_VALUES_MAX;
        assert_int_equal(holds(&f, CLEAR "context.input.a.contains(7)"), fits);
        assert_int_equal(holds(&f, OPAQUE "!(context has input) && "
                                          "!(context has element)"),
                         !fits);
    }
    f.tool.arguments = read("[1]"); /* no object: nobody validated it */
    assert_true(holds(&f, OPAQUE "!(context has input)"));
    fixture_end(&f);
}

static void test_rule_11_typed_arguments_one_element_at_a_time(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    f.tool.schema = read(OBJECT("\"items\":{\"items\":" OBJECT(
        "\"amount\":{\"type\":\"number\"}") "}"));
    f.tool.arguments = read("{\"items\":[{\"amount\":5},{\"amount\":900}]}");
    const struct json *items = json_get(f.tool.arguments, STR("items"));
    assert_true(holds(&f, "!(context has element)"));
    f.tool.element = json_at(items, 0);
    assert_true(holds(&f, CLEAR "context.element.amount == decimal(\"5.0\")"));
    f.tool.element = json_at(items, 1);
    assert_true(
        holds(&f,
              CLEAR "context.element.amount.greaterThan(decimal(\"500.0\")) && "
                    "context.input.items.contains(context.element)"));
    /* A copy of it is typed by itself. */
    f.tool.element = read("{\"amount\":5}");
    assert_true(holds(&f, CLEAR "context.element.amount == 5"));
    f.tool.element = read("null");
    assert_true(holds(&f, OPAQUE "!(context has element)"));
    fixture_end(&f);
}

static void test_rule_11_typed_arguments_of_what_is_no_call(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f);
    f.request.action = ACTION_PROMPT_GET;
    f.request.resource_type = STR("Prompt");
    assert_true(holds(&f, "!(context has input) && "
                          "!(context has input_opaque)"));
    f.tool.arguments = read("{\"topic\":\"x\"}");
    assert_true(holds(&f, CLEAR "context.input.topic == \"x\""));
    fixture_end(&f);
}

/* What a list of tools shows: whether some call could be permitted. */
static void
test_a_tool_is_listed_when_some_call_could_be_permitted(void **state)
{
    (void)state;
    static const struct {
        const char *policy;
        enum decision_effect listed;
    } rows[] = {
        {"permit(principal, action, resource) when { context.input.path like "
         "\"/srv/*\" };",
         DECISION_ALLOW},
        {"permit(principal, action, resource); forbid(principal, action, "
         "resource) when { context.input.path like \"/etc/*\" };",
         DECISION_ALLOW},
        {"permit(principal, action, resource); forbid(principal, action, "
         "resource) when { context.element.amount > 5 };",
         DECISION_ALLOW},
        {"permit(principal, action, resource); forbid(principal, action, "
         "resource) when { context.task == \"t\" };",
         DECISION_DENY}, /* for want of something else */
        {"permit(principal, action, resource) when { context.task == \"t\" };",
         DECISION_DENY},
        {"permit(principal, action, resource) when { context.input.a == 1 }; "
         "forbid(principal, action, resource);",
         DECISION_DENY},
        {"permit(principal is Writ::User, action, resource) when { "
         "context.input.a == 1 };",
         DECISION_DENY},
        {"permit(principal, action, resource) when { context.input.a == 1 }; "
         "@approval(\"legal\") forbid(principal, action, resource);",
         DECISION_DEFER},
    };
    struct fixture f;
    fixture_begin(&f);
    f.tool.any_arguments = true;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rules *r = fixture_rules(rows[i].policy, NULL, NULL);
        struct rules_answer a = fixture_ask(&f, r);
        if (a.decision.effect != rows[i].listed)
            print_error("%s\n", rows[i].policy);
        assert_int_equal(a.decision.effect, rows[i].listed);
        rules_unref(r);
    }
    fixture_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_11_typed_arguments),
        cmocka_unit_test(test_rule_11_typed_arguments_follow_the_schema),
        cmocka_unit_test(test_rule_11_typed_arguments_beyond_bounds_are_opaque),
        cmocka_unit_test(test_rule_11_typed_arguments_one_element_at_a_time),
        cmocka_unit_test(test_rule_11_typed_arguments_of_what_is_no_call),
        cmocka_unit_test(
            test_a_tool_is_listed_when_some_call_could_be_permitted),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
