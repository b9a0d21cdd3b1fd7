/* Tests proof_cache: what is remembered, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "fixture.h"
#include "identity/proof_cache.h"
#include "identity/proof_memory.h"

static struct proof_cache *new_cache(void)
{
    struct proof_cache *c = NULL;
    assert_int_equal(proof_cache_new((struct siphash_key){3, 4}, &c), ERR_OK);
    return c;
}

static struct proof *new_proof(int64_t mark)
{
    const struct proof draft = {.issued_us = mark};
    struct proof *p = proof_memory_new(&draft);
    assert_non_null(p);
    return p;
}

static const struct proof_cache_now now = {{1, 2}, 100};
static const struct proof_cache_term key_term = {PROOF_CACHE_KEY, 1, 200};

static void put(struct proof_cache *c, const char *credential,
                const struct proof_cache_term *term, int64_t mark)
{
    struct proof *p = new_proof(mark);
    proof_cache_put(c, str_from(credential), term, p);
    proof_unref(p);
}

static void test_a_hit_is_the_whole_credential(void **state)
{
    (void)state;
    struct proof_cache *c = new_cache();
    /* Ends alike, begins alike, and is longer. */
    static const char *const all[] = {
        "aaaaaaaa123456789012345678901234567890123456789012345678901234567890",
        "baaaaaaa123456789012345678901234567890123456789012345678901234567890",
        "aaaaaaaa123456789012345678901234567890123456789012345678901234567891",
        "aaaaaaaaa123456789012345678901234567890123456789012345678901234567890",
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        assert_null(proof_cache_get(c, str_from(all[i]), &now));
        put(c, all[i], &key_term, (int64_t)i);
    }
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct proof *p = proof_cache_get(c, str_from(all[i]), &now);
        assert_non_null(p);
        assert_int_equal(p->issued_us, i);
    }
    proof_cache_free(c);
    proof_cache_free(NULL);
}

static void test_what_changed_or_expired_is_forgotten(void **state)
{
    (void)state;
    static const struct proof_cache_term token_term = {PROOF_CACHE_TOKEN, 2,
                                                       200};
    static const struct {
        struct proof_cache_now now;
        bool key, token;
    } cases[] = {
        {{{1, 2}, 199}, true, true},   {{{1, 2}, 200}, false, false},
        {{{7, 2}, 100}, false, true},  {{{1, 7}, 100}, true, false},
        {{{2, 1}, 100}, false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct proof_cache *c = new_cache();
        put(c, "a key", &key_term, 1);
        put(c, "a token", &token_term, 2);
        assert_int_equal(proof_cache_get(c, STR("a key"), &cases[i].now) !=
                             NULL,
                         cases[i].key);
        assert_int_equal(proof_cache_get(c, STR("a token"), &cases[i].now) !=
                             NULL,
                         cases[i].token);
        /* Gone for good: a clock that goes back revives nothing. */
        assert_int_equal(proof_cache_get(c, STR("a key"), &now) != NULL,
                         cases[i].key);
        proof_cache_free(c);
    }
}

static void test_the_same_credential_has_one_place(void **state)
{
    (void)state;
    struct proof_cache *c = new_cache();
    for (int i = 0; i < 10; i++)
        put(c, "a key", &key_term, i);
    struct proof *p = proof_cache_get(c, STR("a key"), &now);
    assert_int_equal(p->issued_us, 9);
    proof_cache_free(c);
}

static void test_others_push_out_and_a_reference_outlives_that(void **state)
{
    (void)state;
    struct proof_cache *c = new_cache();
    char name[32];
    struct proof *first = new_proof(-1);
    proof_cache_put(c, STR("first"), &key_term, first);
    size_t kept = 0;
    for (int i = 0; i < 4 * PROOF_CACHE_PLACES; i++) {
        (void)snprintf(name, sizeof(name), "key %d", i);
        put(c, name, &key_term, i);
        assert_non_null(proof_cache_get(c, str_from(name), &now));
    }
    for (int i = 0; i < 4 * PROOF_CACHE_PLACES; i++) {
        (void)snprintf(name, sizeof(name), "key %d", i);
        kept += proof_cache_get(c, str_from(name), &now) != NULL;
    }
    assert_in_range(kept, PROOF_CACHE_PLACES / 2, PROOF_CACHE_PLACES);
    assert_null(proof_cache_get(c, STR("first"), &now));
    assert_int_equal(first->issued_us, -1);
    assert_int_equal(first->refs, 1);
    proof_unref(first);
    proof_cache_free(c);
}

static void test_what_is_used_stays(void **state)
{
    (void)state;
    struct proof_cache *c = new_cache();
    char name[32];
    put(c, "mine", &key_term, 7);
    for (int i = 0; i < 2 * PROOF_CACHE_PLACES; i++) {
        (void)snprintf(name, sizeof(name), "key %d", i);
        put(c, name, &key_term, i);
        assert_non_null(proof_cache_get(c, STR("mine"), &now));
    }
    proof_cache_free(c);
}

/* As long as one can be, and no two the same. */
static struct str long_credential(int i)
{
    static char text[PROOF_CREDENTIAL_MAX];
    memset(text, 'a', sizeof(text));
    (void)snprintf(text + sizeof(text) - 8, 8, "%07u", (unsigned)i % 10000000U);
    return (struct str){text, sizeof(text)};
}

static void test_long_credentials_have_a_common_limit(void **state)
{
    (void)state;
    struct proof_cache *c = new_cache();
    enum { COUNT = 2 * PROOF_CACHE_BYTES_MAX / PROOF_CREDENTIAL_MAX };
    size_t kept = 0;
    for (int i = 0; i < COUNT; i++) {
        struct str s = long_credential(i);
        struct proof *p = new_proof(i);
        proof_cache_put(c, s, &key_term, p);
        assert_ptr_equal(proof_cache_get(c, s, &now), p);
        proof_unref(p);
    }
    for (int i = 0; i < COUNT; i++)
        kept += proof_cache_get(c, long_credential(i), &now) != NULL;
    assert_in_range(kept, 1, PROOF_CACHE_BYTES_MAX / PROOF_CREDENTIAL_MAX);
    proof_cache_free(c);
}

static void
test_keys_are_asked_for_once_until_an_answer_may_differ(void **state)
{
    (void)state;
    struct fixture f;
    struct proof *p = NULL, *again = NULL;
    fixture_open(&f);
    assert_int_equal(fixture_prove(&f, STR(KEY_ANN), &p), PROOF_GIVEN);
    assert_int_equal(fixture_prove(&f, STR(KEY_ANN), &again), PROOF_GIVEN);
    assert_ptr_equal(p, again);
    assert_int_equal(fixture_asked(), 1);
    proof_unref(again);
    f.sources.keys.number++;
    assert_int_equal(fixture_prove(&f, STR(KEY_ANN), &again), PROOF_GIVEN);
    assert_int_equal(fixture_asked(), 2);
    proof_unref(again);
    f.sources.now_us = p->expires_us;
    assert_int_equal(fixture_prove(&f, STR(KEY_ANN), &again), PROOF_REFUSED);
    assert_int_equal(fixture_asked(), 3);
    proof_unref(p);
    fixture_close(&f);
}

static void test_a_token_of_an_issuer_that_is_gone_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct proof *p = NULL;
    fixture_open(&f);
    struct str token = fixture_token(&f, ES, "{\"sub\":\"alice\"," CORP "}");
    assert_int_equal(fixture_prove(&f, token, &p), PROOF_GIVEN);
    proof_unref(p);

    struct issuers *none;
    size_t bad;
    static const struct settings empty = {.issuer_count = 0};
    assert_int_equal(issuers_new(&empty, NULL, &none, &bad), ERR_OK);
    f.sources.issuers = none;
    assert_int_equal(fixture_prove(&f, token, &p), PROOF_REFUSED);
    issuers_unref(none);
    fixture_close(&f);
}

static void test_a_token_ends_in_the_cache_as_well(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct str token = fixture_token(&f, ES, "{\"sub\":\"alice\"," CORP "}");
    fixture_expect(&f, token, "subject User corp|alice acme", "good");
    f.sources.now_us = INT64_C(1800000329999999);
    fixture_expect(&f, token, "subject User corp|alice acme", "the last of it");
    f.sources.now_us++;
    fixture_expect(&f, token, "", "over");
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_hit_is_the_whole_credential),
        cmocka_unit_test(test_what_changed_or_expired_is_forgotten),
        cmocka_unit_test(test_the_same_credential_has_one_place),
        cmocka_unit_test(test_others_push_out_and_a_reference_outlives_that),
        cmocka_unit_test(test_what_is_used_stays),
        cmocka_unit_test(test_long_credentials_have_a_common_limit),
        cmocka_unit_test(
            test_keys_are_asked_for_once_until_an_answer_may_differ),
        cmocka_unit_test(test_a_token_of_an_issuer_that_is_gone_is_refused),
        cmocka_unit_test(test_a_token_ends_in_the_cache_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
