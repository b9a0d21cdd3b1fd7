/* tool_diff.c - see tool_diff.h. */
#include "mcp/tool_diff.h"

#include "mcp/canon.h"

enum { POINTER_MAX = 1024 };

struct differ {
    struct arena *a;
    struct tool_change *changes;
    size_t count;
    bool is_cut;
    struct buf pointer; /* where we are */
};

static enum err compare(struct differ *d, const struct json *was,
                        const struct json *now);

static enum err tell(struct differ *d, const struct json *was,
                     const struct json *now)
{
    if (d->count == TOOL_DIFF_MAX) {
        d->is_cut = true;
        return ERR_OK;
    }
    struct tool_change *c = &d->changes[d->count];
    if (!arena_copy(d->a, buf_str(&d->pointer), &c->pointer))
        return ERR_LIMIT;
    c->was = was;
    c->now = now;
    d->count++;
    return ERR_OK;
}

/* One step down; a pointer that got too long stays that of the container. */
static void push(struct differ *d, struct str name)
{
    size_t len = d->pointer.len;
    (void)buf_add_char(&d->pointer, '/');
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '~')
            (void)BUF_LIT(&d->pointer, "~0");
        else if (name.ptr[i] == '/')
            (void)BUF_LIT(&d->pointer, "~1");
        else
            (void)buf_add_char(&d->pointer, name.ptr[i]);
    }
    if (!buf_ok(&d->pointer)) {
        d->pointer.failed = false;
        d->pointer.len = len;
    }
}

static enum err compare_objects(struct differ *d, const struct json *was,
                                const struct json *now)
{
    struct str name;
    const struct json *v;
    size_t len = d->pointer.len;
    struct json_iter it = json_each(was);
    enum err e = ERR_OK;
    while (e == ERR_OK && json_next(&it, &name, &v)) {
        push(d, name);
        e = compare(d, v, json_get(now, name));
        d->pointer.len = len;
    }
    it = json_each(now);
    while (e == ERR_OK && json_next(&it, &name, &v)) {
        if (json_get(was, name) != NULL)
            continue;
        push(d, name);
        e = tell(d, NULL, v);
        d->pointer.len = len;
    }
    return e;
}

static enum err compare_arrays(struct differ *d, const struct json *was,
                               const struct json *now)
{
    size_t len = d->pointer.len;
    struct json_iter old = json_each(was);
    struct json_iter new = json_each(now);
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK; i++) {
        const struct json *x = NULL;
        const struct json *y = NULL;
        bool more = json_next(&old, NULL, &x);
        more = json_next(&new, NULL, &y) || more;
        if (!more)
            break;
        (void)buf_addf(&d->pointer, "/%zu", i);
        d->pointer.failed = false;
        e = compare(d, x, y);
        d->pointer.len = len;
    }
    return e;
}

/* Scalars: their canonical texts. */
static enum err compare_texts(struct differ *d, const struct json *was,
                              const struct json *now)
{
    struct buf x;
    struct buf y;
    struct arena scratch;
    buf_init(&x, TOOL_TEXT_MAX);
    buf_init(&y, TOOL_TEXT_MAX);
    arena_init(&scratch, TOOL_TEXT_MAX);
    enum err e = canon_write(&x, &scratch, was);
    if (e == ERR_OK)
        e = canon_write(&y, &scratch, now);
    if (e == ERR_OK && !str_eq(buf_str(&x), buf_str(&y)))
        e = tell(d, was, now);
    arena_release(&scratch);
    buf_release(&x);
    buf_release(&y);
    return e;
}

static enum err compare(struct differ *d, const struct json *was,
                        const struct json *now)
{
    enum json_type type = json_type(was);
    if (type != json_type(now))
        return tell(d, was, now);
    if (type == JSON_OBJECT)
        return compare_objects(d, was, now);
    if (type == JSON_ARRAY)
        return compare_arrays(d, was, now);
    return compare_texts(d, was, now);
}

enum err tool_diff(struct arena *a, const struct tool *was,
                   const struct tool *now, struct tool_diff *ret)
{
    struct differ d = {.a = a};
    char room[POINTER_MAX];
    const struct json *x;
    const struct json *y;
    buf_init_lent(&d.pointer, room, sizeof(room));
    d.changes = ARENA_NEW(a, struct tool_change, TOOL_DIFF_MAX);
    /* The pinned texts are canonical, so members come in one order. */
    if (d.changes == NULL || json_read(a, was->text, &x, NULL) != ERR_OK ||
        json_read(a, now->text, &y, NULL) != ERR_OK)
        return ERR_LIMIT;
    enum err e = compare(&d, x, y);
    if (e != ERR_OK)
        return e;
    *ret = (struct tool_diff){d.changes, d.count, d.is_cut};
    return ERR_OK;
}
