/*
 * Tests cedar/validate*: the verdicts that another implementation gave, and
 * what findings say.
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

static const struct cedar_validation as_4_12 = {.no_action_is_error = true};

struct checked {
    struct arena arena;
    struct cedar_schema *schema;
    struct cedar_policies *policies;
    struct cedar_findings findings;
};

static bool check(struct checked *c, struct str schema, struct str policies,
                  const struct cedar_validation *options)
{
    struct cedar_errors errors = {0};
    *c = (struct checked){0};
    arena_init(&c->arena, 64 * MIB);
    if (cedar_schema_load(schema, &errors, &c->schema) != ERR_OK ||
        cedar_policies_load(policies, &errors, &c->policies) != ERR_OK) {
        print_error("%u:%u: %s\n", errors.at[0].line, errors.at[0].column,
                    errors.at[0].text);
        return false;
    }
    assert_int_equal(cedar_validate(&c->arena, c->schema, c->policies, options,
                                    &c->findings),
                     ERR_OK);
    return true;
}

static void release(struct checked *c)
{
    cedar_schema_free(c->schema);
    cedar_policies_free(c->policies);
    arena_release(&c->arena);
}

static bool is_valid(const struct checked *c, size_t policy)
{
    for (size_t i = 0; i < c->findings.count; i++)
        if (c->findings.at[i].policy == policy && !c->findings.at[i].is_warning)
            return false;
    return true;
}

struct figures {
    size_t count, agree;
};

/* Each policy's verdict against `verdicts`, its perPolicy. */
static void compare(const char *path, const struct checked *c,
                    const struct json *verdicts, struct figures *f)
{
    for (size_t i = 0; i < cedar_policies_count(c->policies); i++) {
        const struct json *v =
            json_get(verdicts, cedar_policies_at(c->policies, i).id);
        bool expected = false;
        assert_true(json_bool(json_get(v, STR("strict")), &expected));
        f->count++;
        f->agree += expected == is_valid(c, i);
        if (expected == is_valid(c, i))
            continue;
        print_error("%s: policy %zu: expected %s\n", path, i,
                    expected ? "success" : "failure");
        for (size_t k = 0; k < c->findings.count; k++)
            if (c->findings.at[k].policy == i)
                print_error("    %u:%u: %s\n", c->findings.at[k].line,
                            c->findings.at[k].column, c->findings.at[k].text);
    }
}

/* `stem` with another ending, from `folder`. */
static struct str file(const struct archive *a, const char *folder,
                       const char *stem, const char *end)
{
    char path[300];
    (void)snprintf(path, sizeof(path), "%s/%s%s", folder, stem, end);
    return archive_get(a, str_from(path));
}

static void run(const struct archive *texts, const char *folder,
                const struct archive_file *verdict, struct figures *f)
{
    struct checked c;
    const struct json *json;
    char stem[256];
    const char *name = strrchr(verdict->path, '/');
    assert_non_null(name);
    (void)snprintf(stem, sizeof(stem), "%s", name + 1);
    char *end = strstr(stem, ".validation.json");
    assert_non_null(end);
    *end = '\0';
    if (!check(&c, file(texts, folder, stem, ".cedarschema"),
               file(texts, folder, stem, ".cedar"), &as_4_12)) {
        print_error("%s does not load\n", stem);
        f->count++;
    } else {
        assert_int_equal(json_read_nul(&c.arena, verdict->bytes, &json, NULL),
                         ERR_OK);
        compare(stem, &c,
                json_get(json_get(json, STR("policyValidation")),
                         STR("perPolicy")),
                f);
    }
    release(&c);
}

static bool is_verdict(const struct archive_file *f)
{
    return strstr(f->path, ".validation.json") != NULL;
}

static void test_hand_written_cases_have_their_verdicts(void **state)
{
    (void)state;
    struct archive a;
    struct figures f = {0};
    if (!archive_open(&a, "cedar/validator-cases"))
        skip();
    for (size_t i = 0; i < a.count; i++)
        if (is_verdict(&a.files[i]))
            run(&a, "schema-validate-testdata", &a.files[i], &f);
    archive_close(&a);
    print_message("cases: %zu of %zu policies agree\n", f.agree, f.count);
    assert_true(f.count > 110);
    assert_int_equal(f.agree, f.count);
}

static void test_the_corpus_has_its_verdicts(void **state)
{
    (void)state;
    struct archive verdicts;
    struct archive corpus;
    struct figures f = {0};
    if (!archive_open(&verdicts, "cedar/validation-verdicts-a"))
        skip();
    assert_true(archive_open(&corpus, "cedar/corpus-4.10-a"));
    for (size_t i = 0; i < verdicts.count; i++)
        if (is_verdict(&verdicts.files[i]))
            run(&corpus, "corpus-tests", &verdicts.files[i], &f);
    archive_close(&corpus);
    archive_close(&verdicts);
    print_message("corpus: %zu of %zu agree\n", f.agree, f.count);
    assert_true(f.count > 3000);
    assert_int_equal(f.agree, f.count);
}

/* Those of which 4.13 makes a warning what was an error. */
static void test_no_applicable_action_is_a_warning_since_4_13(void **state)
{
    (void)state;
    struct archive vectors;
    struct archive corpus;
    struct figures f = {0};
    if (!archive_open(&vectors, "cedar/vectors"))
        skip();
    assert_true(archive_open(&corpus, "cedar/corpus-4.10-a"));
    struct str names =
        archive_get(&vectors,
                    STR("vectors/corpus-4.10-validate-flips-in-4.13.0.txt"));
    for (size_t i = 0; i < corpus.count; i++) {
        const char *slash = strrchr(corpus.files[i].path, '/');
        const char *dot = slash == NULL ? NULL : strchr(slash, '.');
        struct checked c;
        char stem[64];
        if (dot == NULL || strcmp(dot, ".cedar") != 0 || dot - slash > 60)
            continue;
        memcpy(stem, slash + 1, (size_t)(dot - slash) - 1);
        stem[dot - slash - 1] = '\0';
        if (memmem(names.ptr, names.len, stem, strlen(stem)) == NULL)
            continue;
        struct str schema = file(&corpus, "corpus-tests", stem, ".cedarschema");
        assert_true(check(&c, schema, corpus.files[i].bytes, &as_4_12));
        f.count++;
        f.agree += !is_valid(&c, 0);
        release(&c);
        assert_true(check(&c, schema, corpus.files[i].bytes, NULL));
        f.agree += is_valid(&c, 0) && c.findings.count > 0 &&
                   c.findings.at[0].kind == CEDAR_FINDING_NO_ACTION;
        release(&c);
    }
    archive_close(&corpus);
    archive_close(&vectors);
    print_message("changed by 4.13: %zu policies\n", f.count);
    assert_true(f.count > 10);
    assert_int_equal(f.agree, 2 * f.count);
}

static const char schema[] =
    "entity Group in [Group] { size: Long };\n"
    "entity User in [Group] { name: String, age?: Long, boss?: User,\n"
    "  home: { city: String, zip?: String }, ip?: ipaddr } tags String;\n"
    "entity Doc { owner: User, at: datetime, open: Bool };\n"
    "entity Mood enum [\"good\", \"bad\"];\n"
    "action all; action view, edit in all appliesTo { principal: User,\n"
    "  resource: Doc, context: { n: Long, m?: Mood, s: Set<Long> } };\n"
    "action nothing; namespace N { action other; }";

/* A condition of permit(principal, action == Action::"view", resource), and
 * the first finding, with its column in the condition, from 1. */
static const struct finding_case {
    const char *condition;
    enum cedar_finding_kind kind;
    uint32_t column; /* 0: there are no findings */
    const char *says;
} finding_cases[] = {
    {"principal.name == \"x\"", 0, 0, NULL},
    {"principal has age && principal.age > 3", 0, 0, NULL},
    {"principal has boss.boss.age && principal.boss.boss.age > 3", 0, 0, NULL},
    {"principal has home.zip && principal.home.zip like \"1*\"", 0, 0, NULL},
    {"principal.hasTag(\"a\") && principal.getTag(\"a\") == \"b\"", 0, 0, NULL},
    {"if principal has age then principal.age > 3 else false", 0, 0, NULL},
    {"!(principal has age) || principal.age > 3",
     CEDAR_FINDING_UNSAFE_ATTRIBUTE, 35,
     "the attribute age of User is optional: test for it with 'has' first"},
    {"principal.age > 3", CEDAR_FINDING_UNSAFE_ATTRIBUTE, 11,
     "the attribute age of User is optional: test for it with 'has' first"},
    {"resource.owner has age && principal.age > 3",
     CEDAR_FINDING_UNSAFE_ATTRIBUTE, 37, NULL},
    {"principal.nme == \"x\"", CEDAR_FINDING_ATTRIBUTE, 11,
     "User has no attribute nme"},
    {"context.x == 1", CEDAR_FINDING_ATTRIBUTE, 9, NULL},
    {"action.x == 1", CEDAR_FINDING_ATTRIBUTE, 8, "Action has no attribute x"},
    {"principal.getTag(\"a\") == \"b\"", CEDAR_FINDING_TAG, 11,
     "a tag of User may be missing: test for it with the same 'hasTag' "
     "first"},
    {"principal.hasTag(\"a\") && principal.getTag(\"b\") == \"b\"",
     CEDAR_FINDING_TAG, 36, NULL},
    {"resource.getTag(\"b\") == \"b\"", CEDAR_FINDING_TAG, 10,
     "Doc has no tags"},
    {"context.n + \"a\" == 1", CEDAR_FINDING_TYPE, 13,
     "expected a Long, found String"},
    {"context.n", CEDAR_FINDING_TYPE, 9, "expected a Bool, found Long"},
    {"context.n == \"a\"", CEDAR_FINDING_INCOMPATIBLE, 11,
     "Long and String are different types"},
    {"1 == \"a\" || true", 0, 0, NULL},
    {"principal == resource || true", 0, 0, NULL},
    {"context.s.contains(\"a\")", CEDAR_FINDING_INCOMPATIBLE, 11,
     "Long and String are different types"},
    {"context.s == []", CEDAR_FINDING_EMPTY_SET, 14, NULL},
    {"[1, \"a\"].contains(1)", CEDAR_FINDING_INCOMPATIBLE, 5, NULL},
    {"false && context.nothing || true", 0, 0, NULL},
    {"false && Usr::\"a\" == principal || true", CEDAR_FINDING_UNKNOWN_TYPE, 10,
     "the schema has no entity type Usr; did you mean User?"},
    {"principal is Usr || true", CEDAR_FINDING_UNKNOWN_TYPE, 11, NULL},
    {"action == Action::\"viw\" || true", CEDAR_FINDING_UNKNOWN_ACTION, 11,
     "the schema has no action Action::\"viw\"; did you mean view?"},
    {"context has m && context.m == Mood::\"god\"", CEDAR_FINDING_UNKNOWN_ID,
     31, "Mood is an enum without \"god\""},
    {"principal has ip && principal.ip.isInRange(ip(\"1.2.3\"))",
     CEDAR_FINDING_BAD_LITERAL, 47, NULL},
    {"principal has ip && principal.ip.isInRange(ip(principal.name))",
     CEDAR_FINDING_NOT_LITERAL, 44, "ip() takes a string literal"},
    {"resource.at.offset(duration(\"1h\")) > resource.at", 0, 0, NULL},
    {"resource.at > duration(\"1h\")", CEDAR_FINDING_TYPE, 15,
     "expected datetime, found duration"},
    {"principal.name < \"b\"", CEDAR_FINDING_TYPE, 11,
     "expected a Long, datetime or duration, found String"},
    {"ip() == ip(\"::1\")", CEDAR_FINDING_ARITY, 1,
     "ip takes 1 argument, not 0"},
    {"principal in resource", CEDAR_FINDING_IMPOSSIBLE, 0, NULL},
    {"action in [Action::\"all\", Action::\"edit\"]", 0, 0, NULL},
    {"action == Action::\"edit\"", CEDAR_FINDING_IMPOSSIBLE, 0, NULL},
    {"resource is User in Group::\"a\" && context.zzz",
     CEDAR_FINDING_IMPOSSIBLE, 0, NULL},
    {"principal has zzz && principal.zzz", CEDAR_FINDING_IMPOSSIBLE, 0, NULL},
    {"{a: true, b: 1} == {b: context.n, a: false} || true", 0, 0, NULL},
    {"(if resource.open then {a: 1} else {b: 1}).a == 1",
     CEDAR_FINDING_INCOMPATIBLE, 2,
     "{a: Long} and {b: Long} are different types"},
};

static bool is_as_expected(const struct finding_case *expected,
                           const struct cedar_findings *all)
{
    const struct cedar_finding *f = all->at;
    if (expected->column == 0 && expected->kind == 0)
        return all->count == 0;
    if (all->count == 0 || f->kind != expected->kind ||
        f->is_warning != (expected->kind == CEDAR_FINDING_IMPOSSIBLE))
        return false;
    if (expected->column != 0 &&
        (f->line != 2 || f->column != expected->column))
        return false;
    return expected->says == NULL || strcmp(f->text, expected->says) == 0;
}

static void test_findings_say_what_and_where(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(finding_cases); i++) {
        static const char head[] =
            "permit(principal, action == Action::\"view\", resource) when {\n";
        const struct finding_case *one = &finding_cases[i];
        char text[400];
        struct checked c;
        int n = snprintf(text, sizeof(text), "%s%s\n};", head, one->condition);
        assert_true(n > 0 && (size_t)n < sizeof(text));
        assert_true(check(&c, STR(schema), str_from(text), NULL));
        if (!is_as_expected(one, &c.findings))
            fail_msg("%s: %s at %u:%u", one->condition,
                     c.findings.count == 0 ? "nothing" : c.findings.at[0].text,
                     c.findings.count == 0 ? 0 : c.findings.at[0].line,
                     c.findings.count == 0 ? 0 : c.findings.at[0].column);
        release(&c);
    }
}

/* Whole policies; as 4.12. */
static void test_scopes_are_checked_too(void **state)
{
    (void)state;
    static const struct {
        const char *policy;
        enum cedar_finding_kind kind;
        size_t count;
    } cases[] = {
        {"permit(principal, action, resource);", 0, 0},
        {"permit(principal == ?principal, action, resource in ?resource);", 0,
         0},
        {"permit(principal is User in ?principal, action, resource) "
         "when { principal.name == \"a\" };",
         0, 0},
        {"permit(principal, action, resource is User);",
         CEDAR_FINDING_NO_ACTION, 1},
        {"permit(principal, action == Action::\"nothing\", resource);",
         CEDAR_FINDING_NO_ACTION, 1},
        {"permit(principal, action in [], resource);", CEDAR_FINDING_EMPTY_SET,
         2},
        {"permit(principal is Doc, action in [], resource);",
         CEDAR_FINDING_NO_ACTION, 1},
        {"permit(principal, action in [Action::\"view\", "
         "N::Action::\"other\"], resource);",
         CEDAR_FINDING_INCOMPATIBLE, 1},
        {"permit(principal, action, resource) "
         "when { principal is Foo::Action || context.n == 1 };",
         0, 0},
        {"permit(principal in Grup::\"a\", action, resource);",
         CEDAR_FINDING_UNKNOWN_TYPE, 2},
        {"permit(principal, action == Action::\"al\", resource);",
         CEDAR_FINDING_UNKNOWN_ACTION, 2},
        {"permit(principal in Group::\"a\", action in Action::\"all\", "
         "resource) when { context.n > 1 } unless { context.n == 2 };",
         0, 0},
        {"permit(principal, action, resource) when { context has m } "
         "when { context.m == Mood::\"good\" };",
         0, 0},
        {"permit(principal, action, resource) unless { context has m } "
         "when { context.m == Mood::\"good\" };",
         CEDAR_FINDING_UNSAFE_ATTRIBUTE, 1},
        {"permit(principal, action, resource) when { 1 } when { \"a\" };",
         CEDAR_FINDING_TYPE, 2},
        {"permit(principal, action, resource) when { false };",
         CEDAR_FINDING_IMPOSSIBLE, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct checked c;
        assert_true(
            check(&c, STR(schema), str_from(cases[i].policy), &as_4_12));
        if (c.findings.count != cases[i].count ||
            (cases[i].count > 0 && c.findings.at[0].kind != cases[i].kind))
            fail_msg("%s: %zu, %s", cases[i].policy, c.findings.count,
                     c.findings.count > 0 ? c.findings.at[0].text : "none");
        release(&c);
    }
}

static void test_levels_count_steps_between_entities(void **state)
{
    (void)state;
    static const struct {
        const char *condition;
        unsigned level; /* the least that is enough; 9: none */
    } cases[] = {
        {"context.n == 1", 0},
        {"principal == resource.owner", 1},
        {"principal.name == \"a\" && resource.open", 1},
        {"resource.owner.name == \"a\"", 2},
        {"resource.owner has boss && resource.owner.boss.name == \"a\"", 3},
        {"principal has boss.boss.age", 3},
        {"principal in Group::\"a\"", 1},
        {"resource.owner in Group::\"a\"", 2},
        {"principal.home.city == \"a\"", 1},
        {"principal.hasTag(\"a\")", 1},
        {"principal.hasTag(resource.owner.name)", 2},
        {"(if resource.open then principal else resource.owner).name == \"a\"",
         2},
        {"User::\"a\".name == \"a\"", 9},
        {"User::\"a\" in principal", 9},
        {"{a: User::\"a\"}.a.name == \"a\"", 9},
        {"true || User::\"a\".name == \"a\"", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (unsigned level = 0; level < 5; level++) {
            struct cedar_validation options = {.has_level = true,
                                               .level = level};
            struct checked c;
            char text[300];
            (void)snprintf(text, sizeof(text),
                           "permit(principal, action, resource) when {%s};",
                           cases[i].condition);
            assert_true(check(&c, STR(schema), str_from(text), &options));
            if ((c.findings.error_count == 0) != (level >= cases[i].level))
                fail_msg("%s: level %u", cases[i].condition, level);
            if (c.findings.error_count > 0)
                assert_int_equal(c.findings.at[0].kind, CEDAR_FINDING_LEVEL);
            release(&c);
        }
}

/* Chains are neither recursion nor more than linear work. */
static void test_long_policies_are_checked_quickly(void **state)
{
    (void)state;
    struct buf text;
    struct checked c;
    buf_init(&text, 16 * MIB);
    BUF_LIT(&text, "permit(principal, action, resource) when { true");
    for (unsigned i = 0; i < 20000; i++)
        BUF_LIT(&text, " && principal has age && principal.age > 3");
    BUF_LIT(&text, "};permit(principal, action, resource) when { true");
    for (unsigned i = 0; i < 5000; i++) {
        char one[64];
        int n = snprintf(one, sizeof(one), " && principal.hasTag(\"%u\")", i);
        buf_add(&text, (struct str){one, (size_t)n});
    }
    BUF_LIT(&text, "};");
    assert_true(buf_ok(&text));
    assert_true(check(&c, STR(schema), buf_str(&text), NULL));
    assert_int_equal(c.findings.count, 1);
    assert_int_equal(c.findings.at[0].kind, CEDAR_FINDING_LIMIT);
    release(&c);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hand_written_cases_have_their_verdicts),
        cmocka_unit_test(test_the_corpus_has_its_verdicts),
        cmocka_unit_test(test_no_applicable_action_is_a_warning_since_4_13),
        cmocka_unit_test(test_findings_say_what_and_where),
        cmocka_unit_test(test_scopes_are_checked_too),
        cmocka_unit_test(test_levels_count_steps_between_entities),
        cmocka_unit_test(test_long_policies_are_checked_quickly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
