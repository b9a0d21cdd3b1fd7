/*
 * hub_offer.c - what a server has told of itself and of its tools.
 *
 * Everything is in memory of its own: each page is written as text and read
 * again into it, since what a link reads lasts for one event.  What another
 * link was told in the same words is not read again.
 */
#include <assert.h>
#include <stdlib.h>

#include "mcp/catalog.h"
#include "mcp/hub_part.h"
#include "mcp/params.h"

struct offer {
    struct hub_offer offer; /* first: it is what users hold */
    _Atomic(unsigned) refs;
    struct arena arena;    /* of what it says of itself */
    struct hub_list *list; /* +1; shared with others once it is complete */
};

static_assert(offsetof(struct offer, offer) == 0, "offers are cast");

struct hub_pages {
    struct offer *offer;
    struct hub_list_set *set; /* NULL: none is shared */
    struct hash_stream text;  /* of all pages; open until the last one */
    struct hash key;
    bool has_key;  /* that was the last one */
    bool is_known; /* and all of it is what another link was told */
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
    hub_list_unref(it->list);
    arena_release(&it->arena);
    free(it);
}

/* It says nothing of other memory, so it needs no order. */
void hub_offer_settle(struct hub_offer *o, uint64_t catalog)
{
    atomic_store_explicit(&offer_of(o)->list->settled, catalog,
                          memory_order_relaxed);
}

bool hub_offer_is_settled(const struct hub_offer *o, uint64_t catalog)
{
    const struct offer *it = (const struct offer *)(const void *)o;
    return atomic_load_explicit(&it->list->settled, memory_order_relaxed) ==
           catalog;
}

const struct hash *hub_offer_digest(const struct hub_offer *o)
{
    return &((const struct offer *)(const void *)o)->list->digest;
}

static void take_list(struct offer *o, struct hub_list *l)
{
    hub_list_unref(o->list);
    o->list = l;
    o->offer.page = &l->page;
}

static struct offer *offer_new(unsigned has, struct str name,
                               struct str version, struct str instructions)
{
    struct offer *o = calloc(1, sizeof(*o));
    if (o == NULL)
        return NULL;
    struct hub_list *l = hub_list_new();
    if (l == NULL) {
        free(o);
        return NULL;
    }
    atomic_init(&o->refs, 1);
    arena_init(&o->arena, HUB_OFFER_BYTES_MAX);
    take_list(o, l);
    o->offer.has = has;
    if (!arena_copy(&o->arena, name, &o->offer.name) ||
        !arena_copy(&o->arena, version, &o->offer.version) ||
        !arena_copy(&o->arena, instructions, &o->offer.instructions)) {
        hub_offer_unref(&o->offer);
        return NULL;
    }
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

void hub_pages_share(struct hub_pages *p, struct hub_list_set *set,
                     struct str server)
{
    static const char nul[1] = {0}; /* in no name */

    p->set = set;
    hash_stream_begin(&p->text, NULL);
    hash_stream_add(&p->text, server);
    hash_stream_add(&p->text, (struct str){nul, 1});
}

void hub_pages_free(struct hub_pages *p)
{
    if (p == NULL)
        return;
    hash_stream_drop(&p->text);
    if (p->offer != NULL)
        hub_offer_unref(&p->offer->offer);
    free(p);
}

/* One more page, from its text. */
static enum err read_page(struct hub_pages *p, struct str text,
                          struct tool_page *page, struct str *why)
{
    struct arena *a = &p->offer->list->arena;
    struct fault fault = {.text = {NULL, 0}};
    const struct json *kept = NULL;
    enum err e = json_read(a, text, &kept, NULL);
    if (e != ERR_OK)
        return e;
    e = tool_read_page(a, kept, page, &fault);
    if (e != ERR_OK) {
        *why = fault.text.len > 0 ? fault.text : STR("not a list of tools");
        return e;
    }
    p->count++;
    p->tools += page->count;
    p->refused += page->refused_count;
    return p->tools + p->refused > CATALOG_SERVER_MAX ? ERR_LIMIT : ERR_OK;
}

/* The last page is there: was all of this read before? */
static bool find_known(struct hub_pages *p)
{
    p->key = hash_stream_end(&p->text);
    p->has_key = true;
    struct hub_list *l = hub_list_find(p->set, &p->key);
    if (l == NULL)
        return false;
    take_list(p->offer, l);
    return true;
}

static enum err add_page(struct hub_pages *p, const struct json *result,
                         struct str text, struct str *why)
{
    struct tool_page *page = &p->pages[p->count];

    if (p->set != NULL)
        hash_stream_add(&p->text, text);
    if (p->set != NULL && json_get(result, STR("nextCursor")) == NULL)
        p->is_known = find_known(p);
    return p->is_known ? ERR_OK : read_page(p, text, page, why);
}

/* What to ask for, where there is more. */
static enum err write_cursor(const struct hub_pages *p, struct buf *cursor)
{
    const struct tool_page *page = &p->pages[p->count - 1];

    if (!page->has_cursor)
        return ERR_OK;
    if (p->count == HUB_PAGES_MAX || page->cursor.len > PARAMS_CURSOR_MAX)
        return ERR_LIMIT;
    (void)BUF_LIT(cursor, "{\"cursor\":");
    json_write_str(cursor, page->cursor);
    (void)buf_add_char(cursor, '}');
    return buf_ok(cursor) ? ERR_OK : ERR_NO_MEMORY;
}

enum err hub_pages_add(struct hub_pages *p, const struct json *result,
                       struct buf *cursor, struct str *why)
{
    struct buf text;

    buf_clear(cursor);
    *why = STR("the server lists too many tools");
    buf_init(&text, HUB_OFFER_BYTES_MAX);
    json_write(&text, result, NULL, 0);
    enum err e =
        buf_ok(&text) ? add_page(p, result, buf_str(&text), why) : ERR_LIMIT;
    buf_release(&text);
    return e == ERR_OK && !p->is_known ? write_cursor(p, cursor) : e;
}

static bool join(const struct hub_pages *p, struct tool_page *ret)
{
    struct arena *a = &p->offer->list->arena;
    struct tool *tools = ARENA_NEW(a, struct tool, p->tools);
    struct tool_refused *refused =
        ARENA_NEW(a, struct tool_refused, p->refused);
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
    struct hub_list *l = p->offer->list;
    enum err e = p->is_known ? ERR_OK : ERR_LIMIT;
    if (!p->is_known && join(p, &l->page))
        e = digest(&l->arena, &l->page, &l->digest);
    if (e == ERR_OK && p->has_key && !p->is_known)
        hub_list_share(p->set, l, &p->key);
    if (e == ERR_OK) {
        *ret = &p->offer->offer;
        p->offer = NULL;
    }
    hub_pages_free(p);
    return e;
}
