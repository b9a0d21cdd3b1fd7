/* layers: codec base */
/* Property: what is canonical stays as it is, and says the same. */
#include <assert.h>
#include <stdint.h>

#include "base/limits.h"
#include "codec/jcs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err canonical(struct arena *a, struct buf *to, struct str text,
                          const struct json **ret)
{
    enum err e = json_read(a, text, ret, NULL);
    return e != ERR_OK ? e : jcs_canonical(to, a, *ret);
}

/* As many values of each type, whatever their order. */
static size_t weigh(const struct json *v)
{
    size_t sum = (size_t)json_type(v);
    struct json_iter it = json_each(v);
    struct str name;
    while (json_next(&it, &name, &v))
        sum += 7 * weigh(v) + name.len;
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct buf once, twice;
    const struct json *first, *second;
    arena_init(&a, 16 * MIB);
    buf_init(&once, 16 * MIB);
    buf_init(&twice, 16 * MIB);

    struct str text = {(const char *)data, size};
    if (canonical(&a, &once, text, &first) == ERR_OK) {
        enum err e = canonical(&a, &twice, buf_str(&once), &second);
        assert(e == ERR_OK);
        assert(str_eq(buf_str(&once), buf_str(&twice)));
        assert(weigh(first) == weigh(second));
    }
    buf_release(&once);
    buf_release(&twice);
    arena_release(&a);
    return 0;
}
