/* layers: codec base */
/*
 * Properties: any cut gives the same events; what was accepted, written in
 * our form and read again, is the same head (there are no two readings).
 * The first byte chooses requests or responses, the second how to cut.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "codec/http1.h"
#include "codec/http1_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add_fields(struct buf *to, struct http_fields f)
{
    for (size_t i = 0; i < f.count; i++) {
        (void)buf_addf(to, "\n%zu %zu:", f.at[i].name.len, f.at[i].value.len);
        (void)buf_add(to, f.at[i].name);
        (void)buf_add(to, f.at[i].value);
    }
}

static void add_request(struct buf *to, const struct http_request_head *h)
{
    const struct str parts[] = {h->method, h->path, h->query, h->authority};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        (void)buf_addf(to, "%zu:", parts[i].len);
        (void)buf_add(to, parts[i]);
    }
    add_fields(to, h->fields);
    (void)buf_addf(to, "\n%lld", (long long)h->body_bytes);
}

/* A request as we would pass it on; false: it cannot be. */
static bool rewrite(const struct http_request_head *h, struct buf *to)
{
    struct buf target;
    buf_init(&target, 2 * HTTP_TARGET_MAX + 1);
    (void)buf_add(&target, h->path);
    if (h->query.len > 0) {
        (void)buf_add_char(&target, '?');
        (void)buf_add(&target, h->query);
    }
    const struct http1_write_request w = {
        .method = h->method,
        .target = buf_str(&target),
        .authority = h->authority,
        .fields = h->fields,
        .body_bytes =
            h->body_bytes == 0 ? HTTP1_WRITE_NO_LENGTH : h->body_bytes,
    };
    bool ok = buf_ok(&target) && http1_write_request(to, &w) == ERR_OK;
    buf_release(&target);
    return ok;
}

static void check_one_reading(const struct http_request_head *h)
{
    struct buf raw, before, after;
    buf_init(&raw, 4 * HTTP_HEAD_MAX);
    buf_init(&before, 8 * HTTP_HEAD_MAX);
    buf_init(&after, 8 * HTTP_HEAD_MAX);
    /* HTTP/1.0 may come without Host, 1.1 may not be written without. */
    assert(rewrite(h, &raw) || h->authority.len == 0);
    if (h->authority.len > 0 && raw.len <= HTTP_HEAD_MAX &&
        h->path.len + h->query.len < HTTP_TARGET_MAX) {
        struct http1 p;
        struct arena a;
        enum http1_event event = HTTP1_MORE;
        struct str in = buf_str(&raw);
        arena_init(&a, MIB);
        http1_init(&p, HTTP1_REQUEST);
        http1_start(&p, &a);
        enum err e = http1_next(&p, &in, &event);
        assert(h->fields.count + 2 > HTTP_FIELDS_MAX ||
               (e == ERR_OK && event == HTTP1_HEAD && in.len == 0));
        if (e == ERR_OK) {
            add_request(&before, h);
            add_request(&after, &p.request);
            assert(str_eq(buf_str(&before), buf_str(&after)));
        }
        arena_release(&a);
    }
    buf_release(&raw);
    buf_release(&before);
    buf_release(&after);
}

static void add_event(struct http1 *p, enum http1_event event, struct buf *to)
{
    if (event == HTTP1_BODY) {
        assert(p->piece.len > 0);
        (void)buf_add(to, p->piece);
    } else if (event == HTTP1_END) {
        BUF_LIT(to, "\nEND\n");
    } else if (p->kind == HTTP1_REQUEST) {
        add_request(to, &p->request);
        check_one_reading(&p->request);
    } else {
        (void)buf_addf(to, "%d", p->response.status);
        add_fields(to, p->response.fields);
    }
}

static enum http_fault read_cut(enum http1_kind kind, struct str bytes,
                                size_t step, struct buf *events)
{
    struct http1 p;
    struct arena a;
    enum http1_event event = HTTP1_MORE;
    enum err e = ERR_OK;
    arena_init(&a, 4 * MIB);
    http1_init(&p, kind);
    http1_start(&p, &a);
    while (e == ERR_OK && bytes.len > 0) {
        struct str in = str_first(bytes, step);
        bytes = str_skip(bytes, in.len);
        while ((e = http1_next(&p, &in, &event)) == ERR_OK &&
               event != HTTP1_MORE) {
            add_event(&p, event, events);
            if (event != HTTP1_END)
                continue;
            arena_release(&a);
            http1_start(&p, &a);
        }
    }
    if (e == ERR_OK)
        e = http1_finish(&p);
    assert((e == ERR_OK) == (p.fault == HTTP_FAULT_NONE));
    arena_release(&a);
    return p.fault;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    enum http1_kind kind = data[0] % 2 == 0 ? HTTP1_REQUEST : HTTP1_RESPONSE;
    struct str bytes = {(const char *)data + 2, size - 2};
    struct buf whole, cut;
    buf_init(&whole, 16 * MIB);
    buf_init(&cut, 16 * MIB);
    enum http_fault a = read_cut(kind, bytes, size, &whole);
    enum http_fault b = read_cut(kind, bytes, data[1] % 64 + 1U, &cut);
    assert(a == b);
    assert(str_eq(buf_str(&whole), buf_str(&cut)));
    buf_release(&whole);
    buf_release(&cut);
    return 0;
}
