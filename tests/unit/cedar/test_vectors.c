/*
 * Tests cedar/ as a whole: expressions, policies and entity files with the
 * outcome that another implementation gave.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "archive.h"
#include "base/limits.h"
#include "cedar/cedar.h"

struct vectors {
    struct archive archive;
    struct arena arena;
    const struct json *json;
    struct cedar_entities *entities;
    struct cedar_evaluator *evaluator;
    struct cedar_request request;
};

static struct str text_of(const struct json *object, const char *name)
{
    struct str text = {0};
    assert_true(json_str(json_get(object, str_from(name)), &text));
    return text;
}

static struct cedar_uid uid_of(const struct json *request, const char *name)
{
    const struct json *uid = json_get(request, str_from(name));
    return cedar_uid_make(text_of(uid, "type"), text_of(uid, "id"));
}

static struct cedar_entities *load(const struct json *json)
{
    struct cedar_entities *entities = NULL;
    struct buf text;
    buf_init(&text, MIB);
    json_write(&text, json, NULL, 0);
    assert_true(buf_ok(&text));
    enum err e = cedar_entities_load(buf_str(&text), NULL, &entities);
    assert_int_equal(e == ERR_OK, entities != NULL);
    buf_release(&text);
    return entities;
}

static bool open_vectors(struct vectors *v, const char *file)
{
    *v = (struct vectors){0};
    if (!archive_open(&v->archive, "cedar/vectors"))
        return false;
    arena_init(&v->arena, 64 * MIB);
    assert_int_equal(json_read_nul(&v->arena,
                                   archive_get(&v->archive, str_from(file)),
                                   &v->json, NULL),
                     ERR_OK);
    return true;
}

static void close_vectors(struct vectors *v)
{
    cedar_entities_free(v->entities);
    cedar_evaluator_free(v->evaluator);
    arena_release(&v->arena);
    archive_close(&v->archive);
}

static bool open_expressions(struct vectors *v)
{
    if (!open_vectors(v, "vectors/expr-vectors-4.13.0.json"))
        return false;
    const struct json *request = json_get(v->json, STR("request"));
    struct cedar_value context = {0};
    const char *what;
    assert_int_equal(cedar_value_json(&v->arena,
                                      json_get(request, STR("context")),
                                      &context, &what),
                     ERR_OK);
    v->entities = load(json_get(v->json, STR("entities")));
    v->evaluator = cedar_evaluator_new();
    assert_non_null(v->entities);
    assert_non_null(v->evaluator);
    v->request = (struct cedar_request){
        .principal = uid_of(request, "principal"),
        .action = uid_of(request, "action"),
        .resource = uid_of(request, "resource"),
        .context = context.as.record,
        .entities = v->entities,
    };
    return true;
}

/* What the policies come to, in the words of the vectors. */
static struct str outcome(struct vectors *v, struct str text)
{
    struct cedar_policies *policies;
    struct cedar_errors errors;
    struct cedar_answer answer;
    enum err e = cedar_policies_load(text, &errors, &policies);
    if (e != ERR_OK) {
        assert_int_equal(e, ERR_MALFORMED);
        assert_true(errors.count > 0 && errors.at[0].line > 0);
        return STR("parse-error");
    }
    struct str result = STR("parse-error"); /* they take no templates */
    if (cedar_policies_templates(policies) == 0) {
        assert_int_equal(cedar_authorize(v->evaluator, policies, &v->request,
                                         NULL, &answer),
                         ERR_OK);
        result = answer.fault_count > 0           ? STR("error")
                 : answer.decision == CEDAR_ALLOW ? STR("true")
                                                  : STR("false");
    }
    cedar_policies_free(policies);
    return result;
}

static size_t check(struct vectors *v, const struct json *vector,
                    struct str text, struct str source)
{
    struct str expected = text_of(vector, "result");
    struct str got = outcome(v, text);
    if (str_eq(expected, got))
        return 1;
    print_error("%.*s: expected %.*s, got %.*s\n", STR_FMT(source),
                STR_FMT(expected), STR_FMT(got));
    return 0;
}

static void test_expressions_have_the_outcome_of_the_vectors(void **state)
{
    (void)state;
    struct vectors v;
    const struct json *vector;
    size_t count = 0;
    size_t passed = 0;
    size_t foreign = 0;
    if (!open_expressions(&v))
        skip();
    struct json_iter it = json_each(json_get(v.json, STR("expressions")));
    while (json_next(&it, NULL, &vector)) {
        struct str source = text_of(vector, "expr");
        if (str_starts(source, STR("unknown("))) {
            foreign++; /* of that build, not of the language */
            continue;
        }
        struct buf text;
        buf_init(&text, MIB);
        BUF_LIT(&text, "permit(principal,action,resource) when {");
        buf_add(&text, source);
        BUF_LIT(&text, "};");
        count++;
        passed += check(&v, vector, buf_str(&text), source);
        buf_release(&text);
    }
    print_message("expressions: %zu of %zu passed, %zu are not of Cedar\n",
                  passed, count, foreign);
    close_vectors(&v);
    assert_int_equal(passed, count);
    assert_int_equal(count + foreign, 467);
}

static void test_policies_have_the_outcome_of_the_vectors(void **state)
{
    (void)state;
    struct vectors v;
    const struct json *vector;
    size_t count = 0;
    size_t passed = 0;
    if (!open_expressions(&v))
        skip();
    struct json_iter it = json_each(json_get(v.json, STR("policies")));
    while (json_next(&it, NULL, &vector)) {
        struct str source = text_of(vector, "policies");
        count++;
        passed += check(&v, vector, source, source);
    }
    print_message("policies: %zu of %zu passed\n", passed, count);
    close_vectors(&v);
    assert_int_equal(passed, count);
    assert_int_equal(count, 54);
}

static void test_entities_have_the_outcome_of_the_vectors(void **state)
{
    (void)state;
    struct vectors v;
    const struct json *vector;
    size_t count = 0;
    size_t passed = 0;
    size_t with_schema = 0;
    if (!open_vectors(&v, "vectors/entities-vectors-4.13.0.json"))
        skip();
    struct json_iter it = json_each(v.json);
    while (json_next(&it, NULL, &vector)) {
        bool expected;
        if (json_type(json_get(vector, STR("schema"))) != JSON_NULL) {
            with_schema++;
            continue;
        }
        struct cedar_entities *e = load(json_get(vector, STR("entities")));
        assert_true(json_bool(json_get(vector, STR("ok")), &expected));
        count++;
        passed += expected == (e != NULL);
        if (expected != (e != NULL))
            print_error("%.*s: expected %s\n", STR_FMT(text_of(vector, "name")),
                        expected ? "success" : "failure");
        cedar_entities_free(e);
    }
    print_message("entities: %zu of %zu passed, %zu need a schema\n", passed,
                  count, with_schema);
    close_vectors(&v);
    assert_int_equal(passed, count);
    assert_int_equal(count + with_schema, 52);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expressions_have_the_outcome_of_the_vectors),
        cmocka_unit_test(test_policies_have_the_outcome_of_the_vectors),
        cmocka_unit_test(test_entities_have_the_outcome_of_the_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
