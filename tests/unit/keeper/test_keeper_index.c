/* Tests keeper/keeper_index against a plain array, through growth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "fixture.h"
#include "keeper/keeper_index.h"

static const struct siphash_key seed = {1, 2};

static const unsigned char *bytes_of(const struct fixture_id *id)
{
    return (const unsigned char *)id->bytes;
}

static void add(struct keeper_index *x, unsigned n, bool want_new)
{
    struct fixture_id id = fixture_id(n);
    bool is_new = !want_new;
    assert_int_equal(keeper_index_add(x, bytes_of(&id), n + 7, &is_new),
                     ERR_OK);
    assert_int_equal(is_new, want_new);
}

static void test_an_empty_index_has_nothing(void **state)
{
    (void)state;
    struct keeper_index x;
    keeper_index_init(&x, seed);
    struct fixture_id id = fixture_id(1);
    assert_false(keeper_index_has(&x, bytes_of(&id)));
    keeper_index_remove(&x, bytes_of(&id));
    keeper_index_release(&x);
}

static void test_ids_stay_found_while_others_come_and_go(void **state)
{
    (void)state;
    enum { IDS = 5000, STEPS = 60000 };
    static bool in[IDS];
    struct keeper_index x;
    keeper_index_init(&x, seed);
    uint32_t random = 12345;
    size_t count = 0;
    for (unsigned step = 0; step < STEPS; step++) {
        random = random * 1664525U + 1013904223U;
        unsigned n = (random >> 8) % IDS;
        struct fixture_id id = fixture_id(n);
        assert_int_equal(keeper_index_has(&x, bytes_of(&id)), in[n]);
        if (in[n]) {
            keeper_index_remove(&x, bytes_of(&id));
            count--;
        } else {
            add(&x, n, true);
            add(&x, n, false);
            count++;
        }
        in[n] = !in[n];
        assert_int_equal(x.used, count);
    }
    for (unsigned n = 0; n < IDS; n++) {
        struct fixture_id id = fixture_id(n);
        uint32_t place = 0;
        assert_int_equal(keeper_index_has(&x, bytes_of(&id)), in[n]);
        assert_int_equal(keeper_index_find(&x, bytes_of(&id), &place), in[n]);
        assert_int_equal(place, in[n] ? n + 7 : 0);
    }
    keeper_index_release(&x);
}

static void test_a_full_index_refuses(void **state)
{
    (void)state;
    struct keeper_index x;
    keeper_index_init(&x, seed);
    add(&x, 1, true);
    x.used = KEEPER_SESSIONS_MAX; /* as if they were there */
    struct fixture_id id = fixture_id(2);
    bool is_new;
    assert_int_equal(keeper_index_add(&x, bytes_of(&id), 0, &is_new),
                     ERR_LIMIT);
    assert_int_equal(keeper_index_reserve(&x, (size_t)KEEPER_SESSIONS_MAX + 1),
                     ERR_LIMIT);
    keeper_index_release(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_index_has_nothing),
        cmocka_unit_test(test_ids_stay_found_while_others_come_and_go),
        cmocka_unit_test(test_a_full_index_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
