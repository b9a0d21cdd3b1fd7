/*
 * runner_client.c - a table of runs, each under a tag that no other had.
 *
 * The low bits of a tag are its place in the table.  A run that is cancelled
 * keeps its place, empty, until the runner has said that it ended: what still
 * comes about it must not be taken for another's.  A place holds its job as a
 * list of at most one, so that cancelling needs nothing but the job.
 */
#include "runner/runner_client.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/container.h"
#include "base/limits.h"
#include "os/channel.h"

static_assert((RUNNER_JOBS_MAX & (RUNNER_JOBS_MAX - 1)) == 0,
              "the place is the low bits of the tag");

struct place {
    struct list job; /* head; empty: cancelled */
    uint64_t tag;
    enum { FREE = 0, ASKED, RUNNING } state;
    bool stopped;   /* the runner was told to */
    unsigned pipes; /* that have come */
    int pipe[RUNNER_PIPES];
};

struct runner_client {
    struct loop *loop;
    uint64_t generation;
    struct channel *channel; /* NULL: not connected, or broken */
    bool opened;
    bool telling; /* a job's event runs */
    uint64_t serial;
    struct place at[RUNNER_JOBS_MAX];
};

static struct place *place_of(struct runner_client *c, uint64_t tag)
{
    struct place *p = &c->at[tag & (RUNNER_JOBS_MAX - 1)];
    return p->state != FREE && p->tag == tag ? p : NULL;
}

/* Free for the next one; its pipes, if nobody took them, are closed. */
static void clear(struct place *p)
{
    for (unsigned i = 0; i < p->pipes; i++)
        (void)close(p->pipe[i]);
    p->pipes = 0;
    p->stopped = false;
    p->state = FREE;
}

/* The last word to the job of a place, which is free before it hears. */
static void end(struct runner_client *c, struct place *p,
                const struct runner_end *how)
{
    struct list *first = list_first(&p->job);
    clear(p);
    if (first == NULL)
        return;
    struct runner_job *job = CONTAINER_OF(first, struct runner_job, node);
    list_remove(first);
    bool outer = c->telling;
    c->telling = true;
    job->ended(job, how);
    c->telling = outer;
}

static void end_all(struct runner_client *c)
{
    static const struct runner_end lost = {.how = RUNNER_END_LOST};
    /* Only those that were there now: `ended` may start another. */
    uint64_t last = c->serial;
    for (size_t i = 0; i < RUNNER_JOBS_MAX; i++) {
        struct place *p = &c->at[i];
        if (p->state != FREE && p->tag / RUNNER_JOBS_MAX <= last)
            end(c, p, &lost);
    }
}

static void disconnect(struct runner_client *c)
{
    channel_free(c->channel);
    c->channel = NULL;
    c->opened = false;
}

static void on_opened(void *user, struct frame_hello peer)
{
    (void)peer;
    struct runner_client *c = user;
    c->opened = true;
}

/* Nobody may make a thread of ours wait. */
static bool set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static enum err take_pipe(struct place *p, struct frame_reader *r, int fd)
{
    unsigned which = frame_get_u8(r);
    if (!frame_reader_done(r) || p->state != ASKED || which != p->pipes ||
        which >= RUNNER_PIPES || !set_nonblocking(fd)) {
        (void)close(fd);
        return ERR_MALFORMED;
    }
    p->pipe[p->pipes++] = fd;
    return ERR_OK;
}

static enum err take_started(struct runner_client *c, struct place *p,
                             struct frame_reader *r)
{
    struct runner_start s = {.confined = frame_get_u32(r)};
    if (!frame_reader_done(r) || p->state != ASKED || p->pipes != RUNNER_PIPES)
        return ERR_MALFORMED;
    p->state = RUNNING;
    struct list *first = list_first(&p->job);
    if (first == NULL) { /* cancelled: it was told to stop */
        for (unsigned i = 0; i < RUNNER_PIPES; i++)
            (void)close(p->pipe[i]);
        p->pipes = 0;
        return ERR_OK;
    }
    for (unsigned i = 0; i < RUNNER_PIPES; i++)
        s.pipes[i] = p->pipe[i];
    p->pipes = 0;
    struct runner_job *job = CONTAINER_OF(first, struct runner_job, node);
    bool outer = c->telling;
    c->telling = true;
    job->started(job, &s);
    c->telling = outer;
    return ERR_OK;
}

/* An operator reads it, perhaps in a terminal. */
static bool is_printable(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < ' ' || s.ptr[i] > '~')
            return false;
    }
    return true;
}

static enum err take_refused(struct runner_client *c, struct place *p,
                             struct frame_reader *r)
{
    struct runner_end how = {.how = RUNNER_END_REFUSED,
                             .reason = frame_get_str(r)};
    if (!frame_reader_done(r) || p->state != ASKED || p->pipes != 0 ||
        how.reason.len == 0 || how.reason.len > RUNNER_REASON_MAX ||
        !is_printable(how.reason))
        return ERR_MALFORMED;
    end(c, p, &how);
    return ERR_OK;
}

static enum err take_exited(struct runner_client *c, struct place *p,
                            struct frame_reader *r)
{
    struct runner_end how = {.how = RUNNER_END_EXITED};
    how.code = frame_get_u32(r);
    how.signal_number = frame_get_u32(r);
    if (!frame_reader_done(r) || p->state != RUNNING ||
        (how.code != 0 && how.signal_number != 0))
        return ERR_MALFORMED;
    end(c, p, &how);
    return ERR_OK;
}

static enum err on_frame(void *user, const struct frame *f, int fd)
{
    struct runner_client *c = user;
    struct frame_reader r = frame_reader(f->payload);
    struct place *p = place_of(c, frame_get_u64(&r));
    bool is_pipe = f->type == RUNNER_PIPE;
    if (r.bad || p == NULL || f->flags != 0 || is_pipe != (fd >= 0)) {
        if (fd >= 0)
            (void)close(fd);
        return ERR_MALFORMED;
    }
    switch (f->type) {
    case RUNNER_PIPE:
        return take_pipe(p, &r, fd);
    case RUNNER_STARTED:
        return take_started(c, p, &r);
    case RUNNER_REFUSED:
        return take_refused(c, p, &r);
    case RUNNER_EXITED:
        return take_exited(c, p, &r);
    default:
        return ERR_MALFORMED;
    }
}

static void on_closed(void *user, enum err why)
{
    (void)why;
    struct runner_client *c = user;
    disconnect(c);
    end_all(c);
}

enum err runner_client_new(struct loop *l, uint64_t generation,
                           struct runner_client **ret)
{
    struct runner_client *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return ERR_NO_MEMORY;
    c->loop = l;
    c->generation = generation;
    for (size_t i = 0; i < RUNNER_JOBS_MAX; i++)
        list_init(&c->at[i].job);
    *ret = c;
    return ERR_OK;
}

void runner_client_free(struct runner_client *c)
{
    if (c == NULL)
        return;
    assert(!c->telling);
    disconnect(c);
    for (size_t i = 0; i < RUNNER_JOBS_MAX; i++) {
        struct list *first = list_first(&c->at[i].job);
        if (first != NULL)
            list_remove(first);
        clear(&c->at[i]);
    }
    free(c);
}

enum err runner_client_connect(struct runner_client *c, int fd)
{
    static const struct channel_events events = {on_opened, on_frame,
                                                 on_closed};
    disconnect(c);
    end_all(c);
    struct frame_hello own = {FRAME_PROTOCOL_VERSION, FRAME_ROLE_WORKER,
                              c->generation};
    return channel_new(c->loop, fd, own, FRAME_ROLE_RUNNER, &events, c,
                       &c->channel);
}

bool runner_client_ready(const struct runner_client *c)
{
    return c->channel != NULL && c->opened;
}

bool runner_client_lost(const struct runner_client *c)
{
    return c->channel == NULL;
}

/* A free place, under a tag that nothing had; NULL: all are taken. */
static struct place *take_place(struct runner_client *c)
{
    for (size_t i = 0; i < RUNNER_JOBS_MAX; i++) {
        if (c->at[i].state != FREE)
            continue;
        c->serial++;
        c->at[i].tag = c->serial * RUNNER_JOBS_MAX + i;
        return &c->at[i];
    }
    return NULL;
}

enum err runner_client_start(struct runner_client *c, struct str name,
                             struct runner_job *job)
{
    if (name.len == 0 || name.len > NAME_MAX_LEN)
        return ERR_LIMIT;
    struct buf *out = c->channel == NULL ? NULL : channel_out(c->channel);
    if (out == NULL)
        return ERR_CONNECT;
    struct place *p = take_place(c);
    if (p == NULL)
        return ERR_OVERLOAD;
    runner_protocol_start(out, p->tag, name);
    if (!buf_ok(out))
        return ERR_CONNECT; /* and the channel will say that it failed */
    p->state = ASKED;
    job->client = c;
    job->tag = p->tag;
    list_init(&job->node);
    list_push(&p->job, &job->node);
    return ERR_OK;
}

void runner_job_stop(struct runner_job *job)
{
    if (job->node.next == NULL || list_empty(&job->node))
        return;
    struct runner_client *c = job->client;
    struct place *p = place_of(c, job->tag);
    struct buf *out = c->channel == NULL ? NULL : channel_out(c->channel);
    assert(p != NULL);
    if (p->stopped || out == NULL)
        return; /* without a connection its end is on the way */
    p->stopped = true;
    runner_protocol_stop(out, p->tag);
}

void runner_job_cancel(struct runner_job *job)
{
    runner_job_stop(job);
    if (job->node.next != NULL)
        list_remove(&job->node);
}
