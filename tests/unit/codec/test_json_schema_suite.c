/* Tests codec/json_schema on the official suite and on the schemas of MCP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "archive.h"
#include "base/attr.h"
#include "base/limits.h"
#include "codec/json_pointer.h"
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

/* A reference is only refused if it leads out of the document. */
static void check_refusal(const struct json *schema,
                          const struct json_schema_failure *why)
{
    struct str text;
    const struct json *at = json_pointer_find(schema, str_from(why->pointer));
    assert_non_null(at);
    assert_true(why->text[0] != '\0');
    if (strcmp(why->keyword, "$ref") == 0) {
        assert_true(json_str(at, &text));
        assert_false(str_starts(text, STR("#")));
    }
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
                       const struct json_schema *schema, const struct json *one)
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
            check_refusal(json_get(group, STR("schema")), &why);
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

static void check_counts(const char *what, const struct counts *counts,
                         size_t passed, size_t refused)
{
    say(what, counts);
    assert_int_equal(counts->failed, 0);
    assert_int_equal(counts->passed, passed);
    assert_int_equal(counts->refused, refused);
}

static void test_the_official_suite_passes_or_is_refused_by_name(void **state)
{
    (void)state;
    struct archive a;
    struct counts must = {0};
    struct counts may = {0};
    if (!archive_open(&a, "vectors/json-schema"))
        skip();
    archive_each(&a, "json-schema", ".json", check_file, &must);
    archive_each(&a, "json-schema/optional", ".json", check_file, &may);
    archive_close(&a);

    check_counts("JSON Schema suite", &must, 1179, 57);
    assert_int_equal(refused_for(&must, "$ref"), 39);
    assert_int_equal(refused_for(&must, "$id"), 8);
    assert_int_equal(refused_for(&must, "$schema"), 2);
    assert_int_equal(refused_for(&must, "$dynamicAnchor"), 5);
    assert_int_equal(refused_for(&must, "$dynamicRef"), 3);
    check_counts("its optional part", &may, 149, 6);
    assert_int_equal(refused_for(&may, "$id"), 3);
    assert_int_equal(refused_for(&may, "$ref"), 1);
    assert_int_equal(refused_for(&may, "$schema"), 2);
}

/* Format is an annotation, so everything fits; but the files know patterns
 * that ECMA-262 does not. */
static void check_format(void *user, const char *name, struct str bytes)
{
    size_t *refused = user;
    struct arena a;
    const struct json *groups, *group, *one;
    const struct json_schema *schema;
    bool valid = false;
    arena_init(&a, REQUEST_ARENA_MAX);
    assert_int_equal(json_read_nul(&a, bytes, &groups, NULL), ERR_OK);
    struct json_iter it = json_each(groups);
    while (json_next(&it, NULL, &group)) {
        const struct json *text = json_get(group, STR("schema"));
        assert_int_equal(json_schema_compile(&a, text, NULL, &schema, NULL),
                         ERR_OK);
        struct json_iter cases = json_each(json_get(group, STR("tests")));
        while (json_next(&cases, NULL, &one)) {
            struct str pattern;
            assert_int_equal(json_schema_validate(schema,
                                                  json_get(one, STR("data")),
                                                  &a, 0, NULL),
                             ERR_OK);
            if (!json_bool(json_get(one, STR("valid")), &valid) || valid ||
                !json_is_string(json_get(text, STR("format")), STR("regex")) ||
                !json_str(json_get(one, STR("data")), &pattern))
                continue;
            struct buf to;
            struct json_schema_failure why;
            const struct json *bad;
            buf_init(&to, MIB);
            BUF_LIT(&to, "{\"pattern\":");
            json_write_str(&to, pattern);
            BUF_LIT(&to, "}");
            assert_int_equal(json_read(&a, buf_str(&to), &bad, NULL), ERR_OK);
            if (json_schema_compile(&a, bad, NULL, &schema, &why) !=
                ERR_UNSUPPORTED)
                fail_msg("%s takes %.*s", name, STR_FMT(pattern));
            (*refused)++;
            buf_release(&to);
        }
    }
    arena_release(&a);
}

static void test_what_is_no_regular_expression_of_ecma_is_refused(void **state)
{
    (void)state;
    struct archive a;
    size_t refused = 0;
    if (!archive_open(&a, "vectors/json-schema"))
        skip();
    archive_each(&a, "json-schema/optional/format", ".json", check_format,
                 &refused);
    archive_close(&a);
    (void)fprintf(stderr, "%zu patterns are refused\n", refused);
    assert_true(refused >= 7);
}

/* The schema of MCP, with one of its types as what is meant. */
static const struct json_schema *compile_type(struct arena *a, struct str text,
                                              const char *type)
{
    struct buf to;
    const struct json *v;
    const struct json_schema *schema = NULL;
    struct json_schema_failure why;
    buf_init(&to, MIB);
    buf_addf(&to, "{\"$ref\":\"#/$defs/%s\",", type);
    buf_add(&to, str_skip(text, 1));
    assert_int_equal(json_read(a, buf_str(&to), &v, NULL), ERR_OK);
    if (json_schema_compile(a, v, NULL, &schema, &why) != ERR_OK)
        fail_msg("%s: %s: %s at %s", type, why.keyword, why.text, why.pointer);
    buf_release(&to);
    return schema;
}

struct example {
    const struct json_schema *schema;
    size_t fits;
};

static void check_example(void *user, const char *name, struct str bytes)
{
    struct example *example = user;
    struct json_schema_failure why;
    struct arena a;
    const struct json *v;
    arena_init(&a, REQUEST_ARENA_MAX);
    assert_int_equal(json_read(&a, bytes, &v, NULL), ERR_OK);
    if (json_schema_validate(example->schema, v, &a, 0, &why) != ERR_OK)
        fail_msg("%s: %s: %s at %s", name, why.keyword, why.text, why.pointer);
    example->fits++;

    /* A string is none of them. */
    assert_int_equal(json_read(&a, STR("\"x\""), &v, NULL), ERR_OK);
    assert_int_equal(json_schema_validate(example->schema, v, &a, 0, &why),
                     ERR_MALFORMED);
    arena_release(&a);
}

static void test_the_examples_of_mcp_fit_its_schema(void **state)
{
    (void)state;
    struct archive a;
    struct example example = {0};
    char path[512];
    size_t len = 0;
    if (!archive_open(&a, "vectors/mcp"))
        skip();
    char *bytes = archive_read(&a, "mcp/schema-2026-07-28.json", &len);
    (void)snprintf(path, sizeof(path), "%s/mcp/examples-2026-07-28", a.dir);
    DIR *d = opendir(path);
    assert_non_null(d);
    struct dirent *entry;
    while ((entry = readdir(d)) != NULL) { /* NOLINT(concurrency-mt-unsafe) */
        struct arena arena;
        if (entry->d_name[0] == '.')
            continue;
        arena_init(&arena, 16 * MIB);
        example.schema =
            compile_type(&arena, (struct str){bytes, len}, entry->d_name);
        (void)snprintf(path, sizeof(path), "mcp/examples-2026-07-28/%.200s",
                       entry->d_name);
        archive_each(&a, path, ".json", check_example, &example);
        arena_release(&arena);
    }
    closedir(d);
    free(bytes);
    archive_close(&a);
    (void)fprintf(stderr, "MCP: %zu examples fit\n", example.fits);
    assert_int_equal(example.fits, 129);
}

static void test_the_schemas_of_mcp_compile(void **state)
{
    (void)state;
    static const char *const files[] = {"mcp/schema-2025-06-18.json",
                                        "mcp/schema-2025-11-25.json",
                                        "mcp/schema-2026-07-28.json",
                                        "mcp/ext-tasks-draft-schema.json"};
    struct archive a;
    if (!archive_open(&a, "vectors/mcp"))
        skip();
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct arena arena;
        struct json_schema_failure why;
        const struct json_schema *schema;
        const struct json *v;
        size_t len = 0;
        char *bytes = archive_read(&a, files[i], &len);
        arena_init(&arena, 16 * MIB);
        assert_int_equal(json_read(&arena, (struct str){bytes, len}, &v, NULL),
                         ERR_OK);
        if (json_schema_compile(&arena, v, NULL, &schema, &why) != ERR_OK)
            fail_msg("%s: %s: %s at %s", files[i], why.keyword, why.text,
                     why.pointer);
        arena_release(&arena);
        free(bytes);
    }
    archive_close(&a);
}

struct tools {
    size_t compiled;
    size_t own_types; /* "float", "datetime": no JSON Schema */
};

/* Compiles what `v` calls a schema of a tool, however deep it lies. */
static void compile_tools(const struct json *v, const char *file,
                          struct tools *count)
{
    struct json_iter it = json_each(v);
    struct str name;
    while (json_next(&it, &name, &v)) {
        struct arena a;
        struct json_schema_failure why;
        const struct json_schema *schema;
        if (!str_eq(name, STR("inputSchema")) &&
            !str_eq(name, STR("outputSchema"))) {
            compile_tools(v, file, count);
            continue;
        }
        arena_init(&a, MIB);
        enum err e = json_schema_compile(&a, v, NULL, &schema, &why);
        if (e == ERR_OK)
            count->compiled++;
        else if (e == ERR_MALFORMED && strcmp(why.keyword, "type") == 0)
            count->own_types++;
        else
            fail_msg("%s: %s: %s at %s", file, why.keyword, why.text,
                     why.pointer);
        arena_release(&a);
    }
}

static void compile_tools_of(void *user, const char *name, struct str bytes)
{
    struct arena a;
    const struct json *v;
    if (strstr(name, ".cedarschema.") != NULL)
        return;
    arena_init(&a, REQUEST_ARENA_MAX);
    assert_int_equal(json_read(&a, bytes, &v, NULL), ERR_OK);
    compile_tools(v, name, user);
    arena_release(&a);
}

static void test_the_schemas_of_tools_compile(void **state)
{
    (void)state;
    static const char *const dirs[] = {"simple", "dedup", "strands"};
    struct archive a;
    struct tools count = {0};
    if (!archive_open(&a, "cedar/samples"))
        skip();
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        char path[256];
        (void)snprintf(path, sizeof(path),
                       "mcp/cedar-policy-mcp-schema-generator/examples/%s",
                       dirs[i]);
        archive_each(&a, path, ".json", compile_tools_of, &count);
    }
    archive_close(&a);
    (void)fprintf(stderr, "%zu schemas of tools compile, %zu have own types\n",
                  count.compiled, count.own_types);
    assert_int_equal(count.compiled, 78);
    assert_int_equal(count.own_types, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_official_suite_passes_or_is_refused_by_name),
        cmocka_unit_test(test_what_is_no_regular_expression_of_ecma_is_refused),
        cmocka_unit_test(test_the_schemas_of_mcp_compile),
        cmocka_unit_test(test_the_schemas_of_tools_compile),
        cmocka_unit_test(test_the_examples_of_mcp_fit_its_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
