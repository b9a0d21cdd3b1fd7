/*
 * revoke.c - an agent is suspended while it has many streams open: when each
 * of them has ended, and from when on nothing new of it is let in.
 *
 *     revoke PORT BODY KEY PROBE_BODY SOCKET AGENT STREAMS TIMES
 *
 * TIMES times: opens STREAMS streams with KEY, waits until each has had an
 * event, asks the admin API on SOCKET to suspend AGENT ("acme/victim"), waits
 * until all have ended, and resumes it.  Meanwhile short calls (PROBE_BODY)
 * go one after the other over a few other connections, so that every worker
 * has some.  Prints one line of JSON.
 *
 * Bytes count from the moment at which the kernel had them, not from when
 * this program came to read them.  Nobody waits for the streams: they are
 * looked at now and then, so that those who cut them are not interrupted for
 * each by a reader who shares the machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "wire.h"

enum {
    EVENTS_MAX = 64,
    STREAMS_MAX = 20000,
    TIMES_MAX = 1000,
    PROBES = 8,
    PROBE_EVERY_US = 1000,
    REPLY_MAX = 16 * 1024,
    PATIENCE_S = 30,
};
#define BUFFER_LEN ((size_t)64 * 1024)

static const char end_mark[] = "0\r\n\r\n";        /* of a chunked answer */
static const char content_mark[] = "\"content\":"; /* the model's own words */
static const char error_mark[] = "\"error\"";

struct stream {
    struct wire wire;
    enum { CLOSED, ASKED, STREAMING, IDLE, REFUSED } state;
    bool probe;
    bool told;        /* by an error event why it ends */
    int64_t asked_ns; /* the latest of each */
    int64_t bytes_ns;
    int64_t content_ns;
    int64_t refused_ns;
};

struct samples_of {
    struct samples cut, cut_all, reply, refused, first_refused, let_in;
};

struct revoke {
    int epoll;       /* of the streams */
    int quick_epoll; /* of the probes and the control socket */
    uint16_t port;
    const char *socket, *agent;
    char *request, *probe_request;
    size_t request_len, probe_request_len;
    struct stream *streams;
    struct stream probes[PROBES];
    size_t count, started, open;
    bool probing;
    size_t next_probe;
    int64_t due_ns;      /* of the next probe */
    int64_t suspend_ns;  /* when it was asked for; 0: not in this round */
    int64_t let_in_ns;   /* when the last call was sent that was let in */
    int64_t reply_ns;    /* when the reply had been read; 0: not yet */
    struct wire control; /* what is asked there, one at a time */
    char reply[REPLY_MAX];
    size_t reply_len;
    struct samples_of took;
    uint64_t failed, untold, late_content, late_calls, unrefused;
    char buffer[BUFFER_LEN];
};

/* The clock of the kernel's stamps. */
static int64_t real_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void open_stream(struct revoke *r, struct stream *c)
{
    int one = 1;

    *c = (struct stream){.probe = c->probe};
    wire_connect(&c->wire, connect_to(r->port), NULL);
    if (setsockopt(c->wire.fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)) !=
        0)
        die("SO_TIMESTAMPNS");
    watch(c->probe ? r->quick_epoll : r->epoll, c->wire.fd, EPOLLIN, c);
    c->state = IDLE;
}

static void ask(struct revoke *r, struct stream *c)
{
    const char *text = c->probe ? r->probe_request : r->request;
    size_t len = c->probe ? r->probe_request_len : r->request_len;

    c->state = ASKED;
    c->told = false;
    c->asked_ns = real_ns();
    if (!wire_write(&c->wire, text, len) && r->suspend_ns == 0)
        r->failed++;
}

/* Reads what is there, as wire_read(), and says since when it has been. */
static ssize_t read_stamped(struct revoke *r, int fd, int64_t *ret_ns)
{
    union {
        struct cmsghdr first; /* for the alignment */
        char room[CMSG_SPACE(sizeof(struct timespec))];
    } extra;
    struct iovec to = {r->buffer, BUFFER_LEN};
    struct msghdr m = {.msg_iov = &to,
                       .msg_iovlen = 1,
                       .msg_control = extra.room,
                       .msg_controllen = sizeof(extra.room)};
    struct timespec at;

    ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);
    *ret_ns = real_ns();
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); n > 0 && c != NULL;
         c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        memcpy(&at, CMSG_DATA(c), sizeof(at));
        *ret_ns = at.tv_sec * NS_PER_S + at.tv_nsec;
    }
    return n;
}

static bool holds(const struct revoke *r, size_t len, const char *mark)
{
    return memmem(r->buffer, len, mark, strlen(mark)) != NULL;
}

static void close_stream(struct revoke *r, struct stream *c)
{
    if (!c->probe)
        r->open--;
    wire_close(&c->wire);
    c->state = CLOSED;
}

/* A stream has ended, rightly or not. */
static void finish(struct revoke *r, struct stream *c)
{
    if (r->suspend_ns == 0 || c->state != STREAMING)
        r->failed++;
    else
        samples_add(&r->took.cut, c->bytes_ns - r->suspend_ns);
    if (!c->told)
        r->untold++;
    if (c->state == ASKED)
        r->started++;
    close_stream(r, c);
}

static void on_stream_bytes(struct revoke *r, struct stream *c, size_t len)
{
    if (c->state == ASKED && memcmp(r->buffer, "HTTP/1.1 200", 12) == 0) {
        c->state = STREAMING;
        r->started++;
    }
    bool told = holds(r, len, error_mark);
    /* The stamp of what is read together is that of its end. */
    if (holds(r, len, content_mark) && !told)
        c->content_ns = c->bytes_ns;
    c->told |= told;
    if (len >= 5 && memcmp(r->buffer + len - 5, end_mark, 5) == 0)
        finish(r, c);
}

/* Answers to probes are small and come in one piece, or in two. */
static void on_probe_bytes(struct revoke *r, struct stream *c, size_t len)
{
    if (c->state == ASKED && memcmp(r->buffer, "HTTP/1.1 200", 12) == 0) {
        c->state = STREAMING;
        if (r->reply_ns != 0 && c->asked_ns > r->reply_ns)
            r->late_calls++;
        if (c->asked_ns > r->let_in_ns)
            r->let_in_ns = c->asked_ns;
    } else if (c->state == ASKED && r->suspend_ns != 0) {
        c->state = REFUSED;
        c->refused_ns = c->bytes_ns;
    } else if (c->state == ASKED) {
        r->failed++;
    }
    if (c->state == STREAMING && holds(r, len, error_mark)) {
        close_stream(r, c); /* it was under way, and was cut */
        open_stream(r, c);
    } else if (c->state == STREAMING && len >= 5 &&
               memcmp(r->buffer + len - 5, end_mark, 5) == 0) {
        c->state = IDLE;
    }
}

static void on_end(struct revoke *r, struct stream *c)
{
    if (c->state == CLOSED)
        return;
    if (!c->probe)
        finish(r, c);
    else if (c->state == REFUSED) {
        close_stream(r, c);
        c->state = REFUSED;
    } else { /* a call that was cut takes its connection with it */
        if (r->suspend_ns == 0)
            r->failed++;
        close_stream(r, c);
        open_stream(r, c);
    }
}

static void on_stream(struct revoke *r, struct stream *c)
{
    int64_t at;

    if (c->state == CLOSED)
        return;
    ssize_t n = read_stamped(r, c->wire.fd, &at);
    if (n < 0)
        return; /* nothing any more */
    if (n == 0) {
        on_end(r, c);
        return;
    }
    c->bytes_ns = at;
    if (c->probe)
        on_probe_bytes(r, c, (size_t)n);
    else
        on_stream_bytes(r, c, (size_t)n);
}

static void on_reply(struct revoke *r)
{
    ssize_t n = wire_read(&r->control, r->reply + r->reply_len,
                          REPLY_MAX - 1 - r->reply_len);
    if (n < 0)
        die("the admin API went away");
    r->reply_len += (size_t)n;
    r->reply[r->reply_len] = '\0';
    const char *end = strstr(r->reply, "\r\n\r\n");
    if (end == NULL)
        return;
    const char *length = strcasestr(r->reply, "\r\ncontent-length:");
    size_t want = length == NULL ? 0 : strtoul(length + 17, NULL, 10);
    if (r->reply_len < (size_t)(end + 4 - r->reply) + want)
        return;
    r->reply_ns = real_ns();
    if (strncmp(r->reply, "HTTP/1.1 200", 12) != 0) {
        fprintf(stderr, "%s\n", r->reply);
        _exit(1);
    }
    wire_close(&r->control);
}

/* A probe that is idle asks again: all of them once a millisecond, and each
 * by itself when it matters. */
static void maybe_probe(struct revoke *r)
{
    int64_t now = now_ns();
    int64_t pause = PROBE_EVERY_US * NS_PER_US;

    if (!r->probing || now < r->due_ns)
        return;
    r->due_ns = now + (r->suspend_ns == 0 ? pause : pause / PROBES);
    for (size_t i = 0; i < PROBES; i++) {
        struct stream *c = &r->probes[r->next_probe++ % PROBES];
        if (c->state == IDLE && real_ns() - c->asked_ns >= pause) {
            ask(r, c);
            return;
        }
    }
}

static void serve_streams(struct revoke *r)
{
    struct epoll_event events[EVENTS_MAX];

    int n = epoll_wait(r->epoll, events, EVENTS_MAX, 0);
    for (int i = 0; i < n; i++)
        on_stream(r, events[i].data.ptr);
}

static void serve_quick(struct revoke *r)
{
    struct epoll_event events[EVENTS_MAX];
    struct timespec wait = {0, NS_PER_MS / 4};

    maybe_probe(r);
    int n = epoll_pwait2(r->quick_epoll, events, EVENTS_MAX, &wait, NULL);
    for (int i = 0; i < n; i++) {
        if (events[i].data.ptr == NULL)
            on_reply(r);
        else
            on_stream(r, events[i].data.ptr);
    }
}

static void serve(struct revoke *r)
{
    serve_quick(r);
    serve_streams(r);
}

static void serve_for(struct revoke *r, int64_t ns)
{
    for (int64_t until = now_ns() + ns; now_ns() < until;)
        serve(r);
}

static int connect_control(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof(a.sun_path))
        die(path);
    memcpy(a.sun_path, path, strlen(path));
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
        die(path);
    return fd;
}

static void send_command(struct revoke *r, const char *what)
{
    char text[1024];
    int len = snprintf(text, sizeof(text),
                       "POST /admin/v1/agents/%s/%s HTTP/1.1\r\n"
                       "Host: localhost\r\n"
                       "Content-Type: application/json\r\n"
                       "Content-Length: 2\r\n\r\n{}",
                       r->agent, what);

    wire_connect(&r->control, connect_control(r->socket), NULL);
    watch(r->quick_epoll, r->control.fd, EPOLLIN, NULL);
    r->reply_len = 0;
    r->reply_ns = 0;
    if (len >= (int)sizeof(text) || !wire_write(&r->control, text, (size_t)len))
        die(what);
}

/* ---- one round ---- */

static bool is_refused(const struct revoke *r)
{
    for (size_t i = 0; i < PROBES; i++) {
        if (r->probes[i].state != REFUSED)
            return false;
    }
    return true;
}

static void open_all(struct revoke *r)
{
    int64_t until = now_ns() + PATIENCE_S * NS_PER_S;

    r->suspend_ns = r->reply_ns = 0;
    r->started = 0;
    for (size_t i = 0; i < PROBES; i++) {
        r->probes[i].probe = true;
        open_stream(r, &r->probes[i]);
    }
    for (size_t i = 0; i < r->count; i++) {
        open_stream(r, &r->streams[i]);
        r->open++;
        ask(r, &r->streams[i]);
        serve_for(r, NS_PER_MS / 2);
    }
    while (r->started < r->count && now_ns() < until)
        serve(r);
    r->probing = true;
    serve_for(r, 500 * NS_PER_MS); /* it is quiet again, and probes are warm */
}

static void suspend(struct revoke *r)
{
    int64_t until = now_ns() + PATIENCE_S * NS_PER_S;

    r->suspend_ns = real_ns();
    send_command(r, "suspend");
    while ((r->open > 0 || r->reply_ns == 0 || !is_refused(r)) &&
           now_ns() < until)
        serve(r);
    serve_for(r, 300 * NS_PER_MS); /* nothing may come any more */
    r->probing = false;
    if (r->reply_ns == 0)
        die("the suspension was not answered");
}

static void count(struct revoke *r)
{
    int64_t first = INT64_MAX;
    int64_t last = r->suspend_ns;

    samples_add(&r->took.reply, r->reply_ns - r->suspend_ns);
    for (size_t i = 0; i < r->count; i++) {
        struct stream *c = &r->streams[i];
        r->late_content += c->content_ns > r->reply_ns ? 1 : 0;
        last = c->bytes_ns > last ? c->bytes_ns : last;
        if (c->state == CLOSED)
            continue;
        r->failed++; /* it still goes on */
        close_stream(r, c);
    }
    samples_add(&r->took.cut_all, last - r->suspend_ns);
    samples_add(&r->took.let_in, r->let_in_ns - r->suspend_ns);
    for (size_t i = 0; i < PROBES; i++) {
        struct stream *c = &r->probes[i];
        int64_t at = c->refused_ns;
        r->unrefused += at == 0 ? 1 : 0;
        if (at != 0)
            samples_add(&r->took.refused, at - r->suspend_ns);
        first = at != 0 && at < first ? at : first;
        if (c->wire.fd >= 0)
            wire_close(&c->wire);
    }
    if (first != INT64_MAX)
        samples_add(&r->took.first_refused, first - r->suspend_ns);
}

static void one_round(struct revoke *r)
{
    open_all(r);
    suspend(r);
    count(r);
    send_command(r, "resume");
    while (r->reply_ns == 0)
        serve(r);
}

static void print_samples(const char *name, struct samples *s)
{
    samples_sort(s);
    printf("\"%s_p50_us\":%.1f,\"%s_p99_us\":%.1f,\"%s_max_us\":%.1f,", name,
           samples_us(s, 50), name, samples_us(s, 99), name,
           samples_us(s, 100));
}

static void print(struct revoke *r, int64_t times)
{
    printf("{\"streams\":%zu,\"times\":%ld,\"cut\":%zu,", r->count, (long)times,
           r->took.cut.count);
    print_samples("cut", &r->took.cut);
    print_samples("cut_all", &r->took.cut_all);
    print_samples("reply", &r->took.reply);
    print_samples("first_refused", &r->took.first_refused);
    print_samples("refused", &r->took.refused);
    print_samples("let_in", &r->took.let_in);
    printf("\"failed\":%lu,\"untold\":%lu,\"late_content\":%lu,"
           "\"late_calls\":%lu,\"unrefused\":%lu}\n",
           (unsigned long)r->failed, (unsigned long)r->untold,
           (unsigned long)r->late_content, (unsigned long)r->late_calls,
           (unsigned long)r->unrefused);
}

int main(int argc, char **argv)
{
    if (argc != 9)
        usage("revoke PORT BODY KEY PROBE_BODY SOCKET AGENT STREAMS TIMES");
    struct revoke *r = allocate(sizeof(*r));
    r->port = (uint16_t)number(argv[1], UINT16_MAX);
    r->request = make_request(argv[2], argv[3], &r->request_len);
    r->probe_request = make_request(argv[4], argv[3], &r->probe_request_len);
    r->socket = argv[5];
    r->agent = argv[6];
    r->count = (size_t)number(argv[7], STREAMS_MAX);
    int64_t times = number(argv[8], TIMES_MAX);
    r->streams = allocate(r->count * sizeof(*r->streams));
    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    r->quick_epoll = epoll_create1(EPOLL_CLOEXEC);
    samples_init(&r->took.cut, r->count * (size_t)times);
    samples_init(&r->took.refused, (size_t)(PROBES * times));
    samples_init(&r->took.first_refused, (size_t)times);
    samples_init(&r->took.reply, (size_t)times);
    samples_init(&r->took.cut_all, (size_t)times);
    samples_init(&r->took.let_in, (size_t)times);
    for (int64_t i = 0; i < times; i++)
        one_round(r);
    print(r, times);
    return 0;
}
