/* Tests jws: published vectors (RFC 7515, 7520, 8037, 9449, Wycheproof), and
 * texts that are no compact serialisation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "archive.h"
#include "base/attr.h"
#include "base/limits.h"
#include "identity/jws.h"

/* The key as an issuer would publish it: without its private members, and
 * without those whose names are in `drop`. */
static const struct json *public_half(struct arena *a, const struct json *key,
                                      struct str drop)
{
    struct json_patch patches[9];
    static const struct str private[] = {STR_INIT("d"),  STR_INIT("p"),
                                         STR_INIT("q"),  STR_INIT("dp"),
                                         STR_INIT("dq"), STR_INIT("qi"),
                                         STR_INIT("oth")};
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(private); i++)
        patches[n++] = (struct json_patch){private[i], {NULL, 0}};
    patches[n++] = (struct json_patch){drop, {NULL, 0}};
    struct buf text;
    buf_init(&text, MIB);
    json_write(&text, key, patches, n);
    const struct json *v = NULL;
    assert_int_equal(json_read(a, buf_str(&text), &v, NULL), ERR_OK);
    buf_release(&text);
    return v;
}

/* Would that text be taken, if that were the issuer's key? */
static bool is_taken(struct arena *a, const struct json *key, struct str text)
{
    struct jwk k;
    struct jws j;
    if (jwk_read(key, &k) != ERR_OK)
        return false;
    bool valid = jws_read(a, text, &j) == ERR_OK && jws_verify(&j, &k) &&
                 (j.kid.len == 0 || k.kid.len == 0 || str_eq(j.kid, k.kid));
    jwk_release(&k);
    return valid;
}

/* By any key of a set, or by the one key. */
static bool is_taken_by_any(struct arena *a, const struct json *key,
                            struct str text)
{
    const struct json *keys = json_get(key, STR("keys"));
    if (keys == NULL)
        return is_taken(a, public_half(a, key, STR("")), text);
    bool taken = false;
    for (size_t i = 0; i < json_count(keys); i++)
        taken = is_taken(a, public_half(a, json_at(keys, i), STR("")), text) ||
                taken;
    return taken;
}

/* A MAC, an encrypted text: valid in itself, and not for us. */
static bool is_for_others(const struct json *key)
{
    const struct json *keys = json_get(key, STR("keys"));
    return json_is_string(json_get(keys == NULL ? key : json_at(keys, 0),
                                   STR("kty")),
                          STR("oct"));
}

/* RFC 7520's figures, signed by another algorithm than the key says. */
static bool is_by_another_alg(struct str comment)
{
    return str_starts(comment, STR("Figure"));
}

/* True when it is taken, which only what is valid may be. */
static bool run_case(struct arena *a, const struct json *key,
                     const struct json *test)
{
    struct str text;
    int64_t id;
    assert_true(json_i64(json_get(test, STR("tcId")), &id));
    if (!json_str(json_get(test, STR("jws")), &text))
        return false; /* encrypted, or another serialisation */
    bool valid = json_is_string(json_get(test, STR("result")), STR("valid"));
    bool taken = is_taken_by_any(a, key, text);
    if (taken && !valid)
        fail_msg("case %d is taken", (int)id);
    if (taken || !valid || is_for_others(key))
        return taken;
    if (!is_by_another_alg(archive_text(test, "comment")))
        fail_msg("case %d is refused", (int)id);
    assert_true(is_taken(a, public_half(a, key, STR("alg")), text));
    return false;
}

static unsigned run_group(struct arena *a, const struct json *group)
{
    const struct json *key = json_get(group, STR("public"));
    if (key == NULL)
        key = json_get(group, STR("private"));
    const struct json *tests = json_get(group, STR("tests"));
    unsigned taken = 0;
    for (size_t i = 0; i < json_count(tests); i++)
        taken += run_case(a, key, json_at(tests, i));
    return taken;
}

static void test_wycheproof(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        unsigned taken; /* cases that are valid and of a kind we know */
    } files[] = {
        {"json_web_signature_test.json", 32},
        {"json_web_key_test.json", 1},
        {"json_web_crypto_test.json", 2},
    };
    for (size_t f = 0; f < ARRAY_LEN(files); f++) {
        struct arena a;
        arena_init(&a, 256 * MIB);
        const struct json *root = archive_json(&a, "wycheproof", files[f].file);
        if (root == NULL)
            skip();
        const struct json *groups = json_get(root, STR("testGroups"));
        unsigned taken = 0;
        for (size_t i = 0; i < json_count(groups); i++)
            taken += run_group(&a, json_at(groups, i));
        if (taken < files[f].taken)
            fail_msg("%s: only %u taken", files[f].file, taken);
        arena_release(&a);
    }
}

/* Inserted characters are refused, whatever other readers make of them. */
static void test_wycheproof_372_and_373_are_no_base64url(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 64 * MIB);
    const struct json *root =
        archive_json(&a, "wycheproof", "json_web_signature_test.json");
    if (root == NULL)
        skip();
    const struct json *groups = json_get(root, STR("testGroups"));
    unsigned seen = 0;
    for (size_t g = 0; g < json_count(groups); g++) {
        const struct json *tests = json_get(json_at(groups, g), STR("tests"));
        for (size_t i = 0; i < json_count(tests); i++) {
            int64_t id;
            struct jws j;
            const struct json *test = json_at(tests, i);
            assert_true(json_i64(json_get(test, STR("tcId")), &id));
            if (id != 372 && id != 373)
                continue;
            assert_int_equal(jws_read(&a, archive_text(test, "jws"), &j),
                             ERR_MALFORMED);
            seen++;
        }
    }
    assert_int_equal(seen, 2);
    arena_release(&a);
}

static void test_rfc_7515(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 16 * MIB);
    const struct json *all =
        archive_json(&a, "jose", "rfc7515_7638_examples.json");
    if (all == NULL)
        skip();
    unsigned taken = 0, other = 0;
    for (size_t i = 0; i < json_count(all); i++) {
        const struct json *one = json_at(all, i);
        struct str compact = archive_text(one, "compact");
        if (compact.len == 0)
            continue;
        bool is_ours = verify_alg_from(archive_text(one, "alg")) != VERIFY_NONE;
        const struct json *key = json_get(one, STR("jwk"));
        bool got =
            key != NULL && is_taken(&a, public_half(&a, key, STR("")), compact);
        if (got != is_ours)
            fail_msg("%.*s", STR_FMT(archive_text(one, "id")));
        taken += got;
        other += !got;
    }
    assert_in_range(taken, 3, 10); /* A.2, A.3, A.4 */
    assert_in_range(other, 1, 10); /* A.1 at least */
    arena_release(&a);
}

static void test_rfc_7520_and_8037(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        bool taken;
    } cases[] = {
        {"jws/4_1.rsa_v15_signature.json", true},
        {"jws/4_2.rsa-pss_signature.json", true},
        {"jws/4_3.ecdsa_signature.json", true},
        {"jws/4_4.hmac-sha2_integrity_protection.json", false},
        {"curve25519/jws.json", true},
        {"rfc7797/hmac-sha2_b64_false.json", false},
        {"rfc7797/4.2.hmac-sha2_b64_false.json", false},
        {"jwe/5_1.key_encryption_using_rsa_v15_and_aes-hmac-sha2.json", false},
        {"jwe/5_6.direct_encryption_using_aes-gcm.json", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a;
        arena_init(&a, 16 * MIB);
        const struct json *v = archive_json(&a, "jose", cases[i].file);
        if (v == NULL)
            skip();
        const struct json *input = json_get(v, STR("input"));
        const struct json *key = json_get(input, STR("key"));
        struct str compact =
            archive_text(json_get(v, STR("output")), "compact");
        bool got = key != NULL && compact.len > 0 &&
                   is_taken(&a, public_half(&a, key, STR("")), compact);
        if (got != cases[i].taken)
            fail_msg("%s", cases[i].file);
        /* A private key is never an issuer's published one. */
        if (key != NULL)
            assert_false(is_taken(&a, key, compact));
        arena_release(&a);
    }
}

/* A proof of possession brings its own key: it is never a token. */
static void test_rfc_9449_proofs_are_refused(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 16 * MIB);
    const struct json *v = archive_json(&a, "dpop", "rfc9449_examples.json");
    if (v == NULL)
        skip();
    const struct json *proofs = json_get(v, STR("proofs"));
    assert_true(json_count(proofs) > 0);
    for (size_t i = 0; i < json_count(proofs); i++) {
        struct jws j;
        assert_int_equal(jws_read(&a, archive_text(json_at(proofs, i), "jwt"),
                                  &j),
                         ERR_MALFORMED);
    }
    arena_release(&a);
}

static void test_the_parts_of_a_text(void **state)
{
    (void)state;
    struct arena a;
    struct jws j;
    arena_init(&a, MIB);
    /* {"alg":"ES256","kid":"k","typ":"t"} . {} . AAAA */
    struct str text = STR("eyJhbGciOiJFUzI1NiIsImtpZCI6ImsiLCJ0eXAiOiJ0In0"
                          ".e30.AAAA");
    assert_int_equal(jws_read(&a, text, &j), ERR_OK);
    assert_int_equal(j.alg, VERIFY_ES256);
    assert_true(str_eq(j.kid, STR("k")));
    assert_true(str_eq(j.typ, STR("t")));
    assert_true(str_eq(j.payload, STR("{}")));
    assert_true(str_eq(j.signature, STR("\0\0\0")));
    assert_true(str_eq(j.signed_part, str_first(text, text.len - 5)));
    arena_release(&a);
}

static void test_what_is_no_compact_serialisation(void **state)
{
    (void)state;
#define HEAD "eyJhbGciOiJFUzI1NiJ9"
    static const struct str cases[] = {
        STR_INIT(""),
        STR_INIT("."),
        STR_INIT(".."),
        STR_INIT("..AAAA"),
        STR_INIT(HEAD),
        STR_INIT(HEAD "."),
        STR_INIT(HEAD ".."),
        STR_INIT(HEAD ".e30"),
        STR_INIT(HEAD ".e30."),
        STR_INIT(HEAD ".e30.AAAA."),
        STR_INIT(HEAD ".e30.AAAA.AAAA"),
        STR_INIT(HEAD ".e30.AAAA.AAAA.AAAA"),
        STR_INIT(HEAD ".e30.AAAA="),
        STR_INIT(HEAD ".e30=.AAAA"),
        STR_INIT(HEAD "=.e30.AAAA"),
        STR_INIT(" " HEAD ".e30.AAAA"),
        STR_INIT(HEAD ".e30.AAAA "),
        STR_INIT(HEAD ".e30.AAAA\n"),
        STR_INIT(HEAD ".e3 0.AAAA"),
        STR_INIT(HEAD ".e30.AA+A"),
        STR_INIT(HEAD ".e30.AA/A"),
        STR_INIT(HEAD ".e30.AAAB\0"),
        STR_INIT(HEAD ".e30.AAB"), /* set bits behind the last byte */
        STR_INIT(HEAD ".e31.AAAA"),
        STR_INIT(HEAD ".e30.A"),
        STR_INIT("{\"payload\":\"e30\",\"protected\":\"" HEAD
                 "\",\"signature\":\"AAAA\"}"),
    };
    struct arena a;
    arena_init(&a, MIB);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct jws j;
        if (jws_read(&a, cases[i], &j) != ERR_MALFORMED)
            fail_msg("%.*s", STR_FMT(cases[i]));
    }
    arena_release(&a);
}

static void test_sizes_are_bounded(void **state)
{
    (void)state;
    struct arena a;
    struct jws j;
    static char text[JWS_MAX + 1];
    arena_init(&a, MIB);
    memset(text, 'A', sizeof(text));
    memcpy(text, HEAD ".", sizeof(HEAD));
    text[sizeof(text) - 10] = '.';
    assert_int_equal(jws_read(&a, (struct str){text, sizeof(text)}, &j),
                     ERR_LIMIT);
    /* A header that is over its own limit, though the whole is not. */
    const size_t header = ((size_t)JWS_HEADER_MAX + 3) / 3 * 4;
    memset(text, 'A', sizeof(text));
    text[header] = '.';
    text[header + 4 + 1] = '.';
    assert_int_equal(jws_read(&a, (struct str){text, header + 10}, &j),
                     ERR_LIMIT);
    /* Memory runs out at every place. */
    for (size_t cap = 0; cap < 512; cap++) {
        struct arena small;
        arena_init(&small, cap);
        enum err e = jws_read(&small, STR(HEAD ".e30.AAAA"), &j);
        assert_true(e == ERR_OK || e == ERR_LIMIT);
        arena_release(&small);
    }
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wycheproof),
        cmocka_unit_test(test_wycheproof_372_and_373_are_no_base64url),
        cmocka_unit_test(test_rfc_7515),
        cmocka_unit_test(test_rfc_7520_and_8037),
        cmocka_unit_test(test_rfc_9449_proofs_are_refused),
        cmocka_unit_test(test_the_parts_of_a_text),
        cmocka_unit_test(test_what_is_no_compact_serialisation),
        cmocka_unit_test(test_sizes_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
