/* segment.c - see segment.h. */
#include "ledger/segment.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/num.h"
#include "ledger/be.h"

#define MAGIC "WRITSEG1"
#define SEAL_MAGIC "WRITEND1"
#define SUFFIX ".seg"

/* Offsets in the header. */
enum {
    MAGIC_LEN = 8,
    AT_VERSION = 8,
    AT_LEN = 12,
    AT_FIRST = 16,
    AT_CREATED = 24,
    AT_NODE_LEN = 32,
    AT_STATE_LEN = 36,
    AT_ZERO = 40,
    AT_NODE = 48,
};

enum { TRAILER_LEN = 8 + MAGIC_LEN, INDEX_LEN = 8 };

static_assert(SEGMENT_HEADER_MAX % SEGMENT_BLOCK == 0, "whole blocks");

void segment_name(uint64_t first_index, char to[SEGMENT_NAME_LEN + 1])
{
    (void)snprintf(to, SEGMENT_NAME_LEN + 1, "%020" PRIu64 SUFFIX, first_index);
}

bool segment_name_index(struct str name, uint64_t *ret)
{
    return name.len == SEGMENT_NAME_LEN &&
           str_eq(str_skip(name, SEGMENT_NAME_LEN - strlen(SUFFIX)),
                  STR(SUFFIX)) &&
           num_u64(str_first(name, SEGMENT_NAME_LEN - strlen(SUFFIX)),
                   UINT64_MAX, ret);
}

/* A growing array of indices. */
struct found {
    uint64_t *at;
    size_t count, room;
};

static enum err found_add(struct found *f, uint64_t index)
{
    if (f->count == f->room) {
        size_t room = f->room == 0 ? 64 : f->room * 2;
        uint64_t *at = realloc(f->at, room * sizeof(*at));
        if (at == NULL)
            return ERR_NO_MEMORY;
        f->at = at;
        f->room = room;
    }
    f->at[f->count++] = index;
    return ERR_OK;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* One name of the folder: a segment, something else, or a forgery. */
static enum err sort_out(struct found *f, struct str name,
                         struct segment_trouble *trouble)
{
    size_t suffix = strlen(SUFFIX);
    if (name.len < suffix ||
        !str_eq(str_skip(name, name.len - suffix), STR(SUFFIX)))
        return ERR_OK;
    uint64_t index;
    if (segment_name_index(name, &index))
        return found_add(f, index);
    *trouble = (struct segment_trouble){
        .what = "a file with a name that no segment has"};
    memcpy(trouble->file, name.ptr,
           name.len < SEGMENT_NAME_LEN ? name.len : SEGMENT_NAME_LEN);
    return ERR_CORRUPT;
}

enum err segment_list(int dir, uint64_t **ret, size_t *ret_count,
                      struct segment_trouble *trouble)
{
    enum err e = ERR_IO;
    struct found f = {0};
    DIR *d = NULL;
    /* A description of its own: reading moves its position. */
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        goto out;
    d = fdopendir(fd);
    if (d == NULL)
        goto out;
    fd = -1; /* moved into d */

    for (;;) {
        errno = 0;
        /* One thread reads this stream. NOLINTNEXTLINE(*-mt-unsafe) */
        const struct dirent *it = readdir(d);
        if (it == NULL)
            break;
        e = sort_out(&f, str_from(it->d_name), trouble);
        if (e != ERR_OK)
            goto out;
    }
    e = ERR_IO;
    if (errno != 0)
        goto out;
    if (f.count > 1)
        qsort(f.at, f.count, sizeof(*f.at), compare);
    *ret = f.at;
    *ret_count = f.count;
    f.at = NULL; /* moved */
    e = ERR_OK;
out:
    free(f.at);
    if (d != NULL)
        (void)closedir(d);
    if (fd >= 0)
        (void)close(fd);
    return e;
}

static size_t state_len(uint64_t tree_size, size_t open_count)
{
    return INDEX_LEN + (size_t)tree_frontier_count(tree_size) * HASH_LEN + 4 +
           open_count * INDEX_LEN;
}

/* Tree size, frontier, number of open intents, their indices. */
static void put_state(struct buf *to, const struct tree *t,
                      const struct intents *open)
{
    char *at = buf_space(to, state_len(t->size, open->count));
    if (at == NULL)
        return;
    buf_added(to, state_len(t->size, open->count));
    be_put_u64(at, t->size);
    at += INDEX_LEN;
    struct hash hashes[TREE_LEVELS];
    unsigned n = tree_frontier(t, hashes);
    memcpy(at, hashes, (size_t)n * HASH_LEN);
    at += (size_t)n * HASH_LEN;
    be_put_u32(at, (uint32_t)open->count);
    at += 4;

    /* Sorted by the set's own array, then turned round in place. */
    uint64_t *sorted = calloc(open->count + 1, sizeof(*sorted));
    if (sorted == NULL) {
        to->failed = true;
        return;
    }
    intents_sorted(open, sorted);
    for (size_t i = 0; i < open->count; i++)
        be_put_u64(at + i * INDEX_LEN, sorted[i]);
    free(sorted);
}

enum err segment_state_hash(const struct tree *t, const struct intents *open,
                            struct hash *ret)
{
    struct buf bytes;
    buf_init(&bytes, SEGMENT_HEADER_MAX);
    put_state(&bytes, t, open);
    bool ok = buf_ok(&bytes);
    if (ok) {
        const struct str all = buf_str(&bytes);
        *ret = hash_sha256(&all, 1);
    }
    buf_release(&bytes);
    return ok ? ERR_OK : ERR_NO_MEMORY;
}

/* Ascending, below the tree size, and no more than there may be. */
static enum err get_open(struct str bytes, uint64_t size, struct intents *open)
{
    assert(open->count == 0);
    uint64_t before = 0;
    for (size_t i = 0; i * INDEX_LEN < bytes.len; i++) {
        uint64_t index = be_get_u64(bytes.ptr + i * INDEX_LEN);
        if (index >= size || (i > 0 && index <= before))
            return ERR_CORRUPT;
        enum err e = intents_add(open, index, INTENTS_ORPHAN);
        if (e != ERR_OK)
            return e == ERR_NO_MEMORY ? e : ERR_CORRUPT;
        before = index;
    }
    return ERR_OK;
}

static enum err get_state(struct str bytes, struct tree *ret_tree,
                          struct intents *open)
{
    if (bytes.len < INDEX_LEN)
        return ERR_CORRUPT;
    uint64_t size = be_get_u64(bytes.ptr);
    size_t frontier = (size_t)tree_frontier_count(size) * HASH_LEN;
    size_t opens_at = INDEX_LEN + frontier + 4;
    if (bytes.len < opens_at)
        return ERR_CORRUPT;
    struct hash hashes[TREE_LEVELS];
    memcpy(hashes, bytes.ptr + INDEX_LEN, frontier);

    size_t count = be_get_u32(bytes.ptr + INDEX_LEN + frontier);
    bytes.ptr += opens_at;
    bytes.len -= opens_at;
    if (bytes.len != count * INDEX_LEN)
        return ERR_CORRUPT;
    enum err e = get_open(bytes, size, open);
    if (e == ERR_OK)
        *ret_tree = tree_from_frontier(size, hashes);
    return e;
}

/* Whole blocks for node, state and hash, and no more of them. */
static size_t header_len(size_t node_len, size_t state)
{
    size_t len = AT_NODE + node_len + state + HASH_LEN;
    return (len + SEGMENT_BLOCK - 1) / SEGMENT_BLOCK * SEGMENT_BLOCK;
}

void segment_put_header(struct buf *to, struct segment_header *h,
                        const struct tree *t, const struct intents *open)
{
    size_t state = state_len(t->size, open->count);
    size_t len = header_len(h->node_len, state);
    size_t start = to->len;
    char *at = buf_space(to, len);
    if (at == NULL)
        return;
    memset(at, 0, len);
    memcpy(at, MAGIC, MAGIC_LEN);
    be_put_u32(at + AT_VERSION, SEGMENT_VERSION);
    be_put_u32(at + AT_LEN, (uint32_t)len);
    be_put_u64(at + AT_FIRST, h->first_index);
    be_put_u64(at + AT_CREATED, (uint64_t)h->created_us);
    be_put_u32(at + AT_NODE_LEN, (uint32_t)h->node_len);
    be_put_u32(at + AT_STATE_LEN, (uint32_t)state);
    memcpy(at + AT_NODE, h->node_text, h->node_len);
    buf_added(to, AT_NODE + h->node_len);
    put_state(to, t, open);
    if (!buf_ok(to))
        return;
    buf_added(to, start + len - to->len);
    const struct str covered = {to->ptr + start, len - HASH_LEN};
    struct hash check = hash_sha256(&covered, 1);
    memcpy(to->ptr + start + covered.len, check.bytes, HASH_LEN);
    h->len = (uint32_t)len;
}

static bool all_zero(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] != 0)
            return false;
    }
    return true;
}

/* The block as a whole: version, length, hash. */
static enum err get_block(struct window *w, struct str *ret,
                          const char **ret_what)
{
    const char *at;
    enum err e = window_get(w, 0, AT_NODE, &at);
    if (e != ERR_OK) {
        *ret_what = "the header is cut short";
        return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
    }
    *ret_what = "this is not a segment";
    if (memcmp(at, MAGIC, MAGIC_LEN) != 0)
        return ERR_CORRUPT;
    if (be_get_u32(at + AT_VERSION) > SEGMENT_VERSION) {
        *ret_what = "a newer program has written this; it is not read";
        return ERR_UNSUPPORTED;
    }
    size_t len = be_get_u32(at + AT_LEN);
    *ret_what = "the header is damaged";
    if (be_get_u32(at + AT_VERSION) != SEGMENT_VERSION || len < SEGMENT_BLOCK ||
        len > SEGMENT_HEADER_MAX || len % SEGMENT_BLOCK != 0)
        return ERR_CORRUPT;
    e = window_get(w, 0, len, &at);
    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
    const struct str covered = {at, len - HASH_LEN};
    struct hash check = hash_sha256(&covered, 1);
    if (memcmp(at + covered.len, check.bytes, HASH_LEN) != 0)
        return ERR_CORRUPT;
    *ret = covered;
    return ERR_OK;
}

enum err segment_get_header(struct window *w, struct segment_header *ret,
                            struct tree *ret_tree, struct intents *open,
                            const char **ret_what)
{
    struct str block;
    enum err e = get_block(w, &block, ret_what);
    if (e != ERR_OK)
        return e;
    size_t node_len = be_get_u32(block.ptr + AT_NODE_LEN);
    size_t state = be_get_u32(block.ptr + AT_STATE_LEN);
    if (be_get_u64(block.ptr + AT_ZERO) != 0 || node_len > NAME_MAX_LEN ||
        header_len(node_len, state) != block.len + HASH_LEN ||
        !all_zero(str_skip(block, AT_NODE + node_len + state)))
        return ERR_CORRUPT;
    e = get_state((struct str){block.ptr + AT_NODE + node_len, state}, ret_tree,
                  open);
    if (e != ERR_OK)
        return e;
    struct segment_header h = {
        .first_index = be_get_u64(block.ptr + AT_FIRST),
        .created_us = (int64_t)be_get_u64(block.ptr + AT_CREATED),
        .len = (uint32_t)(block.len + HASH_LEN),
        .node_len = node_len,
    };
    if (h.first_index != ret_tree->size)
        return ERR_CORRUPT;
    memcpy(h.node_text, block.ptr + AT_NODE, node_len);
    *ret = h;
    return ERR_OK;
}

size_t segment_seal_len(uint64_t tree_size, size_t open_count)
{
    return COMMIT_HEAD_LEN + state_len(tree_size, open_count) + TRAILER_LEN;
}

void segment_put_seal(struct buf *to, struct segment_seal s,
                      const struct tree *t, const struct intents *open)
{
    size_t start = to->len;
    char *head_at = buf_space(to, COMMIT_HEAD_LEN);
    if (head_at == NULL)
        return;
    buf_added(to, COMMIT_HEAD_LEN);
    put_state(to, t, open);
    char trailer[TRAILER_LEN];
    be_put_u64(trailer, s.offset);
    memcpy(trailer + 8, SEAL_MAGIC, MAGIC_LEN);
    (void)buf_add(to, (struct str){trailer, sizeof(trailer)});
    if (!buf_ok(to))
        return;

    const struct str notes = str_skip(buf_str(to), start + COMMIT_HEAD_LEN);
    const struct commit_head head = {
        .flags = COMMIT_SEAL,
        .first_index = t->size,
        .wall_us = s.wall_us,
        .durable = s.durable,
        .notes_len = (uint32_t)notes.len,
        .notes_hash = hash_sha256(&notes, 1),
        .root = tree_root(t),
    };
    commit_put_head(&head, to->ptr + start);
}

enum err segment_get_seal(const struct commit_head *head, uint64_t offset,
                          struct str notes, struct tree *ret_tree,
                          struct intents *open)
{
    if ((head->flags & COMMIT_SEAL) == 0 || notes.len < TRAILER_LEN)
        return ERR_CORRUPT;
    size_t state = notes.len - TRAILER_LEN;
    if (be_get_u64(notes.ptr + state) != offset ||
        memcmp(notes.ptr + state + 8, SEAL_MAGIC, MAGIC_LEN) != 0)
        return ERR_CORRUPT;
    struct tree t;
    enum err e = get_state(str_first(notes, state), &t, open);
    if (e != ERR_OK)
        return e;
    struct hash root = tree_root(&t);
    if (t.size != head->first_index ||
        memcmp(root.bytes, head->root.bytes, HASH_LEN) != 0)
        return ERR_CORRUPT;
    *ret_tree = t;
    return ERR_OK;
}

/* The seal frame whose head is at `offset`, if it ends the file at `end`. */
static enum err read_seal(struct window *w, uint64_t offset, uint64_t end,
                          struct commit_head *ret, struct str *ret_notes)
{
    const char *at;
    enum err e = window_get(w, offset, COMMIT_HEAD_LEN, &at);
    if (e != ERR_OK)
        return e;
    struct commit_head head;
    if (!commit_get_head(at, &head) || (head.flags & COMMIT_SEAL) == 0 ||
        offset + commit_len(&head) != end)
        return ERR_NOT_FOUND;
    e = window_get(w, offset + COMMIT_HEAD_LEN, head.notes_len, &at);
    if (e != ERR_OK)
        return e;
    const struct str notes = {at, head.notes_len};
    struct hash check = hash_sha256(&notes, 1);
    if (memcmp(check.bytes, head.notes_hash.bytes, HASH_LEN) != 0)
        return ERR_NOT_FOUND;
    *ret = head;
    *ret_notes = notes;
    return ERR_OK;
}

/* Where the last bytes of the file say that a seal begins. */
static enum err read_trailer(struct window *w, uint64_t end,
                             uint64_t *ret_offset)
{
    const char *at;
    if (end < SEGMENT_BLOCK + COMMIT_HEAD_LEN + TRAILER_LEN)
        return ERR_NOT_FOUND;
    enum err e = window_get(w, end - TRAILER_LEN, TRAILER_LEN, &at);
    if (e != ERR_OK)
        return e;
    uint64_t offset = be_get_u64(at);
    if (memcmp(at + 8, SEAL_MAGIC, MAGIC_LEN) != 0 || offset < SEGMENT_BLOCK ||
        offset >= end)
        return ERR_NOT_FOUND;
    *ret_offset = offset;
    return ERR_OK;
}

enum err segment_find_seal(int fd, struct commit_head *ret,
                           uint64_t *ret_offset, struct tree *ret_tree,
                           struct intents *open)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return ERR_IO;
    uint64_t end = (uint64_t)st.st_size;
    uint64_t offset = 0;
    struct commit_head head = {0};
    struct str notes = {NULL, 0};
    struct window w;
    window_init(&w, fd);
    enum err e = read_trailer(&w, end, &offset);
    if (e == ERR_OK)
        e = read_seal(&w, offset, end, &head, &notes);
    if (e == ERR_OK)
        e = segment_get_seal(&head, offset, notes, ret_tree, open);
    if (e == ERR_OK) {
        *ret = head;
        *ret_offset = offset;
    }
    window_release(&w);
    return e;
}
