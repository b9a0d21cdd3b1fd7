/* layers: runner */
/*
 * fuzz_runner_client.c - what a runner that was taken over may answer.
 *
 * Three runs are on their way, one of them cancelled, one told to stop.  The
 * first byte of the input says how many descriptors come with the answers.
 * However these look, both others end exactly once, are started at most once
 * and before that, get three descriptors that are open and theirs, and the
 * cancelled one hears nothing.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/container.h"
#include "os/loop.h"
#include "os/wire.h"
#include "runner/runner_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

enum { INPUT_MAX = 64 * 1024, ASKED = 3, DESCRIPTORS = 4 };

struct asker {
    struct runner_job job;
    unsigned started, ended;
};

static void on_started(struct runner_job *job, const struct runner_start *s)
{
    struct asker *a = CONTAINER_OF(job, struct asker, job);
    check(a->started == 0 && a->ended == 0);
    a->started++;
    for (int i = 0; i < RUNNER_PIPES; i++) {
        check((fcntl(s->pipes[i], F_GETFL) & O_NONBLOCK) != 0);
        check(close(s->pipes[i]) == 0);
    }
}

static void on_ended(struct runner_job *job, const struct runner_end *end)
{
    struct asker *a = CONTAINER_OF(job, struct asker, job);
    check(a->ended == 0);
    a->ended++;
    check(end->how != RUNNER_END_EXITED || a->started == 1);
    check(end->how != RUNNER_END_REFUSED || a->started == 0);
    check((end->how == RUNNER_END_REFUSED) == (end->reason.len > 0));
    check(end->reason.len <= RUNNER_REASON_MAX);
}

/* The answers in one message with up to DESCRIPTORS descriptors. */
static void answer(int fd, struct str bytes, unsigned descriptors)
{
    char room[CMSG_SPACE(sizeof(int) * DESCRIPTORS)] = {0};
    int sent[DESCRIPTORS];
    union {
        const char *from;
        void *to;
    } at = {bytes.ptr};
    struct iovec part = {at.to, bytes.len};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    for (unsigned i = 0; i < descriptors; i++) {
        sent[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
        check(sent[i] >= 0);
    }
    if (descriptors > 0) {
        m.msg_control = room;
        m.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors);
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * descriptors);
        memcpy(CMSG_DATA(c), sent, sizeof(int) * descriptors);
    }
    check(sendmsg(fd, &m, 0) == (ssize_t)bytes.len);
    for (unsigned i = 0; i < descriptors; i++)
        (void)close(sent[i]);
}

static void serve(struct loop *l, struct runner_client *c, struct str answers,
                  unsigned descriptors)
{
    int ends[2];
    struct asker a[ASKED] = {0};
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    check(runner_client_connect(c, ends[0]) == ERR_OK);
    for (size_t i = 0; i < ASKED; i++) {
        a[i].job.started = on_started;
        a[i].job.ended = on_ended;
        check(runner_client_start(c, STR("files"), &a[i].job) == ERR_OK);
    }
    runner_job_cancel(&a[1].job);
    runner_job_stop(&a[2].job);
    answer(ends[1], answers, descriptors);
    check(shutdown(ends[1], SHUT_WR) == 0);
    loop_run(l); /* until the connection has ended */
    check(!runner_client_ready(c));
    check(a[0].ended == 1 && a[2].ended == 1);
    check(a[1].started == 0 && a[1].ended == 0);
    (void)close(ends[1]);
}

static int lowest_free(void)
{
    int fd = dup(STDERR_FILENO);
    check(fd >= 0 && close(fd) == 0);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > INPUT_MAX)
        return 0;
    struct loop *l;
    struct runner_client *c;
    int before = lowest_free();
    check(loop_new(&l) == ERR_OK);
    check(runner_client_new(l, 1, &c) == ERR_OK);
    serve(l, c, (struct str){(const char *)data + 1, size - 1},
          data[0] % (DESCRIPTORS + 1));
    runner_client_free(c);
    loop_free(l);
    check(lowest_free() == before); /* nothing that came was left open */
    return 0;
}
