/* Tests cedar/cedar_policies: what loads, what does not, and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "cedar/cedar.h"

static struct cedar_policies *load(struct str text)
{
    struct cedar_policies *p = NULL;
    struct cedar_errors errors;
    enum err e = cedar_policies_load(text, &errors, &p);
    if (e != ERR_OK)
        fail_msg("%u:%u: %s", errors.at[0].line, errors.at[0].column,
                 errors.at[0].text);
    return p;
}

/* As in the Rust implementation. */
static void test_parentheses_in_scopes_mean_nothing(void **state)
{
    (void)state;
    cedar_policies_free(load(
        STR("permit(principal == ((User::\"a\")), action in ([Action::\"a\", "
            "(Action::\"b\")]), resource in (?resource));\n"
            "permit(principal, action in (Action::\"a\"), resource);")));
}

static void test_an_error_says_where_and_what(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t line, column;
        const char *what;
    } rows[] = {
        {"permit(principal, action);", 1, 25, "expected ',', found )"},
        {"\n permit(principal, action, resource)", 2, 37,
         "expected ';', found the end"},
        {"permit(principal, action, resource)\nwhen { 1 < 2 < 3 };", 2, 14,
         "comparisons do not chain; put one of them in parentheses"},
        {"permit(principal, action, resource) when { [1].contians(1) };", 1, 48,
         "there is no method contians; did you mean contains?"},
        {"permit(principal, action, resource) when { dateime(\"\") };", 1, 44,
         "there is no function dateime; did you mean datetime?"},
        {"permit(principal, action, resource) when { user };", 1, 44,
         "user is no variable; those are principal, action, resource and "
         "context"},
        {"permit(principal, action, resource) when { pricipal == 1 };", 1, 44,
         "pricipal is no variable; did you mean principal?"},
        {"premit(principal, action, resource);", 1, 1,
         "expected 'permit' or 'forbid', found premit; did you mean permit?"},
        {"permit(principal, acton, resource);", 1, 19,
         "expected 'action', found acton; did you mean action?"},
        {"permit(principal, action, resource) wen { true };", 1, 37,
         "expected 'when', 'unless' or ';', found wen; did you mean when?"},
        {"permit(principal, action, resource) when temporal { true };", 1, 42,
         "'temporal' conditions are not supported"},
        {"permit(principal, action, resource) unless guardrails { true };", 1,
         44, "'guardrails' conditions are not supported"},
        {"permit(principal, action, resource) when { \"a\" like (\"b\") };", 1,
         53, "expected a string with the pattern, found ("},
        {"permit(principal, action, resource) when { context[(\"a\")] };", 1,
         52, "expected a string, found ("},
        {"permit(principal, action, resource) when { {(\"a\"): 1} };", 1, 45,
         "expected a name, found ("},
        {"permit(principal, action, resource) when { \"a\\q\" };", 1, 46,
         "not a valid escape in a string"},
        {"permit(principal, action == User::\"a\", resource);", 1, 29,
         "an action's type is Action, not User"},
        {"permit(principal in User::like::\"a\", action, resource);", 1, 27,
         "like is a reserved word and cannot be a name"},
        {"permit(principal, action, resource) when { -----1 };", 1, 44,
         "more than four '-' in a row"},
        {"permit(principal, action, resource) when { {a: 1, \"a\": 2} };", 1,
         44, "a record has one attribute twice"},
        {"\xff", 1, 1, "the text is not UTF-8"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cedar_policies *p = NULL;
        struct cedar_errors errors;
        assert_int_equal(cedar_policies_load(str_from(rows[i].text), &errors,
                                             &p),
                         ERR_MALFORMED);
        assert_null(p);
        assert_int_equal(errors.count, 1);
        assert_string_equal(errors.at[0].text, rows[i].what);
        assert_int_equal(errors.at[0].line, rows[i].line);
        assert_int_equal(errors.at[0].column, rows[i].column);
    }
}

static void test_several_errors_are_found_in_one_run(void **state)
{
    (void)state;
    struct cedar_policies *p = NULL;
    struct cedar_errors errors;
    struct str text = STR("permit(principal);\n"
                          "permit(principal, action, resource);\n"
                          "forbid(principal, action, resource) when {};\n"
                          "allow(principal, action, resource);\n");
    assert_int_equal(cedar_policies_load(text, &errors, &p), ERR_MALFORMED);
    assert_int_equal(errors.count, 3);
    assert_int_equal(errors.at[0].line, 1);
    assert_int_equal(errors.at[1].line, 3);
    assert_int_equal(errors.at[2].line, 4);

    text = STR("permit(principal, action, resource)\n"
               "permit(principal, action, resourc);\n"
               "forbid(principal, action, resource)\n"
               "@a forbid(principal, action, resource) when { x };\n");
    assert_int_equal(cedar_policies_load(text, &errors, &p), ERR_MALFORMED);
    assert_int_equal(errors.count, 4);
    assert_string_equal(errors.at[0].text,
                        "expected 'when', 'unless' or ';', found permit");
    assert_string_equal(errors.at[1].text, "expected 'resource', found "
                                           "resourc; did you mean resource?");
    assert_string_equal(errors.at[2].text, "expected ';', found @");
    assert_int_equal(errors.at[3].line, 4);

    struct buf many;
    buf_init(&many, MIB);
    for (int i = 0; i < 1000; i++)
        BUF_LIT(&many, "x;");
    assert_int_equal(cedar_policies_load(buf_str(&many), &errors, &p),
                     ERR_MALFORMED);
    assert_int_equal(errors.count, CEDAR_ERRORS_MAX);
    assert_int_equal(cedar_policies_load(buf_str(&many), NULL, &p),
                     ERR_MALFORMED);
    buf_release(&many);
}

static void nest(struct buf *text, const char *open, const char *close,
                 size_t levels)
{
    buf_clear(text);
    BUF_LIT(text, "permit(principal, action, resource) when { ");
    for (size_t i = 0; i < levels; i++)
        buf_add(text, str_from(open));
    BUF_LIT(text, "true");
    for (size_t i = 0; i < levels; i++)
        buf_add(text, str_from(close));
    BUF_LIT(text, " };");
    assert_true(buf_ok(text));
}

static void test_nesting_ends_at_the_limit(void **state)
{
    (void)state;
    static const char *const shapes[][2] = {
        {"(", ")"},
        {"[", "]"},
        {"{a: ", "}"},
        {"ip(", ")"},
        {"if true then true else ", ""},
        {"[].contains(", ")"},
    };
    struct buf text;
    buf_init(&text, 64 * MIB);
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        struct cedar_policies *p = NULL;
        nest(&text, shapes[i][0], shapes[i][1], CEDAR_DEPTH_MAX - 1);
        cedar_policies_free(load(buf_str(&text)));
        nest(&text, shapes[i][0], shapes[i][1], CEDAR_DEPTH_MAX);
        assert_int_equal(cedar_policies_load(buf_str(&text), NULL, &p),
                         ERR_MALFORMED);
        nest(&text, shapes[i][0], shapes[i][1], 1000000);
        assert_int_equal(cedar_policies_load(buf_str(&text), NULL, &p),
                         ERR_MALFORMED);
    }
    buf_release(&text);
}

static void test_names_and_annotations_end_at_their_limits(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, MIB);
    for (int more = 0; more < 2; more++) {
        struct cedar_policies *p = NULL;
        buf_clear(&text);
        BUF_LIT(&text, "permit(principal is A");
        for (int i = 1; i < CEDAR_NAME_PARTS_MAX + more; i++)
            BUF_LIT(&text, "::A");
        BUF_LIT(&text, ", action, resource);");
        enum err e = cedar_policies_load(buf_str(&text), NULL, &p);
        assert_int_equal(e, more == 0 ? ERR_OK : ERR_MALFORMED);
        cedar_policies_free(p);

        p = NULL;
        buf_clear(&text);
        for (int i = 0; i < CEDAR_ANNOTATIONS_MAX + more; i++)
            buf_addf(&text, "@a%d ", i);
        BUF_LIT(&text, "permit(principal, action, resource);");
        e = cedar_policies_load(buf_str(&text), NULL, &p);
        assert_int_equal(e, more == 0 ? ERR_OK : ERR_MALFORMED);
        cedar_policies_free(p);
    }
    buf_release(&text);
}

static void test_a_long_chain_is_no_nesting(void **state)
{
    (void)state;
    static const char *const links[] = {"true && ", "false || ", "1 == 1 && "};
    struct buf text;
    buf_init(&text, 64 * MIB);
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        nest(&text, links[i], "", 100000);
        cedar_policies_free(load(buf_str(&text)));
    }
    buf_release(&text);
}

static void test_a_set_tells_what_it_holds(void **state)
{
    (void)state;
    struct cedar_policies *p =
        load(STR("@id(\"first\") @if @note(\"a\\nb\")\n"
                 "permit(principal, action, resource);\n"
                 "// between\n"
                 "forbid(principal == ?principal, action, resource);"));
    struct str key;
    struct str value;
    assert_int_equal(cedar_policies_count(p), 2);
    assert_int_equal(cedar_policies_templates(p), 1);
    struct cedar_policy_view one = cedar_policies_at(p, 0);
    assert_true(str_eq(one.id, STR("policy0")));
    assert_int_equal(one.effect, CEDAR_PERMIT);
    assert_int_equal(one.line, 1);
    assert_true(str_starts(one.text, STR("@id(\"first\")")));
    assert_int_equal(one.text.ptr[one.text.len - 1], ';');
    assert_true(cedar_policies_annotation(p, 0, 1, &key, &value));
    assert_true(str_eq(key, STR("if")) && value.len == 0);
    assert_true(cedar_policies_annotation(p, 0, 2, &key, &value));
    assert_true(str_eq(key, STR("note")) && str_eq(value, STR("a\nb")));
    assert_false(cedar_policies_annotation(p, 0, 3, &key, &value));

    one = cedar_policies_at(p, 1);
    assert_true(one.is_template);
    assert_int_equal(one.effect, CEDAR_FORBID);
    assert_int_equal(one.line, 4);
    cedar_policies_free(p);
    cedar_policies_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parentheses_in_scopes_mean_nothing),
        cmocka_unit_test(test_an_error_says_where_and_what),
        cmocka_unit_test(test_several_errors_are_found_in_one_run),
        cmocka_unit_test(test_nesting_ends_at_the_limit),
        cmocka_unit_test(test_names_and_annotations_end_at_their_limits),
        cmocka_unit_test(test_a_long_chain_is_no_nesting),
        cmocka_unit_test(test_a_set_tells_what_it_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
