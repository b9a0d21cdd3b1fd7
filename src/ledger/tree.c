/* tree.c - see tree.h. */
#include "ledger/tree.h"

#include <string.h>

static struct str hash_str(const struct hash *h)
{
    return (struct str){(const char *)h->bytes, HASH_LEN};
}

struct hash tree_leaf(struct str entry)
{
    const struct str pieces[] = {{"\0", 1}, entry};
    return hash_sha256(pieces, ARRAY_LEN(pieces));
}

struct hash tree_node(const struct hash *left, const struct hash *right)
{
    char bytes[1 + 2 * HASH_LEN] = {1};
    memcpy(bytes + 1, left->bytes, HASH_LEN);
    memcpy(bytes + 1 + HASH_LEN, right->bytes, HASH_LEN);
    const struct str whole = {bytes, sizeof(bytes)};
    return hash_sha256(&whole, 1);
}

static bool hash_equal(const struct hash *a, const struct hash *b)
{
    return str_eq(hash_str(a), hash_str(b));
}

/* Binary increment: a carry joins two subtrees of one size. */
void tree_add(struct tree *t, const struct hash *leaf)
{
    struct hash h = *leaf;
    unsigned i = 0;
    for (uint64_t left = t->size; (left & 1) != 0; left >>= 1) {
        h = tree_node(&t->level[i], &h);
        i++;
    }
    t->level[i] = h;
    t->size++;
}

struct hash tree_root(const struct tree *t)
{
    if (t->size == 0)
        return hash_sha256(NULL, 0);
    unsigned i = (unsigned)__builtin_ctzll(t->size);
    struct hash h = t->level[i];
    for (i++; i < TREE_LEVELS; i++) {
        if ((t->size >> i & 1) != 0)
            h = tree_node(&t->level[i], &h);
    }
    return h;
}

bool tree_equal(const struct tree *a, const struct tree *b)
{
    if (a->size != b->size)
        return false;
    for (unsigned i = 0; i < TREE_LEVELS; i++) {
        if ((a->size >> i & 1) != 0 && !hash_equal(&a->level[i], &b->level[i]))
            return false;
    }
    return true;
}

unsigned tree_frontier_count(uint64_t size)
{
    return (unsigned)__builtin_popcountll(size);
}

unsigned tree_frontier(const struct tree *t, struct hash to[TREE_LEVELS])
{
    unsigned n = 0;
    for (unsigned i = TREE_LEVELS; i-- > 0;) {
        if ((t->size >> i & 1) != 0)
            to[n++] = t->level[i];
    }
    return n;
}

struct tree tree_from_frontier(uint64_t size, const struct hash *hashes)
{
    struct tree t = {.size = size};
    for (unsigned i = TREE_LEVELS; i-- > 0;) {
        if ((size >> i & 1) != 0)
            t.level[i] = *hashes++;
    }
    return t;
}

/*
 * A walk from a node up to the root, as RFC 9162 sections 2.1.3.2 and 2.1.4.2
 * do it: `at` is the node's number on its level, `last` that of the level's
 * last one.
 */
struct walk {
    uint64_t at;
    uint64_t last;
};

/* True when the next sibling stands to the left of where we are. */
static bool sibling_is_left(const struct walk *w)
{
    return (w->at & 1) != 0 || w->at == w->last;
}

/* One level up; after a left sibling also past the levels where the last
 * node has none. */
static void step_up(struct walk *w)
{
    if (sibling_is_left(w)) {
        while ((w->at & 1) == 0 && w->at != 0) {
            w->at >>= 1;
            w->last >>= 1;
        }
    }
    w->at >>= 1;
    w->last >>= 1;
}

bool tree_proves_inclusion(const struct hash *leaf, uint64_t index,
                           uint64_t size, const struct hash *root,
                           struct tree_proof proof)
{
    if (index >= size || proof.count > TREE_PROOF_MAX)
        return false;
    struct walk w = {index, size - 1};
    struct hash h = *leaf;
    for (size_t i = 0; i < proof.count; i++) {
        if (w.last == 0)
            return false;
        h = sibling_is_left(&w) ? tree_node(&proof.hashes[i], &h)
                                : tree_node(&h, &proof.hashes[i]);
        step_up(&w);
    }
    return w.last == 0 && hash_equal(&h, root);
}

bool tree_proves_prefix(uint64_t old_size, const struct hash *old_root,
                        uint64_t new_size, const struct hash *new_root,
                        struct tree_proof proof)
{
    if (old_size == 0 || old_size > new_size || proof.count > TREE_PROOF_MAX)
        return false;
    if (old_size == new_size)
        return proof.count == 0 && hash_equal(old_root, new_root);

    struct walk w = {old_size - 1, new_size - 1};
    while ((w.at & 1) != 0) {
        w.at >>= 1;
        w.last >>= 1;
    }
    /* An old tree of a power of two is a node itself: the proof omits it. */
    size_t i = 0;
    struct hash start = *old_root;
    if ((old_size & (old_size - 1)) != 0) {
        if (proof.count == 0)
            return false;
        start = proof.hashes[i++];
    }
    struct hash from_old = start;
    struct hash from_new = start;
    for (; i < proof.count; i++) {
        const struct hash *c = &proof.hashes[i];
        if (w.last == 0)
            return false;
        if (sibling_is_left(&w)) {
            from_old = tree_node(c, &from_old);
            from_new = tree_node(c, &from_new);
        } else {
            from_new = tree_node(&from_new, c);
        }
        step_up(&w);
    }
    return w.last == 0 && hash_equal(&from_old, old_root) &&
           hash_equal(&from_new, new_root);
}
