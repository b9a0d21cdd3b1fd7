/* fold.c - see fold.h. */
#include "cedar/fold.h"

#include <assert.h>
#include <stdlib.h>

#include "cedar/exprs.h"

bool fold_init(struct fold *f, struct arena *a,
               const struct cedar_policies *set)
{
    *f = (struct fold){.pen = {.arena = a}, .set = set};
    f->stack = calloc(set->stack_max + 1, sizeof(*f->stack));
    return f->stack != NULL;
}

void fold_release(struct fold *f)
{
    free(f->stack);
    f->stack = NULL;
}

const struct rope *
fold_condition(struct fold *f, const struct program_condition *c, fold_fn *text)
{
    size_t depth = 0;
    for (uint32_t i = c->first; i < c->end && !f->pen.failed; i++) {
        const struct program_node *node = &f->set->nodes.at[i];
        if (exprs_is_jump(node))
            continue;
        uint32_t operands = exprs_operands(node);
        assert(operands <= depth && depth - operands <= f->set->stack_max);
        depth -= operands;
        const struct rope *made = text(f, i, f->stack + depth);
        f->stack[depth++] = (struct fold_part){made, i};
    }
    return f->pen.failed ? NULL : f->stack[0].text;
}

void fold_add(struct fold *f, const struct rope **to, const char *text)
{
    fold_add_rope(f, to, rope_text(&f->pen, str_from(text)));
}

void fold_add_rope(struct fold *f, const struct rope **to,
                   const struct rope *more)
{
    *to = rope_join(&f->pen, *to, more);
}

void fold_buf_init(struct buf *b)
{
    buf_init(b, CEDAR_TEXT_MAX);
}

const struct str *fold_is_in_type(const struct cedar_policies *set,
                                  uint32_t node)
{
    /* The jump stands before the last operand. */
    return set->nodes.at[set->starts.at[node - 1] - 1].as.type;
}
