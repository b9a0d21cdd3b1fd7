/* Tests codec/json: reading, refusing, accessors, writing, patches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "codec/json.h"

struct fixture {
    struct arena a;
    struct buf text;
};

static int setup(void **state)
{
    static struct fixture f;
    arena_init(&f.a, REQUEST_ARENA_MAX);
    buf_init(&f.text, 16 * MIB);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_release(&f->a);
    buf_release(&f->text);
    return 0;
}

static const struct json *must_read(struct fixture *f, struct str text)
{
    const struct json *v = NULL;
    struct json_error error = {0};
    enum err e = json_read(&f->a, text, &v, &error);
    if (e != ERR_OK)
        fail_msg("%.*s: %s at %zu", STR_FMT(str_first(text, 80)), error.what,
                 error.offset);
    return v;
}

static void test_values_have_types_and_contents(void **state)
{
    const struct json *v = must_read(
        *state, STR(" {\"s\":\"a\\u0041\\n\",\"n\":-12,\"f\":1.5e1,\"t\":true,"
                    "\"z\":null,\"a\":[1,[2],{}],\"o\":{\"\":false}} "));
    struct str s;
    int64_t i;
    double d;
    bool b;
    assert_int_equal(json_type(v), JSON_OBJECT);
    assert_int_equal(json_count(v), 7);
    assert_true(json_str(json_get(v, STR("s")), &s));
    assert_true(str_eq(s, STR("aA\n")));
    assert_true(json_is_string(json_get(v, STR("s")), STR("aA\n")));
    assert_true(json_i64(json_get(v, STR("n")), &i) && i == -12);
    assert_false(json_i64(json_get(v, STR("f")), &i));
    assert_true(json_f64(json_get(v, STR("f")), &d) && d > 14.9 && d < 15.1);
    assert_true(json_number(json_get(v, STR("f")), &s));
    assert_true(str_eq(s, STR("1.5e1")));
    assert_true(json_bool(json_get(v, STR("t")), &b) && b);
    assert_int_equal(json_type(json_get(v, STR("z"))), JSON_NULL);

    const struct json *a = json_get(v, STR("a"));
    assert_int_equal(json_type(a), JSON_ARRAY);
    assert_int_equal(json_count(a), 3);
    assert_true(json_i64(json_at(json_at(a, 1), 0), &i) && i == 2);
    assert_int_equal(json_type(json_at(a, 2)), JSON_OBJECT);
    assert_null(json_at(a, 3));
    assert_true(json_bool(json_get(json_get(v, STR("o")), STR("")), &b) && !b);
}

static void test_a_missing_value_answers_everything(void **state)
{
    (void)state;
    struct str s = STR("same");
    int64_t i = 7;
    bool b = true;
    double d = 1;
    assert_int_equal(json_type(NULL), JSON_NONE);
    assert_null(json_get(json_get(NULL, STR("a")), STR("b")));
    assert_null(json_at(NULL, 0));
    assert_int_equal(json_count(NULL), 0);
    assert_false(json_str(NULL, &s) || json_i64(NULL, &i) ||
                 json_bool(NULL, &b) || json_f64(NULL, &d) ||
                 json_number(NULL, &s));
    assert_true(str_eq(s, STR("same")) && i == 7);
    struct json_iter it = json_each(NULL);
    assert_false(json_next(&it, NULL, NULL));
}

static void test_wrong_types_are_no_values(void **state)
{
    const struct json *v = must_read(*state, STR("[\"1\",1,true,null,[],{}]"));
    for (size_t n = 0; n < json_count(v); n++) {
        const struct json *x = json_at(v, n);
        struct str s;
        int64_t i;
        double d;
        bool b;
        assert_int_equal(json_str(x, &s), n == 0);
        assert_int_equal(json_i64(x, &i), n == 1);
        assert_int_equal(json_f64(x, &d), n == 1);
        assert_int_equal(json_bool(x, &b), n == 2);
        assert_null(json_get(x, STR("a")));
        assert_null(json_at(x, 0));
        assert_int_equal(json_count(x), 0);
    }
}

static void test_steps_go_in_document_order(void **state)
{
    const struct json *v =
        must_read(*state,
                  STR("{\"b\":[[1,2],\"x\",{\"y\":0}],\"a\":{},\"c\":3}"));
    struct json_iter it = json_each(v);
    struct str name;
    const struct json *x;
    assert_true(json_next(&it, &name, &x));
    assert_true(str_eq(name, STR("b")) && json_count(x) == 3);

    struct json_iter inner = json_each(x);
    assert_true(json_next(&inner, &name, &x));
    assert_true(name.len == 0 && json_count(x) == 2);
    assert_true(json_next(&inner, NULL, &x));
    assert_true(json_is_string(x, STR("x")));
    assert_true(json_next(&inner, NULL, NULL));
    assert_false(json_next(&inner, NULL, NULL));

    assert_true(json_next(&it, &name, &x));
    assert_true(str_eq(name, STR("a")) && json_type(x) == JSON_OBJECT);
    assert_true(json_next(&it, &name, NULL));
    assert_true(str_eq(name, STR("c")));
    assert_false(json_next(&it, &name, NULL));
    assert_false(json_next(&it, &name, NULL));
}

static void test_integers_fit_or_are_refused(void **state)
{
    static const struct {
        struct str text;
        int64_t value;
        bool ok;
    } cases[] = {
        {STR_INIT("9223372036854775807"), INT64_MAX, true},
        {STR_INIT("-9223372036854775808"), INT64_MIN, true},
        {STR_INIT("9223372036854775808"), 0, false},
        {STR_INIT("-0"), 0, true},
        {STR_INIT("1.0"), 0, false},
        {STR_INIT("1e0"), 0, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t v = 5;
        bool ok = json_i64(must_read(*state, cases[i].text), &v);
        assert_int_equal(ok, cases[i].ok);
        assert_true(v == (ok ? cases[i].value : 5));
    }
    double d = 5;
    assert_false(json_f64(must_read(*state, STR("[1e999]")), &d));
    assert_false(json_f64(json_at(must_read(*state, STR("[1e999]")), 0), &d));
    assert_true(json_f64(json_at(must_read(*state, STR("[1e-999]")), 0), &d));
    assert_true(
        json_f64(must_read(*state, STR("123456789012345678901234")), &d));
    assert_true(d > 1.2e23 && d < 1.3e23);
}

static void test_what_has_two_readings_is_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        struct str text;
        size_t offset;
    } cases[] = {
        {STR_INIT(""), 0},
        {STR_INIT("{\"a\":1,\"a\":1}"), 8},
        {STR_INIT("{\"a\":1,\"\\u0061\":1}"), 8},
        {STR_INIT("{\"\\/\":1,\"b\":2,\"/\":1}"), 15},
        {STR_INIT("[{\"x\":{\"\":0,\"\":0}}]"), 13},
        {STR_INIT("\"a\\u0000b\""), 1},
        {STR_INIT("{\"a\\u0000\":1}"), 2},
        {STR_INIT("\"\xff\""), 1},
        {STR_INIT("\"\xed\xa0\x80\""), 1},
        {STR_INIT("{} {}"), 3},
        {STR_INIT("{}\0"), 2},
        {STR_INIT("\xef\xbb\xbf{}"), 0},
        {STR_INIT("[1,]"), 2},
        {STR_INIT("[NaN]"), 1},
        {STR_INIT("/*x*/1"), 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct json *v = NULL;
        struct json_error error = {0};
        enum err e = json_read(&f->a, cases[i].text, &v, &error);
        if (e != ERR_MALFORMED || error.offset != cases[i].offset)
            fail_msg("%.*s: %s at %zu", STR_FMT(cases[i].text), err_name(e),
                     error.offset);
        assert_non_null(error.what);
        assert_null(v);
        assert_int_equal(json_read(&f->a, cases[i].text, &v, NULL), e);
    }
    /* Equal but for their case is not equal. */
    must_read(f, STR("{\"a\":1,\"A\":1}"));
}

static void test_nul_is_read_by_those_who_ask_for_it(void **state)
{
    struct fixture *f = *state;
    struct str text = STR("[\"a\\u0000b\"]");
    const struct json *v = NULL;
    struct str s;
    assert_int_equal(json_read(&f->a, text, &v, NULL), ERR_MALFORMED);
    assert_int_equal(json_read_nul(&f->a, text, &v, NULL), ERR_OK);
    assert_true(json_str(json_at(v, 0), &s));
    assert_true(str_eq(s, STR("a\0b")));
    /* All else is as strict. */
    assert_int_equal(json_read_nul(&f->a, STR("{\"a\":1,\"a\":2}"), &v, NULL),
                     ERR_MALFORMED);
}

/* {"k0":0, ... } of `n` members, with the last named as member `twin`. */
static struct str many_members(struct buf *b, size_t n, size_t twin)
{
    buf_clear(b);
    (void)buf_add_char(b, '{');
    for (size_t i = 0; i < n; i++)
        (void)buf_addf(b, "%s\"k%zu\":0", i > 0 ? "," : "",
                       i == n - 1 ? twin : i);
    (void)buf_add_char(b, '}');
    assert_true(buf_ok(b));
    return buf_str(b);
}

static void test_a_name_that_stands_twice_is_found_among_many(void **state)
{
    struct fixture *f = *state;
    static const size_t sizes[] = {2, 15, 16, 17, 18, 33, 100, 1000, 10000};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        size_t n = sizes[i];
        const struct json *v;
        must_read(f, many_members(&f->text, n, n - 1));
        for (size_t twin = 0; twin < n - 1; twin += n / 2) {
            assert_int_equal(json_read(&f->a, many_members(&f->text, n, twin),
                                       &v, NULL),
                             ERR_MALFORMED);
        }
    }
}

static void test_limits_are_exact(void **state)
{
    struct fixture *f = *state;
    const struct json *v;
    struct json_error error;

    must_read(f, many_members(&f->text, JSON_MEMBERS_MAX, 1 << 20));
    assert_int_equal(
        json_read(&f->a, many_members(&f->text, JSON_MEMBERS_MAX + 1, 1 << 20),
                  &v, &error),
        ERR_LIMIT);

    for (size_t depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
        buf_clear(&f->text);
        for (size_t i = 0; i < depth; i++)
            (void)buf_add(&f->text, i % 2 == 0 ? STR("[") : STR("{\"a\":"));
        (void)buf_add_char(&f->text, '0');
        for (size_t i = depth; i-- > 0;)
            (void)buf_add_char(&f->text, i % 2 == 0 ? ']' : '}');
        assert_int_equal(json_read(&f->a, buf_str(&f->text), &v, &error),
                         depth <= JSON_DEPTH_MAX ? ERR_OK : ERR_LIMIT);
    }

    for (size_t n = JSON_NUMBER_MAX; n <= JSON_NUMBER_MAX + 1; n++) {
        buf_clear(&f->text);
        for (size_t i = 0; i < n; i++)
            (void)buf_add_char(&f->text, '7');
        assert_int_equal(json_read(&f->a, buf_str(&f->text), &v, &error),
                         n <= JSON_NUMBER_MAX ? ERR_OK : ERR_LIMIT);
    }
}

static void test_the_number_of_values_is_bounded_with_the_memory(void **state)
{
    struct fixture *f = *state;
    const struct json *v;
    for (size_t n = JSON_ELEMENTS_MAX; n <= JSON_ELEMENTS_MAX + 1; n++) {
        buf_clear(&f->text); /* the array is one of them */
        (void)BUF_LIT(&f->text, "[0");
        for (size_t i = 2; i < n; i++)
            (void)BUF_LIT(&f->text, ",0");
        (void)buf_add_char(&f->text, ']');
        assert_int_equal(json_read(&f->a, buf_str(&f->text), &v, NULL),
                         n <= JSON_ELEMENTS_MAX ? ERR_OK : ERR_LIMIT);
    }
    /* All brackets: 16 bytes a value, and still no more than the limit. */
    arena_release(&f->a);
    char *p = buf_space(&f->text, 8 * MIB);
    assert_non_null(p);
    memset(p, '[', 8 * MIB);
    assert_int_equal(json_read(&f->a, (struct str){p, 8 * MIB}, &v, NULL),
                     ERR_LIMIT);
    assert_true(f->a.used <= 80 * MIB);
}

static void test_what_an_operator_writes_may_be_large(void **state)
{
    struct fixture *f = *state;
    const struct json *v;
    struct json_error error;
    enum { VALUES = JSON_ELEMENTS_MAX + 2 };

    for (size_t depth = JSON_LARGE_DEPTH_MAX; depth <= JSON_LARGE_DEPTH_MAX + 1;
         depth++) {
        buf_clear(&f->text);
        for (size_t i = 0; i < depth; i++)
            (void)buf_add_char(&f->text, '[');
        for (size_t i = 0; i < depth; i++)
            (void)buf_add_char(&f->text, ']');
        assert_int_equal(json_read_large(&f->a, buf_str(&f->text), &v, &error),
                         depth <= JSON_LARGE_DEPTH_MAX ? ERR_OK : ERR_LIMIT);
    }
    assert_int_equal(
        json_read_large(&f->a,
                        many_members(&f->text, JSON_MEMBERS_MAX + 1, 1 << 20),
                        &v, &error),
        ERR_OK);
    assert_int_equal(json_count(v), JSON_MEMBERS_MAX + 1);
    buf_clear(&f->text);
    (void)BUF_LIT(&f->text, "[\"\\u0000\"");
    for (size_t i = 2; i < VALUES; i++)
        (void)BUF_LIT(&f->text, ",0");
    (void)buf_add_char(&f->text, ']');
    assert_int_equal(json_read_large(&f->a, buf_str(&f->text), &v, &error),
                     ERR_OK);
    assert_int_equal(json_count(v), VALUES - 1);
    assert_int_equal(json_read_large(&f->a, STR("{\"a\":1,\"a\":2}"), &v,
                                     &error),
                     ERR_MALFORMED);
}

static void test_every_lack_of_memory_is_a_limit(void **state)
{
    struct fixture *f = *state;
    struct str text = many_members(&f->text, 20, 19);
    size_t failures = 0;
    for (size_t cap = 0;; cap += 16) {
        struct arena a;
        const struct json *v = NULL;
        struct json_error error = {0};
        arena_init(&a, cap);
        enum err e = json_read(&a, text, &v, &error);
        assert_true((e == ERR_OK) == (v != NULL));
        arena_release(&a);
        if (e == ERR_OK)
            break;
        assert_int_equal(e, ERR_LIMIT);
        assert_non_null(error.what);
        failures++;
    }
    assert_true(failures > 10);
}

static void check_written(struct fixture *f, struct str in, struct str out)
{
    buf_clear(&f->text);
    json_write(&f->text, must_read(f, in), NULL, 0);
    if (!str_eq(buf_str(&f->text), out))
        fail_msg("%.*s became %.*s", STR_FMT(in), STR_FMT(buf_str(&f->text)));
}

static void test_writing_keeps_values_and_order(void **state)
{
    static const struct {
        struct str in, out;
    } cases[] = {
        {STR_INIT(" [ ] "), STR_INIT("[]")},
        {STR_INIT("{ }"), STR_INIT("{}")},
        {STR_INIT("[[[]],[],{}]"), STR_INIT("[[[]],[],{}]")},
        {STR_INIT("{\"b\":{\"c\":{}},\"a\":[1,{\"x\":[]},2]}"),
         STR_INIT("{\"b\":{\"c\":{}},\"a\":[1,{\"x\":[]},2]}")},
        {STR_INIT("[1.0,1E5,-0,0.1e-7,12345678901234567890123,1e400]"),
         STR_INIT("[1.0,1E5,-0,0.1e-7,12345678901234567890123,1e400]")},
        {STR_INIT("[true,false,null]"), STR_INIT("[true,false,null]")},
        {STR_INIT("\"\\u0041\\/\\u00e4\\ud83d\\ude00\""),
         STR_INIT("\"A/\xc3\xa4\xf0\x9f\x98\x80\"")},
        {STR_INIT("\"\\b\\t\\n\\f\\r\\\"\\\\\\u0001\\u000b\\u001F\\u007f\""),
         STR_INIT("\"\\b\\t\\n\\f\\r\\\"\\\\\\u0001\\u000b\\u001f\x7f\"")},
        {STR_INIT("7"), STR_INIT("7")},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_written(*state, cases[i].in, cases[i].out);
}

static void test_strings_are_escaped_wherever_it_is_needed(void **state)
{
    struct fixture *f = *state;
    /* One special character at every place of a longer text. */
    for (size_t len = 0; len < 40; len++) {
        for (size_t at = 0; at <= len; at++) {
            static const char specials[] = "\"\\\n\x1f\x01";
            char text[48];
            memset(text, 'a' + (int)(len % 20), sizeof(text));
            text[at] = specials[(len + at) % 5];
            struct str s = {text, len};
            struct str back;
            buf_clear(&f->text);
            json_write_str(&f->text, s);
            assert_true(json_str(must_read(f, buf_str(&f->text)), &back));
            assert_true(str_eq(s, back));
        }
    }
    buf_clear(&f->text);
    json_write_str(&f->text, (struct str){NULL, 0});
    assert_true(str_eq(buf_str(&f->text), STR("\"\"")));
}

static void test_patches_replace_drop_and_add(void **state)
{
    struct fixture *f = *state;
    const struct json *v = must_read(
        f, STR("{\"model\":\"m\",\"x\":[1,{\"model\":1}],\"stream\":true}"));
    const struct json_patch patches[] = {
        {STR("new\n"), STR("1")},   {STR("model"), STR("\"gpt\"")},
        {STR("stream"), {NULL, 0}}, {STR("gone"), {NULL, 0}},
        {STR("last"), STR("{}")},
    };
    json_write(&f->text, v, patches, ARRAY_LEN(patches));
    assert_true(str_eq(buf_str(&f->text),
                       STR("{\"model\":\"gpt\",\"x\":[1,{\"model\":1}],"
                           "\"new\\n\":1,\"last\":{}}")));

    buf_clear(&f->text);
    json_write(&f->text, must_read(f, STR("{\"a\":1,\"b\":2}")),
               &(struct json_patch){STR("a"), {NULL, 0}}, 1);
    assert_true(str_eq(buf_str(&f->text), STR("{\"b\":2}")));

    buf_clear(&f->text);
    json_write(&f->text, must_read(f, STR("{}")),
               &(struct json_patch){STR("a"), STR("1")}, 1);
    assert_true(str_eq(buf_str(&f->text), STR("{\"a\":1}")));

    buf_clear(&f->text);
    json_write(&f->text, must_read(f, STR("[1]")), patches, 1);
    assert_true(str_eq(buf_str(&f->text), STR("[1]")));
}

static void test_a_full_buffer_is_marked(void **state)
{
    struct fixture *f = *state;
    const struct json *v = must_read(f, STR("{\"a\":[1,\"x\\ny\",true]}"));
    for (size_t max = 0; max < 23; max++) {
        struct buf b;
        buf_init(&b, max);
        json_write(&b, v, NULL, 0);
        assert_int_equal(buf_ok(&b), max >= 21);
        buf_release(&b);
    }
}

/* clang-format off */
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
/* clang-format on */

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_values_have_types_and_contents),
        TEST(test_a_missing_value_answers_everything),
        TEST(test_wrong_types_are_no_values),
        TEST(test_steps_go_in_document_order),
        TEST(test_integers_fit_or_are_refused),
        TEST(test_what_has_two_readings_is_refused),
        TEST(test_nul_is_read_by_those_who_ask_for_it),
        TEST(test_a_name_that_stands_twice_is_found_among_many),
        TEST(test_limits_are_exact),
        TEST(test_the_number_of_values_is_bounded_with_the_memory),
        TEST(test_what_an_operator_writes_may_be_large),
        TEST(test_every_lack_of_memory_is_a_limit),
        TEST(test_writing_keeps_values_and_order),
        TEST(test_strings_are_escaped_wherever_it_is_needed),
        TEST(test_patches_replace_drop_and_add),
        TEST(test_a_full_buffer_is_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
