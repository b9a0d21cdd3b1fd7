/* Tests base/text: hex, base64, times, distance, UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/text.h"

static void test_hex_goes_both_ways(void **state)
{
    (void)state;
    char hex[TEXT_HEX_LEN(4)];
    unsigned char bytes[4];
    text_hex("\x00\x7f\x80\xff", 4, hex);
    assert_memory_equal(hex, "007f80ff", 8);
    assert_true(text_unhex(STR("007F80fF"), bytes, 4));
    assert_memory_equal(bytes, "\x00\x7f\x80\xff", 4);
    assert_true(text_unhex(STR(""), bytes, 0));
    assert_false(text_unhex(STR("007F80f"), bytes, 4));
    assert_false(text_unhex(STR("007F80ff00"), bytes, 4));
    assert_false(text_unhex(STR("0g7F80ff"), bytes, 4));
    assert_false(text_unhex(STR("0x7F80ff"), bytes, 4));
    assert_false(text_unhex(STR(""), bytes, SIZE_MAX));
}

/* RFC 4648, section 10, and the two alphabets' last characters. */
static void test_base64_vectors_go_both_ways(void **state)
{
    (void)state;
    static const struct {
        struct str bytes, padded, url;
    } cases[] = {
        {STR_INIT(""), STR_INIT(""), STR_INIT("")},
        {STR_INIT("f"), STR_INIT("Zg=="), STR_INIT("Zg")},
        {STR_INIT("fo"), STR_INIT("Zm8="), STR_INIT("Zm8")},
        {STR_INIT("foo"), STR_INIT("Zm9v"), STR_INIT("Zm9v")},
        {STR_INIT("foob"), STR_INIT("Zm9vYg=="), STR_INIT("Zm9vYg")},
        {STR_INIT("fooba"), STR_INIT("Zm9vYmE="), STR_INIT("Zm9vYmE")},
        {STR_INIT("foobar"), STR_INIT("Zm9vYmFy"), STR_INIT("Zm9vYmFy")},
        {STR_INIT("\xfb\xff\xfe"), STR_INIT("+//+"), STR_INIT("-__-")},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str b = cases[i].bytes;
        char text[16];
        size_t n;
        assert_int_equal(TEXT_BASE64_LEN(b.len), cases[i].padded.len);
        assert_int_equal(TEXT_BASE64URL_LEN(b.len), cases[i].url.len);

        text_base64(b.ptr, b.len, text);
        assert_memory_equal(text, cases[i].padded.ptr, cases[i].padded.len);
        assert_true(text_unbase64(cases[i].padded, text, &n));
        assert_true(str_eq((struct str){text, n}, b));

        text_base64url(b.ptr, b.len, text);
        assert_memory_equal(text, cases[i].url.ptr, cases[i].url.len);
        assert_true(text_unbase64url(cases[i].url, text, &n));
        assert_true(str_eq((struct str){text, n}, b));
    }
}

static void test_only_the_canonical_base64_is_read(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        bool url;
    } refused[] = {
        {STR_INIT("Zg"), false},     {STR_INIT("Zg="), false},
        {STR_INIT("Zg==="), false},  {STR_INIT("===="), false},
        {STR_INIT("Z==="), false},   {STR_INIT("Zh=="), false},
        {STR_INIT("Zm9="), false},   {STR_INIT("Zg==Zg=="), false},
        {STR_INIT("-__-"), false},   {STR_INIT("Zm9v\n"), false},
        {STR_INIT("Zm 9"), false},   {STR_INIT("Zg=="), true},
        {STR_INIT("+//+"), true},    {STR_INIT("Z"), true},
        {STR_INIT("Zm9vY"), true},   {STR_INIT("Zh"), true},
        {STR_INIT("Zm9"), true},     {STR_INIT("Zm9v\0"), true},
        {STR_INIT("Zm9\xc3"), true},
    };
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        unsigned char bytes[16];
        size_t n = 77;
        bool ok = refused[i].url ? text_unbase64url(refused[i].text, bytes, &n)
                                 : text_unbase64(refused[i].text, bytes, &n);
        if (ok)
            fail_msg("\"%.*s\" was read", STR_FMT(refused[i].text));
        assert_int_equal(n, 77);
    }
}

static void test_times_are_those_of_the_calendar(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000000Z"},
        {-1, "1970-01-01T00:00:00.000000Z"},
        {INT64_MIN, "1970-01-01T00:00:00.000000Z"},
        {INT64_C(951782400000000), "2000-02-29T00:00:00.000000Z"},
        {INT64_C(951868799999999), "2000-02-29T23:59:59.999999Z"},
        {INT64_C(1795153860000001), "2026-11-20T05:51:00.000001Z"},
        {INT64_C(4107542400000000), "2100-03-01T00:00:00.000000Z"},
        {INT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999999Z"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[TEXT_TIME_LEN + 1] = {0};
        text_time(cases[i].us, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_a_time_is_read_only_as_it_is_written(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us; /* -1: refused */
    } cases[] = {
        {"1970-01-01T00:00:00.000000Z", 0},
        {"2000-02-29T23:59:59.999999Z", INT64_C(951868799999999)},
        {"2026-11-20T05:51:00.000001Z", INT64_C(1795153860000001)},
        {"2100-03-01T00:00:00.000000Z", INT64_C(4107542400000000)},
        {"9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999)},
        {"1969-12-31T23:59:59.999999Z", -1},
        {"0000-01-01T00:00:00.000000Z", -1},
        {"2100-02-29T00:00:00.000000Z", -1},
        {"2026-13-01T00:00:00.000000Z", -1},
        {"2026-00-01T00:00:00.000000Z", -1},
        {"2026-01-00T00:00:00.000000Z", -1},
        {"2026-01-01T24:00:00.000000Z", -1},
        {"2026-01-01T00:60:00.000000Z", -1},
        {"2026-01-01T00:00:60.000000Z", -1},
        {"2026-01-01 00:00:00.000000Z", -1},
        {"2026-01-01T00:00:00.00000xZ", -1},
        {"\xff\xff\xff\xff-01-01T00:00:00.000000Z", -1},
        {"2026-01-01T00:00:00Z", -1},
        {"", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t us = -1;
        assert_int_equal(text_untime(str_from(cases[i].text), &us),
                         cases[i].us >= 0);
        assert_int_equal(us, cases[i].us);
    }
}

static void test_distance_counts_single_edits(void **state)
{
    (void)state;
    static const struct {
        struct str a, b;
        unsigned distance;
    } cases[] = {
        {STR_INIT(""), STR_INIT(""), 0},
        {STR_INIT("listen"), STR_INIT("listen"), 0},
        {STR_INIT("listen"), STR_INIT("lisen"), 1},
        {STR_INIT("listen"), STR_INIT("listens"), 1},
        {STR_INIT("listen"), STR_INIT("lisden"), 1},
        {STR_INIT("listen"), STR_INIT("litsen"), 1},
        {STR_INIT("listen"), STR_INIT("silent"), 4},
        {STR_INIT("kitten"), STR_INIT("sitting"), 3},
        {STR_INIT(""), STR_INIT("abc"), 3},
        {STR_INIT("ca"), STR_INIT("abc"), 3},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(text_distance(cases[i].a, cases[i].b),
                         cases[i].distance);
        assert_int_equal(text_distance(cases[i].b, cases[i].a),
                         cases[i].distance);
    }
    char a[65];
    memset(a, 'a', sizeof(a));
    assert_int_equal(text_distance((struct str){a, 64}, STR("")), 64);
    assert_int_equal(text_distance((struct str){a, 65}, STR("")), 99);
}

static void test_utf8_is_what_rfc_3629_allows(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        bool ok;
    } cases[] = {
        {STR_INIT(""), true},
        {STR_INIT("plain text of more than eight bytes"), true},
        {STR_INIT("a\0b"), true},
        {STR_INIT("\xc2\x80 \xdf\xbf"), true},
        {STR_INIT("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"), true},
        {STR_INIT("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), true},
        {STR_INIT("\x80"), false},
        {STR_INIT("\xc0\x80"), false},
        {STR_INIT("\xc1\xbf"), false},
        {STR_INIT("\xc2"), false},
        {STR_INIT("\xc2g"), false},
        {STR_INIT("\xe0\x80\x80"), false},
        {STR_INIT("\xe2\x82"), false},
        {STR_INIT("\xe2\x28\xa1"), false},
        {STR_INIT("\xe2\x82\x28"), false},
        {STR_INIT("\xed\xa0\x80"), false},
        {STR_INIT("\xed\xbf\xbf"), false},
        {STR_INIT("\xf0\x8f\xbf\xbf"), false},
        {STR_INIT("\xf0\x90\x80"), false},
        {STR_INIT("\xf4\x90\x80\x80"), false},
        {STR_INIT("\xf5\x80\x80\x80"), false},
        {STR_INIT("\xf8\x88\x80\x80\x80"), false},
        {STR_INIT("\xfe"), false},
        {STR_INIT("\xff"), false},
        {STR_INIT("seven b\xc3"), false},
        {STR_INIT("sevenby\xc3\xa4"), true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (text_is_utf8(cases[i].text) != cases[i].ok)
            fail_msg("case %zu", i);
    }
    assert_int_equal(text_utf8_len(STR("\xe2\x82\xac rest")), 3);
    assert_int_equal(text_utf8_len(STR("")), 0);
}

static void test_only_ascii_capitals_become_small(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        char text[19];
        memset(text, (int)c, sizeof(text));
        text_lower(text, sizeof(text));
        unsigned want = c >= 'A' && c <= 'Z' ? c + 0x20 : c;
        for (size_t i = 0; i < sizeof(text); i++)
            assert_int_equal((unsigned char)text[i], want);
    }
    char mixed[] = "X-Request-ID\x80[@Z";
    text_lower(mixed, sizeof(mixed) - 1);
    assert_string_equal(mixed, "x-request-id\x80[@z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hex_goes_both_ways),
        cmocka_unit_test(test_base64_vectors_go_both_ways),
        cmocka_unit_test(test_only_the_canonical_base64_is_read),
        cmocka_unit_test(test_times_are_those_of_the_calendar),
        cmocka_unit_test(test_a_time_is_read_only_as_it_is_written),
        cmocka_unit_test(test_distance_counts_single_edits),
        cmocka_unit_test(test_only_ascii_capitals_become_small),
        cmocka_unit_test(test_utf8_is_what_rfc_3629_allows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
