/*
 * buf.h - growing bytes whose maximum is an argument of buf_init().
 *
 * A buf cannot be made without its limit.  An append that would pass it, or
 * that the system refuses, leaves the buf as it was, marks it failed and
 * returns false; once failed, later appends do nothing, so a writer may
 * append freely and ask buf_ok() once at the end.
 *
 * Not thread-safe.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

struct buf {
    char *ptr;   /* heap, unless lent; NULL while empty */
    size_t len;  /* bytes in use */
    size_t room; /* bytes allocated, at most `max` */
    size_t max;  /* `len` never exceeds it */
    bool failed;
    bool lent; /* `ptr` is the caller's, and all there will be */
};

/* Cannot fail and allocates nothing. */
void buf_init(struct buf *b, size_t max);

/* The same over `n` bytes of the caller's, which must outlive it: nothing is
 * allocated, ever.  buf_release() leaves them alone. */
void buf_init_lent(struct buf *b, char *room, size_t n);

/* Frees; `b` is empty and usable again with the same maximum. */
void buf_release(struct buf *b);

/* Empties and clears the failure, keeps the memory. */
void buf_clear(struct buf *b);

/* Private: buf_space() where the memory at hand is not enough. */
MUST_CHECK char *buf_grow(struct buf *b, size_t n);

/*
 * Makes room for `n` more bytes and returns where they go, or NULL.  After
 * writing, call buf_added() with how many were written (at most `n`).
 */
MUST_CHECK static inline char *buf_space(struct buf *b, size_t n)
{
    return n < b->room - b->len && !b->failed ? b->ptr + b->len
                                              : buf_grow(b, n);
}
/* A hint: about `n` more bytes will come, so that memory grows once. */
static inline void buf_expect(struct buf *b, size_t n)
{
    if (!b->failed && n <= b->max - b->len)
        (void)!buf_space(b, n);
}
static inline void buf_added(struct buf *b, size_t n)
{
    assert(n <= b->room - b->len);
    b->len += n;
}

static inline bool buf_add(struct buf *b, struct str s)
{
    bool fits = s.len < b->room - b->len && !b->failed;
    if (!fits && buf_grow(b, s.len) == NULL)
        return false;
    if (s.len > 0)
        memcpy(b->ptr + b->len, s.ptr, s.len);
    b->len += s.len;
    return true;
}
static inline bool buf_add_char(struct buf *b, char c)
{
    return buf_add(b, (struct str){&c, 1});
}
bool buf_add_u64(struct buf *b, uint64_t v); /* decimal */
bool buf_add_i64(struct buf *b, int64_t v);
bool buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A literal, without counting. */
#define BUF_LIT(b, lit) buf_add((b), STR(lit))

/* Drops the first `n` bytes; the rest moves to the front. */
void buf_drop(struct buf *b, size_t n);

static inline struct str buf_str(const struct buf *b)
{
    return (struct str){b->ptr, b->len};
}

static inline bool buf_ok(const struct buf *b)
{
    return !b->failed;
}

#endif
