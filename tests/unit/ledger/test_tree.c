/* Tests ledger/tree against RFC 6962's reference tree and the proofs of the
 * transparency-dev vectors; all sizes up to 70 against the plain recursion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <sys/stat.h>

#include "base/text.h"
#include "codec/json.h"
#include "fixture.h"
#include "ledger/tree.h"

enum { SIZES = 70, TEXT_ARENA = 1 << 20 };

static bool same(const struct hash *a, const struct hash *b)
{
    return memcmp(a->bytes, b->bytes, HASH_LEN) == 0;
}

static void test_reference_tree(void **state)
{
    (void)state;
    static const struct {
        struct str leaf;
        const char *root; /* of the tree with that leaf */
    } steps[] = {
        {STR_INIT(""),
         "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
        {STR_INIT("\x00"),
         "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
        {STR_INIT("\x10"),
         "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
        {STR_INIT("\x20\x21"),
         "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
        {STR_INIT("\x30\x31"),
         "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
        {STR_INIT("\x40\x41\x42\x43"),
         "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
        {STR_INIT("\x50\x51\x52\x53\x54\x55\x56\x57"),
         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
        {STR_INIT("\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d"
                  "\x6e\x6f"),
         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
    };
    struct tree t = {0};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct hash leaf = tree_leaf(steps[i].leaf);
        tree_add(&t, &leaf);
        struct hash root = tree_root(&t);
        char hex[TEXT_HEX_LEN(HASH_LEN)];
        text_hex(root.bytes, HASH_LEN, hex);
        assert_memory_equal(hex, steps[i].root, sizeof(hex));
    }
    assert_int_equal(t.size, 8);
}

/* RFC 6962 section 2.1, word for word. */
static uint64_t split(uint64_t n)
{
    uint64_t k = 1;
    while (k * 2 < n)
        k *= 2;
    return k;
}

static struct hash mth(const struct hash *leaves, uint64_t n)
{
    if (n == 0)
        return hash_sha256(NULL, 0);
    if (n == 1)
        return leaves[0];
    uint64_t k = split(n);
    struct hash left = mth(leaves, k);
    struct hash right = mth(leaves + k, n - k);
    return tree_node(&left, &right);
}

static size_t path(uint64_t m, const struct hash *leaves, uint64_t n,
                   struct hash *to)
{
    if (n == 1)
        return 0;
    uint64_t k = split(n);
    size_t len =
        m < k ? path(m, leaves, k, to) : path(m - k, leaves + k, n - k, to);
    to[len] = m < k ? mth(leaves + k, n - k) : mth(leaves, k);
    return len + 1;
}

static size_t subproof(uint64_t m, const struct hash *leaves, uint64_t n,
                       bool whole, struct hash *to)
{
    if (m == n) {
        if (!whole)
            to[0] = mth(leaves, n);
        return whole ? 0 : 1;
    }
    uint64_t k = split(n);
    size_t len = m <= k ? subproof(m, leaves, k, whole, to)
                        : subproof(m - k, leaves + k, n - k, false, to);
    to[len] = m <= k ? mth(leaves + k, n - k) : mth(leaves, k);
    return len + 1;
}

static void make_leaves(struct hash *leaves)
{
    for (unsigned i = 0; i < SIZES; i++) {
        char text[16];
        int len = snprintf(text, sizeof(text), "leaf %u", i);
        leaves[i] = tree_leaf((struct str){text, (size_t)len});
    }
}

static void test_roots_and_frontiers_up_to_70(void **state)
{
    (void)state;
    struct hash leaves[SIZES];
    make_leaves(leaves);
    struct tree t = {0};
    for (uint64_t n = 0; n < SIZES; n++) {
        struct hash root = tree_root(&t);
        struct hash plain = mth(leaves, n);
        assert_true(same(&root, &plain));

        struct hash frontier[TREE_LEVELS];
        assert_int_equal(tree_frontier(&t, frontier), tree_frontier_count(n));
        struct tree copy = tree_from_frontier(n, frontier);
        assert_true(tree_equal(&t, &copy));
        tree_add(&copy, &leaves[0]);
        assert_false(tree_equal(&t, &copy));
        tree_add(&t, &leaves[n]);
        assert_true(n == 0 || !tree_equal(&t, &copy));
    }
}

static void test_every_inclusion_proof_up_to_70(void **state)
{
    (void)state;
    struct hash leaves[SIZES];
    struct hash hashes[TREE_PROOF_MAX + 1];
    make_leaves(leaves);
    for (uint64_t n = 1; n <= SIZES; n++) {
        struct hash root = mth(leaves, n);
        for (uint64_t i = 0; i < n; i++) {
            struct tree_proof p = {hashes, path(i, leaves, n, hashes)};
            assert_true(tree_proves_inclusion(&leaves[i], i, n, &root, p));
            assert_false(tree_proves_inclusion(&leaves[i], n, n, &root, p));
            assert_false(tree_proves_inclusion(&leaves[(i + 1) % SIZES], i, n,
                                               &root, p));
            if (n > 1) {
                uint64_t other = (i + 1) % n;
                assert_false(
                    tree_proves_inclusion(&leaves[i], other, n, &root, p));
                hashes[0].bytes[7] ^= 1;
                assert_false(tree_proves_inclusion(&leaves[i], i, n, &root, p));
            }
            p.count++; /* something left over */
            assert_false(tree_proves_inclusion(&leaves[i], i, n, &root, p));
        }
    }
}

static void test_every_prefix_proof_up_to_70(void **state)
{
    (void)state;
    struct hash leaves[SIZES];
    struct hash hashes[TREE_PROOF_MAX + 1];
    make_leaves(leaves);
    for (uint64_t n = 1; n <= SIZES; n++) {
        struct hash root = mth(leaves, n);
        for (uint64_t m = 1; m <= n; m++) {
            struct hash old = mth(leaves, m);
            struct tree_proof p = {hashes,
                                   subproof(m, leaves, n, true, hashes)};
            assert_true(tree_proves_prefix(m, &old, n, &root, p));
            assert_false(tree_proves_prefix(m, &leaves[3], n, &root, p));
            if (m == n)
                continue;
            assert_false(tree_proves_prefix(n, &root, m, &old, p));
            assert_false(tree_proves_prefix(m, &old, n, &old, p));
            assert_false(tree_proves_prefix(0, &old, n, &root, p));
            p.count--;
            assert_false(tree_proves_prefix(m, &old, n, &root, p));
        }
    }
}

/* What the vectors' files say, one at a time. */
struct vector {
    struct str path, text;
    const struct json *root;
};

static bool get_size(const struct vector *v, const char *name, uint64_t *ret)
{
    int64_t n;
    if (!json_i64(json_get(v->root, str_from(name)), &n))
        return false; /* over 2^63: no tree has that size */
    *ret = (uint64_t)n;
    return n >= 0;
}

static bool get_hash(const struct json *value, struct hash *ret)
{
    struct str text;
    char bytes[256];
    size_t n;
    if (!json_str(value, &text) || text.len > sizeof(bytes) ||
        !text_unbase64(text, bytes, &n) || n == 0 || n > HASH_LEN)
        return false;
    /* Some roots are words like "don't care 1", which are to be equal. */
    *ret = (struct hash){0};
    memcpy(ret->bytes, bytes, n);
    return true;
}

static bool get_proof(const struct vector *v, struct hash *room,
                      struct tree_proof *ret)
{
    const struct json *list = json_get(v->root, STR("proof"));
    size_t n = json_count(list);
    if (n > TREE_PROOF_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!get_hash(json_at(list, i), &room[i]))
            return false;
    }
    *ret = (struct tree_proof){room, n};
    return true;
}

static bool check_inclusion(const struct vector *v)
{
    struct hash room[TREE_PROOF_MAX];
    struct hash leaf;
    struct hash root;
    struct tree_proof proof;
    uint64_t index;
    uint64_t size;
    return get_size(v, "leafIdx", &index) && get_size(v, "treeSize", &size) &&
           get_hash(json_get(v->root, STR("leafHash")), &leaf) &&
           get_hash(json_get(v->root, STR("root")), &root) &&
           get_proof(v, room, &proof) &&
           tree_proves_inclusion(&leaf, index, size, &root, proof);
}

static bool check_prefix(const struct vector *v)
{
    struct hash room[TREE_PROOF_MAX];
    struct hash old_root;
    struct hash new_root;
    struct tree_proof proof;
    uint64_t old_size;
    uint64_t new_size;
    return get_size(v, "size1", &old_size) && get_size(v, "size2", &new_size) &&
           get_hash(json_get(v->root, STR("root1")), &old_root) &&
           get_hash(json_get(v->root, STR("root2")), &new_root) &&
           get_proof(v, room, &proof) &&
           tree_proves_prefix(old_size, &old_root, new_size, &new_root, proof);
}

/* nftw(3) has no argument for its callback. */
static unsigned good_vectors;
static unsigned bad_vectors;

static int check_vector(const char *path, const struct stat *st, int type,
                        struct FTW *where)
{
    (void)st;
    (void)where;
    bool inclusion = strstr(path, "/inclusion/") != NULL;
    if (type != FTW_F || (!inclusion && strstr(path, "/consistency/") == NULL))
        return 0;
    struct arena a;
    arena_init(&a, TEXT_ARENA);
    struct fixture_file f = fixture_read(path);
    struct vector v = {.path = str_from(path), .text = {f.bytes, f.len}};
    assert_int_equal(json_read(&a, v.text, &v.root, NULL), ERR_OK);
    bool refused;
    assert_true(json_bool(json_get(v.root, STR("wantErr")), &refused));
    bool proven = inclusion ? check_inclusion(&v) : check_prefix(&v);
    if (proven == refused)
        fail_msg("%s", path);
    good_vectors += proven;
    bad_vectors += !proven;
    free(f.bytes);
    arena_release(&a);
    return 0;
}

static void test_the_proofs_that_others_wrote(void **state)
{
    struct fixture *x = *state;
    if (!fixture_unpack(x, "vectors/merkle"))
        skip();
    assert_int_equal(nftw(x->dir, check_vector, 16, FTW_PHYS), 0);
    print_message("  %u proofs hold, %u are refused\n", good_vectors,
                  bad_vectors);
    assert_true(good_vectors >= 10 && bad_vectors >= 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference_tree),
        cmocka_unit_test(test_roots_and_frontiers_up_to_70),
        cmocka_unit_test(test_every_inclusion_proof_up_to_70),
        cmocka_unit_test(test_every_prefix_proof_up_to_70),
        FIXTURE_TEST(test_the_proofs_that_others_wrote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
