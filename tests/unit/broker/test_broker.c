/* Tests broker: which credential, for whom, and what is no credential. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/limits.h"
#include "broker/broker.h"

static const struct str acme[] = {STR_INIT("acme")};
static const struct str eu[] = {STR_INIT("eu")};

static void set_env(const char *name, const char *value)
{
    /* One thread. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    assert_int_equal(setenv(name, value, 1), 0);
}

static void rule_32_credentials_are_chosen_by_tenant_and_region(void **state)
{
    (void)state;
    static const struct credential_settings list[] = {
        {.tenants = {acme, 1},
         .regions = {eu, 1},
         .env = STR_INIT("TEST_BOTH"),
         .id = STR_INIT("p/0")},
        {.tenants = {acme, 1},
         .env = STR_INIT("TEST_TENANT"),
         .id = STR_INIT("p/1")},
        {.regions = {eu, 1},
         .env = STR_INIT("TEST_REGION"),
         .id = STR_INIT("p/2")},
    };
    static const struct credential_settings any[] = {
        {.env = STR_INIT("TEST_TENANT"), .id = STR_INIT("any/0")}};
    static const struct provider_settings providers[] = {
        {.credentials = list, .credential_count = ARRAY_LEN(list)},
        {.credentials = any, .credential_count = 1},
        {.credential_count = 0},
    };
    static const struct {
        size_t provider;
        const char *tenant, *region, *id, *field;
    } cases[] = {
        {0, "acme", "eu", "p/0", "Bearer sk-both"},
        {0, "acme", "us", "p/1", "Bearer sk-tenant"},
        {0, "acme", "", "p/1", "Bearer sk-tenant"},
        {0, "other", "eu", "p/2", "Bearer sk-region"},
        {0, "other", "us", NULL, NULL},
        {0, "", "", NULL, NULL},
        {1, "other", "us", "any/0", "Bearer sk-tenant"},
        {2, "acme", "eu", NULL, NULL},
    };
    const struct settings s = {.providers = providers,
                               .provider_count = ARRAY_LEN(providers)};
    struct arena a;
    struct broker *b = NULL;
    const char *why = NULL;
    set_env("TEST_BOTH", "sk-both");
    set_env("TEST_TENANT", "sk-tenant");
    set_env("TEST_REGION", "sk-region");
    arena_init(&a, MIB);
    assert_int_equal(broker_new(&s, &a, &b, &why), ERR_OK);
    arena_release(&a); /* nothing is borrowed from it */
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct broker_credential c = {.id = STR("untouched")};
        enum err e = broker_get(b, cases[i].provider, str_from(cases[i].tenant),
                                str_from(cases[i].region), &c);
        if (cases[i].id == NULL) {
            assert_int_equal(e, ERR_CREDENTIAL);
            assert_true(str_eq(c.id, STR("untouched")));
            continue;
        }
        assert_int_equal(e, ERR_OK);
        assert_true(str_eq(c.id, str_from(cases[i].id)));
        assert_true(str_eq(c.field, str_from(cases[i].field)));
    }
    broker_free(b);
}

static void rule_32_tool_servers_have_credentials_of_their_own(void **state)
{
    (void)state;
    static const struct credential_settings list[] = {
        {.tenants = {acme, 1},
         .env = STR_INIT("TEST_TOOL"),
         .id = STR_INIT("tools/crm/0")},
    };
    static const struct credential_settings other[] = {
        {.env = STR_INIT("TEST_BOTH"), .id = STR_INIT("crm/0")}};
    static const struct provider_settings providers[] = {
        {.name = STR_INIT("crm"), .credentials = other, .credential_count = 1}};
    static const struct tool_server_settings tools[] = {
        {.name = STR_INIT("files")},
        {.name = STR_INIT("crm"), .credentials = list, .credential_count = 1},
    };
    const struct settings s = {.providers = providers,
                               .provider_count = ARRAY_LEN(providers),
                               .tools = tools,
                               .tool_count = ARRAY_LEN(tools)};
    struct arena a;
    struct broker *b = NULL;
    const char *why = NULL;
    struct broker_credential c = {.id = STR("untouched")};
    set_env("TEST_BOTH", "sk-both");
    set_env("TEST_TOOL", "sk-tool");
    arena_init(&a, MIB);
    assert_int_equal(broker_new(&s, &a, &b, &why), ERR_OK);
    arena_release(&a);
    assert_int_equal(broker_get_tool(b, 1, STR("acme"), STR("eu"), &c), ERR_OK);
    assert_true(str_eq(c.field, STR("Bearer sk-tool")));
    assert_true(str_eq(c.id, STR("tools/crm/0")));
    /* None fits: that is no server that needs none. */
    assert_int_equal(broker_get_tool(b, 1, STR("other"), STR("eu"), &c),
                     ERR_CREDENTIAL);
    assert_true(str_eq(c.id, STR("tools/crm/0")));
    assert_int_equal(broker_get_tool(b, 0, STR("other"), STR(""), &c), ERR_OK);
    assert_int_equal(c.field.len, 0);
    assert_int_equal(c.id.len, 0);
    assert_int_equal(broker_get(b, 0, STR("acme"), STR("eu"), &c), ERR_OK);
    assert_true(str_eq(c.id, STR("crm/0")));
    broker_free(b);
}

/* Builds a broker from one file that holds `bytes`. */
static enum err from_file(struct str bytes, char field[], const char **ret_why,
                          struct arena *a)
{
    char path[] = "broker.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.ptr, bytes.len), bytes.len);
    (void)close(fd);
    const struct credential_settings c = {.file = str_from(path),
                                          .id = STR("p/0")};
    const struct provider_settings p = {.credentials = &c,
                                        .credential_count = 1};
    const struct settings s = {.providers = &p, .provider_count = 1};
    struct broker *b = NULL;
    enum err e = broker_new(&s, a, &b, ret_why);
    (void)unlink(path);
    if (e == ERR_OK) {
        struct broker_credential got;
        assert_int_equal(broker_get(b, 0, STR("acme"), STR("eu"), &got),
                         ERR_OK);
        memcpy(field, got.field.ptr, got.field.len);
        field[got.field.len] = '\0';
    }
    broker_free(b);
    return e;
}

static char big[BROKER_SECRET_MAX + 64];

static void test_files_lose_their_line_break_and_nothing_else(void **state)
{
    (void)state;
    memset(big, 'k', sizeof(big));
    static const struct {
        struct str bytes;
        const char *field; /* NULL: refused; "": not compared */
        const char *why;
    } cases[] = {
        {STR_INIT("sk-1"), "Bearer sk-1", NULL},
        {STR_INIT("sk-1\n"), "Bearer sk-1", NULL},
        {STR_INIT("sk-1\r\n"), "Bearer sk-1", NULL},
        {STR_INIT("sk-1\n\n"), NULL, "one word"},
        {STR_INIT("sk 1"), NULL, "one word"},
        {STR_INIT("sk-1\r\nx: y"), NULL, "one word"},
        {STR_INIT("sk-1\0"), NULL, "one word"},
        {STR_INIT("sk-\xc3\xa9"), NULL, "one word"},
        {STR_INIT(""), NULL, "one word"},
        {STR_INIT("\n"), NULL, "one word"},
        {{big, BROKER_SECRET_MAX}, "", NULL},
        {{big, BROKER_SECRET_MAX + 1}, NULL, "over"},
        {{big, BROKER_SECRET_MAX + 60}, NULL, "over"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        static char field[BROKER_SECRET_MAX + 16];
        const char *why = NULL;
        struct arena a;
        arena_init(&a, MIB);
        enum err e = from_file(cases[i].bytes, field, &why, &a);
        if (cases[i].field == NULL) {
            assert_int_equal(e, ERR_CONFIG);
            assert_non_null(strstr(why, "credential p/0: broker."));
            assert_non_null(strstr(why, cases[i].why));
            /* Never the value; the file's name is random. */
            assert_null(strstr(strchr(why, ' '), "sk-"));
        } else {
            assert_int_equal(e, ERR_OK);
            if (cases[i].field[0] != '\0')
                assert_string_equal(field, cases[i].field);
        }
        arena_release(&a);
    }
}

static void test_what_is_missing_is_named(void **state)
{
    (void)state;
    static const struct {
        struct credential_settings c;
        const char *why;
    } cases[] = {
        {{.env = STR_INIT("TEST_NOT_SET"), .id = STR_INIT("p/0")},
         "credential p/0: TEST_NOT_SET is not in the environment"},
        {{.file = STR_INIT("no/such/file"), .id = STR_INIT("p/1")},
         "credential p/1: no/such/file cannot be read"},
        {{.file = STR_INIT("/"), .id = STR_INIT("p/2")},
         "credential p/2: / cannot be read"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct provider_settings p = {.credentials = &cases[i].c,
                                            .credential_count = 1};
        const struct settings s = {.providers = &p, .provider_count = 1};
        struct arena a;
        struct broker *b = NULL;
        const char *why = NULL;
        arena_init(&a, MIB);
        assert_int_equal(broker_new(&s, &a, &b, &why), ERR_CONFIG);
        assert_null(b);
        assert_string_equal(why, cases[i].why);
        arena_release(&a);
    }
    broker_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_32_credentials_are_chosen_by_tenant_and_region),
        cmocka_unit_test(rule_32_tool_servers_have_credentials_of_their_own),
        cmocka_unit_test(test_files_lose_their_line_break_and_nothing_else),
        cmocka_unit_test(test_what_is_missing_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
