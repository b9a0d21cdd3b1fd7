/* Tests verify: published vectors, keys that must not be used, signatures of
 * the wrong shape. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/text.h"
#include "crypto/verify.h"
#include "vectors.h"

enum { NUMBER_MAX = 1100, MESSAGE_MAX = 8192 };

/* A number of `len` bytes: zeros in front added or removed. */
static struct str of_length(yyjson_val *object, const char *member, size_t len,
                            unsigned char to[NUMBER_MAX])
{
    unsigned char bytes[NUMBER_MAX];
    struct str n = vectors_bytes(object, member, bytes, sizeof(bytes));
    while (n.len > len && n.ptr[0] == 0)
        n = str_skip(n, 1);
    assert_true(n.len <= len);
    memset(to, 0, len);
    memcpy(to + len - n.len, n.ptr, n.len);
    return (struct str){(const char *)to, len};
}

static struct verify_key *rsa_key(yyjson_val *group)
{
    unsigned char n[NUMBER_MAX], e[NUMBER_MAX];
    struct verify_key *k = NULL;
    yyjson_val *key = yyjson_obj_get(group, "publicKey");
    size_t len = vectors_number(group, "keySize") / 8;
    struct str modulus = of_length(key, "modulus", len, n);
    struct str exponent = vectors_bytes(key, "publicExponent", e, sizeof(e));
    assert_int_equal(verify_key_rsa(modulus, exponent, &k), ERR_OK);
    return k;
}

static struct verify_key *ec_key(yyjson_val *group)
{
    unsigned char x[NUMBER_MAX], y[NUMBER_MAX];
    struct verify_key *k = NULL;
    yyjson_val *key = yyjson_obj_get(group, "publicKey");
    size_t bits = vectors_number(key, "keySize"), len = (bits + 7) / 8;
    struct str name = bits == 256   ? STR("P-256")
                      : bits == 384 ? STR("P-384")
                                    : STR("P-521");
    assert_int_equal(verify_key_ec(name, of_length(key, "wx", len, x),
                                   of_length(key, "wy", len, y), &k),
                     ERR_OK);
    return k;
}

static struct verify_key *ed_key(yyjson_val *group)
{
    unsigned char x[NUMBER_MAX];
    struct verify_key *k = NULL;
    yyjson_val *key = yyjson_obj_get(group, "publicKey");
    assert_int_equal(verify_key_ed25519(vectors_bytes(key, "pk", x, sizeof(x)),
                                        &k),
                     ERR_OK);
    return k;
}

static size_t run_group(yyjson_val *group, struct verify_key *k,
                        enum verify_alg alg)
{
    static unsigned char msg[MESSAGE_MAX], sig[MESSAGE_MAX];
    yyjson_val *test;
    yyjson_arr_iter it = yyjson_arr_iter_with(yyjson_obj_get(group, "tests"));
    size_t n = 0;
    while ((test = yyjson_arr_iter_next(&it)) != NULL) {
        struct str m = vectors_bytes(test, "msg", msg, sizeof(msg));
        struct str s = vectors_bytes(test, "sig", sig, sizeof(sig));
        /* What is merely "acceptable" is an encoding that nobody makes. */
        bool valid = str_eq(vectors_text(test, "result"), STR("valid"));
        if (verify_signature(k, alg, m, s) != valid)
            fail_msg("case %zu", vectors_number(test, "tcId"));
        n++;
    }
    return n;
}

static void test_wycheproof(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        enum verify_alg alg;
        struct verify_key *(*key)(yyjson_val *group);
        size_t count;
    } files[] = {
        {"rsa_signature_2048_sha256_test", VERIFY_RS256, rsa_key, 259},
        {"rsa_pss_2048_sha256_mgf1_32_test", VERIFY_PS256, rsa_key, 108},
        {"ecdsa_secp256r1_sha256_p1363_test", VERIFY_ES256, ec_key, 262},
        {"ecdsa_secp384r1_sha384_p1363_test", VERIFY_ES384, ec_key, 1},
        {"ecdsa_secp521r1_sha512_p1363_test", VERIFY_ES512, ec_key, 1},
        {"ed25519_test", VERIFY_EDDSA, ed_key, 151},
    };
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        yyjson_doc *doc = vectors_wycheproof(files[i].file);
        if (doc == NULL)
            skip();
        yyjson_val *root = yyjson_doc_get_root(doc), *group;
        yyjson_arr_iter it =
            yyjson_arr_iter_with(yyjson_obj_get(root, "testGroups"));
        size_t n = 0;
        while ((group = yyjson_arr_iter_next(&it)) != NULL) {
            struct verify_key *k = files[i].key(group);
            n += run_group(group, k, files[i].alg);
            verify_key_free(k);
        }
        assert_int_equal(n, vectors_number(root, "numberOfTests"));
        assert_true(n >= files[i].count);
        yyjson_doc_free(doc);
    }
}

/* RFC 7515, A.3: key and signature. */
#define A3_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define A3_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define A3_SIGNED                                                              \
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQog"    \
    "Imh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define A3_SIGNATURE                                                           \
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKT" \
    "UJqPP3-Kg6NU1Q"

struct bytes {
    char at[128];
    size_t len;
};

static struct bytes decode(const char *text)
{
    struct bytes b;
    assert_true(text_unbase64url(str_from(text), b.at, &b.len));
    return b;
}

static struct str str_of(const struct bytes *b)
{
    return (struct str){b->at, b->len};
}

static struct verify_key *a3_key(void)
{
    struct bytes x = decode(A3_X), y = decode(A3_Y);
    struct verify_key *k = NULL;
    assert_int_equal(verify_key_ec(STR("P-256"), str_of(&x), str_of(&y), &k),
                     ERR_OK);
    return k;
}

static void test_a_key_verifies_only_what_fits_it(void **state)
{
    (void)state;
    struct verify_key *k = a3_key();
    struct bytes sig = decode(A3_SIGNATURE);
    for (int a = VERIFY_NONE; a <= VERIFY_EDDSA; a++) {
        enum verify_alg alg = (enum verify_alg)a;
        assert_int_equal(verify_fits(k, alg), alg == VERIFY_ES256);
        assert_int_equal(verify_signature(k, alg, STR(A3_SIGNED), str_of(&sig)),
                         alg == VERIFY_ES256);
    }
    verify_key_free(k);
    verify_key_free(NULL);
}

static void test_a_signature_has_one_length(void **state)
{
    (void)state;
    struct verify_key *k = a3_key();
    struct bytes sig = decode(A3_SIGNATURE);
    struct bytes odd = sig;
    for (size_t len = 0; len < sizeof(odd.at); len++) {
        odd.len = len;
        assert_int_equal(verify_signature(k, VERIFY_ES256, STR(A3_SIGNED),
                                          str_of(&odd)),
                         len == sig.len);
    }
    for (size_t i = 0; i < sig.len; i++) {
        odd = sig;
        odd.at[i] = (char)(odd.at[i] ^ 1);
        assert_false(
            verify_signature(k, VERIFY_ES256, STR(A3_SIGNED), str_of(&odd)));
    }
    verify_key_free(k);
}

static void test_points_off_the_curve_are_no_keys(void **state)
{
    (void)state;
    struct bytes x = decode(A3_X), y = decode(A3_Y);
    struct verify_key *k = NULL;
    static const struct str names[] = {
        STR_INIT("P-384"), STR_INIT("P-521"),     STR_INIT("secp256k1"),
        STR_INIT("p-256"), STR_INIT("Ed25519"),   STR_INIT(""),
        STR_INIT("P-25"),  STR_INIT("prime256v1")};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(verify_key_ec(names[i], str_of(&x), str_of(&y), &k),
                         ERR_UNSUPPORTED);
    assert_int_equal(verify_key_ec(STR("P-256"), str_of(&y), str_of(&x), &k),
                     ERR_UNSUPPORTED);
    const struct str shorter = {x.at, x.len - 1}, none = {NULL, 0};
    assert_int_equal(verify_key_ec(STR("P-256"), shorter, str_of(&y), &k),
                     ERR_UNSUPPORTED);
    assert_int_equal(verify_key_ec(STR("P-256"), str_of(&x), none, &k),
                     ERR_UNSUPPORTED);
    char zeros[32] = {0}, ones[32];
    memset(ones, 0xff, sizeof(ones));
    assert_int_equal(verify_key_ec(STR("P-256"), (struct str){zeros, 32},
                                   (struct str){zeros, 32}, &k),
                     ERR_UNSUPPORTED);
    assert_int_equal(verify_key_ec(STR("P-256"), (struct str){ones, 32},
                                   (struct str){ones, 32}, &k),
                     ERR_UNSUPPORTED);
    assert_null(k);
}

static void test_rsa_keys_that_must_not_be_used(void **state)
{
    (void)state;
    /* Bytes of 0x5a between `first` and `last`; no factor up to 167. */
    static unsigned char n[1025];
    static const struct {
        size_t len;
        unsigned char first, last;
        struct str e;
        enum err err;
    } cases[] = {
        {256, 0xc0, 0x05, STR_INIT("\x01\x00\x01"), ERR_OK},
        {256, 0xc0, 0x05, STR_INIT("\x03"), ERR_OK},
        {1024, 0xc0, 0x05, STR_INIT("\x01\x00\x01"), ERR_OK},
        {128, 0xc0, 0x05, STR_INIT("\x01\x00\x01"), ERR_UNSUPPORTED},
        {255, 0xff, 0x07, STR_INIT("\x01\x00\x01"), ERR_UNSUPPORTED},
        {256, 0x7f, 0x01, STR_INIT("\x01\x00\x01"), ERR_UNSUPPORTED},
        {1025, 0xc0, 0x05, STR_INIT("\x01\x00\x01"), ERR_UNSUPPORTED},
        {257, 0x00, 0x25, STR_INIT("\x01\x00\x01"), ERR_UNSUPPORTED},
        {256, 0xc0, 0x04, STR_INIT("\x01\x00\x01"), ERR_UNSUPPORTED},
        {256, 0xc0, 0x01, STR_INIT("\x01\x00\x01"), ERR_UNSUPPORTED},
        {256, 0xc0, 0x05, STR_INIT("\x01"), ERR_UNSUPPORTED},
        {256, 0xc0, 0x05, STR_INIT("\x02"), ERR_UNSUPPORTED},
        {256, 0xc0, 0x05, STR_INIT("\x00"), ERR_UNSUPPORTED},
        {256, 0xc0, 0x05, STR_INIT("\x00\x01\x00\x01"), ERR_UNSUPPORTED},
        {256, 0xc0, 0x05, STR_INIT("\x01\x00\x00\x00\x01"), ERR_UNSUPPORTED},
        {256, 0xc0, 0x05, STR_INIT("\x01\x00\x00"), ERR_UNSUPPORTED},
        {256, 0xc0, 0x05, STR_INIT(""), ERR_UNSUPPORTED},
        {0, 0, 0, STR_INIT("\x01\x00\x01"), ERR_UNSUPPORTED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct verify_key *k = NULL;
        memset(n, 0x5a, sizeof(n));
        n[0] = cases[i].first;
        if (cases[i].len > 0)
            n[cases[i].len - 1] = cases[i].last;
        const struct str modulus = {(const char *)n, cases[i].len};
        assert_int_equal(verify_key_rsa(modulus, cases[i].e, &k), cases[i].err);
        assert_int_equal(k != NULL, cases[i].err == ERR_OK);
        verify_key_free(k);
    }
}

static void test_weak_points_of_ed25519_are_no_keys(void **state)
{
    (void)state;
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };
    unsigned char bytes[32] = {3};
    const struct str x = {(const char *)bytes, sizeof(bytes)};
    struct verify_key *k = NULL;
    for (size_t i = 0; i < ARRAY_LEN(points); i++) {
        assert_true(text_unhex(str_from(points[i]), bytes, sizeof(bytes)));
        assert_int_equal(verify_key_ed25519(x, &k), ERR_UNSUPPORTED);
    }
    assert_int_equal(verify_key_ed25519(str_first(x, 31), &k), ERR_UNSUPPORTED);
    assert_null(k);
}

static void test_names_of_algorithms(void **state)
{
    (void)state;
    static const struct {
        struct str name;
        enum verify_alg alg;
    } cases[] = {
        {STR_INIT("RS256"), VERIFY_RS256}, {STR_INIT("RS384"), VERIFY_RS384},
        {STR_INIT("RS512"), VERIFY_RS512}, {STR_INIT("PS256"), VERIFY_PS256},
        {STR_INIT("PS384"), VERIFY_PS384}, {STR_INIT("PS512"), VERIFY_PS512},
        {STR_INIT("ES256"), VERIFY_ES256}, {STR_INIT("ES384"), VERIFY_ES384},
        {STR_INIT("ES512"), VERIFY_ES512}, {STR_INIT("EdDSA"), VERIFY_EDDSA},
        {STR_INIT("none"), VERIFY_NONE},   {STR_INIT("nOnE"), VERIFY_NONE},
        {STR_INIT("HS256"), VERIFY_NONE},  {STR_INIT("rs256"), VERIFY_NONE},
        {STR_INIT("ES256K"), VERIFY_NONE}, {STR_INIT("RS1"), VERIFY_NONE},
        {STR_INIT(""), VERIFY_NONE},       {STR_INIT("RSA1_5"), VERIFY_NONE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(verify_alg_from(cases[i].name), cases[i].alg);
}

static void *verify_often(void *key)
{
    struct bytes sig = decode(A3_SIGNATURE);
    bool all = true;
    for (int i = 0; i < 20; i++)
        all =
            verify_signature(key, VERIFY_ES256, STR(A3_SIGNED), str_of(&sig)) &&
            all;
    return all ? key : NULL;
}

static void test_many_threads_verify_with_one_key(void **state)
{
    (void)state;
    struct verify_key *k = a3_key();
    pthread_t threads[4];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, verify_often, k), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *all = NULL;
        assert_int_equal(pthread_join(threads[i], &all), 0);
        assert_ptr_equal(all, k);
    }
    verify_key_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wycheproof),
        cmocka_unit_test(test_a_key_verifies_only_what_fits_it),
        cmocka_unit_test(test_a_signature_has_one_length),
        cmocka_unit_test(test_points_off_the_curve_are_no_keys),
        cmocka_unit_test(test_rsa_keys_that_must_not_be_used),
        cmocka_unit_test(test_weak_points_of_ed25519_are_no_keys),
        cmocka_unit_test(test_names_of_algorithms),
        cmocka_unit_test(test_many_threads_verify_with_one_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
