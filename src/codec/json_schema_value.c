/*
 * json_schema_value.c - type, enum, const, and when two values are equal.
 *
 * Equality is JSON Schema's: numbers by value, members in any order.  A hash
 * that equal values share keeps enum and uniqueItems from comparing all
 * pairs; its key is known, so values can be made to collide, which costs
 * them their budget.
 */
#include <stdlib.h>

#include "base/siphash.h"
#include "codec/json_schema_check.h"
#include "codec/json_schema_compiler.h"

static uint64_t mix(uint64_t h, uint64_t more)
{
    h = (h ^ more) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ (h >> 31);
}

static uint64_t hash_bytes(struct str s)
{
    return siphash((struct siphash_key){1, 2}, s);
}

/* As deep as a document may be. */
static uint64_t hash_value(const struct json *v)
{
    enum json_type type = json_type(v);
    uint64_t h = mix(0, (uint64_t)type);
    struct str text, name;
    bool is_true;
    if (json_number(v, &text))
        return mix(h, decimal_hash(decimal_read(text)));
    if (json_str(v, &text))
        return mix(h, hash_bytes(text));
    if (json_bool(v, &is_true))
        return mix(h, is_true);

    struct json_iter it = json_each(v);
    uint64_t members = 0;
    while (json_next(&it, &name, &v)) {
        if (type == JSON_ARRAY)
            h = mix(h, hash_value(v));
        else
            members += mix(hash_bytes(name), hash_value(v));
    }
    return mix(h, members);
}

/* What hashing costs: a step a value, and one for 16 bytes. */
static uint64_t weigh(const struct json *v)
{
    struct str text, name;
    uint64_t sum = 1;
    if (json_str(v, &text) || json_number(v, &text))
        return sum + text.len / 16;
    struct json_iter it = json_each(v);
    while (json_next(&it, &name, &v))
        sum += weigh(v) + name.len / 16;
    return sum;
}

static bool hash_spending(struct json_schema_check *k, const struct json *v,
                          uint64_t *ret)
{
    if (!json_schema_spend(k, weigh(v)))
        return false;
    *ret = hash_value(v);
    return true;
}

static bool equal(struct json_schema_check *k, const struct json *a,
                  const struct json *b);

static bool equal_arrays(struct json_schema_check *k, const struct json *a,
                         const struct json *b)
{
    struct json_iter it_a = json_each(a);
    struct json_iter it_b = json_each(b);
    while (json_next(&it_a, NULL, &a) && json_next(&it_b, NULL, &b)) {
        if (!equal(k, a, b))
            return false;
    }
    return true;
}

/* Of as many members; most are in the same order. */
static bool equal_objects(struct json_schema_check *k, const struct json *a,
                          const struct json *b)
{
    struct json_iter it_a = json_each(a);
    struct json_iter it_b = json_each(b);
    const struct json *x, *y;
    struct str name_a, name_b;
    while (json_next(&it_a, &name_a, &x) && json_next(&it_b, &name_b, &y)) {
        if (!str_eq(name_a, name_b)) {
            if (!json_schema_spend(k, json_count(b)))
                return false;
            y = json_get(b, name_a);
        }
        if (y == NULL || !equal(k, x, y))
            return false;
    }
    return true;
}

static bool equal(struct json_schema_check *k, const struct json *a,
                  const struct json *b)
{
    enum json_type type = json_type(a);
    struct str x, y;
    bool p, q;
    if (!json_schema_spend(k, 1) || type != json_type(b) ||
        json_count(a) != json_count(b))
        return false;
    if (type == JSON_ARRAY)
        return equal_arrays(k, a, b);
    if (type == JSON_OBJECT)
        return equal_objects(k, a, b);
    if (json_bool(a, &p) && json_bool(b, &q))
        return p == q;
    if (json_number(a, &x) && json_number(b, &y))
        return json_schema_spend(k, (x.len + y.len) / 16) &&
               decimal_compare(decimal_read(x), decimal_read(y)) == 0;
    if (json_str(a, &x) && json_str(b, &y))
        return json_schema_spend(k, x.len / 16) && str_eq(x, y);
    return type == JSON_NULL;
}

static int compare_hashes(const void *a, const void *b)
{
    const struct json_schema_hashed *x = a;
    const struct json_schema_hashed *y = b;
    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

/* Steps for sorting; more than it takes. */
static uint64_t sorting(size_t n)
{
    uint64_t steps = n;
    for (size_t half = n; half > 1; half /= 2)
        steps += n / 4;
    return steps;
}

static bool has_equal(struct json_schema_check *k,
                      const struct json_schema_hashed *sorted, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n && sorted[j].hash == sorted[i].hash; j++) {
            if (equal(k, sorted[i].value, sorted[j].value))
                return true;
        }
    }
    return false;
}

bool json_schema_value_unique(struct json_schema_check *k,
                              const struct json *array)
{
    size_t n = json_count(array);
    if (n < 2)
        return true;
    if (!json_schema_spend(k, sorting(n)))
        return false;
    size_t size = n * sizeof(struct json_schema_hashed);
    struct json_schema_hashed *sorted = arena_alloc_raw(k->scratch, size);
    if (sorted == NULL) {
        k->err = ERR_LIMIT;
        return false;
    }
    struct json_iter it = json_each(array);
    bool fits = true;
    for (size_t i = 0; fits && json_next(&it, NULL, &sorted[i].value); i++)
        fits = hash_spending(k, sorted[i].value, &sorted[i].hash);
    if (fits)
        qsort(sorted, n, sizeof(*sorted), compare_hashes);
    bool unique = fits && !has_equal(k, sorted, n);
    arena_shrink(k->scratch, sorted, size, 0);
    return unique && k->err == ERR_OK;
}

static bool is_listed(struct json_schema_check *k,
                      const struct json_schema_values *values,
                      const struct json *v)
{
    uint64_t hash;
    if (!hash_spending(k, v, &hash))
        return false;
    size_t low = 0;
    size_t high = values->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (values->sorted[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < values->count && values->sorted[low].hash == hash; low++) {
        if (equal(k, values->sorted[low].value, v))
            return true;
    }
    return false;
}

static bool has_type(unsigned types, const struct json *v)
{
    enum json_type type = json_type(v);
    struct str text;
    if ((types & 1U << type) != 0)
        return true;
    return (types & JSON_SCHEMA_INTEGER) != 0 && json_number(v, &text) &&
           decimal_is_integer(decimal_read(text));
}

bool json_schema_value_check(struct json_schema_check *k,
                             const struct json_schema_node *n,
                             const struct json *v)
{
    if (n->types != 0 && !has_type(n->types, v))
        return json_schema_no(k, KW_TYPE, n, v);
    const struct json_schema_values *values = n->values;
    if (values == NULL)
        return true;
    if (values->constant != NULL && !equal(k, values->constant, v))
        return json_schema_no(k, KW_CONST, n, v);
    if (values->list != NULL && !is_listed(k, values, v))
        return json_schema_no(k, KW_ENUM, n, v);
    return true;
}

/* --- compiling --- */

static bool type_bit(const struct json *v, unsigned *types)
{
    static const struct {
        struct str name;
        unsigned bit;
    } all[] = {
        {STR_INIT("null"), 1U << JSON_NULL},
        {STR_INIT("boolean"), 1U << JSON_BOOL},
        {STR_INIT("number"), 1U << JSON_NUMBER},
        {STR_INIT("string"), 1U << JSON_STRING},
        {STR_INIT("array"), 1U << JSON_ARRAY},
        {STR_INIT("object"), 1U << JSON_OBJECT},
        {STR_INIT("integer"), JSON_SCHEMA_INTEGER},
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (json_is_string(v, all[i].name)) {
            *types |= all[i].bit;
            return true;
        }
    }
    return false;
}

static enum err compile_type(struct json_schema_compiler *c,
                             struct json_schema_node *n)
{
    const struct json *type = json_schema_compile_get(n, KW_TYPE);
    if (type == NULL || type_bit(type, &n->types))
        return ERR_OK;
    struct json_iter it = json_each(type);
    const struct json *v;
    bool known = json_type(type) == JSON_ARRAY && json_count(type) > 0;
    while (known && json_next(&it, NULL, &v))
        known = type_bit(v, &n->types);
    return known ? ERR_OK
                 : json_schema_compile_failed(
                       c, ERR_MALFORMED, KW_TYPE, type,
                       "must be the name of a type or an array of such");
}

static enum err compile_enum(struct json_schema_compiler *c,
                             struct json_schema_values *values)
{
    size_t n = json_count(values->list);
    if (json_type(values->list) != JSON_ARRAY)
        return json_schema_compile_failed(c, ERR_MALFORMED, KW_ENUM,
                                          values->list, "must be an array");
    if (n > c->left.values)
        return json_schema_compile_failed(c, ERR_LIMIT, KW_ENUM, values->list,
                                          "there are too many values");
    c->left.values -= n;
    struct json_schema_hashed *sorted =
        COMPILE_NEW(c, struct json_schema_hashed, n > 0 ? n : 1);
    if (sorted == NULL)
        return ERR_LIMIT;
    struct json_iter it = json_each(values->list);
    for (size_t i = 0; json_next(&it, NULL, &sorted[i].value); i++)
        sorted[i].hash = hash_value(sorted[i].value);
    qsort(sorted, n, sizeof(*sorted), compare_hashes);
    values->sorted = sorted;
    values->count = n;
    return ERR_OK;
}

enum err json_schema_value_compile(struct json_schema_compiler *c,
                                   struct json_schema_node *n)
{
    enum err e = compile_type(c, n);
    const struct json *list = json_schema_compile_get(n, KW_ENUM);
    const struct json *constant = json_schema_compile_get(n, KW_CONST);
    if (e != ERR_OK || (list == NULL && constant == NULL))
        return e;
    struct json_schema_values *values =
        COMPILE_NEW(c, struct json_schema_values, 1);
    if (values == NULL)
        return ERR_LIMIT;
    values->constant = constant;
    values->list = list;
    n->values = values;
    return list == NULL ? ERR_OK : compile_enum(c, values);
}
