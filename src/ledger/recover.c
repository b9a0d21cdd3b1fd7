/* recover.c - see recover.h. */
#include "ledger/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/scan.h"
#include "os/clock.h"
#include "os/file.h"

/* The last segment while it is looked at. */
struct last {
    int fd;
    struct scan scan;
    bool found_seal; /* from its end, without reading the rest */
    uint64_t file_bytes;
};

/* All of it, at a place; for recovery, where speed does not matter. */
static enum err write_at(int fd, struct str bytes, uint64_t offset)
{
    while (bytes.len > 0) {
        ssize_t n = pwrite(fd, bytes.ptr, bytes.len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ERR_IO;
        bytes = str_skip(bytes, (size_t)n);
        offset += (uint64_t)n;
    }
    return ERR_OK;
}

/*
 * The last frames may be in the page cache only: their fdatasync may have
 * failed or never begun, and a page whose write failed counts as clean.  To
 * write the same bytes again makes it dirty, and this sync tells the truth.
 */
static enum err write_again(struct last *l)
{
    struct scan *s = &l->scan;
    uint64_t at = s->durable;
    while (at < s->end) {
        size_t n =
            s->end - at < WINDOW_STEP ? (size_t)(s->end - at) : WINDOW_STEP;
        const char *bytes;
        enum err e = window_get(&s->window, at, n, &bytes);
        if (e == ERR_OK)
            e = write_at(l->fd, (struct str){bytes, n}, at);
        if (e != ERR_OK)
            return e == ERR_NOT_FOUND ? ERR_IO : e;
        at += n;
    }
    return fdatasync(l->fd) == 0 ? ERR_OK : ERR_IO;
}

static enum err cut(struct last *l, uint64_t end)
{
    if (ftruncate(l->fd, (off_t)end) != 0)
        return ERR_IO;
    return file_sync(l->fd);
}

static enum err seal(struct last *l)
{
    struct scan *s = &l->scan;
    struct buf bytes;
    buf_init(&bytes, SEGMENT_HEADER_MAX);
    const struct segment_seal at = {s->end, s->end, clock_wall_us()};
    segment_put_seal(&bytes, at, &s->tree, &s->open);
    enum err e = buf_ok(&bytes) ? ERR_OK : ERR_NO_MEMORY;
    if (e == ERR_OK)
        e = write_at(l->fd, buf_str(&bytes), s->end);
    if (e == ERR_OK)
        e = cut(l, s->end + bytes.len);
    buf_release(&bytes);
    return e;
}

/* The scan of a segment that ends with its seal, without reading it. */
static enum err trust_seal(struct last *l, struct segment_trouble *trouble)
{
    struct commit_head head;
    uint64_t offset;
    struct tree tree;
    struct intents open = {0};
    enum err e = segment_find_seal(l->fd, &head, &offset, &tree, &open);
    if (e == ERR_OK) {
        intents_release(&l->scan.open);
        l->scan.open = open;
        l->scan.tree = tree;
        l->scan.end = offset + commit_len(&head);
        l->scan.durable = head.durable;
        l->scan.sealed = l->found_seal = true;
        return ERR_OK;
    }
    intents_release(&open);
    if (e != ERR_NOT_FOUND && e != ERR_CORRUPT)
        return e;
    return scan_frames(&l->scan, true, trouble);
}

static enum err open_segment(int dir, uint64_t first_index, struct last *l,
                             struct segment_trouble *trouble)
{
    segment_name(first_index, trouble->file);
    l->fd = openat(dir, trouble->file, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (l->fd < 0)
        return ERR_IO;
    scan_init(&l->scan, l->fd);
    struct stat st;
    if (fstat(l->fd, &st) != 0)
        return ERR_IO;
    l->file_bytes = (uint64_t)st.st_size;
    return scan_header(&l->scan, first_index, trouble);
}

static void close_segment(struct last *l)
{
    scan_release(&l->scan);
    if (l->fd >= 0)
        (void)close(l->fd);
    l->fd = -1;
}

/* The segment before the last must end where the last begins. */
static enum err check_joint(int dir, uint64_t first_index,
                            const struct last *next,
                            struct segment_trouble *trouble)
{
    struct last before = {.fd = -1};
    struct commit_head head;
    uint64_t offset = 0;
    struct tree tree;
    struct intents open = {0};
    enum err e = open_segment(dir, first_index, &before, trouble);
    if (e != ERR_OK)
        goto out;
    e = segment_find_seal(before.fd, &head, &offset, &tree, &open);
    if (e == ERR_NOT_FOUND || e == ERR_CORRUPT) {
        trouble->offset = before.file_bytes;
        trouble->what = "it has no seal, yet a segment follows";
        e = ERR_CORRUPT;
    } else if (e == ERR_OK && (!tree_equal(&tree, &next->scan.tree) ||
                               open.count != next->scan.open.count)) {
        trouble->offset = offset;
        trouble->index = tree.size;
        trouble->what = "the next segment does not continue this one";
        e = ERR_CORRUPT;
    }
out:
    intents_release(&open);
    close_segment(&before);
    return e;
}

/* From "read" to "on disk, and sealed or empty". */
static enum err settle(struct last *l)
{
    struct scan *s = &l->scan;
    enum err e = write_again(l);
    if (e != ERR_OK)
        return e;
    if (s->sealed) /* the cut, too, may be in memory only */
        return cut(l, s->end);
    if (s->torn_bytes > 0) {
        /* First and on its own: the seal is never read with remains of
         * something else behind it. */
        e = cut(l, s->end);
        if (e != ERR_OK)
            return e;
    }
    return s->frames > 0 ? seal(l) : ERR_OK;
}

static enum err recover_last(int dir, const uint64_t *firsts, size_t count,
                             struct str node, struct segment_trouble *trouble,
                             struct recovered *r)
{
    struct last l = {.fd = -1};
    enum err e = open_segment(dir, firsts[count - 1], &l, trouble);
    if (e != ERR_OK)
        goto out;
    if (!str_eq(segment_node(&l.scan.header), node)) {
        trouble->what = "this is the log of a node with another name";
        e = ERR_CONFIG;
        goto out;
    }
    if (count > 1) {
        e = check_joint(dir, firsts[count - 2], &l, trouble);
        if (e != ERR_OK)
            goto out;
        segment_name(firsts[count - 1], trouble->file);
    } else if (firsts[0] != 0) {
        trouble->what = "the segments before this one are missing";
        e = ERR_CORRUPT;
        goto out;
    }
    e = trust_seal(&l, trouble);
    if (e == ERR_OK)
        e = settle(&l);
    if (e != ERR_OK)
        goto out;

    r->tree = l.scan.tree;
    r->open = l.scan.open;
    l.scan.open = (struct intents){0}; /* moved */
    r->cut_bytes = l.scan.torn_bytes;
    if (!l.scan.sealed && l.scan.frames == 0) {
        r->end = l.scan.end;
        r->fd = l.fd;
        l.fd = -1; /* moved */
    }
out:
    close_segment(&l);
    return e;
}

enum err recover_log(int dir, struct str node, struct segment_trouble *trouble,
                     struct recovered *ret)
{
    struct recovered r = {.fd = -1};
    uint64_t *firsts = NULL;
    size_t count = 0;
    enum err e = segment_list(dir, &firsts, &count, trouble);
    if (e == ERR_OK && count > 0)
        e = recover_last(dir, firsts, count, node, trouble, &r);
    /* A name may be in memory only, like the bytes. */
    if (e == ERR_OK)
        e = file_sync(dir);
    if (e == ERR_OK) {
        *ret = r;
        r = (struct recovered){.fd = -1}; /* moved */
        *trouble = (struct segment_trouble){0};
    }
    free(firsts);
    recover_release(&r);
    return e;
}

void recover_release(struct recovered *r)
{
    intents_release(&r->open);
    if (r->fd >= 0)
        (void)close(r->fd);
    r->fd = -1;
}
