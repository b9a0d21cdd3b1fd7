/* fixture.c - see fixture.h. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper/keeper_process.h"

enum { PATIENCE_MS = 10000 };

int fixture_set_up(void **state)
{
    struct fixture *x = calloc(1, sizeof(*x));
    assert_non_null(x);
    (void)snprintf(x->dir, sizeof(x->dir), "/tmp/writ-keeper-XXXXXX");
    assert_non_null(mkdtemp(x->dir));
    (void)snprintf(x->keys_dir, sizeof(x->keys_dir), "%s/keys", x->dir);
    x->control.fd = -1;
    *state = x;
    return 0;
}

/* Everything that a test or the process may have put there. */
static void remove_all(const struct fixture *x)
{
    static const char *const names[] = {"node.key", "node.key.new",
                                        "payload.keys", "f"};
    char path[128];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", x->keys_dir, names[i]);
        (void)remove(path);
    }
    (void)rmdir(x->keys_dir);
    assert_int_equal(rmdir(x->dir), 0);
}

int fixture_tear_down(void **state)
{
    struct fixture *x = *state;
    if (x->pid != 0)
        fixture_kill(x);
    remove_all(x);
    free(x);
    return 0;
}

void fixture_start(struct fixture *x, void (*before)(void))
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
                     0);
    x->pid = fork();
    assert_true(x->pid >= 0);
    if (x->pid == 0) {
        (void)close(ends[0]);
        if (before != NULL)
            before();
        const struct keeper_process_options o = {x->keys_dir, ends[1]};
        _exit(keeper_process_run(&o));
    }
    (void)close(ends[1]);
    const struct frame_hello own = {FRAME_PROTOCOL_VERSION,
                                    FRAME_ROLE_SUPERVISOR, 0};
    assert_int_equal(wire_init(&x->control, ends[0], own, FRAME_ROLE_KEEPER),
                     ERR_OK);
    /* One that refuses to start may have gone by now, which its end tells. */
    enum err e = wire_flush(&x->control);
    assert_true(e == ERR_OK || e == ERR_CLOSED);
}

int fixture_end(struct fixture *x)
{
    int status = 0;
    assert_int_equal(waitpid(x->pid, &status, 0), x->pid);
    x->pid = 0;
    wire_release(&x->control);
    return status;
}

void fixture_shut_down(struct fixture *x)
{
    fixture_send(&x->control, FRAME_SHUTDOWN, (struct str){NULL, 0});
    assert_int_equal(fixture_end(x), 0);
}

void fixture_kill(struct fixture *x)
{
    (void)kill(x->pid, SIGKILL);
    (void)fixture_end(x);
}

int fixture_connect_fd(struct fixture *x, enum frame_role role)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
                     0);
    const char payload[] = {0, 0, 0, (char)role};
    assert_int_equal(wire_send_fd(&x->control, FRAME_CONNECT,
                                  (struct str){payload, sizeof(payload)},
                                  ends[1]),
                     ERR_OK);
    assert_int_equal(wire_flush(&x->control), ERR_OK);
    return ends[0];
}

void fixture_connect(struct fixture *x, enum frame_role role, struct wire *w)
{
    const struct frame_hello own = {FRAME_PROTOCOL_VERSION, role, 1};
    int fd = fixture_connect_fd(x, role);
    assert_int_equal(wire_init(w, fd, own, FRAME_ROLE_KEEPER), ERR_OK);
}

void fixture_send(struct wire *w, uint16_t type, struct str payload)
{
    frame_add(wire_out(w), type, 0, payload);
    /* The other side may be gone; what is read then says so. */
    enum err e = wire_flush(w);
    assert_true(e == ERR_OK || e == ERR_CLOSED);
}

enum err fixture_next(struct wire *w, struct frame *ret)
{
    enum err e = ERR_OK;
    while (e == ERR_OK && !wire_next(w, ret, NULL, &e)) {
        struct pollfd fd = {w->fd, POLLIN, 0};
        if (wire_pending(w))
            fd.events = POLLIN | POLLOUT;
        assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
        if ((fd.revents & POLLOUT) != 0)
            e = wire_flush(w);
        if (e == ERR_OK && (fd.revents & (POLLIN | POLLHUP)) != 0)
            e = wire_fill(w);
    }
    return e;
}

enum keeper_status fixture_ask(struct wire *w, uint16_t type,
                               struct str payload,
                               unsigned char key[KEEPER_KEY_LEN])
{
    fixture_send(w, type, payload);
    struct frame f;
    assert_int_equal(fixture_next(w, &f), ERR_OK);
    assert_int_equal(f.type, type);
    struct frame_reader r = frame_reader(f.payload);
    enum keeper_status status = (enum keeper_status)frame_get_u8(&r);
    if (status == KEEPER_OK)
        memcpy(key, frame_get_bytes(&r, KEEPER_KEY_LEN).ptr, KEEPER_KEY_LEN);
    assert_true(frame_reader_done(&r));
    return status;
}

struct fixture_id fixture_id(unsigned n)
{
    struct fixture_id id = {"session"};
    memcpy(id.bytes + 8, &n, sizeof(n));
    return id;
}
