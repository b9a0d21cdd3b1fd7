/*
 * tree.h - the Merkle tree of the log (RFC 6962 section 2.1, SHA-256).
 *
 * The tree is kept as its frontier: the roots of the complete subtrees that
 * its size in binary names, largest first.  That is all that appending and
 * computing the root need; 64 hashes at most.
 *
 * Pure; any thread.
 */
#ifndef LEDGER_TREE_H
#define LEDGER_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"
#include "crypto/hash.h"

enum { TREE_LEVELS = 64, TREE_PROOF_MAX = 63 };

struct tree {
    uint64_t size; /* leaves */
    /* level[i] is the subtree of 2^i leaves when bit i of `size` is set. */
    struct hash level[TREE_LEVELS];
};

/* The empty tree is {0}. */

struct hash tree_leaf(struct str entry); /* H(0x00 || entry) */
struct hash tree_node(const struct hash *left, const struct hash *right);

/* Appends a leaf; one inner node on average. */
void tree_add(struct tree *t, const struct hash *leaf);

/* The root; H("") for the empty tree. */
struct hash tree_root(const struct tree *t);

bool tree_equal(const struct tree *a, const struct tree *b);

/* How many subtrees the frontier of a tree of `size` has. */
unsigned tree_frontier_count(uint64_t size);

/* The frontier, largest subtree first, to `to`; returns how many. */
unsigned tree_frontier(const struct tree *t, struct hash to[TREE_LEVELS]);

/* The tree of `size` leaves from tree_frontier_count(size) hashes. */
struct tree tree_from_frontier(uint64_t size, const struct hash *hashes);

/* A proof as it is given to others: hashes from the leaf upwards. */
struct tree_proof {
    const struct hash *hashes;
    size_t count;
};

/* True when `leaf` is at `index` of the tree of `size` with `root`. */
MUST_CHECK bool tree_proves_inclusion(const struct hash *leaf, uint64_t index,
                                      uint64_t size, const struct hash *root,
                                      struct tree_proof proof);

/*
 * True when the tree of `old_size` with `old_root` is a prefix of that of
 * `new_size` with `new_root`.  The empty tree is nobody's prefix: a proof
 * from size 0 says nothing and is refused.
 */
MUST_CHECK bool tree_proves_prefix(uint64_t old_size,
                                   const struct hash *old_root,
                                   uint64_t new_size,
                                   const struct hash *new_root,
                                   struct tree_proof proof);

#endif
