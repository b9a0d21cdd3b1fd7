/* Tests os/wire: frames in pieces, broken peers, descriptors, full sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/err.h"
#include "os/wire.h"

enum { TYPE_A = 10, TYPE_B = 11 };

static const struct frame_hello worker = {FRAME_PROTOCOL_VERSION,
                                          FRAME_ROLE_WORKER, 7};
static const struct frame_hello ledger = {FRAME_PROTOCOL_VERSION,
                                          FRAME_ROLE_LEDGER, 7};

static void make_pair(int pair[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair),
                     0);
}

/* `a` is a worker's end, `b` the ledger's. */
static void make_wires(struct wire *a, struct wire *b)
{
    int pair[2];
    make_pair(pair);
    assert_int_equal(wire_init(a, pair[0], worker, FRAME_ROLE_LEDGER), ERR_OK);
    assert_int_equal(wire_init(b, pair[1], ledger, FRAME_ROLE_WORKER), ERR_OK);
}

static void test_frames_come_in_order_after_the_hellos(void **state)
{
    (void)state;
    struct wire a, b;
    make_wires(&a, &b);
    frame_add(wire_out(&a), TYPE_A, 3, STR("one"));
    frame_add(wire_out(&a), TYPE_B, 0, STR(""));
    assert_true(wire_pending(&a));
    assert_int_equal(wire_flush(&a), ERR_OK);
    assert_false(wire_pending(&a));

    assert_int_equal(wire_fill(&b), ERR_OK);
    struct frame f;
    enum err e;
    int fd;
    assert_true(wire_next(&b, &f, &fd, &e));
    assert_true(b.opened);
    assert_int_equal(b.peer.generation, 7);
    assert_int_equal(f.type, TYPE_A);
    assert_int_equal(f.flags, 3);
    assert_true(str_eq(f.payload, STR("one")));
    assert_int_equal(fd, -1);
    assert_true(wire_next(&b, &f, NULL, &e));
    assert_int_equal(f.type, TYPE_B);
    assert_int_equal(f.payload.len, 0);
    assert_false(wire_next(&b, &f, NULL, &e));
    assert_int_equal(e, ERR_OK);
    assert_int_equal(wire_fill(&b), ERR_OK); /* nothing there is no error */

    wire_release(&a);
    assert_int_equal(wire_fill(&b), ERR_CLOSED);
    wire_release(&b);
    wire_release(&b);
}

static void test_frames_may_come_byte_by_byte(void **state)
{
    (void)state;
    int pair[2];
    make_pair(pair);
    struct buf bytes;
    buf_init(&bytes, 4096);
    frame_add_hello(&bytes, worker);
    frame_add(&bytes, TYPE_A, 0, STR("payload"));
    frame_add(&bytes, TYPE_B, 0, STR("x"));
    struct wire b;
    assert_int_equal(wire_init(&b, pair[1], ledger, FRAME_ROLE_WORKER), ERR_OK);
    int seen = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        assert_int_equal(write(pair[0], bytes.ptr + i, 1), 1);
        assert_int_equal(wire_fill(&b), ERR_OK);
        struct frame f;
        enum err e;
        while (wire_next(&b, &f, NULL, &e))
            assert_int_equal(f.type, seen++ == 0 ? TYPE_A : TYPE_B);
        assert_int_equal(e, ERR_OK);
    }
    assert_int_equal(seen, 2);
    buf_release(&bytes);
    close(pair[0]);
    wire_release(&b);
}

static void test_peers_that_break_the_protocol_are_refused(void **state)
{
    (void)state;
    struct frame_hello old = worker, stranger = worker;
    old.version++;
    stranger.role = FRAME_ROLE_KEEPER;
    struct buf cases[5];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        buf_init(&cases[i], 4096);
    frame_add_hello(&cases[0], old);
    frame_add_hello(&cases[1], stranger);
    frame_add(&cases[2], TYPE_A, 0, STR("no hello"));
    frame_add_hello(&cases[3], worker);
    /* A head that frame_add_head() would not write: FRAME_MAX + 1. */
    assert_true(buf_add(&cases[3], (struct str){"\0\x40\0\x01\0\x0a\0\0", 8}));
    frame_add_hello(&cases[4], worker);
    frame_add(&cases[4], TYPE_A, WIRE_FLAG_FD, STR("but none came"));

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int pair[2];
        make_pair(pair);
        struct wire b;
        assert_int_equal(wire_init(&b, pair[1], ledger, FRAME_ROLE_WORKER),
                         ERR_OK);
        assert_int_equal(write(pair[0], cases[i].ptr, cases[i].len),
                         cases[i].len);
        assert_int_equal(wire_fill(&b), ERR_OK);
        struct frame f;
        enum err e;
        int fd;
        assert_false(wire_next(&b, &f, &fd, &e));
        assert_int_equal(e, i == 3 ? ERR_LIMIT : ERR_MALFORMED);
        buf_release(&cases[i]);
        close(pair[0]);
        wire_release(&b);
    }
}

/* Reads one byte of a pipe whose writing end is `fd`. */
static void assert_is_pipe_to(int fd, int read_end)
{
    char c = 0;
    assert_int_equal(write(fd, "p", 1), 1);
    assert_int_equal(read(read_end, &c, 1), 1);
    assert_int_equal(c, 'p');
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
}

static void test_descriptors_travel_with_their_frames(void **state)
{
    (void)state;
    struct wire a, b;
    make_wires(&a, &b);
    int first[2], second[2];
    assert_int_equal(pipe2(first, O_CLOEXEC), 0);
    assert_int_equal(pipe2(second, O_CLOEXEC), 0);
    frame_add(wire_out(&a), TYPE_A, 0, STR("plain"));
    assert_int_equal(wire_send_fd(&a, TYPE_B, STR("first"), first[1]), ERR_OK);
    frame_add(wire_out(&a), TYPE_A, 0, STR("between"));
    assert_int_equal(wire_send_fd(&a, TYPE_B, STR("second"), second[1]),
                     ERR_OK);
    frame_add(wire_out(&a), TYPE_A, 0, STR("after"));
    assert_int_equal(wire_flush(&a), ERR_OK);
    assert_int_equal(fcntl(first[1], F_GETFD), -1); /* closed once sent */

    int fds[5], seen = 0;
    while (seen < 5) {
        assert_int_equal(wire_fill(&b), ERR_OK);
        struct frame f;
        enum err e = ERR_OK;
        while (seen < 5 && wire_next(&b, &f, &fds[seen], &e)) {
            assert_int_equal(f.flags, 0);
            assert_int_equal(f.type == TYPE_B, fds[seen] >= 0);
            seen++;
        }
        assert_int_equal(e, ERR_OK);
    }
    assert_is_pipe_to(fds[1], first[0]);
    assert_is_pipe_to(fds[3], second[0]);
    close(fds[1]);
    close(fds[3]);
    close(first[0]);
    close(second[0]);
    wire_release(&a);
    wire_release(&b);
}

static void test_descriptors_nobody_took_are_closed(void **state)
{
    (void)state;
    struct wire a, b;
    make_wires(&a, &b);
    int pipes[2];
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    for (int i = 0; i < WIRE_FDS_MAX; i++)
        assert_int_equal(wire_send_fd(&a, TYPE_B, STR(""), dup(pipes[1])),
                         ERR_OK);
    assert_int_equal(wire_send_fd(&a, TYPE_B, STR(""), dup(pipes[1])),
                     ERR_LIMIT);
    assert_int_equal(wire_flush(&a), ERR_OK);
    assert_int_equal(wire_fill(&b), ERR_OK);
    assert_int_equal(wire_fill(&b), ERR_OK);
    assert_true(b.fds_in_count > 0);
    /* Where none is expected, one that comes ends the connection. */
    struct frame f;
    enum err e;
    assert_false(wire_next(&b, &f, NULL, &e));
    assert_int_equal(e, ERR_MALFORMED);
    wire_release(&a);
    wire_release(&b);

    /* The last copy is gone: the reading end sees the end. */
    close(pipes[1]);
    char c;
    assert_int_equal(read(pipes[0], &c, 1), 0);
    close(pipes[0]);
}

static void test_a_flood_of_descriptors_is_refused(void **state)
{
    (void)state;
    int before = dup(0);
    close(before);
    struct wire a, b;
    make_wires(&a, &b);
    enum err e = ERR_OK;
    for (int i = 0; i <= WIRE_FDS_MAX && e == ERR_OK; i++) {
        assert_int_equal(wire_send_fd(&a, TYPE_B, STR(""), dup(0)), ERR_OK);
        assert_int_equal(wire_flush(&a), ERR_OK);
        e = wire_fill(&b); /* frames are not taken */
        if (e == ERR_OK && i < 1)
            e = wire_fill(&b);
    }
    assert_int_equal(e, ERR_MALFORMED);
    wire_release(&a);
    wire_release(&b);
    int after = dup(0);
    close(after);
    assert_int_equal(before, after); /* none leaked */
}

static void test_what_the_socket_does_not_take_is_kept_in_order(void **state)
{
    (void)state;
    enum { FRAMES = 40, BIG = 300000 };
    struct wire a, b;
    make_wires(&a, &b);
    static char big[BIG];
    for (unsigned i = 0; i < FRAMES; i++) {
        memset(big, (int)('a' + i % 26), sizeof(big));
        frame_add(wire_out(&a), (uint16_t)(TYPE_A + i), 0,
                  (struct str){big, sizeof(big) - i});
    }
    unsigned seen = 0;
    bool was_pending = false;
    while (seen < FRAMES) {
        assert_int_equal(wire_flush(&a), ERR_OK);
        was_pending |= wire_pending(&a);
        assert_int_equal(wire_fill(&b), ERR_OK);
        struct frame f;
        enum err e;
        while (wire_next(&b, &f, NULL, &e)) {
            assert_int_equal(f.type, TYPE_A + seen);
            assert_int_equal(f.payload.len, BIG - seen);
            assert_int_equal(f.payload.ptr[0], 'a' + seen % 26);
            assert_int_equal(f.payload.ptr[f.payload.len - 1], 'a' + seen % 26);
            seen++;
        }
        assert_int_equal(e, ERR_OK);
    }
    assert_true(was_pending);
    assert_false(wire_pending(&a));
    wire_release(&a);
    wire_release(&b);
}

static void test_a_queue_over_its_limit_fails_the_wire(void **state)
{
    (void)state;
    struct wire a, b;
    make_wires(&a, &b);
    static char big[1024 * 1024];
    for (size_t i = 0; i <= WIRE_OUT_MAX / sizeof(big); i++)
        frame_add(wire_out(&a), TYPE_A, 0, (struct str){big, sizeof(big)});
    assert_int_equal(wire_flush(&a), ERR_LIMIT);
    assert_int_equal(wire_send_fd(&a, TYPE_B, STR(""), dup(0)), ERR_LIMIT);
    wire_release(&a);
    wire_release(&b);
}

static void test_a_peer_that_went_away_is_told_to_the_writer(void **state)
{
    (void)state;
    struct wire a, b;
    make_wires(&a, &b);
    wire_release(&b);
    assert_int_equal(wire_flush(&a), ERR_CLOSED); /* and no SIGPIPE */
    wire_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_come_in_order_after_the_hellos),
        cmocka_unit_test(test_frames_may_come_byte_by_byte),
        cmocka_unit_test(test_peers_that_break_the_protocol_are_refused),
        cmocka_unit_test(test_descriptors_travel_with_their_frames),
        cmocka_unit_test(test_descriptors_nobody_took_are_closed),
        cmocka_unit_test(test_a_flood_of_descriptors_is_refused),
        cmocka_unit_test(test_what_the_socket_does_not_take_is_kept_in_order),
        cmocka_unit_test(test_a_queue_over_its_limit_fails_the_wire),
        cmocka_unit_test(test_a_peer_that_went_away_is_told_to_the_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
