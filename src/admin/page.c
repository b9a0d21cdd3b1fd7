/* page.c - see page.h. */
#include "admin/page.h"

#include <assert.h>

#include "base/limits.h"
#include "base/num.h"
#include "codec/json.h"
#include "codec/uri.h"

#define ITEM_MAX (64 * KIB)

static enum err read_limit(struct str value, size_t *to)
{
    uint64_t n;
    if (!num_u64(value, PAGE_LIMIT_MAX, &n) || n == 0)
        return ERR_MALFORMED;
    *to = (size_t)n;
    return ERR_OK;
}

static enum err read_parameter(struct page *p, struct str name,
                               struct str value,
                               const struct page_other *others, size_t n)
{
    if (str_eq(name, STR("limit")))
        return read_limit(value, &p->limit);
    if (str_eq(name, STR("after"))) {
        p->after = value;
        return ERR_OK;
    }
    for (size_t i = 0; i < n; i++) {
        if (str_eq(name, others[i].name)) {
            *others[i].to = value;
            return ERR_OK;
        }
    }
    return ERR_UNKNOWN_FIELD;
}

enum err page_init(struct page *p, struct arena *a, struct str query,
                   const struct page_other *others, size_t n,
                   struct str *ret_param)
{
    struct str name, value;

    *p = (struct page){.limit = PAGE_LIMIT};
    for (size_t i = 0; i < n; i++)
        *others[i].to = (struct str){NULL, 0};
    while (uri_next_pair(&query, &name, &value)) {
        *ret_param = str_first(name, 64);
        enum err e = uri_decode(a, value, false, &value);
        if (e == ERR_OK)
            e = read_parameter(p, name, value, others, n);
        if (e != ERR_OK)
            return e;
    }
    size_t room = p->limit + PAGE_TWINS_MAX - 1;
    p->items = ARENA_NEW(a, struct page_item, room);
    *ret_param = (struct str){NULL, 0};
    if (p->items == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < room; i++) {
        buf_init(&p->items[i].key, ITEM_MAX);
        buf_init(&p->items[i].json, ITEM_MAX);
    }
    return ERR_OK;
}

void page_release(struct page *p)
{
    size_t room = p->limit + PAGE_TWINS_MAX - 1;
    for (size_t i = 0; p->items != NULL && i < room; i++) {
        buf_release(&p->items[i].key);
        buf_release(&p->items[i].json);
    }
    p->items = NULL;
}

bool page_wants(struct page *p, struct str key)
{
    if (str_compare(key, p->after) <= 0)
        return false;
    if (p->count < p->limit ||
        str_compare(key, buf_str(&p->items[p->count - 1].key)) < 0)
        return true;
    p->more = true;
    return false;
}

/* The first place whose key is not below `key`. */
static size_t place_of(const struct page *p, struct str key)
{
    size_t low = 0, high = p->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (str_compare(buf_str(&p->items[middle].key), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct buf *page_add(struct page *p, struct str key)
{
    assert(str_compare(key, p->after) > 0);
    if (p->count == p->limit) {
        p->more = true; /* the last one goes */
        p->count--;
    }
    struct page_item slot = p->items[p->count];
    size_t at = place_of(p, key);
    for (size_t i = p->count; i > at; i--)
        p->items[i] = p->items[i - 1];
    p->count++;
    buf_clear(&slot.key);
    buf_clear(&slot.json);
    buf_add(&slot.key, key);
    p->items[at] = slot;
    return &p->items[at].json;
}

struct buf *page_append(struct page *p, struct str key)
{
    if (p->count > 0 && p->count >= p->limit &&
        !str_eq(key, buf_str(&p->items[p->count - 1].key))) {
        p->more = true;
        return NULL;
    }
    assert(p->count < p->limit + PAGE_TWINS_MAX - 1);
    struct page_item *item = &p->items[p->count++];
    buf_add(&item->key, key);
    return &item->json;
}

void page_write(const struct page *p, struct str name, struct buf *to)
{
    buf_add_char(to, '{');
    json_write_str(to, name);
    BUF_LIT(to, ":[");
    for (size_t i = 0; i < p->count; i++) {
        if (!buf_ok(&p->items[i].key) || !buf_ok(&p->items[i].json))
            to->failed = true;
        if (i > 0)
            buf_add_char(to, ',');
        buf_add(to, buf_str(&p->items[i].json));
    }
    buf_add_char(to, ']');
    if (p->more && p->count > 0) {
        BUF_LIT(to, ",\"next\":");
        json_write_str(to, buf_str(&p->items[p->count - 1].key));
    }
    buf_add_char(to, '}');
}
