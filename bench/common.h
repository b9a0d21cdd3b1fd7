/*
 * common.h - what the programs of the bench share: time, numbers, loopback
 * sockets and percentiles.  They are tools: whatever they cannot do ends them.
 */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_US INT64_C(1000)

/* Prints `what` and the reason in errno, and ends the program. */
_Noreturn void die(const char *what);

/* Prints how a program is called, and ends it. */
_Noreturn void usage(const char *how);

/* The monotonic clock. */
int64_t now_ns(void);

/* `text` as a number from 0 to `max`; anything else ends the program. */
int64_t number(const char *text, int64_t max);

/* Writes `n` in decimal, with zeros in front. */
void write_digits(char *to, size_t len, uint64_t n);

/* Prints "ready", and waits for a line. */
void wait_for_word(void);

/* `size` zeroed bytes. */
void *allocate(size_t size);

/* The whole of a file, `*ret_len` bytes, owned by the caller. */
char *read_file(const char *path, size_t *ret_len);

/* A POST of that file to /v1/chat/completions, owned by the caller. */
char *make_request(const char *body_path, const char *key, size_t *ret_len);

/* A socket that listens on 127.0.0.1, not blocking. */
int listen_on(uint16_t port);

/* A connection to 127.0.0.1 with TCP_NODELAY, not blocking. */
int connect_to(uint16_t port);

/* The next connection on `listener`, with TCP_NODELAY, not blocking; -1: none.
 */
int accept_from(int listener);

/* Asks `epoll` to report `events` of `fd` with `data`; the first time or a
 * change. */
void watch(int epoll, int fd, uint32_t events, void *data);
void watch_again(int epoll, int fd, uint32_t events, void *data);

/* Durations, of which the first `room` are kept, in tenths of a microsecond. */
struct samples {
    uint32_t *at;
    size_t count, room;
};

void samples_init(struct samples *s, size_t room);
void samples_add(struct samples *s, int64_t ns);

/* Sorts; the percentiles may be asked for after that. */
void samples_sort(struct samples *s);

/* The duration, in microseconds, below which `percent` of them lie; 0: there
 * are none. */
double samples_us(const struct samples *s, double percent);

#endif
