/* Tests ledger/ledger_client against the real process, killed and restarted,
 * and against one that lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/container.h"
#include "fixture.h"
#include "ledger/ledger_client.h"
#include "ledger/ledger_process.h"
#include "ledger/ledger_proto.h"
#include "ledger/ledger_reader.h"
#include "os/loop.h"
#include "os/timer.h"
#include "os/wire.h"

enum { PATIENCE_MS = 20000, NOTES_MAX = 4096 };

/* The process, a supervisor's end of it, and a client on a loop. */
struct bench {
    const struct fixture *x;
    pid_t pid;
    struct wire control;
    struct loop *loop;
    struct ledger_client *client;
    struct timer patience;
    unsigned left; /* answers until the loop stops */
};

static void start_process(struct bench *b, bool batched)
{
    static const struct frame_hello own = {FRAME_PROTOCOL_VERSION,
                                           FRAME_ROLE_SUPERVISOR, 0};
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                     0);
    b->pid = fork();
    assert_true(b->pid >= 0);
    if (b->pid == 0) {
        close(fds[0]);
        const struct ledger_process_options o = {.dir = b->x->log,
                                                 .node = STR("test/log"),
                                                 .control_fd = fds[1],
                                                 .batched = batched,
                                                 .segment_bytes = 1 << 16};
        _exit(ledger_process_run(&o));
    }
    close(fds[1]);
    assert_int_equal(wire_init(&b->control, fds[0], own, FRAME_ROLE_LEDGER),
                     ERR_OK);
    assert_int_equal(wire_flush(&b->control), ERR_OK);
}

static int connect_fd(struct bench *b)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX,
                                SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                                fds),
                     0);
    struct buf role;
    buf_init(&role, 16);
    frame_put_u32(&role, FRAME_ROLE_CONTROL);
    assert_int_equal(wire_send_fd(&b->control, FRAME_CONNECT, buf_str(&role),
                                  fds[0]),
                     ERR_OK);
    assert_int_equal(wire_flush(&b->control), ERR_OK);
    buf_release(&role);
    return fds[1];
}

static int end_process(struct bench *b)
{
    int status;
    assert_int_equal(waitpid(b->pid, &status, 0), b->pid);
    wire_release(&b->control);
    b->pid = 0;
    return status;
}

static void shut_down(struct bench *b)
{
    frame_add(wire_out(&b->control), FRAME_SHUTDOWN, 0, STR(""));
    assert_int_equal(wire_flush(&b->control), ERR_OK);
    assert_int_equal(end_process(b), 0);
}

static void on_impatience(struct timer *t)
{
    (void)t;
    fail_msg("no answer");
}

/* Whom on_continue() wakes. */
static pid_t continued;

static void on_continue(struct timer *t)
{
    (void)t;
    assert_int_equal(kill(continued, SIGCONT), 0);
}

static struct bench bench_open(const struct fixture *x)
{
    struct bench b = {.x = x};
    start_process(&b, false);
    assert_int_equal(loop_new(&b.loop), ERR_OK);
    assert_int_equal(ledger_client_new(b.loop, 1, &b.client), ERR_OK);
    return b;
}

static void connect_client(struct bench *b)
{
    assert_int_equal(ledger_client_connect(b->client, connect_fd(b)), ERR_OK);
}

static void bench_close(struct bench *b)
{
    ledger_client_free(b->client);
    loop_free(b->loop);
    if (b->pid != 0)
        shut_down(b);
}

/* Turns the loop until `n` answers have come. */
static void await(struct bench *b, unsigned n)
{
    b->left = n;
    timer_set(b->loop, &b->patience, PATIENCE_MS, on_impatience);
    loop_run(b->loop);
    timer_cancel(&b->patience);
    assert_int_equal(b->left, 0);
}

static void answered(struct bench *b)
{
    assert_true(b->left > 0);
    if (--b->left == 0)
        loop_stop(b->loop);
}

struct entry {
    struct ledger_wait wait;
    struct bench *bench;
    unsigned told;
    enum err e;
    struct ledger_receipt receipt;
};

static void on_done(struct ledger_wait *w, enum err e,
                    const struct ledger_receipt *receipt)
{
    struct entry *it = CONTAINER_OF(w, struct entry, wait);
    it->told++;
    it->e = e;
    assert_int_equal(receipt == NULL, e != ERR_OK);
    if (receipt != NULL)
        it->receipt = *receipt;
    answered(it->bench);
}

static enum err append(struct bench *b, struct entry *it, const char *text,
                       enum ledger_class class)
{
    const struct ledger_append a = {str_from(text), class, false,
                                    LEDGER_NO_INDEX};
    *it = (struct entry){.bench = b, .wait.done = on_done};
    return ledger_client_append(b->client, &a, &it->wait);
}

static void test_rule_25_an_entry_is_durable_when_done_runs(void **state)
{
    const struct fixture *x = *state;
    struct bench b = bench_open(x);
    connect_client(&b);
    struct entry it;
    struct hash leaf = tree_leaf(STR("{\"n\":1}"));
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(append(&b, &it, "{\"n\":1}", LEDGER_AWAITED), ERR_OK);
        assert_int_equal(it.told, 0);
        await(&b, 1);
        assert_int_equal(it.told, 1);
        assert_int_equal(it.e, ERR_OK);
        assert_int_equal(it.receipt.index, i);
        assert_memory_equal(&it.receipt.leaf, &leaf, sizeof(leaf));
        struct ledger_verify_report r;
        assert_int_equal(fixture_verify(x, &r), ERR_OK);
        assert_int_equal(r.entries, i + 1);
    }
    assert_true(ledger_client_ready(b.client));
    bench_close(&b);
    struct ledger_verify_report r;
    assert_int_equal(fixture_verify(x, &r), ERR_OK);
    assert_true(r.sealed);
}

static void test_answers_come_in_the_order_of_the_entries(void **state)
{
    struct bench b = bench_open(*state);
    connect_client(&b);
    static struct entry its[500];
    const struct ledger_append nobody = {STR("{}"), LEDGER_LAZY, false,
                                         LEDGER_NO_INDEX};
    for (unsigned i = 0; i < ARRAY_LEN(its); i++) {
        assert_int_equal(append(&b, &its[i], "{}",
                                i % 2 == 0 ? LEDGER_LAZY : LEDGER_AWAITED),
                         ERR_OK);
        /* In between, some that nobody waits for. */
        assert_int_equal(ledger_client_append(b.client, &nobody, NULL), ERR_OK);
    }
    await(&b, ARRAY_LEN(its));
    for (unsigned i = 0; i < ARRAY_LEN(its); i++) {
        assert_int_equal(its[i].told, 1);
        assert_int_equal(its[i].receipt.index, 2 * i);
    }
    bench_close(&b);
}

static void test_a_lazy_entry_is_written_without_an_awaited_one(void **state)
{
    struct bench b = bench_open(*state);
    connect_client(&b);
    struct entry it;
    assert_int_equal(append(&b, &it, "{}", LEDGER_LAZY), ERR_OK);
    await(&b, 1);
    assert_int_equal(it.e, ERR_OK);
    bench_close(&b);
}

static void test_who_has_gone_is_not_told(void **state)
{
    struct bench b = bench_open(*state);
    connect_client(&b);
    struct entry gone;
    struct entry stays;
    struct ledger_wait idle = {0};
    ledger_wait_cancel(&idle);
    assert_int_equal(append(&b, &gone, "{}", LEDGER_AWAITED), ERR_OK);
    assert_int_equal(append(&b, &stays, "{}", LEDGER_AWAITED), ERR_OK);
    ledger_wait_cancel(&gone.wait);
    ledger_wait_cancel(&gone.wait);
    await(&b, 1);
    assert_int_equal(gone.told, 0);
    assert_int_equal(stays.receipt.index, 1); /* it was written all the same */
    ledger_wait_cancel(&stays.wait);
    bench_close(&b);
}

static void test_without_a_ledger_everything_is_refused(void **state)
{
    struct bench b = bench_open(*state);
    struct entry it;
    assert_false(ledger_client_ready(b.client));
    assert_int_equal(append(&b, &it, "{}", LEDGER_AWAITED), ERR_EVIDENCE);
    assert_int_equal(ledger_client_stats(b.client, NULL, NULL), ERR_EVIDENCE);
    assert_int_equal(ledger_client_orphans(b.client, NULL, NULL), ERR_EVIDENCE);
    assert_int_equal(it.told, 0);
    bench_close(&b);
}

static void test_what_is_not_an_entry_is_refused(void **state)
{
    struct bench b = bench_open(*state);
    connect_client(&b);
    struct entry it;
    assert_int_equal(append(&b, &it, "", LEDGER_AWAITED), ERR_EVIDENCE);
    assert_int_equal(append(&b, &it, "\xF7", LEDGER_AWAITED), ERR_EVIDENCE);
    assert_int_equal(append(&b, &it, "{}", LEDGER_AWAITED), ERR_OK);
    await(&b, 1);
    assert_int_equal(it.e, ERR_OK);
    bench_close(&b);
}

static void on_stats(void *user, enum err e, const struct ledger_stats *s)
{
    struct entry *it = user;
    it->e = e;
    it->told++;
    it->receipt.index = s == NULL ? 0 : s->entries;
    answered(it->bench);
}

static struct entry orphan_notes;
static uint64_t orphans[NOTES_MAX];

static void on_orphan(void *user, uint64_t index)
{
    struct bench *b = user;
    if (index == LEDGER_NO_INDEX) {
        answered(b);
        return;
    }
    assert_true(orphan_notes.told < NOTES_MAX);
    orphans[orphan_notes.told++] = index;
}

static unsigned ask_orphans(struct bench *b)
{
    orphan_notes.told = 0;
    assert_int_equal(ledger_client_orphans(b->client, on_orphan, b), ERR_OK);
    assert_int_equal(ledger_client_orphans(b->client, on_orphan, b),
                     ERR_OVERLOAD);
    await(b, 1);
    return orphan_notes.told;
}

static void test_killed_with_entries_on_their_way(void **state)
{
    const struct fixture *x = *state;
    struct bench b = bench_open(x);
    connect_client(&b);
    struct entry first;
    const struct ledger_append intent = {STR("{}"), LEDGER_AWAITED, true,
                                         LEDGER_NO_INDEX};
    first = (struct entry){.bench = &b, .wait.done = on_done};
    assert_int_equal(ledger_client_append(b.client, &intent, &first.wait),
                     ERR_OK);
    await(&b, 1);

    assert_int_equal(kill(b.pid, SIGSTOP), 0);
    struct entry lost[10];
    for (unsigned i = 0; i < ARRAY_LEN(lost); i++)
        assert_int_equal(append(&b, &lost[i], "{}", LEDGER_AWAITED), ERR_OK);
    struct entry asked = {.bench = &b};
    assert_int_equal(ledger_client_stats(b.client, on_stats, &asked), ERR_OK);
    assert_int_equal(kill(b.pid, SIGKILL), 0);
    assert_int_equal(end_process(&b), SIGKILL);
    await(&b, ARRAY_LEN(lost) + 1);
    for (unsigned i = 0; i < ARRAY_LEN(lost); i++) {
        assert_int_equal(lost[i].told, 1);
        assert_int_equal(lost[i].e, ERR_EVIDENCE);
    }
    assert_int_equal(asked.e, ERR_EVIDENCE);
    assert_false(ledger_client_ready(b.client));
    assert_int_equal(append(&b, &lost[0], "{}", LEDGER_AWAITED), ERR_EVIDENCE);

    /* The supervisor starts it anew and brings a new socket. */
    start_process(&b, false);
    connect_client(&b);
    assert_int_equal(append(&b, &lost[0], "{}", LEDGER_AWAITED), ERR_OK);
    await(&b, 1);
    assert_int_equal(lost[0].e, ERR_OK);
    assert_int_equal(lost[0].receipt.index, 1);
    assert_int_equal(ask_orphans(&b), 1);
    assert_int_equal(orphans[0], 0);
    const struct ledger_append outcome = {STR("{}"), LEDGER_AWAITED, false, 0};
    lost[1] = (struct entry){.bench = &b, .wait.done = on_done};
    assert_int_equal(ledger_client_append(b.client, &outcome, &lost[1].wait),
                     ERR_OK);
    await(&b, 1);
    assert_int_equal(ask_orphans(&b), 0);
    bench_close(&b);
}

static void test_stats(void **state)
{
    struct bench b = bench_open(*state);
    connect_client(&b);
    struct entry asked[LEDGER_ASKED_MAX];
    const struct ledger_append a = {STR("{}"), LEDGER_LAZY, false,
                                    LEDGER_NO_INDEX};
    assert_int_equal(ledger_client_append(b.client, &a, NULL), ERR_OK);
    for (unsigned i = 0; i < LEDGER_ASKED_MAX; i++) {
        asked[i] = (struct entry){.bench = &b};
        assert_int_equal(ledger_client_stats(b.client, on_stats, &asked[i]),
                         ERR_OK);
    }
    assert_int_equal(ledger_client_stats(b.client, on_stats, &asked[0]),
                     ERR_OVERLOAD);
    await(&b, LEDGER_ASKED_MAX);
    for (unsigned i = 0; i < LEDGER_ASKED_MAX; i++) {
        assert_int_equal(asked[i].e, ERR_OK);
        assert_int_equal(asked[i].receipt.index, 1); /* a barrier */
    }
    bench_close(&b);
}

static void test_a_client_can_be_freed_with_entries_on_their_way(void **state)
{
    struct bench b = bench_open(*state);
    connect_client(&b);
    struct entry it;
    assert_int_equal(append(&b, &it, "{}", LEDGER_AWAITED), ERR_OK);
    bench_close(&b);
    assert_int_equal(it.told, 0);
}

static void test_a_batched_process_answers_too(void **state)
{
    struct bench b = {.x = *state};
    start_process(&b, true);
    assert_int_equal(loop_new(&b.loop), ERR_OK);
    assert_int_equal(ledger_client_new(b.loop, 1, &b.client), ERR_OK);
    connect_client(&b);
    static struct entry its[100];
    for (unsigned i = 0; i < ARRAY_LEN(its); i++)
        assert_int_equal(append(&b, &its[i], "{}", LEDGER_AWAITED), ERR_OK);
    await(&b, ARRAY_LEN(its));
    bench_close(&b);
    struct ledger_verify_report r;
    assert_int_equal(fixture_verify(*state, &r), ERR_OK);
    assert_int_equal(r.entries, ARRAY_LEN(its));
}

/* What was sent before the end counts, and signals meant for all do not. */
static void test_a_shutdown_takes_what_was_sent(void **state)
{
    struct bench b = bench_open(*state);
    connect_client(&b);
    struct entry first;
    assert_int_equal(append(&b, &first, "{}", LEDGER_AWAITED), ERR_OK);
    await(&b, 1);
    assert_int_equal(kill(b.pid, SIGSTOP), 0);
    assert_int_equal(kill(b.pid, SIGINT), 0);
    assert_int_equal(kill(b.pid, SIGTERM), 0);
    static struct entry its[3000];
    for (unsigned i = 0; i < ARRAY_LEN(its); i++)
        assert_int_equal(append(&b, &its[i], "{}", LEDGER_LAZY), ERR_OK);
    frame_add(wire_out(&b.control), FRAME_SHUTDOWN, 0, STR(""));
    assert_int_equal(wire_flush(&b.control), ERR_OK);
    timer_set(b.loop, &b.patience, 50, on_continue);
    continued = b.pid;
    b.left = ARRAY_LEN(its);
    loop_run(b.loop);
    assert_int_equal(end_process(&b), 0);
    for (unsigned i = 0; i < ARRAY_LEN(its); i++)
        assert_int_equal(its[i].e, ERR_OK);
    bench_close(&b);
    struct ledger_verify_report r;
    assert_int_equal(fixture_verify(*state, &r), ERR_OK);
    assert_int_equal(r.entries, 1 + ARRAY_LEN(its));
    assert_true(r.sealed);
}

/* The supervisor's end closes: the process seals and goes. */
static void test_the_process_goes_with_its_supervisor(void **state)
{
    struct bench b = bench_open(*state);
    connect_client(&b);
    struct entry it;
    assert_int_equal(append(&b, &it, "{}", LEDGER_AWAITED), ERR_OK);
    await(&b, 1);
    pid_t pid = b.pid;
    wire_release(&b.control);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    b.pid = 0;
    bench_close(&b);
}

static void test_a_damaged_log_is_not_served(void **state)
{
    const struct fixture *x = *state;
    struct journal *j = fixture_open(x, 0);
    fixture_fill(j, 3, 3);
    fixture_crash(j);
    char path[FIXTURE_PATH];
    fixture_segment(x, 0, path);
    struct fixture_file f = fixture_read(path);
    f.bytes[FIXTURE_HEADER + 160] ^= 1;
    fixture_write(path, f.bytes, f.len);
    free(f.bytes);
    struct bench b = {.x = x};
    start_process(&b, false);
    int status = end_process(&b);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
}

/* No more bytes can be written: everybody is refused, then it ends, and the
 * next start has what was acknowledged. */
static void test_a_failed_write_refuses_and_ends_the_process(void **state)
{
    struct bench b = bench_open(*state);
    connect_client(&b);
    struct entry its[20];
    assert_int_equal(append(&b, &its[0], "{}", LEDGER_AWAITED), ERR_OK);
    await(&b, 1);
    const struct rlimit low = {FIXTURE_HEADER, FIXTURE_HEADER};
    assert_int_equal(prlimit(b.pid, RLIMIT_FSIZE, &low, NULL), 0);
    for (unsigned i = 0; i < ARRAY_LEN(its); i++)
        assert_int_equal(append(&b, &its[i], "{}", LEDGER_LAZY), ERR_OK);
    await(&b, ARRAY_LEN(its));
    for (unsigned i = 0; i < ARRAY_LEN(its); i++)
        assert_int_equal(its[i].e, ERR_EVIDENCE);
    int status = end_process(&b);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);

    start_process(&b, false);
    connect_client(&b);
    assert_int_equal(append(&b, &its[0], "{}", LEDGER_AWAITED), ERR_OK);
    await(&b, 1);
    assert_int_equal(its[0].receipt.index, 1);
    bench_close(&b);
}

/* A peer that answers what was never asked. */
static void test_a_lying_ledger_is_cut_off(void **state)
{
    static const struct {
        const char *what;
        uint16_t type;
        struct str payload;
    } cases[] = {
        {"an ack for two entries", LEDGER_ACK,
         STR_INIT("\0\0\0\0\0\0\0\0"
                  "01234567890123456789012345678901"
                  "01234567890123456789012345678901")},
        {"half an ack", LEDGER_ACK, STR_INIT("\0\0\0\0\0\0\0\0xx")},
        {"a refusal of two", LEDGER_FAILED, STR_INIT("\0\0\0\2")},
        {"a refusal of none", LEDGER_FAILED, STR_INIT("\0\0\0\0")},
        {"orphans nobody asked for", LEDGER_ORPHANS, STR_INIT("")},
        {"stats nobody asked for", LEDGER_STATS,
         STR_INIT("12345678123456781234567812345678123456781234567812345678"
                  "1234567812345678")},
        {"an append", LEDGER_APPEND, STR_INIT("12345678x")},
        {"an unknown type", 0x6666, STR_INIT("")},
    };
    static const struct frame_hello own = {FRAME_PROTOCOL_VERSION,
                                           FRAME_ROLE_LEDGER, 0};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("  case: %s\n", cases[i].what);
        struct bench b = {0};
        struct wire w;
        int fds[2];
        assert_int_equal(loop_new(&b.loop), ERR_OK);
        assert_int_equal(ledger_client_new(b.loop, 1, &b.client), ERR_OK);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
                                    fds),
                         0);
        assert_int_equal(ledger_client_connect(b.client, fds[0]), ERR_OK);
        assert_int_equal(wire_init(&w, fds[1], own, FRAME_ROLE_WORKER), ERR_OK);
        frame_add(wire_out(&w), cases[i].type, 0, cases[i].payload);
        assert_int_equal(wire_flush(&w), ERR_OK);
        struct entry it;
        assert_int_equal(append(&b, &it, "{}", LEDGER_AWAITED), ERR_OK);
        await(&b, 1);
        assert_int_equal(it.e, ERR_EVIDENCE);
        wire_release(&w);
        bench_close(&b);
    }
}

/* Callers that give the next entry as soon as the last one is durable. */
enum { CALLERS = 64, ROUNDS = 25, ACKED_MAX = 1000000 };

struct caller {
    struct ledger_wait wait;
    struct load *load;
    uint64_t number;
};

struct load {
    struct bench bench;
    struct caller callers[CALLERS];
    uint64_t given, acked;
    /* What was acknowledged: entry number and index. */
    struct {
        uint64_t number, index;
    } said[ACKED_MAX];
    useconds_t kill_after_us;
    pid_t pid;
};

static bool call(struct caller *c)
{
    char text[64];
    c->number = c->load->given;
    int len = snprintf(text, sizeof(text), "{\"number\":%lu}", c->number);
    const struct ledger_append a = {{text, (size_t)len},
                                    LEDGER_AWAITED,
                                    false,
                                    LEDGER_NO_INDEX};
    if (ledger_client_append(c->load->bench.client, &a, &c->wait) != ERR_OK)
        return false;
    c->load->given++;
    return true;
}

static void on_call_done(struct ledger_wait *w, enum err e,
                         const struct ledger_receipt *receipt)
{
    struct caller *c = CONTAINER_OF(w, struct caller, wait);
    struct load *l = c->load;
    if (e == ERR_OK) {
        assert_true(l->acked < ACKED_MAX);
        l->said[l->acked].number = c->number;
        l->said[l->acked++].index = receipt->index;
    }
    /* Room is left for the first calls of every round. */
    bool enough = l->given + (uint64_t)CALLERS * ROUNDS >= ACKED_MAX;
    if (e != ERR_OK || enough || !call(c))
        answered(&l->bench);
}

static void *kill_later(void *arg)
{
    const struct load *l = arg;
    usleep(l->kill_after_us);
    assert_int_equal(kill(l->pid, SIGKILL), 0);
    return NULL;
}

static void run_round(struct load *l, unsigned round)
{
    pthread_t killer;
    connect_client(&l->bench);
    l->kill_after_us = 3000 + round * 1709 % 15000;
    l->pid = l->bench.pid;
    for (unsigned i = 0; i < CALLERS; i++)
        assert_true(call(&l->callers[i]));
    assert_int_equal(pthread_create(&killer, NULL, kill_later, l), 0);
    await(&l->bench, CALLERS);
    assert_int_equal(pthread_join(killer, NULL), 0);
    assert_int_equal(end_process(&l->bench), SIGKILL);
}

static void check_acknowledged(const struct fixture *x, const struct load *l)
{
    struct ledger_reader *r;
    assert_int_equal(ledger_reader_open(x->log, &r), ERR_OK);
    uint64_t next = 0;
    for (uint64_t i = 0; i < l->acked; i++) {
        struct ledger_entry e;
        char text[64];
        int len =
            snprintf(text, sizeof(text), "{\"number\":%lu}", l->said[i].number);
        if (l->said[i].index != next)
            assert_int_equal(ledger_reader_seek(r, l->said[i].index), ERR_OK);
        assert_int_equal(ledger_reader_next(r, &e), ERR_OK);
        assert_int_equal(e.index, l->said[i].index);
        assert_true(str_eq(e.text, (struct str){text, (size_t)len}));
        next = e.index + 1;
    }
    ledger_reader_close(r);
}

/*
 * Killed under load, again and again: what was acknowledged is there, with
 * the index that was said, and the log is whole.
 */
static void test_acknowledged_entries_survive_kills_under_load(void **state)
{
    const struct fixture *x = *state;
    struct load *l = calloc(1, sizeof(*l));
    assert_non_null(l);
    l->bench = bench_open(x);
    for (unsigned i = 0; i < CALLERS; i++)
        l->callers[i] = (struct caller){.wait.done = on_call_done, .load = l};
    for (unsigned round = 0; round < ROUNDS; round++) {
        run_round(l, round);
        struct ledger_verify_report r;
        assert_int_equal(fixture_verify(x, &r), ERR_OK);
        start_process(&l->bench, false);
    }
    bench_close(&l->bench);
    check_acknowledged(x, l);
    print_message("  %lu of %lu entries were acknowledged, all are there\n",
                  l->acked, l->given);
    assert_true(l->acked > 100 && l->acked < l->given);
    free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_rule_25_an_entry_is_durable_when_done_runs),
        FIXTURE_TEST(test_answers_come_in_the_order_of_the_entries),
        FIXTURE_TEST(test_a_lazy_entry_is_written_without_an_awaited_one),
        FIXTURE_TEST(test_who_has_gone_is_not_told),
        FIXTURE_TEST(test_without_a_ledger_everything_is_refused),
        FIXTURE_TEST(test_what_is_not_an_entry_is_refused),
        FIXTURE_TEST(test_killed_with_entries_on_their_way),
        FIXTURE_TEST(test_stats),
        FIXTURE_TEST(test_a_client_can_be_freed_with_entries_on_their_way),
        FIXTURE_TEST(test_a_batched_process_answers_too),
        FIXTURE_TEST(test_a_shutdown_takes_what_was_sent),
        FIXTURE_TEST(test_the_process_goes_with_its_supervisor),
        FIXTURE_TEST(test_a_damaged_log_is_not_served),
        FIXTURE_TEST(test_a_failed_write_refuses_and_ends_the_process),
        FIXTURE_TEST(test_a_lying_ledger_is_cut_off),
        FIXTURE_TEST(test_acknowledged_entries_survive_kills_under_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
