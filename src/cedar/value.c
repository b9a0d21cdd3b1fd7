/* value.c - see value.h. */
#include "cedar/value.h"

#include <assert.h>
#include <stdalign.h>

#include "cedar/sort.h"

void *value_pool_alloc(struct value_pool *p, size_t size)
{
    size_t need =
        (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (need >= size && need <= p->room - p->used) {
        void *at = p->fixed + p->used;
        p->used += need;
        return at;
    }
    return arena_alloc_raw(p->arena, size);
}

/*
 * Eight bytes a step, multiply and fold.  Not keyed: everything that is
 * looked up by it is sorted, so equal hashes cost a binary search, no more.
 */
uint64_t value_hash(struct str s)
{
    const uint64_t odd = 0x9E3779B97F4A7C15;
    uint64_t h = odd ^ s.len;
    size_t at = 0;
    for (; s.len - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, s.ptr + at, 8);
        h = (h ^ word) * odd;
        h ^= h >> 32;
    }
    uint64_t word = 0;
    if (at < s.len)
        memcpy(&word, s.ptr + at, s.len - at);
    h = (h ^ word) * odd;
    h ^= h >> 29;
    h *= 0xBF58476D1CE4E5B9;
    return h ^ h >> 32;
}

struct value_key value_key_make(struct str name)
{
    return (struct value_key){name, value_hash(name)};
}

static int order_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int order_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int value_key_order(const struct value_key *a, const struct value_key *b)
{
    int order = order_u64(a->hash, b->hash);
    return order != 0 ? order : str_compare(a->name, b->name);
}

int value_uid_order(const struct cedar_uid *a, const struct cedar_uid *b)
{
    if (a == b)
        return 0;
    int order = order_u64(a->hash, b->hash);
    if (order == 0)
        order = str_compare(a->id, b->id);
    return order != 0 ? order : str_compare(a->type, b->type);
}

static int order_records(const struct cedar_record *a,
                         const struct cedar_record *b)
{
    int order = a == b ? 0 : order_u64(a->count, b->count);
    for (uint32_t i = 0; a != b && order == 0 && i < a->count; i++) {
        order = value_key_order(&a->fields[i].key, &b->fields[i].key);
        if (order == 0)
            order = value_order(a->fields[i].value, b->fields[i].value);
    }
    return order;
}

static int order_sets(const struct cedar_set *a, const struct cedar_set *b)
{
    int order = a == b ? 0 : order_u64(a->count, b->count);
    for (uint32_t i = 0; a != b && order == 0 && i < a->count; i++)
        order = value_order(a->items[i], b->items[i]);
    return order;
}

static int order_ips(const struct cedar_ip *a, const struct cedar_ip *b)
{
    int order = (int)a->is_v6 - (int)b->is_v6;
    if (order == 0)
        order = (int)a->prefix - (int)b->prefix;
    return order != 0 ? order : memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

/* Recurses as deep as values nest, which their makers bound. */
int value_order(struct cedar_value a, struct cedar_value b)
{
    if (a.kind != b.kind)
        return (int)a.kind - (int)b.kind;
    switch (a.kind) {
    case CEDAR_BOOL:
        return (int)a.as.truth - (int)b.as.truth;
    case CEDAR_STRING:
        return str_compare(value_text(a), value_text(b));
    case CEDAR_ENTITY:
        return value_uid_order(a.as.uid, b.as.uid);
    case CEDAR_SET:
        return order_sets(a.as.set, b.as.set);
    case CEDAR_RECORD:
        return order_records(a.as.record, b.as.record);
    case CEDAR_IP:
        return order_ips(a.as.ip, b.as.ip);
    default: /* all numbers */
        return order_i64(a.as.number, b.as.number);
    }
}

bool value_record_equal(const struct cedar_record *a,
                        const struct cedar_record *b)
{
    return order_records(a, b) == 0;
}

const struct cedar_value *value_get(const struct cedar_record *r,
                                    const struct value_key *key)
{
    uint32_t low = 0;
    uint32_t high = r->count;
    while (high - low > 4) {
        uint32_t middle = low + (high - low) / 2;
        if (value_key_order(&r->fields[middle].key, key) <= 0)
            low = middle;
        else
            high = middle;
    }
    for (; low < high; low++)
        if (r->fields[low].key.hash == key->hash &&
            str_eq(r->fields[low].key.name, key->name))
            return &r->fields[low].value;
    return NULL;
}

bool value_set_has(const struct cedar_set *s, struct cedar_value item)
{
    uint32_t low = 0;
    uint32_t high = s->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = value_order(s->items[middle], item);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

bool value_set_has_all(const struct cedar_set *s, const struct cedar_set *part)
{
    if (part->count > s->count)
        return false;
    for (uint32_t i = 0; i < part->count; i++)
        if (!value_set_has(s, part->items[i]))
            return false;
    return true;
}

bool value_set_has_any(const struct cedar_set *a, const struct cedar_set *b)
{
    const struct cedar_set *large = a->count > b->count ? a : b;
    const struct cedar_set *small = large == a ? b : a;
    for (uint32_t i = 0; i < small->count; i++)
        if (value_set_has(large, small->items[i]))
            return true;
    return false;
}

static int order_items(const void *a, const void *b)
{
    const struct cedar_value *left = a;
    const struct cedar_value *right = b;
    return value_order(*left, *right);
}

enum err value_set_make(struct value_pool *p, const struct cedar_value *items,
                        size_t count, const struct cedar_set **ret)
{
    if (count > UINT32_MAX)
        return ERR_LIMIT;
    struct cedar_set *set =
        value_pool_alloc(p, sizeof(*set) + count * sizeof(set->items[0]));
    if (set == NULL)
        return ERR_LIMIT;
    if (count > 0)
        memcpy(set->items, items, count * sizeof(*items));
    struct cedar_value spare;
    sort_array(set->items, count, sizeof(spare), order_items, &spare);

    uint32_t kept = 0;
    set->only_entities = true;
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && value_order(set->items[kept - 1], set->items[i]) == 0)
            continue;
        set->items[kept++] = set->items[i];
        if (set->items[i].kind != CEDAR_ENTITY)
            set->only_entities = false;
    }
    set->count = kept;
    *ret = set;
    return ERR_OK;
}

static int order_fields(const void *a, const void *b)
{
    const struct value_field *left = a;
    const struct value_field *right = b;
    return value_key_order(&left->key, &right->key);
}

enum err value_record_make(struct value_pool *p, const struct value_key *keys,
                           const struct cedar_value *values, size_t count,
                           const struct cedar_record **ret)
{
    if (count > UINT32_MAX)
        return ERR_LIMIT;
    struct cedar_record *r =
        value_pool_alloc(p, sizeof(*r) + count * sizeof(r->fields[0]));
    if (r == NULL)
        return ERR_LIMIT;
    for (size_t i = 0; i < count; i++)
        r->fields[i] = (struct value_field){keys[i], values[i]};
    struct value_field spare;
    sort_array(r->fields, count, sizeof(spare), order_fields, &spare);
    for (size_t i = 1; i < count; i++)
        if (order_fields(&r->fields[i - 1], &r->fields[i]) == 0)
            return ERR_MALFORMED;
    r->count = (uint32_t)count;
    *ret = r;
    return ERR_OK;
}
