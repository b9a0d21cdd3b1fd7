/* gateway_supervisor.c - what the supervisor and the gateway tell each other:
 * connections, reloads, drains, losses. */
#include "app/gateway_state.h"

#include <unistd.h>

#include "app/gateway_protocol.h"

void gateway_tell(struct gateway *g, uint16_t type, struct str text)
{
    struct buf *out = channel_out(g->supervisor);
    if (out != NULL)
        frame_add(out, type, 0, text);
    channel_flush(g->supervisor);
}

void gateway_lost(struct gateway *g, uint16_t type, unsigned slot)
{
    struct buf payload;

    buf_init(&payload, 4);
    frame_put_u16(&payload, type);
    frame_put_u16(&payload, (uint16_t)slot);
    gateway_tell(g, GATEWAY_LOST, buf_str(&payload));
    buf_release(&payload);
}

/* Where a worker looks for its connection when it starts. */
static int place_of(const struct gateway *g, uint16_t type, unsigned slot)
{
    switch (type) {
    case GATEWAY_LEDGER:
        return role_fd_ledger(slot);
    case GATEWAY_KEEPER:
        return role_fd_keeper(slot);
    default:
        return role_fd_runner(g->worker_count, slot);
    }
}

static enum err take_connection(struct gateway *g, const struct frame *f,
                                int fd)
{
    struct frame_reader r = frame_reader(f->payload);
    unsigned slot = frame_get_u16(&r);

    unsigned last = g->worker_count - (f->type == GATEWAY_RUNNER ? 1 : 0);

    if (!frame_reader_done(&r) || fd == -1 || slot > last) {
        if (fd != -1)
            (void)close(fd);
        return ERR_MALFORMED;
    }
    if (slot < g->worker_count && g->workers[slot].started) {
        gateway_worker_connect(&g->workers[slot], f->type, fd);
        /* What was on its way on the broken one is nobody's now. */
        if (f->type == GATEWAY_LEDGER && ledger_client_ready(g->control.ledger))
            gateway_orphans_ask(g);
        return ERR_OK;
    }
    /* A worker that has not started yet will find it where it looks. */
    if (slot < g->worker_count) {
        (void)dup2(fd, place_of(g, f->type, slot));
        (void)close(fd);
        return ERR_OK;
    }
    enum err e = f->type == GATEWAY_LEDGER
                     ? ledger_client_connect(g->control.ledger, fd)
                     : keeper_client_connect(g->control.keeper, fd);
    if (e == ERR_OK && f->type == GATEWAY_LEDGER) {
        g->cut_recorded = false; /* another process, another start */
        gateway_orphans_ask(g);
    }
    return e;
}

static enum err take_processes(struct gateway *g, const struct frame *f)
{
    struct frame_reader r = frame_reader(f->payload);

    g->process_count = 0;
    while (r.left.len > 0 && g->process_count < GATEWAY_PROCESSES_MAX) {
        struct gateway_process *p = &g->processes[g->process_count++];
        p->role = (enum frame_role)frame_get_u32(&r);
        p->pid = frame_get_u32(&r);
        p->restarts = frame_get_u32(&r);
    }
    return frame_reader_done(&r) ? ERR_OK : ERR_MALFORMED;
}

static enum err on_frame(void *user, const struct frame *f, int fd)
{
    struct gateway *g = user;

    switch (f->type) {
    case GATEWAY_LEDGER:
    case GATEWAY_KEEPER:
    case GATEWAY_RUNNER:
        return take_connection(g, f, fd);
    case GATEWAY_RELOAD:
        if (g->phase == PHASE_SERVING)
            gateway_build_start(g);
        return ERR_OK;
    case GATEWAY_DRAIN:
        gateway_drain(g);
        return ERR_OK;
    case GATEWAY_PROCESSES:
        return take_processes(g, f);
    default:
        return ERR_MALFORMED;
    }
}

static void on_supervisor_gone(void *user, enum err why)
{
    (void)why;
    gateway_drain(user); /* nobody will restart us or our sockets */
}

static void on_opened(void *user, struct frame_hello peer)
{
    (void)user;
    (void)peer;
}

enum err gateway_supervisor_open(struct gateway *g)
{
    static const struct channel_events events = {on_opened, on_frame,
                                                 on_supervisor_gone};
    const struct frame_hello own = {FRAME_PROTOCOL_VERSION, FRAME_ROLE_WORKER,
                                    g->options->generation};

    return channel_new(g->loop, ROLE_FD_SUPERVISOR, own, FRAME_ROLE_SUPERVISOR,
                       &events, g, &g->supervisor);
}
