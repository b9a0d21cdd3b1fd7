/*
 * Tests cedar/schema*: both forms come to the same, the vectors' outcomes,
 * and where errors are said to be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "archive.h"
#include "base/limits.h"
#include "cedar/cedar.h"
#include "cedar/schema_equal.h"

static struct cedar_schema *load(struct str text)
{
    struct cedar_errors errors = {0};
    struct cedar_schema *s = NULL;
    enum err e = cedar_schema_load(text, &errors, &s);
    assert_int_equal(e == ERR_OK, s != NULL);
    assert_int_equal(e == ERR_OK, errors.count == 0);
    return s;
}

static void test_schemas_have_the_outcome_of_the_vectors(void **state)
{
    (void)state;
    struct archive archive;
    struct arena a;
    const struct json *json;
    const struct json *vector;
    size_t count = 0;
    size_t passed = 0;
    if (!archive_open(&archive, "cedar/vectors"))
        skip();
    arena_init(&a, 16 * MIB);
    struct str text =
        archive_get(&archive, STR("vectors/schema-vectors-4.13.0.json"));
    assert_int_equal(json_read_nul(&a, text, &json, NULL), ERR_OK);
    struct json_iter it = json_each(json);
    while (json_next(&it, NULL, &vector)) {
        struct str source = {0};
        bool expected = false;
        assert_true(json_str(json_get(vector, STR("schema")), &source));
        assert_true(json_bool(json_get(vector, STR("ok")), &expected));
        struct cedar_schema *s = load(source);
        count++;
        passed += (s != NULL) == expected;
        if ((s != NULL) != expected)
            print_error("%.*s: expected %s\n", STR_FMT(source),
                        expected ? "success" : "failure");
        cedar_schema_free(s);
    }
    print_message("schemas: %zu of %zu passed\n", passed, count);
    arena_release(&a);
    archive_close(&archive);
    assert_int_equal(passed, count);
    assert_int_equal(count, 68);
}

/* True when both texts load and say the same. */
static bool agree(const char *path, struct str human, struct str json)
{
    struct cedar_errors first = {0};
    struct cedar_errors second = {0};
    struct cedar_schema *a = NULL;
    struct cedar_schema *b = NULL;
    bool ok = cedar_schema_load(human, &first, &a) == ERR_OK;
    ok = cedar_schema_load_json(json, &second, &b) == ERR_OK && ok;
    if (!ok)
        print_error("%s: %u:%u: %s / %s\n", path, first.at[0].line,
                    first.at[0].column, first.at[0].text, second.at[0].text);
    else if (!schema_equal(a, b))
        print_error("%s: the forms differ\n", path);
    ok = ok && schema_equal(a, b) && schema_equal(b, a);
    cedar_schema_free(a);
    cedar_schema_free(b);
    return ok;
}

static void test_the_corpus_in_both_forms_is_the_same(void **state)
{
    (void)state;
    struct archive corpus;
    struct archive json;
    size_t count = 0;
    size_t passed = 0;
    const char *from = "corpus-tests-json-schemas/";
    if (!archive_open(&json, "cedar/json-schemas-a"))
        skip();
    assert_true(archive_open(&corpus, "cedar/corpus-4.10-a"));
    for (size_t i = 0; i < json.count; i++) {
        struct str path = str_from(json.files[i].path);
        char human[240];
        if (!str_starts(path, str_from(from)))
            continue;
        path = str_skip(path, strlen(from));
        path.len -= strlen(".json");
        assert_true(path.len < 100);
        (void)snprintf(human, sizeof(human), "corpus-tests/%.100s", path.ptr);
        human[strlen("corpus-tests/") + path.len] = '\0';
        count++;
        passed += agree(human, archive_get(&corpus, str_from(human)),
                        json.files[i].bytes);
    }
    archive_close(&corpus);
    archive_close(&json);
    print_message("corpus: %zu of %zu are the same\n", passed, count);
    assert_true(count > 1000);
    assert_int_equal(passed, count);
}

static void test_samples_in_both_forms_are_the_same(void **state)
{
    (void)state;
    struct archive a;
    size_t count = 0;
    size_t passed = 0;
    if (!archive_open(&a, "cedar/samples"))
        skip();
    for (size_t i = 0; i + 1 < a.count; i++) {
        const char *path = a.files[i].path;
        size_t n = strlen(path);
        if (n < 12 || strcmp(path + n - 12, ".cedarschema") != 0)
            continue;
        /* For translation only: its JSON uses entity types as common types. */
        if (strstr(path, "/translate-schema/") != NULL)
            continue;
        if (strncmp(a.files[i + 1].path, path, n) == 0 &&
            strcmp(a.files[i + 1].path + n, ".json") == 0) {
            count++;
            passed += agree(path, a.files[i].bytes, a.files[i + 1].bytes);
        } else if (strstr(path, "stub") == NULL) {
            struct cedar_errors errors = {0};
            struct cedar_schema *s = NULL;
            count++;
            passed +=
                cedar_schema_load(a.files[i].bytes, &errors, &s) == ERR_OK;
            if (s == NULL)
                print_error("%s: %u:%u: %s\n", path, errors.at[0].line,
                            errors.at[0].column, errors.at[0].text);
            cedar_schema_free(s);
        }
    }
    archive_close(&a);
    print_message("samples: %zu of %zu passed\n", passed, count);
    assert_int_equal(passed, count);
}

static void test_errors_say_where_and_what(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t count;
        uint32_t line, column;
        const char *says;
    } cases[] = {
        {"entity A;\nentity A;", 1, 2, 8, "the type A is declared twice"},
        {"entity User;\nentity B in [Uzer];", 1, 2, 14,
         "there is no entity type Uzer; did you mean User?"},
        {"entity A {\n  x: Strin,\n  y: Lung };\ntype Strong = Long;", 2, 2, 6,
         "there is no type Strin; did you mean Strong?"},
        {"entity A\nentity B;\nentity ;\nentity C;", 2, 2, 1,
         "expected ';', found entity"},
        {"action a in [b, c];\naction bb;", 2, 1, 14,
         "there is no action Action::\"b\"; did you mean bb?"},
        {"type T = { x: T };", 1, 1, 6, "the type T is part of itself"},
        {"entity A;\naction a appliesTo { principal: A };", 1, 2, 20,
         "appliesTo needs a resource"},
        {"entity A; type C = Long;\naction a appliesTo { principal: A, "
         "resource: A, context: C };",
         1, 2, 58, "the attributes or context of a are no record"},
        {"entity A {x: Long", 1, 1, 18, "expected '}', found the end"},
        {"namespace N { entity A;", 1, 1, 24, "expected '}', found the end"},
        {"@a @a entity A;", 1, 1, 5, "the annotation @a is there twice"},
        {"action a in [];", 1, 1, 13, "the groups of an action are missing"},
        {"type Set = Long;", 1, 1, 6,
         "Set is a type of Cedar and cannot be declared"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cedar_errors errors = {0};
        struct cedar_schema *s = NULL;
        assert_int_equal(cedar_schema_load(str_from(cases[i].text), &errors,
                                           &s),
                         ERR_MALFORMED);
        assert_string_equal(errors.at[0].text, cases[i].says);
        assert_int_equal(errors.at[0].line, cases[i].line);
        assert_int_equal(errors.at[0].column, cases[i].column);
        assert_int_equal(errors.count, cases[i].count);
    }
}

static void test_errors_of_json_name_the_declaration(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"{", NULL},
        {"[]", "a schema is an object of namespaces"},
        {"{\"\":{\"entityTypes\":{}}}",
         "namespace : expected an object as the member actions"},
        {"{\"N\":{\"entityTypes\":{\"A\":{\"shap\":{}}},\"actions\":{}}}",
         "entity type N::A: unknown member shap"},
        {"{\"\":{\"entityTypes\":{\"A\":{\"shape\":{\"type\":\"Record\","
         "\"attributes\":{\"x\":{\"type\":\"Lng\"}}}}},\"actions\":{}}}",
         "there is no type Lng"},
        {"{\"\":{\"entityTypes\":{\"A\":{\"shape\":{\"type\":\"Long\"}}},"
         "\"actions\":{}}}",
         "the attributes or context of A are no record"},
        {"{\"\":{\"entityTypes\":{\"if\":{}},\"actions\":{}}}",
         "entity type if: this cannot be the name of a type"},
        {"{\"\":{\"entityTypes\":{},\"actions\":{\"a\":{\"appliesTo\":"
         "{\"principalTypes\":[]}}}}}",
         "action a: expected an array"},
        {"{\"\":{\"entityTypes\":{},\"actions\":{\"a\":{\"memberOf\":"
         "[{\"id\":\"a\"}]}}}}",
         "Action::\"a\" is its own ancestor"},
        {"{\"\":{\"entityTypes\":{},\"actions\":{\"a\":{\"attributes\":{}}}}}",
         "action a: actions have no attributes"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cedar_errors errors = {0};
        struct cedar_schema *s = NULL;
        assert_int_equal(cedar_schema_load_json(str_from(cases[i].text),
                                                &errors, &s),
                         ERR_MALFORMED);
        assert_true(errors.count > 0);
        if (cases[i].says != NULL)
            assert_string_equal(errors.at[0].text, cases[i].says);
    }
}

/* Each pair says the same, or must not when `same` is false. */
static void test_names_mean_what_is_nearest(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"entity B; namespace N { entity A in B; }",
         "namespace N { entity A in [B]; } entity B;", true},
        {"namespace N { entity B; entity A in B; }",
         "namespace N { entity A in N::B; entity B; }", true},
        {"namespace N { type T = Long; entity A { x: T }; }",
         "namespace N { type T = Long; entity A { x: __cedar::Long }; }", true},
        {"type ipaddr = Long; entity A { x: ipaddr };", "entity A { x: Long };",
         true},
        {"type ipaddr = Long; entity A { x: __cedar::ipaddr };",
         "entity A { x: Long };", false},
        {"type T = Long; entity T; entity A { x: T };",
         "entity T; entity A { x: Long };", true},
        {"entity Long; entity A { x: Long };",
         "entity Long; entity A { x: __cedar::Long };", false},
        {"entity A { x: Long, y?: Bool };", "entity A { y?: Bool, x: Long };",
         true},
        {"entity A { x: Long };", "entity A { x?: Long };", false},
        {"entity A; entity B in A; entity C in B;",
         "entity A; entity B in A; entity C in [A, B];", true},
        {"action a in b; action b in c; action c;",
         "action a in [b, c]; action b in c; action c;", true},
        {"namespace N { action a in Action::\"b\"; action b; }",
         "namespace N { action a in b; action b; }", true},
        {"entity A enum [\"x\", \"y\"];",
         "entity A enum [\"y\", \"x\", \"y\"];", true},
        {"entity A tags Long;", "entity A tags String;", false},
        {"entity A { x: Nowhere, x?: Set<Nowhere>, x: Long };",
         "entity A { x: Long };", true},
        {"action v; entity A { x: Action }; namespace N { entity B; }",
         "namespace N { entity B; } entity A { x: Action }; action v;", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cedar_schema *a = load(str_from(cases[i].a));
        struct cedar_schema *b = load(str_from(cases[i].b));
        assert_non_null(a);
        assert_non_null(b);
        if (schema_equal(a, b) != cases[i].same)
            fail_msg("%s", cases[i].a);
        cedar_schema_free(a);
        cedar_schema_free(b);
    }
}

static void test_types_that_share_their_parts_stay_small(void **state)
{
    (void)state;
    char text[64 * 64];
    size_t n = 0;
    for (unsigned i = 0; i < 60; i++)
        n +=
            (size_t)snprintf(text + n, sizeof(text) - n,
                             "type T%u = { a: T%u, b: T%u };", i, i + 1, i + 1);
    n += (size_t)snprintf(text + n, sizeof(text) - n,
                          "type T60 = Long; entity A { x: T0 };");
    struct cedar_schema *a = load((struct str){text, n});
    struct cedar_schema *b = load((struct str){text, n});
    assert_non_null(a);
    assert_true(schema_equal(a, b));
    cedar_schema_free(a);
    cedar_schema_free(b);
}

static void test_deep_types_are_refused(void **state)
{
    (void)state;
    static char text[400000];
    size_t n = (size_t)snprintf(text, sizeof(text), "type T = ");
    for (unsigned i = 0; i < 5000; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "Set<");
    assert_null(load((struct str){text, n}));
    n = 0;
    for (unsigned i = 0; i < 5000; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n,
                              "type T%u = Set<T%u>;", i, i + 1);
    n += (size_t)snprintf(text + n, sizeof(text) - n, "type T5000 = Long;");
    assert_null(load((struct str){text, n}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schemas_have_the_outcome_of_the_vectors),
        cmocka_unit_test(test_the_corpus_in_both_forms_is_the_same),
        cmocka_unit_test(test_samples_in_both_forms_are_the_same),
        cmocka_unit_test(test_errors_say_where_and_what),
        cmocka_unit_test(test_errors_of_json_name_the_declaration),
        cmocka_unit_test(test_names_mean_what_is_nearest),
        cmocka_unit_test(test_types_that_share_their_parts_stay_small),
        cmocka_unit_test(test_deep_types_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
