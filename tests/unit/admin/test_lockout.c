/* Tests admin/lockout: guessing becomes slow, for one key and not for others,
 * and memory stays bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "admin/lockout.h"

static struct lockout *fresh(void)
{
    struct lockout *l;
    const struct siphash_key seed = {1, 2};
    assert_int_equal(lockout_new(seed, &l), ERR_OK);
    return l;
}

static void test_each_failure_waits_twice_as_long(void **state)
{
    (void)state;
    struct lockout *l = fresh();
    int64_t now = 1000, waited = 0;

    for (unsigned i = 0; i < LOCKOUT_FREE; i++)
        assert_int_equal(lockout_try(l, STR("a"), now), 0);
    for (int64_t want = LOCKOUT_FIRST_MS; want < LOCKOUT_MAX_MS; want *= 2) {
        waited = lockout_try(l, STR("a"), now);
        assert_int_equal(waited, want);
        assert_int_equal(lockout_try(l, STR("a"), now + waited - 1), 1);
        now += waited;
        assert_int_equal(lockout_try(l, STR("a"), now), 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        waited = lockout_try(l, STR("a"), now);
        assert_int_equal(waited, LOCKOUT_MAX_MS);
        now += waited;
        assert_int_equal(lockout_try(l, STR("a"), now), 0);
    }
    assert_int_equal(lockout_try(l, STR("b"), now), 0);
    lockout_free(l);
}

static void test_success_and_time_forgive(void **state)
{
    (void)state;
    struct lockout *l = fresh();

    for (unsigned i = 0; i < LOCKOUT_FREE; i++)
        (void)lockout_try(l, STR("a"), 0);
    assert_true(lockout_try(l, STR("a"), 0) > 0);
    lockout_clear(l, STR("a"));
    assert_int_equal(lockout_try(l, STR("a"), 0), 0);
    for (unsigned i = 0; i < LOCKOUT_FREE; i++)
        (void)lockout_try(l, STR("c"), 0);
    int64_t later = LOCKOUT_FORGET_MS + 1;
    for (unsigned i = 0; i < LOCKOUT_FREE; i++)
        assert_int_equal(lockout_try(l, STR("c"), later), 0);
    assert_true(lockout_try(l, STR("c"), later) > 0);
    lockout_free(l);
}

static void test_what_was_not_decided_does_not_count(void **state)
{
    (void)state;
    struct lockout *l = fresh();

    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(lockout_try(l, STR("a"), 0), 0);
        lockout_undo(l, STR("a"));
    }
    lockout_undo(l, STR("never seen"));
    lockout_free(l);
}

static void test_trust_is_earned_and_ends(void **state)
{
    (void)state;
    struct lockout *l = fresh();

    assert_int_equal(lockout_try(l, STR("a"), 0), 0);
    assert_false(lockout_is_trusted(l, STR("a"), 0));
    lockout_trust(l, STR("a"), 10);
    assert_true(lockout_is_trusted(l, STR("a"), 10));
    assert_false(lockout_is_trusted(l, STR("b"), 10));
    for (unsigned i = 0; i < LOCKOUT_FREE; i++)
        assert_int_equal(lockout_try(l, STR("a"), 20), 0);
    assert_true(lockout_try(l, STR("a"), 20) > 0); /* trust is no licence */
    assert_false(lockout_is_trusted(l, STR("a"), 10 + LOCKOUT_TRUST_MS));
    lockout_free(l);
}

static void test_the_oldest_is_forgotten_when_there_are_too_many(void **state)
{
    (void)state;
    struct lockout *l = fresh();
    char key[16];

    for (unsigned i = 0; i < LOCKOUT_FREE; i++)
        (void)lockout_try(l, STR("first"), 0);
    for (unsigned i = 0; i < LOCKOUT_KEYS_MAX; i++) {
        int n = snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(lockout_try(l, (struct str){key, (size_t)n},
                                     1 + (int64_t)i),
                         0);
    }
    assert_int_equal(lockout_try(l, STR("first"), 2), 0);
    lockout_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_failure_waits_twice_as_long),
        cmocka_unit_test(test_success_and_time_forgive),
        cmocka_unit_test(test_what_was_not_decided_does_not_count),
        cmocka_unit_test(test_trust_is_earned_and_ends),
        cmocka_unit_test(test_the_oldest_is_forgotten_when_there_are_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
