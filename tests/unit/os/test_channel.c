/* Tests os/channel: two loops in two threads, and every way a peer breaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "os/channel.h"
#include "os/loop.h"
#include "os/thread.h"
#include "os/timer.h"
#include "os/wire.h"

enum { TYPE_PING = 20, TYPE_PONG, TYPE_FILE, TYPE_STOP, PINGS = 1000 };

static const struct frame_hello worker = {FRAME_PROTOCOL_VERSION,
                                          FRAME_ROLE_WORKER, 3};
static const struct frame_hello keeper = {FRAME_PROTOCOL_VERSION,
                                          FRAME_ROLE_KEEPER, 3};

/* One end: counts what happens and does what its frame handler says. */
struct end {
    struct loop *l;
    struct channel *c;
    struct thread thread;
    int opened, frames, closed, sent;
    enum err why;
    int got_fd;
    bool free_in_frame, free_in_opened;
    enum err answer; /* of the frame handler */
};

static void on_opened(void *user, struct frame_hello peer)
{
    struct end *e = user;
    e->opened++;
    assert_int_equal(peer.generation, 3);
    if (e->free_in_opened) {
        channel_free(e->c);
        e->c = NULL;
    }
}

static enum err on_frame(void *user, const struct frame *f, int fd)
{
    struct end *e = user;
    e->frames++;
    assert_int_equal(e->opened, 1);
    if (fd >= 0)
        e->got_fd = fd;
    if (e->free_in_frame) {
        channel_free(e->c);
        e->c = NULL;
        /* Borrowed for the call, whatever we did. */
        assert_true(str_eq(f->payload, STR("hi")));
    }
    return e->answer;
}

static void on_closed(void *user, enum err why)
{
    struct end *e = user;
    e->closed++;
    e->why = why;
    channel_free(e->c);
    e->c = NULL;
}

static const struct channel_events plain = {on_opened, on_frame, on_closed};

static void make_pair(int pair[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair),
                     0);
}

/* The channel of a worker whose keeper is the raw socket *ret_peer. */
static void open_end(struct end *e, int *ret_peer)
{
    int pair[2];
    make_pair(pair);
    e->got_fd = -1;
    assert_int_equal(loop_new(&e->l), ERR_OK);
    assert_int_equal(channel_new(e->l, pair[0], worker, FRAME_ROLE_KEEPER,
                                 &plain, e, &e->c),
                     ERR_OK);
    *ret_peer = pair[1];
}

static void say(int fd, struct buf *bytes)
{
    assert_int_equal(send(fd, bytes->ptr, bytes->len, MSG_NOSIGNAL),
                     bytes->len);
    buf_release(bytes);
}

/* The worker's hello and then: a pong for each ping. */
static enum err pong(void *user, const struct frame *f, int fd)
{
    struct end *e = user;
    assert_int_equal(fd, -1);
    e->frames++;
    if (f->type == TYPE_STOP) {
        channel_free(e->c);
        loop_stop(e->l);
        return ERR_OK;
    }
    frame_add(channel_out(e->c), TYPE_PONG, 0, f->payload);
    return ERR_OK;
}

static void ping_all(void *user, struct frame_hello peer)
{
    struct end *e = user;
    assert_int_equal(peer.role, FRAME_ROLE_KEEPER);
    e->opened++;
    for (; e->sent < PINGS / 2; e->sent++)
        frame_add(channel_out(e->c), TYPE_PING, 0,
                  (struct str){(const char *)&e->sent, sizeof(e->sent)});
}

static enum err on_pong(void *user, const struct frame *f, int fd)
{
    struct end *e = user;
    assert_int_equal(fd, -1);
    int number;
    memcpy(&number, f->payload.ptr, sizeof(number));
    assert_int_equal(number, e->frames++);
    if (e->sent < PINGS) {
        frame_add(channel_out(e->c), TYPE_PING, 0,
                  (struct str){(const char *)&e->sent, sizeof(e->sent)});
        e->sent++;
    }
    if (e->frames == PINGS) {
        frame_add(channel_out(e->c), TYPE_STOP, 0, STR(""));
        channel_flush(e->c);
        channel_free(e->c);
        loop_stop(e->l);
    }
    return ERR_OK;
}

static void run_end(void *arg)
{
    struct end *e = arg;
    loop_run(e->l);
    loop_free(e->l);
}

static void test_two_loops_exchange_frames(void **state)
{
    (void)state;
    static const struct channel_events pings = {ping_all, on_pong, on_closed},
                                       pongs = {on_opened, pong, on_closed};
    struct end a = {0}, b = {0};
    int pair[2];
    make_pair(pair);
    assert_int_equal(loop_new(&a.l), ERR_OK);
    assert_int_equal(loop_new(&b.l), ERR_OK);
    assert_int_equal(channel_new(a.l, pair[0], worker, FRAME_ROLE_KEEPER,
                                 &pings, &a, &a.c),
                     ERR_OK);
    assert_int_equal(channel_new(b.l, pair[1], keeper, FRAME_ROLE_WORKER,
                                 &pongs, &b, &b.c),
                     ERR_OK);
    assert_int_equal(thread_start(&b.thread, "pong", run_end, &b), ERR_OK);
    run_end(&a);
    thread_join(&b.thread);
    assert_int_equal(a.frames, PINGS);
    assert_int_equal(b.frames, PINGS + 1);
    assert_int_equal(a.opened + b.opened, 2);
    assert_int_equal(a.closed + b.closed, 0);
}

static void test_a_wrong_hello_closes(void **state)
{
    (void)state;
    struct frame_hello bad[3] = {keeper, keeper, keeper};
    bad[0].version++;
    bad[1].role = FRAME_ROLE_LEDGER;
    bad[2].role = FRAME_ROLE_NONE;
    for (int i = 0; i < 3; i++) {
        struct end e = {0};
        int peer;
        open_end(&e, &peer);
        struct buf bytes;
        buf_init(&bytes, 4096);
        frame_add_hello(&bytes, bad[i]);
        say(peer, &bytes);
        loop_run(e.l);
        assert_int_equal(e.opened, 0);
        assert_int_equal(e.closed, 1);
        assert_int_equal(e.why, ERR_MALFORMED);
        close(peer);
        loop_free(e.l);
    }
}

static void test_an_oversize_frame_closes(void **state)
{
    (void)state;
    struct end e = {0};
    int peer;
    open_end(&e, &peer);
    struct buf bytes;
    buf_init(&bytes, 4096);
    frame_add_hello(&bytes, keeper);
    frame_add(&bytes, TYPE_PING, 0, STR("fine"));
    assert_true(buf_add(&bytes, (struct str){"\xff\xff\xff\xff\0\x14\0\0", 8}));
    say(peer, &bytes);
    loop_run(e.l);
    assert_int_equal(e.opened, 1);
    assert_int_equal(e.frames, 1);
    assert_int_equal(e.closed, 1);
    assert_int_equal(e.why, ERR_LIMIT);
    close(peer);
    loop_free(e.l);
}

static void test_frames_before_the_end_are_delivered(void **state)
{
    (void)state;
    struct end e = {0};
    int peer;
    open_end(&e, &peer);
    struct buf bytes;
    buf_init(&bytes, 4096);
    frame_add_hello(&bytes, keeper);
    frame_add(&bytes, TYPE_PING, 0, STR("hi"));
    frame_add(&bytes, TYPE_PING, 0, STR("hi"));
    say(peer, &bytes);
    close(peer);
    loop_run(e.l);
    assert_int_equal(e.frames, 2);
    assert_int_equal(e.closed, 1);
    assert_int_equal(e.why, ERR_CLOSED);
    loop_free(e.l);
}

static void test_the_handlers_error_closes_and_stops_frames(void **state)
{
    (void)state;
    struct end e = {.answer = ERR_MALFORMED};
    int peer;
    open_end(&e, &peer);
    struct buf bytes;
    buf_init(&bytes, 4096);
    frame_add_hello(&bytes, keeper);
    frame_add(&bytes, TYPE_PING, 0, STR("hi"));
    frame_add(&bytes, TYPE_PING, 0, STR("hi"));
    say(peer, &bytes);
    loop_run(e.l);
    assert_int_equal(e.frames, 1);
    assert_int_equal(e.closed, 1);
    assert_int_equal(e.why, ERR_MALFORMED);
    close(peer);
    loop_free(e.l);
}

static void test_a_channel_may_be_freed_in_its_events(void **state)
{
    (void)state;
    for (int in_opened = 0; in_opened < 2; in_opened++) {
        struct end e = {.free_in_opened = in_opened == 1,
                        .free_in_frame = in_opened == 0};
        int peer;
        open_end(&e, &peer);
        struct buf bytes;
        buf_init(&bytes, 4096);
        frame_add_hello(&bytes, keeper);
        frame_add(&bytes, TYPE_PING, 0, STR("hi"));
        frame_add(&bytes, TYPE_PING, 0, STR("hi"));
        say(peer, &bytes);
        loop_run(e.l); /* ends: nothing is left */
        assert_int_equal(e.frames, in_opened == 1 ? 0 : 1);
        assert_int_equal(e.closed, 0);
        close(peer);
        loop_free(e.l);
    }
}

static void test_descriptors_travel(void **state)
{
    (void)state;
    struct end e = {.free_in_frame = true};
    int peer;
    open_end(&e, &peer);
    int pipes[2], back[2];
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    assert_int_equal(pipe2(back, O_CLOEXEC), 0);
    struct wire w;
    assert_int_equal(wire_init(&w, peer, keeper, FRAME_ROLE_WORKER), ERR_OK);
    assert_int_equal(wire_send_fd(&w, TYPE_FILE, STR("hi"), pipes[1]), ERR_OK);
    assert_int_equal(wire_flush(&w), ERR_OK);
    assert_int_equal(channel_send_fd(e.c, TYPE_FILE, STR("hi"), back[1]),
                     ERR_OK);
    loop_run(e.l);
    assert_true(e.got_fd >= 0);
    assert_int_equal(write(e.got_fd, "x", 1), 1);
    char c;
    assert_int_equal(read(pipes[0], &c, 1), 1);

    assert_int_equal(wire_fill(&w), ERR_OK); /* the hello and the frame */
    struct frame f;
    enum err err;
    int fd;
    assert_true(wire_next(&w, &f, &fd, &err));
    assert_true(fd >= 0);
    close(fd);
    close(e.got_fd);
    close(pipes[0]);
    close(back[0]);
    wire_release(&w);
    loop_free(e.l);
}

static void test_a_peer_that_does_not_read_fails_at_the_limit(void **state)
{
    (void)state;
    struct end e = {0};
    int peer;
    open_end(&e, &peer);
    static char big[1024 * 1024];
    for (int i = 0; i < 16; i++)
        frame_add(channel_out(e.c), TYPE_PING, 0,
                  (struct str){big, sizeof(big)});
    channel_flush(e.c); /* the socket takes some and is full now */
    assert_non_null(channel_out(e.c));
    for (int i = 0; i < 64; i++)
        frame_add(channel_out(e.c), TYPE_PING, 0,
                  (struct str){big, sizeof(big)});
    loop_run(e.l);
    assert_int_equal(e.closed, 1);
    assert_int_equal(e.why, ERR_LIMIT);
    close(peer);
    loop_free(e.l);
}

static void test_nothing_can_be_queued_after_a_failure(void **state)
{
    (void)state;
    struct end e = {0};
    int peer;
    open_end(&e, &peer);
    close(peer);
    channel_flush(e.c);
    assert_null(channel_out(e.c));
    assert_int_equal(channel_send_fd(e.c, TYPE_FILE, STR(""), dup(0)),
                     ERR_CLOSED);
    assert_int_equal(e.closed, 0); /* told later, not inside our call */
    loop_run(e.l);
    assert_int_equal(e.closed, 1);
    assert_int_equal(e.why, ERR_CLOSED);
    loop_free(e.l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_loops_exchange_frames),
        cmocka_unit_test(test_a_wrong_hello_closes),
        cmocka_unit_test(test_an_oversize_frame_closes),
        cmocka_unit_test(test_frames_before_the_end_are_delivered),
        cmocka_unit_test(test_the_handlers_error_closes_and_stops_frames),
        cmocka_unit_test(test_a_channel_may_be_freed_in_its_events),
        cmocka_unit_test(test_descriptors_travel),
        cmocka_unit_test(test_a_peer_that_does_not_read_fails_at_the_limit),
        cmocka_unit_test(test_nothing_can_be_queued_after_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
