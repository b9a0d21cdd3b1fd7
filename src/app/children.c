/* children.c - see children.h. */
#include "app/children.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/gateway_protocol.h"
#include "app/sockets.h"
#include "base/log.h"
#include "base/str.h"
#include "os/clock.h"
#include "os/process.h"

/* What a child may see of our environment: how to find libraries and time,
 * what sanitizers need.  Only the gateway and the runner get all of it: the
 * config may name variables there, for credentials and for tool servers. */
static const char *const passed_on[] = {
    "ASAN_OPTIONS=",
    "UBSAN_OPTIONS=",
    "TSAN_OPTIONS=",
    "LSAN_OPTIONS=",
    "LD_LIBRARY_PATH=",
    "LD_PRELOAD=",
    "FAKETIME=",
    "FAKETIME_SHARED=",
    "LANG=",
    "PATH=",
    "TZ=",
};

enum { ENV_MAX = 32 };

/* 0, 1, 2, supervisor, control; ledger and keeper; runner; listeners; admin. */
static_assert(5 + 1 + 2 * (ROLE_WORKERS_MAX + 1) + ROLE_WORKERS_MAX +
                      ROLE_LISTENERS_MAX * ROLE_WORKERS_MAX <=
                  PROCESS_FDS_MAX,
              "the largest gateway gets all of its descriptors");

void children_init(struct children *c, const struct role_options *o)
{
    static const struct child all[CHILDREN] = {
        [CHILD_KEEPER] = {.role = FRAME_ROLE_KEEPER, .name = "keeper"},
        [CHILD_LEDGER] = {.role = FRAME_ROLE_LEDGER, .name = "ledger"},
        [CHILD_RUNNER] = {.role = FRAME_ROLE_RUNNER, .name = "runner"},
        [CHILD_GATEWAY] = {.role = FRAME_ROLE_WORKER, .name = "gateway"},
    };

    *c = (struct children){.options = o,
                           .lock_fd = -1,
                           .control_fd = -1,
                           .admin_fd = -1};
    memcpy(c->at, all, sizeof(all));
    for (size_t i = 0; i < CHILDREN; i++)
        c->at[i].wire.fd = -1;
    memset(c->listeners, -1, sizeof(c->listeners));
}

enum err children_listen(struct children *c, const char **ret_address)
{
    const struct role_options *o = c->options;
    char path[FILENAME_MAX];

    for (unsigned l = 0; l < o->listeners; l++) {
        *ret_address = o->listen[l];
        enum err e = sockets_probe(o->listen[l]);
        for (unsigned w = 0; e == ERR_OK && w < o->workers; w++)
            e = sockets_listen(o->listen[l], &c->listeners[l][w]);
        if (e != ERR_OK)
            return e;
    }
    if (o->admin != NULL) {
        *ret_address = o->admin;
        enum err e = sockets_probe(o->admin);
        if (e == ERR_OK)
            e = sockets_listen(o->admin, &c->admin_fd);
        if (e != ERR_OK)
            return e;
    }
    *ret_address = "control.sock";
    if (snprintf(path, sizeof(path), "%s/control.sock", o->data) >=
        (int)sizeof(path))
        return ERR_LIMIT;
    return sockets_listen_local(path, &c->control_fd);
}

/* ---- starting ---- */

static void add_fd(struct process_options *p, struct process_fd *fds, int fd,
                   int target)
{
    assert(p->fd_count < PROCESS_FDS_MAX);
    fds[p->fd_count++] = (struct process_fd){fd, target};
}

static const char *const *child_env(const char **room, bool all)
{
    size_t n = 0;

    if (all)
        return (const char *const *)environ;
    for (char **e = environ; *e != NULL && n + 1 < ENV_MAX; e++) {
        for (size_t i = 0; i < ARRAY_LEN(passed_on); i++) {
            if (strncmp(*e, passed_on[i], strlen(passed_on[i])) == 0)
                room[n++] = *e;
        }
    }
    room[n] = NULL;
    return room;
}

/* One connection: `ours` goes to the server of it, by message; the other end
 * is returned, for the client. */
static int connect_to(struct child *server)
{
    int fds[2];
    struct buf role;

    if (server->pid == 0 || sockets_pair(fds) != ERR_OK)
        return -1;
    buf_init(&role, sizeof(uint32_t));
    frame_put_u32(&role, FRAME_ROLE_WORKER);
    enum err e = buf_ok(&role) ? wire_send_fd(&server->wire, FRAME_CONNECT,
                                              buf_str(&role), fds[0])
                               : ERR_NO_MEMORY;
    buf_release(&role);
    if (e != ERR_OK || wire_flush(&server->wire) != ERR_OK) {
        (void)close(fds[1]);
        return -1;
    }
    return fds[1];
}

/* One end of a connection whose other end is gone. */
static int dead_end(void)
{
    int fds[2];

    if (sockets_pair(fds) != ERR_OK)
        return -1;
    (void)close(fds[0]);
    return fds[1];
}

/* Descriptors that only live until the spawn. */
struct handed {
    int fds[PROCESS_FDS_MAX];
    size_t count;
    bool failed; /* one could not be made */
};

/* A server that does not run now is a broken connection and not a missing
 * descriptor, whose number the gateway would give to something else. */
static void hand(struct handed *h, struct process_options *p,
                 struct process_fd *fds, struct child *server, int target)
{
    int fd = connect_to(server);
    if (fd == -1)
        fd = dead_end();
    if (fd == -1) {
        h->failed = true;
        return;
    }
    add_fd(p, fds, fd, target);
    h->fds[h->count++] = fd;
}

static void gateway_fds(struct children *c, struct process_options *p,
                        struct process_fd *fds, struct handed *h)
{
    const struct role_options *o = c->options;

    add_fd(p, fds, c->control_fd, ROLE_FD_CONTROL);
    for (unsigned slot = 0; slot <= o->workers; slot++) {
        hand(h, p, fds, &c->at[CHILD_LEDGER], role_fd_ledger(slot));
        hand(h, p, fds, &c->at[CHILD_KEEPER], role_fd_keeper(slot));
    }
    for (unsigned w = 0; w < o->workers; w++)
        hand(h, p, fds, &c->at[CHILD_RUNNER], role_fd_runner(o->workers, w));
    for (unsigned l = 0; l < o->listeners; l++) {
        for (unsigned w = 0; w < o->workers; w++)
            add_fd(p, fds, c->listeners[l][w],
                   role_fd_listener(o->workers, l, w));
    }
    if (c->admin_fd != -1)
        add_fd(p, fds, c->admin_fd, role_fd_admin(o));
}

static enum err spawn(struct children *c, struct child *child, int wire_fd)
{
    struct role_options o = *c->options;
    struct process_fd fds[PROCESS_FDS_MAX];
    struct handed handed = {0};
    struct role_args args;
    const char *env[ENV_MAX];
    bool gateway = child->role == FRAME_ROLE_WORKER;
    bool all = gateway || child->role == FRAME_ROLE_RUNNER;

    o.role = child->role;
    o.generation = c->generation;
    if (!role_args_make(&args, &o))
        return ERR_LIMIT;
    struct process_options p = {.argv = args.argv,
                                .env = child_env(env, all),
                                .fds = fds};
    for (int std = 0; std <= 2; std++)
        add_fd(&p, fds, std, std);
    add_fd(&p, fds, wire_fd, ROLE_FD_SUPERVISOR);
    /* Who writes to the data directory holds its lock to the end, so that a
     * supervisor started anew waits for the last write of a dead one's. */
    if (child->role == FRAME_ROLE_KEEPER || child->role == FRAME_ROLE_LEDGER)
        add_fd(&p, fds, c->lock_fd, ROLE_FD_LOCK);
    if (gateway)
        gateway_fds(c, &p, fds, &handed);
    enum err e = handed.failed ? ERR_LIMIT : process_spawn(&p, &child->pid);
    for (size_t i = 0; i < handed.count; i++)
        (void)close(handed.fds[i]);
    return e;
}

static void plan_restart(struct child *child, int64_t now_ms)
{
    bool stable = now_ms - child->started_ms >= CHILD_STABLE_MS;

    child->backoff_ms = stable || child->backoff_ms == 0
                            ? CHILD_BACKOFF_MIN_MS
                            : child->backoff_ms * 2;
    if (child->backoff_ms > CHILD_BACKOFF_MAX_MS)
        child->backoff_ms = CHILD_BACKOFF_MAX_MS;
    child->due_ms = now_ms + (stable ? 0 : child->backoff_ms);
}

static void start(struct children *c, struct child *child, int64_t now_ms)
{
    const struct frame_hello own = {FRAME_PROTOCOL_VERSION,
                                    FRAME_ROLE_SUPERVISOR, c->generation};
    int fds[2];

    child->started_ms = now_ms;
    child->told = child->hung_up = false;
    enum err e = sockets_pair(fds);
    if (e == ERR_OK) {
        e = wire_init(&child->wire, fds[0], own, child->role);
        if (e == ERR_OK) {
            e = spawn(c, child, fds[1]);
            if (e == ERR_OK)
                e = wire_flush(&child->wire);
        }
        (void)close(fds[1]);
    }
    if (e != ERR_OK) {
        log_error("child.start", {"process", str_from(child->name)},
                  {"why", str_from(err_text(e))});
        wire_release(&child->wire);
        if (child->pid != 0)
            (void)kill(child->pid, SIGKILL);
        child->pid = 0;
        plan_restart(child, now_ms);
    }
}

/* How the gateway is told of a new connection to each. */
static const uint16_t connection_types[CHILDREN] = {
    [CHILD_KEEPER] = GATEWAY_KEEPER,
    [CHILD_LEDGER] = GATEWAY_LEDGER,
    [CHILD_RUNNER] = GATEWAY_RUNNER,
};

/* A new connection from a slot of the gateway, which runs, to a server. */
static void reconnect_slot(struct children *c, size_t server, unsigned slot,
                           int64_t now_ms)
{
    struct child *gateway = &c->at[CHILD_GATEWAY];
    struct buf payload;

    int fd = connect_to(&c->at[server]);
    if (fd == -1)
        return;
    c->connected_ms[server][slot] = now_ms;
    buf_init(&payload, 2);
    frame_put_u16(&payload, (uint16_t)slot);
    enum err e = wire_send_fd(&gateway->wire, connection_types[server],
                              buf_str(&payload), fd);
    buf_release(&payload);
    if (e != ERR_OK || wire_flush(&gateway->wire) != ERR_OK)
        log_warn("child.reconnect", {"process", str_from(c->at[server].name)});
}

/* One per worker, and one of the control thread, which starts no tools. */
static unsigned slots_of(const struct children *c, size_t server)
{
    return c->options->workers + (server == CHILD_RUNNER ? 0 : 1);
}

/* A server that was started anew gets new connections of the gateway. */
static void reconnect(struct children *c, size_t server, int64_t now_ms)
{
    if (c->at[CHILD_GATEWAY].pid == 0)
        return;
    for (unsigned slot = 0; slot < slots_of(c, server); slot++)
        reconnect_slot(c, server, slot, now_ms);
}

enum err children_reconnect(struct children *c, struct str payload,
                            int64_t now_ms)
{
    struct frame_reader r = frame_reader(payload);
    unsigned type = frame_get_u16(&r);
    unsigned slot = frame_get_u16(&r);
    size_t server = 0;

    while (server < CHILD_GATEWAY && connection_types[server] != type)
        server++;
    if (!frame_reader_done(&r) || server == CHILD_GATEWAY ||
        slot >= slots_of(c, server))
        return ERR_MALFORMED;
    /* It may not know yet of the one that is on its way. */
    if (now_ms - c->connected_ms[server][slot] >= CHILD_RECONNECT_MS)
        reconnect_slot(c, server, slot, now_ms);
    return ERR_OK;
}

static void tell_runner(struct children *c)
{
    struct child *runner = &c->at[CHILD_RUNNER];

    if (!c->configured || runner->pid == 0)
        return;
    frame_add(wire_out(&runner->wire), RUNNER_RELOAD, 0,
              (struct str){c->config, sizeof(c->config)});
    if (wire_flush(&runner->wire) != ERR_OK)
        log_warn("child.tell", {"process", str_from(runner->name)});
}

void children_configured(struct children *c, struct str digest)
{
    if (digest.len != sizeof(c->config))
        return;
    memcpy(c->config, digest.ptr, sizeof(c->config));
    c->configured = true;
    tell_runner(c);
}

void children_start_due(struct children *c, int64_t now_ms)
{
    bool changed = false;

    for (size_t i = 0; i < CHILDREN; i++) {
        struct child *child = &c->at[i];
        if (child->pid != 0 || child->due_ms > now_ms)
            continue;
        if (i == CHILD_GATEWAY)
            c->generation++;
        start(c, child, now_ms);
        if (i != CHILD_GATEWAY && child->pid != 0)
            reconnect(c, i, now_ms);
        if (i == CHILD_RUNNER)
            tell_runner(c);
        changed = true;
    }
    if (changed)
        children_publish(c);
}

int children_due_in_ms(const struct children *c, int64_t now_ms)
{
    int64_t in_ms = -1;

    for (size_t i = 0; i < CHILDREN; i++) {
        int64_t left = c->at[i].due_ms - now_ms;
        if (c->at[i].pid != 0)
            continue;
        left = left > 0 ? left : 0;
        in_ms = in_ms == -1 || left < in_ms ? left : in_ms;
    }
    return (int)in_ms;
}

struct child *children_ended(struct children *c, pid_t pid, int64_t now_ms)
{
    for (size_t i = 0; i < CHILDREN; i++) {
        struct child *child = &c->at[i];
        if (child->pid != pid)
            continue;
        wire_release(&child->wire);
        child->pid = 0;
        child->restarts++;
        plan_restart(child, now_ms);
        return child;
    }
    return NULL;
}

void children_tell(struct child *c, uint16_t type)
{
    if (c->pid == 0)
        return;
    frame_add(wire_out(&c->wire), type, 0, (struct str){0});
    if (wire_flush(&c->wire) != ERR_OK)
        log_warn("child.tell", {"process", str_from(c->name)});
}

void children_publish(struct children *c)
{
    struct child *gateway = &c->at[CHILD_GATEWAY];
    struct buf list;

    if (gateway->pid == 0)
        return;
    buf_init(&list, CHILDREN * 12 + 12);
    frame_put_u32(&list, FRAME_ROLE_SUPERVISOR);
    frame_put_u32(&list, (uint32_t)getpid());
    frame_put_u32(&list, 0);
    for (size_t i = 0; i < CHILDREN; i++) {
        frame_put_u32(&list, (uint32_t)c->at[i].role);
        frame_put_u32(&list, (uint32_t)c->at[i].pid);
        frame_put_u32(&list, c->at[i].restarts);
    }
    frame_add(wire_out(&gateway->wire), GATEWAY_PROCESSES, 0, buf_str(&list));
    buf_release(&list);
    if (wire_flush(&gateway->wire) != ERR_OK)
        log_warn("child.tell", {"process", STR("gateway")});
}
