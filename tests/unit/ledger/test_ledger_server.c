/* Tests ledger/ledger_server: turns, commits, answers, and clients that
 * misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"
#include "ledger/ledger_proto.h"
#include "ledger/ledger_server.h"
#include "os/wire.h"

/* A server in this process, and clients that speak to it by hand. */
struct bench {
    struct journal *journal;
    struct ledger_server *server;
    int64_t now_ms;
};

static struct bench bench_open(const struct fixture *x)
{
    struct bench b = {.journal = fixture_open(x, 0), .now_ms = 1000};
    b.server = ledger_server_new(b.journal);
    assert_non_null(b.server);
    return b;
}

static void bench_close(struct bench *b)
{
    ledger_server_free(b->server);
    assert_int_equal(journal_close(b->journal), ERR_OK);
}

static struct wire connect_to(struct bench *b)
{
    static const struct frame_hello own = {FRAME_PROTOCOL_VERSION,
                                           FRAME_ROLE_WORKER, 1};
    int fds[2];
    struct wire w;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                     0);
    ledger_server_add(b->server, fds[0]);
    assert_int_equal(wire_init(&w, fds[1], own, FRAME_ROLE_LEDGER), ERR_OK);
    return w;
}

static void give(struct wire *w, const char *text, enum ledger_class class,
                 bool opens, uint64_t closes)
{
    const struct ledger_append a = {str_from(text), class, opens, closes};
    ledger_proto_put_append(wire_out(w), &a);
}

static void send_all(struct wire *w)
{
    assert_int_equal(wire_flush(w), ERR_OK);
}

/* Everybody is read, then the turn ends `later_ms` after the last one. */
static enum err turn(struct bench *b, int64_t later_ms)
{
    b->now_ms += later_ms;
    for (unsigned i = 0; i < LEDGER_SERVER_PEERS_MAX; i++)
        ledger_server_read(b->server, i);
    return ledger_server_turn(b->server, b->now_ms);
}

static struct frame answer(struct wire *w)
{
    struct frame f = {0};
    enum err e = ERR_OK;
    if (!wire_next(w, &f, NULL, &e)) {
        assert_int_equal(wire_fill(w), ERR_OK);
        assert_true(wire_next(w, &f, NULL, &e));
    }
    return f;
}

static bool silent(struct wire *w)
{
    struct frame f;
    enum err e = wire_fill(w);
    return e == ERR_OK && !wire_next(w, &f, NULL, &e) && e == ERR_OK;
}

static bool closed(struct wire *w)
{
    struct frame f;
    enum err e = ERR_OK;
    while (e == ERR_OK) {
        e = wire_fill(w);
        while (e == ERR_OK && wire_next(w, &f, NULL, &e))
            ;
    }
    return e == ERR_CLOSED;
}

static void check_ack(struct wire *w, uint64_t first_index, uint32_t count)
{
    struct frame f = answer(w);
    struct ledger_ack ack;
    assert_int_equal(f.type, LEDGER_ACK);
    assert_int_equal(ledger_proto_get_ack(&f, &ack), ERR_OK);
    assert_int_equal(ack.first_index, first_index);
    assert_int_equal(ack.count, count);
}

static void check_failed(struct wire *w, uint32_t count)
{
    struct frame f = answer(w);
    uint32_t n = 0;
    assert_int_equal(f.type, LEDGER_FAILED);
    assert_int_equal(ledger_proto_get_failed(&f, &n), ERR_OK);
    assert_int_equal(n, count);
}

static void test_one_sync_answers_everybody(void **state)
{
    struct bench b = bench_open(*state);
    struct wire w[3];
    for (unsigned i = 0; i < 3; i++) {
        w[i] = connect_to(&b);
        give(&w[i], "{}", LEDGER_LAZY, false, LEDGER_NO_INDEX);
        give(&w[i], "{}", LEDGER_AWAITED, true, LEDGER_NO_INDEX);
        send_all(&w[i]);
    }
    assert_int_equal(turn(&b, 0), ERR_OK);
    assert_int_equal(journal_counts(b.journal).syncs, 1);
    for (unsigned i = 0; i < 3; i++) {
        check_ack(&w[i], 2 * i, 2);
        wire_release(&w[i]);
    }
    bench_close(&b);
}

static void test_lazy_entries_wait_five_milliseconds(void **state)
{
    struct bench b = bench_open(*state);
    struct wire w = connect_to(&b);
    assert_int_equal(turn(&b, 0), ERR_OK);
    assert_true(ledger_server_due_ms(b.server) == INT64_MAX);
    give(&w, "{}", LEDGER_LAZY, false, LEDGER_NO_INDEX);
    send_all(&w);
    assert_int_equal(turn(&b, 10), ERR_OK);
    assert_int_equal(turn(&b, LEDGER_LAZY_MS - 1), ERR_OK);
    assert_true(silent(&w));
    assert_true(ledger_server_due_ms(b.server) <= b.now_ms + 1);
    assert_int_equal(turn(&b, 1), ERR_OK);
    check_ack(&w, 0, 1);
    assert_true(ledger_server_due_ms(b.server) == INT64_MAX);
    wire_release(&w);
    bench_close(&b);
}

static void test_a_question_is_a_barrier(void **state)
{
    struct bench b = bench_open(*state);
    struct wire w = connect_to(&b);
    give(&w, "{}", LEDGER_LAZY, true, LEDGER_NO_INDEX);
    frame_add(wire_out(&w), LEDGER_ASK_STATS, 0, STR(""));
    frame_add(wire_out(&w), LEDGER_ASK_STATS, 0, STR(""));
    send_all(&w);
    assert_int_equal(turn(&b, 0), ERR_OK);
    check_ack(&w, 0, 1);
    for (unsigned i = 0; i < 2; i++) {
        struct frame f = answer(&w);
        struct ledger_stats s;
        assert_int_equal(ledger_proto_get_stats(&f, &s), ERR_OK);
        assert_int_equal(s.entries, 1);
        assert_int_equal(s.open_intents, 1);
        assert_int_equal(s.syncs, 1);
    }
    wire_release(&w);
    bench_close(&b);
}

static size_t ask_orphans(struct bench *b, struct wire *w, uint64_t *to,
                          size_t room)
{
    frame_add(wire_out(w), LEDGER_ASK_ORPHANS, 0, STR(""));
    send_all(w);
    assert_int_equal(turn(b, 0), ERR_OK);
    size_t n = 0;
    for (;;) {
        struct frame f = answer(w);
        assert_int_equal(f.type, LEDGER_ORPHANS);
        bool last = (f.flags & LEDGER_FLAG_LAST) != 0;
        struct frame_reader r = frame_reader(f.payload);
        while (r.left.len > 0) {
            uint64_t index = frame_get_u64(&r);
            if (n < room)
                to[n] = index;
            n++;
        }
        if (last)
            return n;
    }
}

static void test_a_connection_that_ends_leaves_orphans(void **state)
{
    struct bench b = bench_open(*state);
    struct wire w = connect_to(&b);
    struct wire other = connect_to(&b);
    uint64_t orphans[4];
    for (unsigned i = 0; i < 3; i++)
        give(&w, "{}", LEDGER_AWAITED, true, LEDGER_NO_INDEX);
    give(&w, "{}", LEDGER_LAZY, false, 1);
    send_all(&w);
    assert_int_equal(turn(&b, 0), ERR_OK);
    assert_int_equal(ask_orphans(&b, &other, orphans, 4), 0);

    /* One more on its way while the connection ends. */
    give(&w, "{}", LEDGER_AWAITED, true, LEDGER_NO_INDEX);
    send_all(&w);
    wire_release(&w);
    assert_int_equal(turn(&b, 0), ERR_OK);
    assert_int_equal(turn(&b, 0), ERR_OK);
    assert_int_equal(ask_orphans(&b, &other, orphans, 4), 3);
    uint64_t sum = orphans[0] + orphans[1] + orphans[2];
    assert_int_equal(sum, 0 + 2 + 4);

    /* Who closes them need not be who opened them. */
    give(&other, "{}", LEDGER_AWAITED, false, 0);
    give(&other, "{}", LEDGER_AWAITED, false, 2);
    send_all(&other);
    assert_int_equal(turn(&b, 0), ERR_OK);
    check_ack(&other, 5, 2);
    assert_int_equal(ask_orphans(&b, &other, orphans, 4), 1);
    assert_int_equal(orphans[0], 4);
    wire_release(&other);
    bench_close(&b);
}

static void test_many_orphans_come_in_pieces(void **state)
{
    struct bench b = bench_open(*state);
    struct wire w = connect_to(&b);
    for (unsigned i = 0; i < 3000; i++)
        give(&w, "{}", LEDGER_AWAITED, true, LEDGER_NO_INDEX);
    while (wire_pending(&w)) {
        send_all(&w);
        assert_int_equal(turn(&b, 0), ERR_OK);
    }
    wire_release(&w);
    assert_int_equal(turn(&b, 0), ERR_OK);
    w = connect_to(&b);
    assert_int_equal(ask_orphans(&b, &w, NULL, 0), 3000);
    wire_release(&w);
    bench_close(&b);
}

static void test_more_than_one_commit_holds(void **state)
{
    struct bench b = bench_open(*state);
    struct wire w = connect_to(&b);
    uint64_t acked = 0;
    for (unsigned i = 0; i < 3 * COMMIT_COUNT_MAX; i++)
        give(&w, "{}", LEDGER_LAZY, false, LEDGER_NO_INDEX);
    while (acked < (uint64_t)3 * COMMIT_COUNT_MAX) {
        send_all(&w);
        assert_int_equal(turn(&b, LEDGER_LAZY_MS), ERR_OK);
        struct frame f;
        enum err e = wire_fill(&w);
        while (e == ERR_OK && wire_next(&w, &f, NULL, &e)) {
            struct ledger_ack ack;
            assert_int_equal(ledger_proto_get_ack(&f, &ack), ERR_OK);
            assert_int_equal(ack.first_index, acked);
            acked += ack.count;
        }
        assert_int_equal(e, ERR_OK);
    }
    wire_release(&w);
    bench_close(&b);
}

static void test_who_breaks_the_protocol_is_cut_off(void **state)
{
    static const struct {
        const char *what;
        uint16_t type, flags;
        struct str payload;
    } cases[] = {
        {"an unknown type", 0x7777, 0, STR_INIT("")},
        {"a type for the other side", LEDGER_ACK, 0, STR_INIT("")},
        {"an append without an entry", LEDGER_APPEND, 0, STR_INIT("12345678")},
        {"an unknown flag", LEDGER_APPEND, 64, STR_INIT("12345678x")},
        {"a NUL in an entry", LEDGER_APPEND, 0, STR_INIT("12345678x\0")},
        {"a question with a payload", LEDGER_ASK_STATS, 0, STR_INIT("x")},
        {"a shutdown", FRAME_SHUTDOWN, 0, STR_INIT("")},
    };
    struct bench b = bench_open(*state);
    struct wire good = connect_to(&b);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("  case: %s\n", cases[i].what);
        struct wire w = connect_to(&b);
        frame_add(wire_out(&w), cases[i].type, cases[i].flags,
                  cases[i].payload);
        send_all(&w);
        give(&good, "{}", LEDGER_AWAITED, false, LEDGER_NO_INDEX);
        send_all(&good);
        assert_int_equal(turn(&b, 0), ERR_OK);
        assert_true(closed(&w));
        check_ack(&good, i, 1); /* the others do not notice */
        wire_release(&w);
    }
    wire_release(&good);
    bench_close(&b);
}

static void test_a_frame_that_announces_too_much_is_not_waited_for(void **state)
{
    struct bench b = bench_open(*state);
    struct wire w = connect_to(&b);
    frame_add_head(wire_out(&w), LEDGER_APPEND, 0, LEDGER_APPEND_MAX + 1);
    send_all(&w);
    assert_int_equal(turn(&b, 0), ERR_OK);
    assert_true(closed(&w));
    wire_release(&w);
    bench_close(&b);
}

static void test_a_stranger_is_not_answered(void **state)
{
    struct bench b = bench_open(*state);
    static const struct frame_hello tool = {FRAME_PROTOCOL_VERSION,
                                            FRAME_ROLE_TOOL, 1};
    struct wire w = connect_to(&b);
    buf_clear(wire_out(&w));
    frame_add_hello(wire_out(&w), tool);
    give(&w, "{}", LEDGER_AWAITED, false, LEDGER_NO_INDEX);
    send_all(&w);
    assert_int_equal(turn(&b, 0), ERR_OK);
    assert_int_equal(journal_tree(b.journal)->size, 0);
    wire_release(&w);
    bench_close(&b);
}

static void test_connections_have_a_bound(void **state)
{
    struct bench b = bench_open(*state);
    struct wire w[LEDGER_SERVER_PEERS_MAX + 1];
    for (unsigned i = 0; i <= LEDGER_SERVER_PEERS_MAX; i++)
        w[i] = connect_to(&b);
    struct frame f;
    enum err e = wire_fill(&w[LEDGER_SERVER_PEERS_MAX]);
    assert_int_equal(e, ERR_CLOSED);
    assert_false(wire_next(&w[LEDGER_SERVER_PEERS_MAX], &f, NULL, &e));
    wire_release(&w[0]);
    assert_int_equal(turn(&b, 0), ERR_OK);
    w[0] = connect_to(&b); /* there is room again */
    give(&w[0], "{}", LEDGER_AWAITED, false, LEDGER_NO_INDEX);
    send_all(&w[0]);
    assert_int_equal(turn(&b, 0), ERR_OK);
    check_ack(&w[0], 0, 1);
    for (unsigned i = 0; i <= LEDGER_SERVER_PEERS_MAX; i++)
        wire_release(&w[i]);
    bench_close(&b);
}

/* Who does not read its answers is not read from: no memory without end. */
static void test_a_client_that_does_not_read_is_not_read_from(void **state)
{
    struct bench b = bench_open(*state);
    struct wire w = connect_to(&b);
    bool stopped = false;
    for (unsigned i = 0; i < 100000 && !stopped; i++) {
        for (unsigned n = 0; n < 100; n++)
            give(&w, "{}", LEDGER_LAZY, false, LEDGER_NO_INDEX);
        send_all(&w);
        stopped = !ledger_server_poll(b.server, 0).read;
        if (!stopped)
            assert_int_equal(turn(&b, LEDGER_LAZY_MS), ERR_OK);
    }
    assert_true(stopped);
    assert_true(ledger_server_poll(b.server, 0).write);
    wire_release(&w);
    bench_close(&b);
}

static void test_a_failed_disk_refuses_everybody(void **state)
{
    struct bench b = bench_open(*state);
    struct wire w = connect_to(&b);
    struct wire other = connect_to(&b);
    give(&w, "{}", LEDGER_AWAITED, false, LEDGER_NO_INDEX);
    send_all(&w);
    assert_int_equal(turn(&b, 0), ERR_OK);
    check_ack(&w, 0, 1);

    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    const struct rlimit low = {FIXTURE_HEADER, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    give(&w, "{}", LEDGER_AWAITED, false, LEDGER_NO_INDEX);
    give(&w, "{}", LEDGER_AWAITED, false, LEDGER_NO_INDEX);
    give(&other, "{}", LEDGER_LAZY, false, LEDGER_NO_INDEX);
    send_all(&w);
    send_all(&other);
    assert_int_equal(turn(&b, 0), ERR_IO);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    (void)signal(SIGXFSZ, before);
    check_failed(&w, 2);
    check_failed(&other, 1);

    /* The disk is well again, and it makes no difference. */
    give(&other, "{}", LEDGER_LAZY, false, LEDGER_NO_INDEX);
    send_all(&other);
    assert_int_equal(turn(&b, 0), ERR_IO);
    check_failed(&other, 1);
    wire_release(&w);
    wire_release(&other);
    ledger_server_free(b.server);
    assert_int_equal(journal_close(b.journal), ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_one_sync_answers_everybody),
        FIXTURE_TEST(test_lazy_entries_wait_five_milliseconds),
        FIXTURE_TEST(test_a_question_is_a_barrier),
        FIXTURE_TEST(test_a_connection_that_ends_leaves_orphans),
        FIXTURE_TEST(test_many_orphans_come_in_pieces),
        FIXTURE_TEST(test_more_than_one_commit_holds),
        FIXTURE_TEST(test_who_breaks_the_protocol_is_cut_off),
        FIXTURE_TEST(test_a_frame_that_announces_too_much_is_not_waited_for),
        FIXTURE_TEST(test_a_stranger_is_not_answered),
        FIXTURE_TEST(test_connections_have_a_bound),
        FIXTURE_TEST(test_a_client_that_does_not_read_is_not_read_from),
        FIXTURE_TEST(test_a_failed_disk_refuses_everybody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
