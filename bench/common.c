/* common.c - see common.h. */
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BACKLOG = 4096, HEAD_ROOM = 1024, NS_PER_SAMPLE_UNIT = 100 };

void die(const char *what)
{
    perror(what);
    _exit(1);
}

void usage(const char *how)
{
    fprintf(stderr, "usage: %s\n", how);
    _exit(2);
}

int64_t now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

int64_t number(const char *text, int64_t max)
{
    char *end;

    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (errno == 0 && (end == text || *end != '\0' || n < 0 || n > max))
        errno = EINVAL;
    if (errno != 0)
        die(text);
    return n;
}

void write_digits(char *to, size_t len, uint64_t n)
{
    while (len-- > 0) {
        to[len] = (char)('0' + n % 10);
        n /= 10;
    }
}

void wait_for_word(void)
{
    char line[16];

    printf("ready\n");
    (void)fflush(stdout);
    if (fgets(line, sizeof(line), stdin) == NULL)
        die("nobody waits");
}

void *allocate(size_t size)
{
    void *p = calloc(1, size);

    if (p == NULL)
        die("memory");
    return p;
}

char *read_file(const char *path, size_t *ret_len)
{
    struct stat st;
    size_t len = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) != 0)
        die(path);
    char *text = allocate((size_t)st.st_size + 1);
    while (len < (size_t)st.st_size) {
        ssize_t n = read(fd, text + len, (size_t)st.st_size - len);
        if (n <= 0)
            die(path);
        len += (size_t)n;
    }
    (void)close(fd);
    *ret_len = len;
    return text;
}

char *make_request(const char *body_path, const char *key, size_t *ret_len)
{
    size_t body_len;
    char *body = read_file(body_path, &body_len);
    char *request = allocate(HEAD_ROOM + body_len);
    int n = snprintf(request, HEAD_ROOM,
                     "POST /v1/chat/completions HTTP/1.1\r\n"
                     "Host: 127.0.0.1\r\n"
                     "Content-Type: application/json\r\n"
                     "Authorization: Bearer %s\r\n"
                     "Content-Length: %zu\r\n\r\n",
                     key, body_len);

    if (n < 0 || n >= HEAD_ROOM)
        die("the key is too long");
    memcpy(request + n, body, body_len);
    free(body);
    *ret_len = (size_t)n + body_len;
    return request;
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void set_option(int fd, int level, int option)
{
    int one = 1;

    if (setsockopt(fd, level, option, &one, sizeof(one)) != 0)
        die("setsockopt");
}

int listen_on(uint16_t port)
{
    struct sockaddr_in a = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        die("socket");
    set_option(fd, SOL_SOCKET, SO_REUSEADDR);
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
        listen(fd, BACKLOG) != 0)
        die("listen");
    return fd;
}

int connect_to(uint16_t port)
{
    struct sockaddr_in a = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
        die("connect");
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
        die("fcntl");
    set_option(fd, IPPROTO_TCP, TCP_NODELAY);
    return fd;
}

int accept_from(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0)
        set_option(fd, IPPROTO_TCP, TCP_NODELAY);
    return fd;
}

static void control(int epoll, int operation, int fd, struct epoll_event event)
{
    if (epoll_ctl(epoll, operation, fd, &event) != 0)
        die("epoll_ctl");
}

void watch(int epoll, int fd, uint32_t events, void *data)
{
    control(epoll, EPOLL_CTL_ADD, fd,
            (struct epoll_event){.events = events, .data.ptr = data});
}

void watch_again(int epoll, int fd, uint32_t events, void *data)
{
    control(epoll, EPOLL_CTL_MOD, fd,
            (struct epoll_event){.events = events, .data.ptr = data});
}

void samples_init(struct samples *s, size_t room)
{
    *s = (struct samples){.at = allocate(room * sizeof(*s->at)), .room = room};
}

void samples_add(struct samples *s, int64_t ns)
{
    int64_t units = ns / NS_PER_SAMPLE_UNIT;

    if (s->count == s->room)
        return;
    s->at[s->count++] = units < 0            ? 0
                        : units > UINT32_MAX ? UINT32_MAX
                                             : (uint32_t)units;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

void samples_sort(struct samples *s)
{
    if (s->count > 0)
        qsort(s->at, s->count, sizeof(*s->at), compare);
}

double samples_us(const struct samples *s, double percent)
{
    if (s->count == 0)
        return 0;
    double at = percent / 100 * (double)(s->count - 1);
    return (double)s->at[(size_t)at] / 10;
}
