/* Tests evidence: how each kind of entry is handed to the ledger. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "evidence/evidence.h"
#include "os/loop.h"

/* --- a ledger that only remembers; it stands in for ledger_client.c ------- */

struct ledger_client {
    unsigned calls;
    enum err answer;
    struct ledger_append last;
    struct ledger_wait *wait;
    char entry[2 * ENTRY_MAX];
    size_t len;
};

enum err ledger_client_append(struct ledger_client *c,
                              const struct ledger_append *a,
                              struct ledger_wait *w)
{
    assert_true(a->entry.len > 0 && a->entry.len <= ENTRY_MAX);
    c->calls++;
    c->last = *a;
    c->wait = w;
    c->len = a->entry.len;
    memcpy(c->entry, a->entry.ptr, a->entry.len);
    return c->answer;
}

static struct ledger_client ledger;
static struct loop *loop;
static struct evidence *ev;

static int set_up(void **state)
{
    (void)state;
    ledger = (struct ledger_client){.answer = ERR_OK};
    assert_int_equal(loop_new(&loop), ERR_OK);
    assert_int_equal(evidence_new(loop, &ledger, STR("gw-1"), &ev), ERR_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    evidence_free(ev);
    loop_free(loop);
    return 0;
}

static bool says(const char *part)
{
    return memmem(ledger.entry, ledger.len, part, strlen(part)) != NULL;
}

static void rule_25_an_intent_opens_and_is_awaited(void **state)
{
    (void)state;
    struct ledger_wait w = {.done = NULL};
    const struct evidence_intent f = {.action = ACTION_MODEL_INVOKE};
    assert_int_equal(evidence_intent(ev, &f, &w), ERR_OK);
    assert_int_equal(ledger.last.class, LEDGER_AWAITED);
    assert_true(ledger.last.opens);
    assert_int_equal(ledger.last.closes, LEDGER_NO_INDEX);
    assert_ptr_equal(ledger.wait, &w);
    assert_true(says("\"kind\":\"intent\",\"node\":\"gw-1\""));
}

static void rule_25_an_outcome_closes_and_rides_along(void **state)
{
    (void)state;
    struct ledger_wait w = {.done = NULL};
    const struct evidence_outcome f = {.intent = 7, .status = OUTCOME_OK};
    assert_int_equal(evidence_outcome(ev, &f, NULL), ERR_OK);
    assert_int_equal(ledger.last.class, LEDGER_LAZY);
    assert_false(ledger.last.opens);
    assert_int_equal(ledger.last.closes, 7);
    assert_null(ledger.wait);

    /* Results of tools with risk above read wait for theirs. */
    assert_int_equal(evidence_outcome(ev, &f, &w), ERR_OK);
    assert_int_equal(ledger.last.class, LEDGER_AWAITED);
    assert_ptr_equal(ledger.wait, &w);

    evidence_outcome_unknown(ev, 9);
    assert_int_equal(ledger.last.closes, 9);
    assert_true(says("\"status\":\"unknown\""));
}

static void rule_25_denials_are_appended_not_awaited(void **state)
{
    (void)state;
    const struct evidence_refusal f = {.error = ERR_DENIED};
    evidence_refusal(ev, &f);
    assert_int_equal(ledger.last.class, LEDGER_LAZY);
    assert_int_equal(ledger.last.closes, LEDGER_NO_INDEX);
    assert_false(ledger.last.opens);
    assert_null(ledger.wait);
    assert_true(says("\"kind\":\"refusal\""));
}

static void rule_25_unauthenticated_refusals_are_aggregated(void **state)
{
    (void)state;
    int64_t now = loop_now_ms(loop);
    for (int i = 0; i < 1000; i++)
        evidence_unknown(ev, ERR_UNAUTHENTICATED, STR("192.0.2.1"));
    evidence_unknown(ev, ERR_UNAUTHENTICATED, STR("192.0.2.2"));
    assert_int_equal(ledger.calls, 0);
    evidence_sweep(ev, now + EVIDENCE_WINDOW_MS - 1000);
    assert_int_equal(ledger.calls, 0);
    evidence_sweep(ev, now + EVIDENCE_WINDOW_MS + 1000);
    assert_int_equal(ledger.calls, 2);
    evidence_unknown(ev, ERR_UNAUTHENTICATED, STR("192.0.2.3"));
    evidence_flush(ev);
    assert_int_equal(ledger.calls, 3);
    assert_true(says("\"count\":1,"));
    assert_int_equal(ledger.last.class, LEDGER_LAZY);
}

static void test_ports_are_no_part_of_a_source(void **state)
{
    (void)state;
    static const struct {
        const char *peer, *source;
    } cases[] = {
        {"192.0.2.1:5000", "\"192.0.2.1\""},
        {"192.0.2.1", "\"192.0.2.1\""},
        {"[2001:db8::1]:5000", "\"2001:db8::1\""},
        {"[2001:db8::1", "\"2001:db8::1\""},
        {"2001:db8::1", "\"2001:db8::1\""},
        {"::1", "\"::1\""},
        {":", "\"salt\""}, /* nothing is left: no source */
        {"", "\"salt\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ledger.calls = 0;
        evidence_unknown(ev, ERR_UNAUTHENTICATED, str_from(cases[i].peer));
        evidence_flush(ev);
        assert_int_equal(ledger.calls, 1);
        assert_true(says(cases[i].source));
    }
}

static void
test_lifecycle_names_the_state_in_full_and_is_committed(void **state)
{
    (void)state;
    struct evidence_state s = {0};
    memset(s.config.bytes, 0xab, sizeof(s.config.bytes));
    evidence_use(ev, &s);
    memset(&s, 0, sizeof(s)); /* it was copied */
    evidence_lifecycle(ev, STR("start"), (struct str){NULL, 0});
    assert_int_equal(ledger.last.class, LEDGER_AWAITED);
    assert_null(ledger.wait);
    assert_true(says("\"event\":\"start\""));
    assert_true(says("\"config\":\"abababababababababababababababababababababab"
                     "abababababababababab\""));
}

static void test_a_session_rides_along(void **state)
{
    (void)state;
    const struct evidence_session f = {.id = {1}, .tenant = STR("acme")};
    evidence_session(ev, &f);
    assert_int_equal(ledger.last.class, LEDGER_LAZY);
    assert_true(says("\"kind\":\"session\""));
}

static void test_what_cannot_be_recorded_is_refused(void **state)
{
    (void)state;
    struct ledger_wait w = {.done = NULL};
    static char text[ENTRY_TEXT_MAX];
    memset(text, 1, sizeof(text)); /* six bytes each, once escaped */
    const struct str long_text = {text, sizeof(text)};
    struct evidence_route route = {.candidate_count = ENTRY_CANDIDATES_MAX};
    for (unsigned i = 0; i < route.candidate_count; i++)
        route.candidates[i] = (struct evidence_candidate){long_text, long_text};
    struct evidence_intent f = {.route = &route};
    assert_int_equal(evidence_intent(ev, &f, &w), ERR_LIMIT);
    assert_int_equal(ledger.calls, 0);

    f.route = NULL; /* the next one is not harmed */
    ledger.answer = ERR_EVIDENCE;
    assert_int_equal(evidence_intent(ev, &f, &w), ERR_EVIDENCE);
    assert_int_equal(ledger.calls, 1);
}

static void test_every_entry_has_its_own_salt(void **state)
{
    (void)state;
    char before[32] = "";
    const struct evidence_session f = {.id = {1}};
    for (int i = 0; i < 600; i++) { /* over the end of the pool */
        static const char name[] = "\"salt\":\"";
        evidence_session(ev, &f);
        const char *at =
            memmem(ledger.entry, ledger.len, name, sizeof(name) - 1);
        assert_non_null(at);
        at += sizeof(name) - 1;
        assert_memory_not_equal(at, before, sizeof(before));
        memcpy(before, at, sizeof(before));
    }
    unsigned char a[16];
    unsigned char b[16];
    evidence_random(ev, a, sizeof(a));
    evidence_random(ev, b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(rule_25_an_intent_opens_and_is_awaited),
        TEST(rule_25_an_outcome_closes_and_rides_along),
        TEST(rule_25_denials_are_appended_not_awaited),
        TEST(rule_25_unauthenticated_refusals_are_aggregated),
        TEST(test_ports_are_no_part_of_a_source),
        TEST(test_lifecycle_names_the_state_in_full_and_is_committed),
        TEST(test_a_session_rides_along),
        TEST(test_what_cannot_be_recorded_is_refused),
        TEST(test_every_entry_has_its_own_salt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
