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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

struct buf {
    char *ptr;   /* heap; NULL while empty */
    size_t len;  /* bytes in use */
    size_t room; /* bytes allocated */
    size_t max;  /* `len` never exceeds it */
    bool failed;
};

/* Cannot fail and allocates nothing. */
void buf_init(struct buf *b, size_t max);

/* Frees; `b` is empty and usable again with the same maximum. */
void buf_release(struct buf *b);

/* Empties and clears the failure, keeps the memory. */
void buf_clear(struct buf *b);

bool buf_add(struct buf *b, struct str s);
bool buf_add_char(struct buf *b, char c);
bool buf_add_u64(struct buf *b, uint64_t v); /* decimal */
bool buf_add_i64(struct buf *b, int64_t v);
bool buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A literal, without counting. */
#define BUF_LIT(b, lit) buf_add((b), STR(lit))

/*
 * Makes room for `n` more bytes and returns where they go, or NULL.  After
 * writing, call buf_added() with how many were written (at most `n`).
 */
MUST_CHECK char *buf_space(struct buf *b, size_t n);
void buf_added(struct buf *b, size_t n);

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
