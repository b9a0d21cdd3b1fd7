/* Tests crypto/hash against FIPS 180-4 and RFC 4231; streams; threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/text.h"
#include "crypto/hash.h"

static void assert_hash(struct hash h, const char *hex)
{
    char got[TEXT_HEX_LEN(HASH_LEN) + 1] = {0};
    text_hex(h.bytes, HASH_LEN, got);
    /* RFC 4231 also gives a value cut to 128 bits. */
    assert_true(strlen(hex) <= sizeof(got) - 1);
    assert_memory_equal(got, hex, strlen(hex));
}

static void test_sha256_gives_the_values_of_fips_180(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        const char *hex;
    } cases[] = {
        {STR_INIT(""),
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {STR_INIT("abc"),
         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {STR_INIT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {STR_INIT("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                  "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"),
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_hash(hash_sha256(&cases[i].text, 1), cases[i].hex);
}

static void test_pieces_are_hashed_one_after_the_other(void **state)
{
    (void)state;
    const struct str pieces[] = {STR("a"), {NULL, 0}, STR("bc")};
    assert_hash(
        hash_sha256(pieces, ARRAY_LEN(pieces)),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_hash(
        hash_sha256(NULL, 0),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void test_a_million_bytes_in_a_stream(void **state)
{
    (void)state;
    char run[1000];
    memset(run, 'a', sizeof(run));
    struct hash_stream s = {0};
    hash_stream_begin(&s, NULL);
    for (unsigned i = 0; i < 1000; i++)
        hash_stream_add(&s, (struct str){run, sizeof(run)});
    assert_hash(
        hash_stream_end(&s),
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* RFC 4231, section 4: key and data as a byte repeated, or as text. */
struct rfc4231_case {
    unsigned char key_byte;
    size_t key_len;
    const char *key;
    unsigned char data_byte;
    size_t data_len;
    const char *data;
    const char *hex;
};

static const struct rfc4231_case rfc4231[] = {
    {0x0b, 20, NULL, 0, 8, "Hi There",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {0, 4, "Jefe", 0, 28, "what do ya want for nothing?",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {0xaa, 20, NULL, 0xdd, 50, NULL,
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {0, 25,
     "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12"
     "\x13\x14\x15\x16\x17\x18\x19",
     0xcd, 50, NULL,
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
    {0x0c, 20, NULL, 0, 20, "Test With Truncation",
     "a3b6167473100ee06e0c796c2955552b"},
    {0xaa, 131, NULL, 0, 54,
     "Test Using Larger Than Block-Size Key - Hash Key First",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {0xaa, 131, NULL, 0, 152,
     "This is a test using a larger than block-size key and a larger than "
     "block-size data. The key needs to be hashed before being used by the "
     "HMAC algorithm.",
     "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
};

static struct str repeat_or_text(char *room, const char *text,
                                 unsigned char byte, size_t len)
{
    if (text != NULL)
        return (struct str){text, len};
    memset(room, byte, len);
    return (struct str){room, len};
}

static void test_hmac_gives_the_values_of_rfc_4231(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rfc4231); i++) {
        const struct rfc4231_case *c = &rfc4231[i];
        char key_room[256];
        char data_room[256];
        struct str key =
            repeat_or_text(key_room, c->key, c->key_byte, c->key_len);
        struct str data =
            repeat_or_text(data_room, c->data, c->data_byte, c->data_len);

        struct hmac_key *k = hmac_key_new(key);
        assert_hash(hmac_sha256(k, &data, 1), c->hex);
        assert_hash(hmac_sha256(k, &data, 1), c->hex); /* prepared for many */

        struct hash_stream s = {0};
        hash_stream_begin(&s, k);
        hmac_key_free(k); /* the stream has what it needs */
        for (size_t at = 0; at < data.len; at++)
            hash_stream_add(&s, (struct str){data.ptr + at, 1});
        assert_hash(hash_stream_end(&s), c->hex);
    }
}

static void test_a_dropped_stream_leaves_nothing_behind(void **state)
{
    (void)state;
    struct hash_stream s = {0};
    hash_stream_drop(&s); /* idle: allowed */
    hash_stream_begin(&s, NULL);
    hash_stream_add(&s, STR("something"));
    hash_stream_drop(&s);
    hash_stream_drop(&s);
    hash_stream_begin(&s, NULL);
    hash_stream_add(&s, STR("abc"));
    assert_hash(
        hash_stream_end(&s),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hash_stream_drop(&s);
}

static void test_more_streams_than_the_pool_keeps(void **state)
{
    (void)state;
    struct hash_stream s[200] = {{0}};
    for (size_t i = 0; i < ARRAY_LEN(s); i++)
        hash_stream_begin(&s[i], NULL);
    for (size_t i = 0; i < ARRAY_LEN(s); i++)
        hash_stream_add(&s[i], STR("abc"));
    for (size_t i = 0; i < ARRAY_LEN(s); i++)
        assert_hash(
            hash_stream_end(&s[i]),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void *hash_in_a_thread(void *arg)
{
    (void)arg;
    struct hmac_key *k = hmac_key_new(STR("Jefe"));
    const struct str data = STR("what do ya want for nothing?");
    for (unsigned i = 0; i < 500; i++)
        assert_hash(
            hmac_sha256(k, &data, 1),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    hmac_key_free(k);
    struct hash_stream s = {0};
    hash_stream_begin(&s, NULL);
    hash_stream_drop(&s);
    return NULL;
}

/* Leaks at thread exit are found by the sanitizer, races by TSan. */
static void test_threads_have_contexts_of_their_own(void **state)
{
    (void)state;
    pthread_t threads[8];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hash_in_a_thread,
                                        NULL),
                         0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void test_random_bytes_differ_and_wiped_bytes_are_gone(void **state)
{
    (void)state;
    unsigned char a[300] = {0};
    unsigned char b[300] = {0};
    hash_random(a, sizeof(a));
    hash_random(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    assert_memory_not_equal(a + 284, b + 284, 16); /* filled to the end */
    hash_random(NULL, 0);

    struct siphash_key x = hash_random_seed();
    struct siphash_key y = hash_random_seed();
    assert_true(x.k0 != y.k0 || x.k1 != y.k1);

    hash_wipe(a, sizeof(a));
    for (size_t i = 0; i < sizeof(a); i++)
        assert_int_equal(a[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256_gives_the_values_of_fips_180),
        cmocka_unit_test(test_pieces_are_hashed_one_after_the_other),
        cmocka_unit_test(test_a_million_bytes_in_a_stream),
        cmocka_unit_test(test_hmac_gives_the_values_of_rfc_4231),
        cmocka_unit_test(test_a_dropped_stream_leaves_nothing_behind),
        cmocka_unit_test(test_more_streams_than_the_pool_keeps),
        cmocka_unit_test(test_threads_have_contexts_of_their_own),
        cmocka_unit_test(test_random_bytes_differ_and_wiped_bytes_are_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
