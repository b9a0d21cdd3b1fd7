/* Tests trust/discovery. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trust/discovery.h"

/* clang-format off */
static const struct {
    const char *document;
    const char *jwks_uri; /* NULL: refused, and then: */
    const char *why;
} rows[] = {
    {"{\"issuer\":\"https://i.example\",\"jwks_uri\":\"https://i.example/k\"}", "https://i.example/k", NULL},
    {"{\"a\":{\"issuer\":\"x\"},\"jwks_uri\":\"u\",\"issuer\":\"https:\\/\\/i.example\"}", "u", NULL},
    {"{\"issuer\":\"https://i.example/\",\"jwks_uri\":\"u\"}", NULL, "names another issuer"},
    {"{\"issuer\":\"https://I.example\",\"jwks_uri\":\"u\"}", NULL, "names another issuer"},
    {"{\"issuer\":\"\",\"jwks_uri\":\"u\"}", NULL, "names another issuer"},
    {"{\"issuer\":[\"https://i.example\"],\"jwks_uri\":\"u\"}", NULL, "names no issuer"},
    {"{\"jwks_uri\":\"u\"}", NULL, "names no issuer"},
    {"{\"issuer\":\"https://i.example\"}", NULL, "names no jwks_uri"},
    {"{\"issuer\":\"https://i.example\",\"jwks_uri\":\"\"}", NULL, "names no jwks_uri"},
    {"{\"issuer\":\"https://i.example\",\"jwks_uri\":null}", NULL, "names no jwks_uri"},
    {"{\"issuer\":\"https://i.example\",\"issuer\":\"https://i.example\",\"jwks_uri\":\"u\"}", NULL, "is no JSON object"},
    {"{\"issuer\":\"https://i.example\",\"jwks_uri\":\"u\",\"jwks_uri\":\"v\"}", NULL, "is no JSON object"},
    {"[]", NULL, "is no JSON object"},
    {"\"https://i.example\"", NULL, "is no JSON object"},
    {"{\"issuer\":", NULL, "is no JSON object"},
    {"", NULL, "is no JSON object"},
};
/* clang-format on */

static void test_documents(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str uri = STR("");
        struct arena a;
        const char *why = "";
        arena_init(&a, 65536);
        enum err e = discovery_read(&a, str_from(rows[i].document),
                                    STR("https://i.example"), &uri, &why);
        bool is_right =
            rows[i].jwks_uri == NULL
                ? e == ERR_MALFORMED && !strcmp(why, rows[i].why)
                : e == ERR_OK && str_eq(uri, str_from(rows[i].jwks_uri));
        if (!is_right)
            fail_msg("%s: %s, %s", rows[i].document, err_name(e), why);
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
