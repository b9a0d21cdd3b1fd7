/* Tests cedar/cedar_links: templates and what is made of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/limits.h"
#include "cedar/cedar.h"
#include "cedar/cedar_links.h"

static const struct str text =
    STR_INIT("@a(\"1\") permit (principal == ?principal, action, resource in "
             "?resource) when { context.n > 1 };\n"
             "permit (principal is User in ?principal, action, resource);\n"
             "forbid (principal == User::\"bob\", action, resource);\n");

static struct cedar_uid alice, bob, folder, doc;

static int prepare(void **state)
{
    (void)state;
    alice = cedar_uid_make(STR("User"), STR("alice"));
    bob = cedar_uid_make(STR("User"), STR("bob"));
    folder = cedar_uid_make(STR("Folder"), STR("f"));
    doc = cedar_uid_make(STR("Doc"), STR("d"));
    return 0;
}

static void test_a_link_is_a_policy_and_a_template_is_none(void **state)
{
    (void)state;
    const struct cedar_link links[] = {
        {STR("policy0"), STR("alice's"), &alice, &folder},
        {STR("policy0"), STR("bob's"), &bob, &folder},
        {STR("policy1"), STR("group"), &bob, NULL},
    };
    struct cedar_policies *p = NULL;
    struct cedar_entities *entities = NULL;
    struct cedar_answer answer;
    struct arena arena;
    const struct cedar_member n = {STR("n"), cedar_value_long(2)};
    struct cedar_request request = {.principal = alice,
                                    .action =
                                        cedar_uid_make(STR("Action"), STR("x")),
                                    .resource = doc};
    assert_int_equal(cedar_links_load(text, links, ARRAY_LEN(links), NULL, &p),
                     ERR_OK);
    assert_int_equal(cedar_policies_count(p), 6);
    assert_int_equal(cedar_policies_templates(p), 2);
    struct cedar_policy_view v = cedar_policies_at(p, 3);
    assert_true(str_eq(v.id, STR("alice's")));
    assert_false(v.is_template);
    assert_int_equal(v.offset, 0);
    struct str key;
    struct str value;
    assert_true(cedar_policies_annotation(p, 3, 0, &key, &value));
    assert_true(str_eq(value, STR("1")));

    assert_int_equal(
        cedar_entities_load(STR("[{\"uid\":{\"type\":\"Doc\",\"id\":\"d\"},"
                                "\"attrs\":{},\"parents\":[{\"type\":"
                                "\"Folder\",\"id\":\"f\"}]}]"),
                            NULL, &entities),
        ERR_OK);
    arena_init(&arena, MIB);
    assert_int_equal(cedar_value_record(&arena, &n, 1, &request.context),
                     ERR_OK);
    request.entities = entities;
    struct cedar_evaluator *e = cedar_evaluator_new();
    assert_int_equal(cedar_authorize(e, p, &request, NULL, &answer), ERR_OK);
    assert_int_equal(answer.decision, CEDAR_ALLOW);
    assert_int_equal(answer.reason_count, 1);
    assert_int_equal(answer.reasons[0], 3);
    request.principal = bob;
    assert_int_equal(cedar_authorize(e, p, &request, NULL, &answer), ERR_OK);
    assert_int_equal(answer.decision, CEDAR_DENY);
    assert_int_equal(answer.permit_count, 2);
    cedar_evaluator_free(e);
    arena_release(&arena);
    cedar_entities_free(entities);
    cedar_policies_free(p);
}

static void test_a_link_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    const struct {
        struct cedar_link link;
        const char *what;
    } rows[] = {
        {{STR("policy0"), STR("x"), &alice, NULL},
         "link x of policy0: the slot ?resource is not given an entity"},
        {{STR("policy1"), STR("x"), NULL, NULL},
         "link x of policy1: the slot ?principal is not given an entity"},
        {{STR("policy1"), STR("x"), &alice, &doc},
         "link x of policy1: the template has no slot ?resource"},
        {{STR("policy2"), STR("x"), &alice, NULL},
         "link x of policy2: this policy is no template"},
        {{STR("policy9"), STR("x"), &alice, NULL},
         "link x of policy9: there is no such template"},
        {{STR("policy1"), STR("policy2"), &alice, NULL},
         "link policy2 of policy1: another policy has the id of the link"},
        {{STR("policy1"), STR("good"), &alice, NULL},
         "link good of policy1: another policy has the id of the link"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct cedar_link links[] = {{STR("policy1"), STR("good"), &alice,
                                            NULL},
                                           rows[i].link};
        struct cedar_policies *p = NULL;
        struct cedar_errors errors;
        assert_int_equal(cedar_links_load(text, links, 2, &errors, &p),
                         ERR_MALFORMED);
        assert_int_equal(errors.count, 1);
        assert_string_equal(errors.at[0].text, rows[i].what);
    }
}

static void test_many_links_are_found_by_their_scope(void **state)
{
    (void)state;
    enum { LINKS = 2000 };
    static struct cedar_uid users[LINKS];
    static struct cedar_link links[LINKS];
    static char names[LINKS][8];
    struct cedar_policies *p = NULL;
    struct cedar_answer answer;
    for (size_t i = 0; i < LINKS; i++) {
        int n = snprintf(names[i], sizeof(names[i]), "u%zu", i);
        struct str name = {names[i], (size_t)n};
        users[i] = cedar_uid_make(STR("User"), name);
        links[i] = (struct cedar_link){STR("policy0"), name, &users[i], NULL};
    }
    assert_int_equal(
        cedar_links_load(
            STR("permit (principal == ?principal, action, resource);"), links,
            LINKS, NULL, &p),
        ERR_OK);
    struct cedar_request request = {.principal = users[1234],
                                    .action =
                                        cedar_uid_make(STR("Action"), STR("x")),
                                    .resource = doc};
    struct cedar_evaluator *e = cedar_evaluator_new();
    assert_int_equal(cedar_authorize(e, p, &request, NULL, &answer), ERR_OK);
    assert_int_equal(answer.reason_count, 1);
    assert_int_equal(answer.reasons[0], 1235);
    cedar_evaluator_free(e);
    cedar_policies_free(p);
}

/* As the Rust implementation: a finding about the template is said once. */
static void test_a_link_is_validated_for_the_entities_it_gives(void **state)
{
    (void)state;
    const struct cedar_uid nope = cedar_uid_make(STR("Nope"), STR("n"));
    const struct {
        const char *text;
        struct cedar_link link;
        const char *template_says, *link_says; /* names of findings */
    } rows[] = {
        {"permit(principal == ?principal, action, resource);",
         {STR("policy0"), STR("l"), &alice, NULL},
         NULL,
         NULL},
        {"permit(principal == ?principal, action, resource);",
         {STR("policy0"), STR("l"), &nope, NULL},
         NULL,
         "unknown_entity_type"},
        {"permit(principal in ?principal, action, resource);",
         {STR("policy0"), STR("l"), &doc, NULL},
         NULL,
         "no_applicable_action"},
        {"permit(principal == ?principal, action, resource) when { "
         "principal.x };",
         {STR("policy0"), STR("l"), &alice, NULL},
         "attribute_not_found",
         NULL},
        {"permit(principal == ?principal, action, resource) when { false };",
         {STR("policy0"), STR("l"), &alice, NULL},
         "impossible_policy",
         NULL},
        {"permit(principal == ?principal, action, resource == Zip::\"z\");",
         {STR("policy0"), STR("l"), &alice, NULL},
         "unknown_entity_type",
         "no_applicable_action"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cedar_schema *schema = NULL;
        struct cedar_policies *p = NULL;
        struct cedar_findings found;
        struct arena arena;
        arena_init(&arena, MIB);
        assert_int_equal(
            cedar_schema_load(STR("entity User, Doc; action view appliesTo { "
                                  "principal: User, resource: Doc };"),
                              NULL, &schema),
            ERR_OK);
        assert_int_equal(cedar_links_load(str_from(rows[i].text), &rows[i].link,
                                          1, NULL, &p),
                         ERR_OK);
        assert_int_equal(cedar_validate(&arena, schema, p, NULL, &found),
                         ERR_OK);
        const char *says[2] = {NULL, NULL};
        for (size_t k = 0; k < found.count; k++)
            if (says[found.at[k].policy] == NULL)
                says[found.at[k].policy] = cedar_finding_name(found.at[k].kind);
        const char *expected[2] = {rows[i].template_says, rows[i].link_says};
        for (size_t k = 0; k < 2; k++)
            if (!str_eq(str_from(says[k]), str_from(expected[k])))
                fail_msg("row %zu, policy %zu: %s, not %s", i, k,
                         says[k] == NULL ? "nothing" : says[k],
                         expected[k] == NULL ? "nothing" : expected[k]);
        arena_release(&arena);
        cedar_policies_free(p);
        cedar_schema_free(schema);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_link_is_a_policy_and_a_template_is_none),
        cmocka_unit_test(test_a_link_that_does_not_fit_is_refused),
        cmocka_unit_test(test_a_link_is_validated_for_the_entities_it_gives),
        cmocka_unit_test(test_many_links_are_found_by_their_scope),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
