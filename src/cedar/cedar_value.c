/* cedar_value.c - see cedar_value.h. */
#include "cedar/cedar_value.h"

#include <assert.h>

#include "cedar/extension.h"
#include "cedar/value.h"

struct cedar_value cedar_value_string(struct str text)
{
    assert(text.len <= UINT32_MAX);
    return (struct cedar_value){.kind = CEDAR_STRING,
                                .len = (uint32_t)text.len,
                                .as.text = text.ptr};
}

enum err cedar_value_set(struct arena *a, const struct cedar_value *items,
                         size_t count, struct cedar_value *ret)
{
    struct value_pool pool = {.arena = a};
    const struct cedar_set *set;
    enum err e = value_set_make(&pool, items, count, &set);
    if (e == ERR_OK)
        *ret = (struct cedar_value){.kind = CEDAR_SET, .as.set = set};
    return e;
}

enum err cedar_value_record(struct arena *a, const struct cedar_member *members,
                            size_t count, const struct cedar_record **ret)
{
    struct value_pool pool = {.arena = a};
    struct value_key *keys = ARENA_NEW(a, struct value_key, count);
    struct cedar_value *values = ARENA_NEW(a, struct cedar_value, count);
    if (keys == NULL || values == NULL)
        return ERR_LIMIT;
    for (size_t i = 0; i < count; i++) {
        keys[i] = value_key_make(members[i].name);
        values[i] = members[i].value;
    }
    return value_record_make(&pool, keys, values, count, ret);
}

enum err cedar_value_extension(struct arena *a, struct str function,
                               struct str text, struct cedar_value *ret)
{
    struct value_pool pool = {.arena = a};
    const struct extension *x = extension_find(function);
    if (x == NULL || x->is_method || text.len > UINT32_MAX)
        return ERR_MALFORMED;
    struct cedar_value arg = cedar_value_string(text);
    enum cedar_fault f = extension_call(x, &arg, 1, &pool, ret);
    if (f == CEDAR_FAULT_NONE)
        return ERR_OK;
    return f == CEDAR_FAULT_LIMIT ? ERR_LIMIT : ERR_MALFORMED;
}

bool cedar_value_get(const struct cedar_record *r, struct str name,
                     struct cedar_value *ret)
{
    struct value_key key = value_key_make(name);
    const struct cedar_value *v = value_get(r, &key);
    if (v != NULL)
        *ret = *v;
    return v != NULL;
}

bool cedar_value_equal(struct cedar_value a, struct cedar_value b)
{
    if (a.kind != b.kind)
        return false;
    if (a.kind == CEDAR_STRING)
        return str_eq(value_text(a), value_text(b));
    if (a.kind == CEDAR_LONG)
        return a.as.number == b.as.number;
    if (a.kind == CEDAR_ENTITY)
        return cedar_uid_equal(a.as.uid, b.as.uid);
    return value_order(a, b) == 0;
}
