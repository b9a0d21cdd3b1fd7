/* layers: base crypto ledger */
/*
 * Fuzzes ledger/scan: arbitrary bytes as a segment.  What it accepts is what
 * the writer would have written, byte for byte, up to where it says that the
 * good frames end.
 *
 * The first byte of an input chooses: the rest is the file; or places and
 * changes in a good file; or a file whose header and frame hashes are put
 * right first, so that the fuzzer gets past them.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ledger/be.h"
#include "ledger/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MODE_RAW, MODE_CHANGED, MODE_HASHED, MODES };
enum { FILE_MAX = 1 << 16, CHANGE_LEN = 3, BASE_FRAMES = 4, HASH_AT_LEN = 12 };

/* The header's hash is its last bytes; a head's covers what is before it. */
static void put_hash(char *bytes, size_t len)
{
    const struct str covered = {bytes, len};
    struct hash h = hash_sha256(&covered, 1);
    memcpy(bytes + len, h.bytes, HASH_LEN);
}

static void put_hashes(char *bytes, size_t len)
{
    if (len >= SEGMENT_BLOCK) {
        size_t header = be_get_u32(bytes + HASH_AT_LEN);
        if (header >= SEGMENT_BLOCK && header <= len)
            put_hash(bytes, header - HASH_LEN);
    }
    size_t at = 0;
    while (at + COMMIT_HEAD_LEN <= len) {
        char *hit =
            memmem(bytes + at, len - at, COMMIT_MAGIC, COMMIT_MAGIC_LEN);
        if (hit == NULL || (size_t)(bytes + len - hit) < COMMIT_HEAD_LEN)
            return;
        put_hash(hit, COMMIT_HEAD_LEN - HASH_LEN);
        at = (size_t)(hit - bytes) + 1;
    }
}

/* A frame of three entries; the first opens, from the second frame on the
 * last one closes. */
static void add_frame(struct buf *to, struct tree *t, struct intents *open)
{
    char notes[1 + 8] = {(char)0x80};
    char records[] = "\0\3{\"a\0\3\"1\"\0\2b}";
    size_t notes_len = 1;
    if (t->size > 0) {
        uint64_t closed = t->size - 3;
        be_put_u64(notes + 1, closed);
        notes_len += sizeof(uint64_t);
        bool removed = intents_remove(open, closed);
        assert(removed);
    }
    enum err e = intents_add(open, t->size, 1);
    assert(e == ERR_OK);
    struct str left = {records, sizeof(records) - 1};
    struct commit_head head = {.first_index = t->size,
                               .wall_us = 1,
                               .durable = to->len,
                               .count = 3,
                               .notes_len = (uint32_t)notes_len,
                               .records_len = (uint32_t)left.len};
    const struct str covered = {notes, notes_len};
    struct str entry;
    head.notes_hash = hash_sha256(&covered, 1);
    while (commit_next_record(&left, &entry)) {
        struct hash leaf = tree_leaf(entry);
        tree_add(t, &leaf);
    }
    head.root = tree_root(t);
    char bytes[COMMIT_HEAD_LEN];
    commit_put_head(&head, bytes);
    (void)buf_add(to, (struct str){bytes, sizeof(bytes)});
    (void)buf_add(to, covered);
    (void)buf_add(to, (struct str){records, sizeof(records) - 1});
}

static void make_base(struct buf *to, bool sealed)
{
    struct tree t = {0};
    struct intents open = {0};
    struct segment_header h = {.node_len = 4};
    memcpy(h.node_text, "node", 4);
    segment_put_header(to, &h, &t, &open);
    for (unsigned i = 0; i < BASE_FRAMES; i++)
        add_frame(to, &t, &open);
    if (sealed)
        segment_put_seal(to, (struct segment_seal){to->len, to->len, 2}, &t,
                         &open);
    assert(buf_ok(to));
    intents_release(&open);
}

/* What the writer makes of the state is what stands in the file. */
static void check_header(const struct scan *s, struct str file)
{
    struct buf again;
    struct segment_header h = s->header;
    buf_init(&again, SEGMENT_HEADER_MAX);
    segment_put_header(&again, &h, &s->tree, &s->open);
    assert(buf_ok(&again) && h.len == s->header.len);
    assert(str_eq(buf_str(&again), str_first(file, h.len)));
    buf_release(&again);
}

static void check_frame(const struct scan *s, const struct scan_frame *f,
                        uint64_t offset, struct str file)
{
    char bytes[COMMIT_HEAD_LEN];
    commit_put_head(&f->head, bytes);
    assert(memcmp(file.ptr + offset, bytes, sizeof(bytes)) == 0);
    assert(s->end == offset + commit_len(&f->head) && s->end <= file.len);
    if (!s->sealed)
        return;
    struct buf again;
    buf_init(&again, SEGMENT_HEADER_MAX);
    const struct segment_seal at = {offset, f->head.durable, f->head.wall_us};
    segment_put_seal(&again, at, &s->tree, &s->open);
    assert(buf_ok(&again) && again.len == s->end - offset);
    assert(memcmp(again.ptr, file.ptr + offset, again.len) == 0);
    buf_release(&again);
}

/* Returns where the good frames end; 0 when the file is refused. */
static uint64_t scan(int fd, struct str file)
{
    struct scan s;
    struct segment_trouble trouble = {0};
    uint64_t first = file.len >= 24 ? be_get_u64(file.ptr + 16) : 0;
    scan_init(&s, fd);
    enum err e = scan_header(&s, first, &trouble);
    if (e == ERR_OK)
        check_header(&s, file);
    while (e == ERR_OK) {
        struct scan_frame f;
        uint64_t offset = s.end;
        e = scan_next(&s, true, &f, &trouble);
        if (e == ERR_OK)
            check_frame(&s, &f, offset, file);
    }
    assert(e == ERR_NOT_FOUND || e == ERR_CORRUPT || e == ERR_UNSUPPORTED);
    assert(e == ERR_NOT_FOUND || trouble.what != NULL);
    uint64_t end = e == ERR_NOT_FOUND ? s.end : 0;
    scan_release(&s);
    return end;
}

static uint64_t scan_bytes(struct str bytes)
{
    int fd = memfd_create("segment", MFD_CLOEXEC);
    assert(fd >= 0);
    ssize_t n = write(fd, bytes.ptr, bytes.len);
    assert(n == (ssize_t)bytes.len);
    uint64_t end = scan(fd, bytes);
    (void)close(fd);
    return end;
}

static void run_changed(const uint8_t *data, size_t size)
{
    struct buf base;
    struct buf changed;
    buf_init(&base, FILE_MAX);
    buf_init(&changed, FILE_MAX);
    make_base(&base, size > 0 && data[0] % 2 == 0);
    (void)buf_add(&changed, buf_str(&base));
    for (size_t i = 1; i + CHANGE_LEN <= size; i += CHANGE_LEN) {
        size_t at = ((size_t)data[i] << 8 | data[i + 1]) % changed.len;
        changed.ptr[at] = (char)(changed.ptr[at] ^ data[i + 2]);
    }
    uint64_t end = scan_bytes(buf_str(&changed));
    assert(end <= base.len && memcmp(base.ptr, changed.ptr, end) == 0);
    /* Nothing is cut off that was whole: what is left could not have been
     * acknowledged. */
    if (end > 0 && end < base.len)
        assert(memcmp(base.ptr, changed.ptr, base.len) != 0);
    buf_release(&base);
    buf_release(&changed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > FILE_MAX)
        return 0;
    unsigned mode = data[0] % MODES;
    if (mode == MODE_CHANGED) {
        run_changed(data + 1, size - 1);
        return 0;
    }
    char *bytes = malloc(size);
    assert(bytes != NULL);
    memcpy(bytes, data + 1, size - 1);
    if (mode == MODE_HASHED)
        put_hashes(bytes, size - 1);
    (void)scan_bytes((struct str){bytes, size - 1});
    free(bytes);
    return 0;
}
