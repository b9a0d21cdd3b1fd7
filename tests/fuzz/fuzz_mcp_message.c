/* layers: mcp codec base */
/*
 * Properties: what is read, written and read again is the same message, byte
 * for byte; what is refused is refused again for the same reason; and every
 * refusal can be answered by a message that a peer reads.
 */
#include <assert.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/text.h"
#include "mcp/method.h"
#include "mcp/refusal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const struct message *x, const struct message *y)
{
    assert(x->kind == y->kind && message_id_eq(x->id, y->id));
    assert(str_eq(x->method, y->method));
    assert((x->params == NULL) == (y->params == NULL));
    assert((x->result == NULL) == (y->result == NULL));
    assert(x->error.code == y->error.code);
    assert(str_eq(x->error.text, y->error.text));
}

static void check_message(struct arena *a, const struct message *m)
{
    struct buf out;
    struct buf again;
    struct message n;
    struct message_id id;
    struct fault f;
    enum method method;
    buf_init(&out, 16 * MIB);
    buf_init(&again, 16 * MIB);
    assert((m->kind == MESSAGE_REQUEST || m->kind == MESSAGE_RESULT)
               ? m->id.type != MESSAGE_ID_NONE
               : m->kind != MESSAGE_NONE);
    message_write(&out, m, m->id);
    assert(buf_ok(&out));
    enum err e = message_read(a, buf_str(&out), &n, &id, &f);
    assert(e == ERR_OK);
    check_same(m, &n);
    message_write(&again, &n, n.id);
    assert(str_eq(buf_str(&out), buf_str(&again)));
    if (m->kind == MESSAGE_REQUEST || m->kind == MESSAGE_NOTIFICATION) {
        e = method_find(m, REVISION_NEWEST, METHOD_CLIENT, ~0u, &method, &f);
        assert(e != ERR_OK || method_from(m->method) == method);
        assert(e == ERR_OK || f.code == FAULT_METHOD);
    }
    buf_release(&out);
    buf_release(&again);
}

static void check_refusal(struct arena *a, enum err e, struct message_id id,
                          const struct fault *f)
{
    struct buf out;
    struct message m;
    struct message_id other;
    struct fault g;
    struct refusal r = {*f, STR("d"), STR("")};
    buf_init(&out, MIB);
    assert(f->err == e && f->text.len > 0 && f->code < 0);
    assert(text_is_utf8(f->text) && text_is_utf8(f->pointer));
    refusal_write_error(&out, id, &r);
    assert(buf_ok(&out));
    e = message_read(a, buf_str(&out), &m, &other, &g);
    assert(e == ERR_OK && m.kind == MESSAGE_ERROR);
    assert(message_id_eq(m.id, id));
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct message m;
    struct message_id id;
    struct fault f = {.err = ERR_OK};
    struct str body = {(const char *)data, size};
    arena_init(&a, 64 * MIB);
    enum err e = message_read(&a, body, &m, &id, &f);
    if (e == ERR_OK) {
        check_message(&a, &m);
    } else {
        struct fault g = {.err = ERR_OK};
        assert(message_read(&a, body, &m, &id, &g) == e);
        assert(g.code == f.code && str_eq(g.pointer, f.pointer));
        check_refusal(&a, e, id, &f);
    }
    arena_release(&a);
    return 0;
}
