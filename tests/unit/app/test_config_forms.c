/* Tests app/config_forms: names, places, origins and hosts, and what is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app/config_forms.h"
#include "base/attr.h"
#include "base/limits.h"

#define TEN "aaaaaaaaaa"
#define FORTY TEN TEN TEN TEN

static void test_names_of_each_kind(void **state)
{
    (void)state;
    static const struct {
        enum config_key keys;
        struct str text;
        bool ok;
    } rows[] = {
        {CONFIG_KEY_NAME, STR_INIT("a.b-c_d"), true},
        {CONFIG_KEY_NAME, STR_INIT("A"), false},
        {CONFIG_KEY_SERVER, STR_INIT("files"), true},
        {CONFIG_KEY_SERVER, STR_INIT("my-files_2"), true},
        {CONFIG_KEY_SERVER, STR_INIT("a--b"), true},
        {CONFIG_KEY_SERVER, STR_INIT(FORTY "12345678"), true},
        {CONFIG_KEY_SERVER, STR_INIT(FORTY "123456789"), false},
        {CONFIG_KEY_SERVER, STR_INIT(""), false},
        {CONFIG_KEY_SERVER, STR_INIT("a__b"), false},
        /* "files_" and "x" would be "files" and "_x". */
        {CONFIG_KEY_SERVER, STR_INIT("files_"), false},
        {CONFIG_KEY_SERVER, STR_INIT("_files"), false},
        {CONFIG_KEY_SERVER, STR_INIT("-files"), false},
        {CONFIG_KEY_SERVER, STR_INIT("Files"), false},
        {CONFIG_KEY_SERVER, STR_INIT("a.b"), false},
        {CONFIG_KEY_SERVER, STR_INIT("a/b"), false},
        {CONFIG_KEY_SERVER, STR_INIT("a\0b"), false},
        {CONFIG_KEY_ENV, STR_INIT("NODE_ENV"), true},
        {CONFIG_KEY_ENV, STR_INIT("1A"), false},
        {CONFIG_KEY_ENV, STR_INIT("A=B"), false},
        {CONFIG_KEY_TOOL, STR_INIT("bulk_Pay-2.x"), true},
        {CONFIG_KEY_TOOL, STR_INIT("read_*"), false},
        {CONFIG_KEY_TOOL, STR_INIT("a b"), false},
        {CONFIG_KEY_GLOB, STR_INIT("read_*"), true},
        {CONFIG_KEY_GLOB, STR_INIT("*"), true},
        {CONFIG_KEY_GLOB, STR_INIT("get?"), true},
        {CONFIG_KEY_GLOB, STR_INIT("[ab]"), false},
        {CONFIG_KEY_GLOB, STR_INIT("a\0"), false},
        {CONFIG_KEY_GLOB, STR_INIT(FORTY FORTY FORTY "12345678"), true},
        {CONFIG_KEY_GLOB, STR_INIT(FORTY FORTY FORTY "123456789"), false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *why = NULL;
        if (config_forms_key(rows[i].keys, rows[i].text, &why) != rows[i].ok)
            fail_msg("row %zu: %.*s", i, STR_FMT(rows[i].text));
        assert_non_null(strstr(why, "; expected "));
    }
}

typedef enum err form(struct arena *a, struct str s, struct str *ret,
                      const char **ret_why);

/* `want` is NULL where the text is no such thing. */
struct row {
    const char *text, *want;
};

static void check(form *read, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct arena a;
        struct str got = STR("untouched");
        const char *why = NULL;
        arena_init(&a, 65536);
        enum err e = read(&a, str_from(rows[i].text), &got, &why);
        bool ok = rows[i].want == NULL
                      ? e == ERR_MALFORMED && str_eq(got, STR("untouched"))
                      : e == ERR_OK && str_eq(got, str_from(rows[i].want));
        if (!ok)
            fail_msg("%s: %s, %.*s", rows[i].text, err_name(e), STR_FMT(got));
        assert_non_null(strstr(why, "; expected "));
        arena_release(&a);
        arena_init(&a, 0);
        e = read(&a, str_from(rows[i].text), &got, &why);
        assert_true(e == ERR_LIMIT ||
                    (e == ERR_MALFORMED && rows[i].want == NULL));
        arena_release(&a);
    }
}

static void test_a_place_is_names_of_members_only(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"$.items", "/items"},
        {"$.a.b.c", "/a/b/c"},
        {"$._x-1.\xc3\xa4", "/_x-1/\xc3\xa4"},
        {"$", NULL},
        {"", NULL},
        {"items", NULL},
        {"/items", NULL},
        {"$items", NULL},
        {"$.", NULL},
        {"$..items", NULL},
        {"$.items.", NULL},
        {"$.items[0]", NULL},
        {"$.items[*]", NULL},
        {"$['items']", NULL},
        {"$.*", NULL},
        {"$.1a", NULL},
        {"$.-a", NULL},
        {"$.a b", NULL},
        {"$.a~b", NULL},
        {"$.a/b", NULL},
        {"@.a", NULL},
    };
    check(config_forms_pointer, rows, ARRAY_LEN(rows));
}

static void test_an_origin_is_what_a_browser_writes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"https://app.example.org", "https://app.example.org"},
        {"HTTPS://App.Example.org:443", "https://app.example.org"},
        {"http://localhost:6274", "http://localhost:6274"},
        {"http://localhost:80", "http://localhost"},
        {"https://app.example.org:80", "https://app.example.org:80"},
        {"http://[::1]:8080", "http://[::1]:8080"},
        {"chrome-extension://abcdef", "chrome-extension://abcdef"},
        {"https://app.example.org/", NULL},
        {"https://app.example.org/x", NULL},
        {"https://app.example.org?x", NULL},
        {"https://app.example.org?", NULL},
        {"https://app.example.org#", NULL},
        {"https://u@app.example.org", NULL},
        {"https://*.example.org", NULL},
        {"app.example.org", NULL},
        {"null", NULL},
        {"*", NULL},
        {"https://", NULL},
        {"", NULL},
    };
    check(config_forms_origin, rows, ARRAY_LEN(rows));
}

static void test_a_host_has_no_port(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"gw.example.org", "gw.example.org"},
        {"GW.Example.org", "gw.example.org"},
        {"192.0.2.7", "192.0.2.7"},
        {"[2001:DB8:0::7]", "2001:db8::7"},
        {"gw.example.org:8443", NULL},
        {"https://gw.example.org", NULL},
        {"2001:db8::7", NULL},
        {"*", NULL},
        {"a,b", NULL},
        {"", NULL},
    };
    check(config_forms_host, rows, ARRAY_LEN(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_each_kind),
        cmocka_unit_test(test_a_place_is_names_of_members_only),
        cmocka_unit_test(test_an_origin_is_what_a_browser_writes),
        cmocka_unit_test(test_a_host_has_no_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
