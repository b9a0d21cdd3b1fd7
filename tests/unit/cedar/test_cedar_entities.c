/* Tests cedar/cedar_entities: hierarchy, stores over stores, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "cedar/cedar.h"

static struct cedar_entities *load(struct str json)
{
    struct cedar_entities *e = NULL;
    struct cedar_errors errors;
    if (cedar_entities_load(json, &errors, &e) != ERR_OK)
        fail_msg("%s", errors.at[0].text);
    return e;
}

/* Whether a condition holds for User::"alice" and these entities. */
static bool holds(const char *condition, const struct cedar_entities *e)
{
    struct buf text;
    struct cedar_policies *p = NULL;
    struct cedar_evaluator *evaluator = cedar_evaluator_new();
    struct cedar_answer answer;
    struct cedar_request r = {
        .principal = cedar_uid_make(STR("User"), STR("alice")),
        .action = cedar_uid_make(STR("Action"), STR("view")),
        .resource = cedar_uid_make(STR("Doc"), STR("d1")),
        .entities = e,
    };
    buf_init(&text, MIB);
    assert_true(buf_addf(&text,
                         "permit(principal, action, resource) when { %s };",
                         condition));
    assert_int_equal(cedar_policies_load(buf_str(&text), NULL, &p), ERR_OK);
    assert_int_equal(cedar_authorize(evaluator, p, &r, NULL, &answer), ERR_OK);
    cedar_policies_free(p);
    cedar_evaluator_free(evaluator);
    buf_release(&text);
    return answer.decision == CEDAR_ALLOW;
}

static const char family[] =
    "[{\"uid\":{\"type\":\"User\",\"id\":\"alice\"},\"attrs\":{\"n\":1},"
    "  \"parents\":[{\"type\":\"Group\",\"id\":\"a\"}],\"tags\":{\"t\":\"v\"}},"
    " {\"uid\":{\"type\":\"Group\",\"id\":\"a\"},\"attrs\":{},"
    "  \"parents\":[{\"type\":\"Group\",\"id\":\"b\"},"
    "               {\"type\":\"Ghost\",\"id\":\"g\"}]},"
    " {\"uid\":{\"type\":\"Group\",\"id\":\"b\"},\"attrs\":{\"n\":2},"
    "  \"parents\":[{\"type\":\"Group\",\"id\":\"c\"}]}]";

static void test_in_follows_parents_and_theirs(void **state)
{
    (void)state;
    struct cedar_entities *e = load(STR(family));
    assert_int_equal(cedar_entities_count(e), 3);
    assert_true(holds("principal in User::\"alice\"", e));
    assert_true(holds("principal in Group::\"a\"", e));
    assert_true(holds("principal in Group::\"c\"", e)); /* not in the store */
    assert_true(holds("principal in Ghost::\"g\"", e));
    assert_true(holds("principal in [User::\"x\", Group::\"b\"]", e));
    assert_false(holds("principal in Group::\"d\"", e));
    assert_false(holds("principal in []", e));
    assert_false(holds("Group::\"b\" in principal", e));
    assert_false(holds("Group::\"c\" in Group::\"b\"", e));
    assert_true(holds("principal.getTag(\"t\") == \"v\"", e));
    assert_false(holds("Group::\"c\" has n", e));
    cedar_entities_free(e);
    cedar_entities_free(NULL);
}

static void test_a_store_over_another_sees_both(void **state)
{
    (void)state;
    struct cedar_entities *base = load(STR(family));
    const struct cedar_entities *e = NULL;
    struct arena a;
    arena_init(&a, MIB);
    const struct cedar_uid parents[] = {
        cedar_uid_make(STR("Group"), STR("b")),
        cedar_uid_make(STR("Team"), STR("new")),
        cedar_uid_make(STR("Group"), STR("b")),
    };
    const struct cedar_member tags[] = {
        {STR("role"), cedar_value_string(STR("admin"))}};
    struct cedar_entity alice = {
        .uid = cedar_uid_make(STR("User"), STR("alice")),
        .parents = parents,
        .parent_count = ARRAY_LEN(parents),
    };
    assert_int_equal(cedar_value_record(&a, tags, 1, &alice.tags), ERR_OK);
    assert_int_equal(cedar_entities_build(&a, &alice, 1, base, NULL, &e),
                     ERR_OK);
    assert_int_equal(cedar_entities_count(e), 1);
    assert_true(holds("principal.getTag(\"role\") == \"admin\"", e));
    assert_false(holds("principal has n", e)); /* hers hides the base's */
    assert_true(holds("principal in Team::\"new\"", e));
    assert_true(holds("principal in Group::\"c\"", e));
    assert_false(holds("principal in Group::\"a\"", e));
    assert_true(holds("Group::\"b\".n == 2", e));
    assert_true(holds("Group::\"a\" in Ghost::\"g\"", e));
    arena_release(&a);
    cedar_entities_free(base);
}

static void test_what_is_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *json, *what;
    } rows[] = {
        {"{}", "entities have to be an array"},
        {"[1]",
         "entity 1: an entity is an object with the strings type and id"},
        {"[{\"uid\":{\"type\":\"A\",\"id\":\"b\"},\"attrs\":{}}]",
         "A::\"b\": parents has to be an array"},
        {"[{\"uid\":{\"type\":\"A\",\"id\":\"b\"},\"attrs\":{\"x\":null},"
         "\"parents\":[]}]",
         "A::\"b\": null is no value in Cedar"},
        {"[{\"uid\":{\"type\":\"A\",\"id\":\"b\"},\"attrs\":{},"
         "\"parents\":[{\"type\":\"A\",\"id\":\"b\"}]}]",
         "A::\"b\" is its own ancestor"},
        {"[{\"uid\":{\"type\":\"A\",\"id\":\"b\"},\"attrs\":{},\"parents\":[]},"
         "{\"uid\":{\"type\":\"A\",\"id\":\"b\"},\"attrs\":{\"x\":1},"
         "\"parents\":[]}]",
         "A::\"b\" is there twice, with differences"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cedar_entities *e = NULL;
        struct cedar_errors errors;
        assert_int_equal(cedar_entities_load(str_from(rows[i].json), &errors,
                                             &e),
                         ERR_MALFORMED);
        assert_null(e);
        assert_string_equal(errors.at[0].text, rows[i].what);
    }
}

/* A chain of entities: each is the child of the next. */
static enum err load_chain(size_t count)
{
    struct buf json;
    struct cedar_entities *e = NULL;
    buf_init(&json, 64 * MIB);
    BUF_LIT(&json, "[");
    for (size_t i = 0; i < count; i++)
        buf_addf(&json,
                 "%s{\"uid\":{\"type\":\"G\",\"id\":\"%zu\"},\"attrs\":{},"
                 "\"parents\":[{\"type\":\"G\",\"id\":\"%zu\"}]}",
                 i == 0 ? "" : ",", i, i + 1);
    BUF_LIT(&json, "]");
    assert_true(buf_ok(&json));
    enum err err = cedar_entities_load(buf_str(&json), NULL, &e);
    cedar_entities_free(e);
    buf_release(&json);
    return err;
}

static void test_ancestors_out_of_proportion_are_refused(void **state)
{
    (void)state;
    assert_int_equal(load_chain(1000), ERR_OK);
    assert_int_equal(load_chain(20000), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_follows_parents_and_theirs),
        cmocka_unit_test(test_a_store_over_another_sees_both),
        cmocka_unit_test(test_what_is_wrong_is_named),
        cmocka_unit_test(test_ancestors_out_of_proportion_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
