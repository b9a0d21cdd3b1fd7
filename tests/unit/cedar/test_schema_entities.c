/*
 * Tests cedar/schema_value and cedar_entities with a schema: the verdicts of
 * another implementation, and the forms that a schema allows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "archive.h"
#include "base/limits.h"
#include "cedar/cedar.h"

static struct str text_of(const struct json *object, const char *name)
{
    struct str text = {0};
    assert_true(json_str(json_get(object, str_from(name)), &text));
    return text;
}

static struct cedar_schema *schema_of(struct str text)
{
    struct cedar_errors errors = {0};
    struct cedar_schema *s = NULL;
    if (cedar_schema_load(text, &errors, &s) != ERR_OK)
        fail_msg("%u:%u: %s", errors.at[0].line, errors.at[0].column,
                 errors.at[0].text);
    return s;
}

/* Whether the entities load; why not in *ret_why. */
static bool loads(const struct cedar_schema *s, struct str json,
                  struct cedar_error *ret_why)
{
    struct cedar_errors errors = {0};
    struct cedar_entities *e = NULL;
    enum err err = cedar_schema_entities(s, json, &errors, &e);
    assert_int_equal(err == ERR_OK, e != NULL);
    assert_int_equal(err == ERR_OK, errors.count == 0);
    *ret_why = errors.at[0];
    cedar_entities_free(e);
    return err == ERR_OK;
}

static bool value_loads(const struct cedar_schema *s, const struct json *json,
                        struct cedar_error *ret_why)
{
    struct buf text;
    buf_init(&text, MIB);
    BUF_LIT(&text, "[");
    json_write(&text, json, NULL, 0);
    BUF_LIT(&text, "]");
    struct str all = buf_str(&text);
    if (json_type(json) == JSON_ARRAY)
        all = (struct str){all.ptr + 1, all.len - 2};
    assert_true(buf_ok(&text));
    bool ok = loads(s, all, ret_why);
    buf_release(&text);
    return ok;
}

static void test_entities_have_the_outcome_of_the_vectors(void **state)
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
        archive_get(&archive, STR("vectors/entities-vectors-4.13.0.json"));
    assert_int_equal(json_read_nul(&a, text, &json, NULL), ERR_OK);
    struct json_iter it = json_each(json);
    while (json_next(&it, NULL, &vector)) {
        bool expected = false;
        struct cedar_error why = {0};
        if (json_type(json_get(vector, STR("schema"))) == JSON_NULL)
            continue;
        assert_true(json_bool(json_get(vector, STR("ok")), &expected));
        struct cedar_schema *s = schema_of(text_of(vector, "schema"));
        bool ok = value_loads(s, json_get(vector, STR("entities")), &why);
        count++;
        passed += ok == expected;
        if (ok != expected)
            print_error("%.*s: expected %s: %s\n",
                        STR_FMT(text_of(vector, "name")),
                        expected ? "success" : "failure", why.text);
        cedar_schema_free(s);
    }
    print_message("entities with a schema: %zu of %zu passed\n", passed, count);
    arena_release(&a);
    archive_close(&archive);
    assert_int_equal(passed, count);
    assert_int_equal(count, 21);
}

/* The texts one after the other, NUL-terminated. */
static const char *joined(char to[600], struct str a, const char *b,
                          struct str c)
{
    size_t n = strlen(b);
    assert_true(a.len + n + c.len < 600);
    memcpy(to, a.ptr, a.len);
    memcpy(to + a.len, b, n);
    if (c.len > 0)
        memcpy(to + a.len + n, c.ptr, c.len);
    to[a.len + n + c.len] = '\0';
    return to;
}

/* A file beside another one, of the same folder. */
static struct str beside(const struct archive *a, const char *path,
                         struct str name)
{
    char all[600];
    const char *slash = strrchr(path, '/');
    assert_non_null(slash);
    struct str folder = {path, (size_t)(slash - path)};
    return archive_get(a, str_from(joined(all, folder, "/", name)));
}

/* The file of the same case with another ending. */
static struct str ending(const struct archive *a, const char *path,
                         const char *end, const char *other)
{
    char all[600];
    struct str stem = {path, (size_t)(end - path)};
    return archive_get(a, str_from(joined(all, stem, other, STR(""))));
}

static const struct json *read_json(struct arena *a, struct str text)
{
    const struct json *json = NULL;
    assert_int_equal(json_read_nul(a, text, &json, NULL), ERR_OK);
    return json;
}

static void test_entity_files_have_their_outcome(void **state)
{
    (void)state;
    struct archive archive;
    size_t count = 0;
    size_t passed = 0;
    if (!archive_open(&archive, "cedar/validator-cases"))
        skip();
    for (size_t i = 0; i < archive.count; i++) {
        const char *path = archive.files[i].path;
        const char *end = strstr(path, ".parsing.json");
        struct arena a;
        struct cedar_error why = {0};
        const struct json *expected;
        const struct json *test;
        bool success = false;
        if (strncmp(path, "entity-parsing-testdata/", 24) != 0 || end == NULL)
            continue;
        arena_init(&a, 4 * MIB);
        expected = read_json(&a, archive.files[i].bytes);
        test = read_json(&a, ending(&archive, path, end, ".json"));
        assert_true(json_bool(json_get(json_get(expected, STR("allEntities")),
                                       STR("success")),
                              &success));
        struct cedar_schema *s =
            schema_of(beside(&archive, path, text_of(test, "schema")));
        bool ok =
            loads(s, beside(&archive, path, text_of(test, "entities")), &why);
        count++;
        passed += ok == success;
        if (ok != success)
            print_error("%s: expected %s: %s\n", path,
                        success ? "success" : "failure", why.text);
        cedar_schema_free(s);
        arena_release(&a);
    }
    archive_close(&archive);
    print_message("entity files: %zu of %zu passed\n", passed, count);
    assert_int_equal(passed, count);
    assert_int_equal(count, 22);
}

static const struct json *uid_of(const struct json *entity)
{
    const struct json *uid = json_get(entity, STR("uid"));
    const struct json *inner = json_get(uid, STR("__entity"));
    return inner != NULL ? inner : uid;
}

struct figures {
    size_t count, agree;
};

static void count(struct figures *f, const char *path, struct str name,
                  bool expected, bool ok, const char *why)
{
    f->count++;
    f->agree += ok == expected;
    if (ok != expected)
        print_error("%s: %.*s: expected %s: %s\n", path, STR_FMT(name),
                    expected ? "success" : "failure", why);
}

/* One by one; but actions need their groups, so a file with actions whole. */
static void compare_entities(const char *path, const struct cedar_schema *s,
                             const struct json *entities,
                             const struct json *verdicts, struct figures *f)
{
    struct json_iter it = json_each(entities);
    const struct json *one;
    struct cedar_error why = {0};
    bool has_actions = false;
    bool all_good = true;
    while (json_next(&it, NULL, &one)) {
        char name[600];
        struct str type = text_of(uid_of(one), "type");
        const struct json *verdict =
            json_get(verdicts, str_from(joined(name, type, "::",
                                               text_of(uid_of(one), "id"))));
        bool expected = json_count(json_get(verdict, STR("errors"))) == 0;
        if (verdict == NULL)
            continue;
        all_good = all_good && expected;
        has_actions = has_actions || str_eq(type, STR("Action"));
        if (!has_actions)
            count(f, path, str_from(name), expected, value_loads(s, one, &why),
                  why.text);
    }
    if (has_actions)
        count(f, path, STR("all"), all_good, value_loads(s, entities, &why),
              why.text);
}

static struct cedar_uid uid(const struct json *request, const char *name)
{
    const struct json *json = json_get(request, str_from(name));
    return cedar_uid_make(text_of(json, "type"), text_of(json, "id"));
}

static void compare_requests(const char *path, const struct cedar_schema *s,
                             const struct json *requests,
                             const struct json *verdicts, struct figures *f)
{
    for (size_t i = 0; i < json_count(verdicts); i++) {
        const struct json *json = json_at(requests, i);
        struct cedar_errors errors = {0};
        struct arena a;
        const char *what = "";
        bool expected = false;
        struct cedar_request r = {.principal = uid(json, "principal"),
                                  .action = uid(json, "action"),
                                  .resource = uid(json, "resource")};
        arena_init(&a, MIB);
        assert_true(json_bool(json_get(json_at(verdicts, i), STR("strict")),
                              &expected));
        bool ok = cedar_schema_context(&a, s, &r.action,
                                       json_get(json, STR("context")),
                                       &r.context, &what) == ERR_OK;
        ok = ok && cedar_schema_check(s, &r, &errors) == ERR_OK;
        count(f, path, text_of(json, "description"), expected, ok,
              errors.count > 0 ? errors.at[0].text : what);
        arena_release(&a);
    }
}

static void
test_entities_and_requests_of_the_cases_have_their_verdicts(void **state)
{
    (void)state;
    struct archive archive;
    struct figures entities = {0};
    struct figures requests = {0};
    if (!archive_open(&archive, "cedar/validator-cases"))
        skip();
    for (size_t i = 0; i < archive.count; i++) {
        const char *path = archive.files[i].path;
        const char *end = strstr(path, ".validation.json");
        struct arena a;
        if (end == NULL)
            continue;
        arena_init(&a, 4 * MIB);
        const struct json *verdicts = read_json(&a, archive.files[i].bytes);
        struct cedar_schema *s =
            schema_of(ending(&archive, path, end, ".cedarschema"));
        compare_entities(path, s,
                         read_json(&a, ending(&archive, path, end,
                                              ".entities.json")),
                         json_get(json_get(verdicts, STR("entityValidation")),
                                  STR("perEntity")),
                         &entities);
        compare_requests(
            path, s,
            json_get(read_json(&a, ending(&archive, path, end, ".json")),
                     STR("requests")),
            json_get(verdicts, STR("requestValidation")), &requests);
        cedar_schema_free(s);
        arena_release(&a);
    }
    archive_close(&archive);
    print_message("cases: %zu of %zu entities, %zu of %zu requests agree\n",
                  entities.agree, entities.count, requests.agree,
                  requests.count);
    assert_int_equal(entities.agree, entities.count);
    assert_int_equal(requests.agree, requests.count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entities_have_the_outcome_of_the_vectors),
        cmocka_unit_test(test_entity_files_have_their_outcome),
        cmocka_unit_test(
            test_entities_and_requests_of_the_cases_have_their_verdicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
