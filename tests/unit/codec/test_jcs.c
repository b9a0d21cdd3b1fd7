/* Tests codec/jcs: the writer, its asserts, RFC 8785's vectors and numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "archive.h"
#include "base/attr.h"
#include "base/limits.h"
#include "codec/jcs.h"

static void test_the_writer_writes_canonical_json(void **state)
{
    (void)state;
    struct buf b;
    struct jcs w;
    buf_init(&b, KIB);
    jcs_begin(&w, &b);
    jcs_object(&w);
    jcs_name(&w, STR("a"));
    jcs_array(&w);
    jcs_i64(&w, -1);
    jcs_i64(&w, INT64_C(9007199254740992));
    jcs_i64(&w, INT64_C(9007199254740993));
    jcs_i64(&w, INT64_MIN);
    jcs_object(&w);
    jcs_end(&w);
    jcs_array(&w);
    jcs_end(&w);
    jcs_bool(&w, true);
    jcs_bool(&w, false);
    jcs_null(&w);
    jcs_end(&w);
    jcs_pair_str(&w, STR("b"), STR("x\"\n\xe2\x82\xac\x1f"));
    jcs_pair_i64(&w, STR("ba"), 0);
    jcs_name(&w, STR("c"));
    jcs_hex(&w, "\x00\xfe", 2);
    jcs_name(&w, STR("d"));
    jcs_raw(&w, STR("{\"z\":1}"));
    assert_false(jcs_done(&w));
    jcs_end(&w);
    assert_true(jcs_done(&w));
    assert_true(str_eq(
        buf_str(&b),
        STR("{\"a\":[-1,9007199254740992,\"9007199254740993\","
            "\"-9223372036854775808\",{},[],true,false,null],"
            "\"b\":\"x\\\"\\n\xe2\x82\xac\\u001f\",\"ba\":0,\"c\":\"00fe\","
            "\"d\":{\"z\":1}}")));
    buf_release(&b);
}

static void test_each_byte_at_each_place_is_seen(void **state)
{
    (void)state;
    for (unsigned c = 1; c < 256; c++) {
        bool escaped = c < 0x20 || c == '"' || c == '\\';
        for (size_t i = 0; i < 20 * 20; i++) {
            char text[20];
            struct str s = {text, i / 20 + 1};
            struct buf b;
            struct jcs w;
            memset(text, 'x', sizeof(text));
            text[i % s.len] = (char)c;
            buf_init(&b, KIB);
            jcs_begin(&w, &b);
            jcs_array(&w);
            jcs_word(&w, STR("a"));
            bool ascii = jcs_ascii(&w, s);
            if (ascii != (!escaped && c < 0x80) || (!ascii && b.len != 4))
                fail_msg("0x%02x at %zu of %zu", c, i % s.len, s.len);
            if (!ascii)
                jcs_str(&w, s);
            jcs_end(&w);
            size_t more =
                !escaped                                                  ? 0
                : c == '"' || c == '\\' || (c >= 8 && c <= 13 && c != 11) ? 1
                                                                          : 5;
            if (!jcs_done(&w) || b.len != s.len + 8 + more)
                fail_msg("0x%02x: %.*s", c, STR_FMT(buf_str(&b)));
            buf_release(&b);
        }
    }
}

static void test_a_scalar_is_a_document(void **state)
{
    (void)state;
    struct buf b;
    struct jcs w;
    buf_init(&b, KIB);
    jcs_begin(&w, &b);
    assert_false(jcs_done(&w));
    jcs_str(&w, STR("x"));
    assert_true(jcs_done(&w));
    assert_true(str_eq(buf_str(&b), STR("\"x\"")));
    buf_release(&b);
}

static void test_a_full_buffer_is_not_done(void **state)
{
    (void)state;
    for (size_t max = 0; max <= 10; max++) {
        struct buf b;
        struct jcs w;
        buf_init(&b, max);
        jcs_begin(&w, &b);
        jcs_object(&w);
        jcs_name(&w, STR("a"));
        jcs_hex(&w, "\x01", 1);
        jcs_end(&w);
        assert_int_equal(jcs_done(&w), max >= 10);
        buf_release(&b);
    }
}

static void twice(struct jcs *w)
{
    jcs_object(w);
    jcs_pair_i64(w, STR("a"), 1);
    jcs_pair_i64(w, STR("a"), 1);
}

static void out_of_order(struct jcs *w)
{
    jcs_object(w);
    jcs_pair_i64(w, STR("ab"), 1);
    jcs_pair_i64(w, STR("a"), 1);
}

static void value_without_name(struct jcs *w)
{
    jcs_object(w);
    jcs_null(w);
}

static void name_in_array(struct jcs *w)
{
    jcs_array(w);
    jcs_name(w, STR("a"));
}

static void two_documents(struct jcs *w)
{
    jcs_null(w);
    jcs_null(w);
}

static void name_without_value(struct jcs *w)
{
    jcs_object(w);
    jcs_name(w, STR("a"));
    jcs_end(w);
}

static void end_of_nothing(struct jcs *w)
{
    jcs_end(w);
}

static void too_deep(struct jcs *w)
{
    for (int i = 0; i <= JCS_DEPTH_MAX; i++)
        jcs_array(w);
}

/* True when `misuse` ends the process by an assert. */
static bool aborts(void (*misuse)(struct jcs *w))
{
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct buf b;
        struct jcs w;
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(1);
        buf_init(&b, KIB);
        jcs_begin(&w, &b);
        misuse(&w);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void test_misuse_is_a_bug_and_asserts(void **state)
{
    (void)state;
    static void (*const misuses[])(struct jcs *w) = {
        twice,         out_of_order,       value_without_name, name_in_array,
        two_documents, name_without_value, end_of_nothing,     too_deep,
    };
    for (size_t i = 0; i < ARRAY_LEN(misuses); i++) {
        if (!aborts(misuses[i]))
            fail_msg("misuse %zu went through", i);
    }
}

static enum err canonical(struct buf *to, struct str text)
{
    struct arena a;
    const struct json *v;
    arena_init(&a, 16 * MIB);
    assert_int_equal(json_read(&a, text, &v, NULL), ERR_OK);
    enum err e = jcs_canonical(to, &a, v);
    arena_release(&a);
    return e;
}

static void check_vector(void *user, const char *name, struct str input)
{
    struct archive *archive = user;
    char path[128];
    (void)snprintf(path, sizeof(path), "jcs/output/%s", name);
    size_t len = 0;
    char *output = archive_read(archive, path, &len);
    struct buf b;
    buf_init(&b, MIB);
    assert_int_equal(canonical(&b, input), ERR_OK);
    if (!str_eq(buf_str(&b), (struct str){output, len}))
        fail_msg("%s: %.*s", name, STR_FMT(buf_str(&b)));
    buf_release(&b);
    free(output);
}

static void test_the_vectors_of_rfc_8785_come_out(void **state)
{
    (void)state;
    struct archive a;
    if (!archive_open(&a, "vectors/jcs"))
        skip();
    assert_int_equal(archive_each(&a, "jcs/input", ".json", check_vector, &a),
                     6);
    archive_close(&a);
}

static void test_members_are_sorted_by_utf16_code_units(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, KIB);
    /* U+FFFD, U+1F600, U+E000, U+D7FF, "" and prefixes. */
    assert_int_equal(canonical(&b, STR("{\"\xef\xbf\xbd\":1,"
                                       "\"\xf0\x9f\x98\x80\":2,"
                                       "\"\xee\x80\x80\":3,"
                                       "\"\xed\x9f\xbf\":4,\"ab\":5,"
                                       "\"a\":[{\"z\":0,\"y\":0}],\"\":7}")),
                     ERR_OK);
    assert_true(str_eq(buf_str(&b), STR("{\"\":7,\"a\":[{\"y\":0,\"z\":0}],"
                                        "\"ab\":5,\"\xed\x9f\xbf\":4,"
                                        "\"\xf0\x9f\x98\x80\":2,"
                                        "\"\xee\x80\x80\":3,"
                                        "\"\xef\xbf\xbd\":1}")));
    buf_release(&b);
}

/* RFC 8785, appendix B, and the edges of each notation. */
static void test_numbers_are_written_as_ecmascript_does(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"0", "0"},
        {"-0", "0"},
        {"-0.0e5", "0"},
        {"5e-324", "5e-324"},
        {"-5e-324", "-5e-324"},
        {"4.9406564584124654e-324", "5e-324"},
        {"1e-323", "1e-323"},
        {"2.2250738585072014e-308", "2.2250738585072014e-308"},
        {"2.225073858507201e-308", "2.225073858507201e-308"},
        {"1.7976931348623157e308", "1.7976931348623157e+308"},
        {"-1.7976931348623157e308", "-1.7976931348623157e+308"},
        {"9007199254740992", "9007199254740992"},
        {"-9007199254740992", "-9007199254740992"},
        {"295147905179352830000", "295147905179352830000"},
        {"9.999999999999997e22", "9.999999999999997e+22"},
        {"1e23", "1e+23"},
        {"1.0000000000000001e23", "1.0000000000000001e+23"},
        {"999999999999999700000", "999999999999999700000"},
        {"999999999999999900000", "999999999999999900000"},
        {"1e21", "1e+21"},
        {"100000000000000000000", "100000000000000000000"},
        {"9.999999999999997e-7", "9.999999999999997e-7"},
        {"0.000001", "0.000001"},
        {"333333333.3333332", "333333333.3333332"},
        {"333333333.33333325", "333333333.33333325"},
        {"333333333.3333333", "333333333.3333333"},
        {"333333333.3333334", "333333333.3333334"},
        {"-0.0000033333333333333333", "-0.0000033333333333333333"},
        {"1424953923781206.2", "1424953923781206.2"},
        {"0.1", "0.1"},
        {"1.50", "1.5"},
        {"1E2", "100"},
        {"123.456e-10", "1.23456e-8"},
        {"12345678901234567890123", "1.2345678901234568e+22"},
        {"18446744073709551615", "18446744073709552000"},
        {"1e-999", "0"},
        /* A power of two: rounding to 16 digits reads as its neighbour. */
        {"7.67844768714563048867e-239", "7.678447687145631e-239"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b;
        buf_init(&b, KIB);
        assert_int_equal(canonical(&b, str_from(cases[i].in)), ERR_OK);
        if (!str_eq(buf_str(&b), str_from(cases[i].out)))
            fail_msg("%s: %.*s", cases[i].in, STR_FMT(buf_str(&b)));
        buf_release(&b);
    }
}

static void test_what_does_not_fit_is_an_error(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, KIB);
    assert_int_equal(canonical(&b, STR("[1,{\"a\":1e400}]")), ERR_MALFORMED);
    buf_release(&b);

    buf_init(&b, 5);
    assert_int_equal(canonical(&b, STR("[1,2,3]")), ERR_LIMIT);
    buf_release(&b);

    struct arena a;
    const struct json *v;
    arena_init(&a, 16 * KIB);
    buf_init(&b, KIB);
    assert_int_equal(json_read(&a, STR("{\"a\":1}"), &v, NULL), ERR_OK);
    a.cap = a.used;
    assert_int_equal(jcs_canonical(&b, &a, v), ERR_LIMIT);
    arena_release(&a);
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_writer_writes_canonical_json),
        cmocka_unit_test(test_each_byte_at_each_place_is_seen),
        cmocka_unit_test(test_a_scalar_is_a_document),
        cmocka_unit_test(test_a_full_buffer_is_not_done),
        cmocka_unit_test(test_misuse_is_a_bug_and_asserts),
        cmocka_unit_test(test_the_vectors_of_rfc_8785_come_out),
        cmocka_unit_test(test_members_are_sorted_by_utf16_code_units),
        cmocka_unit_test(test_numbers_are_written_as_ecmascript_does),
        cmocka_unit_test(test_what_does_not_fit_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
