/* journal.c - see journal.h. */
#include "ledger/journal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/buf.h"
#include "ledger/be.h"
#include "ledger/recover.h"
#include "os/clock.h"
#include "os/file.h"

/* What waits to be committed, in the order of its indices. */
struct pending {
    struct buf records;
    struct buf notes; /* made when it is committed */
    uint32_t count;
    size_t opens_count, closes_count;
    struct hash leaves[COMMIT_COUNT_MAX];
    uint32_t owners[COMMIT_COUNT_MAX]; /* of intents; else INTENTS_ORPHAN */
    uint64_t closes[COMMIT_COUNT_MAX];
};

struct journal {
    int dir;
    struct segment_header header; /* of the current segment */
    size_t segment_bytes;
    bool early, failed;
    int failed_errno; /* what the system said */

    int fd;           /* the current segment */
    uint64_t end;     /* where its next frame goes */
    uint64_t durable; /* up to where it is known to be on disk */
    uint64_t frames;
    int next_fd; /* preallocated, or -1 */

    struct tree tree; /* of what was committed, as are the intents */
    struct intents open;
    struct pending pending;
    uint64_t leaves_first;
    struct journal_counts counts;
};

static enum err fail(struct journal *j)
{
    j->failed_errno = errno;
    j->failed = true;
    return ERR_IO;
}

/* One system call unless the system takes less. */
static enum err write_all(int fd, struct iovec *v, int n, uint64_t offset)
{
    while (n > 0) {
        ssize_t done = pwritev(fd, v, n, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return ERR_IO;
        offset += (uint64_t)done;
        size_t left = (size_t)done;
        while (n > 0 && left >= v->iov_len) {
            left -= v->iov_len;
            v++;
            n--;
        }
        if (n > 0) {
            v->iov_base = (char *)v->iov_base + left;
            v->iov_len -= left;
        }
    }
    return ERR_OK;
}

static enum err write_buf(int fd, const struct buf *b, uint64_t offset)
{
    struct iovec v = {b->ptr, b->len};
    return write_all(fd, &v, 1, offset);
}

/* Zeros up to the segment's size, and the room for them reserved. */
static enum err preallocate(int fd, size_t bytes)
{
    int r;
    do {
        r = fallocate(fd, 0, 0, (off_t)bytes);
    } while (r != 0 && errno == EINTR);
    if (r != 0 && (errno == EOPNOTSUPP || errno == ENOSYS))
        r = ftruncate(fd, (off_t)bytes); /* at least the zeros */
    return r == 0 ? ERR_OK : ERR_IO;
}

static enum err prepare_next(struct journal *j)
{
    assert(j->next_fd < 0);
    if (unlinkat(j->dir, SEGMENT_NEXT, 0) != 0 && errno != ENOENT)
        return ERR_IO;
    int fd = openat(j->dir, SEGMENT_NEXT,
                    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return ERR_IO;
    enum err e = preallocate(fd, j->segment_bytes);
    if (e == ERR_OK)
        e = file_sync(fd);
    if (e != ERR_OK) {
        (void)close(fd);
        return e;
    }
    j->next_fd = fd;
    return ERR_OK;
}

/* Header durable, then the name, then the name durable. */
static enum err start_segment(struct journal *j)
{
    enum err e = j->next_fd >= 0 ? ERR_OK : prepare_next(j);
    if (e != ERR_OK)
        return e;
    j->header.first_index = j->tree.size;
    j->header.created_us = clock_wall_us();
    struct buf block;
    buf_init(&block, SEGMENT_HEADER_MAX);
    segment_put_header(&block, &j->header, &j->tree, &j->open);
    e = buf_ok(&block) ? write_buf(j->next_fd, &block, 0) : ERR_NO_MEMORY;
    buf_release(&block);
    if (e == ERR_OK && fdatasync(j->next_fd) != 0)
        e = ERR_IO;
    if (e != ERR_OK)
        return e;

    char name[SEGMENT_NAME_LEN + 1];
    segment_name(j->tree.size, name);
    if (renameat(j->dir, SEGMENT_NEXT, j->dir, name) != 0)
        return ERR_IO;
    e = file_sync(j->dir);
    if (e != ERR_OK)
        return e;
    j->fd = j->next_fd;
    j->next_fd = -1; /* moved */
    j->end = j->durable = j->header.len;
    j->frames = 0;
    return ERR_OK;
}

/* Ends the current segment, which has frames: seal, exact length, on disk. */
static enum err seal_segment(struct journal *j)
{
    struct buf bytes;
    buf_init(&bytes, SEGMENT_HEADER_MAX);
    const struct segment_seal at = {j->end, j->durable, clock_wall_us()};
    segment_put_seal(&bytes, at, &j->tree, &j->open);
    enum err e =
        buf_ok(&bytes) ? write_buf(j->fd, &bytes, j->end) : ERR_NO_MEMORY;
    if (e == ERR_OK && ftruncate(j->fd, (off_t)(j->end + bytes.len)) != 0)
        e = ERR_IO;
    buf_release(&bytes);
    if (e == ERR_OK)
        e = file_sync(j->fd);
    if (e == ERR_OK && close(j->fd) != 0)
        e = ERR_IO;
    if (e == ERR_OK)
        j->fd = -1;
    return e;
}

static enum err open_folder(const char *path, int *ret_fd)
{
    int top = -1;
    int above = -1;
    int fd = -1;
    enum err e = file_make_dirs(FILE_CWD, path, 0700);
    if (e == ERR_OK)
        e = file_open_dir(FILE_CWD, path, &top);
    if (e == ERR_OK)
        e = file_make_dirs(top, SEGMENT_FOLDER, 0700);
    if (e == ERR_OK)
        e = file_open_dir(top, SEGMENT_FOLDER, &fd);
    /* The folders' own names. */
    if (e == ERR_OK)
        e = file_sync(top);
    if (e == ERR_OK)
        e = file_open_dir(top, "..", &above);
    if (e == ERR_OK)
        e = file_sync(above);
    if (e == ERR_OK) {
        *ret_fd = fd;
        fd = -1; /* moved */
    }
    if (fd >= 0)
        (void)close(fd);
    if (above >= 0)
        (void)close(above);
    if (top >= 0)
        (void)close(top);
    return e;
}

void journal_abandon(struct journal *j)
{
    if (j == NULL)
        return;
    if (j->fd >= 0)
        (void)close(j->fd);
    if (j->next_fd >= 0)
        (void)close(j->next_fd);
    if (j->dir >= 0)
        (void)close(j->dir);
    intents_release(&j->open);
    buf_release(&j->pending.records);
    buf_release(&j->pending.notes);
    free(j);
}

/* Takes over what recovery found, or starts the next segment. */
static enum err begin(struct journal *j, struct recovered *r)
{
    j->tree = r->tree;
    j->open = r->open;
    r->open = (struct intents){0}; /* moved */
    j->counts.cut_bytes = r->cut_bytes;
    if (r->fd < 0)
        return start_segment(j);
    j->fd = r->fd;
    r->fd = -1; /* moved */
    j->end = j->durable = r->end;
    enum err e = preallocate(j->fd, j->segment_bytes);
    return e == ERR_OK ? file_sync(j->fd) : e;
}

enum err journal_open(const struct journal_options *o,
                      struct segment_trouble *trouble, struct journal **ret)
{
    *trouble = (struct segment_trouble){0};
    if (o->node.len == 0 || o->node.len > NAME_MAX_LEN)
        return ERR_CONFIG;
    struct recovered r = {.fd = -1};
    struct journal *j = calloc(1, sizeof(*j));
    if (j == NULL)
        return ERR_NO_MEMORY;
    j->dir = j->fd = j->next_fd = -1;
    j->early = o->early;
    j->segment_bytes = o->segment_bytes > 0 ? o->segment_bytes : SEGMENT_BYTES;
    buf_init(&j->pending.records, COMMIT_RECORDS_MAX);
    buf_init(&j->pending.notes, COMMIT_NOTES_MAX);
    memcpy(j->header.node_text, o->node.ptr, o->node.len);
    j->header.node_len = o->node.len;

    enum err e = open_folder(o->dir, &j->dir);
    if (e == ERR_OK)
        e = recover_log(j->dir, o->node, trouble, &r);
    if (e == ERR_OK)
        e = begin(j, &r);
    recover_release(&r);
    if (e != ERR_OK) {
        if (trouble->what == NULL)
            trouble->what = "it cannot be read or written";
        journal_abandon(j);
        return e;
    }
    *ret = j;
    return ERR_OK;
}

enum err journal_close(struct journal *j)
{
    if (j == NULL)
        return ERR_OK;
    enum err e = ERR_OK;
    if (j->failed)
        e = ERR_IO;
    else if (j->frames > 0)
        e = seal_segment(j);
    if (j->next_fd >= 0)
        (void)unlinkat(j->dir, SEGMENT_NEXT, 0);
    journal_abandon(j);
    return e;
}

bool journal_has_room(const struct journal *j, size_t len)
{
    const struct pending *p = &j->pending;
    return p->count < COMMIT_COUNT_MAX &&
           p->records.len + COMMIT_RECORD_HEAD + len <= COMMIT_RECORDS_MAX;
}

enum err journal_add(struct journal *j, const struct journal_entry *e,
                     uint64_t *ret_index)
{
    struct pending *p = &j->pending;
    if (!commit_entry_ok(e->text))
        return ERR_MALFORMED;
    assert(journal_has_room(j, e->text.len));
    if (e->opens && j->open.count + p->opens_count >= INTENTS_MAX)
        return ERR_LIMIT;
    char *to = buf_space(&p->records, COMMIT_RECORD_HEAD + e->text.len);
    if (to == NULL) {
        p->records.failed = false;
        return ERR_NO_MEMORY;
    }
    be_put_u16(to, (uint16_t)e->text.len);
    memcpy(to + COMMIT_RECORD_HEAD, e->text.ptr, e->text.len);
    buf_added(&p->records, COMMIT_RECORD_HEAD + e->text.len);

    if (p->count == 0)
        j->leaves_first = j->tree.size;
    p->leaves[p->count] = tree_leaf(e->text);
    p->owners[p->count] = e->opens ? e->owner : INTENTS_ORPHAN;
    p->opens_count += e->opens;
    if (e->closes != JOURNAL_NONE)
        p->closes[p->closes_count++] = e->closes;
    *ret_index = j->tree.size + p->count;
    p->count++;
    return ERR_OK;
}

size_t journal_pending(const struct journal *j)
{
    return j->pending.count;
}

const struct hash *journal_leaf(const struct journal *j, uint64_t index)
{
    assert(index >= j->leaves_first &&
           index - j->leaves_first < COMMIT_COUNT_MAX);
    return &j->pending.leaves[index - j->leaves_first];
}

/* The state after the pending entries, and the notes that lead there. */
static enum err apply_pending(struct journal *j)
{
    struct pending *p = &j->pending;
    struct buf *notes = &p->notes;
    size_t opens_len = commit_opens_len(p->count);
    buf_clear(notes);
    char *to = buf_space(notes, opens_len + p->closes_count * sizeof(uint64_t));
    if (to == NULL)
        return ERR_NO_MEMORY;
    memset(to, 0, opens_len);
    for (uint32_t i = 0; i < p->count; i++) {
        if (p->owners[i] == INTENTS_ORPHAN)
            continue;
        enum err e = intents_add(&j->open, j->tree.size + i, p->owners[i]);
        if (e != ERR_OK)
            return e;
        to[i / 8] = (char)((unsigned char)to[i / 8] | (0x80U >> i % 8));
    }
    size_t len = opens_len;
    for (size_t i = 0; i < p->closes_count; i++) {
        /* Closing twice, or what was never open, changes nothing. */
        if (!intents_remove(&j->open, p->closes[i]))
            continue;
        be_put_u64(to + len, p->closes[i]);
        len += sizeof(uint64_t);
    }
    buf_added(notes, len);
    for (uint32_t i = 0; i < p->count; i++)
        tree_add(&j->tree, &p->leaves[i]);
    return ERR_OK;
}

static enum err write_frame(struct journal *j, int64_t wall_us)
{
    struct pending *p = &j->pending;
    const struct str notes = buf_str(&p->notes);
    const struct commit_head head = {
        .flags = j->early ? COMMIT_EARLY : 0,
        .first_index = j->tree.size - p->count,
        .wall_us = wall_us,
        .durable = j->durable,
        .count = p->count,
        .notes_len = (uint32_t)notes.len,
        .records_len = (uint32_t)p->records.len,
        .notes_hash = hash_sha256(&notes, 1),
        .root = tree_root(&j->tree),
    };
    char bytes[COMMIT_HEAD_LEN];
    commit_put_head(&head, bytes);
    struct iovec v[] = {
        {bytes, sizeof(bytes)},
        {p->notes.ptr, p->notes.len},
        {p->records.ptr, p->records.len},
    };
    enum err e = write_all(j->fd, v, ARRAY_LEN(v), j->end);
    if (e == ERR_OK) {
        j->end += commit_len(&head);
        j->frames++;
    }
    return e;
}

/* Does the pending frame fit, and the seal after it? */
static bool fits(const struct journal *j)
{
    const struct pending *p = &j->pending;
    size_t frame = COMMIT_HEAD_LEN + commit_opens_len(p->count) +
                   p->closes_count * sizeof(uint64_t) + p->records.len;
    size_t seal = segment_seal_len(j->tree.size + p->count,
                                   j->open.count + p->opens_count);

    return j->end + frame + seal <= j->segment_bytes;
}

enum err journal_sync(struct journal *j)
{
    if (j->failed)
        return ERR_IO;
    if (j->durable == j->end)
        return ERR_OK;
    j->counts.syncs++;
    if (fdatasync(j->fd) != 0)
        return fail(j);
    j->durable = j->end;
    return ERR_OK;
}

enum err journal_commit(struct journal *j, int64_t wall_us)
{
    struct pending *p = &j->pending;
    if (j->failed)
        return ERR_IO;
    if (p->count == 0)
        return ERR_OK;
    enum err e = ERR_OK;
    if (j->frames > 0 && !fits(j)) {
        e = seal_segment(j);
        if (e == ERR_OK)
            e = start_segment(j);
    }
    if (e == ERR_OK)
        e = apply_pending(j);
    if (e == ERR_OK)
        e = write_frame(j, wall_us);
    if (e == ERR_OK && !j->early)
        e = journal_sync(j);
    if (e != ERR_OK)
        return fail(j);

    j->counts.entries += p->count;
    p->count = 0;
    p->opens_count = p->closes_count = 0;
    buf_clear(&p->records);
    return ERR_OK;
}

void journal_prepare(struct journal *j)
{
    if (!j->failed && j->next_fd < 0 && j->end > j->segment_bytes / 2)
        (void)prepare_next(j);
}

int journal_errno(const struct journal *j)
{
    return j->failed ? j->failed_errno : 0;
}

const struct tree *journal_tree(const struct journal *j)
{
    return &j->tree;
}

struct intents *journal_open_intents(struct journal *j)
{
    return &j->open;
}

struct journal_counts journal_counts(const struct journal *j)
{
    return j->counts;
}
