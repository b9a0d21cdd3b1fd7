/* Tests pipeline/payload: digests under the key of their session, whole or in
 * pieces, for more sessions than there are places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pipeline/action.h"
#include "pipeline/payload.h"
#include "pipeline/snapshot.h"
#include "pipeline/worker.h"
#include "session/session.h"

enum { MANY = 4 * PAYLOAD_KEYS };

static struct session_table *table;
static struct snapshot snapshot;
static struct worker worker;

static int set_up(void **state)
{
    (void)state;
    memset(&snapshot, 0, sizeof(snapshot));
    worker = (struct worker){0};
    return session_table_new(&table) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    payload_keys_release(&worker.payload_keys);
    session_table_free(table);
    return 0;
}

/* The session of somebody, whose key is `fill` over and over. */
static struct session *session_of(unsigned number, unsigned char fill)
{
    const struct session_limits limits = {60000, 60000};
    char name[16], key[SESSION_KEY_LEN];
    struct session *s = NULL;
    bool is_new = false;

    (void)snprintf(name, sizeof(name), "s%u", number);
    memset(key, fill, sizeof(key));
    const struct session_owner who = {.tenant = STR("acme"),
                                      .subject = str_from(name)};
    assert_int_equal(session_find(table, &who, &limits, 0, &s, &is_new),
                     ERR_OK);
    if (is_new)
        session_set_key(s, (struct str){key, sizeof(key)});
    return s;
}

static struct action action_of(struct session *s)
{
    return (
        struct action){.worker = &worker, .snapshot = &snapshot, .session = s};
}

static void a_digest_is_the_hmac_under_the_sessions_key(void **state)
{
    unsigned char got[HASH_LEN], key[SESSION_KEY_LEN];
    struct session *s = session_of(1, 9);
    const struct action a = action_of(s);
    const struct str text = STR("What do ya want for nothing?");

    (void)state;
    memset(key, 9, sizeof(key));
    struct hmac_key *k =
        hmac_key_new((struct str){(const char *)key, sizeof(key)});
    struct hash want = hmac_sha256(k, &text, 1);
    assert_true(payload_hmac(&a, text, got));
    assert_memory_equal(got, want.bytes, HASH_LEN);
    hmac_key_free(k);
    session_unref(s);
}

static void pieces_are_as_good_as_the_whole(void **state)
{
    unsigned char whole[HASH_LEN], got[HASH_LEN];
    struct session *s = session_of(1, 9);
    const struct action a = action_of(s);
    struct payload_digest d;

    (void)state;
    assert_true(payload_hmac(&a, STR("one two"), whole));
    payload_digest_begin(&d, &a);
    payload_digest_add(&d, STR("one"));
    payload_digest_add(&d, STR(""));
    payload_digest_add(&d, STR(" two"));
    assert_true(payload_digest_end(&d, got));
    assert_memory_equal(got, whole, HASH_LEN);
    assert_false(payload_digest_end(&d, got)); /* once */
    payload_digest_drop(&d);
    session_unref(s);
}

/* Sessions push each other's keys out, also under a digest that is open. */
static void more_sessions_than_places(void **state)
{
    unsigned char first[HASH_LEN], got[HASH_LEN], open[HASH_LEN];
    struct session *s[MANY];
    struct payload_digest d;

    (void)state;
    for (unsigned i = 0; i < MANY; i++)
        s[i] = session_of(i, (unsigned char)i);
    const struct action a = action_of(s[0]);
    assert_true(payload_hmac(&a, STR("text"), first));
    payload_digest_begin(&d, &a);
    payload_digest_add(&d, STR("te"));
    for (unsigned i = 1; i < MANY; i++) {
        const struct action other = action_of(s[i]);
        assert_true(payload_hmac(&other, STR("text"), got));
        assert_memory_not_equal(got, first, HASH_LEN);
    }
    payload_digest_add(&d, STR("xt"));
    assert_true(payload_digest_end(&d, open));
    assert_memory_equal(open, first, HASH_LEN);
    assert_true(payload_hmac(&a, STR("text"), got));
    assert_memory_equal(got, first, HASH_LEN);
    for (unsigned i = 0; i < MANY; i++)
        session_unref(s[i]);
}

static void none_are_made_where_none_are_wanted(void **state)
{
    unsigned char got[HASH_LEN] = {0}, zero[HASH_LEN] = {0};
    struct session *s = session_of(1, 9);
    const struct action a = action_of(s);
    struct payload_digest d;

    (void)state;
    snapshot.settings.ledger.payloads = PAYLOADS_NONE;
    assert_false(payload_hmac(&a, STR("text"), got));
    payload_digest_begin(&d, &a);
    payload_digest_add(&d, STR("text"));
    assert_false(payload_digest_end(&d, got));
    assert_memory_equal(got, zero, HASH_LEN);
    payload_digest_drop(&d);
    session_unref(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_digest_is_the_hmac_under_the_sessions_key),
        TEST(pieces_are_as_good_as_the_whole),
        TEST(more_sessions_than_places),
        TEST(none_are_made_where_none_are_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
