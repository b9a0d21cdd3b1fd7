/* Tests mcp/tool, tool_diff and canon: what is pinned, and what changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "mcp/canon.h"
#include "mcp/tool_diff.h"

#define SCHEMA "\"inputSchema\":{\"type\":\"object\"}"

static const struct json *parse(struct arena *a, const char *text)
{
    const struct json *v = NULL;
    assert_int_equal(json_read(a, str_from(text), &v, NULL), ERR_OK);
    return v;
}

static struct tool read_good(struct arena *a, const char *text)
{
    struct tool t = {.needs_task = false};
    struct fault f = {.err = ERR_OK};
    enum err e = tool_read(a, STR(""), parse(a, text), &t, &f);
    if (e != ERR_OK)
        print_error("%s: %.*s %.*s\n", text, STR_FMT(f.pointer),
                    STR_FMT(f.text));
    assert_int_equal(e, ERR_OK);
    return t;
}

static void test_a_definition_is_pinned_in_one_text(void **state)
{
    (void)state;
    static const char want[] =
        "{\"annotations\":{\"readOnlyHint\":true,\"title\":\"N\"},"
        "\"description\":\"d\",\"inputSchema\":{\"properties\":{\"a\":"
        "{\"maximum\":9223372036854775807,\"minimum\":1,\"type\":\"integer\"},"
        "\"b\":{}},\"type\":\"object\"},\"name\":\"t\",\"outputSchema\":"
        "{\"type\":\"object\"},\"title\":\"T\"}";
    struct arena a;
    arena_init(&a, MIB);
    struct tool t = read_good(
        &a, "{\"title\":\"T\",\"name\":\"t\",\"icons\":[{\"src\":\"x\"}],"
            "\"inputSchema\":{\"type\":\"object\",\"properties\":{\"b\":{},"
            "\"a\":{\"type\":\"int\\u0065ger\",\"minimum\":1.0,\"maximum\":"
            "9223372036854775807}}},\"description\":\"d\",\"_meta\":{\"x\":1},"
            "\"execution\":{\"taskSupport\":\"required\"},\"outputSchema\":"
            "{\"type\":\"object\"},\"annotations\":{\"title\":\"N\","
            "\"readOnlyHint\":true}}");
    assert_true(str_eq(t.text, STR(want)));
    assert_true(str_eq(t.name, STR("t")) && str_eq(t.title, STR("T")));
    assert_int_equal(t.read_only, TOOL_YES);
    assert_int_equal(t.destructive, TOOL_UNSAID);
    assert_true(t.needs_task);
    struct hash h = hash_sha256(&t.text, 1);
    assert_memory_equal(h.bytes, t.digest.bytes, HASH_LEN);

    struct tool again;
    assert_int_equal(tool_load(&a, t.text, &again), ERR_OK);
    assert_memory_equal(again.digest.bytes, t.digest.bytes, HASH_LEN);
    assert_false(again.needs_task);
    arena_release(&a);
}

static void test_what_is_not_the_pinned_text_is_corrupt(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{}",
        "{\"name\":\"t\"," SCHEMA "}",  /* another order */
        "{" SCHEMA ",\"name\":\"t\" }", /* a blank */
        "{\"_meta\":{}," SCHEMA ",\"name\":\"t\"}",
    };
    struct arena a;
    struct tool t;
    arena_init(&a, MIB);
    assert_int_equal(tool_load(&a, STR("{" SCHEMA ",\"name\":\"t\"}"), &t),
                     ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_int_equal(tool_load(&a, str_from(texts[i]), &t), ERR_CORRUPT);
    arena_release(&a);
}

static void test_every_pinned_member_changes_the_digest(void **state)
{
    (void)state;
    static const char base[] =
        "{\"name\":\"t\",\"description\":\"d\"," SCHEMA "}";
    static const struct {
        const char *text;
        bool same;
    } cases[] = {
        {"{\"description\":\"d\"," SCHEMA ",\"name\":\"t\"}", true},
        {"{\"name\":\"t\",\"description\":\"d\"," SCHEMA ",\"_meta\":{}}",
         true},
        {"{\"name\":\"T\",\"description\":\"d\"," SCHEMA "}", false},
        {"{\"name\":\"t\",\"description\":\"d \"," SCHEMA "}", false},
        {"{\"name\":\"t\"," SCHEMA "}", false},
        {"{\"name\":\"t\",\"description\":\"d\",\"title\":\"\"," SCHEMA "}",
         false},
        {"{\"name\":\"t\",\"description\":\"d\",\"annotations\":{}," SCHEMA "}",
         false},
        {"{\"name\":\"t\",\"description\":\"d\",\"outputSchema\":{\"type\":"
         "\"object\"}," SCHEMA "}",
         false},
        {"{\"name\":\"t\",\"description\":\"d\",\"inputSchema\":{\"type\":"
         "\"object\",\"x\":1}}",
         false},
    };
    struct arena a;
    arena_init(&a, MIB);
    struct tool t = read_good(&a, base);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tool u = read_good(&a, cases[i].text);
        assert_int_equal(memcmp(t.digest.bytes, u.digest.bytes, HASH_LEN) == 0,
                         cases[i].same);
    }
    arena_release(&a);
}

static void test_numbers_that_differ_have_two_texts(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text;
    } cases[] = {
        {"1.0", "1"},
        {"-0", "0"},
        {"1e2", "100"},
        {"0.10", "0.1"},
        {"9007199254740992", "9007199254740992"},
        {"9007199254740993", "9007199254740993"},
        {"0.1000000000000000055", "0.1000000000000000055"},
        {"1e999", "1e999"},
        {"[1.0,{\"b\":[],\"a\":null}]", "[1,{\"a\":null,\"b\":[]}]"},
        {"{\"\\u00e9\":1,\"z\":true}", "{\"z\":true,\"\xc3\xa9\":1}"},
        {"{}", "{}"},
        {"\"a\\/\\u0001\"", "\"a/\\u0001\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a;
        struct buf out;
        arena_init(&a, MIB);
        buf_init(&out, 4096);
        assert_int_equal(canon_write(&out, &a, parse(&a, cases[i].json)),
                         ERR_OK);
        if (!str_eq(buf_str(&out), str_from(cases[i].text)))
            print_error("%s: %.*s\n", cases[i].json, STR_FMT(buf_str(&out)));
        assert_true(str_eq(buf_str(&out), str_from(cases[i].text)));
        buf_release(&out);
        arena_release(&a);
    }
}

static void test_bad_definitions_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err err;
        const char *pointer;
    } cases[] = {
        {"[]", ERR_MALFORMED, "/t"},
        {"{" SCHEMA "}", ERR_MALFORMED, "/t/name"},
        {"{\"name\":\"t\"}", ERR_MALFORMED, "/t/inputSchema"},
        {"{\"name\":\"\"," SCHEMA "}", ERR_MALFORMED, "/t/name"},
        {"{\"name\":\"a b\"," SCHEMA "}", ERR_MALFORMED, "/t/name"},
        {"{\"name\":\"d\xc3\xa9l\"," SCHEMA "}", ERR_MALFORMED, "/t/name"},
        {"{\"name\":\"t\",\"inputSchema\":true}", ERR_MALFORMED,
         "/t/inputSchema"},
        {"{\"name\":\"t\",\"inputSchema\":{}}", ERR_MALFORMED,
         "/t/inputSchema/type"},
        {"{\"name\":\"t\",\"inputSchema\":{\"type\":\"array\"}}",
         ERR_UNKNOWN_FIELD, "/t/inputSchema/type"},
        {"{\"name\":\"t\",\"x-risk\":1," SCHEMA "}", ERR_UNKNOWN_FIELD,
         "/t/x-risk"},
        {"{\"name\":\"t\",\"annotations\":{\"safe\":true}," SCHEMA "}",
         ERR_UNKNOWN_FIELD, "/t/annotations/safe"},
        {"{\"name\":\"t\",\"annotations\":{\"readOnlyHint\":1}," SCHEMA "}",
         ERR_MALFORMED, "/t/annotations/readOnlyHint"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a;
        struct tool t;
        struct fault f = {.err = ERR_OK};
        arena_init(&a, MIB);
        enum err e = tool_read(&a, STR("/t"), parse(&a, cases[i].text), &t, &f);
        if (e != cases[i].err || !str_eq(f.pointer, str_from(cases[i].pointer)))
            print_error("%s: %s %.*s\n", cases[i].text, err_name(e),
                        STR_FMT(f.pointer));
        assert_int_equal(e, cases[i].err);
        assert_true(str_eq(f.pointer, str_from(cases[i].pointer)));
        arena_release(&a);
    }
}

static void test_callers_see_what_is_pinned_under_their_name(void **state)
{
    (void)state;
    struct arena a;
    struct buf out;
    arena_init(&a, MIB);
    buf_init(&out, MIB);
    struct tool t =
        read_good(&a, "{\"name\":\"t\",\"title\":\"name\",\"description\":"
                      "\"\\\\\\\"name\\\":\\\"x\\\"{[\",\"_meta\":{\"a\":1},"
                      "\"inputSchema\":{\"type\":\"object\",\"name\":\"no\","
                      "\"properties\":{\"name\":{\"type\":\"string\"}}}}");
    tool_write(&out, &t, STR("fs.t"));
    assert_true(str_eq(
        buf_str(&out),
        STR("{\"description\":\"\\\\\\\"name\\\":\\\"x\\\"{[\","
            "\"inputSchema\":{\"name\":\"no\",\"properties\":{\"name\":"
            "{\"type\":\"string\"}},\"type\":\"object\"},\"name\":\"fs.t\","
            "\"title\":\"name\"}")));
    buf_clear(&out);
    tool_write_page(&out, STR("{}"), (struct str){NULL, 0});
    tool_write_page(&out, STR(""), STR(""));
    assert_true(str_eq(buf_str(&out), STR("{\"tools\":[{}]}{\"tools\":[],"
                                          "\"nextCursor\":\"\"}")));
    buf_release(&out);
    arena_release(&a);
}

static void test_a_page_keeps_the_good_and_tells_of_the_bad(void **state)
{
    (void)state;
    struct arena a;
    struct tool_page page = {.count = 0};
    struct fault f = {.err = ERR_OK};
    arena_init(&a, MIB);
    enum err e =
        tool_read_page(&a,
                       parse(&a, "{\"tools\":[{\"name\":\"a\"," SCHEMA
                                 "},{\"name\":\"b c\"," SCHEMA
                                 "},7,{\"name\":\"A\"," SCHEMA
                                 "}],\"nextCursor\":\"n\",\"_meta\":{}}"),
                       &page, &f);
    assert_int_equal(e, ERR_OK);
    assert_int_equal(page.count, 2);
    assert_true(str_eq(page.tools[1].name, STR("A")));
    assert_int_equal(page.refused_count, 2);
    assert_true(str_eq(page.refused[0].name, STR("b c")));
    assert_true(
        str_eq(page.refused[0].fault.pointer, STR("/result/tools/1/name")));
    assert_int_equal(page.refused[1].name.len, 0);
    assert_true(page.has_cursor && str_eq(page.cursor, STR("n")));
    arena_release(&a);
}

static void test_a_page_that_is_none_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err err;
        const char *pointer;
    } cases[] = {
        {"{}", ERR_MALFORMED, "/result/tools"},
        {"{\"tools\":{}}", ERR_MALFORMED, "/result/tools"},
        {"{\"tools\":[],\"ttlMs\":1}", ERR_UNKNOWN_FIELD, "/result/ttlMs"},
        {"{\"tools\":[],\"nextCursor\":1}", ERR_MALFORMED,
         "/result/nextCursor"},
        {"{\"tools\":[{\"name\":\"a\"," SCHEMA "},{\"name\":\"b\"," SCHEMA
         "},{\"name\":\"a\"}]}",
         ERR_MALFORMED, "/result/tools"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a;
        struct tool_page page = {.count = 99};
        struct fault f = {.err = ERR_OK};
        arena_init(&a, MIB);
        enum err e = tool_read_page(&a, parse(&a, cases[i].text), &page, &f);
        assert_int_equal(e, cases[i].err);
        assert_true(str_eq(f.pointer, str_from(cases[i].pointer)));
        assert_int_equal(page.count, 99);
        arena_release(&a);
    }
}

static void test_a_page_has_at_most_so_many_tools(void **state)
{
    (void)state;
    for (unsigned over = 0; over < 2; over++) {
        struct arena a;
        struct buf text;
        struct tool_page page;
        struct fault f = {.err = ERR_OK};
        const struct json *v = NULL;
        arena_init(&a, 16 * MIB);
        buf_init(&text, MIB);
        (void)BUF_LIT(&text, "{\"tools\":[");
        for (unsigned i = 0; i < TOOL_PAGE_MAX + over; i++)
            (void)buf_addf(&text, "%s{\"name\":\"t%u\"," SCHEMA "}",
                           i == 0 ? "" : ",", i);
        (void)BUF_LIT(&text, "]}");
        assert_int_equal(json_read(&a, buf_str(&text), &v, NULL), ERR_OK);
        assert_int_equal(tool_read_page(&a, v, &page, &f),
                         over == 0 ? ERR_OK : ERR_LIMIT);
        buf_release(&text);
        arena_release(&a);
    }
}

static void check_change(const struct tool_change *c, const char *pointer,
                         enum json_type was, enum json_type now)
{
    if (!str_eq(c->pointer, str_from(pointer)))
        print_error("%s: %.*s\n", pointer, STR_FMT(c->pointer));
    assert_true(str_eq(c->pointer, str_from(pointer)));
    assert_int_equal(json_type(c->was), was);
    assert_int_equal(json_type(c->now), now);
}

static void test_a_change_is_told_member_by_member(void **state)
{
    (void)state;
    struct arena a;
    struct tool_diff d;
    arena_init(&a, MIB);
    struct tool was = read_good(
        &a, "{\"name\":\"t\",\"description\":\"d\",\"inputSchema\":{\"type\":"
            "\"object\",\"required\":[\"a\",\"b\"],\"properties\":{\"a\":"
            "{\"type\":\"string\",\"maxLength\":1.0},\"x/y\":{}}}}");
    struct tool now =
        read_good(&a,
                  "{\"name\":\"t\",\"title\":\"new\",\"inputSchema\":{\"type\":"
                  "\"object\",\"required\":[\"a\",\"c\",\"d\"],\"properties\":"
                  "{\"a\":{\"type\":\"number\",\"maxLength\":1},\"x/y\":[]}}}");
    assert_int_equal(tool_diff(&a, &was, &was, &d), ERR_OK);
    assert_int_equal(d.count, 0);
    assert_int_equal(tool_diff(&a, &was, &now, &d), ERR_OK);
    assert_int_equal(d.count, 6);
    check_change(&d.changes[0], "/description", JSON_STRING, JSON_NONE);
    check_change(&d.changes[1], "/inputSchema/properties/a/type", JSON_STRING,
                 JSON_STRING);
    check_change(&d.changes[2], "/inputSchema/properties/x~1y", JSON_OBJECT,
                 JSON_ARRAY);
    check_change(&d.changes[3], "/inputSchema/required/1", JSON_STRING,
                 JSON_STRING);
    check_change(&d.changes[4], "/inputSchema/required/2", JSON_NONE,
                 JSON_STRING);
    check_change(&d.changes[5], "/title", JSON_NONE, JSON_STRING);
    assert_false(d.is_cut);
    arena_release(&a);
}

static void test_a_small_arena_refuses_and_never_crashes(void **state)
{
    (void)state;
    static const char text[] = "{\"tools\":[{\"name\":\"a\"," SCHEMA
                               "},{\"name\":\"b c\"," SCHEMA "}]}";
    unsigned fits = 0;
    struct arena document;
    arena_init(&document, MIB);
    const struct json *v = parse(&document, text);
    for (size_t cap = 0; cap < 8192; cap += 16) {
        struct arena a;
        struct tool_page page = {.count = 99};
        struct fault f = {.err = ERR_OK};
        arena_init(&a, cap);
        enum err e = tool_read_page(&a, v, &page, &f);
        assert_true(e == ERR_OK ? page.count + page.refused_count == 2
                                : e == ERR_LIMIT && page.count == 99);
        assert_true(e == ERR_OK || f.text.len > 0);
        fits += e == ERR_OK ? 1 : 0;
        arena_release(&a);
    }
    assert_true(fits > 0);
    arena_release(&document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_definition_is_pinned_in_one_text),
        cmocka_unit_test(test_what_is_not_the_pinned_text_is_corrupt),
        cmocka_unit_test(test_every_pinned_member_changes_the_digest),
        cmocka_unit_test(test_numbers_that_differ_have_two_texts),
        cmocka_unit_test(test_bad_definitions_are_refused),
        cmocka_unit_test(test_callers_see_what_is_pinned_under_their_name),
        cmocka_unit_test(test_a_page_keeps_the_good_and_tells_of_the_bad),
        cmocka_unit_test(test_a_page_that_is_none_is_refused),
        cmocka_unit_test(test_a_page_has_at_most_so_many_tools),
        cmocka_unit_test(test_a_change_is_told_member_by_member),
        cmocka_unit_test(test_a_small_arena_refuses_and_never_crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
