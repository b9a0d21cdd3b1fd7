/* Tests identity: from what was presented to a chain, or to one and the same
 * refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "identity/identity.h"

static const char secret[HASH_LEN] = "the key under which keys hash...";
#define CALLER_KEY ((struct str){secret, sizeof(secret)})

static const struct tenant_settings tenants[] = {{.name = STR_INIT("acme")},
                                                 {.name = STR_INIT("other")}};

static const struct {
    const char *name;
    size_t tenant;
    enum principal_kind kind;
    const char *key;
    enum link_role role;
    const char *id;
} people[] = {
    {"ann", 0, PRINCIPAL_USER, "writ_ann_0123456789", LINK_SUBJECT, "keys|ann"},
    {"shop", 0, PRINCIPAL_APPLICATION, "writ_shop_0123456789", LINK_APPLICATION,
     "keys|shop"},
    {"writer", 0, PRINCIPAL_AGENT, "writ_writer_0123456789", LINK_ACTOR,
     "acme/writer"},
    {"writer", 1, PRINCIPAL_AGENT, "writ_other_0123456789", LINK_ACTOR,
     "other/writer"},
    {"spiffe://example.org/job", 1, PRINCIPAL_WORKLOAD,
     "writ_spiffe_0123456789", LINK_PRESENTER, "spiffe://example.org/job"},
    {"job", 1, PRINCIPAL_WORKLOAD, "!any#thing,visible~", LINK_PRESENTER,
     "keys|job"},
};

struct fixture {
    struct caller_settings list[ARRAY_LEN(people)];
    struct settings settings;
    struct identity_callers *callers;
    struct identity_cache *cache;
};

static struct identity_callers *make_table(const struct settings *s)
{
    struct identity_callers *c = NULL;
    const char *why = NULL;
    assert_int_equal(identity_callers_new(s, CALLER_KEY, &c, &why), ERR_OK);
    return c;
}

static void set_up(struct fixture *f)
{
    *f = (struct fixture){.settings = {.tenants = tenants,
                                       .tenant_count = ARRAY_LEN(tenants),
                                       .callers = f->list,
                                       .caller_count = ARRAY_LEN(people)}};
    for (size_t i = 0; i < ARRAY_LEN(people); i++) {
        struct hash h = identity_key_hash(CALLER_KEY, str_from(people[i].key));
        f->list[i] = (struct caller_settings){.name = str_from(people[i].name),
                                              .tenant = people[i].tenant,
                                              .kind = people[i].kind};
        memcpy(f->list[i].key_hmac, h.bytes, sizeof(h.bytes));
    }
    f->callers = make_table(&f->settings);
    assert_int_equal(identity_cache_new((struct siphash_key){1, 2}, &f->cache),
                     ERR_OK);
}

static void tear_down(struct fixture *f)
{
    identity_callers_free(f->callers);
    identity_cache_free(f->cache);
}

static void rule_01_a_key_proves_one_link(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    for (int pass = 0; pass < 2; pass++) { /* the second time from the cache */
        for (size_t i = 0; i < ARRAY_LEN(people); i++) {
            struct chain chain;
            const struct caller *caller = NULL;
            const struct identity_input in = {.x_api_key =
                                                  str_from(people[i].key)};
            assert_int_equal(identity_prove(f.callers, f.cache, &in, &chain,
                                            &caller),
                             ERR_OK);
            const struct link *l = &chain.links[0];
            assert_int_equal(chain.count, 1);
            assert_int_equal(l->role, people[i].role);
            assert_int_equal(l->who.kind, people[i].kind);
            assert_true(str_eq(l->who.id, str_from(people[i].id)));
            assert_true(str_eq(l->who.issuer, STR("keys")));
            assert_true(str_eq(l->who.tenant, tenants[people[i].tenant].name));
            assert_int_equal(l->method, AUTH_API_KEY);
            assert_int_equal(l->credential.len, 16);
            assert_int_equal(caller->index, i);
            assert_true(str_eq(caller->name, str_from(people[i].name)));
            assert_ptr_equal(caller, identity_callers_get(f.callers, i));
        }
    }
    tear_down(&f);
}

#define ANN "writ_ann_0123456789"

static void test_one_credential_in_either_field(void **state)
{
    (void)state;
    static const struct {
        const char *authorization, *x_api_key;
        bool ok;
    } cases[] = {
        {"Bearer " ANN, "", true},
        {"bearer   " ANN, "", true},
        {"BEARER " ANN, "", true},
        {"", ANN, true},
        {"Bearer " ANN, ANN, true}, /* SDKs send one key both ways */
        {"", "", false},
        {"Bearer " ANN, "writ_shop_0123456789", false},
        {"Bearer writ_shop_0123456789", ANN, false},
        {"Bearer wrong_0123456789", ANN, false},
        {"Basic " ANN, "", false},
        {"Basic QWxhZGRpbjpvcGVu", ANN, false},
        {"Bearer", "", false},
        {"Bearer ", "", false},
        {"Bearer " ANN " ", "", false},
        {"Bearer " ANN ", Bearer " ANN, "", false},
        {"Bearer\t" ANN, "", false},
        {"Bearer" ANN, "", false},
        {ANN, "", false},
        {"", "Bearer " ANN, false},
        {"Bearer writ_ann_012345678", "", false},
        {"Bearer " ANN "0", "", false},
        {"Bearer short", "", false},
        {"Bearer writ_ann_\x01"
         "23456789",
         "", false},
        {"Bearer writ_ann_\xc3\xa9"
         "23456789",
         "", false},
    };
    struct fixture f;
    set_up(&f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct chain chain = {.count = 77};
        const struct caller *caller = NULL;
        const struct identity_input in = {
            .authorization = str_from(cases[i].authorization),
            .x_api_key = str_from(cases[i].x_api_key),
        };
        enum err e = identity_prove(f.callers, f.cache, &in, &chain, &caller);
        assert_int_equal(e, cases[i].ok ? ERR_OK : ERR_UNAUTHENTICATED);
        if (cases[i].ok) {
            assert_int_equal(caller->index, 0);
        } else {
            assert_int_equal(chain.count, 77); /* written on success only */
            assert_null(caller);
        }
    }
    tear_down(&f);
}

static void test_long_credentials_are_refused_unread(void **state)
{
    (void)state;
    struct fixture f;
    static char key[IDENTITY_CREDENTIAL_MAX + 1];
    memset(key, 'k', sizeof(key));
    set_up(&f);
    for (size_t n = IDENTITY_CREDENTIAL_MAX; n <= sizeof(key); n++) {
        struct chain chain;
        const struct caller *caller;
        struct hash h = identity_key_hash(CALLER_KEY, (struct str){key, n});
        memcpy(f.list[0].key_hmac, h.bytes, sizeof(h.bytes));
        struct identity_callers *c = make_table(&f.settings);
        const struct identity_input in = {.x_api_key = {key, n}};
        assert_int_equal(identity_prove(c, f.cache, &in, &chain, &caller),
                         n <= IDENTITY_CREDENTIAL_MAX ? ERR_OK
                                                      : ERR_UNAUTHENTICATED);
        identity_callers_free(c);
    }
    tear_down(&f);
}

static void test_a_new_table_is_not_answered_from_the_old_cache(void **state)
{
    (void)state;
    struct fixture f;
    struct chain chain;
    const struct caller *caller;
    const struct identity_input in = {.x_api_key = STR(ANN)};
    set_up(&f);
    assert_int_equal(identity_prove(f.callers, f.cache, &in, &chain, &caller),
                     ERR_OK);
    f.list[0].key_hmac[0] ^= 1; /* the key was replaced */
    struct identity_callers *next = make_table(&f.settings);
    assert_int_equal(identity_prove(next, f.cache, &in, &chain, &caller),
                     ERR_UNAUTHENTICATED);
    /* An action that began before still sees its own table. */
    assert_int_equal(identity_prove(f.callers, f.cache, &in, &chain, &caller),
                     ERR_OK);
    identity_callers_free(next);
    tear_down(&f);
}

static void test_the_cache_is_bounded_and_stays_right(void **state)
{
    (void)state;
    enum { MANY = 10000 };
    static struct caller_settings list[MANY];
    static char keys[MANY][24];
    struct fixture f;
    set_up(&f);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(keys[i], sizeof(keys[i]), "writ_many_%08d", i);
        struct hash h = identity_key_hash(CALLER_KEY, str_from(keys[i]));
        list[i] = (struct caller_settings){.name = str_from(keys[i]),
                                           .kind = PRINCIPAL_USER};
        memcpy(list[i].key_hmac, h.bytes, sizeof(h.bytes));
    }
    f.settings.callers = list;
    f.settings.caller_count = MANY;
    struct identity_callers *c = make_table(&f.settings);
    for (size_t n = 0; n < 2 * (size_t)MANY; n++) {
        size_t i = n * 7 % MANY;
        struct chain chain;
        const struct caller *caller;
        const struct identity_input in = {.x_api_key = str_from(keys[i])};
        assert_int_equal(identity_prove(c, f.cache, &in, &chain, &caller),
                         ERR_OK);
        assert_int_equal(caller->index, i);
    }
    identity_callers_free(c);
    tear_down(&f);
}

static void rule_03_names_that_could_collide_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name, *tenant;
        enum principal_kind kind;
        bool ok;
    } cases[] = {
        {"a", "t", PRINCIPAL_USER, true},
        {"a/b", "t", PRINCIPAL_USER, true},
        {"a b", "t", PRINCIPAL_AGENT, true},
        {"a/b", "t", PRINCIPAL_AGENT, false}, /* t/a + b? */
        {"b", "t/a", PRINCIPAL_AGENT, false},
        {"a|b", "t", PRINCIPAL_USER, false},
        {"a\nb", "t", PRINCIPAL_USER, false},
        {"a\x7f", "t", PRINCIPAL_APPLICATION, false},
        {"", "t", PRINCIPAL_USER, false},
        {"a", "", PRINCIPAL_USER, false},
        {"\xff", "t", PRINCIPAL_USER, false},
        {"a", "t", PRINCIPAL_NONE, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct tenant_settings tenant = {.name =
                                                   str_from(cases[i].tenant)};
        const struct caller_settings caller = {.name = str_from(cases[i].name),
                                               .kind = cases[i].kind};
        const struct settings s = {.tenants = &tenant,
                                   .tenant_count = 1,
                                   .callers = &caller,
                                   .caller_count = 1};
        struct identity_callers *c = NULL;
        const char *why = NULL;
        assert_int_equal(identity_callers_new(&s, CALLER_KEY, &c, &why),
                         cases[i].ok ? ERR_OK : ERR_CONFIG);
        assert_int_equal(why == NULL, cases[i].ok);
        identity_callers_free(c);
    }
}

static void test_one_key_has_one_caller(void **state)
{
    (void)state;
    struct fixture f;
    struct identity_callers *c = NULL;
    const char *why = NULL;
    set_up(&f);
    memcpy(f.list[1].key_hmac, f.list[0].key_hmac, HASH_LEN);
    assert_int_equal(identity_callers_new(&f.settings, CALLER_KEY, &c, &why),
                     ERR_CONFIG);
    assert_non_null(why);
    tear_down(&f);
    identity_callers_free(NULL);
    identity_cache_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_01_a_key_proves_one_link),
        cmocka_unit_test(test_one_credential_in_either_field),
        cmocka_unit_test(test_long_credentials_are_refused_unread),
        cmocka_unit_test(test_a_new_table_is_not_answered_from_the_old_cache),
        cmocka_unit_test(test_the_cache_is_bounded_and_stays_right),
        cmocka_unit_test(rule_03_names_that_could_collide_are_refused),
        cmocka_unit_test(test_one_key_has_one_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
