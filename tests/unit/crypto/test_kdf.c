/* Tests crypto/kdf: Wycheproof's HKDF-SHA-256 vectors, and the limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "crypto/kdf.h"
#include "vectors.h"

static void check_vector(yyjson_val *test)
{
    unsigned char key[256], salt[256], info[256];
    unsigned char want[KDF_OUT_MAX], got[KDF_OUT_MAX];
    struct str k = vectors_bytes(test, "ikm", key, sizeof(key));
    struct str s = vectors_bytes(test, "salt", salt, sizeof(salt));
    struct str i = vectors_bytes(test, "info", info, sizeof(info));
    struct str okm = vectors_bytes(test, "okm", want, sizeof(want));
    size_t n = vectors_number(test, "size");
    bool valid = str_eq(vectors_text(test, "result"), STR("valid"));

    assert_int_equal(kdf_derive(k, s, i, got, n), valid ? ERR_OK : ERR_LIMIT);
    if (valid) {
        assert_int_equal(n, okm.len);
        assert_memory_equal(got, want, n);
    }
}

static void test_wycheproof_hkdf_sha256(void **state)
{
    (void)state;
    yyjson_doc *doc = vectors_wycheproof("hkdf_sha256_test");
    if (doc == NULL)
        skip();
    size_t checked = 0, i, n, j, m;
    yyjson_val *group, *test;
    yyjson_arr_foreach(yyjson_obj_get(yyjson_doc_get_root(doc), "testGroups"),
                       i, n, group)
    {
        yyjson_arr_foreach(yyjson_obj_get(group, "tests"), j, m, test)
        {
            check_vector(test);
            checked++;
        }
    }
    yyjson_doc_free(doc);
    assert_int_equal(checked, 86);
}

static void test_sizes_out_of_range_are_refused(void **state)
{
    (void)state;
    char out[1];
    assert_int_equal(kdf_derive(STR("k"), STR(""), STR(""), out, 0), ERR_LIMIT);
    assert_int_equal(kdf_derive(STR("k"), STR(""), STR(""), out,
                                KDF_OUT_MAX + 1),
                     ERR_LIMIT);
}

static void test_scrypt_gives_what_rfc_7914_says(void **state)
{
    (void)state;
    static const struct {
        struct str passphrase, salt;
        struct kdf_cost cost;
        unsigned char begins[8];
    } cases[] = {
        {STR_INIT(""),
         STR_INIT(""),
         {16, 1, 1},
         {0x77, 0xd6, 0x57, 0x62, 0x38, 0x65, 0x7b, 0x20}},
        {STR_INIT("password"),
         STR_INIT("NaCl"),
         {1024, 8, 16},
         {0xfd, 0xba, 0xbe, 0x1c, 0x9d, 0x34, 0x72, 0x00}},
        {STR_INIT("pleaseletmein"),
         STR_INIT("SodiumChloride"),
         {16384, 8, 1},
         {0x70, 0x23, 0xbd, 0xcb, 0x3a, 0xfd, 0x73, 0x48}},
    };
    static const unsigned char whole[] = {
        0x77, 0xd6, 0x57, 0x62, 0x38, 0x65, 0x7b, 0x20, 0x3b, 0x19, 0xca,
        0x42, 0xc1, 0x8a, 0x04, 0x97, 0xf1, 0x6b, 0x48, 0x44, 0xe3, 0x07,
        0x4a, 0xe8, 0xdf, 0xdf, 0xfa, 0x3f, 0xed, 0xe2, 0x14, 0x42, 0xfc,
        0xd0, 0x06, 0x9d, 0xed, 0x09, 0x48, 0xf8, 0x32, 0x6a, 0x75, 0x3a,
        0x0f, 0xc8, 0x1f, 0x17, 0xe8, 0xd3, 0xe0, 0xfb, 0x2e, 0x0d, 0x36,
        0x28, 0xcf, 0x35, 0xe2, 0x0c, 0x38, 0xd1, 0x89, 0x06};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        unsigned char out[64];
        assert_int_equal(kdf_scrypt(cases[i].passphrase, cases[i].salt,
                                    &cases[i].cost, out, sizeof(out)),
                         ERR_OK);
        assert_memory_equal(out, cases[i].begins, sizeof(cases[i].begins));
        if (i == 0)
            assert_memory_equal(out, whole, sizeof(whole));
    }
}

static void test_costs_that_scrypt_does_not_know_are_refused(void **state)
{
    (void)state;
    static const struct kdf_cost bad[] = {
        {0, 8, 1},   {1, 8, 1},   {3, 8, 1},
        {16, 0, 1},  {16, 8, 0},  {UINT64_C(1) << 20, 8, 1},
        {16, 65, 1}, {16, 8, 17}, {UINT64_C(1) << 63, 1, 1},
    };
    char out[32];
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(kdf_scrypt(STR("p"), STR("s"), &bad[i], out,
                                    sizeof(out)),
                         ERR_LIMIT);
    const struct kdf_cost good = KDF_COST_LOGIN;
    assert_int_equal(kdf_scrypt(STR("p"), STR("s"), &good, out, sizeof(out)),
                     ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wycheproof_hkdf_sha256),
        cmocka_unit_test(test_sizes_out_of_range_are_refused),
        cmocka_unit_test(test_scrypt_gives_what_rfc_7914_says),
        cmocka_unit_test(test_costs_that_scrypt_does_not_know_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
