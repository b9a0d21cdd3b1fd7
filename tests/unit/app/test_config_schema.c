/* Tests app/config_schema and app/config_docs: both follow the table, and the
 * page in docs/ is what the program prints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app/config_docs.h"
#include "app/config_schema.h"
#include "app/config_table.h"
#include "app/config_units.h"
#include "base/arena.h"
#include "codec/json.h"
#include "domain/risk.h"
#include "os/file.h"

#define ARENA_MAX ((size_t)64 * 1024 * 1024)

static const struct json *read_schema(struct arena *a)
{
    struct buf text;
    const struct json *schema = NULL;
    struct json_error error = {0};
    buf_init(&text, CONFIG_SCHEMA_MAX);
    config_schema_json(&text);
    assert_true(buf_ok(&text));
    if (json_read(a, buf_str(&text), &schema, &error) != ERR_OK)
        fail_msg("byte %zu: %s", error.offset, error.what);
    buf_release(&text);
    return schema;
}

/* What may be a value by itself as well as a mapping: the mapping. */
static const struct json *mapping_of(const struct json *at)
{
    const struct json *any = json_get(at, STR("anyOf"));
    for (size_t i = 0; i < json_count(any); i++) {
        if (json_get(json_at(any, i), STR("properties")) != NULL)
            return json_at(any, i);
    }
    return at;
}

/* The schema of a row: down through properties, items and entries. */
static const struct json *find(const struct json *at, struct str path)
{
    while (path.len > 0 && at != NULL) {
        size_t len = str_find(path, '.');
        struct str key = str_first(path, len);
        bool list = str_find(key, '[') < key.len;
        key = str_first(key, str_find(key, '['));
        at = str_eq(key, STR("*"))
                 ? json_get(at, STR("additionalProperties"))
                 : json_get(json_get(mapping_of(at), STR("properties")), key);
        if (list)
            at = json_get(at, STR("items"));
        path = str_skip(path, len + 1);
    }
    return at;
}

static void test_the_schema_has_every_key(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, ARENA_MAX);
    const struct json *schema = read_schema(&a);
    for (size_t i = 0; i < config_table_len; i++) {
        const struct config_row *row = &config_table[i];
        const struct json *at = find(schema, str_from(row->path));
        if (!json_is_string(json_get(at, STR("description")),
                            str_from(row->help)))
            fail_msg("%s is not in the schema", row->path);
        if ((json_get(at, STR("default")) != NULL) != (row->fallback != NULL))
            fail_msg("%s: the default differs", row->path);
    }
    arena_release(&a);
}

/* An editor marks what config_load() refuses: unknown and missing keys. */
static void check_closed(const struct json *at, size_t *count)
{
    struct str name;
    const struct json *child;
    const struct json *keys = json_get(at, STR("properties"));
    bool open = true;
    if (keys != NULL) {
        assert_true(
            json_bool(json_get(at, STR("additionalProperties")), &open));
        assert_false(open);
        (*count)++;
    }
    struct json_iter it = json_each(keys);
    while (json_next(&it, &name, &child)) {
        check_closed(child, count);
        check_closed(json_get(child, STR("items")), count);
        check_closed(mapping_of(json_get(child, STR("additionalProperties"))),
                     count);
    }
}

static void test_every_mapping_is_closed(void **state)
{
    (void)state;
    struct arena a;
    size_t count = 0;
    arena_init(&a, ARENA_MAX);
    check_closed(read_schema(&a), &count);
    assert_true(count > 10);
    arena_release(&a);
}

static void test_required_keys_are_required(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, ARENA_MAX);
    const struct json *schema = read_schema(&a);
    for (size_t i = 0; i < config_table_len; i++) {
        const struct config_row *row = &config_table[i];
        struct str path = str_from(row->path);
        struct str key = config_table_key(row);
        size_t parent = path.len - key.len;
        const struct json *at =
            find(schema, str_first(path, parent == 0 ? 0 : parent - 1));
        const struct json *required = json_get(mapping_of(at), STR("required"));
        bool listed = false;
        for (size_t j = 0; j < json_count(required); j++)
            listed |= json_is_string(json_at(required, j), key);
        if (listed != row->required)
            fail_msg("%s: required differs", row->path);
    }
    arena_release(&a);
}

static void test_rows_are_well_formed(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_table_len; i++) {
        const struct config_row *row = &config_table[i];
        bool many = row->type == CONFIG_LIST || row->type == CONFIG_MAP;
        bool list = config_table_is_list(row);
        char room[CONFIG_PREFIX_MAX];
        assert_true(config_table_prefix(row, room).len > 0);
        assert_true(row->help != NULL);
        assert_int_equal(many, row->size > 0);
        assert_true(row->type != CONFIG_ENUM || row->words != NULL);
        assert_true(row->words == NULL || row->type == CONFIG_ENUM ||
                    row->type == CONFIG_NAMES || row->type == CONFIG_FLAGS ||
                    row->type == CONFIG_BOOLEAN);
        assert_true(row->type == CONFIG_MAP || row->keys == CONFIG_KEY_NAME);
        assert_true(row->type != CONFIG_STRING || row->max > 0);
        assert_true(row->type != CONFIG_MAP ||
                    config_table_value(row) == NULL ||
                    config_table_value(row) > row);
        if ((many || list || config_units_has_range(row)) && row->max <= 0)
            fail_msg("%s has no maximum", row->path);
        if (row->refers != NULL)
            assert_true(config_table_refers(row) < row);
        assert_false(row->required && row->fallback != NULL);
    }
}

static void test_risk_has_the_words_of_the_domain(void **state)
{
    (void)state;
    const struct config_row *risk =
        config_table_find(STR("tools.*.risk"), STR("*"));
    assert_int_equal(risk->type, CONFIG_FLAGS);
    for (unsigned n = 0; n < RISK_WORDS; n++) {
        assert_true(str_eq(risk_word(n), str_from(risk->words[n])));
        assert_int_equal(risk_from(risk_word(n)), 1U << n);
    }
    assert_null(risk->words[RISK_WORDS]);
}

static void test_values_are_shown_in_their_units(void **state)
{
    (void)state;
    static const struct {
        enum config_type type;
        int64_t value;
        const char *want;
    } rows[] = {
        {CONFIG_DURATION, 0, "0"},       {CONFIG_DURATION, 250, "250ms"},
        {CONFIG_DURATION, 90000, "90s"}, {CONFIG_DURATION, 86400000, "1d"},
        {CONFIG_BYTES, 1536, "1536"},    {CONFIG_BYTES, 8 << 20, "8MB"},
        {CONFIG_BYTES, 65536, "64KB"},   {CONFIG_MICROS, 150000, "0.15"},
        {CONFIG_MICROS, 2000000, "2"},   {CONFIG_MICROS, 1, "0.000001"},
        {CONFIG_INTEGER, 42, "42"},      {CONFIG_MICROS, 0, "0"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf text;
        buf_init(&text, 100);
        config_units_value(&text, rows[i].type, rows[i].value);
        if (!str_eq(buf_str(&text), str_from(rows[i].want)))
            fail_msg("%.*s is not %s", STR_FMT(buf_str(&text)), rows[i].want);
        buf_release(&text);
    }
}

static void test_the_page_in_docs_is_what_is_printed(void **state)
{
    (void)state;
    struct buf page;
    struct buf file;
    buf_init(&page, CONFIG_SCHEMA_MAX);
    buf_init(&file, CONFIG_SCHEMA_MAX);
    config_docs_markdown(&page);
    assert_true(buf_ok(&page));
    assert_int_equal(file_read(FILE_CWD,
                               TEST_SOURCE_DIR "/docs/configuration.md", &file),
                     ERR_OK);
    if (!str_eq(buf_str(&page), buf_str(&file)))
        fail_msg("docs/configuration.md is old; print it anew with\n"
                 "  writ schema config --markdown >docs/configuration.md");
    buf_release(&page);
    buf_release(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_schema_has_every_key),
        cmocka_unit_test(test_every_mapping_is_closed),
        cmocka_unit_test(test_required_keys_are_required),
        cmocka_unit_test(test_rows_are_well_formed),
        cmocka_unit_test(test_risk_has_the_words_of_the_domain),
        cmocka_unit_test(test_values_are_shown_in_their_units),
        cmocka_unit_test(test_the_page_in_docs_is_what_is_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
