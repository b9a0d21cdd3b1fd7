/* layers: codec base */
/*
 * Schema and instance, a NUL between them.  Properties: compiling twice gives
 * the same answer; validating ends, without scratch beyond its own; more
 * budget only ever turns "cannot say" into an answer; what the negation of a
 * schema takes, the schema does not.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/limits.h"
#include "codec/json_pointer.h"
#include "codec/json_schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS = 100000, LITTLE = 50 };

static void check_failure(const struct json_schema_failure *f,
                          const struct json *root)
{
    assert(f->text[0] != '\0');
    assert(memchr(f->text, '\0', sizeof(f->text)) != NULL);
    assert(json_pointer_find(root, str_from(f->pointer)) != NULL);
}

static enum err validate(const struct json_schema *s, const struct json *v,
                         uint64_t steps)
{
    struct arena scratch;
    struct json_schema_failure why = {0};
    arena_init(&scratch, 4 * MIB);
    enum err e = json_schema_validate(s, v, &scratch, steps, &why);
    assert(e == ERR_OK || e == ERR_MALFORMED || e == ERR_LIMIT);
    if (e != ERR_OK)
        check_failure(&why, v);
    arena_release(&scratch);
    return e;
}

/* The view of every node that is near the root. */
static size_t walk(const struct json_schema_node *n, unsigned depth)
{
    struct json_schema_view view = json_schema_view(n);
    size_t sum = 1;
    if (depth == 0)
        return sum;
    for (size_t i = 0; i < view.properties && i < 8; i++) {
        struct json_schema_property p = json_schema_property(n, i);
        sum += p.node == NULL ? p.name.len : walk(p.node, depth - 1);
    }
    for (size_t i = 0; i < view.alternatives && i < 8; i++)
        sum += walk(json_schema_alternative(n, i), depth - 1);
    if (view.ref != NULL)
        sum += walk(view.ref, depth - 1);
    return sum;
}

/* {"not": the schema}, if its references stay what they are. */
static enum err compile_not(struct arena *a, struct str text,
                            const struct json_schema **ret)
{
    struct buf to;
    const struct json *v;
    buf_init(&to, MIB);
    BUF_LIT(&to, "{\"not\":");
    buf_add(&to, text);
    BUF_LIT(&to, "}");
    enum err e = buf_ok(&to) ? json_read(a, buf_str(&to), &v, NULL) : ERR_LIMIT;
    if (e == ERR_OK)
        e = json_schema_compile(a, v, NULL, ret, NULL);
    buf_release(&to);
    return e;
}

static void check(struct arena *a, struct str text, const struct json *schema,
                  const struct json *instance)
{
    const struct json_schema *s, *again, *negated;
    struct json_schema_failure why = {0};
    struct json_schema_failure why_again = {0};
    enum err e = json_schema_compile(a, schema, NULL, &s, &why);
    assert(json_schema_compile(a, schema, NULL, &again, &why_again) == e);
    if (e != ERR_OK) {
        check_failure(&why, schema);
        assert(strcmp(why.text, why_again.text) == 0);
        assert(strcmp(why.pointer, why_again.pointer) == 0);
        return;
    }
    assert(walk(json_schema_root(s), 4) == walk(json_schema_root(again), 4));
    if (instance == NULL)
        return;
    e = validate(s, instance, STEPS);
    assert(validate(again, instance, STEPS) == e);
    enum err little = validate(s, instance, LITTLE);
    assert(little == ERR_LIMIT || little == e);

    bool has_ref = memmem(text.ptr, text.len, "$", 1) != NULL ||
                   memmem(text.ptr, text.len, "\\", 1) != NULL;
    if (has_ref || e == ERR_LIMIT || compile_not(a, text, &negated) != ERR_OK)
        return;
    enum err opposite = validate(negated, instance, STEPS);
    assert(opposite == ERR_LIMIT || (opposite == ERR_OK) != (e == ERR_OK));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    const struct json *schema;
    const struct json *instance = NULL;
    arena_init(&a, 32 * MIB);
    struct str input = {(const char *)data, size};
    struct str text = str_first(input, str_find(input, '\0'));
    struct str rest = str_skip(input, text.len + 1);
    if (json_read(&a, text, &schema, NULL) == ERR_OK) {
        if (rest.len == 0 || json_read(&a, rest, &instance, NULL) != ERR_OK)
            instance = NULL;
        check(&a, text, schema, instance);
    }
    arena_release(&a);
    return 0;
}
