/* ledger_process.c - see ledger_process.h. */
#include "ledger/ledger_process.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "ledger/journal.h"
#include "ledger/ledger_server.h"
#include "os/clock.h"
#include "os/wire.h"

/* The control connection's place in the poll table, before the peers. */
enum { CONTROL = 0, PEERS = 1 };

/* A client's socket holds far less than a turn reads. */
enum { LAST_TURNS = 64 };

struct process {
    const struct ledger_process_options *options;
    struct journal *journal;
    struct ledger_server *server;
    struct wire control;
    bool stopping;
    bool failed;
    int64_t end_ms;  /* when a failed process exits */
    int64_t sync_ms; /* when a batched one syncs next */
    struct pollfd polls[PEERS + LEDGER_SERVER_PEERS_MAX];
};

/* "ENOSPC"; a library that knows no names gives none. */
static struct str errno_name(int number)
{
    return str_from(strerrorname_np(number));
}

static void log_refusal(enum err e, const struct segment_trouble *t, int number)
{
    char offset[24];
    (void)snprintf(offset, sizeof(offset), "%" PRIu64, t->offset);
    log_error("ledger.refused", {"why", str_from(err_name(e))},
              {"what", str_from(t->what)}, {"file", str_from(t->file)},
              {"offset", str_from(offset)},
              {"errno", e == ERR_IO ? errno_name(number) : STR("")});
}

static enum err open_journal(struct process *p)
{
    const struct ledger_process_options *o = p->options;
    const struct journal_options j = {
        .dir = o->dir,
        .node = o->node,
        .segment_bytes = o->segment_bytes,
        .early = o->batched,
    };
    struct segment_trouble trouble;
    enum err e = journal_open(&j, &trouble, &p->journal);
    if (e != ERR_OK) {
        log_refusal(e, &trouble, errno);
        return e;
    }
    uint64_t cut = journal_counts(p->journal).cut_bytes;
    if (cut > 0) {
        char bytes[24];
        (void)snprintf(bytes, sizeof(bytes), "%" PRIu64, cut);
        log_warn("ledger.cut", {"bytes", str_from(bytes)},
                 {"why", STR("the last write before a crash was torn")});
    }
    p->server = ledger_server_new(p->journal);
    return p->server != NULL ? ERR_OK : ERR_NO_MEMORY;
}

static enum err control_frame(struct process *p, const struct frame *f, int fd)
{
    if (f->type == FRAME_SHUTDOWN && f->payload.len == 0 && fd < 0) {
        p->stopping = true;
        return ERR_OK;
    }
    struct frame_reader r = frame_reader(f->payload);
    uint32_t role = f->type == FRAME_CONNECT ? frame_get_u32(&r) : 0;
    if (!frame_reader_done(&r) || fd < 0 ||
        (role != FRAME_ROLE_WORKER && role != FRAME_ROLE_CONTROL)) {
        if (fd >= 0)
            (void)close(fd);
        return ERR_MALFORMED;
    }
    ledger_server_add(p->server, fd);
    return ERR_OK;
}

/* The supervisor is the only one who may end us, by word or by its end. */
static void control_read(struct process *p)
{
    struct frame f;
    int fd = -1;
    enum err e = wire_fill(&p->control);
    while (e == ERR_OK && wire_next(&p->control, &f, &fd, &e))
        e = control_frame(p, &f, fd);
    if (e != ERR_OK)
        p->stopping = true;
}

static short wanted(bool read, bool write)
{
    return (short)((read ? POLLIN : 0) | (write ? POLLOUT : 0));
}

static nfds_t fill_polls(struct process *p)
{
    p->polls[CONTROL] =
        (struct pollfd){p->control.fd, wanted(true, wire_pending(&p->control)),
                        0};
    for (unsigned i = 0; i < LEDGER_SERVER_PEERS_MAX; i++) {
        struct ledger_server_poll s = ledger_server_poll(p->server, i);
        p->polls[PEERS + i] = (struct pollfd){s.fd, wanted(s.read, s.write), 0};
    }
    return PEERS + LEDGER_SERVER_PEERS_MAX;
}

/* How long nothing has to be done, in whole milliseconds, rounded up. */
static int sleep_ms(const struct process *p, int64_t now_ms)
{
    int64_t due = ledger_server_due_ms(p->server);
    if (p->failed && p->end_ms < due)
        due = p->end_ms;
    if (p->options->batched && p->sync_ms < due)
        due = p->sync_ms;
    if (due == INT64_MAX)
        return -1;
    return due <= now_ms ? 0 : (int)(due - now_ms);
}

static void fail(struct process *p)
{
    if (p->failed)
        return;
    p->failed = true;
    p->end_ms = clock_monotonic_ms() + LEDGER_LAST_WORDS_MS;
    log_error("ledger.failed",
              {"why", STR("evidence could not be written; starting over")},
              {"errno", errno_name(journal_errno(p->journal))});
}

/* Reads all that is there, from everybody, before the turn's commit. */
static void read_peers(struct process *p)
{
    for (unsigned i = 0; i < LEDGER_SERVER_PEERS_MAX; i++) {
        if ((p->polls[PEERS + i].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
            ledger_server_read(p->server, i);
    }
}

static void end_turn(struct process *p)
{
    int64_t now_ms = clock_monotonic_ms();
    if (ledger_server_turn(p->server, now_ms) != ERR_OK)
        fail(p);
    if (p->options->batched && now_ms >= p->sync_ms) {
        if (journal_sync(p->journal) != ERR_OK)
            fail(p);
        p->sync_ms = now_ms + LEDGER_BATCH_MS;
    }
    /* Everybody has been answered: time for what has to be ready later. */
    if (!p->failed)
        journal_prepare(p->journal);
}

static enum err turn(struct process *p)
{
    nfds_t n = fill_polls(p);
    int ready = poll(p->polls, n, sleep_ms(p, clock_monotonic_ms()));
    if (ready < 0 && errno != EINTR)
        return ERR_IO;
    if (ready > 0) {
        if (p->polls[CONTROL].revents != 0)
            control_read(p);
        if (wire_pending(&p->control) && wire_flush(&p->control) != ERR_OK)
            p->stopping = true;
        read_peers(p);
    }
    end_turn(p);
    return ERR_OK;
}

/* What clients had sent before the end is committed and answered; a bound,
 * since one that still lives could go on for ever. */
static void finish(struct process *p)
{
    for (unsigned i = 0; i < LAST_TURNS && !p->failed; i++) {
        bool more = poll(p->polls, fill_polls(p), 0) > 0;
        if (more)
            read_peers(p);
        if (ledger_server_finish(p->server) != ERR_OK)
            fail(p);
        if (!more)
            break;
    }
}

static int serve(struct process *p)
{
    while (!p->stopping && !(p->failed && clock_monotonic_ms() >= p->end_ms)) {
        if (turn(p) != ERR_OK) {
            log_error("ledger.failed", {"why", STR("poll")});
            return 1;
        }
    }
    if (!p->failed)
        finish(p);
    return p->failed ? 1 : 0;
}

int ledger_process_run(const struct ledger_process_options *o)
{
    static const struct frame_hello own = {FRAME_PROTOCOL_VERSION,
                                           FRAME_ROLE_LEDGER, 0};
    struct process p = {.options = o, .control = {.fd = -1}};
    int code = 1;
    /* An interrupt from the terminal, or a service manager's SIGTERM, goes to
     * all processes at once: the evidence stays until the others are done,
     * and the supervisor, or its end, says when. */
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a write that fails, like any other */
    if (wire_init(&p.control, o->control_fd, own, FRAME_ROLE_SUPERVISOR) !=
            ERR_OK ||
        open_journal(&p) != ERR_OK)
        goto out;
    /* Our hello: the log is open. */
    if (wire_flush(&p.control) != ERR_OK)
        goto out;
    code = serve(&p);
out:
    if (journal_close(p.journal) != ERR_OK && code == 0) {
        log_error("ledger.failed", {"why", STR("the log was not sealed")});
        code = 1;
    }
    ledger_server_free(p.server);
    wire_release(&p.control);
    return code;
}
