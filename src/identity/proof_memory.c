/*
 * proof_memory.c - one piece of memory a proof: the struct, the arrays of
 * groups, the texts.  Each str is visited twice by the same walk, first to
 * count and then to copy, so that no field can be forgotten in one of them.
 */
#include "identity/proof_memory.h"

#include <assert.h>
#include <stdlib.h>

#include "base/container.h"
#include "base/text.h"

struct kept {
    size_t size; /* of everything */
    struct proof proof;
};

struct walk {
    char *to; /* NULL: only counts */
    size_t used;
};

static void visit(struct walk *w, struct str *s)
{
    if (w->to != NULL && s->len > 0) {
        memcpy(w->to + w->used, s->ptr, s->len);
        s->ptr = w->to + w->used;
    }
    w->used += s->len;
}

static void visit_principal(struct walk *w, struct principal *p)
{
    visit(w, &p->issuer);
    visit(w, &p->id);
    visit(w, &p->tenant);
}

/* `groups` is where the copies of the structs go; NULL: only counts. */
static void visit_groups(struct walk *w, struct link *l, struct str *groups)
{
    for (size_t i = 0; i < l->group_count; i++) {
        struct str name = l->groups[i];
        visit(w, &name);
        if (groups != NULL)
            groups[i] = name;
    }
    if (groups != NULL)
        l->groups = groups;
}

static void visit_all(struct walk *w, struct proof *p, struct str *groups)
{
    visit(w, &p->tenant);
    for (unsigned i = 0; i < p->chain.count; i++) {
        struct link *l = &p->chain.links[i];
        visit_principal(w, &l->who);
        visit(w, &l->credential);
        visit(w, &l->acr);
        visit_groups(w, l, groups);
        if (groups != NULL)
            groups += l->group_count;
    }
    for (unsigned i = 0; i < p->chain.history_count; i++)
        visit(w, &p->chain.history[i]);
}

static size_t count_groups(const struct chain *c)
{
    size_t n = 0;
    for (unsigned i = 0; i < c->count; i++)
        n += c->links[i].group_count;
    return n;
}

struct proof *proof_memory_new(const struct proof *draft)
{
    struct proof copy = *draft;
    struct walk w = {NULL, 0};
    visit_all(&w, &copy, NULL);

    size_t groups_size = count_groups(&draft->chain) * sizeof(struct str);
    size_t size = sizeof(struct kept) + groups_size + w.used;
    struct kept *k = calloc(1, size);
    if (k == NULL)
        return NULL;
    static_assert(sizeof(struct kept) % _Alignof(struct str) == 0,
                  "groups follow the struct");
    struct str *groups = (struct str *)(void *)(k + 1);
    size_t texts = w.used;
    w = (struct walk){(char *)(k + 1) + groups_size, 0};
    visit_all(&w, &copy, groups);
    assert(w.used == texts);

    k->size = size;
    k->proof = copy;
    k->proof.refs = 1;
    return &k->proof;
}

void proof_memory_free(struct proof *p)
{
    struct kept *k = CONTAINER_OF(p, struct kept, proof);
    hash_wipe(k, k->size);
    free(k);
}

void proof_memory_fingerprint(struct str credential,
                              char to[PROOF_FINGERPRINT_LEN])
{
    struct hash h = hash_sha256(&credential, 1);
    text_hex(h.bytes, PROOF_FINGERPRINT_LEN / 2, to);
}

enum link_role proof_memory_role(enum principal_kind kind)
{
    switch (kind) {
    case PRINCIPAL_USER:
        return LINK_SUBJECT;
    case PRINCIPAL_APPLICATION:
        return LINK_APPLICATION;
    case PRINCIPAL_AGENT:
        return LINK_ACTOR;
    case PRINCIPAL_WORKLOAD:
        return LINK_PRESENTER;
    case PRINCIPAL_NONE:
        break;
    }
    return LINK_NONE;
}
