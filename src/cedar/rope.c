/* rope.c - see rope.h. */
#include "cedar/rope.h"

#include <stdlib.h>

#include "cedar/program.h"

enum rope_kind { ROPE_TEXT, ROPE_MARK, ROPE_BOTH };

struct rope {
    enum rope_kind kind;
    uint32_t mark;
    union {
        struct str text;
        const struct rope *parts[2];
    } as;
};

static struct rope *make(struct rope_pen *pen, enum rope_kind kind)
{
    struct rope *r =
        pen->failed ? NULL : arena_alloc_raw(pen->arena, sizeof(*r));
    if (r == NULL)
        pen->failed = true;
    else
        r->kind = kind;
    return r;
}

const struct rope *rope_text(struct rope_pen *pen, struct str text)
{
    if (text.len == 0)
        return NULL;
    struct rope *r = make(pen, ROPE_TEXT);
    if (r != NULL)
        r->as.text = text;
    return r;
}

const struct rope *rope_buf(struct rope_pen *pen, struct buf *from)
{
    struct str text = {0};
    if (!buf_ok(from) || !arena_copy(pen->arena, buf_str(from), &text))
        pen->failed = true;
    buf_release(from);
    return pen->failed ? NULL : rope_text(pen, text);
}

const struct rope *rope_join(struct rope_pen *pen, const struct rope *a,
                             const struct rope *b)
{
    if (a == NULL || b == NULL)
        return a == NULL ? b : a;
    struct rope *r = make(pen, ROPE_BOTH);
    if (r != NULL) {
        r->as.parts[0] = a;
        r->as.parts[1] = b;
    }
    return r;
}

const struct rope *rope_mark(struct rope_pen *pen, uint32_t mark)
{
    struct rope *r = make(pen, ROPE_MARK);
    if (r != NULL)
        r->mark = mark;
    return r;
}

bool rope_write(const struct rope *r, struct buf *to, uint32_t *marks)
{
    PROGRAM_LIST(const struct rope *) later = {0};
    bool ok = true;
    while (ok && r != NULL) {
        const struct rope *next = NULL;
        if (r->kind == ROPE_BOTH) {
            ok = PROGRAM_ROOM(later);
            if (ok)
                later.at[later.count++] = r->as.parts[1];
            next = r->as.parts[0];
        } else if (r->kind == ROPE_TEXT) {
            ok = buf_add(to, r->as.text);
        } else if (marks != NULL) {
            marks[r->mark] = (uint32_t)to->len;
        }
        if (next == NULL && later.count > 0)
            next = later.at[--later.count];
        r = next;
    }
    free((void *)later.at);
    return ok;
}
