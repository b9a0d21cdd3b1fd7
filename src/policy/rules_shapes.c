/* rules_shapes.c - see rules_shapes.h. */
#include "policy/rules_shapes.h"

#include <assert.h>

#define X(name, text) STR_INIT(text),
#define Y(name, list) static const struct str names_##name[] = {list(X)};
SHAPES(Y)
#undef Y
#undef X

static const struct {
    const struct str *names;
    size_t count;
} shapes[] = {
#define X(name, list) {names_##name, ARRAY_LEN(names_##name)},
    SHAPES(X)
#undef X
};

enum err rules_shapes_init(struct rules_shapes *s, struct arena *a)
{
    for (size_t i = 0; i < RULES_SHAPES_COUNT; i++) {
        enum err e =
            cedar_shape_make(a, shapes[i].names, shapes[i].count, &s->at[i]);
        assert(e != ERR_MALFORMED); /* the names are ours and differ */
        if (e != ERR_OK)
            return ERR_NO_MEMORY;
    }
    return ERR_OK;
}

struct str rules_shapes_member(enum rules_shape shape, size_t nth)
{
    assert((unsigned)shape < RULES_SHAPES_COUNT);
    return nth < shapes[shape].count ? shapes[shape].names[nth]
                                     : (struct str){NULL, 0};
}
