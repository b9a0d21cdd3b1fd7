/*
 * runner_process.c - the turn: wait, see who has ended, take what clients
 * ask, answer.
 */
#include "runner/runner_process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "os/clock.h"
#include "os/confine_files.h"
#include "os/wire.h"
#include "runner/runner_init.h"

enum {
    KILL_MS = RUNNER_GRACE_MS + 3000, /* init has done it by then */
    /* Above, a client's requests wait until it has read. */
    UNREAD_BYTES_MAX = 64 * 1024,
    AT_CLIENTS = 1,
    AT_CHILDREN = AT_CLIENTS + RUNNER_CLIENTS_MAX,
    POLLED = AT_CHILDREN + RUNNER_CHILDREN_MAX,
};

struct client {
    struct wire wire; /* fd < 0: this place is free */
    enum frame_role role;
    bool broken; /* to be closed at the end of the turn */
    bool held;   /* was not asked, since it does not read */
};

struct running {
    struct runner_child child; /* pidfd < 0: this place is free */
    struct client *client;     /* NULL: it is gone */
    uint64_t tag;
    int64_t kill_ms; /* when init is killed with it; 0: not stopping */
};

struct runner {
    const struct runner_process_options *o;
    struct runner_table table;
    struct runner_starts starts;
    struct wire control;
    bool stopping;
    bool more; /* requests were left for the next turn */
    struct client clients[RUNNER_CLIENTS_MAX];
    struct running running[RUNNER_CHILDREN_MAX];
};

static void stop(struct running *p)
{
    if (p->kill_ms != 0)
        return;
    p->kill_ms = clock_monotonic_ms() + KILL_MS;
    runner_child_stop(&p->child);
}

static void client_close(struct runner *r, struct client *c)
{
    for (size_t i = 0; i < RUNNER_CHILDREN_MAX; i++) {
        struct running *p = &r->running[i];
        if (p->child.pidfd < 0 || p->client != c)
            continue;
        p->client = NULL;
        stop(p);
    }
    wire_release(&c->wire);
    *c = (struct client){.wire.fd = -1};
}

/* A client's socket came from the supervisor; `fd` is ours. */
static void client_add(struct runner *r, int fd, enum frame_role role)
{
    static const struct frame_hello own = {FRAME_PROTOCOL_VERSION,
                                           FRAME_ROLE_RUNNER, 0};
    for (size_t i = 0; i < RUNNER_CLIENTS_MAX; i++) {
        struct client *c = &r->clients[i];
        if (c->wire.fd >= 0)
            continue;
        c->role = role;
        if (wire_init(&c->wire, fd, own, role) != ERR_OK)
            *c = (struct client){.wire.fd = -1};
        return;
    }
    (void)close(fd);
    log_warn("runner.full", {"why", STR("too many clients")});
}

/* What a command with network is kept from; -1: the kernel cannot. */
static int ports_of(const struct runner_table *t)
{
    int set = -1;
    bool any = false;
    for (size_t i = 0; i < t->command_count; i++)
        any = any || t->commands[i].network;
    if (any && confine_files_ports_new(t->ports, t->port_count, &set) != ERR_OK)
        log_warn("runner.network", {"why", STR("no Landlock of ABI 4")});
    return set;
}

static void use_table(struct runner *r, const struct runner_table *t)
{
    if (r->starts.ports >= 0)
        (void)close(r->starts.ports);
    r->table = *t;
    r->starts = (struct runner_starts){&r->table, ports_of(t)};
}

static void reload(struct runner *r, struct str digest)
{
    unsigned char wanted[RUNNER_DIGEST_LEN];
    struct runner_table t;
    memcpy(wanted, digest.ptr, sizeof(wanted));
    if (r->o->reload != NULL && r->o->reload(r->o->user, wanted, &t))
        use_table(r, &t);
}

static enum err control_frame(struct runner *r, const struct frame *f, int fd)
{
    struct frame_reader in = frame_reader(f->payload);
    if (f->type == FRAME_SHUTDOWN && f->payload.len == 0 && fd < 0) {
        r->stopping = true;
        return ERR_OK;
    }
    if (f->type == RUNNER_RELOAD && f->payload.len == RUNNER_DIGEST_LEN &&
        fd < 0) {
        reload(r, f->payload);
        return ERR_OK;
    }
    uint32_t role = f->type == FRAME_CONNECT ? frame_get_u32(&in) : 0;
    bool may_ask = role == FRAME_ROLE_WORKER || role == FRAME_ROLE_CONTROL;
    if (!frame_reader_done(&in) || fd < 0 || !may_ask) {
        if (fd >= 0)
            (void)close(fd);
        return ERR_MALFORMED;
    }
    client_add(r, fd, (enum frame_role)role);
    return ERR_OK;
}

static void control_read(struct runner *r)
{
    enum err e = wire_fill(&r->control);
    struct frame f;
    int fd = -1;
    while (e == ERR_OK && wire_next(&r->control, &f, &fd, &e))
        e = control_frame(r, &f, fd);
    if (e != ERR_OK)
        r->stopping = true;
}

static const struct runner_command *command_of(const struct runner *r,
                                               struct str name)
{
    for (size_t i = 0; i < r->table.command_count; i++) {
        if (str_eq(str_from(r->table.commands[i].name), name))
            return &r->table.commands[i];
    }
    return NULL;
}

static struct running *running_of(struct runner *r, const struct client *c,
                                  uint64_t tag)
{
    for (size_t i = 0; i < RUNNER_CHILDREN_MAX; i++) {
        struct running *p = &r->running[i];
        if (p->child.pidfd >= 0 && p->client == c && p->tag == tag)
            return p;
    }
    return NULL;
}

static struct running *free_place(struct runner *r)
{
    for (size_t i = 0; i < RUNNER_CHILDREN_MAX; i++) {
        if (r->running[i].child.pidfd < 0)
            return &r->running[i];
    }
    return NULL;
}

/* Each pipe leaves with a frame of its own; an error breaks the client. */
static enum err hand_over(struct client *c, const struct running *p,
                          int pipes[RUNNER_PIPES])
{
    uint64_t tag = p->tag;
    enum err e = ERR_OK;
    for (unsigned i = 0; i < RUNNER_PIPES; i++) {
        struct runner_pipe_payload which =
            runner_protocol_pipe(tag, (enum runner_pipe)i);
        if (e == ERR_OK)
            e = wire_send_fd(&c->wire, RUNNER_PIPE,
                             (struct str){which.bytes, sizeof(which.bytes)},
                             pipes[i]);
        else
            (void)close(pipes[i]);
    }
    if (e == ERR_OK)
        runner_protocol_started(wire_out(&c->wire), tag, p->child.confined);
    return e;
}

static enum err start(struct runner *r, struct client *c,
                      const struct runner_request *q)
{
    const struct runner_command *command = command_of(r, q->name);
    struct running *place = free_place(r);
    int pipes[RUNNER_PIPES];
    char words[RUNNER_REASON_MAX];
    struct str why;
    if (command == NULL) {
        why = STR("no command is configured under this name");
    } else if (place == NULL) {
        why = STR("too many commands run");
    } else if (running_of(r, c, q->tag) != NULL) {
        why = STR("a command runs under this tag");
    } else {
        if (runner_child_start(&r->starts, command, &place->child, pipes,
                               words)) {
            place->client = c;
            place->tag = q->tag;
            place->kill_ms = 0;
            return hand_over(c, place, pipes);
        }
        why = str_from(words);
    }
    runner_protocol_refused(wire_out(&c->wire), q->tag, why);
    return ERR_OK;
}

static bool client_has_room(const struct client *c)
{
    return c->wire.fds_out_count + RUNNER_PIPES <= WIRE_FDS_MAX &&
           c->wire.out.len - c->wire.out_at <= UNREAD_BYTES_MAX;
}

static void client_take(struct runner *r, struct client *c)
{
    struct frame f;
    struct runner_request q;
    enum err e = ERR_OK;
    c->held = !client_has_room(c);
    while (e == ERR_OK && !c->held && wire_next(&c->wire, &f, NULL, &e)) {
        e = runner_protocol_read(&f, c->role, &q);
        if (e == ERR_OK && q.type == RUNNER_START)
            e = start(r, c, &q);
        struct running *p = NULL;
        if (e == ERR_OK && q.type == RUNNER_STOP)
            p = running_of(r, c, q.tag);
        if (p != NULL)
            stop(p);
        c->held = !client_has_room(c);
    }
    c->broken = c->broken || e != ERR_OK;
}

static void reap(struct running *p)
{
    uint32_t code, signal_number;
    runner_child_reap(&p->child, &code, &signal_number);
    if (p->client != NULL)
        runner_protocol_exited(wire_out(&p->client->wire), p->tag, code,
                               signal_number);
    *p = (struct running){.child.pidfd = -1};
}

/* After some have ended: whatever they left behind that is ours now. */
static void end_strays(const struct runner *r)
{
    pid_t known[RUNNER_CHILDREN_MAX];
    size_t n = 0;
    for (size_t i = 0; i < RUNNER_CHILDREN_MAX; i++) {
        if (r->running[i].child.pidfd >= 0)
            known[n++] = r->running[i].child.pid;
    }
    runner_child_end_strays(known, n);
}

static void flush_and_close(struct runner *r)
{
    for (size_t i = 0; i < RUNNER_CLIENTS_MAX; i++) {
        struct client *c = &r->clients[i];
        if (c->wire.fd < 0)
            continue;
        if (!buf_ok(wire_out(&c->wire)) || wire_flush(&c->wire) != ERR_OK ||
            c->broken)
            client_close(r, c);
        else if (c->held && client_has_room(c))
            r->more = true; /* what it sent before is here already */
    }
    if (wire_flush(&r->control) != ERR_OK)
        r->stopping = true;
}

static short events_of(const struct wire *w, bool reads)
{
    unsigned events = (reads ? POLLIN : 0U) | (wire_pending(w) ? POLLOUT : 0U);
    return (short)events;
}

/* Kills what was told to stop and has not; the time until the next, or -1. */
static int enforce_stops(struct runner *r)
{
    int64_t now_ms = clock_monotonic_ms(), next_ms = -1;
    for (size_t i = 0; i < RUNNER_CHILDREN_MAX; i++) {
        struct running *p = &r->running[i];
        if (p->child.pidfd < 0 || p->kill_ms == 0)
            continue;
        if (p->kill_ms <= now_ms) {
            runner_child_kill(&p->child);
            p->kill_ms = now_ms + KILL_MS;
        }
        if (next_ms < 0 || p->kill_ms - now_ms < next_ms)
            next_ms = p->kill_ms - now_ms;
    }
    return (int)next_ms;
}

static bool wait_for_events(struct runner *r, struct pollfd fds[POLLED])
{
    int wait_ms = enforce_stops(r);
    fds[0] = (struct pollfd){r->control.fd, events_of(&r->control, true), 0};
    for (size_t i = 0; i < RUNNER_CLIENTS_MAX; i++) {
        const struct client *c = &r->clients[i];
        fds[AT_CLIENTS + i] =
            (struct pollfd){c->wire.fd, events_of(&c->wire, client_has_room(c)),
                            0};
    }
    for (size_t i = 0; i < RUNNER_CHILDREN_MAX; i++)
        fds[AT_CHILDREN + i] =
            (struct pollfd){r->running[i].child.pidfd, POLLIN, 0};
    int n = poll(fds, POLLED, r->more ? 0 : wait_ms);
    return n >= 0 || errno == EINTR;
}

static void reap_ended(struct runner *r, const struct pollfd fds[POLLED])
{
    bool any = false;
    for (size_t i = 0; i < RUNNER_CHILDREN_MAX; i++) {
        if (fds[AT_CHILDREN + i].revents == 0)
            continue;
        reap(&r->running[i]);
        any = true;
    }
    if (any)
        end_strays(r);
}

/* False: the process is to end with a failure. */
static bool turn(struct runner *r)
{
    struct pollfd fds[POLLED];
    if (!wait_for_events(r, fds))
        return false;
    r->more = false;
    reap_ended(r, fds);
    for (size_t i = 0; i < RUNNER_CLIENTS_MAX; i++) {
        struct client *c = &r->clients[i];
        short seen = fds[AT_CLIENTS + i].revents;
        if (c->wire.fd < 0)
            continue;
        if ((seen & (POLLIN | POLLHUP | POLLERR)) != 0 &&
            wire_fill(&c->wire) != ERR_OK)
            c->broken = true;
        if (!c->broken)
            client_take(r, c);
    }
    if (fds[0].revents != 0)
        control_read(r);
    flush_and_close(r);
    return true;
}

static bool anything_runs(const struct runner *r)
{
    for (size_t i = 0; i < RUNNER_CHILDREN_MAX; i++) {
        if (r->running[i].child.pidfd >= 0)
            return true;
    }
    return false;
}

/* Closing a client stops what is its; nothing of ours outlives us. */
static void end_all(struct runner *r)
{
    for (size_t i = 0; i < RUNNER_CLIENTS_MAX; i++)
        client_close(r, &r->clients[i]);
    wire_release(&r->control);
    while (anything_runs(r)) {
        struct pollfd fds[POLLED];
        r->more = false;
        if (!wait_for_events(r, fds))
            return; /* and the kernel ends them with us */
        reap_ended(r, fds);
    }
}

int runner_process_run(const struct runner_process_options *o)
{
    static const struct frame_hello own = {FRAME_PROTOCOL_VERSION,
                                           FRAME_ROLE_RUNNER, 0};
    struct runner *r = calloc(1, sizeof(*r));
    if (r == NULL) {
        (void)close(o->control_fd);
        log_error("runner.failed", {"why", STR("out of memory")});
        return 1;
    }
    r->o = o;
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* end_strays() */
    r->starts.ports = -1;
    use_table(r, &o->table);
    for (size_t i = 0; i < RUNNER_CLIENTS_MAX; i++)
        r->clients[i].wire.fd = -1;
    for (size_t i = 0; i < RUNNER_CHILDREN_MAX; i++)
        r->running[i].child.pidfd = -1;
    bool usable = wire_init(&r->control, o->control_fd, own,
                            FRAME_ROLE_SUPERVISOR) == ERR_OK;
    if (usable && wire_flush(&r->control) != ERR_OK)
        r->stopping = true;
    while (usable && !r->stopping)
        usable = turn(r);
    end_all(r);
    if (r->starts.ports >= 0)
        (void)close(r->starts.ports);
    free(r);
    if (!usable)
        log_error("runner.failed", {"why", STR("the system refuses")});
    return usable ? 0 : 1;
}
