/* link_child.c - the child of link_fixture.h, and the runner's end. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "link_fixture.h"
#include "os/channel.h"

static bool has(struct str s, const char *text)
{
    return s.len > 0 && memmem(s.ptr, s.len, text, strlen(text)) != NULL;
}

static void on_child_writable(void *user, int events)
{
    struct desk *d = user;
    (void)events;
    if (d->says.len == 0 || d->fds[RUNNER_STDOUT] < 0) {
        assert_int_equal(loop_poll_set(d->writes, 0), ERR_OK);
        return;
    }
    ssize_t n = write(d->fds[RUNNER_STDOUT], d->says.ptr, d->says.len);
    if (n > 0)
        buf_drop(&d->says, (size_t)n);
    else if (errno != EAGAIN)
        buf_clear(&d->says); /* nobody reads it any more */
}

void child_say(struct desk *d, const char *text)
{
    assert_true(buf_add(&d->says, str_from(text)));
    if (d->writes != NULL)
        assert_int_equal(loop_poll_set(d->writes, LOOP_WRITABLE), ERR_OK);
}

void child_complain(struct desk *d, const char *text)
{
    assert_int_equal(write(d->fds[RUNNER_STDERR], text, strlen(text)),
                     strlen(text));
}

void child_close(struct desk *d, enum runner_pipe which)
{
    if (which == RUNNER_STDOUT) {
        loop_poll_free(d->writes);
        d->writes = NULL;
    } else if (which == RUNNER_STDIN) {
        loop_poll_free(d->reads);
        d->reads = NULL;
    }
    if (d->fds[which] >= 0)
        (void)close(d->fds[which]);
    d->fds[which] = -1;
}

void child_exit(struct desk *d, uint32_t code)
{
    for (int i = 0; i < RUNNER_PIPES; i++)
        child_close(d, (enum runner_pipe)i);
    runner_protocol_exited(channel_out(d->other), d->tag, code, 0);
    channel_flush(d->other);
}

static void on_child_readable(void *user, int events)
{
    struct desk *d = user;
    char bytes[65536];
    (void)events;
    ssize_t n = read(d->fds[RUNNER_STDIN], bytes, sizeof(bytes));
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            child_close(d, RUNNER_STDIN);
        return;
    }
    assert_true(buf_add(&d->heard, (struct str){bytes, (size_t)n}));
    for (;;) {
        struct str rest = str_skip(buf_str(&d->heard), d->handled);
        size_t end = str_find(rest, '\n');
        if (end == rest.len)
            return;
        d->handled += end + 1;
        d->on_line(d, str_first(rest, end));
    }
}

void child_usual(struct desk *d, struct str line)
{
    char text[1024], result[512], id[64];
    if (!has(line, "\"initialize\""))
        return;
    desk_hello(result, sizeof(result), d->capabilities);
    id_of(line, id, sizeof(id));
    (void)snprintf(text, sizeof(text),
                   "{\"result\":%s,\"jsonrpc\":\"2.0\",\"id\":%s}\n", result,
                   id);
    child_say(d, text);
}

bool child_heard(const struct desk *d, const char *text)
{
    return has(buf_str(&d->heard), text);
}

struct want {
    const struct desk *d;
    const char *text;
};

static bool has_heard(void *arg)
{
    const struct want *w = arg;
    return child_heard(w->d, w->text);
}

void child_wait_heard(struct desk *d, const char *text)
{
    struct want w = {.d = d, .text = text};
    desk_wait(d, has_heard, &w);
}

static void start_child(struct desk *d)
{
    struct buf *out = channel_out(d->other);
    int ours[RUNNER_PIPES];
    if (d->refuses) {
        runner_protocol_refused(out, d->tag, STR("there is no such command"));
        return;
    }
    for (unsigned i = 0; i < RUNNER_PIPES; i++) {
        int ends[2];
        assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
        bool to_child = i == RUNNER_STDIN;
        d->fds[i] = ends[to_child ? 0 : 1];
        ours[i] = ends[to_child ? 1 : 0];
        struct runner_pipe_payload p =
            runner_protocol_pipe(d->tag, (enum runner_pipe)i);
        assert_int_equal(channel_send_fd(d->other, RUNNER_PIPE,
                                         (struct str){p.bytes, sizeof(p.bytes)},
                                         ours[i]),
                         ERR_OK);
    }
    runner_protocol_started(channel_out(d->other), d->tag, 0);
    assert_int_equal(loop_poll_new(d->l, d->fds[RUNNER_STDIN],
                                   on_child_readable, d, &d->reads),
                     ERR_OK);
    assert_int_equal(loop_poll_new(d->l, d->fds[RUNNER_STDOUT],
                                   on_child_writable, d, &d->writes),
                     ERR_OK);
    assert_int_equal(loop_poll_set(d->writes, LOOP_WRITABLE), ERR_OK);
    assert_int_equal(loop_poll_set(d->reads, d->deaf ? 0 : LOOP_READABLE),
                     ERR_OK);
}

static void on_runner_opened(void *user, struct frame_hello peer)
{
    (void)user, (void)peer;
}

static enum err on_runner_frame(void *user, const struct frame *f, int fd)
{
    struct desk *d = user;
    struct runner_request q;
    assert_int_equal(fd, -1);
    assert_int_equal(runner_protocol_read(f, FRAME_ROLE_WORKER, &q), ERR_OK);
    d->tag = q.tag;
    if (q.type == RUNNER_STOP) {
        d->stops++;
        return ERR_OK;
    }
    assert_true(str_eq(q.name, STR("fake")));
    d->starts++;
    start_child(d);
    return ERR_OK;
}

static void on_runner_closed(void *user, enum err why)
{
    (void)user, (void)why;
}

void desk_run(struct desk *d)
{
    static const struct channel_events events = {on_runner_opened,
                                                 on_runner_frame,
                                                 on_runner_closed};
    const struct frame_hello own = {FRAME_PROTOCOL_VERSION, FRAME_ROLE_RUNNER,
                                    0};
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX,
                                SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                                ends),
                     0);
    assert_int_equal(runner_client_new(d->l, 1, &d->runner), ERR_OK);
    assert_int_equal(runner_client_connect(d->runner, ends[0]), ERR_OK);
    assert_int_equal(channel_new(d->l, ends[1], own, FRAME_ROLE_WORKER, &events,
                                 d, &d->other),
                     ERR_OK);
    d->server.transport = TRANSPORT_STDIO;
    d->options.runner = d->runner;
}
