/* Tests jwk: keys that are of use, and all that are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "archive.h"
#include "base/attr.h"
#include "base/limits.h"
#include "identity/jwk.h"
#include "mint.h"

static enum err read_text(const char *text, struct jwk *ret)
{
    static struct arena a;
    const struct json *v;
    arena_init(&a, MIB);
    assert_int_equal(json_read(&a, str_from(text), &v, NULL), ERR_OK);
    enum err e = jwk_read(v, ret);
    if (e == ERR_OK) /* a copy would be the caller's to make */
        ret->kid = (struct str){ret->kid.len > 0 ? "k" : NULL, ret->kid.len};
    arena_release(&a);
    return e;
}

static void test_members_decide_whether_a_key_is_of_use(void **state)
{
    (void)state;
    static const struct {
        enum mint_key key;
        const char *more;
        bool ok;
    } cases[] = {
        {MINT_RSA, "", true},
        {MINT_P256, "", true},
        {MINT_P384, "", true},
        {MINT_P521, "", true},
        {MINT_ED, "", true},
        {MINT_P256, ",\"kid\":\"k\",\"use\":\"sig\",\"alg\":\"ES256\"", true},
        {MINT_RSA, ",\"alg\":\"PS512\"", true},
        {MINT_ED, ",\"alg\":\"EdDSA\",\"x5c\":[\"AAAA\"],\"x5t\":\"A\"", true},
        {MINT_P256, ",\"key_ops\":[\"verify\"]", true},
        {MINT_P256, ",\"key_ops\":[\"sign\",\"verify\"]", true},
        {MINT_P256, ",\"key_ops\":[\"sign\"]", false},
        {MINT_P256, ",\"key_ops\":[]", false},
        {MINT_P256, ",\"key_ops\":[\"verify\",\"verify\"]", false},
        {MINT_P256, ",\"key_ops\":[\"verify\",1]", false},
        {MINT_P256, ",\"key_ops\":\"verify\"", false},
        {MINT_P256, ",\"use\":\"enc\"", false},
        {MINT_P256, ",\"use\":\"\"", false},
        {MINT_P256, ",\"use\":null", false},
        {MINT_P256, ",\"use\":[\"sig\"]", false},
        {MINT_P256, ",\"alg\":\"ES384\"", false},
        {MINT_P256, ",\"alg\":\"RS256\"", false},
        {MINT_P256, ",\"alg\":\"HS256\"", false},
        {MINT_P256, ",\"alg\":\"none\"", false},
        {MINT_P256, ",\"alg\":\"ECDH-ES\"", false},
        {MINT_P256, ",\"alg\":null", false},
        {MINT_RSA, ",\"alg\":\"RSA-OAEP\"", false},
        {MINT_ED, ",\"alg\":\"ES256\"", false},
        {MINT_P256, ",\"kid\":7", false},
        {MINT_P256, ",\"kid\":\"\"", false},
        {MINT_P256, ",\"d\":\"AAAA\"", false},
        {MINT_P256, ",\"d\":null", false},
        {MINT_RSA, ",\"p\":\"AAAA\"", false},
        {MINT_RSA, ",\"oth\":[]", false},
        {MINT_ED, ",\"k\":\"AAAA\"", false},
    };
    struct buf text;
    buf_init(&text, MIB);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct jwk k = {0};
        buf_clear(&text);
        mint_jwk(&text, cases[i].key, cases[i].more);
        (void)buf_add_char(&text, '\0');
        enum err e = read_text(text.ptr, &k);
        if (e != (cases[i].ok ? ERR_OK : ERR_UNSUPPORTED))
            fail_msg("%s", text.ptr);
        jwk_release(&k);
    }
    buf_release(&text);
    mint_release();
}

#define X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"

static void test_numbers_are_strict(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
    } cases[] = {
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\"}",
         true},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "=\",\"y\":\"" Y "\"}",
         false},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\" " X "\",\"y\":\"" Y "\"}",
         false},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA" X "\",\"y\":\"" Y "\"}",
         false},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" X "\"}",
         false},
        {"{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" X "\",\"y\":\"" Y "\"}",
         false},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\"}", false},
        {"{\"kty\":\"EC\",\"x\":\"" X "\",\"y\":\"" Y "\"}", false},
        {"{\"kty\":\"EC\",\"crv\":7,\"x\":\"" X "\",\"y\":\"" Y "\"}", false},
        {"{\"kty\":\"ec\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\"}",
         false},
        {"{\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\"}", false},
        {"{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" X "\",\"y\":\"" Y
         "\"}",
         false},
        {"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" X "\"}", false},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"" X "\"}", false},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}", false},
        {"{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", false},
        {"{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"}", false},
        {"{\"kty\":\"RSA\",\"n\":[1],\"e\":65537}", false},
        {"{\"kty\":\"oct\",\"k\":\"AAAA\"}", false},
        {"{}", false},
        {"[]", false},
        {"\"key\"", false},
        {"null", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct jwk k = {0};
        enum err e = read_text(cases[i].text, &k);
        if (e != (cases[i].ok ? ERR_OK : ERR_UNSUPPORTED))
            fail_msg("%s", cases[i].text);
        jwk_release(&k);
    }
}

static void test_alg_binds_a_key(void **state)
{
    (void)state;
    struct buf text;
    struct jwk any = {0}, one = {0};
    buf_init(&text, MIB);
    mint_jwk(&text, MINT_RSA, "");
    (void)buf_add_char(&text, '\0');
    assert_int_equal(read_text(text.ptr, &any), ERR_OK);
    buf_clear(&text);
    mint_jwk(&text, MINT_RSA, ",\"alg\":\"RS384\"");
    (void)buf_add_char(&text, '\0');
    assert_int_equal(read_text(text.ptr, &one), ERR_OK);
    for (int alg = VERIFY_NONE; alg <= VERIFY_EDDSA; alg++) {
        assert_int_equal(jwk_fits(&any, (enum verify_alg)alg),
                         alg >= VERIFY_RS256 && alg <= VERIFY_PS512);
        assert_int_equal(jwk_fits(&one, (enum verify_alg)alg),
                         alg == VERIFY_RS384);
    }
    jwk_release(&any);
    jwk_release(&one);
    buf_release(&text);
    mint_release();
}

static void test_rfc_7517_keys(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        bool ok;
    } cases[] = {
        {"jwk/3_1.ec_public_key.json", true},
        {"jwk/3_2.ec_private_key.json", false},
        {"jwk/3_3.rsa_public_key.json", true},
        {"jwk/3_4.rsa_private_key.json", false},
        {"jwk/3_5.symmetric_key_mac_computation.json", false},
        {"jwk/3_6.symmetric_key_encryption.json", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a;
        struct jwk k = {0};
        arena_init(&a, MIB);
        const struct json *v = archive_json(&a, "jose", cases[i].file);
        if (v == NULL)
            skip();
        assert_int_equal(jwk_read(v, &k),
                         cases[i].ok ? ERR_OK : ERR_UNSUPPORTED);
        jwk_release(&k);
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_decide_whether_a_key_is_of_use),
        cmocka_unit_test(test_numbers_are_strict),
        cmocka_unit_test(test_alg_binds_a_key),
        cmocka_unit_test(test_rfc_7517_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
