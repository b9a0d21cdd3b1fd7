/*
 * rope.h - text put together from the inside out: joining is O(1), so what a
 * tree says is written in time of its length, without recursion.
 */
#ifndef CEDAR_ROPE_H
#define CEDAR_ROPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"

struct rope; /* in an arena; immutable */

struct rope_pen {
    struct arena *arena;
    bool failed; /* no memory; everything after is NULL */
};

/* Borrows the text.  An empty one is NULL, and NULL is nothing to join. */
const struct rope *rope_text(struct rope_pen *pen, struct str text);
/* A copy of what is in the buf; releases it, and fails if it failed. */
const struct rope *rope_buf(struct rope_pen *pen, struct buf *from);
const struct rope *rope_join(struct rope_pen *pen, const struct rope *a,
                             const struct rope *b);
/* An empty text whose place is asked for: see rope_write(). */
const struct rope *rope_mark(struct rope_pen *pen, uint32_t mark);

/*
 * Appends all to `to`; the offset there of each mark goes to marks[mark]
 * (NULL is allowed).  False: no memory, or the buf failed.
 */
MUST_CHECK bool rope_write(const struct rope *r, struct buf *to,
                           uint32_t *marks);

#endif
