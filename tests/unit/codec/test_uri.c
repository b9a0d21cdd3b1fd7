/* Tests codec/uri: the normal form of paths, authorities, whole URLs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "codec/uri.h"

static int setup(void **state)
{
    static struct arena a;
    arena_init(&a, MIB);
    *state = &a;
    return 0;
}

static int teardown(void **state)
{
    arena_release(*state);
    return 0;
}

static void test_paths_come_out_in_their_one_form(void **state)
{
    static const struct {
        struct str raw, path, query;
    } cases[] = {
        {STR_INIT("/"), STR_INIT("/"), STR_INIT("")},
        {STR_INIT("/v1/models"), STR_INIT("/v1/models"), STR_INIT("")},
        {STR_INIT("/admin/keys/"), STR_INIT("/admin/keys/"), STR_INIT("")},
        {STR_INIT("/a?"), STR_INIT("/a"), STR_INIT("")},
        {STR_INIT("/a?x=/../b?c"), STR_INIT("/a"), STR_INIT("x=/../b?c")},
        {STR_INIT("/a?f[x]={1}|%00"), STR_INIT("/a"), STR_INIT("f[x]={1}|%00")},
        {STR_INIT("/%61dmin/%7E%2d%5F"), STR_INIT("/admin/~-_"), STR_INIT("")},
        {STR_INIT("/v1beta/models/m:generateContent"),
         STR_INIT("/v1beta/models/m:generateContent"), STR_INIT("")},
        {STR_INIT("/model/a.b-v1%3a0/converse%40x"),
         STR_INIT("/model/a.b-v1:0/converse@x"), STR_INIT("")},
        {STR_INIT("/a%20b%3f%23%3B%c3%a4"), STR_INIT("/a%20b%3F%23%3B%C3%A4"),
         STR_INIT("")},
        {STR_INIT("/%f0%9f%98%80"), STR_INIT("/%F0%9F%98%80"), STR_INIT("")},
        {STR_INIT("/a!$&'()*+,;=:@b"), STR_INIT("/a!$&'()*+,;=:@b"),
         STR_INIT("")},
        {STR_INIT("/100%25"), STR_INIT("/100%25"), STR_INIT("")},
        {STR_INIT("/100%25zz"), STR_INIT("/100%25zz"), STR_INIT("")},
        {STR_INIT("/.../..a/a../.a"), STR_INIT("/.../..a/a../.a"),
         STR_INIT("")},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str path, query, again;
        if (uri_normal_path(*state, cases[i].raw, &path, &query) != ERR_OK)
            fail_msg("%.*s was refused", STR_FMT(cases[i].raw));
        assert_true(str_eq(path, cases[i].path));
        assert_true(str_eq(query, cases[i].query));
        assert_int_equal(uri_normal_path(*state, path, &again, &query), ERR_OK);
        assert_true(str_eq(path, again));
    }
}

static void test_a_path_with_two_readings_is_refused(void **state)
{
    static const struct str cases[] = {
        STR_INIT(""),
        STR_INIT("*"),
        STR_INIT("hello"),
        STR_INIT("?x"),
        STR_INIT("http://a.test/admin/keys"),
        STR_INIT("/v1/../admin/keys"),
        STR_INIT("/v1/%2e%2e/admin/keys"),
        STR_INIT("/v1/.%2E/admin/keys"),
        STR_INIT("/v1/%252e%252e/admin/keys"),
        STR_INIT("/v1/%25%32%65"),
        STR_INIT("/v1/%252%65"),
        STR_INIT("/v1%2f..%2fadmin/keys"),
        STR_INIT("/v1%2Fkeys"),
        STR_INIT("/v1%5cadmin"),
        STR_INIT("/v1\\..\\admin/keys"),
        STR_INIT("//admin/keys"),
        STR_INIT("/admin//keys"),
        STR_INIT("/admin/keys//"),
        STR_INIT("/v1;/../admin/keys"),
        STR_INIT("/v1/..;/admin"),
        STR_INIT("/v1/..;x=1/admin"),
        STR_INIT("/v1/..%3bx/admin"),
        STR_INIT("/v1/.;/admin"),
        STR_INIT("/./admin/keys"),
        STR_INIT("/."),
        STR_INIT("/.."),
        STR_INIT("/admin%00/keys"),
        STR_INIT("/admin\0/keys"),
        STR_INIT("/admin%09/keys"),
        STR_INIT("/admin%7f"),
        STR_INIT("/admin%c2%85"),
        STR_INIT("/%c0%ae%c0%ae/admin/keys"),
        STR_INIT("/%e0%80%ae/admin"),
        STR_INIT("/%ed%a0%80"),
        STR_INIT("/%c3"),
        STR_INIT("/%c3/a4"),
        STR_INIT("/%ff"),
        STR_INIT("/\xc3\xa4"),
        STR_INIT("/a b"),
        STR_INIT("/a\tb"),
        STR_INIT("/a\r\nx: y"),
        STR_INIT("/#x"),
        STR_INIT("/a?x#y"),
        STR_INIT("/a?x y"),
        STR_INIT("/a?\xc3\xa4"),
        STR_INIT("/a?%"),
        STR_INIT("/a?%4"),
        STR_INIT("/a?%zz"),
        STR_INIT("/%"),
        STR_INIT("/%4"),
        STR_INIT("/%4g"),
        STR_INIT("/a{b}"),
        STR_INIT("/a|b"),
        STR_INIT("/a\"b"),
        STR_INIT("/a<b>"),
        STR_INIT("/[x]"),
        STR_INIT("/a^b`c"),
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str path, query;
        if (uri_normal_path(*state, cases[i], &path, &query) != ERR_MALFORMED)
            fail_msg("%.*s went through", STR_FMT(cases[i]));
    }
}

static void test_a_path_is_bounded(void **state)
{
    (void)state;
    char raw[HTTP_TARGET_MAX + 1];
    memset(raw, 'a', sizeof(raw));
    raw[0] = '/';
    struct arena none;
    struct str path, query;
    arena_init(&none, 0);
    struct str longest = {raw, HTTP_TARGET_MAX};
    assert_int_equal(uri_normal_path(&none, longest, &path, &query), ERR_OK);
    assert_ptr_equal(path.ptr, raw); /* nothing was copied */
    assert_int_equal(uri_normal_path(&none, (struct str){raw, sizeof(raw)},
                                     &path, &query),
                     ERR_LIMIT);
    assert_int_equal(uri_normal_path(&none, STR("/%41"), &path, &query),
                     ERR_LIMIT);
}

static void test_authorities_are_names_addresses_and_ports(void **state)
{
    static const struct {
        struct str text, host;
        uint16_t port;
        bool is_address;
        struct str normal;
    } cases[] = {
        {STR_INIT("a.test"), STR_INIT("a.test"), 0, false, STR_INIT("a.test")},
        {STR_INIT("A.Test:8080"), STR_INIT("A.Test"), 8080, false,
         STR_INIT("a.test:8080")},
        {STR_INIT("localhost:1"), STR_INIT("localhost"), 1, false,
         STR_INIT("localhost:1")},
        {STR_INIT("a_b-c.x1:65535"), STR_INIT("a_b-c.x1"), 65535, false,
         STR_INIT("a_b-c.x1:65535")},
        {STR_INIT("1.2.3.4:80"), STR_INIT("1.2.3.4"), 80, true,
         STR_INIT("1.2.3.4:80")},
        {STR_INIT("1.2.3.4x"), STR_INIT("1.2.3.4x"), 0, false,
         STR_INIT("1.2.3.4x")},
        {STR_INIT("[::1]:443"), STR_INIT("::1"), 443, true,
         STR_INIT("[::1]:443")},
        {STR_INIT("[2001:DB8:0:0::1]"), STR_INIT("2001:DB8:0:0::1"), 0, true,
         STR_INIT("[2001:db8::1]")},
        {STR_INIT("[::FFFF:1.2.3.4]:1"), STR_INIT("::FFFF:1.2.3.4"), 1, true,
         STR_INIT("[::ffff:1.2.3.4]:1")},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct uri_authority u;
        struct str normal, again;
        if (uri_authority(cases[i].text, &u) != ERR_OK)
            fail_msg("%.*s was refused", STR_FMT(cases[i].text));
        assert_true(str_eq(u.host, cases[i].host));
        assert_int_equal(u.port, cases[i].port);
        assert_int_equal(u.is_address, cases[i].is_address);
        assert_int_equal(u.is_ipv6, cases[i].text.ptr[0] == '[');
        assert_true(uri_host_valid(cases[i].text));
        assert_int_equal(uri_normal_authority(*state, cases[i].text, &normal),
                         ERR_OK);
        assert_true(str_eq(normal, cases[i].normal));
        assert_int_equal(uri_normal_authority(*state, normal, &again), ERR_OK);
        assert_ptr_equal(again.ptr, normal.ptr);
    }
}

static void test_what_is_no_authority_is_refused(void **state)
{
    static const struct str cases[] = {
        STR_INIT(""),
        STR_INIT(":80"),
        STR_INIT("a.test, b.test"),
        STR_INIT("a.test,b.test"),
        STR_INIT("a.test@b.test"),
        STR_INIT("u:p@a.test"),
        STR_INIT("a.test/x"),
        STR_INIT("a test"),
        STR_INIT(" a.test"),
        STR_INIT("a.test "),
        STR_INIT("a.test:"),
        STR_INIT("a.test:0"),
        STR_INIT("a.test:080"),
        STR_INIT("a.test:99999"),
        STR_INIT("a.test:65536"),
        STR_INIT("a.test:+1"),
        STR_INIT("a.test:80:80"),
        STR_INIT("a.test:x"),
        STR_INIT("a..test"),
        STR_INIT(".a.test"),
        STR_INIT("a.test."),
        STR_INIT("-a.test"),
        STR_INIT("a-.test"),
        STR_INIT("a%2etest"),
        STR_INIT("\xc3\xa4.test"),
        STR_INIT("a\0.test"),
        STR_INIT("127.1"),
        STR_INIT("1.2.3"),
        STR_INIT("1.2.3.4.5"),
        STR_INIT("1.2.3.256"),
        STR_INIT("01.2.3.4"),
        STR_INIT("0x7f.0.0.1"),
        STR_INIT("a.0x7f"),
        STR_INIT("0x"),
        STR_INIT("2130706433"),
        STR_INIT("::1"),
        STR_INIT("[::1"),
        STR_INIT("[::1]x"),
        STR_INIT("[::1]80"),
        STR_INIT("[::1%eth0]"),
        STR_INIT("[1.2.3.4]"),
        STR_INIT("[]"),
        STR_INIT("[v1.x]"),
        STR_INIT("[::1\0]"),
        STR_INIT("[::1]:"),
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct uri_authority u;
        struct str normal;
        if (uri_authority(cases[i], &u) != ERR_MALFORMED)
            fail_msg("%.*s went through", STR_FMT(cases[i]));
        assert_false(uri_host_valid(cases[i]));
        assert_int_equal(uri_normal_authority(*state, cases[i], &normal),
                         ERR_MALFORMED);
    }
    char name[300];
    memset(name, 'a', sizeof(name));
    for (size_t i = 63; i < sizeof(name); i += 64)
        name[i] = '.';
    assert_true(uri_host_valid((struct str){name, 253}));
    assert_false(uri_host_valid((struct str){name, 254}));
    name[63] = 'a';
    assert_false(uri_host_valid((struct str){name, 70}));
}

static void test_urls_are_taken_apart(void **state)
{
    static const struct {
        struct str text, scheme, host;
        uint16_t port;
        struct str authority, path, query;
    } cases[] = {
        {STR_INIT("https://api.openai.com/v1"), STR_INIT("https"),
         STR_INIT("api.openai.com"), 443, STR_INIT("api.openai.com"),
         STR_INIT("/v1"), STR_INIT("")},
        {STR_INIT("HTTP://Gw.Example:8080"), STR_INIT("http"),
         STR_INIT("gw.example"), 8080, STR_INIT("gw.example:8080"),
         STR_INIT("/"), STR_INIT("")},
        {STR_INIT("http://[::1]:9/?a=b"), STR_INIT("http"), STR_INIT("::1"), 9,
         STR_INIT("[::1]:9"), STR_INIT("/"), STR_INIT("a=b")},
        {STR_INIT("https://a.test?x=http://b"), STR_INIT("https"),
         STR_INIT("a.test"), 443, STR_INIT("a.test"), STR_INIT("/"),
         STR_INIT("x=http://b")},
        {STR_INIT("redis+x-1.0://h/%7e"), STR_INIT("redis+x-1.0"),
         STR_INIT("h"), 0, STR_INIT("h"), STR_INIT("/~"), STR_INIT("")},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct uri u;
        const char *why = NULL;
        if (uri_split(*state, cases[i].text, &u, &why) != ERR_OK)
            fail_msg("%.*s: %s", STR_FMT(cases[i].text), why);
        assert_true(str_eq(u.scheme, cases[i].scheme));
        assert_true(str_eq(u.host, cases[i].host));
        assert_int_equal(u.port, cases[i].port);
        assert_true(str_eq(u.authority, cases[i].authority));
        assert_true(str_eq(u.path, cases[i].path));
        assert_true(str_eq(u.query, cases[i].query));
    }
}

static void test_what_is_no_url_of_ours_says_why(void **state)
{
    static const struct {
        struct str text;
        const char *why;
    } cases[] = {
        {STR_INIT(""), "expected a URL"},
        {STR_INIT("api.openai.com"), "expected a URL"},
        {STR_INIT("https:/a.test"), "expected a URL"},
        {STR_INIT("//a.test"), "expected a URL"},
        {STR_INIT("1http://a.test"), "expected a URL"},
        {STR_INIT("ht tp://a.test"), "expected a URL"},
        {STR_INIT("https://u:p@a.test/"), "a URL must not hold a user"},
        {STR_INIT("https://u@a.test"), "a URL must not hold a user"},
        {STR_INIT("https://a.test/#x"), "a fragment"},
        {STR_INIT("https://a.test#x"), "a fragment"},
        {STR_INIT("https://"), "the host or the port"},
        {STR_INIT("https:///x"), "the host or the port"},
        {STR_INIT("https://a.test:0/"), "the host or the port"},
        {STR_INIT("https://127.1/"), "the host or the port"},
        {STR_INIT("https://a.test\\b/"), "the host or the port"},
        {STR_INIT("https://a.test/a/../b"), "the path or the query"},
        {STR_INIT("https://a.test/a b"), "the path or the query"},
        {STR_INIT("https://a.test?a b"), "the path or the query"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct uri u;
        const char *why = NULL;
        assert_int_equal(uri_split(*state, cases[i].text, &u, &why),
                         ERR_MALFORMED);
        if (!str_starts(str_from(why), str_from(cases[i].why)))
            fail_msg("%.*s: %s", STR_FMT(cases[i].text), why);
        assert_int_equal(uri_split(*state, cases[i].text, &u, NULL),
                         ERR_MALFORMED);
    }
    for (size_t cap = 0; cap < 64; cap += 16) {
        struct arena a;
        struct uri u;
        const char *why = NULL;
        arena_init(&a, cap);
        enum err e = uri_split(&a, STR("https://A.test?%41"), &u, &why);
        assert_int_equal(e, cap < 48 ? ERR_LIMIT : ERR_OK);
        assert_true((why != NULL) == (e != ERR_OK));
        arena_release(&a);
    }
}

static void test_forms_are_read_pair_by_pair(void **state)
{
    struct str left = STR("&a=1&&b=x%20y+z&c&=d&e==&");
    static const struct {
        struct str name, value;
    } pairs[] = {
        {STR_INIT("a"), STR_INIT("1")}, {STR_INIT("b"), STR_INIT("x y z")},
        {STR_INIT("c"), STR_INIT("")},  {STR_INIT(""), STR_INIT("d")},
        {STR_INIT("e"), STR_INIT("=")},
    };
    struct str name, value, decoded;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        assert_true(uri_next_pair(&left, &name, &value));
        assert_true(str_eq(name, pairs[i].name));
        assert_int_equal(uri_decode(*state, value, true, &decoded), ERR_OK);
        assert_true(str_eq(decoded, pairs[i].value));
    }
    assert_false(uri_next_pair(&left, &name, &value));
}

static void test_decoding_happens_once_and_strictly(void **state)
{
    struct str s;
    assert_int_equal(uri_decode(*state, STR("a%2Fb%252f+%c3%A4"), false, &s),
                     ERR_OK);
    assert_true(str_eq(s, STR("a/b%2f+\xc3\xa4")));
    struct str plain = STR("a+b");
    assert_int_equal(uri_decode(*state, plain, false, &s), ERR_OK);
    assert_ptr_equal(s.ptr, plain.ptr);

    static const struct str refused[] = {
        STR_INIT("%"),   STR_INIT("%4"),  STR_INIT("a%zz"), STR_INIT("%00"),
        STR_INIT("a\0"), STR_INIT("%ff"), STR_INIT("\xff"), STR_INIT("%c0%80"),
    };
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        assert_int_equal(uri_decode(*state, refused[i], true, &s),
                         ERR_MALFORMED);
    struct arena none;
    arena_init(&none, 0);
    assert_int_equal(uri_decode(&none, STR("%41"), true, &s), ERR_LIMIT);
}

static void test_encoding_is_undone_by_decoding(void **state)
{
    struct buf b;
    struct str s;
    static const struct str text = STR_INIT("aZ09-._~ /?#&=+%\n\x7f\xc3\xa4");
    buf_init(&b, KIB);
    uri_add_encoded(&b, text);
    assert_true(str_eq(buf_str(&b),
                       STR("aZ09-._~%20%2F%3F%23%26%3D%2B%25%0A%7F%C3%A4")));
    assert_int_equal(uri_decode(*state, buf_str(&b), true, &s), ERR_OK);
    assert_true(str_eq(s, text));
    buf_release(&b);
}

/* clang-format off */
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
/* clang-format on */

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_paths_come_out_in_their_one_form),
        TEST(test_a_path_with_two_readings_is_refused),
        TEST(test_a_path_is_bounded),
        TEST(test_authorities_are_names_addresses_and_ports),
        TEST(test_what_is_no_authority_is_refused),
        TEST(test_urls_are_taken_apart),
        TEST(test_what_is_no_url_of_ours_says_why),
        TEST(test_forms_are_read_pair_by_pair),
        TEST(test_decoding_happens_once_and_strictly),
        TEST(test_encoding_is_undone_by_decoding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
