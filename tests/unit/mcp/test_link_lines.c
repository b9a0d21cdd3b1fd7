/* Tests mcp/link_lines, link_scan and link_words: bytes of a child's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "mcp/link_lines.h"
#include "mcp/link_words.h"

struct seen {
    struct buf text; /* each line in brackets, "#number" for a long one */
    int left;        /* lines until it says stop */
};

static bool on_line(void *user, struct str line)
{
    struct seen *s = user;
    (void)buf_add_char(&s->text, '[');
    (void)buf_add(&s->text, line);
    (void)buf_add_char(&s->text, ']');
    return --s->left > 0;
}

static bool on_too_long(void *user, const struct link_scan *scan)
{
    struct seen *s = user;
    uint64_t number;
    (void)buf_add_char(&s->text, '#');
    if (link_scan_answers(scan, &number))
        (void)buf_add_u64(&s->text, number);
    return --s->left > 0;
}

static const struct link_lines_events events = {on_line, on_too_long};

static void test_lines_are_the_same_wherever_they_are_cut(void **state)
{
    static const struct {
        const char *bytes, *lines;
    } cases[] = {
        {"", ""},
        {"abc", ""},
        {"\n\na\r\nbc\n", "[][][a\r][bc]"},
        {"0123456789\n01234567890\nx\n", "[0123456789]#[x]"},
        {"{\"id\":7,\"result\":{}}\n{}\n", "#7[{}]"},
        {"{\"result\":{\"id\":3},\"id\": 12 }\n", "#12"},
        {"{\"id\":7,\"method\":\"x\"}\n", "#"},
        {"{\"id\":\"7\",\"result\":0}\n", "#"},
        {"{\"id\":7.5,\"result\":0}\n", "#"},
        {"{\"id\":[7],\"result\":0}\n", "#"},
        {"{\"id\":{\"id\":7},\"result\":0}\n", "#"},
        {"{\"id\":99999999999999999999,\"r\":0}\n", "#"},
        {"{\"\\\"id\":7,\"x\":\"\\\"id\\\":8\"}\n", "#"},
        {"{\"x\":\"id\",\"y\":[\"id\",7]}\n", "#"},
        {"{\"id\":null,\"error\":{\"id\":7}}\n", "#"},
        {"}}}}]]{\"id\":7,\"result\":{}}\n", "#7"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str all = str_from(cases[i].bytes);
        for (size_t cut = 1; cut <= all.len + 1; cut++) {
            struct link_lines l;
            struct seen s = {.left = 100};
            link_lines_init(&l, 10);
            buf_init(&s.text, 1000);
            for (size_t at = 0; at < all.len; at += cut)
                assert_int_equal(
                    link_lines_feed(&l, str_first(str_skip(all, at), cut),
                                    &events, &s),
                    ERR_OK);
            (void)buf_add(&s.text, (struct str){"", 1});
            assert_string_equal(s.text.ptr, cases[i].lines);
            assert_true(l.part.len <= 10);
            link_lines_release(&l);
            buf_release(&s.text);
        }
    }
}

static void test_who_says_stop_hears_no_more(void **state)
{
    static const char *const texts[] = {"a\nb\nc\n", "01234567890\nb\n"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct link_lines l;
        struct seen s = {.left = 1};
        link_lines_init(&l, 10);
        buf_init(&s.text, 1000);
        assert_int_equal(link_lines_feed(&l, str_from(texts[i]), &events, &s),
                         ERR_CLOSED);
        assert_int_equal(s.left, 0);
        link_lines_release(&l);
        buf_release(&s.text);
    }
}

static void test_words_are_printable_and_bounded(void **state)
{
    static char many[5000];
    char room[LINK_WORDS_MAX];
    struct buf to;
    (void)state;
    buf_init_lent(&to, room, sizeof(room));
    link_words_quote(&to, STR("a\x1b\n\"\\\xc3\xa4"));
    assert_true(str_eq(buf_str(&to), STR("\"a\\x1b\\n\\\"\\\\\\xc3\\xa4\"")));
    buf_clear(&to);
    link_words_add_last(&to, STR("; "), STR(" \n\t\r\n"));
    assert_int_equal(to.len, 0);
    link_words_add_last(&to, STR("; "), STR("one\ntwo\n\n"));
    assert_true(str_eq(buf_str(&to), STR("; one\\ntwo")));
    memset(many, 0x01, sizeof(many));
    for (int i = 0; i < 10; i++)
        link_words_add_last(&to, STR("; "), (struct str){many, sizeof(many)});
    assert_true(to.len <= sizeof(room));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_are_the_same_wherever_they_are_cut),
        cmocka_unit_test(test_who_says_stop_hears_no_more),
        cmocka_unit_test(test_words_are_printable_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
