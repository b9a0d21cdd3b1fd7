/*
 * ledger_bench.c - the evidence process by itself: durable entries a second
 * and CPU per call through the real client, socket and process; the disk's
 * own fdatasync figure; the rate of verification.  One table on stdout.
 *
 *     ledger_bench DIRECTORY SECONDS [ENTRY_BYTES [batched]]
 *
 * A call is what the gateway does: an intent that is waited for, then an
 * outcome that is not, which closes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/container.h"
#include "common.h"
#include "ledger/ledger_client.h"
#include "ledger/ledger_process.h"
#include "ledger/ledger_verify.h"
#include "os/loop.h"
#include "os/timer.h"
#include "os/wire.h"

enum { CALLERS_MAX = 1024, SAMPLES = 8000000, SYNC_RECORD = 1024 };

struct caller {
    struct ledger_wait wait;
    struct run *run;
    int64_t start_ns;
};

struct run {
    struct loop *loop;
    struct ledger_client *client;
    struct timer end;
    struct caller callers[CALLERS_MAX];
    struct str text;
    struct samples took;
    uint64_t calls, syncs, entries;
    bool over;
};

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double cpu_s(int who)
{
    struct rusage r;
    if (getrusage(who, &r) != 0)
        die("getrusage");
    return seconds_of(r.ru_utime) + seconds_of(r.ru_stime);
}

/* 1 KB, synced, one after the other. */
static void measure_disk(const char *dir, int64_t seconds)
{
    char path[512];
    char record[SYNC_RECORD];
    struct samples took;
    memset(record, 'x', sizeof(record));
    (void)snprintf(path, sizeof(path), "%s/disk.bench", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || posix_fallocate(fd, 0, 64 << 20) != 0 || fsync(fd) != 0)
        die(path);
    samples_init(&took, SAMPLES);
    int64_t end = now_ns() + seconds * NS_PER_S;
    off_t at = 0;
    while (now_ns() < end && at < 64 << 20) {
        int64_t start = now_ns();
        if (pwrite(fd, record, sizeof(record), at) != sizeof(record) ||
            fdatasync(fd) != 0)
            die("fdatasync");
        at += (off_t)sizeof(record);
        samples_add(&took, now_ns() - start);
    }
    samples_sort(&took);
    printf("fdatasync of 1 KB, preallocated: p50 %.0f us, p99 %.0f us\n",
           samples_us(&took, 50), samples_us(&took, 99));
    (void)close(fd);
    (void)unlink(path);
}

static pid_t start_process(const char *dir, bool batched, struct wire *control)
{
    static const struct frame_hello own = {FRAME_PROTOCOL_VERSION,
                                           FRAME_ROLE_SUPERVISOR, 0};
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        die("socketpair");
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        (void)close(fds[0]);
        const struct ledger_process_options o = {.dir = dir,
                                                 .node = STR("bench"),
                                                 .control_fd = fds[1],
                                                 .batched = batched};
        _exit(ledger_process_run(&o));
    }
    (void)close(fds[1]);
    if (wire_init(control, fds[0], own, FRAME_ROLE_LEDGER) != ERR_OK)
        die("wire");
    return pid;
}

static int connect_client(struct wire *control)
{
    int fds[2];
    struct buf role;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                   fds) != 0)
        die("socketpair");
    buf_init(&role, sizeof(uint32_t));
    frame_put_u32(&role, FRAME_ROLE_WORKER);
    if (wire_send_fd(control, FRAME_CONNECT, buf_str(&role), fds[0]) !=
            ERR_OK ||
        wire_flush(control) != ERR_OK)
        die("connect");
    buf_release(&role);
    return fds[1];
}

static void call(struct caller *c)
{
    const struct ledger_append intent = {c->run->text, LEDGER_AWAITED, true,
                                         LEDGER_NO_INDEX};
    c->start_ns = now_ns();
    if (ledger_client_append(c->run->client, &intent, &c->wait) != ERR_OK)
        die("append");
}

static void on_stats(void *user, enum err e, const struct ledger_stats *s)
{
    struct run *r = user;
    if (e != ERR_OK)
        die("stats");
    r->syncs = s->syncs;
    r->entries = s->commits;
    loop_stop(r->loop);
}

static void on_durable(struct ledger_wait *w, enum err e,
                       const struct ledger_receipt *receipt)
{
    struct caller *c = CONTAINER_OF(w, struct caller, wait);
    if (e != ERR_OK)
        die("the ledger refused");
    samples_add(&c->run->took, now_ns() - c->start_ns);
    const struct ledger_append outcome = {c->run->text, LEDGER_LAZY, false,
                                          receipt->index};
    if (ledger_client_append(c->run->client, &outcome, NULL) != ERR_OK)
        die("append");
    c->run->calls++;
    if (!c->run->over)
        call(c);
}

static void on_end(struct timer *t)
{
    struct run *r = CONTAINER_OF(t, struct run, end);
    r->over = true;
    if (ledger_client_stats(r->client, on_stats, r) != ERR_OK)
        die("stats");
}

static void measure(const char *dir, unsigned callers, int64_t seconds,
                    struct str text, bool batched)
{
    struct wire control;
    struct run *r = allocate(sizeof(*r));
    r->text = text;
    samples_init(&r->took, SAMPLES);
    pid_t pid = start_process(dir, batched, &control);
    if (loop_new(&r->loop) != ERR_OK ||
        ledger_client_new(r->loop, 1, &r->client) != ERR_OK ||
        ledger_client_connect(r->client, connect_client(&control)) != ERR_OK)
        die("client");

    double cpu = cpu_s(RUSAGE_SELF);
    int64_t start = now_ns();
    for (unsigned i = 0; i < callers; i++) {
        r->callers[i] = (struct caller){.wait.done = on_durable, .run = r};
        call(&r->callers[i]);
    }
    timer_set(r->loop, &r->end, seconds * 1000, on_end);
    loop_run(r->loop);
    double took = (double)(now_ns() - start) / 1e9;
    cpu = cpu_s(RUSAGE_SELF) - cpu;

    double others = cpu_s(RUSAGE_CHILDREN);
    ledger_client_free(r->client);
    loop_free(r->loop);
    wire_release(&control); /* it seals and ends */
    int status;
    if (waitpid(pid, &status, 0) != pid || status != 0)
        die("the process");
    others = cpu_s(RUSAGE_CHILDREN) - others;
    double calls = (double)r->calls;
    samples_sort(&r->took);
    printf("%7u %12.0f %10.0f %9.0f %9.0f %10.2f %11.2f %11.1f\n", callers,
           (double)r->entries / took, calls / took, samples_us(&r->took, 50),
           samples_us(&r->took, 99), others * 1e6 / calls, cpu * 1e6 / calls,
           r->syncs > 0 ? (double)r->entries / (double)r->syncs : 0);
    (void)fflush(stdout);
    free(r->took.at);
    free(r);
}

static void measure_verify(const char *dir, unsigned threads)
{
    const struct ledger_verify_options o = {.dir = dir, .threads = threads};
    struct ledger_verify_report report;
    int64_t start = now_ns();
    double cpu = cpu_s(RUSAGE_SELF);
    if (ledger_verify(&o, &report) != ERR_OK)
        die("verify");
    double took = (double)(now_ns() - start) / 1e9;
    cpu = cpu_s(RUSAGE_SELF) - cpu;
    printf("verify, %s: %" PRIu64 " entries in %" PRIu64
           " segments, %.0f entries/s, %.2f us of CPU each\n",
           threads == 1 ? "one thread" : "all processors", report.entries,
           report.segments, (double)report.entries / took,
           cpu * 1e6 / (double)report.entries);
}

int main(int argc, char **argv)
{
    static const unsigned callers[] = {1, 32, 256};
    if (argc < 3 || argc > 5)
        usage("ledger_bench DIRECTORY SECONDS [ENTRY_BYTES [batched]]");
    int64_t seconds = number(argv[2], 3600);
    size_t bytes = argc > 3 ? (size_t)number(argv[3], 16384) : 800;
    bool batched = argc > 4 && strcmp(argv[4], "batched") == 0;
    char dir[400];
    (void)snprintf(dir, sizeof(dir), "%s/ledger.bench", argv[1]);
    char *text = allocate(bytes + 1);
    memset(text, 'x', bytes);

    measure_disk(argv[1], 1);
    printf("two entries of %zu bytes a call%s\n", bytes,
           batched ? ", not synced" : "");
    printf("%7s %12s %10s %9s %9s %10s %11s %11s\n", "callers", "entries/s",
           "calls/s", "p50 us", "p99 us", "ledger us", "client us", "per sync");
    for (size_t i = 0; i < sizeof(callers) / sizeof(callers[0]); i++)
        measure(dir, callers[i], seconds, (struct str){text, bytes}, batched);
    measure_verify(dir, 1);
    measure_verify(dir, 0);
    free(text);
    return 0;
}
