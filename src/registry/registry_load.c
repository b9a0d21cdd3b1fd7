/*
 * registry_load.c - see registry_load.h.
 *
 * A batch's result is bounded, and one row may be large: a page that was too
 * large is asked for again in halves.
 */
#include "registry/registry_load.h"

#include <stdlib.h>

#include "registry/registry_entry.h"
#include "registry/registry_names.h"
#include "store/store.h"
#include "store/table_identity.h"
#include "store/table_identity_key.h"
#include "store/table_projection.h"

enum {
    PAGE_MAX = 4000,
    PAGE_MIN = 64,
    TIMEOUT_MS = 60000,
    PURPOSES_ARENA = 64 * 1024,
};
enum { STATEMENT_IDENTITIES, STATEMENT_KEYS, STATEMENT_PROJECTION };

struct registry_load {
    struct registry_load_plan plan;
    struct store_call *call;
    struct registry_record **records; /* heap; in the database's order */
    size_t count, room;
    int64_t applied;
    enum err err;
    const char *why;

    size_t page_start; /* index of the page's first record */
    int64_t page_max;
    size_t at; /* the record that the keys at hand are of */
    struct registry_key keys[REGISTRY_KEYS_MAX];
    char fingerprints[REGISTRY_KEYS_MAX][REGISTRY_FINGERPRINT_LEN];
    unsigned key_count;
};

static void ask_page(struct registry_load *l);

static void load_free(struct registry_load *l)
{
    for (size_t i = 0; i < l->count; i++)
        registry_record_unref(l->records[i]);
    free((void *)l->records);
    free(l);
}

static void end(struct registry_load *l, enum err e, struct str why)
{
    struct registry_loaded got = {.err = e, .why = why, .applied = l->applied};
    if (e == ERR_OK) {
        got.records = l->records;
        got.count = l->count;
        l->records = NULL;
        l->count = 0;
    }
    l->plan.done(l->plan.user, &got);
    load_free(l);
}

static void fail(struct registry_load *l, enum err e, const char *why)
{
    if (l->err == ERR_OK) {
        l->err = e;
        l->why = why;
    }
}

/* ---- rows ---- */

static bool make_room(struct registry_load *l)
{
    if (l->count < l->room)
        return true;
    size_t room = l->room == 0 ? PAGE_MAX : l->room * 2;
    struct registry_record **records = (struct registry_record **)
        realloc((void *)l->records, room * sizeof(struct registry_record *));
    if (records == NULL)
        return false;
    l->records = records;
    l->room = room;
    return true;
}

static bool read_row(const struct table_identity *row, struct arena *a,
                     struct registry_draft *ret)
{
    struct registry_entry *e = &ret->entry;
    const struct json *purposes;
    *e = (struct registry_entry){
        .who = {principal_kind_from(row->kind), row->issuer, row->id,
                row->tenant},
        .name = row->name,
        .owner = row->owner,
        .risk = (uint32_t)row->risk,
        .state = registry_state_from(row->state),
        .created_us = row->created_us,
        .expires_us = row->expires_us,
        .revision = (uint64_t)row->revision,
    };
    return row->risk >= 0 && row->risk <= UINT32_MAX && row->revision >= 0 &&
           registry_mode_from(row->mode, &e->mode) &&
           json_read(a, row->purposes, &purposes, NULL) == ERR_OK &&
           registry_entry_read_purposes(purposes, ret) &&
           registry_entry_fault(e) == NULL;
}

static void identity_row(struct registry_load *l,
                         const struct table_identity *row)
{
    struct registry_draft draft;
    struct arena a;
    arena_init(&a, PURPOSES_ARENA);
    if (!read_row(row, &a, &draft)) {
        fail(l, ERR_CORRUPT, "a row of table identity is no entry");
    } else {
        struct registry_record *r = NULL;
        if (make_room(l))
            r = registry_record_new(l->plan.seed, &draft.entry);
        if (r == NULL)
            fail(l, ERR_NO_MEMORY, "out of memory");
        else
            l->records[l->count++] = r;
    }
    arena_release(&a);
}

/* A record is made anew with its keys: it is one allocation. */
static void set_keys(struct registry_load *l)
{
    if (l->key_count == 0)
        return;
    struct registry_record *old = l->records[l->at];
    struct registry_entry e = old->entry;
    e.keys = l->keys;
    e.key_count = l->key_count;
    l->key_count = 0;
    if (registry_entry_fault(&e) != NULL) {
        fail(l, ERR_CORRUPT, "a row of table identity_key is no key");
        return;
    }
    struct registry_record *r = registry_record_new(l->plan.seed, &e);
    if (r == NULL) {
        fail(l, ERR_NO_MEMORY, "out of memory");
        return;
    }
    registry_record_unref(old);
    l->records[l->at] = r;
}

static bool is_of(const struct registry_record *r,
                  const struct table_identity_key *row)
{
    return str_eq(r->entry.who.id, row->id) &&
           str_eq(principal_kind_name(r->entry.who.kind), row->kind);
}

/* Keys come in the order of the identities. */
static void key_row(struct registry_load *l,
                    const struct table_identity_key *row)
{
    if (l->at < l->count && !is_of(l->records[l->at], row))
        set_keys(l);
    while (l->at < l->count && !is_of(l->records[l->at], row))
        l->at++;
    if (l->at == l->count || row->hmac.len != HASH_LEN ||
        row->fingerprint.len != REGISTRY_FINGERPRINT_LEN ||
        l->key_count == REGISTRY_KEYS_MAX) {
        fail(l, ERR_CORRUPT, "a row of table identity_key is no key");
        return;
    }
    char *fingerprint = l->fingerprints[l->key_count];
    struct registry_key *k = &l->keys[l->key_count++];
    memcpy(k->hmac.bytes, row->hmac.ptr, HASH_LEN);
    memcpy(fingerprint, row->fingerprint.ptr, REGISTRY_FINGERPRINT_LEN);
    k->fingerprint = (struct str){fingerprint, REGISTRY_FINGERPRINT_LEN};
    k->expires_us = row->expires_us;
}

static void on_row(void *user, size_t statement,
                   const struct store_value *columns, size_t n)
{
    struct registry_load *l = user;
    struct table_identity identity;
    struct table_identity_key key;
    struct table_projection projection;
    if (l->err != ERR_OK)
        return;
    if (statement == STATEMENT_IDENTITIES &&
        table_identity_read(columns, n, &identity))
        identity_row(l, &identity);
    else if (statement == STATEMENT_KEYS &&
             table_identity_key_read(columns, n, &key))
        key_row(l, &key);
    else if (statement == STATEMENT_PROJECTION &&
             table_projection_read(columns, n, &projection))
        l->applied = projection.applied;
    else
        fail(l, ERR_CORRUPT, "a table has other columns than expected");
}

/* ---- pages ---- */

static void on_done(void *user, const struct store_result *r)
{
    struct registry_load *l = user;
    l->call = NULL;
    if (r->outcome != STORE_DONE) {
        if (r->err == ERR_LIMIT && l->page_max > PAGE_MIN) {
            l->page_max /= 2;
            ask_page(l);
        } else {
            end(l, ERR_STORE, r->why);
        }
        return;
    }
    if (l->err == ERR_OK)
        set_keys(l);
    if (l->err != ERR_OK)
        end(l, l->err, str_from(l->why));
    else if (l->count - l->page_start < (size_t)l->page_max)
        end(l, ERR_OK, STR(""));
    else
        ask_page(l);
}

static enum err fill(const struct registry_load *l, struct store_batch *b)
{
    struct str id = {NULL, 0};
    struct str kind = {NULL, 0};
    if (l->count > 0) {
        const struct principal *last = &l->records[l->count - 1]->entry.who;
        id = last->id;
        kind = principal_kind_name(last->kind);
    }
    enum err e = table_identity_page(b, id, kind, l->page_max);
    if (e == ERR_OK)
        e = table_identity_key_page(b, id, kind, l->page_max);
    if (e == ERR_OK)
        e = table_projection_get(b, l->plan.projection);
    return e;
}

static enum err run_page(struct registry_load *l)
{
    const struct store_ask ask = {on_row, on_done, l, TIMEOUT_MS};
    struct store_batch *b = NULL;
    l->page_start = l->at = l->count;
    enum err e = store_batch_new(&b);
    if (e == ERR_OK)
        e = fill(l, b);
    if (e == ERR_OK)
        return store_run(l->plan.store, l->plan.loop, b, &ask, &l->call);
    store_batch_free(b);
    return e;
}

static void ask_page(struct registry_load *l)
{
    enum err e = run_page(l);
    if (e == ERR_OK)
        return;
    l->call = NULL;
    end(l, ERR_STORE, str_from(err_text(e)));
}

enum err registry_load_start(const struct registry_load_plan *plan,
                             struct registry_load **ret)
{
    struct registry_load *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return ERR_NO_MEMORY;
    l->plan = *plan;
    l->applied = TABLE_PROJECTION_NONE;
    l->page_max = PAGE_MAX;
    enum err e = run_page(l);
    if (e != ERR_OK) {
        load_free(l);
        return e;
    }
    *ret = l;
    return ERR_OK;
}

void registry_load_abandon(struct registry_load *l)
{
    if (l == NULL)
        return;
    store_call_cancel(l->call);
    load_free(l);
}
