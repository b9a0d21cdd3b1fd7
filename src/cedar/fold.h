/*
 * fold.h - making text of conditions from the inside out; see rope.h.
 */
#ifndef CEDAR_FOLD_H
#define CEDAR_FOLD_H

#include "cedar/program.h"
#include "cedar/rope.h"

/* An operand: its text, and its last node, which says what it is. */
struct fold_part {
    const struct rope *text;
    uint32_t node;
};

struct fold {
    struct rope_pen pen;
    const struct cedar_policies *set;
    struct fold_part *stack; /* room for the set's stack_max + 1 */
};

/* False: no memory.  The arena dies with fold_release(). */
MUST_CHECK bool fold_init(struct fold *f, struct arena *a,
                          const struct cedar_policies *set);
void fold_release(struct fold *f);

/* The text of a node whose operands are `parts`. */
typedef const struct rope *fold_fn(struct fold *f, uint32_t node,
                                   const struct fold_part *parts);
const struct rope *fold_condition(struct fold *f,
                                  const struct program_condition *c,
                                  fold_fn *text);

/* Small helpers: `*to` and more behind it. */
void fold_add(struct fold *f, const struct rope **to, const char *text);
void fold_add_rope(struct fold *f, const struct rope **to,
                   const struct rope *more);
/* What quote.h and json.h write: a buf to write to, then what is in it. */
void fold_buf_init(struct buf *b);

/* The type in `e is T in x`, the node being IS_IN. */
const struct str *fold_is_in_type(const struct cedar_policies *set,
                                  uint32_t node);

#endif
