/* cedar_shape.c - records of one form; see cedar_value.h. */
#include "cedar/cedar_value.h"
#include "cedar/sort.h"
#include "cedar/value.h"

/* A name, and which of the values is its. */
struct slot {
    struct value_key key;
    size_t value;
};

struct cedar_shape {
    size_t count;
    struct slot slots[]; /* sorted by value_key_order() */
};

static int order(const void *a, const void *b)
{
    const struct slot *left = a;
    const struct slot *right = b;
    return value_key_order(&left->key, &right->key);
}

enum err cedar_shape_make(struct arena *a, const struct str *names,
                          size_t count, const struct cedar_shape **ret)
{
    struct cedar_shape *s =
        count > UINT32_MAX
            ? NULL
            : arena_alloc(a, sizeof(*s) + count * sizeof(s->slots[0]));
    if (s == NULL)
        return ERR_LIMIT;
    s->count = count;
    for (size_t i = 0; i < count; i++)
        s->slots[i] = (struct slot){value_key_make(names[i]), i};
    struct slot spare;
    sort_array(s->slots, count, sizeof(spare), order, &spare);
    for (size_t i = 1; i < count; i++)
        if (order(&s->slots[i - 1], &s->slots[i]) == 0)
            return ERR_MALFORMED;
    *ret = s;
    return ERR_OK;
}

enum err cedar_shape_record(struct arena *a, const struct cedar_shape *s,
                            const struct cedar_value *values,
                            const struct cedar_record **ret)
{
    struct cedar_record *r =
        arena_alloc_raw(a, sizeof(*r) + s->count * sizeof(r->fields[0]));
    if (r == NULL)
        return ERR_LIMIT;
    r->count = 0;
    for (size_t i = 0; i < s->count; i++) {
        const struct cedar_value *v = &values[s->slots[i].value];
        if (v->kind != CEDAR_NOTHING)
            r->fields[r->count++] = (struct value_field){s->slots[i].key, *v};
    }
    *ret = r;
    return ERR_OK;
}
