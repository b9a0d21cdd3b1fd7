/* Tests admin/page: pages of what comes in no order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "admin/page.h"
#include "base/attr.h"
#include "base/limits.h"

static void put(struct page *p, unsigned n)
{
    char key[16];
    struct str k = {key, (size_t)snprintf(key, sizeof(key), "k%03u", n)};
    if (page_wants(p, k))
        buf_addf(page_add(p, k), "%u", n);
}

static void check(const char *query, const char *want)
{
    struct arena a;
    struct page p;
    struct buf text;
    struct str param;

    arena_init(&a, MIB);
    assert_int_equal(page_init(&p, &a, str_from(query), NULL, 0, &param),
                     ERR_OK);
    for (unsigned i = 0; i < 100; i++)
        put(&p, i * 37 % 100); /* every number, in no order */
    buf_init(&text, MIB);
    page_write(&p, STR("list"), &text);
    print_message("  %s: %.*s\n", query, STR_FMT(buf_str(&text)));
    assert_true(str_eq(buf_str(&text), str_from(want)));
    buf_release(&text);
    page_release(&p);
    arena_release(&a);
}

static void test_a_page_has_the_smallest_keys_behind_the_last(void **state)
{
    (void)state;
    check("limit=3", "{\"list\":[0,1,2],\"next\":\"k002\"}");
    check("limit=3&after=k002", "{\"list\":[3,4,5],\"next\":\"k005\"}");
    check("after=k097&limit=2", "{\"list\":[98,99]}");
    check("after=k098&limit=1", "{\"list\":[99]}");
    check("after=k096&limit=2", "{\"list\":[97,98],\"next\":\"k098\"}");
    check("after=k099", "{\"list\":[]}");
    check("after=k0%39%38", "{\"list\":[99]}");
}

static void test_equal_keys_stand_on_one_page(void **state)
{
    (void)state;
    static const char *const keys[] = {"a", "b", "b", "b", "c"};
    struct arena a;
    struct page p;
    struct buf text;
    struct str param;

    arena_init(&a, MIB);
    assert_int_equal(page_init(&p, &a, STR("limit=2"), NULL, 0, &param),
                     ERR_OK);
    for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
        struct buf *to = page_append(&p, str_from(keys[i]));
        assert_int_equal(to == NULL, i == 4);
        if (to != NULL)
            buf_addf(to, "%u", i);
    }
    buf_init(&text, MIB);
    page_write(&p, STR("list"), &text);
    assert_true(
        str_eq(buf_str(&text), STR("{\"list\":[0,1,2,3],\"next\":\"b\"}")));
    buf_release(&text);
    page_release(&p);
    arena_release(&a);
}

static void test_what_is_wrong_in_a_query_is_named(void **state)
{
    (void)state;
    static const struct {
        struct str query;
        enum err err;
        struct str param;
    } cases[] = {
        {STR_INIT("limit=0"), ERR_MALFORMED, STR_INIT("limit")},
        {STR_INIT("limit=1001"), ERR_MALFORMED, STR_INIT("limit")},
        {STR_INIT("limit=x"), ERR_MALFORMED, STR_INIT("limit")},
        {STR_INIT("kind=a&sort=b"), ERR_UNKNOWN_FIELD, STR_INIT("sort")},
        {STR_INIT("after=%zz"), ERR_MALFORMED, STR_INIT("after")},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a;
        struct page p;
        struct str kind, param = {NULL, 0};
        const struct page_other other = {STR("kind"), &kind};

        arena_init(&a, MIB);
        assert_int_equal(page_init(&p, &a, cases[i].query, &other, 1, &param),
                         cases[i].err);
        assert_true(str_eq(param, cases[i].param));
        arena_release(&a);
    }
}

static void test_other_parameters_are_handed_out(void **state)
{
    (void)state;
    struct arena a;
    struct page p;
    struct str kind = STR("x"), state_of = STR("y"), param;
    const struct page_other others[] = {{STR("kind"), &kind},
                                        {STR("state"), &state_of}};

    arena_init(&a, MIB);
    assert_int_equal(page_init(&p, &a, STR("kind=a%7Cb"), others, 2, &param),
                     ERR_OK);
    assert_true(str_eq(kind, STR("a|b")));
    assert_int_equal(state_of.len, 0);
    assert_int_equal(p.limit, PAGE_LIMIT);
    page_release(&p);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_page_has_the_smallest_keys_behind_the_last),
        cmocka_unit_test(test_equal_keys_stand_on_one_page),
        cmocka_unit_test(test_what_is_wrong_in_a_query_is_named),
        cmocka_unit_test(test_other_parameters_are_handed_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
