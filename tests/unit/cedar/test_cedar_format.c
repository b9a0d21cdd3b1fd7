/* Tests cedar/cedar_format: how policies look, and what must not change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "archive.h"
#include "base/limits.h"
#include "cedar/cedar.h"
#include "cedar/cedar_format.h"
#include "cedar/equal.h"
#include "cedar/layout.h"

static void formats(const char *text, const char *expected)
{
    struct buf to;
    struct buf again;
    struct cedar_policies *a;
    struct cedar_policies *b;
    buf_init(&to, MIB);
    buf_init(&again, MIB);
    assert_int_equal(cedar_format_policies(str_from(text), NULL, &to), ERR_OK);
    if (!str_eq(buf_str(&to), str_from(expected)))
        fail_msg("%s\nbecame\n%.*s", text, STR_FMT(buf_str(&to)));
    assert_int_equal(cedar_format_policies(buf_str(&to), NULL, &again), ERR_OK);
    assert_true(str_eq(buf_str(&to), buf_str(&again)));
    assert_int_equal(cedar_policies_load(str_from(text), NULL, &a), ERR_OK);
    assert_int_equal(cedar_policies_load(buf_str(&to), NULL, &b), ERR_OK);
    assert_true(equal_sets(a, b));
    cedar_policies_free(a);
    cedar_policies_free(b);
    buf_release(&to);
    buf_release(&again);
}

static void test_policies_have_one_form(void **state)
{
    (void)state;
    static const struct {
        const char *text, *formatted;
    } rows[] = {
        {"", ""},
        {"permit(principal,action,resource,);",
         "permit (principal, action, resource);\n"},
        {"@a@b ( \"c\" )permit(principal==A::\"b\",action in[Action::\"x\",],"
         "resource is N :: T in?resource);forbid(principal,action,resource)"
         "unless{1}when{2};",
         "@a\n@b(\"c\")\npermit (\n  principal == A::\"b\",\n"
         "  action in [Action::\"x\"],\n  resource is N::T in ?resource\n);\n\n"
         "forbid (principal, action, resource)\nunless { 1 }\nwhen { 2 };\n"},
        {"permit(principal,action==Action::\"a\",resource);"
         "permit(principal,action in[Action::\"a\",Action::\"b\"],resource);"
         "permit(principal is User,action,resource is File);"
         "permit(principal==User::\"00000000-0000-0000-0000-000000000000\","
         "action,resource);",
         "permit (principal, action == Action::\"a\", resource);\n\n"
         "permit (principal, action in [Action::\"a\", Action::\"b\"], "
         "resource);\n\n"
         "permit (\n  principal is User,\n  action,\n  resource is File\n);\n\n"
         "permit (\n  principal == "
         "User::\"00000000-0000-0000-0000-000000000000\",\n  action,\n"
         "  resource\n);\n"},
        {"permit(principal,action,resource)when{!context.a[\"b c\"].contains("
         "- 1)&&{a:1,\"b\":[]}.a has x.y};",
         "permit (principal, action, resource)\nwhen { "
         "!context.a[\"b c\"].contains(-1) && {a: 1, \"b\": []}.a has x.y "
         "};\n"},
        {"permit(principal,action,resource)when{context.aaaaaaaaaaaaaaaaaaaaaa "
         "|| "
         "context.bbbbbbbbbbbbbbbbbbbbbbbbbbbb&&context.cccccccccccccccccccc "
         "&&context.ddddddddddddddddddddddd};",
         "permit (principal, action, resource)\nwhen {\n"
         "  context.aaaaaaaaaaaaaaaaaaaaaa ||\n"
         "  context.bbbbbbbbbbbbbbbbbbbbbbbbbbbb &&\n"
         "  context.cccccccccccccccccccc &&\n"
         "  context.ddddddddddddddddddddddd\n};\n"},
        {"permit(principal,action,resource)when{if context.aaaaaaaaaaaaaaaaaaaa"
         " then[\"bbbbbbbbbbbbbbbbbbbbbbbb\",\"cccccccccccccccc\"]"
         ".contains(context.dddddddddddddddd)else false};",
         "permit (principal, action, resource)\nwhen {\n"
         "  if context.aaaaaaaaaaaaaaaaaaaa\n"
         "  then [\"bbbbbbbbbbbbbbbbbbbbbbbb\", "
         "\"cccccccccccccccc\"].contains(\n"
         "    context.dddddddddddddddd\n  )\n  else false\n};\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        formats(rows[i].text, rows[i].formatted);
}

static void test_comments_stay_where_they_are(void **state)
{
    (void)state;
    static const struct {
        const char *text, *formatted;
    } rows[] = {
        {"// only\n\n\n// comments", "// only\n\n// comments\n"},
        {"// one\r\n// two  \npermit(principal,action,resource);// three\n"
         "// four",
         "// one\n// two\npermit (principal, action, resource); // three\n"
         "// four\n"},
        {"// head\n\n// of policy\npermit(// a\nprincipal,action, // b\n"
         "resource)// c\nwhen{true// d\n&&false};\n\n\n// tail\n",
         "// head\n\n// of policy\npermit ( // a\n  principal,\n"
         "  action, // b\n  resource\n) // c\nwhen {\n  true // d\n  &&\n"
         "  false\n};\n\n// tail\n"},
        {"permit(principal,action,resource)when{[1,// one\n2,// two\n]"
         "==context.x // end\n};",
         "permit (principal, action, resource)\nwhen {\n  [\n    1, // one\n"
         "    2, // two\n  ] ==\n    context.x // end\n};\n"},
        {"permit(principal,action,resource)when{\n// why\ntrue\n// no more\n}\n"
         "// not this\nunless{false}\n// nor this\n;",
         "permit (principal, action, resource)\nwhen {\n  // why\n  true\n"
         "  // no more\n}\n// not this\nunless { false }\n// nor this\n;\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        formats(rows[i].text, rows[i].formatted);
}

static void test_what_is_wrong_is_not_formatted(void **state)
{
    (void)state;
    struct cedar_errors errors;
    struct buf to;
    buf_init(&to, MIB);
    assert_int_equal(cedar_format_policies(STR("permit(principal, action);"),
                                           &errors, &to),
                     ERR_MALFORMED);
    assert_int_equal(errors.at[0].column, 25);
    assert_int_equal(to.len, 0);
    buf_release(&to);
    buf_init(&to, 10);
    assert_int_equal(
        cedar_format_policies(STR("permit(principal, action, resource);"),
                              &errors, &to),
        ERR_LIMIT);
    buf_release(&to);
}

/* Trees, comments and, the second time, the text stay. */
static bool stays(const char *path, struct str text)
{
    struct cedar_policies *a = NULL;
    struct cedar_policies *b = NULL;
    struct buf to;
    struct buf again;
    if (cedar_policies_load(text, NULL, &a) != ERR_OK)
        return false;
    buf_init(&to, 64 * MIB);
    buf_init(&again, 64 * MIB);
    assert_int_equal(cedar_format_policies(text, NULL, &to), ERR_OK);
    assert_int_equal(cedar_policies_load(buf_str(&to), NULL, &b), ERR_OK);
    assert_int_equal(cedar_format_policies(buf_str(&to), NULL, &again), ERR_OK);
    if (!equal_sets(a, b) || !str_eq(buf_str(&to), buf_str(&again)))
        fail_msg("%s:\n%.*s", path, STR_FMT(buf_str(&to)));
    struct layout before = {0};
    struct layout after = {0};
    assert_true(layout_scan(&before, text));
    assert_true(layout_scan(&after, buf_str(&to)));
    assert_int_equal(before.comments.count, after.comments.count);
    layout_release(&before);
    layout_release(&after);
    cedar_policies_free(a);
    cedar_policies_free(b);
    buf_release(&to);
    buf_release(&again);
    return true;
}

static void test_policies_of_others_stay(void **state)
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
                count += stays(a.files[k].path, a.files[k].bytes);
        }
        archive_close(&a);
        assert_true(count > 0);
        print_message("%s: %zu files stay\n", names[i], count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policies_have_one_form),
        cmocka_unit_test(test_comments_stay_where_they_are),
        cmocka_unit_test(test_what_is_wrong_is_not_formatted),
        cmocka_unit_test(test_policies_of_others_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
