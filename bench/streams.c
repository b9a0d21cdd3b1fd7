/*
 * streams.c - many streamed calls at a time, and what their callers see.
 *
 *     streams PORT BODY KEY PROBE_BODY STREAMS RAMP_MS SECONDS PLAIN|TLS
 *
 * Opens STREAMS streams evenly over RAMP_MS, prints `ready` when each has had
 * an event, then the number of events so far as `begin N` and, SECONDS later,
 * `end N`, for whoever watches the server between the two.  After that, for
 * SECONDS, short streams (PROBE_BODY) on a few kept connections measure the
 * time to the first event while the others go on.  Waits for all streams to
 * end, and prints one line of JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "common.h"
#include "wire.h"

enum {
    EVENTS_MAX = 256,
    STREAMS_MAX = 100000,
    PROBES = 8,
    PROBE_EVERY_US = 5000,
    PROBES_TO_WARM_UP = 40,
    SAMPLES_MAX = 4000000,
    TAIL_MAX_S = 60, /* for the last streams to end */
};
#define BUFFER_LEN ((size_t)64 * 1024)

static const char done_mark[] = "[DONE]";
static const char end_mark[] = "0\r\n\r\n"; /* the last chunk, behind [DONE] */

struct stream {
    struct wire wire;
    enum { CLOSED, OPENING, ASKED, STREAMING, DONE } state;
    bool probe;
    int64_t asked_ns, event_ns; /* the latest of each */
    char last; /* byte that was read: an event ends with two newlines */
    size_t done_at, end_at; /* how far into the marks */
};

struct streams {
    int epoll;
    uint16_t port;
    struct ssl_ctx_st *tls;
    char *request, *probe_request;
    size_t request_len, probe_request_len;
    struct stream *all; /* the probes' are the last */
    size_t count, opened, started, ended;
    uint64_t events, probes, failed, not_200;
    bool watched; /* between `begin` and `end` */
    struct samples first, probe_first, gaps;
    char buffer[BUFFER_LEN];
};

static void fail(struct streams *s, struct stream *c)
{
    s->failed++;
    s->ended += c->probe ? 0 : 1;
    if (c->state == ASKED && !c->probe)
        s->started++;
    wire_close(&c->wire);
    c->state = CLOSED;
}

static void ask(struct streams *s, struct stream *c)
{
    const char *text = c->probe ? s->probe_request : s->request;
    size_t len = c->probe ? s->probe_request_len : s->request_len;

    c->state = ASKED;
    c->done_at = c->end_at = 0;
    c->asked_ns = now_ns();
    if (!wire_write(&c->wire, text, len))
        fail(s, c);
}

static void open_stream(struct streams *s, struct stream *c)
{
    c->state = OPENING;
    wire_connect(&c->wire, connect_to(s->port), s->tls);
    watch(s->epoll, c->wire.fd, EPOLLIN, c);
    int done = wire_open(&c->wire);
    if (done < 0)
        fail(s, c);
    else if (done == 1 && !c->probe)
        ask(s, c);
    else if (done == 1)
        c->state = DONE;
}

/* One more step into the mark, or back to its start. */
static void match(size_t *at, const char *mark, char byte)
{
    if (mark[*at] == '\0')
        return;
    *at = byte == mark[*at] ? *at + 1 : byte == mark[0] ? 1 : 0;
}

static void on_event(struct streams *s, struct stream *c)
{
    int64_t now = now_ns();

    if (c->state == ASKED) {
        int64_t took = now - c->asked_ns;
        c->state = STREAMING;
        if (!c->probe) {
            samples_add(&s->first, took);
            s->started++;
        } else if (++s->probes > PROBES_TO_WARM_UP) {
            samples_add(&s->probe_first, took);
        }
    } else if (s->watched) {
        samples_add(&s->gaps, now - c->event_ns);
    }
    c->event_ns = now;
    s->events++;
}

static void feed(struct streams *s, struct stream *c, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char byte = s->buffer[i];
        if (byte == '\n' && c->last == '\n')
            on_event(s, c);
        c->last = byte;
        if (done_mark[c->done_at] == '\0')
            match(&c->end_at, end_mark, byte);
        match(&c->done_at, done_mark, byte);
    }
    if (end_mark[c->end_at] != '\0')
        return;
    c->state = DONE;
    s->ended += c->probe ? 0 : 1;
}

static void on_readable(struct streams *s, struct stream *c)
{
    if (c->state == OPENING) {
        int done = wire_open(&c->wire);
        if (done < 0)
            fail(s, c);
        else if (done == 1 && !c->probe)
            ask(s, c);
        else if (done == 1)
            c->state = DONE;
        return;
    }
    ssize_t n = wire_read(&c->wire, s->buffer, BUFFER_LEN);
    if (n < 0) {
        if (c->state == DONE && !c->probe)
            wire_close(&c->wire); /* its caller wanted no more */
        else
            fail(s, c);
        return;
    }
    if (c->state == ASKED && n > 12 && memcmp(s->buffer, "HTTP/1.1 ", 9) == 0 &&
        memcmp(s->buffer + 9, "200", 3) != 0)
        s->not_200++;
    feed(s, c, (size_t)n);
}

/* Serves what comes until `until_ns` at the latest. */
static void serve(struct streams *s, int64_t until_ns)
{
    struct epoll_event events[EVENTS_MAX];
    int64_t left = until_ns - now_ns();
    struct timespec wait = {0, 0};

    if (left > 0)
        wait = (struct timespec){left / NS_PER_S, left % NS_PER_S};
    int n = epoll_pwait2(s->epoll, events, EVENTS_MAX, &wait, NULL);
    for (int i = 0; i < n; i++)
        on_readable(s, events[i].data.ptr);
}

static void open_all(struct streams *s, int64_t ramp_ns)
{
    int64_t begin = now_ns();

    while (s->opened < s->count) {
        int64_t due = begin + ramp_ns * (int64_t)s->opened / (int64_t)s->count;
        if (now_ns() >= due)
            open_stream(s, &s->all[s->opened++]);
        else
            serve(s, due);
    }
    int64_t until = now_ns() + TAIL_MAX_S * NS_PER_S;
    while (s->started < s->count && now_ns() < until)
        serve(s, now_ns() + 10 * NS_PER_MS);
    for (size_t i = 0; i < PROBES; i++) {
        struct stream *c = &s->all[s->count + i];
        c->probe = true;
        open_stream(s, c);
    }
}

static void say(const char *what, uint64_t n)
{
    printf("%s %lu\n", what, (unsigned long)n);
    (void)fflush(stdout);
}

static void watch_events(struct streams *s, int64_t length_ns)
{
    int64_t until = now_ns() + length_ns;

    s->watched = true;
    say("begin", s->events);
    while (now_ns() < until)
        serve(s, until);
    say("end", s->events);
    s->watched = false;
}

static void probe(struct streams *s, int64_t length_ns)
{
    int64_t due = now_ns();
    int64_t until = due + length_ns;

    for (size_t next = 0; due < until; next = (next + 1) % PROBES) {
        struct stream *c = &s->all[s->count + next];
        due += PROBE_EVERY_US * NS_PER_US;
        while (now_ns() < due)
            serve(s, due);
        if (c->state == DONE)
            ask(s, c);
    }
}

static void print(struct streams *s)
{
    samples_sort(&s->first);
    samples_sort(&s->probe_first);
    samples_sort(&s->gaps);
    printf("{\"streams\":%zu,\"ended\":%zu,\"events\":%lu,\"failed\":%lu,"
           "\"not_200\":%lu,\"open_p50_us\":%.1f,\"open_p99_us\":%.1f,"
           "\"first_p50_us\":%.1f,\"first_p99_us\":%.1f,"
           "\"gap_p50_us\":%.1f,\"gap_p99_us\":%.1f,\"gap_max_us\":%.1f,"
           "\"probes\":%lu}\n",
           s->count, s->ended, (unsigned long)s->events,
           (unsigned long)s->failed, (unsigned long)s->not_200,
           samples_us(&s->first, 50), samples_us(&s->first, 99),
           samples_us(&s->probe_first, 50), samples_us(&s->probe_first, 99),
           samples_us(&s->gaps, 50), samples_us(&s->gaps, 99),
           samples_us(&s->gaps, 100), (unsigned long)s->probes);
}

int main(int argc, char **argv)
{
    if (argc != 9)
        usage("streams PORT BODY KEY PROBE_BODY STREAMS RAMP_MS SECONDS "
              "PLAIN|TLS");
    struct streams *s = allocate(sizeof(*s));
    s->port = (uint16_t)number(argv[1], UINT16_MAX);
    s->request = make_request(argv[2], argv[3], &s->request_len);
    s->probe_request = make_request(argv[4], argv[3], &s->probe_request_len);
    s->count = (size_t)number(argv[5], STREAMS_MAX);
    int64_t ramp_ns = number(argv[6], 600000) * NS_PER_MS;
    int64_t length_ns = number(argv[7], 600) * NS_PER_S;
    s->tls = strcmp(argv[8], "TLS") == 0 ? wire_client() : NULL;
    s->all = allocate((s->count + PROBES) * sizeof(*s->all));
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    samples_init(&s->first, SAMPLES_MAX);
    samples_init(&s->probe_first, SAMPLES_MAX);
    samples_init(&s->gaps, SAMPLES_MAX);

    open_all(s, ramp_ns);
    say("ready", s->started);
    watch_events(s, length_ns);
    probe(s, length_ns);
    int64_t until = now_ns() + TAIL_MAX_S * NS_PER_S;
    while (s->ended < s->count && now_ns() < until)
        serve(s, now_ns() + 10 * NS_PER_MS);
    print(s);
    return 0;
}
