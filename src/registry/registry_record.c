/*
 * registry_record.c - see registry_record.h.
 *
 * A million of these are kept, so that texts which are part of the id (most
 * names, issuers and tenants are) point into it.
 */
#include "registry/registry_record.h"

#include <assert.h>
#include <stdlib.h>

uint64_t registry_record_hash(struct siphash_key seed, enum principal_kind kind,
                              struct str id)
{
    seed.k0 ^= (uint64_t)kind;
    return siphash(seed, id);
}

/* Where in `id` the text `s` stands at the start or end, or NULL. */
static const char *part_of(struct str id, struct str s)
{
    if (s.len > id.len || s.len == 0)
        return NULL;
    if (memcmp(id.ptr, s.ptr, s.len) == 0)
        return id.ptr;
    const char *tail = id.ptr + id.len - s.len;
    return memcmp(tail, s.ptr, s.len) == 0 ? tail : NULL;
}

/* Counts while `at` is NULL, else copies. */
struct packer {
    char *at;
    size_t bytes;
    struct str id;
};

static void pack(struct packer *p, struct str *s)
{
    const char *shared = part_of(p->id, *s);
    if (s->len == 0) {
        *s = (struct str){NULL, 0};
    } else if (shared != NULL) {
        s->ptr = shared;
    } else if (p->at == NULL) {
        p->bytes += s->len;
    } else {
        memcpy(p->at, s->ptr, s->len);
        s->ptr = p->at;
        p->at += s->len;
    }
}

/* All texts of `e` but the id; keys and purposes are its own already. */
static void pack_texts(struct packer *p, struct registry_entry *e,
                       struct str *purposes, struct registry_key *keys)
{
    pack(p, &e->who.issuer);
    pack(p, &e->who.tenant);
    pack(p, &e->name);
    pack(p, &e->owner);
    for (unsigned i = 0; i < e->purpose_count; i++)
        pack(p, &purposes[i]);
    for (unsigned i = 0; i < e->key_count; i++)
        pack(p, &keys[i].fingerprint);
}

struct registry_record *registry_record_new(struct siphash_key seed,
                                            const struct registry_entry *from)
{
    assert(from->purpose_count <= REGISTRY_PURPOSES_MAX &&
           from->key_count <= REGISTRY_KEYS_MAX && from->who.id.len > 0);
    struct registry_entry e = *from;
    if (e.who.kind == PRINCIPAL_USER)
        e.owner = e.who.id;
    if (e.who.kind != PRINCIPAL_AGENT)
        e.mode = REGISTRY_BOTH;
    struct str purposes[REGISTRY_PURPOSES_MAX] = {0};
    struct registry_key keys[REGISTRY_KEYS_MAX] = {0};
    size_t purposes_size = e.purpose_count * sizeof(purposes[0]);
    size_t keys_size = e.key_count * sizeof(keys[0]);
    if (purposes_size > 0)
        memcpy(purposes, e.purposes, purposes_size);
    if (keys_size > 0)
        memcpy(keys, e.keys, keys_size);

    struct packer p = {.bytes = e.who.id.len, .id = e.who.id};
    struct registry_entry counted = e;
    pack_texts(&p, &counted, purposes, keys);

    struct registry_record *r =
        malloc(sizeof(*r) + keys_size + purposes_size + p.bytes);
    if (r == NULL)
        return NULL;
    struct registry_key *own_keys = (struct registry_key *)(void *)(r + 1);
    struct str *own_purposes = (struct str *)(void *)(own_keys + e.key_count);
    p.at = (char *)(own_purposes + e.purpose_count);
    memcpy(p.at, e.who.id.ptr, e.who.id.len);
    e.who.id.ptr = p.at;
    p.id = e.who.id;
    p.at += e.who.id.len;
    if (purposes_size > 0)
        memcpy(own_purposes, from->purposes, purposes_size);
    if (keys_size > 0)
        memcpy(own_keys, from->keys, keys_size);
    pack_texts(&p, &e, own_purposes, own_keys);
    e.purposes = own_purposes;
    e.keys = own_keys;

    atomic_init(&r->refs, 1);
    r->hash = registry_record_hash(seed, e.who.kind, e.who.id);
    r->entry = e;
    return r;
}

struct registry_record *registry_record_ref(struct registry_record *r)
{
    (void)atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
    return r;
}

void registry_record_unref(struct registry_record *r)
{
    if (r != NULL &&
        atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) == 1)
        free(r);
}

bool registry_record_same_keys(const struct registry_entry *a,
                               const struct registry_entry *b)
{
    if (a->key_count != b->key_count)
        return false;
    for (unsigned i = 0; i < a->key_count; i++) {
        const struct registry_key *x = &a->keys[i];
        const struct registry_key *y = &b->keys[i];
        if (memcmp(&x->hmac, &y->hmac, sizeof(x->hmac)) != 0 ||
            !str_eq(x->fingerprint, y->fingerprint) ||
            x->expires_us != y->expires_us)
            return false;
    }
    return true;
}

bool registry_record_same(const struct registry_entry *a,
                          const struct registry_entry *b)
{
    if (a->purpose_count != b->purpose_count)
        return false;
    for (unsigned i = 0; i < a->purpose_count; i++) {
        if (!str_eq(a->purposes[i], b->purposes[i]))
            return false;
    }
    return a->who.kind == b->who.kind && str_eq(a->who.id, b->who.id) &&
           str_eq(a->who.issuer, b->who.issuer) &&
           str_eq(a->who.tenant, b->who.tenant) && str_eq(a->name, b->name) &&
           str_eq(a->owner, b->owner) && a->mode == b->mode &&
           a->risk == b->risk && a->state == b->state &&
           a->created_us == b->created_us && a->expires_us == b->expires_us &&
           a->revision == b->revision && registry_record_same_keys(a, b);
}

int registry_record_compare(const struct registry_record *a,
                            const struct registry_record *b)
{
    int by_id = str_compare(a->entry.who.id, b->entry.who.id);
    return by_id != 0 ? by_id : (int)a->entry.who.kind - (int)b->entry.who.kind;
}
