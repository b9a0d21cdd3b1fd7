/* canon.c - see canon.h. */
#include "mcp/canon.h"

#include <stdlib.h>

#include "codec/decimal.h"
#include "codec/jcs.h"

struct member {
    struct str name;
    const struct json *value;
};

static int by_name(const void *a, const void *b)
{
    return str_compare(((const struct member *)a)->name,
                       ((const struct member *)b)->name);
}

static enum err write_number(struct buf *to, struct arena *a,
                             const struct json *v)
{
    char room[64]; /* RFC 8785 needs 25 */
    struct buf rounded;
    struct str text = {NULL, 0};
    buf_init_lent(&rounded, room, sizeof(room));
    (void)!json_number(v, &text);
    bool is_exact = jcs_canonical(&rounded, a, v) == ERR_OK &&
                    decimal_compare(decimal_read(buf_str(&rounded)),
                                    decimal_read(text)) == 0;
    return buf_add(to, is_exact ? buf_str(&rounded) : text) ? ERR_OK
                                                            : ERR_LIMIT;
}

static enum err write_array(struct buf *to, struct arena *a,
                            const struct json *v)
{
    struct json_iter it = json_each(v);
    const struct json *item;
    bool first = true;
    (void)buf_add_char(to, '[');
    while (json_next(&it, NULL, &item)) {
        if (!first)
            (void)buf_add_char(to, ',');
        first = false;
        enum err e = canon_write(to, a, item);
        if (e != ERR_OK)
            return e;
    }
    return buf_add_char(to, ']') ? ERR_OK : ERR_LIMIT;
}

static enum err write_object(struct buf *to, struct arena *a,
                             const struct json *v)
{
    size_t n = 0;
    struct json_iter it = json_each(v);
    struct member *members = ARENA_NEW(a, struct member, json_count(v));
    if (members == NULL)
        return ERR_LIMIT;
    while (json_next(&it, &members[n].name, &members[n].value))
        if (++n == json_count(v))
            break;
    if (n > 1)
        qsort(members, n, sizeof(*members), by_name);
    (void)buf_add_char(to, '{');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            (void)buf_add_char(to, ',');
        json_write_str(to, members[i].name);
        (void)buf_add_char(to, ':');
        enum err e = canon_write(to, a, members[i].value);
        if (e != ERR_OK)
            return e;
    }
    return buf_add_char(to, '}') ? ERR_OK : ERR_LIMIT;
}

/* As deep as the JSON reader lets a document be. */
enum err canon_write(struct buf *to, struct arena *a, const struct json *v)
{
    switch (json_type(v)) {
    case JSON_OBJECT:
        return write_object(to, a, v);
    case JSON_ARRAY:
        return write_array(to, a, v);
    case JSON_NUMBER:
        return write_number(to, a, v);
    case JSON_STRING:
    case JSON_BOOL:
    case JSON_NULL:
    case JSON_NONE:
        break;
    }
    json_write(to, v, NULL, 0);
    return buf_ok(to) ? ERR_OK : ERR_LIMIT;
}
