/* Tests admin/logins: a token is worth something while it is used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "admin/logins.h"

struct token {
    char text[LOGINS_TOKEN_LEN];
};

static struct logins *fresh(void)
{
    struct logins *l;
    const struct siphash_key seed = {1, 2};
    assert_int_equal(logins_new(seed, &l), ERR_OK);
    return l;
}

static struct token begin(struct logins *l, struct str name, int64_t now)
{
    struct token t;
    assert_int_equal(logins_begin(l, name, now, t.text), ERR_OK);
    return t;
}

static bool good(struct logins *l, const struct token *t, int64_t now)
{
    struct str name;
    return logins_find(l, (struct str){t->text, sizeof(t->text)}, now, &name);
}

static void test_a_token_belongs_to_its_name(void **state)
{
    (void)state;
    struct logins *l = fresh();
    struct token a = begin(l, STR("ada"), 0);
    struct token b = begin(l, STR("bob"), 0);
    struct str name;

    assert_memory_not_equal(a.text, b.text, sizeof(a.text));
    assert_memory_equal(a.text, "writ_admin_", 11);
    assert_true(logins_find(l, (struct str){a.text, sizeof(a.text)}, 1, &name));
    assert_true(str_eq(name, STR("ada")));
    assert_true(logins_find(l, (struct str){b.text, sizeof(b.text)}, 1, &name));
    assert_true(str_eq(name, STR("bob")));
    a.text[20] = a.text[20] == 'A' ? 'B' : 'A';
    assert_false(good(l, &a, 1));
    assert_false(logins_find(l, STR(""), 1, &name));
    assert_false(logins_find(l, STR("writ_admin_"), 1, &name));
    logins_free(l);
}

static void test_it_ends_idle_or_too_old(void **state)
{
    (void)state;
    struct logins *l = fresh();
    struct token a = begin(l, STR("ada"), 0);
    int64_t now = 0;

    assert_true(good(l, &a, LOGINS_IDLE_US - 1));
    assert_false(good(l, &a, 2 * LOGINS_IDLE_US - 1));
    assert_int_equal(logins_count(l), 0);
    a = begin(l, STR("ada"), 0);
    while (now < LOGINS_MAX_US - LOGINS_IDLE_US / 2) {
        now += LOGINS_IDLE_US / 2;
        assert_int_equal(good(l, &a, now), now < LOGINS_MAX_US);
    }
    assert_false(good(l, &a, LOGINS_MAX_US));
    logins_free(l);
}

static void test_use_does_not_make_a_login_any_younger(void **state)
{
    (void)state;
    struct logins *l = fresh();
    struct token a = begin(l, STR("ada"), 7);
    struct token b = begin(l, STR("ada"), 8);

    assert_true(good(l, &a, 100));
    assert_int_equal(logins_began_us(l, (struct str){a.text, sizeof(a.text)}),
                     7);
    assert_int_equal(logins_began_us(l, (struct str){b.text, sizeof(b.text)}),
                     8);
    assert_int_equal(logins_began_us(l, STR("writ_admin_")), 0);
    logins_free(l);
}

static void test_a_logout_ends_one_login(void **state)
{
    (void)state;
    struct logins *l = fresh();
    struct token a = begin(l, STR("ada"), 0);
    struct token b = begin(l, STR("ada"), 0);

    logins_end(l, (struct str){a.text, sizeof(a.text)});
    logins_end(l, (struct str){a.text, sizeof(a.text)});
    assert_false(good(l, &a, 1));
    assert_true(good(l, &b, 1));
    logins_free(l);
}

static void test_the_oldest_goes_when_there_are_too_many(void **state)
{
    (void)state;
    struct logins *l = fresh();
    struct token first = begin(l, STR("ada"), 0);
    struct token other = begin(l, STR("bob"), 0);

    for (int i = 0; i < LOGINS_PER_NAME_MAX; i++)
        (void)begin(l, STR("ada"), 1 + i);
    assert_false(good(l, &first, 100));
    assert_true(good(l, &other, 100));
    assert_int_equal(logins_count(l), LOGINS_PER_NAME_MAX + 1);
    logins_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_token_belongs_to_its_name),
        cmocka_unit_test(test_it_ends_idle_or_too_old),
        cmocka_unit_test(test_use_does_not_make_a_login_any_younger),
        cmocka_unit_test(test_a_logout_ends_one_login),
        cmocka_unit_test(test_the_oldest_goes_when_there_are_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
