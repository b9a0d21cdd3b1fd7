/* Tests app/gateway_replay: what is read back of a real log, and what of it
 * counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/gateway_replay.h"
#include "base/attr.h"
#include "base/container.h"
#include "evidence/entry.h"
#include "ledger/journal.h"
#include "limit/limit_replay.h"
#include "os/loop.h"
#include "os/timer.h"

enum { PATIENCE_MS = 20000, SEEN_MAX = 64 };
#define START (INT64_C(1795132800) * 1000000)

/* A replay and what came of it. */
struct bench {
    char dir[32];
    struct journal *journal;
    struct loop *loop;
    struct timer patience;
    uint64_t seen[SEEN_MAX];
    size_t seen_count;
    uint64_t fail_at; /* `each` fails there */
    unsigned done;
    enum err err;
    uint64_t next;
    char why[256];
    struct limit_replay limits;
};

static void too_late(struct timer *t)
{
    (void)t;
    fail_msg("nothing came");
}

static int set_up(void **state)
{
    static struct bench b;
    b = (struct bench){.fail_at = UINT64_MAX};
    (void)snprintf(b.dir, sizeof(b.dir), "/tmp/writ-replay-XXXXXX");
    assert_non_null(mkdtemp(b.dir));
    assert_int_equal(loop_new(&b.loop), ERR_OK);
    timer_set(b.loop, &b.patience, PATIENCE_MS, too_late);
    *state = &b;
    return 0;
}

static int drop(const char *path, const struct stat *st, int type,
                struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    timer_cancel(&b->patience);
    (void)journal_close(b->journal);
    loop_free(b->loop);
    assert_int_equal(nftw(b->dir, drop, 8, FTW_DEPTH | FTW_PHYS), 0);
    return 0;
}

static void add(struct bench *b, struct str text)
{
    if (b->journal == NULL) {
        char dir[64];
        struct segment_trouble trouble;
        (void)snprintf(dir, sizeof(dir), "%s/ledger", b->dir);
        const struct journal_options o = {.dir = dir, .node = STR("gw-1")};
        assert_int_equal(journal_open(&o, &trouble, &b->journal), ERR_OK);
    }
    uint64_t index;
    const struct journal_entry e = {.text = text, .closes = JOURNAL_NONE};
    assert_int_equal(journal_add(b->journal, &e, &index), ERR_OK);
    assert_int_equal(journal_commit(b->journal, START), ERR_OK);
}

static enum err on_entry(void *user, const struct json *entry, uint64_t index)
{
    struct bench *b = user;
    assert_true(b->seen_count < SEEN_MAX);
    b->seen[b->seen_count++] = index;
    if (index == b->fail_at)
        return ERR_NO_MEMORY;
    return b->limits.counters == NULL
               ? ERR_OK
               : limit_replay_entry(&b->limits, entry, index);
}

static void on_done(void *user, enum err e, uint64_t next, struct str why)
{
    struct bench *b = user;
    b->done++;
    b->err = e;
    b->next = next;
    assert_true(why.len < sizeof(b->why));
    memcpy(b->why, why.ptr, why.len);
    b->why[why.len] = '\0';
    loop_stop(b->loop);
}

static struct gateway_replay *begin(struct bench *b, uint64_t from)
{
    const struct gateway_replay_options o = {b->dir, from, on_entry, on_done,
                                             b};
    struct gateway_replay *r = NULL;
    b->seen_count = 0;
    b->done = 0;
    assert_int_equal(gateway_replay_start(b->loop, &o, &r), ERR_OK);
    return r;
}

static void replay(struct bench *b, uint64_t from)
{
    struct gateway_replay *r = begin(b, from);
    loop_run(b->loop);
    assert_int_equal(b->done, 1);
    gateway_replay_free(r);
}

static void test_entries_that_matter_are_told_from_their_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool want;
    } rows[] = {
        {"{\"kind\":\"outcome\",\"v\":1}", true},
        {"{\"kind\":\"admin\"}", true},
        {"{\"kind\":\"revocation\"}", true},
        {"{\"chain\":[{\"kind\":\"agent\"}],\"kind\":\"intent\","
         "\"limits\":[]}",
         true},
        {"{\"chain\":[{\"kind\":\"agent\"}],\"kind\":\"intent\"}", false},
        {"{\"kind\":\"intent\",\"purpose\":\"\\\"limits\\\":[\"}", false},
        {"{\"kind\":\"refusal\"}", false},
        {"{\"kind\":\"session\"}", false},
        {"{\"kind\":\"outcomes\"}", false},
        {"{\"detail\":\"\\\"kind\\\":\\\"outcome\\\"\",\"kind\":\"lifecycle\"}",
         false},
        {"{\"kind\":", false},
        {"", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (gateway_replay_wants(str_from(rows[i].text)) != rows[i].want)
            print_error("%s\n", rows[i].text);
        assert_int_equal(gateway_replay_wants(str_from(rows[i].text)),
                         rows[i].want);
    }
}

static void test_a_log_is_read_from_any_entry_to_its_end(void **state)
{
    struct bench *b = *state;
    static const char *const kinds[] = {"lifecycle", "outcome",    "refusal",
                                        "admin",     "revocation", "session"};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        char text[64];
        int n = snprintf(text, sizeof(text), "{\"kind\":\"%s\"}", kinds[i]);
        add(b, (struct str){text, (size_t)n});
    }
    static const struct {
        uint64_t from;
        size_t count;
        uint64_t first, next;
    } rows[] = {{0, 3, 1, 6}, {1, 3, 1, 6}, {2, 2, 3, 6}, {4, 1, 4, 6},
                {5, 0, 0, 6}, {6, 0, 0, 6}, {9, 0, 0, 9}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        replay(b, rows[i].from);
        assert_int_equal(b->err, ERR_OK);
        assert_int_equal(b->seen_count, rows[i].count);
        assert_int_equal(b->next, rows[i].next);
        if (rows[i].count > 0)
            assert_int_equal(b->seen[0], rows[i].first);
    }
}

static void test_no_log_is_an_empty_one(void **state)
{
    struct bench *b = *state;
    replay(b, 0);
    assert_int_equal(b->err, ERR_OK);
    assert_int_equal(b->next, 0);
}

static void test_an_error_ends_it_and_says_where(void **state)
{
    struct bench *b = *state;
    for (unsigned i = 0; i < 5; i++)
        add(b, STR("{\"kind\":\"outcome\"}"));
    b->fail_at = 3;
    replay(b, 1);
    assert_int_equal(b->err, ERR_NO_MEMORY);
    assert_int_equal(b->seen_count, 3);
    assert_non_null(strstr(b->why, "entry 3"));
    b->fail_at = UINT64_MAX;
    add(b, STR("{\"kind\":\"outcome\",}"));
    replay(b, 1);
    assert_int_equal(b->err, ERR_CORRUPT);
    assert_non_null(strstr(b->why, "entry 5"));
}

static void test_a_damaged_log_is_no_replay(void **state)
{
    struct bench *b = *state;
    char path[128];
    for (unsigned i = 0; i < 5; i++)
        add(b, STR("{\"kind\":\"outcome\",\"padding\":\"0123456789\"}"));
    (void)snprintf(path, sizeof(path),
                   "%s/ledger/segments/00000000000000000000.seg", b->dir);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "X", 1, 4096 + 170), 1);
    assert_int_equal(close(fd), 0);
    replay(b, 0);
    assert_int_equal(b->err, ERR_CORRUPT);
    assert_non_null(strstr(b->why, ".seg"));
}

static void test_one_that_is_let_go_says_nothing(void **state)
{
    struct bench *b = *state;
    for (unsigned i = 0; i < 50; i++)
        add(b, STR("{\"kind\":\"outcome\"}"));
    gateway_replay_free(begin(b, 0));
    replay(b, 0); /* what the first one posted comes before its end */
    assert_int_equal(b->done, 1);
    gateway_replay_free(NULL);
}

/* ---- budgets, by the entries that evidence writes ---- */

static void add_entry(struct bench *b, struct buf *text, enum err e)
{
    assert_int_equal(e, ERR_OK);
    add(b, buf_str(text));
    buf_clear(text);
}

static struct limit_row seen_row;

static void on_row(void *user, const struct limit_row *row)
{
    (void)user;
    seen_row = *row;
}

static void test_budgets_are_what_intents_and_outcomes_say(void **state)
{
    struct bench *b = *state;
    const struct evidence_head h = {.time_us = START, .node = STR("gw-1")};
    const struct evidence_limit limit = {
        .limit = STR("agent \"tokens\""),
        .whom = STR("agent:acme/writer"),
        .window_start_us = START,
        .window_us = INT64_C(86400000000),
        .requests = 1,
        .tokens = 4200,
        .generation = 7,
    };
    const struct evidence_intent intent = {.tenant = STR("acme"),
                                           .limits = &limit,
                                           .limit_count = 1};
    struct usage usage = {700, 55, -1, -1, false};
    struct evidence_outcome outcome = {.status = OUTCOME_OK,
                                       .http_status = 200,
                                       .usage = &usage};
    struct buf text;
    buf_init(&text, MIB);
    for (unsigned i = 0; i < 3; i++)
        add_entry(b, &text, entry_intent(&text, &h, &intent));
    add_entry(b, &text, entry_outcome(&text, &h, &outcome));
    outcome.intent = 1;
    outcome.status = OUTCOME_NOT_SENT;
    outcome.http_status = 0;
    add_entry(b, &text, entry_outcome(&text, &h, &outcome));
    buf_release(&text);

    assert_int_equal(limit_counters_new(&b->limits.counters), ERR_OK);
    b->limits.now_us = START + 1;
    b->limits.generation = 7;
    replay(b, 0);
    assert_int_equal(b->err, ERR_OK);
    assert_int_equal(b->seen_count, 5);
    limit_replay_end(b->limits.counters);
    limit_each(b->limits.counters, NULL, START, on_row, NULL);
    assert_true(str_eq(seen_row.limit, limit.limit));
    assert_true(str_eq(seen_row.whom, limit.whom));
    assert_int_equal(seen_row.used_requests, 2); /* one was not sent */
    assert_int_equal(seen_row.used_tokens, 755 + 4200);
    assert_int_equal(seen_row.reserved_tokens, 0);
    limit_counters_free(b->limits.counters);
}

#define REPLAY_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries_that_matter_are_told_from_their_text),
        REPLAY_TEST(test_a_log_is_read_from_any_entry_to_its_end),
        REPLAY_TEST(test_no_log_is_an_empty_one),
        REPLAY_TEST(test_an_error_ends_it_and_says_where),
        REPLAY_TEST(test_a_damaged_log_is_no_replay),
        REPLAY_TEST(test_one_that_is_let_go_says_nothing),
        REPLAY_TEST(test_budgets_are_what_intents_and_outcomes_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
