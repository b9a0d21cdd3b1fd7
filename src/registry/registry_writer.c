/* registry_writer.c - see registry_writer.h. */
#include "registry/registry_writer.h"

#include <assert.h>
#include <stdlib.h>

#include "registry/registry_entry.h"
#include "store/store.h"
#include "store/table_identity.h"
#include "store/table_identity_key.h"

enum {
    BATCH_ITEMS_MAX = 40,
    TRY_MS = 10000,
    PAUSE_FIRST_MS = 100,
    PAUSE_MAX_MS = 5000,
    PURPOSES_JSON_MAX = 16 * 1024,
};
static_assert(2 + BATCH_ITEMS_MAX * (2 + REGISTRY_KEYS_MAX) <=
                  STORE_STATEMENTS_MAX,
              "the claim of the index and all statements fit one batch");
static_assert(PURPOSES_JSON_MAX >=
                  REGISTRY_PURPOSES_MAX * (2 * REGISTRY_TEXT_MAX + 3) + 2,
              "a character takes two bytes at most");

struct registry_write {
    struct registry_write *next;
    struct registry_record *record; /* NULL: only a mark */
    int64_t index;                  /* -1: discovered */
    struct registry_put then;
    bool told;
};

static void flush(struct registry_writer *w);

static void on_turn_end(struct loop_hook *h)
{
    flush(CONTAINER_OF(h, struct registry_writer, hook));
}

enum err registry_writer_init(struct registry_writer *w, struct loop *l,
                              struct store *s, struct str node)
{
    *w = (struct registry_writer){.loop = l,
                                  .store = s,
                                  .sent_index = -1,
                                  .applied = -1,
                                  .pause_ms = PAUSE_FIRST_MS};
    if (node.len > REGISTRY_NODE_MAX)
        return ERR_LIMIT;
    struct buf name;
    buf_init_lent(&name, w->name, sizeof(w->name));
    (void)BUF_LIT(&name, "registry/");
    (void)buf_add(&name, node);
    assert(buf_ok(&name));
    w->name_len = name.len;
    w->hook.run = on_turn_end;
    loop_hook_add(l, &w->hook);
    return ERR_OK;
}

struct str registry_writer_name(const struct registry_writer *w)
{
    return (struct str){w->name, w->name_len};
}

void registry_writer_set_applied(struct registry_writer *w, int64_t index)
{
    w->applied = index;
}

static void push(struct registry_writes *to, struct registry_write *it)
{
    it->next = NULL;
    if (to->first == NULL)
        to->first = it;
    else
        to->last->next = it;
    to->last = it;
}

/* The first one, taken out; NULL: there is none. */
static struct registry_write *take_first(struct registry_writes *from)
{
    struct registry_write *it = from->first;
    if (it != NULL)
        from->first = it->next;
    return it;
}

static void item_free(struct registry_write *it)
{
    if (it->record != NULL)
        registry_record_unref(it->record);
    free(it);
}

static void free_all(struct registry_writes *items)
{
    struct registry_write *it;
    while ((it = take_first(items)) != NULL)
        item_free(it);
}

void registry_writer_release(struct registry_writer *w)
{
    store_call_cancel(w->call);
    w->call = NULL;
    timer_cancel(&w->timer);
    loop_hook_remove(&w->hook);
    free_all(&w->sent);
    free_all(&w->waiting);
}

/* ---- one batch ---- */

static enum err add_identity(struct store_batch *b,
                             const struct registry_entry *e, bool discovered)
{
    char room[PURPOSES_JSON_MAX] UNINITIALIZED;
    struct buf purposes;
    buf_init_lent(&purposes, room, sizeof(room));
    registry_entry_write_purposes(&purposes, e);
    assert(buf_ok(&purposes));
    const struct table_identity row = {
        .id = e->who.id,
        .kind = principal_kind_name(e->who.kind),
        .tenant = e->who.tenant,
        .issuer = e->who.issuer,
        .name = e->name,
        .owner = e->owner,
        .purposes = buf_str(&purposes),
        .mode = registry_mode_name(e->mode),
        .risk = (int64_t)e->risk,
        .state = registry_state_name(e->state),
        .created_us = e->created_us,
        .expires_us = e->expires_us,
        .revision = (int64_t)e->revision,
    };
    return discovered ? table_identity_add(b, &row)
                      : table_identity_put(b, &row);
}

static enum err add_keys(struct store_batch *b, const struct registry_entry *e)
{
    struct str kind = principal_kind_name(e->who.kind);
    enum err got = table_identity_key_clear(b, e->who.id, kind);
    for (unsigned i = 0; got == ERR_OK && i < e->key_count; i++) {
        const struct registry_key *k = &e->keys[i];
        const struct table_identity_key row = {{(const char *)k->hmac.bytes,
                                                sizeof(k->hmac.bytes)},
                                               e->who.id,
                                               kind,
                                               k->fingerprint,
                                               k->expires_us};
        got = table_identity_key_put(b, &row);
    }
    return got;
}

static enum err add_item(struct store_batch *b, const struct registry_write *it)
{
    if (it->record == NULL)
        return ERR_OK; /* the mark is all */
    const struct registry_entry *e = &it->record->entry;
    bool discovered = it->index < 0;
    enum err got = add_identity(b, e, discovered);
    return got == ERR_OK && !discovered ? add_keys(b, e) : got;
}

/*
 * What a put says twice is the same, and a discovery never replaces anything:
 * so a batch without a mark may be tried again as well, and one that has an
 * index out of order has none.
 */
static enum err fill(struct registry_writer *w, struct store_batch *b)
{
    enum err e = ERR_OK;
    if (w->sent_index > w->applied)
        e = store_batch_once(b, registry_writer_name(w), w->sent_index);
    for (const struct registry_write *it = w->sent.first;
         e == ERR_OK && it != NULL; it = it->next)
        e = add_item(b, it);
    return e;
}

static void take_some(struct registry_writer *w)
{
    for (unsigned n = 0; n < BATCH_ITEMS_MAX; n++) {
        struct registry_write *it = take_first(&w->waiting);
        if (it == NULL)
            return;
        if (it->record == NULL && w->held > 0) {
            w->count--;
            item_free(it); /* a mark that does not hold */
            continue;
        }
        push(&w->sent, it);
        if (it->index > w->sent_index && w->held == 0)
            w->sent_index = it->index;
    }
}

static void tell(struct registry_write *it, enum err e)
{
    if (it->told || it->then.stored == NULL)
        return;
    it->told = true;
    it->then.stored(it->then.user, e);
}

static void on_pause_over(struct timer *t)
{
    flush(CONTAINER_OF(t, struct registry_writer, timer));
}

static void on_failed(struct registry_writer *w)
{
    timer_set(w->loop, &w->timer, w->pause_ms, on_pause_over);
    w->pause_ms =
        w->pause_ms * 2 < PAUSE_MAX_MS ? w->pause_ms * 2 : PAUSE_MAX_MS;
    for (struct registry_write *it = w->sent.first; it != NULL; it = it->next)
        tell(it, ERR_STORE);
}

static void on_stored(struct registry_writer *w)
{
    w->pause_ms = PAUSE_FIRST_MS;
    if (w->sent_index > w->applied)
        w->applied = w->sent_index;
    w->sent_index = -1;
    struct registry_write *it;
    while ((it = take_first(&w->sent)) != NULL) {
        w->count--;
        tell(it, ERR_OK);
        item_free(it);
    }
    flush(w);
}

static void on_done(void *user, const struct store_result *r)
{
    struct registry_writer *w = user;
    w->call = NULL;
    if (r->err == ERR_OK)
        on_stored(w);
    else
        on_failed(w);
}

static void send(struct registry_writer *w)
{
    const struct store_ask ask = {NULL, on_done, w, TRY_MS};
    struct store_batch *b = NULL;
    enum err e = store_batch_new(&b);
    if (e == ERR_OK)
        e = fill(w, b);
    if (e == ERR_OK) {
        e = store_run(w->store, w->loop, b, &ask, &w->call);
        b = NULL; /* taken */
    }
    store_batch_free(b);
    if (e != ERR_OK) {
        w->call = NULL;
        on_failed(w);
    }
}

/* Nothing is written any more: what the store has applied has no gap. */
static void give_up(struct registry_writer *w)
{
    struct registry_write *it;
    while ((it = take_first(&w->waiting)) != NULL) {
        w->count--;
        tell(it, ERR_STORE);
        item_free(it);
    }
}

static void flush(struct registry_writer *w)
{
    if (w->call != NULL || timer_is_set(&w->timer))
        return;
    if (w->behind)
        give_up(w);
    else if (w->sent.first == NULL) /* a batch stays the same when repeated */
        take_some(w);
    if (w->sent.first != NULL)
        send(w);
}

enum err registry_writer_add(struct registry_writer *w,
                             struct registry_record *r, int64_t index,
                             const struct registry_put *then)
{
    struct registry_write *it = calloc(1, sizeof(*it));
    if (it == NULL)
        return ERR_NO_MEMORY;
    it->record = r == NULL ? NULL : registry_record_ref(r);
    it->index = index;
    if (then != NULL)
        it->then = *then;
    push(&w->waiting, it);
    w->count++;
    w->behind = w->behind || w->count > REGISTRY_WAITING_MAX;
    loop_hook_again(w->loop);
    return ERR_OK;
}
