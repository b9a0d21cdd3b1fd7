/* layers: codec base */
/* Property: what was read, written and read again, is written the same. */
#include <assert.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/text.h"
#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Steps over everything: each accessor agrees with the value's type. */
static void visit(const struct json *v, size_t depth)
{
    struct str s, name;
    int64_t i;
    double d;
    bool b;
    assert(depth <= JSON_DEPTH_MAX);
    assert(json_str(v, &s) == (json_type(v) == JSON_STRING));
    if (json_str(v, &s))
        assert(text_is_utf8(s) && str_find(s, '\0') == s.len);
    assert(json_bool(v, &b) == (json_type(v) == JSON_BOOL));
    assert(json_number(v, &s) == (json_type(v) == JSON_NUMBER));
    if (json_i64(v, &i))
        assert(json_f64(v, &d));

    size_t steps = 0;
    const struct json *member;
    struct json_iter it = json_each(v);
    while (json_next(&it, &name, &member)) {
        assert(member != NULL);
        if (json_type(v) == JSON_OBJECT)
            assert(json_get(v, name) == member); /* names are unique */
        else if (steps < 100)
            assert(json_at(v, steps) == member);
        visit(member, depth + 1);
        steps++;
    }
    assert(steps == json_count(v));
}

static void check_writing(struct arena *a, const struct json *v)
{
    struct buf once, other;
    buf_init(&once, 16 * MIB);
    buf_init(&other, 16 * MIB);
    json_write(&once, v, NULL, 0);
    assert(buf_ok(&once));

    const struct json *again;
    enum err e = json_read(a, buf_str(&once), &again, NULL);
    assert(e == ERR_OK);
    json_write(&other, again, NULL, 0);
    assert(str_eq(buf_str(&once), buf_str(&other)));

    /* A patch that changes nothing changes nothing. */
    struct json_patch gone = {STR("gone"), {NULL, 0}};
    if (json_get(v, gone.name) == NULL) {
        buf_clear(&other);
        json_write(&other, v, &gone, 1);
        assert(str_eq(buf_str(&once), buf_str(&other)));
    }
    buf_release(&once);
    buf_release(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    const struct json *v;
    struct json_error error = {0};
    arena_init(&a, 16 * MIB);

    struct str text = {(const char *)data, size};
    enum err e = json_read(&a, text, &v, &error);
    if (e == ERR_OK) {
        visit(v, 0);
        check_writing(&a, v);
    } else {
        assert(e == ERR_MALFORMED || e == ERR_LIMIT);
        assert(error.what != NULL && error.offset <= size);
    }
    arena_release(&a);
    return 0;
}
