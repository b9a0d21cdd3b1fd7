/* supervisor.c - see supervisor.h. */
#include "app/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "app/children.h"
#include "app/gateway_protocol.h"
#include "base/log.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/process.h"

enum {
    STOP_GRACE_MS = 3000,
    LOCK_WAIT_MS = 5000, /* for the last write of a dead supervisor's ledger */
    LOCK_POLL_US = 20000,
};

struct supervisor {
    struct children children;
    int signals;
    bool stopping; /* drain, then stop the rest */
    bool failed;   /* a gateway refused to work */
    int64_t kill_at_ms;
};

static struct child *gateway_of(struct supervisor *s)
{
    return &s->children.at[CHILD_GATEWAY];
}

static void begin_stop(struct supervisor *s)
{
    if (s->stopping)
        return;
    s->stopping = true;
    s->kill_at_ms =
        clock_monotonic_ms() + s->children.options->drain_ms + STOP_GRACE_MS;
    children_tell(gateway_of(s), GATEWAY_DRAIN);
}

static void on_signal(struct supervisor *s, int signal_number)
{
    if (signal_number == SIGHUP)
        children_tell(gateway_of(s), GATEWAY_RELOAD);
    else if (signal_number == SIGTERM || signal_number == SIGINT)
        begin_stop(s);
}

static void reap(struct supervisor *s)
{
    int status;
    pid_t pid;

    while ((pid = process_reap(&status)) != 0) {
        struct child *child =
            children_ended(&s->children, pid, clock_monotonic_ms());
        if (child == NULL || s->stopping)
            continue;
        char code[16];
        (void)snprintf(code, sizeof(code), "%d", status);
        log_error("child.ended", {"process", str_from(child->name)},
                  {"status", str_from(code)});
        children_publish(&s->children);
    }
}

static void on_frame(struct supervisor *s, struct child *child,
                     const struct frame *f)
{
    if (child->role != FRAME_ROLE_WORKER)
        return;
    if (f->type == GATEWAY_CONFIG) {
        children_configured(&s->children, f->payload);
    } else if (f->type == GATEWAY_FAILED) {
        /* Restarting it would only repeat the message. */
        s->failed = true;
        begin_stop(s);
    } else if (f->type == GATEWAY_LOST &&
               children_reconnect(&s->children, f->payload,
                                  clock_monotonic_ms()) != ERR_OK) {
        log_error("child.protocol", {"process", str_from(child->name)});
    }
}

static void read_child(struct supervisor *s, struct child *child)
{
    struct frame f;
    enum err e = wire_fill(&child->wire);

    while (e == ERR_OK && wire_next(&child->wire, &f, NULL, &e))
        on_frame(s, child, &f);
    if (e == ERR_OK && wire_pending(&child->wire))
        e = wire_flush(&child->wire);
    if (e == ERR_OK || child->pid == 0)
        return;
    /* It is gone, or talks nonsense: either way it ends, and is reaped. */
    if (e != ERR_CLOSED)
        log_error("child.protocol", {"process", str_from(child->name)});
    child->hung_up = true;
    if (!s->stopping)
        (void)kill(child->pid, SIGKILL);
}

/* True while something of ours still runs. */
static bool stop_step(struct supervisor *s)
{
    struct child *gateway = gateway_of(s);
    bool late = clock_monotonic_ms() >= s->kill_at_ms;
    bool any = false;

    if (gateway->pid != 0) {
        if (late)
            (void)kill(gateway->pid, SIGKILL);
        return true;
    }
    /* Evidence last: the gateway's final entries are in its socket. */
    for (size_t i = 0; i < CHILDREN; i++) {
        struct child *child = &s->children.at[i];
        if (child->pid == 0)
            continue;
        any = true;
        if (late)
            (void)kill(child->pid, SIGKILL);
        else if (!child->told)
            children_tell(child, FRAME_SHUTDOWN);
        child->told = true;
    }
    return any;
}

static void wait_for_events(struct supervisor *s)
{
    struct pollfd fds[CHILDREN + 1] = {{.fd = s->signals, .events = POLLIN}};
    int timeout_ms =
        s->stopping ? 50
                    : children_due_in_ms(&s->children, clock_monotonic_ms());

    for (size_t i = 0; i < CHILDREN; i++) {
        struct child *child = &s->children.at[i];
        bool listens = child->pid != 0 && !child->hung_up;
        bool pending = listens && wire_pending(&child->wire);
        fds[i + 1] =
            (struct pollfd){.fd = listens ? child->wire.fd : -1,
                            .events =
                                (short)(POLLIN | (pending ? POLLOUT : 0))};
    }
    if (poll(fds, CHILDREN + 1, timeout_ms) <= 0)
        return;
    for (size_t i = 0; i < CHILDREN; i++) {
        if (fds[i + 1].revents != 0)
            read_child(s, &s->children.at[i]);
    }
    for (int n = process_signals_next(s->signals); n != 0;
         n = process_signals_next(s->signals))
        on_signal(s, n);
}

/* A dead supervisor's ledger holds the lock until its last write is done. */
static enum err take_lock(const char *path, int *ret_lock, pid_t *ret_holder)
{
    int64_t until_ms = clock_monotonic_ms() + LOCK_WAIT_MS;

    for (;;) {
        enum err e = file_lock(FILE_CWD, path, ret_lock, ret_holder);
        bool gone = e == ERR_OVERLOAD && *ret_holder > 0 &&
                    kill(*ret_holder, 0) == -1 && errno == ESRCH;
        if (!gone || clock_monotonic_ms() >= until_ms)
            return e;
        (void)usleep(LOCK_POLL_US);
    }
}

static enum err lock_data(const char *data, int *ret_lock)
{
    pid_t holder = 0;
    char path[FILE_PATH_MAX], pid[24];

    if (snprintf(path, sizeof(path), "%s/lock", data) >= (int)sizeof(path))
        return ERR_LIMIT;
    enum err e = file_make_dirs(FILE_CWD, data, 0700);
    if (e == ERR_OK)
        e = take_lock(path, ret_lock, &holder);
    if (e == ERR_OVERLOAD) {
        (void)snprintf(pid, sizeof(pid), "%d", (int)holder);
        log_error("data.locked", {"data", str_from(data)},
                  {"held_by_pid", str_from(pid)});
    } else if (e != ERR_OK) {
        log_error("data.lock", {"data", str_from(data)},
                  {"why", str_from(err_text(e))});
    }
    return e;
}

static bool prepare(struct supervisor *s, const struct role_options *o)
{
    static const int wanted[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
    const char *address = "";

    (void)process_raise_fd_limit();
    children_init(&s->children, o);
    if (lock_data(o->data, &s->children.lock_fd) != ERR_OK)
        return false;
    enum err e = children_listen(&s->children, &address);
    if (e != ERR_OK) {
        log_error("listen", {"address", str_from(address)},
                  {"why", e == ERR_OVERLOAD
                              ? STR("another program has this address")
                              : STR("not an address of this machine")});
        return false;
    }
    return process_signals_open(wanted, ARRAY_LEN(wanted), &s->signals) ==
           ERR_OK;
}

int supervisor_run(const struct role_options *o)
{
    struct supervisor s = {0};

    if (!prepare(&s, o))
        return 1;
    for (;;) {
        if (!s.stopping)
            children_start_due(&s.children, clock_monotonic_ms());
        else if (!stop_step(&s))
            break;
        wait_for_events(&s);
        reap(&s);
    }
    return s.failed ? 1 : 0;
}
