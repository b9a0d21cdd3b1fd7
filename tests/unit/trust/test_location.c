/* Tests trust/location: which URLs there are, and what is asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trust/location.h"

/* clang-format off */
static const struct {
    const char *url;
    bool insecure;
    const char *host; /* NULL: refused */
    uint16_t port;
    bool tls, local;
    const char *target;
} urls[] = {
    {"https://idp.example", false, "idp.example", 443, true, false, "/"},
    {"https://IDP.example:8443/a/b", false, "idp.example", 8443, true, false, "/a/b"},
    {"https://idp.example/keys?p=b2c_1", false, "idp.example", 443, true, false, "/keys?p=b2c_1"},
    {"https://10.0.0.1/k", false, "10.0.0.1", 443, true, false, "/k"},
    {"https://169.254.169.254/k", false, "169.254.169.254", 443, true, true, "/k"},
    {"https://[::1]/k", false, "::1", 443, true, true, "/k"},
    {"http://127.0.0.1:3910/k", false, "127.0.0.1", 3910, false, true, "/k"},
    {"http://127.9.9.9/k", false, "127.9.9.9", 80, false, true, "/k"},
    {"http://[::1]:80/k", false, "::1", 80, false, true, "/k"},
    {"http://[::ffff:127.0.0.1]/k", false, "::ffff:127.0.0.1", 80, false, true, "/k"},
    {"http://localhost/k", false, "localhost", 80, false, true, "/k"},
    {"http://idp.example/k", true, "idp.example", 80, false, false, "/k"},
    {"http://idp.example/k", false, NULL, 0, false, false, NULL},
    {"http://169.254.169.254/k", false, NULL, 0, false, false, NULL},
    {"http://128.0.0.1/k", false, NULL, 0, false, false, NULL},
    {"http://0.0.0.0/k", false, NULL, 0, false, false, NULL},
    {"http://localhost.example/k", false, NULL, 0, false, false, NULL},
    {"http://127.0.0.1.example/k", false, NULL, 0, false, false, NULL},
    {"http://[::ffff:10.0.0.1]/k", false, NULL, 0, false, false, NULL},
    {"file:///etc/passwd", true, NULL, 0, false, false, NULL},
    {"ftp://127.0.0.1/k", true, NULL, 0, false, false, NULL},
    {"https://a@idp.example/k", true, NULL, 0, false, false, NULL},
    {"https://idp.example/k#f", true, NULL, 0, false, false, NULL},
    {"https://idp.example/a/../k", true, NULL, 0, false, false, NULL},
    {"https://idp.example/k\r\nx: y", true, NULL, 0, false, false, NULL},
    {"//idp.example/k", true, NULL, 0, false, false, NULL},
    {"", true, NULL, 0, false, false, NULL},
};

static const struct {
    const char *issuer;
    const char *openid, *oauth; /* NULL: refused */
} issuers[] = {
    {"https://idp.example", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"},
    {"https://idp.example/", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"},
    {"https://idp.example/tenant", "/tenant/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/tenant"},
    {"https://idp.example/a/b/", "/a/b/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/a/b"},
    {"https://idp.example/?a=b", NULL, NULL},
    {"http://idp.example/", NULL, NULL},
    {"accounts.example", NULL, NULL},
};
/* clang-format on */

static void test_urls_that_are_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct location at = {0};
        struct arena a;
        const char *why = NULL;
        arena_init(&a, 65536);
        enum err e =
            location_of(&a, str_from(urls[i].url), urls[i].insecure, &at, &why);
        bool is_right = e == ERR_MALFORMED && why != NULL;
        if (urls[i].host != NULL)
            is_right = e == ERR_OK && at.port == urls[i].port &&
                       at.tls == urls[i].tls && at.local == urls[i].local &&
                       str_eq(at.host, str_from(urls[i].host)) &&
                       str_eq(at.target, str_from(urls[i].target));
        if (!is_right)
            fail_msg("%s: %s %.*s:%d %.*s", urls[i].url, err_name(e),
                     STR_FMT(at.host), at.port, STR_FMT(at.target));
        arena_release(&a);
    }
}

static void test_where_issuers_describe_themselves(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(issuers); i++) {
        struct location at[LOCATION_DISCOVERY_COUNT] = {0};
        struct arena a;
        const char *why = NULL;
        arena_init(&a, 65536);
        enum err e = location_discovery(&a, str_from(issuers[i].issuer), false,
                                        at, &why);
        bool is_right = e == ERR_MALFORMED && why != NULL;
        if (issuers[i].openid != NULL)
            is_right = e == ERR_OK &&
                       str_eq(at[0].target, str_from(issuers[i].openid)) &&
                       str_eq(at[1].target, str_from(issuers[i].oauth)) &&
                       str_eq(at[0].host, at[1].host) && at[1].tls;
        if (!is_right)
            fail_msg("%s: %s", issuers[i].issuer, err_name(e));
        arena_release(&a);
    }
}

static void test_without_memory_nothing_is_half_done(void **state)
{
    (void)state;
    enum err e = ERR_NO_MEMORY;
    for (size_t cap = 0; e != ERR_OK; cap += 8) {
        struct location at[LOCATION_DISCOVERY_COUNT];
        struct arena a;
        const char *why;
        arena_init(&a, cap);
        e = location_discovery(&a, STR("https://IDP.example/%7Ea/b"), false, at,
                               &why);
        assert_true(e == ERR_OK || e == ERR_NO_MEMORY);
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls_that_are_taken),
        cmocka_unit_test(test_where_issuers_describe_themselves),
        cmocka_unit_test(test_without_memory_nothing_is_half_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
