/* Tests ledger/intents: a set that grows, shrinks and knows owners. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>

#include "base/attr.h"
#include "ledger/intents.h"

enum { RANGE = 3000, STEPS = 200000 };

/* Random moves against an array that cannot be wrong. */
static void test_it_agrees_with_an_array(void **state)
{
    (void)state;
    static bool has[RANGE];
    struct intents s = {0};
    uint32_t seed = 12345;
    size_t count = 0;
    for (unsigned i = 0; i < STEPS; i++) {
        seed = seed * 1664525 + 1013904223;
        uint64_t index = (seed >> 8) % RANGE;
        if ((seed >> 4) % 2 == 0) {
            enum err e = intents_add(&s, index, 1);
            assert_int_equal(e, has[index] ? ERR_MALFORMED : ERR_OK);
            count += has[index] ? 0 : 1;
            has[index] = true;
        } else {
            assert_int_equal(intents_remove(&s, index), has[index]);
            count -= has[index] ? 1 : 0;
            has[index] = false;
        }
        assert_int_equal(s.count, count);
        assert_int_equal(intents_has(&s, index), has[index]);
    }
    for (uint64_t i = 0; i < RANGE; i++)
        assert_int_equal(intents_has(&s, i), has[i]);

    uint64_t *sorted = calloc(s.count, sizeof(*sorted));
    assert_non_null(sorted);
    intents_sorted(&s, sorted);
    size_t n = 0;
    for (uint64_t i = 0; i < RANGE; i++) {
        if (has[i])
            assert_int_equal(sorted[n++], i);
    }
    assert_int_equal(n, s.count);
    free(sorted);
    intents_clear(&s);
    assert_int_equal(s.count, 0);
    assert_false(intents_has(&s, 7));
    intents_release(&s);
}

static void test_an_empty_set_has_nothing(void **state)
{
    (void)state;
    struct intents s = {0};
    struct intent it;
    size_t at = 0;
    assert_false(intents_has(&s, 0));
    assert_false(intents_has(&s, UINT64_MAX));
    assert_false(intents_remove(&s, 0));
    assert_false(intents_next(&s, &at, &it));
    assert_int_equal(intents_disown(&s, 1), 0);
    assert_int_equal(intents_add(&s, UINT64_MAX, 1), ERR_MALFORMED);
    intents_sorted(&s, NULL);
    intents_release(&s);
}

static void test_what_an_owner_leaves_is_an_orphan(void **state)
{
    (void)state;
    struct intents s = {0};
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(intents_add(&s, i, i < 30 ? 7 : 8), ERR_OK);
    assert_int_equal(intents_disown(&s, 7), 30);
    assert_int_equal(intents_disown(&s, 7), 0);
    size_t at = 0;
    struct intent it;
    unsigned orphans = 0;
    while (intents_next(&s, &at, &it)) {
        assert_int_equal(it.owner, it.index < 30 ? INTENTS_ORPHAN : 8);
        orphans += it.owner == INTENTS_ORPHAN;
    }
    assert_int_equal(orphans, 30);
    intents_release(&s);
}

static void test_the_cap_is_kept(void **state)
{
    (void)state;
    struct intents s = {0};
    for (uint64_t i = 0; i < INTENTS_MAX; i++)
        assert_int_equal(intents_add(&s, i, 1), ERR_OK);
    assert_int_equal(intents_add(&s, INTENTS_MAX, 1), ERR_LIMIT);
    assert_true(intents_remove(&s, 0));
    assert_int_equal(intents_add(&s, INTENTS_MAX, 1), ERR_OK);
    intents_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_agrees_with_an_array),
        cmocka_unit_test(test_an_empty_set_has_nothing),
        cmocka_unit_test(test_what_an_owner_leaves_is_an_orphan),
        cmocka_unit_test(test_the_cap_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
