/* Tests trust/trust against issuers that fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "fixture.h"
#include "os/clock.h"

/* One issuer, "a", alone. */
static void use_one(struct world *w)
{
    w->settings.issuer_count = 1;
    world_use(w);
}

static struct trust_state state_of(const struct world *w, size_t issuer)
{
    struct trust_state states[ISSUERS];
    assert_true(trust_states(w->trust, states, ISSUERS) > issuer);
    return states[issuer];
}

static bool has_failed(struct world *w, size_t n)
{
    (void)n;
    return state_of(w, 0).why.len > 0;
}

/* --- where keys come from --- */

static void test_keys_come_from_where_discovery_says(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    use_one(&w);
    assert_int_equal(w.changes, 0); /* never from inside */
    world_wait(&w, has_keys, 0);
    assert_true(world_has_key(&w, 0, "one"));
    assert_false(world_has_key(&w, 0, "two"));
    assert_int_equal(w.idps[0].openid.asked, 1);
    assert_int_equal(w.idps[0].keys.asked, 1);
    assert_int_equal(world_asked(&w.idps[0]), 2);
    struct trust_state s = state_of(&w, 0);
    assert_true(s.usable);
    assert_int_equal(s.why.len, 0);
    assert_true(str_eq(s.alias, STR("a")));
    int64_t age_us = clock_wall_us() - s.fetched_us;
    assert_true(age_us > -1000000 && age_us < 20000000);
    assert_string_equal(w.log, "cc");
    world_close(&w);
}

static void test_the_path_of_rfc_8414_is_tried_second(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    w.idps[0].openid.answer = ANSWER_404;
    use_one(&w);
    world_wait(&w, has_keys, 0);
    assert_int_equal(w.idps[0].openid.asked, 1);
    assert_int_equal(w.idps[0].oauth.asked, 1);
    assert_int_equal(w.bad, 0);
    world_close(&w);
}

static void test_a_fixed_url_needs_no_discovery(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    w.issuers[0].jwks = str_from(w.idps[0].jwks_uri);
    w.issuers[0].issuer = STR("kubernetes/serviceaccount");
    use_one(&w);
    world_wait(&w, has_keys, 0);
    assert_int_equal(world_asked(&w.idps[0]), 1);
    world_close(&w);
}

static void test_issuers_are_reached_over_tls(void **state)
{
    (void)state;
    struct world w;
    world_open_tls(&w);
    w.issuers[1].ca = STR(""); /* the system's, which do not know it */
    world_use(&w);
    world_wait(&w, has_keys, 0);
    world_wait(&w, has_bad, 1);
    assert_false(world_has_key(&w, 1, ""));
    assert_int_equal(world_asked(&w.idps[1]), 0);
    world_close(&w);
}

/* --- failures --- */

/* clang-format off */
static const struct failure {
    const char *name;
    enum { OF_OPENID, OF_KEYS } of;
    enum answer answer;
    const char *text;
    const char *why;
} failures[] = {
    {"a 500", OF_KEYS, ANSWER_500, NULL, "its keys: answered 500"},
    {"a 404", OF_KEYS, ANSWER_404, NULL, "its keys: answered 404"},
    {"a redirect", OF_KEYS, ANSWER_REDIRECT, NULL, "its keys: answered 302"},
    {"a reset", OF_KEYS, ANSWER_RESET, NULL, "its keys: the destination gave no usable answer"},
    {"silence", OF_KEYS, ANSWER_HANG, NULL, "no answer in time"},
    {"a drip", OF_KEYS, ANSWER_DRIP, NULL, "no answer in time"},
    {"a cut body", OF_KEYS, ANSWER_CUT, NULL, "its keys: the destination gave no usable answer"},
    {"a huge set", OF_KEYS, ANSWER_HUGE, NULL, "its keys: too large"},
    {"garbage", OF_KEYS, ANSWER_TEXT, "{\"keys\":[{", "its keys: not a key set"},
    {"nothing", OF_KEYS, ANSWER_TEXT, "", "its keys: not a key set"},
    {"two sets in one", OF_KEYS, ANSWER_TEXT, "{\"keys\":[],\"keys\":[]}", "its keys: not a key set"},
    {"an empty set", OF_KEYS, ANSWER_TEXT, "{\"keys\":[]}", "its keys: none of them may be used"},
    {"a secret key", OF_KEYS, ANSWER_TEXT, "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ\"}]}", "its keys: none of them may be used"},
    {"a 500 of discovery", OF_OPENID, ANSWER_500, NULL, "its discovery: answered 500"},
    {"a redirect of discovery", OF_OPENID, ANSWER_REDIRECT, NULL, "its discovery: answered 302"},
    {"a silent discovery", OF_OPENID, ANSWER_HANG, NULL, "no answer in time"},
    {"a huge discovery", OF_OPENID, ANSWER_HUGE, NULL, "its discovery: too large"},
    {"garbage for discovery", OF_OPENID, ANSWER_TEXT, "<html>", "its discovery: is no JSON object"},
    {"another issuer", OF_OPENID, ANSWER_TEXT, "{\"issuer\":\"https://evil.example\",\"jwks_uri\":\"https://evil.example/keys\"}", "its discovery: names another issuer"},
};
/* clang-format on */

static void set_failure(struct world *w, const struct failure *f)
{
    struct document *d =
        f->of == OF_KEYS ? &w->idps[0].keys : &w->idps[0].openid;
    d->answer = f->answer;
    d->text = f->text;
    if (f->answer == ANSWER_HANG || f->answer == ANSWER_DRIP)
        w->times.fetch_ms = 300;
    world_set_times(w);
}

/* Where time ran out is a matter of luck on a busy machine. */
static void check_why(const struct world *w, const struct failure *f)
{
    bool is_late = f->answer == ANSWER_HANG || f->answer == ANSWER_DRIP;
    const char *why = is_late ? strstr(w->why, "no answer in time") : w->why;
    if (why == NULL || strcmp(why, f->why) != 0)
        fail_msg("%s: %s", f->name, w->why);
}

static void end_failure(struct world *w)
{
    w->idps[0].keys.answer = w->idps[0].openid.answer = ANSWER_OK;
    w->times.fetch_ms = 10000;
    world_set_times(w);
}

static void test_without_an_answer_there_are_no_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        struct world w;
        world_open(&w);
        set_failure(&w, &failures[i]);
        use_one(&w);
        world_wait(&w, has_bad, 1);
        check_why(&w, &failures[i]);
        world_wait(&w, has_changes, 1);
        assert_false(world_has_key(&w, 0, ""));
        assert_false(state_of(&w, 0).usable);
        assert_int_equal(state_of(&w, 0).fetched_us, 0);
        end_failure(&w);
        world_wait(&w, has_good, 1);
        world_wait(&w, has_keys, 0);
        assert_int_equal(w.bad, 1); /* said once, however often */
        world_close(&w);
    }
}

static void test_an_issuer_that_fails_keeps_its_keys(void **state)
{
    (void)state;
    struct world w;
    size_t bad = 0;
    world_open(&w);
    w.issuers[0].refresh_ms = 20;
    use_one(&w);
    world_wait(&w, has_keys, 0);
    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        set_failure(&w, &failures[i]);
        world_wait(&w, has_bad, ++bad);
        check_why(&w, &failures[i]);
        world_turn(&w, 10);
        assert_true(world_has_key(&w, 0, "one"));
        assert_true(state_of(&w, 0).usable);
        end_failure(&w);
        world_wait(&w, has_good, bad);
        assert_true(world_has_key(&w, 0, "one"));
    }
    world_close(&w);
}

static void test_nobody_there_and_somebody_rude(void **state)
{
    (void)state;
    struct world w;
    char rude[64];
    world_open(&w);
    w.issuers[0].jwks = STR("http://127.0.0.1:1/keys");
    (void)snprintf(rude, sizeof(rude), "http://127.0.0.1:%d/keys", w.rude_port);
    w.issuers[1].jwks = str_from(rude);
    world_use(&w);
    world_wait(&w, has_bad, 2);
    assert_true(w.rudeness > 0);
    assert_true(str_eq(state_of(&w, 0).why,
                       STR("its keys: the destination cannot be reached")));
    assert_true(str_starts(state_of(&w, 1).why, STR("its keys: ")));
    world_close(&w);
}

static void test_failures_are_repeated_ever_later(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    w.times.retry_min_ms = 80;
    w.times.retry_max_ms = 320;
    world_set_times(&w);
    w.idps[0].openid.answer = ANSWER_500;
    int64_t began_ms = clock_monotonic_ms();
    use_one(&w);
    while (w.idps[0].openid.asked < 4)
        world_turn(&w, 5);
    /* 80, 160 and 320, less an eighth. */
    assert_true(clock_monotonic_ms() - began_ms >= 480);
    world_close(&w);
}

static void test_what_discovery_may_name(void **state)
{
    /* clang-format off */
    static const struct {
        const char *jwks_uri;
        const char *why;
    } rows[] = {
        {"", "its discovery: names no jwks_uri"},
        {"http://keys.example/keys", "its discovery: plain http:// is for loopback only"},
        {"file:///etc/passwd", "its discovery: "},
        {"https://user@keys.example/keys", "its discovery: "},
        {"ftp://127.0.0.1/keys", "its discovery: expected https:// (or http:// to loopback)"},
    };
    /* clang-format on */
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world w;
        world_open(&w);
        (void)snprintf(w.idps[0].jwks_uri, sizeof(w.idps[0].jwks_uri), "%s",
                       rows[i].jwks_uri);
        use_one(&w);
        world_wait(&w, has_bad, 1);
        if (strncmp(w.why, rows[i].why, strlen(rows[i].why)) != 0)
            fail_msg("%s: %s", rows[i].jwks_uri, w.why);
        assert_int_equal(w.idps[0].keys.asked, 0);
        world_close(&w);
    }
}

/* --- time --- */

static void test_a_refresh_without_change_says_nothing(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    w.issuers[0].refresh_ms = 10;
    use_one(&w);
    world_wait(&w, has_keys, 0);
    uint64_t number = issuers_number(w.now);
    while (w.idps[0].keys.asked < 5)
        world_turn(&w, 10);
    assert_string_equal(w.log, "cc");
    assert_true(issuers_number(w.now) == number);
    world_close(&w);
}

static bool has_key_two(struct world *w, size_t n)
{
    return world_has_key(w, n, "two");
}

static void test_a_rotated_set_replaces_the_old_one(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    w.issuers[0].refresh_ms = 10;
    use_one(&w);
    world_wait(&w, has_keys, 0);
    uint64_t number = issuers_number(w.now);
    w.idps[0].keys.answer = ANSWER_TEXT;
    w.idps[0].keys.text = set_two;
    world_wait(&w, has_key_two, 0);
    assert_false(world_has_key(&w, 0, "one"));
    assert_true(issuers_number(w.now) != number);
    assert_string_equal(w.log, "ccc");
    world_close(&w);
}

static bool has_no_keys(struct world *w, size_t n)
{
    return !world_has_key(w, n, "");
}

static void test_keys_that_are_too_old_go(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    w.issuers[0].refresh_ms = 100;
    w.issuers[0].max_stale_ms = 1000;
    use_one(&w);
    world_wait(&w, has_keys, 0);
    w.idps[0].keys.answer = ANSWER_500;
    world_wait(&w, has_no_keys, 0);
    struct trust_state s = state_of(&w, 0);
    assert_true(clock_wall_us() - s.fetched_us >= 990 * (int64_t)1000);
    assert_false(s.usable);
    assert_true(str_eq(s.why, STR("its keys: answered 500")));
    assert_int_equal(w.bad, 2); /* it fails; its keys are gone */
    w.idps[0].keys.answer = ANSWER_OK;
    world_wait(&w, has_keys, 0);
    assert_int_equal(w.good, 1);
    world_close(&w);
}

static void test_no_refresh_is_too_late(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    w.issuers[0].max_stale_ms = 3000; /* and refresh_ms is an hour */
    use_one(&w);
    world_wait(&w, has_keys, 0);
    while (w.idps[0].keys.asked < 2) {
        world_turn(&w, 20);
        assert_true(world_has_key(&w, 0, "one"));
    }
    assert_int_equal(w.bad, 0);
    world_close(&w);
}

/* --- wants --- */

static void test_a_want_soon_after_a_fetch_is_answered_at_once(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    use_one(&w);
    world_wait(&w, has_keys, 0);
    for (int i = 0; i < 100; i++)
        trust_want(w.trust, 0);
    assert_int_equal(w.wants, 0); /* never from inside */
    world_wait(&w, has_wants, 1);
    world_turn(&w, 30);
    assert_int_equal(w.wants, 1);
    assert_int_equal(w.wanted, 0);
    assert_int_equal(world_asked(&w.idps[0]), 2);
    world_close(&w);
}

static void test_a_want_fetches_once_for_all(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    w.times.want_ms = 20;
    world_set_times(&w);
    use_one(&w);
    world_wait(&w, has_keys, 0);
    world_turn(&w, 40);
    w.idps[0].keys.answer = ANSWER_TEXT;
    w.idps[0].keys.text = set_two;
    trust_want(w.trust, 0);
    w.times.want_ms = TRUST_WANT_MS;
    world_set_times(&w);
    for (int i = 0; i < 100; i++)
        trust_want(w.trust, 0);
    world_wait(&w, has_wants, 1);
    assert_true(world_has_key(&w, 0, "two"));
    assert_int_equal(w.idps[0].keys.asked, 2);
    /* And the next one is too early again. */
    trust_want(w.trust, 0);
    world_wait(&w, has_wants, 2);
    assert_int_equal(w.idps[0].keys.asked, 2);
    assert_string_equal(w.log, "cccww");
    world_close(&w);
}

static void test_a_want_ends_with_a_fetch_that_fails(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    w.times.want_ms = 0;
    w.times.fetch_ms = 300;
    world_set_times(&w);
    w.idps[0].keys.answer = ANSWER_HANG;
    use_one(&w);
    trust_want(w.trust, 0); /* joins the first one, which has yet to begin */
    world_wait(&w, has_wants, 1);
    assert_int_equal(w.bad, 1);
    assert_true(has_failed(&w, 0));
    assert_false(world_has_key(&w, 0, ""));
    world_close(&w);
}

/* --- configurations --- */

static void test_a_reload_keeps_and_drops(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    world_use(&w);
    world_wait(&w, has_keys, 0);
    world_wait(&w, has_keys, 1);

    /* "b" alone, with something else that changes. */
    w.settings.issuers = &w.issuers[1];
    w.settings.issuer_count = 1;
    w.issuers[1].skew_ms = 1000;
    size_t changes = w.changes;
    world_use(&w);
    world_wait(&w, has_changes, changes + 1);
    assert_int_equal(issuers_count(w.now), 1);
    assert_true(world_has_key(&w, 0, "two"));
    assert_int_equal(world_asked(&w.idps[1]), 2);

    /* Both again: "a" begins anew. */
    w.settings.issuers = w.issuers;
    w.settings.issuer_count = 2;
    world_use(&w);
    world_wait(&w, has_changes, changes + 2);
    assert_true(world_has_key(&w, 1, "two"));
    world_wait(&w, has_keys, 0);
    assert_int_equal(world_asked(&w.idps[1]), 2);
    assert_int_equal(world_asked(&w.idps[0]), 4);

    /* None. */
    w.settings.issuer_count = 0;
    changes = w.changes;
    world_use(&w);
    world_wait(&w, has_changes, changes + 1);
    assert_int_equal(issuers_count(w.now), 0);
    assert_int_equal(trust_states(w.trust, NULL, 0), 0);
    world_close(&w);
}

static void test_another_url_is_another_issuer(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    use_one(&w);
    world_wait(&w, has_keys, 0);
    w.issuers[0].jwks = str_from(w.idps[1].jwks_uri);
    size_t changes = w.changes;
    world_use(&w);
    world_wait(&w, has_changes, changes + 1);
    assert_false(world_has_key(&w, 0, "one"));
    world_wait(&w, has_key_two, 0);
    world_close(&w);
}

static void test_who_waits_hears_of_a_reload_by_the_old_number(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    w.idps[1].keys.answer = ANSWER_HANG;
    world_use(&w);
    trust_want(w.trust, 1);
    world_turn(&w, 50);
    assert_int_equal(w.wants, 0);
    w.settings.issuers = &w.issuers[1]; /* "b" becomes number 0 */
    w.settings.issuer_count = 1;
    world_use(&w);
    assert_int_equal(w.wants, 0);
    world_wait(&w, has_wants, 1);
    assert_int_equal(w.wanted, 1);
    trust_want(w.trust, 1); /* a number of before */
    world_wait(&w, has_wants, 2);
    assert_int_equal(w.wanted, 1);
    world_close(&w);
}

static void test_a_reload_may_find_keys_too_old(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    use_one(&w);
    world_wait(&w, has_keys, 0);
    world_turn(&w, 50);
    w.idps[0].keys.answer = ANSWER_500;
    w.issuers[0].max_stale_ms = 20;
    world_use(&w);
    world_wait(&w, has_no_keys, 0);
    assert_false(state_of(&w, 0).usable);
    world_wait(&w, has_bad, 1);
    world_close(&w);
}

static void test_a_broken_configuration_changes_nothing(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    world_use(&w);
    world_wait(&w, has_keys, 0);
    world_wait(&w, has_keys, 1);
    const struct issuer_settings good = w.issuers[1];
    const char *const urls[] = {"http://keys.example/", "idp", "",
                                "https://idp.example/?q", "ldap://127.0.0.1/"};

    w.issuers[1].ca = STR("/nowhere/ca.pem");
    assert_int_equal(trust_use(w.trust, &w.settings), ERR_CONFIG);
    w.issuers[1] = good;
    w.issuers[1].alias = STR("a");
    assert_int_equal(trust_use(w.trust, &w.settings), ERR_CONFIG);
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        w.issuers[1] = good;
        w.issuers[1].issuer = str_from(urls[i]);
        assert_int_equal(trust_use(w.trust, &w.settings), ERR_CONFIG);
    }
    size_t changes = w.changes;
    world_turn(&w, 30);
    assert_int_equal(w.changes, changes);
    assert_true(world_has_key(&w, 1, "two"));
    assert_int_equal(trust_states(w.trust, NULL, 0), 2);

    w.issuers[1].issuer = STR("http://keys.example/");
    w.issuers[1].insecure = true;
    world_use(&w);
    world_close(&w);
}

static void test_the_end_comes_at_any_time(void **state)
{
    (void)state;
    for (int64_t ms = 0; ms < 60; ms += 5) {
        struct world w;
        world_open(&w);
        w.idps[1].keys.answer = ANSWER_DRIP;
        world_use(&w);
        trust_want(w.trust, 1);
        world_turn(&w, ms);
        world_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_come_from_where_discovery_says),
        cmocka_unit_test(test_the_path_of_rfc_8414_is_tried_second),
        cmocka_unit_test(test_a_fixed_url_needs_no_discovery),
        cmocka_unit_test(test_issuers_are_reached_over_tls),
        cmocka_unit_test(test_without_an_answer_there_are_no_keys),
        cmocka_unit_test(test_an_issuer_that_fails_keeps_its_keys),
        cmocka_unit_test(test_nobody_there_and_somebody_rude),
        cmocka_unit_test(test_failures_are_repeated_ever_later),
        cmocka_unit_test(test_what_discovery_may_name),
        cmocka_unit_test(test_a_refresh_without_change_says_nothing),
        cmocka_unit_test(test_a_rotated_set_replaces_the_old_one),
        cmocka_unit_test(test_keys_that_are_too_old_go),
        cmocka_unit_test(test_no_refresh_is_too_late),
        cmocka_unit_test(test_a_want_soon_after_a_fetch_is_answered_at_once),
        cmocka_unit_test(test_a_want_fetches_once_for_all),
        cmocka_unit_test(test_a_want_ends_with_a_fetch_that_fails),
        cmocka_unit_test(test_a_reload_keeps_and_drops),
        cmocka_unit_test(test_another_url_is_another_issuer),
        cmocka_unit_test(test_who_waits_hears_of_a_reload_by_the_old_number),
        cmocka_unit_test(test_a_reload_may_find_keys_too_old),
        cmocka_unit_test(test_a_broken_configuration_changes_nothing),
        cmocka_unit_test(test_the_end_comes_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
