/* Tests cedar/cedar_policy_json: policies to JSON, back, and to text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "archive.h"
#include "base/limits.h"
#include "cedar/cedar.h"
#include "cedar/cedar_links.h"
#include "cedar/cedar_policy_json.h"
#include "cedar/equal.h"

#define ALL                                                                    \
    "\"principal\":{\"op\":\"All\"},\"action\":{\"op\":\"All\"},"              \
    "\"resource\":{\"op\":\"All\"}"
#define WHEN(body)                                                             \
    "{\"effect\":\"permit\"," ALL                                              \
    ",\"conditions\":[{\"kind\":\"when\",\"body\":" body "}]}"

static struct cedar_policies *load(struct str text)
{
    struct cedar_policies *p = NULL;
    struct cedar_errors errors;
    if (cedar_policies_load(text, &errors, &p) != ERR_OK)
        fail_msg("%.*s: %s", STR_FMT(text), errors.at[0].text);
    return p;
}

/* Places are those of the text that was made, as if that had been loaded. */
static struct cedar_policies *load_json(struct str json)
{
    struct cedar_policies *p = NULL;
    struct cedar_errors errors;
    if (cedar_policy_json_load(json, &errors, &p) != ERR_OK)
        fail_msg("%.*s: %s", STR_FMT(json), errors.at[0].text);
    struct cedar_policies *again = load(p->text);
    assert_int_equal(again->nodes.count, p->nodes.count);
    for (size_t i = 0; i < p->nodes.count; i++)
        if (again->offsets.at[i] != p->offsets.at[i])
            fail_msg("%.*s: node %zu is at %u, not at %u", STR_FMT(p->text), i,
                     again->offsets.at[i], p->offsets.at[i]);
    for (size_t i = 0; i < again->policies.count; i++) {
        assert_int_equal(again->policies.at[i].begin, p->policies.at[i].begin);
        assert_int_equal(again->policies.at[i].end, p->policies.at[i].end);
        assert_int_equal(again->policies.at[i].line, p->policies.at[i].line);
    }
    cedar_policies_free(again);
    return p;
}

static void test_each_construct_has_its_form(void **state)
{
    (void)state;
    static const struct {
        const char *text, *json;
    } rows[] = {
        {"-1 == -(-2)", "{\"==\":{\"left\":{\"Value\":-1},\"right\":{\"neg\":{"
                        "\"arg\":{\"Value\":-2}}}}}"},
        {"-(5)", "{\"neg\":{\"arg\":{\"Value\":5}}}"},
        {"!true", "{\"!\":{\"arg\":{\"Value\":true}}}"},
        {"principal.a[\"b c\"]",
         "{\".\":{\"left\":{\".\":{\"left\":{\"Var\":\"principal\"},"
         "\"attr\":\"a\"}},\"attr\":\"b c\"}}"},
        {"context has a.b", "{\"has\":{\"left\":{\"Var\":\"context\"},"
                            "\"attr\":[\"a\",\"b\"]}}"},
        {"context has \"if\"",
         "{\"has\":{\"left\":{\"Var\":\"context\"},\"attr\":\"if\"}}"},
        {"\"x\" like \"a*\\*\"",
         "{\"like\":{\"left\":{\"Value\":\"x\"},\"pattern\":[{\"Literal\":"
         "\"a\"},\"Wildcard\",{\"Literal\":\"*\"}]}}"},
        {"action is N::T in resource",
         "{\"is\":{\"left\":{\"Var\":\"action\"},\"entity_type\":\"N::T\","
         "\"in\":{\"Var\":\"resource\"}}}"},
        {"if true then 1 else 2",
         "{\"if-then-else\":{\"if\":{\"Value\":true},\"then\":{\"Value\":1},"
         "\"else\":{\"Value\":2}}}"},
        {"[1, {\"a b\": T::\"i\"}]",
         "{\"Set\":[{\"Value\":1},{\"Record\":{\"a b\":{\"Value\":{"
         "\"__entity\":{\"type\":\"T\",\"id\":\"i\"}}}}}]}"},
        {"ip(\"::1\").isInRange(ip(\"::/0\"))",
         "{\"isInRange\":[{\"ip\":[{\"Value\":\"::1\"}]},{\"ip\":[{\"Value\":"
         "\"::/0\"}]}]}"},
        {"[].isEmpty() || resource.hasTag(\"t\") && 1 > 2",
         "{\"||\":{\"left\":{\"isEmpty\":{\"arg\":{\"Set\":[]}}},\"right\":{"
         "\"&&\":{\"left\":{\"hasTag\":{\"left\":{\"Var\":\"resource\"},"
         "\"right\":{\"Value\":\"t\"}}},\"right\":{\">\":{\"left\":{\"Value\":"
         "1},\"right\":{\"Value\":2}}}}}}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[256];
        char json[1024];
        struct buf to;
        int n = snprintf(text, sizeof(text),
                         "permit (principal, action, resource)\nwhen { %s };",
                         rows[i].text);
        struct cedar_policies *p = load((struct str){text, (size_t)n});
        int m = snprintf(json, sizeof(json), WHEN("%s"), rows[i].json);
        buf_init(&to, MIB);
        assert_int_equal(cedar_policy_json_write(p, 0, &to), ERR_OK);
        assert_int_equal(to.len, m);
        assert_memory_equal(to.ptr, json, to.len);
        struct cedar_policies *again = load_json(buf_str(&to));
        assert_true(equal_sets(p, again));
        buf_clear(&to);
        assert_int_equal(cedar_policy_json_text(again, 0, &to), ERR_OK);
        assert_int_equal(to.len, n);
        assert_memory_equal(to.ptr, text, to.len);
        cedar_policies_free(again);
        cedar_policies_free(p);
        buf_release(&to);
    }
}

static void test_scopes_annotations_and_effects_come_back(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "@a\n@b(\"\")\n@c(\"x\\\"y\\n\\u{202e}\")\n"
        "forbid (principal == A::\"b\", action == N::Action::\"c\", resource);",
        "permit (principal in A::\"b\", action in N::Action::\"c\", resource "
        "is "
        "X::Y in A::\"\\0\");",
        "permit (principal is A, action in [], resource == ?resource);",
        "permit (principal is A in ?principal, action in [Action::\"a\", "
        "Action::\"b\"], resource in ?resource)\nunless { 1 }\nwhen { 2 };",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cedar_policies *p = load(str_from(rows[i]));
        struct buf to;
        buf_init(&to, MIB);
        assert_int_equal(cedar_policy_json_write_set(p, &to), ERR_OK);
        struct cedar_policies *again = load_json(buf_str(&to));
        assert_true(equal_sets(p, again));
        assert_int_equal(cedar_policies_templates(p), i >= 2);
        struct cedar_policy_view v = cedar_policies_at(again, 0);
        assert_int_equal(v.text.len, strlen(rows[i]));
        assert_memory_equal(v.text.ptr, rows[i], v.text.len);
        cedar_policies_free(again);
        cedar_policies_free(p);
        buf_release(&to);
    }
}

static void test_parentheses_stand_where_the_tree_needs_them(void **state)
{
    (void)state;
    static const struct {
        const char *text, *printed;
    } rows[] = {
        {"((1 + (2 * 3)))", "1 + 2 * 3"},
        {"(1 - 2) - 3 == 1 - (2 - 3)", "1 - 2 - 3 == 1 - (2 - 3)"},
        {"(1 < 2) == (3 < 4)", "(1 < 2) == (3 < 4)"},
        {"1 || (2 || 3) && (4 || 5)", "1 || (2 || 3) && (4 || 5)"},
        {"(if 1 then 2 else 3) && 4", "(if 1 then 2 else 3) && 4"},
        {"if 1 then 2 else (3 && 4)", "if 1 then 2 else 3 && 4"},
        {"(-1).a && -1.a", "(-1).a && -1.a"},
        {"!!(!true)", "!(!(!true))"},
        {"(context in action).c", "(context in action).c"},
        {"(1 == 2) is T", "(1 == 2) is T"},
        {"1 is T in (2 + 3)", "1 is T in 2 + 3"},
        {"-(-(-9223372036854775808))", "-(-(-9223372036854775808))"},
        {"2 - -1", "2 - -1"},
        {"[(1)].contains((2 < 3))", "[1].contains(2 < 3)"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        static const char format[] =
            "permit (principal, action, resource)\nwhen { %s };";
        char text[256];
        char expected[256];
        struct buf to;
        int n = snprintf(text, sizeof(text), format, rows[i].text);
        int m = snprintf(expected, sizeof(expected), format, rows[i].printed);
        struct cedar_policies *p = load((struct str){text, (size_t)n});
        buf_init(&to, MIB);
        assert_int_equal(cedar_policy_json_text(p, 0, &to), ERR_OK);
        assert_int_equal(to.len, m);
        assert_memory_equal(to.ptr, expected, to.len);
        struct cedar_policies *again = load(buf_str(&to));
        assert_true(equal_sets(p, again));
        cedar_policies_free(again);
        cedar_policies_free(p);
        buf_release(&to);
    }
}

static void test_values_mean_what_they_say(void **state)
{
    (void)state;
    static const struct {
        const char *value, *text;
    } rows[] = {
        {"[1,{\"a\":\"x\"}]", "[1, {a: \"x\"}]"},
        {"{\"__entity\":{\"type\":\"A\",\"id\":\"b\",\"more\":1}}", "A::\"b\""},
        {"{\"__entity\":{\"type\":1,\"id\":\"b\"}}",
         "{__entity: {type: 1, id: \"b\"}}"},
        {"{\"__extn\":{\"fn\":\"ip\",\"arg\":\"nonsense\"}}",
         "ip(\"nonsense\")"},
        {"{\"__extn\":{\"fn\":\"offset\",\"args\":[{\"__extn\":{\"fn\":"
         "\"datetime\",\"arg\":\"2024-01-01\"}},1]}}",
         "datetime(\"2024-01-01\").offset(1)"},
        {"-9223372036854775808", "-9223372036854775808"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char json[512];
        char text[256];
        int n =
            snprintf(json, sizeof(json), WHEN("{\"Value\":%s}"), rows[i].value);
        int m = snprintf(text, sizeof(text),
                         "permit (principal, action, resource)\nwhen { %s };",
                         rows[i].text);
        struct cedar_policies *p = load_json((struct str){json, (size_t)n});
        struct cedar_policy_view v = cedar_policies_at(p, 0);
        assert_int_equal(v.text.len, m);
        assert_memory_equal(v.text.ptr, text, v.text.len);
        cedar_policies_free(p);
    }
}

static void test_an_error_says_where_and_what(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        uint32_t line, column;
        const char *what;
    } rows[] = {
        {"{\"effect\":\"permit\"", 1, 19, NULL},
        {"[]", 1, 1, "expected an object"},
        {"{\"effect\":\"permit\"," ALL "}", 1, 1,
         "the member conditions is missing"},
        {"{\"effect\":\"permit\"," ALL ",\"conditions\":[],\n \"x\": 1}", 2, 7,
         "there is no such member at /x"},
        {WHEN("\n{\"==\":{\"left\":{\"Value\":1},\"rihgt\":{}}}"), 2, 35,
         "there is no such member; did you mean right? at "
         "/conditions/0/body/==/rihgt"},
        {"{\"effect\":\"allow\"," ALL ",\"conditions\":[]}", 1, 1,
         "the effect is permit or forbid"},
        {WHEN("\n{\"==\":{\"left\":{\"Value\":1},\"right\":{\"Value\":null}}}"),
         2, 44,
         "null is no value in Cedar at /conditions/0/body/==/right/Value"},
        {WHEN("\n{\"contians\":[]}"), 2, 13,
         "there is no operator or function contians; did you mean contains? at "
         "/conditions/0/body/contians"},
        {WHEN("\n{\"Slot\":\"?principal\"}"), 2, 9,
         "a slot may stand in the scope only at /conditions/0/body/Slot"},
        {WHEN("\n{\"a/b\":[],\"c\":1}"), 2, 1,
         "an expression is an object with one member at /conditions/0/body"},
        {WHEN("\n{\"isIpv4\":[]}"), 2, 11,
         "what isIpv4 is called on is missing at /conditions/0/body/isIpv4"},
        {WHEN("\n{\"Value\":1.5}"), 2, 10,
         "a number is no integer of 64 bits at /conditions/0/body/Value"},
        {"{\"staticPolicies\":{},\"templates\":{},\"templateLinks\":[{"
         "\"templateId\":\"t\",\"newId\":\"n\",\"values\":{}}]}",
         1, 54, "there is no such template at /templateLinks/0"},
        {"{\"staticPolicies\":{},\"templates\":{\"a/b\":" WHEN(
             "{\"Value\":1}") "},\"templateLinks\":[]}",
         1, 41, "a template needs a slot in its scope at /templates/a~1b"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cedar_policies *p = NULL;
        struct cedar_errors errors;
        assert_int_equal(cedar_policy_json_load(str_from(rows[i].json), &errors,
                                                &p),
                         ERR_MALFORMED);
        assert_true(errors.count >= 1);
        if (rows[i].what != NULL)
            assert_string_equal(errors.at[0].text, rows[i].what);
        if (errors.at[0].column != rows[i].column)
            fail_msg("%s: column %u", rows[i].json, errors.at[0].column);
        assert_int_equal(errors.at[0].line, rows[i].line);
    }
}

static void test_several_errors_are_found_in_one_run(void **state)
{
    (void)state;
    struct cedar_policies *p = NULL;
    struct cedar_errors errors;
    struct str json = STR("{\"staticPolicies\":{\"a\":{},\"b\":1,\"c\":" WHEN(
        "{}") "},\"templates\":{\"d\":[]},\"templateLinks\":[]}");
    assert_int_equal(cedar_policy_json_load(json, &errors, &p), ERR_MALFORMED);
    assert_int_equal(errors.count, 4);
    assert_string_equal(errors.at[3].text,
                        "expected an object at /templates/d");
}

static void test_sets_with_links_come_back(void **state)
{
    (void)state;
    static const char json[] =
        "{\"staticPolicies\":{\"s\":{\"effect\":\"forbid\"," ALL
        ",\"conditions\":[]}},\"templates\":{\"t\":{\"effect\":\"permit\","
        "\"principal\":{\"op\":\"==\",\"slot\":\"?principal\"},"
        "\"action\":{\"op\":\"All\"},\"resource\":{\"op\":\"in\",\"slot\":"
        "\"?resource\"},\"conditions\":[]}},\"templateLinks\":[{"
        "\"templateId\":\"t\",\"newId\":\"l\",\"values\":{\"?principal\":{"
        "\"type\":\"U\",\"id\":\"a\"},\"?resource\":{\"type\":\"D\",\"id\":"
        "\"d\"}}}]}";
    struct cedar_policies *p = load_json(STR(json));
    struct buf to;
    size_t template = 0;
    buf_init(&to, MIB);
    assert_int_equal(cedar_policies_count(p), 3);
    assert_false(cedar_links_template(p, 1, &template));
    assert_true(cedar_links_template(p, 2, &template));
    assert_int_equal(template, 1);
    assert_int_equal(cedar_policy_json_write_set(p, &to), ERR_OK);
    assert_int_equal(to.len, sizeof(json) - 1);
    assert_memory_equal(to.ptr, json, to.len);
    cedar_policies_free(p);
    buf_release(&to);
}

static void test_names_end_at_the_limit_of_text(void **state)
{
    (void)state;
    for (int parts = CEDAR_NAME_PARTS_MAX; parts <= CEDAR_NAME_PARTS_MAX + 1;
         parts++) {
        struct cedar_policies *p = NULL;
        struct buf json;
        buf_init(&json, MIB);
        (void)buf_add(&json, STR("{\"effect\":\"permit\",\"principal\":{\"op\":"
                                 "\"is\",\"entity_type\":\"A"));
        for (int i = 1; i < parts; i++)
            (void)buf_add(&json, STR("::A"));
        (void)buf_add(&json,
                      STR("\"},\"action\":{\"op\":\"All\"},\"resource\":{"
                          "\"op\":\"All\"},\"conditions\":[]}"));
        assert_int_equal(cedar_policy_json_load(buf_str(&json), NULL, &p),
                         parts <= CEDAR_NAME_PARTS_MAX ? ERR_OK
                                                       : ERR_MALFORMED);
        cedar_policies_free(p);
        buf_release(&json);
    }
}

/* A fault of a policy from JSON is located in the text that was made. */
static void test_faults_have_places(void **state)
{
    (void)state;
    struct cedar_policies *p = load_json(STR(WHEN(
        "{\"&&\":{\"left\":{\"<\":{\"left\":{\"Value\":1},\"right\":{\"Value\":"
        "2}}},\"right\":{\".\":{\"left\":{\"Var\":\"context\"},\"attr\":"
        "\"gone\"}}}}")));
    struct cedar_evaluator *v = cedar_evaluator_new();
    struct cedar_request request = {
        .principal = cedar_uid_make(STR("A"), STR("b")),
        .action = cedar_uid_make(STR("Action"), STR("b")),
        .resource = cedar_uid_make(STR("A"), STR("b")),
    };
    struct cedar_answer answer;
    uint32_t line;
    uint32_t column;
    assert_non_null(v);
    assert_int_equal(cedar_authorize(v, p, &request, NULL, &answer), ERR_OK);
    assert_int_equal(answer.fault_count, 1);
    cedar_policies_locate(p, answer.faults[0].offset, &line, &column);
    assert_int_equal(line, 2);
    assert_int_equal(column, 25);
    cedar_evaluator_free(v);
    cedar_policies_free(p);
}

/* Long chains are no nesting for a writer, and no recursion. */
static void test_a_long_chain_is_written(void **state)
{
    (void)state;
    enum { LINKS = 20000 };
    struct buf text;
    struct buf to;
    buf_init(&text, MIB);
    buf_init(&to, 4 * MIB);
    buf_add(&text, STR("permit (principal, action, resource)\nwhen { true"));
    for (int i = 0; i < LINKS; i++)
        buf_add(&text, STR(" && true"));
    buf_add(&text, STR(" };"));
    struct cedar_policies *p = load(buf_str(&text));
    assert_int_equal(cedar_policy_json_text(p, 0, &to), ERR_OK);
    assert_true(str_eq(buf_str(&to), buf_str(&text)));
    buf_clear(&to);
    assert_int_equal(cedar_policy_json_write(p, 0, &to), ERR_OK);
    struct cedar_policies *again = NULL;
    struct cedar_errors errors;
    assert_int_equal(cedar_policy_json_load(buf_str(&to), &errors, &again),
                     ERR_LIMIT);
    assert_string_equal(errors.at[0].text, "nesting is too deep");
    cedar_policies_free(p);
    buf_release(&to);
    buf_release(&text);
}

static size_t find(const struct cedar_policies *p, struct str id)
{
    for (size_t i = 0; i < cedar_policies_count(p); i++)
        if (str_eq(cedar_policies_at(p, i).id, id))
            return i;
    fail_msg("%.*s is gone", STR_FMT(id));
    return 0;
}

/* To JSON and to text, and back. */
static bool comes_back(const char *path, struct str text)
{
    struct cedar_policies *p = NULL;
    struct buf json;
    if (cedar_policies_load(text, NULL, &p) != ERR_OK)
        return false;
    buf_init(&json, 64 * MIB);
    assert_int_equal(cedar_policy_json_write_set(p, &json), ERR_OK);
    struct cedar_policies *again = load_json(buf_str(&json));
    assert_int_equal(cedar_policies_count(again), cedar_policies_count(p));
    for (size_t i = 0; i < cedar_policies_count(p); i++)
        if (!equal_policies(p, i, again, find(again, p->policies.at[i].id)))
            fail_msg("%s: policy %zu is another one", path, i);
    cedar_policies_free(again);
    cedar_policies_free(p);
    buf_release(&json);
    return true;
}

static void test_policies_of_others_come_back(void **state)
{
    (void)state;
    enum { FILES_MAX = 400 };
    static const char *const names[] = {"cedar/hand-written", "cedar/samples",
                                        "cedar/corpus-4.8.x"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct archive a;
        size_t count = 0;
        if (!archive_open(&a, names[i]))
            skip();
        for (size_t k = 0; k < a.count && count < FILES_MAX; k++) {
            const char *end = strrchr(a.files[k].path, '.');
            if (end != NULL && strcmp(end, ".cedar") == 0)
                count += comes_back(a.files[k].path, a.files[k].bytes);
        }
        archive_close(&a);
        assert_true(count > 0);
        print_message("%s: %zu files come back\n", names[i], count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_construct_has_its_form),
        cmocka_unit_test(test_scopes_annotations_and_effects_come_back),
        cmocka_unit_test(test_parentheses_stand_where_the_tree_needs_them),
        cmocka_unit_test(test_values_mean_what_they_say),
        cmocka_unit_test(test_an_error_says_where_and_what),
        cmocka_unit_test(test_several_errors_are_found_in_one_run),
        cmocka_unit_test(test_sets_with_links_come_back),
        cmocka_unit_test(test_names_end_at_the_limit_of_text),
        cmocka_unit_test(test_faults_have_places),
        cmocka_unit_test(test_a_long_chain_is_written),
        cmocka_unit_test(test_policies_of_others_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
