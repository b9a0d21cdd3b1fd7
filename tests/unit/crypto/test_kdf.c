/* Tests crypto/kdf: Wycheproof's HKDF-SHA-256 vectors, and the limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wycheproof_hkdf_sha256),
        cmocka_unit_test(test_sizes_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
