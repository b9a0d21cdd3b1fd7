/*
 * load.c - calls at a constant rate (an open loop), and how long each took
 * from the moment it was due, so that a server which falls behind cannot hide
 * it.  Prints one line of JSON.
 *
 *     load PORT BODY_FILE KEY CONNECTIONS RATE SECONDS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <time.h>

#include "common.h"
#include "wire.h"

enum {
    EVENTS_MAX = 256,
    CONNECTIONS_MAX = 4096,
    ANSWER_MAX = 64 * 1024,
    SAMPLES_MAX = 10000000,
    SPIN_NS = 30000, /* a sleep shorter than this would come too late */
};

struct connection {
    struct wire wire;
    int64_t due_ns;
    size_t len; /* of the answer so far */
    char answer[ANSWER_MAX];
    struct connection *next; /* idle ones */
};

struct load {
    int epoll;
    char *request;
    size_t request_len;
    int64_t begin_ns, end_ns, measured_from_ns;
    double interval_ns;
    struct connection *idle;
    uint64_t due, done, not_200, failed;
    struct samples took;
};

static int64_t due_at(const struct load *l, uint64_t call)
{
    return l->begin_ns + (int64_t)((double)call * l->interval_ns);
}

static void start(struct load *l)
{
    struct connection *c = l->idle;

    l->idle = c->next;
    c->len = 0;
    c->due_ns = due_at(l, l->due++);
    if (!wire_write(&c->wire, l->request, l->request_len))
        die("write");
}

static bool is_complete(const struct connection *c)
{
    const char *end = memmem(c->answer, c->len, "\r\n\r\n", 4);

    if (end == NULL)
        return false;
    size_t head_len = (size_t)(end + 4 - c->answer);
    const char *length = strcasestr(c->answer, "\r\ncontent-length:");
    if (length != NULL && length < end)
        return c->len - head_len >= strtoul(length + 17, NULL, 10);
    return memcmp(c->answer + c->len - 5, "0\r\n\r\n", 5) == 0;
}

static void finish(struct load *l, struct connection *c)
{
    int64_t now = now_ns();

    l->done++;
    if (strncmp(c->answer, "HTTP/1.1 200", 12) != 0)
        l->not_200++;
    if (c->due_ns >= l->measured_from_ns)
        samples_add(&l->took, now - c->due_ns);
    c->next = l->idle;
    l->idle = c;
}

/* A connection that ends is not opened again: it is a failure to report. */
static void on_readable(struct load *l, struct connection *c)
{
    ssize_t n =
        wire_read(&c->wire, c->answer + c->len, ANSWER_MAX - 1 - c->len);
    if (n < 0) {
        l->failed++;
        wire_close(&c->wire);
        return;
    }
    c->len += (size_t)n;
    c->answer[c->len] = '\0';
    if (n > 0 && is_complete(c))
        finish(l, c);
}

static int wait_for_answers(struct load *l, struct epoll_event *events)
{
    struct timespec wait = {0, 0};
    int64_t left = due_at(l, l->due) - now_ns();

    if (l->idle == NULL)
        return epoll_wait(l->epoll, events, EVENTS_MAX, 100);
    if (left > SPIN_NS)
        wait.tv_nsec =
            left < NS_PER_S ? (long)(left - SPIN_NS) : (long)NS_PER_S - 1;
    return epoll_pwait2(l->epoll, events, EVENTS_MAX, &wait, NULL);
}

static void run(struct load *l)
{
    struct epoll_event events[EVENTS_MAX];
    int64_t now;

    while ((now = now_ns()) < l->end_ns) {
        while (l->idle != NULL && due_at(l, l->due) <= now)
            start(l);
        int n = wait_for_answers(l, events);
        for (int i = 0; i < n; i++)
            on_readable(l, events[i].data.ptr);
    }
}

static void print(const struct load *l, double rate)
{
    double seconds = (double)(now_ns() - l->begin_ns) / (double)NS_PER_S;

    printf("{\"rate\":%.0f,\"done\":%lu,\"rps\":%.1f,\"not_200\":%lu,"
           "\"failed\":%lu,\"not_sent\":%.0f,\"p50_us\":%.1f,\"p99_us\":%.1f,"
           "\"p999_us\":%.1f}\n",
           rate, (unsigned long)l->done, (double)l->done / seconds,
           (unsigned long)l->not_200, (unsigned long)l->failed,
           seconds * rate - (double)l->due, samples_us(&l->took, 50),
           samples_us(&l->took, 99), samples_us(&l->took, 99.9));
}

int main(int argc, char **argv)
{
    struct load l = {0};

    if (argc != 7)
        usage("load PORT BODY_FILE KEY CONNECTIONS RATE SECONDS");
    uint16_t port = (uint16_t)number(argv[1], UINT16_MAX);
    int64_t connections = number(argv[4], CONNECTIONS_MAX);
    double rate = (double)number(argv[5], 1000000);
    int64_t length_ns = number(argv[6], 3600) * NS_PER_S;
    l.request = make_request(argv[2], argv[3], &l.request_len);
    l.epoll = epoll_create1(EPOLL_CLOEXEC);
    l.interval_ns = (double)NS_PER_S / rate;
    samples_init(&l.took, SAMPLES_MAX);
    for (int64_t i = 0; i < connections; i++) {
        struct connection *c = allocate(sizeof(*c));
        wire_connect(&c->wire, connect_to(port), NULL);
        watch(l.epoll, c->wire.fd, EPOLLIN, c);
        c->next = l.idle;
        l.idle = c;
    }
    l.begin_ns = now_ns();
    l.end_ns = l.begin_ns + length_ns;
    l.measured_from_ns = l.begin_ns + length_ns / 10;
    run(&l);
    samples_sort(&l.took);
    print(&l, rate);
    return 0;
}
