/*
 * link_stdio.c - a link over the pipes of a child of the runner's.
 *
 * The child may end in three ways that come in any order: its stdout ends,
 * the runner says so, or it takes no bytes.  When its output ends we wait a
 * moment for the runner's word, since that says why.
 */
#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "base/limits.h"
#include "mcp/link_core.h"
#include "mcp/link_words.h"
#include "os/loop.h"

enum {
    PATIENCE_MS = 500,
    DRAIN_READS = 32, /* of what an ended child has left in a pipe */
    OUT_KEPT = 64 * 1024,
};

static struct link *link_of(struct link_stdio *io)
{
    return CONTAINER_OF(io, struct link, stdio);
}

static void close_pipe(struct link_stdio *io, enum runner_pipe which)
{
    loop_poll_free(io->polls[which]);
    io->polls[which] = NULL;
    if (io->fds[which] >= 0)
        (void)close(io->fds[which]);
    io->fds[which] = -1;
}

/* --- the end --- */

static void break_with(struct link *l, enum err why, struct str what)
{
    char room[LINK_WORDS_MAX];
    struct buf text;
    buf_init_lent(&text, room, sizeof(room));
    (void)buf_add(&text, str_first(what, LINK_WORDS_MAX / 2));
    link_words_add_last(&text, STR(LINK_SAID), buf_str(&l->stdio.said));
    link_break(l, why, buf_str(&text));
}

static void on_patience(struct timer *t)
{
    struct link_stdio *io = CONTAINER_OF(t, struct link_stdio, patience);
    struct link *l = link_of(io);
    link_enter(l);
    if (io->started)
        break_with(l, ERR_UPSTREAM, STR("the server has closed its output"));
    else
        break_with(l, ERR_TIMEOUT, STR("the server was not started in time"));
    link_leave(l);
}

/* Nothing more comes, or goes: whoever runs it will say why. */
static void await_end(struct link *l)
{
    struct link_stdio *io = &l->stdio;
    close_pipe(io, RUNNER_STDIN);
    close_pipe(io, RUNNER_STDOUT);
    if (timer_is_set(&io->patience))
        return;
    runner_job_stop(&io->job);
    timer_set(l->loop, &io->patience, PATIENCE_MS, on_patience);
}

/* --- what it says --- */

static void breach(struct link *l, struct str line)
{
    char room[LINK_WORDS_MAX];
    struct buf text;
    buf_init_lent(&text, room, sizeof(room));
    (void)BUF_LIT(&text, "what the server wrote to its stdout is no message "
                         "of MCP: ");
    link_words_quote(&text, line);
    break_with(l, ERR_UPSTREAM, buf_str(&text));
}

/* An answer that cannot be used costs its call alone. */
static bool fail_answered(struct link *l, const struct link_scan *scan,
                          enum err why)
{
    uint64_t number;
    struct link_request *r = NULL;
    if (link_scan_answers(scan, &number))
        r = link_requests_find(l, number);
    if (r == NULL || r->waiting)
        return false;
    link_requests_fail(r, why, true);
    return true;
}

static bool is_blank(struct str line)
{
    for (size_t i = 0; i < line.len; i++) {
        if (str_find(STR(" \t\r"), line.ptr[i]) == 3)
            return false;
    }
    return true;
}

static bool on_line(void *user, struct str line)
{
    struct link *l = user;
    if (is_blank(line))
        return true;
    if (link_incoming_take(l, line, NULL, true) != ERR_OK) {
        struct link_scan scan;
        link_scan_init(&scan);
        link_scan_feed(&scan, line);
        bool is_message = line.ptr[0] == '{';
        if (!is_message || !fail_answered(l, &scan, ERR_UPSTREAM))
            breach(l, line);
    }
    return link_works(l);
}

static bool on_too_long(void *user, const struct link_scan *scan)
{
    struct link *l = user;
    if (!fail_answered(l, scan, ERR_LIMIT))
        l->strays++;
    return link_works(l);
}

/* One read; false when there is nothing (more) to be had now. */
static bool read_stdout(struct link *l)
{
    static const struct link_lines_events events = {on_line, on_too_long};
    struct link_stdio *io = &l->stdio;
    size_t room;
    char *to = loop_scratch(l->loop, &room);
    ssize_t n = io->fds[RUNNER_STDOUT] < 0
                    ? -1
                    : read(io->fds[RUNNER_STDOUT], to, room);
    if (n > 0) {
        enum err e = link_lines_feed(&io->lines, (struct str){to, (size_t)n},
                                     &events, l);
        if (e == ERR_NO_MEMORY)
            link_break(l, e, str_from(err_text(e)));
        return link_works(l);
    }
    bool later = n < 0 && (errno == EAGAIN || errno == EINTR);
    if (io->fds[RUNNER_STDOUT] >= 0 && !later)
        await_end(l);
    return false;
}

static bool read_stderr(struct link *l)
{
    struct link_stdio *io = &l->stdio;
    size_t room;
    char *to = loop_scratch(l->loop, &room);
    if (io->fds[RUNNER_STDERR] < 0)
        return false;
    ssize_t n = read(io->fds[RUNNER_STDERR], to, room);
    if (n > 0) {
        struct str piece = {to, (size_t)n};
        if (piece.len > LINK_STDERR_MAX)
            piece = str_skip(piece, piece.len - LINK_STDERR_MAX);
        if (io->said.len + piece.len > LINK_STDERR_MAX)
            buf_drop(&io->said,
                     io->said.len / 2 > piece.len
                         ? io->said.len / 2
                         : io->said.len + piece.len - LINK_STDERR_MAX);
        (void)buf_add(&io->said, piece);
        return true;
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR))
        close_pipe(io, RUNNER_STDERR);
    return false;
}

static void on_stdout(void *user, int events)
{
    struct link *l = user;
    (void)events;
    link_enter(l);
    (void)read_stdout(l);
    link_leave(l);
}

static void on_stderr(void *user, int events)
{
    (void)events;
    (void)read_stderr(user);
}

/* --- what it is told --- */

static void on_stdin(void *user, int events);

/* Writes what can be written; false: it takes nothing any more. */
static bool flush(struct link_stdio *io)
{
    while (io->out_used < io->out.len) {
        struct str rest = str_skip(buf_str(&io->out), io->out_used);
        ssize_t n = write(io->fds[RUNNER_STDIN], rest.ptr, rest.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN;
        io->out_used += (size_t)n;
        io->written += (uint64_t)n;
    }
    io->out_used = 0;
    if (io->out.room > OUT_KEPT)
        buf_release(&io->out);
    buf_clear(&io->out);
    return true;
}

static void flush_and_wait(struct link *l)
{
    struct link_stdio *io = &l->stdio;
    if (io->fds[RUNNER_STDIN] < 0)
        return;
    if (!flush(io)) {
        await_end(l);
        return;
    }
    enum err e = loop_poll_set(io->polls[RUNNER_STDIN],
                               io->out.len > 0 ? LOOP_WRITABLE : 0);
    if (e != ERR_OK)
        await_end(l);
}

static void on_stdin(void *user, int events)
{
    struct link *l = user;
    (void)events;
    link_enter(l);
    flush_and_wait(l);
    link_leave(l);
}

/* One line; a line end inside can only be a blank between two values. */
static enum err put(struct link *l, struct buf *text)
{
    struct link_stdio *io = &l->stdio;
    for (size_t i = 0; i < text->len; i++) {
        if (text->ptr[i] == '\n' || text->ptr[i] == '\r')
            text->ptr[i] = ' ';
    }
    bool is_tight = text->len + 1 > io->out.max - io->out.len;
    if (is_tight || io->out_used > io->out.len / 2) {
        buf_drop(&io->out, io->out_used);
        io->out_used = 0;
    }
    if (text->len + 1 > io->out.max - io->out.len)
        return ERR_OVERLOAD;
    if (buf_space(&io->out, text->len + 1) == NULL) {
        io->out.failed = false;
        return ERR_NO_MEMORY;
    }
    (void)buf_add(&io->out, buf_str(text));
    (void)buf_add_char(&io->out, '\n');
    io->queued += text->len + 1;
    flush_and_wait(l);
    return ERR_OK;
}

static enum err stdio_send(struct link *l, struct link_request *r)
{
    uint64_t at = l->stdio.queued;
    enum err e = put(l, &r->text);
    buf_release(&r->text);
    r->out_at = at;
    return e;
}

static void stdio_tell(struct link *l, struct buf *text)
{
    if (put(l, text) != ERR_OK)
        break_with(l, ERR_UPSTREAM,
                   STR("the server does not read what it is told"));
}

static void stdio_greeted(struct link *l, struct buf *text)
{
    stdio_tell(l, text);
    link_opened(l);
}

static void stdio_nothing(struct link *l, struct link_request *r)
{
    (void)l, (void)r;
}

static bool stdio_was_sent(const struct link *l, const struct link_request *r)
{
    return !r->waiting && l->stdio.written > r->out_at;
}

/* --- the child --- */

static void on_started(struct runner_job *job, const struct runner_start *s)
{
    static void (*const ready[])(void *user, int events) = {
        [RUNNER_STDIN] = on_stdin,
        [RUNNER_STDOUT] = on_stdout,
        [RUNNER_STDERR] = on_stderr,
    };
    struct link_stdio *io = CONTAINER_OF(job, struct link_stdio, job);
    struct link *l = link_of(io);
    enum err e = ERR_OK;
    link_enter(l);
    io->started = true;
    timer_cancel(&io->patience);
    for (unsigned i = 0; i < RUNNER_PIPES; i++)
        io->fds[i] = s->pipes[i];
    for (unsigned i = 0; i < RUNNER_PIPES && e == ERR_OK; i++) {
        e = loop_poll_new(l->loop, io->fds[i], ready[i], l, &io->polls[i]);
        if (e == ERR_OK && i != RUNNER_STDIN)
            e = loop_poll_set(io->polls[i], LOOP_READABLE);
    }
    if (e == ERR_OK)
        link_greet(l);
    else
        link_break(l, e, str_from(err_text(e)));
    link_leave(l);
}

static void tell_exit(struct link *l, const struct runner_end *end)
{
    char room[LINK_WORDS_MAX];
    struct buf text;
    buf_init_lent(&text, room, sizeof(room));
    if (end->signal_number != 0)
        (void)buf_addf(&text, "the server was ended by signal %u",
                       (unsigned)end->signal_number);
    else
        (void)buf_addf(&text, "the server has exited with code %u",
                       (unsigned)end->code);
    break_with(l, ERR_UPSTREAM, buf_str(&text));
}

static void on_ended(struct runner_job *job, const struct runner_end *end)
{
    struct link_stdio *io = CONTAINER_OF(job, struct link_stdio, job);
    struct link *l = link_of(io);
    link_enter(l);
    io->running = false;
    switch (end->how) {
    case RUNNER_END_REFUSED:
        break_with(l, ERR_CONNECT, end->reason);
        break;
    case RUNNER_END_EXITED:
        for (int i = 0; i < DRAIN_READS && read_stdout(l); i++)
            ;
        for (int i = 0; i < DRAIN_READS && read_stderr(l); i++)
            ;
        tell_exit(l, end);
        break;
    case RUNNER_END_LOST:
        break_with(l, ERR_CONNECT,
                   STR("the process that runs the server is gone"));
        break;
    }
    link_leave(l);
}

enum err link_stdio_start(struct link *l, struct runner_client *runner)
{
    struct link_stdio *io = &l->stdio;
    for (unsigned i = 0; i < RUNNER_PIPES; i++)
        io->fds[i] = -1;
    link_lines_init(&io->lines, l->server->result_max);
    buf_init(&io->out, LINK_OUT_MAX);
    buf_init(&io->said, LINK_STDERR_MAX);
    io->job.started = on_started;
    io->job.ended = on_ended;
    if (runner == NULL)
        return ERR_CONNECT;
    enum err e = runner_client_start(runner, l->server->name, &io->job);
    io->running = e == ERR_OK;
    if (e == ERR_OK)
        timer_set(l->loop, &io->patience, l->server->call_ms, on_patience);
    return e;
}

static void stdio_part(struct link *l)
{
    (void)l; /* that its input ends says it */
}

static void stdio_stop(struct link *l)
{
    struct link_stdio *io = &l->stdio;
    timer_cancel(&io->patience);
    for (unsigned i = 0; i < RUNNER_PIPES; i++)
        close_pipe(io, (enum runner_pipe)i);
    if (io->running)
        runner_job_cancel(&io->job);
    io->running = false;
}

static void stdio_release(struct link *l)
{
    link_lines_release(&l->stdio.lines);
    buf_release(&l->stdio.out);
    buf_release(&l->stdio.said);
}

const struct link_transport link_stdio_transport = {
    .send = stdio_send,
    .tell = stdio_tell,
    .greeted = stdio_greeted,
    .drop = stdio_nothing,
    .pause = stdio_nothing,
    .was_sent = stdio_was_sent,
    .part = stdio_part,
    .stop = stdio_stop,
    .release = stdio_release,
};
