/* Tests proof_token: tokens that are almost good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "fixture.h"

#define GOOD "{\"sub\":\"alice\"," CORP "}"
#define GOOD_CHAIN "subject User corp|alice acme"
#define HEADER(rest) "{\"alg\":\"RS256\",\"kid\":\"rs-1\"" rest "}"
#define ACCESS ",\"typ\":\"at+jwt\""
#define ISS "\"iss\":\"https://corp.example\",\"sub\":\"alice\","

static void test_only_access_tokens_with_a_plain_header_are_taken(void **state)
{
    (void)state;
    static const struct {
        const char *header, *chain;
    } cases[] = {
        {RS, GOOD_CHAIN},
        {ES, GOOD_CHAIN},
        {ED, GOOD_CHAIN},
        {HEADER(",\"typ\":\"application/at+jwt\""), GOOD_CHAIN},
        {HEADER(",\"typ\":\"AT+JWT\""), GOOD_CHAIN},
        {HEADER(ACCESS ",\"x5t\":\"abc\",\"other\":1"), GOOD_CHAIN},
        {HEADER(""), ""},
        {HEADER(",\"typ\":\"JWT\""), ""},
        {HEADER(",\"typ\":\"jwt\""), ""},
        {HEADER(",\"typ\":\"\""), ""},
        {HEADER(",\"typ\":\"dpop+jwt\""), ""},
        {HEADER(",\"typ\":\"logout+jwt\""), ""},
        {HEADER(",\"typ\":\"secevent+jwt\""), ""},
        {HEADER(",\"typ\":\"at+jwt \""), ""},
        {HEADER(",\"typ\":[\"at+jwt\"]"), ""},
        {HEADER(",\"typ\":null"), ""},
        {HEADER(ACCESS ACCESS), ""},
        {HEADER(ACCESS ",\"crit\":[\"x-unknown\"],\"x-unknown\":1"), ""},
        {HEADER(ACCESS ",\"crit\":[]"), ""},
        {HEADER(ACCESS ",\"crit\":[\"b64\"],\"b64\":false"), ""},
        {HEADER(ACCESS ",\"b64\":false"), ""},
        {HEADER(ACCESS ",\"b64\":true"), ""},
        {HEADER(ACCESS ",\"zip\":\"DEF\""), ""},
        {HEADER(ACCESS ",\"enc\":\"A128GCM\""), ""},
        {HEADER(ACCESS ",\"jku\":\"http://127.0.0.1:9/jwks\""), ""},
        {HEADER(ACCESS ",\"x5u\":\"http://127.0.0.1:9/cert\""), ""},
        {HEADER(ACCESS ",\"x5c\":[\"AAAA\"]"), ""},
        {HEADER(ACCESS ",\"jwk\":{\"kty\":\"RSA\"}"), ""},
        {"{\"alg\":\"RS256\",\"kid\":\"rs-1\",\"alg\":\"RS256\"" ACCESS "}",
         ""},
        {"{\"kid\":\"rs-1\"" ACCESS "}", ""},
        {"{\"alg\":256,\"kid\":\"rs-1\"" ACCESS "}", ""},
        {"{\"alg\":\"RS256\",\"kid\":7" ACCESS "}", ""},
        {"{\"alg\":\"RS256\",\"kid\":\"\"" ACCESS "}", ""},
        /* What the header says is not how it was signed. */
        {"{\"alg\":\"ES256\",\"kid\":\"rs-1\"" ACCESS "}", ""},
        {"{\"alg\":\"PS256\",\"kid\":\"rs-1\"" ACCESS "}", ""},
        {"{\"alg\":\"RS384\",\"kid\":\"rs-1\"" ACCESS "}", ""},
        {"{\"alg\":\"HS256\",\"kid\":\"rs-1\"" ACCESS "}", ""},
        {"{\"alg\":\"none\",\"kid\":\"rs-1\"" ACCESS "}", ""},
        {"{\"alg\":\"nOnE\",\"kid\":\"rs-1\"" ACCESS "}", ""},
        {"[\"alg\",\"RS256\"]", ""},
        {"{\"alg\":\"RS256\"", ""},
        {"", ""},
        /* Without a kid, when only one key is for that algorithm. */
        {"{\"alg\":\"RS256\"" ACCESS "}", GOOD_CHAIN},
    };
    struct fixture f;
    fixture_open(&f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        fixture_expect(&f, fixture_token(&f, cases[i].header, GOOD),
                       cases[i].chain, cases[i].header);
    fixture_close(&f);
}

static void test_claims_have_to_be_right(void **state)
{
    (void)state;
#define AUD "\"aud\":\"writ\","
    static const struct {
        const char *what, *payload;
        bool ok;
    } cases[] = {
        {"as it should be", "{" ISS AUD TIMES "}", true},
        {"another audience", "{" ISS "\"aud\":\"other\"," TIMES "}", false},
        {"a longer one", "{" ISS "\"aud\":\"writ2\"," TIMES "}", false},
        {"the second of ours", "{" ISS "\"aud\":\"gw\"," TIMES "}", true},
        {"an array", "{" ISS "\"aud\":[\"other\",\"writ\"]," TIMES "}", true},
        {"none of ours", "{" ISS "\"aud\":[\"other\"]," TIMES "}", false},
        {"an empty array", "{" ISS "\"aud\":[]," TIMES "}", false},
        {"a mixed array", "{" ISS "\"aud\":[\"writ\",1]," TIMES "}", false},
        {"no audience", "{" ISS TIMES "}", false},
        {"another issuer",
         "{\"iss\":\"https://evil.example\",\"sub\":\"a\"," AUD TIMES "}",
         false},
        {"an issuer with a slash",
         "{\"iss\":\"https://corp.example/\",\"sub\":\"a\"," AUD TIMES "}",
         false},
        {"an issuer in capitals",
         "{\"iss\":\"https://CORP.example\",\"sub\":\"a\"," AUD TIMES "}",
         false},
        {"an issuer that is no string",
         "{\"iss\":[\"https://corp.example\"],\"sub\":\"a\"," AUD TIMES "}",
         false},
        {"no issuer", "{\"sub\":\"a\"," AUD TIMES "}", false},
        {"a sub twice", "{" ISS AUD "\"sub\":\"admin\"," TIMES "}", false},
        {"a sub that is no string",
         "{\"iss\":\"https://corp.example\",\"sub\":7," AUD TIMES "}", false},
        {"an ID token", "{" ISS AUD "\"at_hash\":\"x\"," TIMES "}", false},
        {"an ID token of a code", "{" ISS AUD "\"c_hash\":\"x\"," TIMES "}",
         false},
        {"a logout", "{" ISS AUD "\"events\":{}," TIMES "}", false},
        {"bound to a key", "{" ISS AUD "\"cnf\":{\"jkt\":\"x\"}," TIMES "}",
         false},
        {"an empty acr", "{" ISS AUD "\"acr\":\"\"," TIMES "}", false},
        {"an acr of control characters",
         "{" ISS AUD "\"acr\":\"a\\n\"," TIMES "}", false},
        {"an array", "[" ISS AUD TIMES "]", false},
        {"a string", "\"alice\"", false},
        {"nothing", "", false},
        {"two objects", "{" ISS AUD TIMES "}{}", false},
    };
    struct fixture f;
    fixture_open(&f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        fixture_expect(&f, fixture_token(&f, ES, cases[i].payload),
                       cases[i].ok ? GOOD_CHAIN : "", cases[i].what);
    fixture_close(&f);
}

static void test_times_have_to_be_right(void **state)
{
    (void)state;
    static const struct {
        const char *times;
        bool ok;
    } cases[] = {
        {"\"iat\":1799999000,\"exp\":1800000001", true},
        {"\"iat\":1799999000,\"exp\":1799999971", true}, /* within the skew */
        {"\"iat\":1799999000,\"exp\":1799999970", false},
        {"\"iat\":1799999000,\"exp\":1799999970.5", true},
        {"\"iat\":1799999000,\"exp\":1799999970.0000001", false},
        {"\"iat\":1799999000,\"exp\":1800000300.5", true},
        {"\"iat\":1799999000.123456789,\"exp\":1800000300", true},
        {"\"iat\":1799999000.1234567891,\"exp\":1800000300", false},
        {"\"iat\":1799999000,\"exp\":\"1800000300\"", false},
        {"\"iat\":\"1799999000\",\"exp\":1800000300", false},
        {"\"iat\":1799999000,\"exp\":1.8000003e9", false},
        {"\"iat\":1799999000,\"exp\":18e8", false},
        {"\"iat\":1799999000,\"exp\":-1", false},
        {"\"iat\":-1,\"exp\":1800000300", false},
        {"\"iat\":1799999000,\"exp\":null", false},
        {"\"iat\":1799999000,\"exp\":true", false},
        {"\"iat\":1799999000", false},
        {"\"exp\":1800000300", false},
        {"\"iat\":0,\"exp\":253402300799", true},
        {"\"iat\":0,\"exp\":253402300800", false},
        {"\"iat\":0,\"exp\":18446744073709551616", false},
        {"\"iat\":0,\"exp\":99999999999999999999999999999999", false},
        {"\"iat\":1800000030,\"exp\":1800000300", true}, /* within the skew */
        {"\"iat\":1800000031,\"exp\":1800000300", false},
        {"\"iat\":1799999000,\"exp\":1800000300,\"nbf\":1800000030", true},
        {"\"iat\":1799999000,\"exp\":1800000300,\"nbf\":1800000031", false},
        {"\"iat\":1799999000,\"exp\":1800000300,\"nbf\":\"0\"", false},
        {"\"iat\":1800000010,\"exp\":1800000010", false},
        {"\"iat\":1799999000,\"exp\":1800000300,\"auth_time\":1800000031",
         false},
        {"\"iat\":1799999000,\"exp\":1800000300,\"auth_time\":\"x\"", false},
    };
    struct fixture f;
    struct buf payload;
    buf_init(&payload, 64 * KIB);
    fixture_open(&f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        buf_clear(&payload);
        (void)buf_addf(&payload, "{" ISS AUD "%s}", cases[i].times);
        (void)buf_add_char(&payload, '\0');
        fixture_expect(&f, fixture_token(&f, ED, payload.ptr),
                       cases[i].ok ? GOOD_CHAIN : "", cases[i].times);
    }
    buf_release(&payload);
    fixture_close(&f);
}

static void test_tokens_over_the_age_of_their_issuer_are_refused(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
#define JOB(iat)                                                               \
    "{\"iss\":\"https://jobs.example\",\"aud\":\"writ\",\"sub\":\"job\","      \
    "\"exp\":1800009999,\"iat\":" iat "}"
    fixture_expect(&f, fixture_token(&f, ES, JOB("1799999070")),
                   "presenter Workload jobs|job acme", "15 minutes and skew");
    fixture_expect(&f, fixture_token(&f, ES, JOB("1799999069")), "", "older");
    struct str token = fixture_token(&f, ES, JOB("1799999100"));
    fixture_expect(&f, token, "presenter Workload jobs|job acme", "young");
    f.sources.now_us += 31000000;
    fixture_expect(&f, token, "", "grown old in the cache");
    fixture_close(&f);
}

static void test_the_token_of_a_workload_may_be_plain(void **state)
{
    (void)state;
#define SVID "{\"sub\":\"spiffe://example.org/job\","
#define SVID_CHAIN "presenter Workload spiffe://example.org/job acme"
#define POD "{\"sub\":\"system:serviceaccount:default:job\","
#define POD_CHAIN                                                              \
    "presenter Workload jobs|system:serviceaccount:default:job acme"
    static const struct {
        const char *what, *header, *payload, *chain;
    } cases[] = {
        {"JWT", HEADER(",\"typ\":\"JWT\""), SVID JOBS "}", SVID_CHAIN},
        {"JOSE", HEADER(",\"typ\":\"JOSE\""), SVID JOBS "}", SVID_CHAIN},
        {"no typ", HEADER(""), SVID JOBS "}", SVID_CHAIN},
        {"no SPIFFE id", HEADER(""), POD JOBS "}", POD_CHAIN},
        {"a person", HEADER(",\"typ\":\"JWT\""), SVID CORP "}", ""},
        {"EdDSA", "{\"alg\":\"EdDSA\",\"kid\":\"ed-1\",\"typ\":\"JWT\"}",
         SVID JOBS "}", ""},
        {"EdDSA without a SPIFFE id",
         "{\"alg\":\"EdDSA\",\"kid\":\"ed-1\",\"typ\":\"JWT\"}", POD JOBS "}",
         POD_CHAIN},
        {"an access token, too", ED, SVID JOBS "}", SVID_CHAIN},
        {"an agent", HEADER(""),
         "{\"sub\":\"a\",\"kind\":\"agent\",\"tenant\":\"acme\"," MIXED "}",
         ""},
        {"another", HEADER(",\"typ\":\"wit+jwt\""), SVID JOBS "}", ""},
        {"an ID token", HEADER(",\"typ\":\"JWT\""),
         "{\"sub\":\"a\",\"at_hash\":\"x\"," JOBS "}", ""},
    };
    struct fixture f;
    fixture_open(&f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        fixture_expect(&f, fixture_token(&f, cases[i].header, cases[i].payload),
                       cases[i].chain, cases[i].what);
    fixture_close(&f);
}

/* What a test issuer mints that is not signed by its keys, or not as said. */
static void test_forged_tokens_are_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct buf b, jwk;
    fixture_open(&f);
    buf_init(&b, MIB);
    buf_init(&jwk, MIB);
#define REFUSED(what)                                                          \
    do {                                                                       \
        fixture_expect(&f, buf_str(&b), "", what);                             \
        buf_clear(&b);                                                         \
    } while (0)

    mint_unsigned(&b, "{\"alg\":\"none\",\"typ\":\"at+jwt\"}", GOOD, "");
    REFUSED("none");
    mint_unsigned(&b, "{\"alg\":\"none\",\"typ\":\"at+jwt\"}", GOOD, "AAAA");
    REFUSED("none with a signature");
    mint_unsigned(&b, RS, GOOD, "");
    REFUSED("a signature stripped");
    mint_unsigned(&b, ES, GOOD, "AAAA");
    REFUSED("a signature too short");

    mint_jwk(&jwk, MINT_RSA, "");
    mint_mac(&b, buf_str(&jwk),
             "{\"alg\":\"HS256\",\"kid\":\"rs-1\",\"typ\":\"at+jwt\"}", GOOD);
    REFUSED("HS256 with the public key");
    mint_mac(&b, buf_str(&jwk), RS, GOOD);
    REFUSED("a MAC that says RS256");

    mint_token(&b, MINT_P384, "ES384", ES, GOOD);
    REFUSED("a key of somebody else");
    mint_token(&b, MINT_RSA, "PS256", RS, GOOD);
    REFUSED("PSS that says PKCS1");
    mint_token(&b, MINT_P256, "ES256",
               "{\"alg\":\"ES256\",\"kid\":\"rs-1\",\"typ\":\"at+jwt\"}", GOOD);
    REFUSED("the kid of another key");

    /* Good signatures of other bytes. */
    struct str good = fixture_token(&f, ES, GOOD);
    (void)buf_add(&b, good);
    b.ptr[good.len - 10] = b.ptr[good.len - 10] == 'A' ? 'B' : 'A';
    REFUSED("a byte of the signature changed");
    (void)buf_add(&b, good);
    b.ptr[str_find(good, '.') + 5] ^= 1;
    REFUSED("a byte of the payload changed");
    (void)buf_add(&b, good);
    (void)BUF_LIT(&b, "=");
    REFUSED("padding");
    (void)buf_add(&b, good);
    (void)BUF_LIT(&b, ".AAAA");
    REFUSED("a fourth part");
    (void)buf_add(&b, good);
    (void)BUF_LIT(&b, ".AAAA.AAAA");
    REFUSED("five parts: encrypted");
    (void)BUF_LIT(&b, " ");
    (void)buf_add(&b, str_skip(good, 0));
    fixture_expect(&f, buf_str(&b), GOOD_CHAIN, "blanks after the scheme");
    fixture_close(&f);
    buf_release(&b);
    buf_release(&jwk);
}

static void test_a_key_that_is_not_there_is_wanted(void **state)
{
    (void)state;
#define KID(kid) "{\"alg\":\"RS256\",\"kid\":\"" kid "\",\"typ\":\"at+jwt\"}"
    static const struct {
        const char *what, *header, *payload, *kid;
        size_t issuer;
        enum proof_verdict verdict;
    } cases[] = {
        {"an unknown kid", KID("nope"), GOOD, "nope", ISSUER_CORP,
         PROOF_KEY_WANTED},
        {"of another issuer", KID("nope-2"), "{\"sub\":\"a\"," JOBS "}",
         "nope-2", ISSUER_JOBS, PROOF_KEY_WANTED},
        {"a path", KID("../../../../dev/null"), GOOD, "../../../../dev/null",
         ISSUER_CORP, PROOF_KEY_WANTED},
        {"a query", KID("x' UNION SELECT 'k'--"), GOOD, "x' UNION SELECT 'k'--",
         ISSUER_CORP, PROOF_KEY_WANTED},
        {"a prefix", KID("rs-"), GOOD, "rs-", ISSUER_CORP, PROOF_KEY_WANTED},
        {"of an unknown issuer", KID("nope"),
         "{\"iss\":\"https://"
         "evil.example\",\"sub\":\"a\",\"aud\":\"writ\"," TIMES "}",
         "", 0, PROOF_REFUSED},
        {"of an expired token", KID("nope"),
         "{" ISS "\"aud\":\"writ\",\"iat\":1,\"exp\":2}", "", 0, PROOF_REFUSED},
        {"for another audience", KID("nope"),
         "{" ISS "\"aud\":\"other\"," TIMES "}", "", 0, PROOF_REFUSED},
        {"not an access token", "{\"alg\":\"RS256\",\"kid\":\"nope\"}", GOOD,
         "", 0, PROOF_REFUSED},
    };
    struct fixture f;
    fixture_open(&f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct proof *p = NULL;
        struct str token = fixture_token(&f, cases[i].header, cases[i].payload);
        enum proof_verdict v = fixture_prove(&f, token, &p);
        if (v != cases[i].verdict)
            fail_msg("%s", cases[i].what);
        assert_null(p);
        if (v != PROOF_KEY_WANTED)
            continue;
        assert_int_equal(f.wish.issuer, cases[i].issuer);
        assert_true(str_eq(f.wish.kid, str_from(cases[i].kid)));
    }
    fixture_close(&f);
}

static void test_stale_keys_are_not_used_but_wanted(void **state)
{
    (void)state;
    struct fixture f;
    struct buf jwks;
    struct proof *p = NULL;
    size_t bad;
    buf_init(&jwks, MIB);
    fixture_open(&f);
    fixture_jwks(&jwks);
    struct issuers_keys keys[ISSUER_COUNT] = {{buf_str(&jwks), NOW_US + 1},
                                              {{NULL, 0}, INT64_MAX}};
    struct issuers *stale;
    assert_int_equal(issuers_new(fixture_settings(), keys, &stale, &bad),
                     ERR_OK);
    f.sources.issuers = stale;

    struct str token = fixture_token(&f, RS, GOOD);
    assert_int_equal(fixture_prove(&f, token, &p), PROOF_GIVEN);
    proof_unref(p);
    f.sources.now_us++;
    for (int pass = 0; pass < 2; pass++) {
        assert_int_equal(fixture_prove(&f, token, &p), PROOF_KEY_WANTED);
        assert_int_equal(f.wish.issuer, ISSUER_CORP);
        assert_true(str_eq(f.wish.kid, STR("rs-1")));
    }
    token = fixture_token(&f, "{\"alg\":\"RS256\",\"typ\":\"at+jwt\"}",
                          "{\"sub\":\"a\",\"kind\":\"human\","
                          "\"tenant\":\"acme\"," MIXED "}");
    assert_int_equal(fixture_prove(&f, token, &p), PROOF_KEY_WANTED);
    assert_int_equal(f.wish.issuer, ISSUER_MIXED);
    assert_int_equal(f.wish.kid.len, 0);

    f.sources.issuers = NULL;
    assert_int_equal(fixture_prove(&f, token, &p), PROOF_REFUSED);
    issuers_unref(stale);
    buf_release(&jwks);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_access_tokens_with_a_plain_header_are_taken),
        cmocka_unit_test(test_claims_have_to_be_right),
        cmocka_unit_test(test_times_have_to_be_right),
        cmocka_unit_test(test_tokens_over_the_age_of_their_issuer_are_refused),
        cmocka_unit_test(test_the_token_of_a_workload_may_be_plain),
        cmocka_unit_test(test_forged_tokens_are_refused),
        cmocka_unit_test(test_a_key_that_is_not_there_is_wanted),
        cmocka_unit_test(test_stale_keys_are_not_used_but_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
