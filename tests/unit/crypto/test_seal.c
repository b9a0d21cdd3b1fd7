/* Tests crypto/seal: Wycheproof, round trips, everything that must not open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "crypto/seal.h"
#include "vectors.h"

static const unsigned char some_key[SEAL_KEY_LEN] = {1, 2, 3};

static struct seal_key *key_of(const unsigned char *bytes)
{
    struct seal_key *k = NULL;
    assert_int_equal(seal_key_new(bytes, &k), ERR_OK);
    return k;
}

static void check_vector(yyjson_val *test)
{
    unsigned char key[SEAL_KEY_LEN], nonce[64], tag[64];
    unsigned char data[1024], plain[1024], sealed[1024], opened[1024];
    struct seal_stamp stamp;
    assert_int_equal(vectors_bytes(test, "key", key, sizeof(key)).len,
                     SEAL_KEY_LEN);
    assert_int_equal(vectors_bytes(test, "iv", nonce, sizeof(nonce)).len,
                     SEAL_NONCE_LEN);
    assert_int_equal(vectors_bytes(test, "tag", tag, sizeof(tag)).len,
                     SEAL_TAG_LEN);
    memcpy(stamp.nonce, nonce, sizeof(stamp.nonce));
    memcpy(stamp.tag, tag, sizeof(stamp.tag));
    struct str ad = vectors_bytes(test, "aad", data, sizeof(data));
    struct str want = vectors_bytes(test, "msg", plain, sizeof(plain));
    struct str box = vectors_bytes(test, "ct", sealed, sizeof(sealed));
    bool valid = str_eq(vectors_text(test, "result"), STR("valid"));

    struct seal_key *k = key_of(key);
    enum err e = seal_open(k, ad, &stamp, box, opened);
    seal_key_free(k);
    assert_int_equal(e, valid ? ERR_OK : ERR_CORRUPT);
    if (valid)
        assert_true(str_eq((struct str){(char *)opened, box.len}, want));
}

static void test_wycheproof_aes_256_gcm_with_our_sizes(void **state)
{
    (void)state;
    yyjson_doc *doc = vectors_wycheproof("aes_gcm_test");
    if (doc == NULL)
        skip();
    size_t checked = 0, i, n, j, m;
    yyjson_val *group, *test;
    yyjson_arr_foreach(yyjson_obj_get(yyjson_doc_get_root(doc), "testGroups"),
                       i, n, group)
    {
        if (vectors_number(group, "keySize") != 8UL * SEAL_KEY_LEN ||
            vectors_number(group, "ivSize") != 8UL * SEAL_NONCE_LEN ||
            vectors_number(group, "tagSize") != 8UL * SEAL_TAG_LEN)
            continue;
        yyjson_arr_foreach(yyjson_obj_get(group, "tests"), j, m, test)
        {
            check_vector(test);
            checked++;
        }
    }
    yyjson_doc_free(doc);
    assert_int_equal(checked, 66);
}

static void test_what_was_closed_opens_at_every_length(void **state)
{
    (void)state;
    struct seal_key *k = key_of(some_key);
    char plain[100], box[100], opened[100];
    for (size_t i = 0; i < sizeof(plain); i++)
        plain[i] = (char)i;
    for (size_t n = 0; n <= sizeof(plain); n++) {
        struct seal_stamp stamp;
        struct str text = {plain, n};
        assert_int_equal(seal_close(k, text, text, box, &stamp), ERR_OK);
        assert_int_equal(seal_open(k, text, &stamp, (struct str){box, n},
                                   opened),
                         ERR_OK);
        assert_memory_equal(plain, opened, n);
    }
    seal_key_free(k);
}

static void test_a_box_opens_in_place(void **state)
{
    (void)state;
    struct seal_key *k = key_of(some_key);
    char text[] = "in place";
    struct str s = {text, sizeof(text)};
    struct seal_stamp stamp;
    assert_int_equal(seal_close(k, STR("d"), s, text, &stamp), ERR_OK);
    assert_memory_not_equal(text, "in place", sizeof(text));
    assert_int_equal(seal_open(k, STR("d"), &stamp, s, text), ERR_OK);
    assert_string_equal(text, "in place");
    seal_key_free(k);
}

static void test_every_flipped_bit_is_refused_and_nothing_is_shown(void **state)
{
    (void)state;
    struct seal_key *k = key_of(some_key);
    /* Nonce, tag, data and box in a row, so that one loop flips them all. */
    struct {
        struct seal_stamp stamp;
        char data[4];
        char box[5];
    } sent = {.data = "data"};
    struct str data = {sent.data, sizeof(sent.data)};
    struct str box = {sent.box, sizeof(sent.box)};
    assert_int_equal(seal_close(k, data, STR("hello"), sent.box, &sent.stamp),
                     ERR_OK);
    for (size_t bit = 0; bit < sizeof(sent) * 8; bit++) {
        char opened[5] = "xxxxx";
        ((unsigned char *)&sent)[bit / 8] ^= (unsigned char)(1U << bit % 8);
        assert_int_equal(seal_open(k, data, &sent.stamp, box, opened),
                         ERR_CORRUPT);
        assert_memory_equal(opened, "\0\0\0\0\0", 5);
        ((unsigned char *)&sent)[bit / 8] ^= (unsigned char)(1U << bit % 8);
    }
    seal_key_free(k);
}

static void test_a_nonce_is_never_used_twice(void **state)
{
    (void)state;
    struct seal_key *k = key_of(some_key);
    struct seal_stamp stamps[64];
    char box[1];
    for (size_t i = 0; i < 64; i++) {
        assert_int_equal(seal_close(k, STR(""), STR("x"), box, &stamps[i]),
                         ERR_OK);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(stamps[i].nonce, stamps[j].nonce,
                                    SEAL_NONCE_LEN);
    }
    seal_key_free(k);
}

static void test_lengths_over_the_limit_are_refused(void **state)
{
    (void)state;
    struct seal_key *k = key_of(some_key);
    char byte = 0;
    struct str huge = {&byte, SEAL_BYTES_MAX + 1};
    struct seal_stamp stamp = {{0}, {0}};
    assert_int_equal(seal_close(k, huge, STR(""), &byte, &stamp), ERR_LIMIT);
    assert_int_equal(seal_close(k, STR(""), huge, &byte, &stamp), ERR_LIMIT);
    assert_int_equal(seal_open(k, STR(""), &stamp, huge, &byte), ERR_LIMIT);
    seal_key_free(k);
    seal_key_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wycheproof_aes_256_gcm_with_our_sizes),
        cmocka_unit_test(test_what_was_closed_opens_at_every_length),
        cmocka_unit_test(test_a_box_opens_in_place),
        cmocka_unit_test(
            test_every_flipped_bit_is_refused_and_nothing_is_shown),
        cmocka_unit_test(test_a_nonce_is_never_used_twice),
        cmocka_unit_test(test_lengths_over_the_limit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
