/* json_pointer.c - see json_pointer.h. */
#include "codec/json_pointer.h"

#include "base/num.h"
#include "codec/json_value.h"

/* Is `token`, with its "~0" and "~1", the name? */
static bool names(struct str token, struct str name)
{
    size_t at = 0;
    for (size_t i = 0; i < token.len; i++, at++) {
        char c = token.ptr[i];
        if (c == '~') {
            i++;
            char kind = '\0';
            if (i < token.len)
                kind = token.ptr[i];
            if (kind != '0' && kind != '1')
                return false;
            if (kind == '1')
                c = '/';
        }
        if (at >= name.len || name.ptr[at] != c)
            return false;
    }
    return at == name.len;
}

static const struct json *member(const struct json *object, struct str token)
{
    struct json_iter it = json_each(object);
    struct str name;
    const struct json *v;
    while (json_next(&it, &name, &v)) {
        if (names(token, name))
            return v;
    }
    return NULL;
}

static const struct json *element(const struct json *array, struct str token)
{
    uint64_t index;
    if ((token.len > 1 && token.ptr[0] == '0') ||
        !num_u64(token, UINT32_MAX, &index))
        return NULL;
    return json_at(array, (size_t)index);
}

const struct json *json_pointer_find(const struct json *root,
                                     struct str pointer)
{
    const struct json *v = root;
    while (pointer.len > 0 && v != NULL) {
        if (pointer.ptr[0] != '/')
            return NULL;
        pointer = str_skip(pointer, 1);
        struct str token = str_first(pointer, str_find(pointer, '/'));
        pointer = str_skip(pointer, token.len);
        v = json_type(v) == JSON_ARRAY ? element(v, token) : member(v, token);
    }
    return v;
}

static bool write_name(struct buf *to, struct str name)
{
    if (name.len * 2 + 1 >= to->room - to->len)
        return false;
    buf_add_char(to, '/');
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '~')
            BUF_LIT(to, "~0");
        else if (name.ptr[i] == '/')
            BUF_LIT(to, "~1");
        else
            buf_add_char(to, name.ptr[i]);
    }
    return true;
}

static bool write_index(struct buf *to, size_t index)
{
    enum { DIGITS = 20 };
    if (DIGITS + 1 >= to->room - to->len)
        return false;
    buf_add_char(to, '/');
    return buf_add_u64(to, index);
}

/*
 * Values lie in one array in document order, so the child that holds `target`
 * is the last that does not begin behind it.
 */
void json_pointer_write(struct buf *to, const struct json *root,
                        const struct json *target)
{
    const yyjson_val *wanted = json_value(target);
    const struct json *v = root;
    bool fits = true;
    while (v != target && fits) {
        bool is_array = json_type(v) == JSON_ARRAY;
        struct json_iter it = json_each(v);
        struct str name;
        size_t index = 0;
        while (json_next(&it, &name, &v) &&
               json_value_next(json_value(v)) <= wanted)
            index++;
        if (json_value(v) > wanted)
            return; /* a name; its object is as near as we get */
        fits = is_array ? write_index(to, index) : write_name(to, name);
    }
}
