/* Tests issuers: key sets, whole and broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "fixture.h"
#include "identity/issuers_find.h"

static void test_a_key_set_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    static const struct {
        const char *jwks;
        enum err err;
    } cases[] = {
        {"{\"keys\":[]}", ERR_OK},
        {"{\"keys\":[{}]}", ERR_OK},
        {"{\"keys\":[{\"kty\":\"new\"}],\"more\":1}", ERR_OK},
        {"{\"keys\":[{", ERR_MALFORMED},
        {"{\"keys\":[7]}", ERR_MALFORMED},
        {"{\"keys\":{}}", ERR_MALFORMED},
        {"{\"keys\":null}", ERR_MALFORMED},
        {"{\"keys\":[],\"keys\":[]}", ERR_MALFORMED},
        {"{\"keys\":[{\"kty\":\"EC\",\"kty\":\"EC\"}]}", ERR_MALFORMED},
        {"{}", ERR_MALFORMED},
        {"[]", ERR_MALFORMED},
        {"", ERR_MALFORMED},
        {"<html>", ERR_MALFORMED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t n = 77;
        enum err e = issuers_check(str_from(cases[i].jwks), &n);
        if (e != cases[i].err)
            fail_msg("%s", cases[i].jwks);
        assert_int_equal(n, e == ERR_OK ? 0 : 77);
    }
}

static void test_keys_of_no_use_are_left_out(void **state)
{
    (void)state;
    struct buf b;
    size_t n = 0;
    buf_init(&b, MIB);
    (void)BUF_LIT(&b, "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"},");
    mint_jwk(&b, MINT_P256, ",\"use\":\"enc\",\"kid\":\"a\"");
    (void)BUF_LIT(&b, ",");
    mint_jwk(&b, MINT_P256, ",\"use\":\"sig\",\"kid\":\"a\"");
    (void)BUF_LIT(&b, ",");
    mint_jwk(&b, MINT_ED, ",\"d\":\"AAAA\"");
    (void)BUF_LIT(&b, ",");
    mint_jwk(&b, MINT_RSA, ",\"alg\":\"RSA-OAEP\"");
    (void)BUF_LIT(&b, "]}");
    assert_int_equal(issuers_check(buf_str(&b), &n), ERR_OK);
    assert_int_equal(n, 1);
    buf_release(&b);
    mint_release();
}

static void test_key_sets_have_limits(void **state)
{
    (void)state;
    struct buf b;
    size_t n = 0;
    buf_init(&b, 2 * MIB);
    for (unsigned count = ISSUERS_KEYS_MAX; count <= ISSUERS_KEYS_MAX + 1;
         count++) {
        buf_clear(&b);
        (void)BUF_LIT(&b, "{\"keys\":[");
        for (unsigned i = 0; i < count; i++) {
            char kid[32];
            (void)snprintf(kid, sizeof(kid), ",\"kid\":\"%u\"", i);
            mint_jwk(&b, MINT_ED, kid);
            (void)BUF_LIT(&b, ",");
        }
        (void)BUF_LIT(&b, "{}]}");
        assert_int_equal(issuers_check(buf_str(&b), &n),
                         count == ISSUERS_KEYS_MAX ? ERR_OK : ERR_LIMIT);
        assert_int_equal(n, ISSUERS_KEYS_MAX);
    }
    buf_clear(&b);
    (void)BUF_LIT(&b, "{\"keys\":[]}");
    while (b.len <= ISSUERS_JWKS_MAX)
        (void)BUF_LIT(&b, "        ");
    assert_int_equal(issuers_check(buf_str(&b), &n), ERR_LIMIT);
    assert_int_equal(issuers_check(str_first(buf_str(&b), ISSUERS_JWKS_MAX),
                                   &n),
                     ERR_OK);
    buf_release(&b);
    mint_release();
}

static void test_an_issuer_is_known_by_every_byte(void **state)
{
    (void)state;
    struct fixture f;
    size_t at = 99;
    fixture_open(&f);
    assert_int_equal(issuers_count(f.issuers), ISSUER_COUNT);
    assert_non_null(
        issuers_find(f.issuers, STR("https://mixed.example/"), &at));
    assert_int_equal(at, ISSUER_MIXED);
    assert_null(issuers_find(f.issuers, STR("https://mixed.example"), &at));
    assert_null(issuers_find(f.issuers, STR("https://corp.example/"), &at));
    assert_null(issuers_find(f.issuers, STR(""), &at));
    assert_true(issuers_has_key(f.issuers, ISSUER_CORP, STR("rs-1")));
    assert_true(issuers_has_key(f.issuers, ISSUER_CORP, STR("")));
    assert_false(issuers_has_key(f.issuers, ISSUER_CORP, STR("rs-")));
    fixture_close(&f);
}

static void test_keys_that_cannot_be_told_apart_are_not_used(void **state)
{
    (void)state;
    struct buf b;
    struct issuers *i;
    size_t at;
    buf_init(&b, MIB);
    (void)BUF_LIT(&b, "{\"keys\":[");
    mint_jwk(&b, MINT_P256, ",\"kid\":\"twice\"");
    (void)BUF_LIT(&b, ",");
    mint_jwk(&b, MINT_P256, ",\"kid\":\"twice\",\"alg\":\"ES256\"");
    (void)BUF_LIT(&b, ",");
    mint_jwk(&b, MINT_RSA, ",\"kid\":\"twice\"");
    (void)BUF_LIT(&b, ",");
    mint_jwk(&b, MINT_ED, "");
    (void)BUF_LIT(&b, "]}");
    const struct issuers_keys keys[ISSUER_COUNT] = {{buf_str(&b), 1}};
    assert_int_equal(issuers_new(fixture_settings(), keys, &i, &at), ERR_OK);
    const struct issuer *corp =
        issuers_find(i, STR("https://corp.example"), &at);
    assert_null(issuers_find_key(corp, STR("twice"), VERIFY_ES256));
    assert_non_null(issuers_find_key(corp, STR("twice"), VERIFY_RS256));
    assert_null(issuers_find_key(corp, STR("twice"), VERIFY_EDDSA));
    assert_non_null(issuers_find_key(corp, STR(""), VERIFY_EDDSA));
    assert_non_null(issuers_find_key(corp, STR(""), VERIFY_PS512));
    assert_null(issuers_find_key(corp, STR(""), VERIFY_ES256));
    assert_null(issuers_find_key(corp, STR("x"), VERIFY_EDDSA));
    issuers_unref(i);
    buf_release(&b);
    mint_release();
}

static void test_a_broken_set_names_its_issuer(void **state)
{
    (void)state;
    struct issuers_keys keys[ISSUER_COUNT] = {{STR("{\"keys\":[]}"), 1}};
    struct issuers *i = NULL;
    size_t at = 99;
    keys[ISSUER_JOBS].jwks = STR("{\"keys\":[{");
    assert_int_equal(issuers_new(fixture_settings(), keys, &i, &at),
                     ERR_MALFORMED);
    assert_int_equal(at, ISSUER_JOBS);
    assert_null(i);
    issuers_unref(i);
}

static void test_each_has_a_number_and_counts_references(void **state)
{
    (void)state;
    const struct issuers_keys keys[ISSUER_COUNT] = {{STR("{\"keys\":[]}"), 1}};
    struct issuers *one, *two;
    size_t at;
    assert_int_equal(issuers_new(fixture_settings(), keys, &one, &at), ERR_OK);
    assert_int_equal(issuers_new(fixture_settings(), keys, &two, &at), ERR_OK);
    assert_true(issuers_number(one) != issuers_number(two));
    assert_ptr_equal(issuers_ref(one), one);
    issuers_unref(one);
    assert_int_equal(issuers_count(one), ISSUER_COUNT);
    issuers_unref(one);
    issuers_unref(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_key_set_is_read_whole_or_not_at_all),
        cmocka_unit_test(test_keys_of_no_use_are_left_out),
        cmocka_unit_test(test_key_sets_have_limits),
        cmocka_unit_test(test_an_issuer_is_known_by_every_byte),
        cmocka_unit_test(test_keys_that_cannot_be_told_apart_are_not_used),
        cmocka_unit_test(test_a_broken_set_names_its_issuer),
        cmocka_unit_test(test_each_has_a_number_and_counts_references),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
