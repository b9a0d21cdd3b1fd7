/* Tests mcp/hub_list.h and how mcp/hub_offer.c uses it: what a server lists in
 * the same words is read once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "mcp/hub_part.h"

#define TOOL(name)                                                             \
    "{\"name\":\"" name "\",\"inputSchema\":{\"type\":\"object\"}}"
#define LAST(tools) "{\"tools\":[" tools "]}"
#define MORE(tools) "{\"tools\":[" tools "],\"nextCursor\":\"c\"}"

/* One link after another is told these pages (the second may be NULL). */
static struct hub_offer *told(struct hub_list_set *set, const char *server,
                              const char *first, const char *second)
{
    const struct handshake hello = {.has = METHOD_HAS_TOOLS};
    struct hub_offer *about = hub_offer_about(&hello);
    struct hub_offer *offer = NULL;
    struct arena a;
    struct buf cursor;
    const struct json *v;
    struct str why;

    arena_init(&a, MIB);
    buf_init(&cursor, MIB);
    struct hub_pages *pages = hub_pages_new(about, 5);
    hub_pages_share(pages, set, str_from(server));
    assert_int_equal(json_read(&a, str_from(first), &v, NULL), ERR_OK);
    enum err e = hub_pages_add(pages, v, &cursor, &why);
    assert_int_equal(e == ERR_OK && cursor.len > 0, second != NULL);
    if (e == ERR_OK && second != NULL) {
        assert_int_equal(json_read(&a, str_from(second), &v, NULL), ERR_OK);
        e = hub_pages_add(pages, v, &cursor, &why);
        assert_int_equal(cursor.len, 0);
    }
    if (e == ERR_OK)
        e = hub_pages_end(pages, &offer);
    else
        hub_pages_free(pages);
    hub_offer_unref(about);
    buf_release(&cursor);
    arena_release(&a);
    return offer;
}

static void test_the_same_words_are_read_once(void **state)
{
    (void)state;
    static const struct {
        const char *server, *first, *second;
        bool same;
    } rows[] = {
        {"s", LAST(TOOL("a")), NULL, true},
        {"s", "{ \"tools\": [" TOOL("a") "] }", NULL, true},
        {"other", LAST(TOOL("a")), NULL, false},
        {"s", LAST(TOOL("b")), NULL, false},
        {"s", LAST(TOOL("a") "," TOOL("b")), NULL, false},
        {"s", MORE(TOOL("a")), LAST(""), false},
        {"", "{\"tools\":[]}", NULL, false},
    };
    struct hub_list_set set;
    hub_list_init(&set, 100);
    struct hub_offer *one = told(&set, "s", LAST(TOOL("a")), NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct hub_offer *o =
            told(&set, rows[i].server, rows[i].first, rows[i].second);
        assert_int_equal(o->page == one->page, rows[i].same);
        assert_int_equal(o->listed_ms, 5); /* each has its own */
        assert_true(o != one);
        hub_offer_unref(o);
    }
    struct hub_offer *pages = told(&set, "s", MORE(TOOL("a")), LAST(TOOL("b")));
    struct hub_offer *again = told(&set, "s", MORE(TOOL("a")), LAST(TOOL("b")));
    assert_ptr_equal(pages->page, again->page);
    assert_int_equal(again->page->count, 2);
    hub_offer_settle(pages, 7); /* what is known of one is of all */
    assert_true(hub_offer_is_settled(again, 7));
    assert_false(hub_offer_is_settled(one, 7));
    hub_offer_unref(pages);
    hub_offer_unref(again);
    hub_offer_unref(one);
    hub_list_release(&set);
}

static void test_what_cannot_be_read_is_not_kept(void **state)
{
    (void)state;
    static const char *const rows[] = {"{\"tools\":1}",
                                       LAST(TOOL("a") "," TOOL("a")),
                                       "{\"tool\":[]}", "[]"};
    struct hub_list_set set;
    hub_list_init(&set, 100);
    for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++)
        assert_null(told(&set, "s", rows[i / 2], NULL));
    assert_null(told(&set, "s", MORE(TOOL("a")), LAST(TOOL("a"))));
    assert_int_equal(map_count(&set.by_key), 0);
    hub_list_release(&set);
}

static void test_what_nobody_has_goes(void **state)
{
    (void)state;
    struct hub_list_set set;
    hub_list_init(&set, 2);
    struct hub_offer *a = told(&set, "s", LAST(TOOL("a")), NULL);
    struct hub_offer *b = told(&set, "s", LAST(TOOL("b")), NULL);
    struct hub_offer *c = told(&set, "s", LAST(TOOL("c")), NULL); /* no room */
    assert_int_equal(c->page->count, 1);
    assert_int_equal(map_count(&set.by_key), 2);
    hub_list_sweep(&set);
    assert_int_equal(map_count(&set.by_key), 2);
    hub_offer_unref(a);
    hub_list_sweep(&set);
    assert_int_equal(map_count(&set.by_key), 1);
    struct hub_offer *d = told(&set, "s", LAST(TOOL("b")), NULL);
    assert_ptr_equal(d->page, b->page);
    hub_offer_unref(b);
    hub_list_sweep(&set);
    assert_int_equal(map_count(&set.by_key), 1); /* d has it */
    hub_offer_unref(c);
    hub_offer_unref(d);
    hub_list_release(&set); /* what is left goes with the set */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_words_are_read_once),
        cmocka_unit_test(test_what_cannot_be_read_is_not_kept),
        cmocka_unit_test(test_what_nobody_has_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
