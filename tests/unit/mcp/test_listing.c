/* Tests mcp/listing.c: what callers see of a server's lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "mcp/listing.h"

/* Whoever is called "secret..." is not for this caller. */
static bool keep(void *user, struct str name)
{
    unsigned *asked = user;

    (*asked)++;
    return !str_starts(name, STR("secret"));
}

static const struct {
    enum method method;
    const char *in, *out; /* NULL: refused */
    unsigned asked;
} pages[] = {
    {METHOD_PROMPTS_LIST, "{\"prompts\":[]}", "{\"prompts\":[]}", 0},
    {METHOD_PROMPTS_LIST,
     "{\"prompts\":[{\"name\":\"a\",\"title\":\"A\"},{\"name\":\"secret\"},"
     "{\"name\":\"b\"}]}",
     "{\"prompts\":[{\"name\":\"a\",\"title\":\"A\"},{\"name\":\"b\"}]}", 3},
    {METHOD_PROMPTS_LIST, "{\"prompts\":[{\"name\":\"secret\"}]}",
     "{\"prompts\":[]}", 1},
    {METHOD_RESOURCES_LIST,
     "{\"resources\":[{\"uri\":\"secret:1\",\"name\":\"a\"},{\"uri\":\"x:2\","
     "\"name\":\"secret\"}]}",
     "{\"resources\":[{\"uri\":\"x:2\",\"name\":\"secret\"}]}", 2},
    {METHOD_RESOURCES_TEMPLATES,
     "{\"resourceTemplates\":[{\"uriTemplate\":\"x:{y}\",\"name\":\"a\"}]}",
     "{\"resourceTemplates\":[{\"uriTemplate\":\"x:{y}\",\"name\":\"a\"}]}", 1},
    /* An item without a name of the right form is nobody's. */
    {METHOD_PROMPTS_LIST,
     "{\"prompts\":[{\"name\":1},{\"name\":\"\"},{},7,null,[],\"a\",{\"uri\":"
     "\"a\"},{\"name\":\"a\"}]}",
     "{\"prompts\":[{\"name\":\"a\"}]}", 1},
    /* Members of the page that nobody knows do not pass. */
    {METHOD_PROMPTS_LIST,
     "{\"_meta\":{\"x\":1},\"prompts\":[],\"resources\":[{\"uri\":\"s\"}],"
     "\"more\":[1],\"nextCursor\":\"c\\u0001\"}",
     "{\"prompts\":[],\"nextCursor\":\"c\\u0001\"}", 0},
    {METHOD_PROMPTS_LIST, "{\"prompts\":[],\"nextCursor\":7}",
     "{\"prompts\":[]}", 0},
    {METHOD_PROMPTS_LIST, "{\"prompts\":[],\"nextCursor\":\"\"}",
     "{\"prompts\":[],\"nextCursor\":\"\"}", 0},
    /* No such result. */
    {METHOD_PROMPTS_LIST, "{\"resources\":[]}", NULL, 0},
    {METHOD_PROMPTS_LIST, "{\"prompts\":{\"name\":\"a\"}}", NULL, 0},
    {METHOD_PROMPTS_LIST, "{\"prompts\":null}", NULL, 0},
    {METHOD_PROMPTS_LIST, "[]", NULL, 0},
    {METHOD_PROMPTS_LIST, "{\"prompts\":[", NULL, 0},
    {METHOD_PROMPTS_LIST, "{\"prompts\":[],\"prompts\":[]}", NULL, 0},
    {METHOD_PROMPTS_LIST, "", NULL, 0},
    {METHOD_TOOLS_LIST, "{\"tools\":[]}", NULL, 0},
    {METHOD_RESOURCES_READ, "{\"contents\":[]}", NULL, 0},
};

static void lists_show_what_the_caller_may_use(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        struct arena a;
        struct buf to;
        unsigned asked = 0;
        arena_init(&a, MIB);
        buf_init(&to, MIB);
        enum err e = listing_filter(&a, pages[i].method, str_from(pages[i].in),
                                    keep, &asked, &to);
        bool fits =
            pages[i].out == NULL
                ? e != ERR_OK
                : e == ERR_OK && str_eq(buf_str(&to), str_from(pages[i].out));
        if (!fits || asked != pages[i].asked)
            fail_msg("number %zu: %d %.*s", i, (int)e, (int)to.len, to.ptr);
        buf_release(&to);
        arena_release(&a);
    }
}

static void names_and_cursors_are_bounded(void **state)
{
    static char text[3 * 8192];
    struct arena a;
    struct buf in, to;
    unsigned asked = 0;

    (void)state;
    memset(text, 'a', sizeof(text));
    arena_init(&a, MIB);
    buf_init(&in, MIB);
    buf_init(&to, MIB);
    BUF_LIT(&in, "{\"prompts\":[{\"name\":\"");
    buf_add(&in, (struct str){text, sizeof(text)});
    BUF_LIT(&in, "\"}],\"nextCursor\":\"");
    buf_add(&in, (struct str){text, sizeof(text)});
    BUF_LIT(&in, "\"}");
    assert_int_equal(listing_filter(&a, METHOD_PROMPTS_LIST, buf_str(&in), keep,
                                    &asked, &to),
                     ERR_OK);
    assert_int_equal(asked, 0);
    assert_true(str_eq(buf_str(&to), STR("{\"prompts\":[]}")));
    buf_release(&in);
    buf_release(&to);
    arena_release(&a);
}

static void an_answer_without_room_is_refused(void **state)
{
    char room[16];
    struct arena a;
    struct buf to;
    unsigned asked = 0;

    (void)state;
    arena_init(&a, MIB);
    buf_init_lent(&to, room, sizeof(room));
    assert_int_equal(listing_filter(&a, METHOD_PROMPTS_LIST,
                                    STR("{\"prompts\":[{\"name\":\"a\"}]}"),
                                    keep, &asked, &to),
                     ERR_LIMIT);
    arena_release(&a);
}

static const struct {
    const char *name, *server, *tool; /* NULL: none */
} names[] = {
    {"files__read", "files", "read"},
    {"files__read__all", "files", "read__all"},
    {"a_b__c", "a_b", "c"},
    {"a___c", "a", "_c"}, /* no server's name ends with '_' */
    {"a____", "a", "__"},
    {"files", NULL, NULL},
    {"files_read", NULL, NULL},
    {"files__", NULL, NULL},
    {"__read", NULL, NULL},
    {"__", NULL, NULL},
    {"", NULL, NULL},
    {"_", NULL, NULL},
    {"a__b", "a", "b"},
};

static void a_name_is_split_in_one_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct str server, tool;
        bool is_one = listing_split(str_from(names[i].name), &server, &tool);
        if (is_one != (names[i].server != NULL) ||
            (is_one && (!str_eq(server, str_from(names[i].server)) ||
                        !str_eq(tool, str_from(names[i].tool)))))
            fail_msg("%s", names[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_show_what_the_caller_may_use),
        cmocka_unit_test(names_and_cursors_are_bounded),
        cmocka_unit_test(an_answer_without_room_is_refused),
        cmocka_unit_test(a_name_is_split_in_one_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
