/* Tests pipeline/snapshot: whole or not at all, and freed by the last one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/broker.h"
#include "fixture.h"
#include "pipeline/snapshot.h"
#include "policy/rules.h"

static enum err make(struct arena *a, const struct settings *s,
                     struct snapshot **ret, const char **ret_why)
{
    struct rules *rules = fixture_rules(s);
    enum err e = snapshot_new(a, s, rules, 7, ret, ret_why);
    rules_unref(rules);
    return e;
}

static void the_last_reference_frees(void **state)
{
    struct snapshot *s = NULL;
    const char *why = NULL;
    struct arena a;

    (void)state;
    assert_int_equal(setenv("FIXTURE_SECRET", "sk-fixture", 1), 0);
    arena_init(&a, 1024 * 1024);
    const struct settings set = fixture_settings(&a);
    assert_int_equal(make(&a, &set, &s, &why), ERR_OK);
    assert_int_equal(s->serial, 7);
    assert_non_null(arena_alloc_n(&a, 1, 16)); /* it moved: a new one */
    arena_release(&a);

    assert_ptr_equal(snapshot_ref(s), s);
    snapshot_unref(s);
    const struct model_settings *m = snapshot_model(s, STR("pair"));
    assert_non_null(m);
    assert_true(str_eq(m->name, STR("pair")));
    assert_null(snapshot_model(s, STR("Pair")));
    assert_null(snapshot_model(s, (struct str){0}));
    snapshot_unref(s); /* a leak, or a use after free, is the sanitizer's */
    snapshot_unref(NULL);
}

static void refused(const struct settings *set, struct arena *a,
                    const char *says)
{
    struct snapshot *s = NULL;
    const char *why = NULL;

    assert_int_equal(make(a, set, &s, &why), ERR_CONFIG);
    assert_null(s);
    assert_non_null(why);
    assert_non_null(strstr(why, says)); /* in the arena, which is still ours */
    assert_null(strstr(why, "sk-"));
}

static void a_credential_that_is_missing_is_named(void **state)
{
    struct arena a;

    (void)state;
    assert_int_equal(unsetenv("FIXTURE_SECRET"), 0);
    arena_init(&a, 1024 * 1024);
    const struct settings set = fixture_settings(&a);
    refused(&set, &a, "FIXTURE_SECRET");
    arena_release(&a);
}

static void a_certificate_that_is_missing_is_named(void **state)
{
    const struct listen_settings listen[] = {
        {.host = STR("127.0.0.1"), .port = 1},
        {.host = STR("127.0.0.1"),
         .port = 2,
         .tls = {.cert = STR("/nowhere/cert.pem"),
                 .key = STR("/nowhere/key.pem")}},
    };
    struct arena a;

    (void)state;
    assert_int_equal(setenv("FIXTURE_SECRET", "sk-fixture", 1), 0);
    arena_init(&a, 1024 * 1024);
    struct settings set = fixture_settings(&a);
    set.listen = listen;
    set.listen_count = 2;
    refused(&set, &a, "cert");
    arena_release(&a);
}

static void an_authority_that_is_missing_is_named(void **state)
{
    struct arena a;

    (void)state;
    assert_int_equal(setenv("FIXTURE_SECRET", "sk-fixture", 1), 0);
    arena_init(&a, 1024 * 1024);
    struct settings set = fixture_settings(&a);
    struct provider_settings two[] = {set.providers[0], set.providers[1]};
    two[1].tls = true;
    two[1].ca = STR("/nowhere/ca.pem");
    set.providers = two;
    refused(&set, &a, "ca");
    arena_release(&a);
}

static void nothing_configured_is_a_snapshot_too(void **state)
{
    const struct settings set = {.node = STR("gw-1")};
    struct snapshot *s = NULL;
    const char *why = NULL;
    struct arena a;

    (void)state;
    arena_init(&a, 1024 * 1024);
    assert_int_equal(make(&a, &set, &s, &why), ERR_OK);
    assert_null(snapshot_model(s, STR("any")));
    snapshot_unref(s);
    arena_release(&a);
}

static void a_policy_digest_follows_the_policy_alone(void **state)
{
    struct snapshot *s[2] = {NULL, NULL};
    const char *why = NULL;

    (void)state;
    assert_int_equal(setenv("FIXTURE_SECRET", "sk-fixture", 1), 0);
    for (int i = 0; i < 2; i++) {
        struct arena a;
        arena_init(&a, 1024 * 1024);
        struct settings set = fixture_settings(&a);
        set.digest[0] = (unsigned char)i; /* another file, the same rules */
        assert_int_equal(make(&a, &set, &s[i], &why), ERR_OK);
        arena_release(&a);
    }
    assert_memory_equal(&s[0]->digests.policy_set, &s[1]->digests.policy_set,
                        sizeof(struct hash));
    assert_memory_not_equal(&s[0]->digests.config, &s[1]->digests.config,
                            sizeof(struct hash));
    snapshot_unref(s[0]);
    snapshot_unref(s[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_reference_frees),
        cmocka_unit_test(a_credential_that_is_missing_is_named),
        cmocka_unit_test(a_certificate_that_is_missing_is_named),
        cmocka_unit_test(an_authority_that_is_missing_is_named),
        cmocka_unit_test(nothing_configured_is_a_snapshot_too),
        cmocka_unit_test(a_policy_digest_follows_the_policy_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
