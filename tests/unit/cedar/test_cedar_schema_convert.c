/* Tests cedar/cedar_schema_convert: schemas in the other form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "archive.h"
#include "base/limits.h"
#include "cedar/cedar.h"
#include "cedar/cedar_schema_convert.h"

typedef enum err convert_fn(struct str text, struct cedar_errors *ret_errors,
                            struct buf *to);

static void converts(convert_fn *convert, const char *from, const char *to)
{
    struct cedar_errors errors;
    struct buf found;
    buf_init(&found, MIB);
    if (convert(str_from(from), &errors, &found) != ERR_OK)
        fail_msg("%s: %s", from, errors.at[0].text);
    if (!str_eq(buf_str(&found), str_from(to)))
        fail_msg("%s\nbecame\n%.*s", from, STR_FMT(buf_str(&found)));
    buf_release(&found);
}

static const struct {
    const char *text, *json;
} forms[] = {
    {"", "{}"},
    {"@a(\"b\\n\")\nentity User in [Group] = {\n  @c\n  name: String,\n"
     "  \"e mail\"?: Set<decimal>,\n  of: {\n    x: __cedar::Long\n  }\n} tags "
     "Set<Bool>;\n\nentity Group;\n\nentity Size enum [\"s\", \"\\\"\"];\n",
     "{\"\":{\"commonTypes\":{},\"entityTypes\":{\"User\":{\"memberOfTypes\":["
     "\"Group\"],\"shape\":{\"type\":\"Record\",\"attributes\":{\"name\":{"
     "\"type\":\"EntityOrCommon\",\"name\":\"String\",\"annotations\":{\"c\":"
     "\"\"}},\"e mail\":{\"type\":\"Set\",\"element\":{\"type\":"
     "\"EntityOrCommon\",\"name\":\"decimal\"},\"required\":false},\"of\":{"
     "\"type\":\"Record\",\"attributes\":{\"x\":{\"type\":\"EntityOrCommon\","
     "\"name\":\"__cedar::Long\"}}}}},\"tags\":{\"type\":\"Set\",\"element\":{"
     "\"type\":\"EntityOrCommon\",\"name\":\"Bool\"}},\"annotations\":{\"a\":"
     "\"b\\n\"}},\"Group\":{},\"Size\":{\"enum\":[\"s\",\"\\\"\"]}},"
     "\"actions\":{}}}"},
    {"@n(\"1\")\nnamespace A::B {\n  type T = {\n    n: Long\n  };\n\n"
     "  entity U;\n\n  @v(\"2\")\n  action \"do it\" in [\"all\", "
     "A::B::Action::\"all\"] appliesTo {\n    principal: [U, A::B::U],\n    "
     "resource: [U],\n    context: T\n  };\n\n  action all;\n}\n\n"
     "namespace Empty {\n}\n",
     "{\"A::B\":{\"commonTypes\":{\"T\":{\"type\":\"Record\",\"attributes\":{"
     "\"n\":{\"type\":\"EntityOrCommon\",\"name\":\"Long\"}}}},"
     "\"entityTypes\":{\"U\":{}},\"actions\":{\"do it\":{\"appliesTo\":{"
     "\"principalTypes\":[\"U\",\"A::B::U\"],\"resourceTypes\":[\"U\"],"
     "\"context\":{\"type\":\"T\"}},\"memberOf\":[{\"id\":\"all\"},{\"id\":"
     "\"all\",\"type\":\"A::B::Action\"}],\"annotations\":{\"v\":\"2\"}},"
     "\"all\":{\"appliesTo\":{\"principalTypes\":[],\"resourceTypes\":[]}}},"
     "\"annotations\":{\"n\":\"1\"}},\"Empty\":{\"commonTypes\":{},"
     "\"entityTypes\":{},\"actions\":{}}}"},
};

static void test_each_form_becomes_the_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        converts(cedar_schema_convert_text, forms[i].text, forms[i].json);
        converts(cedar_schema_convert_json, forms[i].json, forms[i].text);
    }
}

static void test_types_of_json_are_spelled_out(void **state)
{
    (void)state;
    converts(
        cedar_schema_convert_json,
        "{\"\":{\"entityTypes\":{\"Long\":{},\"S\":{\"shape\":{\"type\":"
        "\"Record\",\"attributes\":{\"a\":{\"type\":\"Entity\",\"name\":"
        "\"Long\"},\"b\":{\"type\":\"Long\"},\"c\":{\"type\":\"Extension\","
        "\"name\":\"ipaddr\"},\"d\":{\"type\":\"Boolean\"}}}}},\"actions\":{"
        "\"x\":{\"appliesTo\":{\"principalTypes\":[],\"resourceTypes\":["
        "\"S\"]}}}}}",
        "entity Long;\n\nentity S = {\n  a: Long,\n  b: __cedar::Long,\n  c: "
        "__cedar::ipaddr,\n  d: __cedar::Bool\n};\n\naction x;\n");
}

static void test_what_has_no_words_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json, *what;
    } rows[] = {
        {"{\"\":{\"entityTypes\":{\"S\":{\"shape\":{\"type\":\"X\"}}},"
         "\"actions\":{},\"commonTypes\":{\"X\":{\"type\":\"Record\","
         "\"attributes\":{}}}}}",
         "the attributes of S are a common type, for which the Cedar schema "
         "syntax has no words"},
        {"{\"N\":{\"entityTypes\":{\"T\":{},\"S\":{\"shape\":{\"type\":"
         "\"Record\",\"attributes\":{\"a\":{\"type\":\"Entity\",\"name\":"
         "\"T\"}}}}},\"actions\":{},\"commonTypes\":{\"T\":{\"type\":\"Long\"}"
         "}}}",
         "the other form of schemas has no words for this; is there an entity "
         "type and a common type of one name?"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cedar_errors errors;
        struct buf to;
        buf_init(&to, MIB);
        assert_int_equal(cedar_schema_convert_json(str_from(rows[i].json),
                                                   &errors, &to),
                         ERR_MALFORMED);
        assert_int_equal(errors.count, 1);
        assert_string_equal(errors.at[0].text, rows[i].what);
        assert_int_equal(to.len, 0);
        buf_release(&to);
    }
}

static void test_what_is_no_schema_is_refused(void **state)
{
    (void)state;
    struct cedar_errors errors;
    struct buf to;
    buf_init(&to, MIB);
    assert_int_equal(cedar_schema_convert_text(STR("entity A in B;"), &errors,
                                               &to),
                     ERR_MALFORMED);
    assert_true(errors.count > 0);
    assert_int_equal(cedar_schema_convert_json(STR("[]"), &errors, &to),
                     ERR_MALFORMED);
    buf_release(&to);
    buf_init(&to, 4);
    assert_int_equal(cedar_schema_convert_text(STR("entity A;"), &errors, &to),
                     ERR_LIMIT);
    buf_release(&to);
}

/* The conversion itself compares what both forms mean. */
static bool goes_round(const char *path, struct str text)
{
    struct cedar_errors errors;
    struct buf json;
    struct buf again;
    buf_init(&json, 64 * MIB);
    buf_init(&again, 64 * MIB);
    bool ok = cedar_schema_convert_text(text, &errors, &json) == ERR_OK;
    if (ok &&
        cedar_schema_convert_json(buf_str(&json), &errors, &again) != ERR_OK)
        fail_msg("%s: %s", path, errors.at[0].text);
    buf_release(&json);
    buf_release(&again);
    return ok;
}

static void test_schemas_of_others_go_round(void **state)
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
            if (end != NULL && strcmp(end, ".cedarschema") == 0)
                count += goes_round(a.files[k].path, a.files[k].bytes);
        }
        archive_close(&a);
        assert_true(count > 0);
        print_message("%s: %zu schemas go round\n", names[i], count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_form_becomes_the_other),
        cmocka_unit_test(test_types_of_json_are_spelled_out),
        cmocka_unit_test(test_what_has_no_words_is_refused),
        cmocka_unit_test(test_what_is_no_schema_is_refused),
        cmocka_unit_test(test_schemas_of_others_go_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
