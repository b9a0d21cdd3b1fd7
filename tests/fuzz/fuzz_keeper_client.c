/* layers: keeper */
/*
 * fuzz_keeper_client.c - what a key process that was taken over may answer.
 *
 * Two questions are on their way and a third was cancelled.  However the
 * answers look, both are told exactly once, a key comes only with ERR_OK and
 * is whole, and the cancelled one hears nothing.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/container.h"
#include "keeper/keeper_client.h"
#include "os/loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

enum { INPUT_MAX = 64 * 1024 }; /* fits the socket's buffer */

struct asker {
    struct keeper_wait wait;
    unsigned told;
};

static void on_done(struct keeper_wait *w, enum err e, struct str key)
{
    struct asker *a = CONTAINER_OF(w, struct asker, wait);
    a->told++;
    check(e == ERR_OK || e == ERR_LIMIT || e == ERR_KEEPER);
    check(key.len == (e == ERR_OK ? KEEPER_KEY_LEN : 0));
}

static void serve(struct loop *l, struct keeper_client *c, struct str answers)
{
    static const unsigned char id[KEEPER_SESSION_ID_LEN] = {1};
    int ends[2];
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    check(keeper_client_connect(c, ends[0]) == ERR_OK);
    struct asker a[3] = {{{.done = on_done}, 0},
                         {{.done = on_done}, 0},
                         {{.done = on_done}, 0}};
    check(keeper_client_caller_key(c, &a[0].wait) == ERR_OK);
    check(keeper_client_session_key_new(c, id, &a[1].wait) == ERR_OK);
    check(keeper_client_session_key_new(c, id, &a[2].wait) == ERR_OK);
    keeper_wait_cancel(&a[1].wait);
    check(write(ends[1], answers.ptr, answers.len) == (ssize_t)answers.len);
    check(shutdown(ends[1], SHUT_WR) == 0);
    loop_run(l); /* until the connection has ended */
    check(!keeper_client_ready(c));
    check(a[0].told == 1 && a[1].told == 0 && a[2].told == 1);
    (void)close(ends[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > INPUT_MAX)
        return 0;
    struct loop *l;
    struct keeper_client *c;
    check(loop_new(&l) == ERR_OK);
    check(keeper_client_new(l, 1, &c) == ERR_OK);
    serve(l, c, (struct str){(const char *)data, size});
    keeper_client_free(c);
    loop_free(l);
    return 0;
}
