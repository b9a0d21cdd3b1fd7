/* Tests codec/json_schema on the official suite and on the schemas of MCP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "archive.h"
#include "base/limits.h"
#include "codec/json_schema.h"

enum { REFUSALS_MAX = 32 };

struct counts {
    size_t passed;  /* cases */
    size_t refused; /* groups */
    struct {
        const char *keyword;
        size_t groups;
    } by_keyword[REFUSALS_MAX];
    size_t failed;
};

static void count_refusal(struct counts *counts, const char *keyword)
{
    size_t i = 0;
    while (i < REFUSALS_MAX - 1 && counts->by_keyword[i].keyword != NULL &&
           strcmp(counts->by_keyword[i].keyword, keyword) != 0)
        i++;
    counts->by_keyword[i].keyword = keyword;
    counts->by_keyword[i].groups++;
    counts->refused++;
}

static struct str text_of(const struct json *v, const char *name)
{
    struct str text = {NULL, 0};
    if (!json_str(json_get(v, str_from(name)), &text))
        fail_msg("no %s", name);
    return text;
}

static void check_case(struct counts *counts, const char *file,
                       const struct json *group,
                       const struct json_schema *schema,
                       const struct json *one)
{
    struct json_schema_failure why;
    struct arena scratch;
    bool valid = false;
    arena_init(&scratch, 64 * KIB);
    assert_true(json_bool(json_get(one, STR("valid")), &valid));
    enum err e = json_schema_validate(schema, json_get(one, STR("data")),
                                      &scratch, 0, &why);
    if (e == (valid ? ERR_OK : ERR_MALFORMED)) {
        counts->passed++;
    } else {
        struct str in = text_of(group, "description");
        struct str is = text_of(one, "description");
        counts->failed++;
        (void)fprintf(stderr, "%s: %.*s: %.*s: %s\n", file, STR_FMT(in),
                      STR_FMT(is), err_name(e));
    }
    arena_release(&scratch);
}

static void check_file(void *user, const char *name, struct str bytes)
{
    struct counts *counts = user;
    struct arena a;
    const struct json *groups, *group, *one;
    arena_init(&a, REQUEST_ARENA_MAX);
    assert_int_equal(json_read_nul(&a, bytes, &groups, NULL), ERR_OK);
    struct json_iter it = json_each(groups);
    while (json_next(&it, NULL, &group)) {
        const struct json_schema *schema;
        struct json_schema_failure why;
        enum err e = json_schema_compile(&a, json_get(group, STR("schema")),
                                         NULL, &schema, &why);
        if (e == ERR_UNSUPPORTED) {
            count_refusal(counts, why.keyword);
            continue;
        }
        if (e != ERR_OK) {
            struct str in = text_of(group, "description");
            counts->failed++;
            (void)fprintf(stderr, "%s: %.*s: %s: %s at %s: %s\n", name,
                          STR_FMT(in), err_name(e), why.keyword, why.pointer,
                          why.text);
            continue;
        }
        struct json_iter cases = json_each(json_get(group, STR("tests")));
        while (json_next(&cases, NULL, &one))
            check_case(counts, name, group, schema, one);
    }
    arena_release(&a);
}

static void say(const char *what, const struct counts *counts)
{
    (void)fprintf(stderr, "%s: %zu cases pass, %zu groups are refused:", what,
                  counts->passed, counts->refused);
    for (size_t i = 0; counts->by_keyword[i].keyword != NULL; i++)
        (void)fprintf(stderr, " %s %zu", counts->by_keyword[i].keyword,
                      counts->by_keyword[i].groups);
    (void)fprintf(stderr, "\n");
}

static size_t refused_for(const struct counts *counts, const char *keyword)
{
    for (size_t i = 0; counts->by_keyword[i].keyword != NULL; i++) {
        if (strcmp(counts->by_keyword[i].keyword, keyword) == 0)
            return counts->by_keyword[i].groups;
    }
    return 0;
}

static void test_the_official_suite_passes_or_is_refused_by_name(void **state)
{
    (void)state;
    struct archive a;
    struct counts must = {0};
    struct counts may = {0};
    struct counts format = {0};
    if (!archive_open(&a, "vectors/json-schema"))
        skip();
    archive_each(&a, "json-schema", ".json", check_file, &must);
    archive_each(&a, "json-schema/optional", ".json", check_file, &may);
    archive_each(&a, "json-schema/optional/format", ".json", check_file,
                 &format);
    archive_close(&a);
    say("required", &must);
    say("optional", &may);
    say("format", &format);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_official_suite_passes_or_is_refused_by_name),
    };
    (void)refused_for;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
