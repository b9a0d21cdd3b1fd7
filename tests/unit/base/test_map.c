/* Tests base/map: against a plain array, limits, tombstones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/map.h"

enum { KEYS = 200 };
static const struct siphash_key seed = {42, 7};

static char names[KEYS][24];
static int values[KEYS];

static struct str name_of(size_t i)
{
    (void)snprintf(names[i], sizeof(names[i]), "k%zu", i);
    return str_from(names[i]);
}

static void test_an_empty_map_answers(void **state)
{
    (void)state;
    struct map m;
    map_init(&m, seed, 10);
    size_t at = 0;
    struct str key;
    void *value;
    assert_null(map_get(&m, STR("x")));
    assert_null(map_take(&m, STR("x")));
    assert_false(map_next(&m, &at, &key, &value));
    map_release(&m);
}

static void test_it_agrees_with_an_array_over_many_changes(void **state)
{
    (void)state;
    struct map m;
    map_init(&m, seed, KEYS);
    bool there[KEYS] = {false};
    size_t count = 0;
    uint32_t random = 1;

    for (size_t step = 0; step < 20000; step++) {
        random = random * 1664525 + 1013904223;
        size_t i = random >> 8 & 0xff;
        if (i >= KEYS)
            continue;
        if ((random >> 20 & 1) != 0) {
            assert_int_equal(map_set(&m, name_of(i), &values[i]), ERR_OK);
            count += !there[i];
            there[i] = true;
        } else {
            assert_ptr_equal(map_take(&m, name_of(i)),
                             there[i] ? &values[i] : NULL);
            count -= there[i];
            there[i] = false;
        }
        assert_int_equal(map_count(&m), count);
        assert_ptr_equal(map_get(&m, name_of(step % KEYS)),
                         there[step % KEYS] ? &values[step % KEYS] : NULL);
    }

    size_t at = 0;
    size_t seen = 0;
    struct str key;
    void *value;
    while (map_next(&m, &at, &key, &value)) {
        assert_ptr_equal(map_get(&m, key), value);
        seen++;
    }
    assert_int_equal(seen, count);
    assert_true(m.room <= 1024); /* removed slots are used again */
    map_release(&m);
}

static void test_a_full_map_refuses_new_keys_only(void **state)
{
    (void)state;
    struct map m;
    int v = 0;
    map_init(&m, seed, 2);
    assert_int_equal(map_set(&m, STR("a"), &v), ERR_OK);
    assert_int_equal(map_set(&m, STR("b"), &v), ERR_OK);
    assert_int_equal(map_set(&m, STR("c"), &v), ERR_LIMIT);
    assert_int_equal(map_set(&m, STR("a"), &m), ERR_OK);
    assert_ptr_equal(map_get(&m, STR("a")), &m);
    assert_ptr_equal(map_take(&m, STR("b")), &v);
    assert_int_equal(map_set(&m, STR("c"), &v), ERR_OK);
    map_release(&m);
}

static void test_the_empty_key_and_zero_bytes_are_keys(void **state)
{
    (void)state;
    struct map m;
    int empty = 0;
    int nul = 0;
    map_init(&m, seed, 10);
    assert_int_equal(map_set(&m, (struct str){NULL, 0}, &empty), ERR_OK);
    assert_int_equal(map_set(&m, STR("\0"), &nul), ERR_OK);
    assert_ptr_equal(map_get(&m, STR("")), &empty);
    assert_ptr_equal(map_get(&m, STR("\0")), &nul);
    assert_ptr_equal(map_take(&m, STR("")), &empty);
    assert_null(map_get(&m, STR("")));
    map_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_map_answers),
        cmocka_unit_test(test_it_agrees_with_an_array_over_many_changes),
        cmocka_unit_test(test_a_full_map_refuses_new_keys_only),
        cmocka_unit_test(test_the_empty_key_and_zero_bytes_are_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
