/* Tests cedar/cedar_value: equality, records, values from JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/limits.h"
#include "cedar/cedar_value.h"
#include "cedar/sort.h"

static enum err read_as(struct arena *a, const char *text, bool raw,
                        struct cedar_value *ret)
{
    const struct json *json = NULL;
    const char *what = NULL;
    assert_int_equal(json_read(a, str_from(text), &json, NULL), ERR_OK);
    enum err e = raw ? cedar_value_raw_json(a, json, ret, &what)
                     : cedar_value_json(a, json, ret, &what);
    assert_int_equal(e == ERR_MALFORMED, what != NULL);
    return e;
}

static void test_equal_is_structural(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool equal;
    } rows[] = {
        {"[1,2,3]", "[3,1,2,2,1]", true},
        {"[1,2,3]", "[1,2]", false},
        {"{\"a\":1,\"b\":[true]}", "{\"b\":[true],\"a\":1}", true},
        {"{\"a\":1}", "{\"a\":1,\"b\":1}", false},
        {"{\"a\":1}", "{\"b\":1}", false},
        {"[[1],[]]", "[[],[1]]", true},
        {"\"a\"", "\"a\\n\"", false},
        {"1", "\"1\"", false},
        {"{\"__entity\":{\"type\":\"A\",\"id\":\"b\"}}",
         "{\"__entity\":{\"id\":\"b\",\"type\":\"A\"}}", true},
        {"{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"1.5\"}}",
         "{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"1.50\"}}", true},
        {"{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.0.0.1/24\"}}",
         "{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.0.0.0/24\"}}", false},
    };
    struct arena a;
    arena_init(&a, MIB);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cedar_value left;
        struct cedar_value right;
        assert_int_equal(read_as(&a, rows[i].a, false, &left), ERR_OK);
        assert_int_equal(read_as(&a, rows[i].b, false, &right), ERR_OK);
        assert_int_equal(cedar_value_equal(left, right), rows[i].equal);
        assert_int_equal(cedar_value_equal(right, left), rows[i].equal);
    }
    arena_release(&a);
}

static void test_raw_json_knows_no_escapes(void **state)
{
    (void)state;
    static const char entity[] = "{\"__entity\":{\"type\":\"A\",\"id\":\"b\"}}";
    static const char call[] = "{\"__extn\":{\"fn\":\"ip\",\"arg\":\"::1\"}}";
    struct arena a;
    struct cedar_value v;
    arena_init(&a, MIB);
    assert_int_equal(read_as(&a, entity, false, &v), ERR_OK);
    assert_int_equal(v.kind, CEDAR_ENTITY);
    assert_int_equal(read_as(&a, entity, true, &v), ERR_OK);
    assert_int_equal(v.kind, CEDAR_RECORD);
    assert_int_equal(read_as(&a, call, false, &v), ERR_OK);
    assert_int_equal(v.kind, CEDAR_IP);
    assert_int_equal(read_as(&a, call, true, &v), ERR_OK);
    assert_int_equal(v.kind, CEDAR_RECORD);

    assert_int_equal(read_as(&a, "{\"n\":null,\"d\":1.5}", true, &v), ERR_OK);
    struct cedar_value d;
    assert_false(cedar_value_get(v.as.record, STR("n"), &d));
    assert_true(cedar_value_get(v.as.record, STR("d"), &d));
    assert_int_equal(d.kind, CEDAR_DECIMAL);
    assert_int_equal(d.as.number, 15000);
    assert_int_equal(read_as(&a, "[null]", true, &v), ERR_MALFORMED);
    assert_int_equal(read_as(&a, "1.23456", true, &v), ERR_MALFORMED);
    assert_int_equal(read_as(&a, "1e2", true, &v), ERR_MALFORMED);
    assert_int_equal(read_as(&a, "1.5", false, &v), ERR_MALFORMED);
    arena_release(&a);
}

static void test_a_record_finds_each_member(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    static char names[COUNT][8];
    static struct cedar_member members[COUNT];
    const struct cedar_record *r = NULL;
    struct arena a;
    arena_init(&a, MIB);
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "m%d", i);
        members[i] =
            (struct cedar_member){str_from(names[i]), cedar_value_long(i)};
    }
    assert_int_equal(cedar_value_record(&a, members, COUNT, &r), ERR_OK);
    for (int i = 0; i < COUNT; i++) {
        struct cedar_value v;
        assert_true(cedar_value_get(r, str_from(names[i]), &v));
        assert_int_equal(v.as.number, i);
    }
    struct cedar_value none;
    assert_false(cedar_value_get(r, STR("m300"), &none));
    members[7].name = members[200].name;
    assert_int_equal(cedar_value_record(&a, members, COUNT, &r), ERR_MALFORMED);
    arena_release(&a);
}

static void test_type_names_are_normalised(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool ok;
    } rows[] = {
        {"A", true},      {"_a1::B::c", true},   {"principal", true},
        {"", false},      {"1a", false},         {"A::", false},
        {"::A", false},   {"A:B", false},        {"A ", false},
        {"A:: B", false}, {"if", false},         {"A::in::B", false},
        {"é", false},     {"__cedar::X", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(cedar_uid_is_type(str_from(rows[i].name)), rows[i].ok);
}

static int order(const void *a, const void *b)
{
    const uint32_t *left = a;
    const uint32_t *right = b;
    return (*left > *right) - (*left < *right);
}

static void test_sorting_sorts(void **state)
{
    (void)state;
    uint32_t array[200];
    uint32_t random = 1;
    uint32_t spare;
    for (size_t n = 0; n <= ARRAY_LEN(array); n++) {
        uint64_t before = 0;
        uint64_t after = 0;
        for (size_t i = 0; i < n; i++) {
            random = random * 1664525 + 1013904223;
            array[i] = random >> 24;
            before += array[i];
        }
        sort_array(array, n, sizeof(spare), order, &spare);
        for (size_t i = 0; i < n; i++) {
            after += array[i];
            assert_true(i == 0 || array[i - 1] <= array[i]);
        }
        assert_int_equal(before, after);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_is_structural),
        cmocka_unit_test(test_raw_json_knows_no_escapes),
        cmocka_unit_test(test_a_record_finds_each_member),
        cmocka_unit_test(test_type_names_are_normalised),
        cmocka_unit_test(test_sorting_sorts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
