/* layers: mcp codec base */
/*
 * Properties: params that are read, written and read again are the same,
 * byte for byte from the first writing on; with a change they read, too; what
 * is refused is refused again, with a reason that is text.  The same for the
 * definitions of tools, which have one text and one digest.
 *
 * The first byte chooses the method, or a tool; the second the revision.
 */
#include <assert.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/text.h"
#include "mcp/params.h"
#include "mcp/tool_diff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct json *parse(struct arena *a, struct str text)
{
    const struct json *v = NULL;
    if (text.len > 0 && json_read(a, text, &v, NULL) != ERR_OK)
        return NULL;
    return v;
}

static void check_fault(enum err e, const struct fault *f)
{
    assert(f->err == e && f->text.len > 0);
    assert(text_is_utf8(f->text) && text_is_utf8(f->pointer));
}

static void check_params(struct arena *a, const struct params *p,
                         enum revision r)
{
    static const struct params_change change = {
        .name = STR_INIT("n"),
        .uri = STR_INIT("u:"),
        .cursor = STR_INIT(""),
        .request = {MESSAGE_ID_INTEGER, STR_INIT("1")},
        .token = {MESSAGE_ID_STRING, STR_INIT("\"\\")},
    };
    struct params q;
    struct fault f;
    struct buf out;
    struct buf again;
    buf_init(&out, 16 * MIB);
    buf_init(&again, 16 * MIB);
    params_write(&out, p, NULL);
    assert(buf_ok(&out));
    enum err e = params_read(a, p->method, r, parse(a, buf_str(&out)), &q, &f);
    assert(e == ERR_OK && message_id_eq(p->token, q.token));
    params_write(&again, &q, NULL);
    assert(str_eq(buf_str(&out), buf_str(&again)));

    buf_clear(&out);
    params_write(&out, p, &change);
    assert(buf_ok(&out));
    e = params_read(a, p->method, r, parse(a, buf_str(&out)), &q, &f);
    /* `_meta` may be full already. */
    assert(e == ERR_OK || (e == ERR_LIMIT && p->meta != NULL));
    if (e == ERR_OK)
        assert(message_id_eq(q.token, change.token));
    buf_release(&out);
    buf_release(&again);
}

static void check_tool(struct arena *a, const struct json *v)
{
    struct tool t;
    struct tool u;
    struct tool_diff d;
    struct fault f = {.err = ERR_OK};
    struct buf out;
    enum err e = tool_read(a, STR(""), v, &t, &f);
    if (e != ERR_OK) {
        check_fault(e, &f);
        return;
    }
    e = tool_load(a, t.text, &u);
    assert(e == ERR_OK && str_eq(t.text, u.text));
    assert(memcmp(t.digest.bytes, u.digest.bytes, HASH_LEN) == 0);
    e = tool_diff(a, &t, &u, &d);
    assert(e == ERR_OK && d.count == 0);

    buf_init(&out, 4 * MIB);
    tool_write(&out, &t, STR("other.name"));
    assert(buf_ok(&out));
    e = tool_load(a, buf_str(&out), &u);
    assert(e == ERR_OK && str_eq(u.name, STR("other.name")));
    assert(str_eq(u.description, t.description));
    e = tool_diff(a, &t, &u, &d);
    assert(e == ERR_OK);
    assert(d.count == (str_eq(t.name, STR("other.name")) ? 0u : 1u));
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct params p;
    struct fault f = {.err = ERR_OK};
    if (size < 2)
        return 0;
    enum method m = (enum method)(data[0] % METHOD_COUNT);
    enum revision r = (enum revision)(data[1] % REVISION_COUNT);
    struct str text = {(const char *)data + 2, size - 2};
    arena_init(&a, 64 * MIB);
    const struct json *v = parse(&a, text);
    if (m == METHOD_NONE) {
        if (v != NULL)
            check_tool(&a, v);
    } else if (v != NULL || text.len == 0) {
        enum err e = params_read(&a, m, r, v, &p, &f);
        if (e == ERR_OK)
            check_params(&a, &p, r);
        else
            check_fault(e, &f);
    }
    arena_release(&a);
    return 0;
}
