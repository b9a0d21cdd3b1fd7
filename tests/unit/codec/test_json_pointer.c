/* Tests codec/json_pointer: what is found is written the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "codec/json_pointer.h"

/* RFC 6901, section 5, and what lies deeper. */
static const char document[] =
    "{\"foo\":[\"bar\",\"baz\",[{\"x\":1}]],\"\":0,\"a/b\":1,\"c%d\":2,"
    "\"e^f\":3,\"g|h\":4,\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,\"m~n\":8,"
    "\"~1\":{\"\":{\"\":9}}}";

static void test_what_is_found_is_written_the_same(void **state)
{
    (void)state;
    static const char *const pointers[] = {"",       "/foo",       "/foo/0",
                                           "/foo/1", "/foo/2/0/x", "/",
                                           "/a~1b",  "/c%d",       "/e^f",
                                           "/g|h",   "/i\\j",      "/k\"l",
                                           "/ ",     "/m~0n",      "/~01//",
                                           "/~01/",  "/foo/2",     "/foo/2/0"};
    struct arena a;
    const struct json *root;
    arena_init(&a, MIB);
    assert_int_equal(json_read(&a, str_from(document), &root, NULL), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(pointers); i++) {
        struct str pointer = str_from(pointers[i]);
        const struct json *v = json_pointer_find(root, pointer);
        assert_non_null(v);
        char room[64];
        struct buf to;
        buf_init_lent(&to, room, sizeof(room));
        json_pointer_write(&to, root, v);
        assert_true(str_eq(buf_str(&to), pointer));
    }
    arena_release(&a);
}

static void test_nothing_is_found_where_nothing_is(void **state)
{
    (void)state;
    static const char *const pointers[] = {
        "foo",    "/fo",      "/foo/3", "/foo/00",
        "/foo/-", "/foo/0/x", "/a/b",   "/m~n",
        "/~",     "/~2",      "/foo/",  "/foo/18446744073709551616",
        "/foo/ 1"};
    struct arena a;
    const struct json *root;
    arena_init(&a, MIB);
    assert_int_equal(json_read(&a, str_from(document), &root, NULL), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(pointers); i++) {
        if (json_pointer_find(root, str_from(pointers[i])) != NULL)
            fail_msg("%s", pointers[i]);
    }
    arena_release(&a);
}

static void test_without_room_an_outer_value_is_named(void **state)
{
    (void)state;
    struct arena a;
    const struct json *root;
    arena_init(&a, MIB);
    assert_int_equal(json_read(&a, str_from(document), &root, NULL), ERR_OK);
    const struct json *v = json_pointer_find(root, STR("/foo/2/0/x"));
    for (size_t n = 1; n < 64; n++) {
        char room[64];
        struct buf to;
        buf_init_lent(&to, room, n);
        json_pointer_write(&to, root, v);
        assert_true(buf_ok(&to));
        assert_non_null(json_pointer_find(root, buf_str(&to)));
    }
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_found_is_written_the_same),
        cmocka_unit_test(test_nothing_is_found_where_nothing_is),
        cmocka_unit_test(test_without_room_an_outer_value_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
