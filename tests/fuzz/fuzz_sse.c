/* layers: codec base */
/* Property: any cut gives the same events; what is written reads back. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "codec/sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EVENT_MAX = 256 };

static bool add_event(void *user, const struct sse_event *e)
{
    struct buf *b = user;
    (void)buf_addf(b, "%zu %zu %zu:", e->type.len, e->id.len, e->data.len);
    (void)buf_add(b, e->type);
    (void)buf_add(b, e->id);
    (void)buf_add(b, e->data);
    assert(buf_ok(b));
    return true;
}

/* The pieces' lengths come from `cuts`, again and again. */
static enum err read_cut(struct str bytes, struct str cuts, struct buf *events)
{
    struct sse_reader r;
    sse_reader_init(&r, EVENT_MAX);
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && bytes.len > 0; i++) {
        size_t n = bytes.len;
        if (cuts.len > 0)
            n = (unsigned char)cuts.ptr[i % cuts.len] % 16 + 1U;
        struct str part = str_first(bytes, n);
        char *copy = malloc(part.len);
        assert(copy != NULL);
        memcpy(copy, part.ptr, part.len);
        e = sse_feed(&r, (struct str){copy, part.len}, add_event, events);
        free(copy);
        bytes = str_skip(bytes, n);
    }
    sse_reader_release(&r);
    return e;
}

static bool rewrite(void *user, const struct sse_event *e)
{
    sse_write(user, e->type, e->data);
    return true;
}

static bool without_id(void *user, const struct sse_event *e)
{
    struct sse_event bare = {e->type, e->data, {NULL, 0}};
    return add_event(user, &bare);
}

static void check_writing(struct str bytes)
{
    struct sse_reader r;
    struct buf text, before, after;
    buf_init(&text, MIB);
    buf_init(&before, MIB);
    buf_init(&after, MIB);

    sse_reader_init(&r, EVENT_MAX);
    enum err e = sse_feed(&r, bytes, rewrite, &text);
    sse_reader_release(&r);
    sse_reader_init(&r, EVENT_MAX);
    assert(sse_feed(&r, bytes, without_id, &before) == e);
    sse_reader_release(&r);

    /* "data: " makes a line longer by a blank that may not have been there. */
    sse_reader_init(&r, EVENT_MAX + 8);
    e = sse_feed(&r, buf_str(&text), add_event, &after);
    assert(e == ERR_OK && buf_ok(&text));
    assert(str_eq(buf_str(&before), buf_str(&after)));
    sse_reader_release(&r);
    buf_release(&text);
    buf_release(&before);
    buf_release(&after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 16 * KIB)
        return 0;
    /* The first byte tells how many of the next are cuts. */
    struct str rest = {(const char *)data + 1, size - 1};
    struct str cuts = str_first(rest, data[0] % 8);
    struct str bytes = str_skip(rest, cuts.len);

    struct buf whole, cut;
    buf_init(&whole, MIB);
    buf_init(&cut, MIB);
    enum err e = read_cut(bytes, (struct str){NULL, 0}, &whole);
    enum err e_cut = read_cut(bytes, cuts, &cut);
    assert(e == e_cut);
    assert(str_eq(buf_str(&whole), buf_str(&cut)));
    buf_release(&whole);
    buf_release(&cut);
    check_writing(bytes);
    return 0;
}
