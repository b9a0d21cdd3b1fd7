/*
 * hub_offer.c - what a server has told of itself and of its tools.
 *
 * Everything is in the offer's own memory: each page is written as text and
 * read again into it, since what a link reads lasts for one event.
 */
#include <assert.h>
#include <stdlib.h>

#include "mcp/catalog.h"
#include "mcp/hub_part.h"
#include "mcp/params.h"

struct offer {
    struct hub_offer offer; /* first: it is what users hold */
    _Atomic(unsigned) refs;
    _Atomic(uint64_t) settled; /* the number of a catalog, or 0 */
    struct arena arena;
    struct tool_page page;
    struct hash digest;
};

static_assert(offsetof(struct offer, offer) == 0, "offers are cast");

struct hub_pages {
    struct offer *offer;
    unsigned count;
    size_t tools, refused;
    struct tool_page pages[HUB_PAGES_MAX];
};

static struct offer *offer_of(struct hub_offer *o)
{
    return (struct offer *)(void *)o;
}

struct hub_offer *hub_offer_ref(struct hub_offer *o)
{
    atomic_fetch_add_explicit(&offer_of(o)->refs, 1, memory_order_relaxed);
    return o;
}

void hub_offer_unref(struct hub_offer *o)
{
    if (o == NULL)
        return;
    struct offer *it = offer_of(o);
    unsigned before =
        atomic_fetch_sub_explicit(&it->refs, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before > 1)
        return;
    arena_release(&it->arena);
    free(it);
}

/* It says nothing of other memory, so it needs no order. */
void hub_offer_settle(struct hub_offer *o, uint64_t catalog)
{
    atomic_store_explicit(&offer_of(o)->settled, catalog, memory_order_relaxed);
}

bool hub_offer_is_settled(const struct hub_offer *o, uint64_t catalog)
{
    const struct offer *it = (const struct offer *)(const void *)o;
    return atomic_load_explicit(&it->settled, memory_order_relaxed) == catalog;
}

const struct hash *hub_offer_digest(const struct hub_offer *o)
{
    return &((const struct offer *)(const void *)o)->digest;
}

static struct offer *offer_new(unsigned has, struct str name,
                               struct str version, struct str instructions)
{
    struct offer *o = calloc(1, sizeof(*o));
    if (o == NULL)
        return NULL;
    atomic_init(&o->refs, 1);
    atomic_init(&o->settled, 0);
    arena_init(&o->arena, HUB_OFFER_BYTES_MAX);
    o->offer.has = has;
    o->offer.page = &o->page;
    if (!arena_copy(&o->arena, name, &o->offer.name) ||
        !arena_copy(&o->arena, version, &o->offer.version) ||
        !arena_copy(&o->arena, instructions, &o->offer.instructions)) {
        hub_offer_unref(&o->offer);
        return NULL;
    }
    o->digest = hash_sha256(NULL, 0);
    return o;
}

struct hub_offer *hub_offer_about(const struct handshake *h)
{
    struct offer *o = offer_new(h->has, h->name, h->version, h->instructions);
    return o == NULL ? NULL : &o->offer;
}

/* ---- pages ---- */

struct hub_pages *hub_pages_new(const struct hub_offer *about, int64_t now_ms)
{
    struct hub_pages *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return NULL;
    p->offer =
        offer_new(about->has, about->name, about->version, about->instructions);
    if (p->offer == NULL) {
        free(p);
        return NULL;
    }
    p->offer->offer.listed_ms = now_ms;
    return p;
}

void hub_pages_free(struct hub_pages *p)
{
    if (p == NULL)
        return;
    if (p->offer != NULL)
        hub_offer_unref(&p->offer->offer);
    free(p);
}

/* `result` in the offer's own memory. */
static enum err keep(struct arena *a, const struct json *result,
                     const struct json **ret)
{
    struct buf b;
    enum err e = ERR_LIMIT;
    buf_init(&b, HUB_OFFER_BYTES_MAX);
    json_write(&b, result, NULL, 0);
    if (buf_ok(&b))
        e = json_read(a, buf_str(&b), ret, NULL);
    buf_release(&b);
    return e;
}

enum err hub_pages_add(struct hub_pages *p, const struct json *result,
                       struct buf *cursor, struct str *why)
{
    const struct json *kept = NULL;
    struct fault fault = {.text = {NULL, 0}};
    struct tool_page *page = &p->pages[p->count];

    buf_clear(cursor);
    *why = STR("the server lists too many tools");
    enum err e = keep(&p->offer->arena, result, &kept);
    if (e != ERR_OK)
        return e;
    e = tool_read_page(&p->offer->arena, kept, page, &fault);
    if (e != ERR_OK) {
        *why = fault.text.len > 0 ? fault.text : STR("not a list of tools");
        return e;
    }
    p->count++;
    p->tools += page->count;
    p->refused += page->refused_count;
    if (p->tools + p->refused > CATALOG_SERVER_MAX)
        return ERR_LIMIT;
    if (!page->has_cursor)
        return ERR_OK;
    if (p->count == HUB_PAGES_MAX || page->cursor.len > PARAMS_CURSOR_MAX)
        return ERR_LIMIT;
    (void)BUF_LIT(cursor, "{\"cursor\":");
    json_write_str(cursor, page->cursor);
    (void)buf_add_char(cursor, '}');
    return buf_ok(cursor) ? ERR_OK : ERR_NO_MEMORY;
}

static bool join(const struct hub_pages *p, struct tool_page *ret)
{
    struct tool *tools = ARENA_NEW(&p->offer->arena, struct tool, p->tools);
    struct tool_refused *refused =
        ARENA_NEW(&p->offer->arena, struct tool_refused, p->refused);
    if (tools == NULL || refused == NULL)
        return false;
    *ret = (struct tool_page){.tools = tools, .refused = refused};
    for (unsigned i = 0; i < p->count; i++) {
        const struct tool_page *from = &p->pages[i];
        for (size_t n = 0; n < from->count; n++)
            tools[ret->count++] = from->tools[n];
        for (size_t n = 0; n < from->refused_count; n++)
            refused[ret->refused_count++] = from->refused[n];
    }
    return true;
}

struct place {
    const struct tool *tool;
};

static int by_name(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;
    return str_compare(x->tool->name, y->tool->name);
}

/* Over the definitions in the order of names.  ERR_MALFORMED: one is there
 * twice, on two pages. */
static enum err digest(struct arena *a, const struct tool_page *page,
                       struct hash *ret)
{
    struct place *sorted = ARENA_NEW(a, struct place, page->count);
    struct hash_stream stream = {.open = false};
    if (sorted == NULL)
        return ERR_LIMIT;
    for (size_t i = 0; i < page->count; i++)
        sorted[i].tool = &page->tools[i];
    if (page->count > 1)
        qsort(sorted, page->count, sizeof(*sorted), by_name);
    hash_stream_begin(&stream, NULL);
    for (size_t i = 0; i < page->count; i++) {
        const struct tool *t = sorted[i].tool;
        if (i > 0 && str_eq(sorted[i - 1].tool->name, t->name)) {
            hash_stream_drop(&stream);
            return ERR_MALFORMED;
        }
        /* The name is in the definition. */
        hash_stream_add(&stream,
                        (struct str){(const char *)t->digest.bytes, HASH_LEN});
    }
    *ret = hash_stream_end(&stream);
    return ERR_OK;
}

enum err hub_pages_end(struct hub_pages *p, struct hub_offer **ret)
{
    struct offer *o = p->offer;
    enum err e = ERR_LIMIT;
    if (join(p, &o->page))
        e = digest(&o->arena, &o->page, &o->digest);
    if (e == ERR_OK) {
        *ret = &o->offer;
        p->offer = NULL;
    }
    hub_pages_free(p);
    return e;
}
