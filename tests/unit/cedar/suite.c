/* suite.c - see suite.h. */
#include "suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "cedar/cedar.h"

struct running {
    const char *path;
    struct arena arena;
    struct cedar_schema *schema;
    struct cedar_policies *policies;
    struct cedar_entities *entities;
    struct cedar_evaluator *evaluator;
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

static bool names(const struct json *ids, struct str id)
{
    struct json_iter it = json_each(ids);
    const struct json *one;
    while (json_next(&it, NULL, &one))
        if (json_is_string(one, id))
            return true;
    return false;
}

static bool as_expected(const struct running *r, const struct json *request,
                        const struct cedar_answer *answer)
{
    const struct json *reasons = json_get(request, STR("reason"));
    const struct json *errors = json_get(request, STR("errors"));
    struct str decision =
        answer->decision == CEDAR_ALLOW ? STR("allow") : STR("deny");
    if (!json_is_string(json_get(request, STR("decision")), decision) ||
        json_count(reasons) != answer->reason_count ||
        json_count(errors) != answer->fault_count)
        return false;
    for (size_t i = 0; i < answer->reason_count; i++)
        if (!names(reasons,
                   cedar_policies_at(r->policies, answer->reasons[i]).id))
            return false;
    for (size_t i = 0; i < answer->fault_count; i++)
        if (!names(errors,
                   cedar_policies_at(r->policies, answer->faults[i].policy).id))
            return false;
    return true;
}

static bool refuse(const struct running *r, struct str name, const char *why)
{
    print_error("%s: %.*s: %s\n", r->path, STR_FMT(name), why);
    return false;
}

static bool run_request(struct running *r, const struct json *json)
{
    struct str name = text_of(json, "description");
    struct cedar_errors errors = {0};
    const char *what = "no reason";
    bool validate = true;
    struct cedar_request request = {
        .principal = uid_of(json, "principal"),
        .action = uid_of(json, "action"),
        .resource = uid_of(json, "resource"),
        .entities = r->entities,
    };
    if (cedar_schema_context(&r->arena, r->schema, &request.action,
                             json_get(json, STR("context")), &request.context,
                             &what) != ERR_OK)
        return refuse(r, name, what);
    const struct json *option = json_get(json, STR("validateRequest"));
    assert_true(option == NULL || json_bool(option, &validate));
    if (validate && cedar_schema_check(r->schema, &request, &errors) != ERR_OK)
        return refuse(r, name, errors.at[0].text);
    struct cedar_answer answer;
    assert_int_equal(cedar_authorize(r->evaluator, r->policies, &request, NULL,
                                     &answer),
                     ERR_OK);
    if (as_expected(r, json, &answer))
        return true;
    print_error("%s: %.*s: got %s, %zu reasons, %zu errors\n", r->path,
                STR_FMT(name),
                answer.decision == CEDAR_ALLOW ? "allow" : "deny",
                answer.reason_count, answer.fault_count);
    return false;
}

static bool load(struct running *r, const struct archive *a,
                 const struct json *test)
{
    struct cedar_errors errors = {0};
    enum err e = cedar_schema_load(archive_get(a, text_of(test, "schema")),
                                   &errors, &r->schema);
    if (e == ERR_OK)
        e = cedar_policies_load(archive_get(a, text_of(test, "policies")),
                                &errors, &r->policies);
    if (e == ERR_OK)
        e = cedar_schema_entities(r->schema,
                                  archive_get(a, text_of(test, "entities")),
                                  &errors, &r->entities);
    if (e != ERR_OK)
        print_error("%s: %u:%u: %s\n", r->path, errors.at[0].line,
                    errors.at[0].column,
                    errors.count > 0 ? errors.at[0].text : err_text(e));
    return e == ERR_OK;
}

/* Comparisons of literals of different types, which were errors when 4.4 was
 * new; 4.12 and 4.13 take them. */
static bool is_outdated(const char *path)
{
    static const char *const names[] = {
        "236031e9", "31064749", "363f701e", "43d826c5", "6bde1748", "722dba2d",
        "722ef518", "74758291", "76f80c33", "83fb5f7d", "8b55aa71", "a1c68cb1",
        "c2779379", "d81a4f56", "eb0310e0", "f065028b", "f31d5ead",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strstr(path, names[i]) != NULL)
            return true;
    return false;
}

/* As of 4.12, with which the suites were checked. */
static bool validates(struct running *r, const struct json *test)
{
    const struct cedar_validation options = {.no_action_is_error = true};
    struct cedar_findings findings;
    bool expected = false;
    assert_true(json_bool(json_get(test, STR("shouldValidate")), &expected));
    assert_int_equal(cedar_validate(&r->arena, r->schema, r->policies, &options,
                                    &findings),
                     ERR_OK);
    if (is_outdated(r->path))
        expected = true;
    if ((findings.error_count == 0) == expected)
        return true;
    print_error("%s: expected %s: %s\n", r->path,
                expected ? "valid policies" : "errors",
                findings.count > 0 ? findings.at[0].text : "none");
    return false;
}

void suite_run(const struct archive *a, const char *path,
               struct suite_figures *figures)
{
    struct running r = {.path = path, .evaluator = cedar_evaluator_new()};
    const struct json *test;
    const struct json *request;
    arena_init(&r.arena, 64 * MIB);
    assert_non_null(r.evaluator);
    assert_int_equal(json_read_nul(&r.arena, archive_get(a, str_from(path)),
                                   &test, NULL),
                     ERR_OK);
    bool loaded = load(&r, a, test);
    struct json_iter it = json_each(json_get(test, STR("requests")));
    while (json_next(&it, NULL, &request)) {
        figures->requests++;
        figures->passed += loaded && run_request(&r, request);
    }
    figures->files++;
    figures->validated += loaded && validates(&r, test);
    cedar_schema_free(r.schema);
    cedar_policies_free(r.policies);
    cedar_entities_free(r.entities);
    cedar_evaluator_free(r.evaluator);
    arena_release(&r.arena);
}
