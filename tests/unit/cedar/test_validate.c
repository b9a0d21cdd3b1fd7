/*
 * Tests cedar/validate*: the verdicts that another implementation gave, and
 * what findings say.  Of the corpus a sample; everything with TESTS=all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "base/limits.h"
#include "cedar/cedar.h"

enum { SAMPLE = 600 };

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
    const char *tests = getenv("TESTS"); /* NOLINT(concurrency-mt-unsafe) */
    struct archive verdicts;
    struct archive corpus;
    struct figures f = {0};
    uint64_t random = 0x9E3779B97F4A7C15;
    if (!archive_open(&verdicts, "cedar/validation-verdicts-a"))
        skip();
    assert_true(archive_open(&corpus, "cedar/corpus-4.10-a"));
    size_t sample =
        tests != NULL && strcmp(tests, "all") == 0 ? verdicts.count : SAMPLE;
    for (size_t i = 0; i < verdicts.count && sample > 0; i++) {
        random = random * 6364136223846793005 + 1442695040888963407;
        if (!is_verdict(&verdicts.files[i]) ||
            (random >> 33) % (verdicts.count - i) >= sample)
            continue;
        sample--;
        run(&corpus, "corpus-tests", &verdicts.files[i], &f);
    }
    archive_close(&corpus);
    archive_close(&verdicts);
    print_message("corpus: %zu of %zu agree\n", f.agree, f.count);
    assert_true(f.count >= SAMPLE / 2);
    assert_int_equal(f.agree, f.count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hand_written_cases_have_their_verdicts),
        cmocka_unit_test(test_the_corpus_has_its_verdicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
