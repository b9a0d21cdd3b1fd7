/* tear.c - see tear.h. */
#include "ledger/tear.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is behind the good end. */
struct tail {
    uint64_t file_bytes;
    uint64_t last;      /* behind the last byte that is not 0; or `end` */
    bool frames_follow; /* that were written when this was durable */
};

/* Compared with itself, one byte on: as fast as memory is read. */
static bool all_zero(const char *bytes, size_t n)
{
    return n == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0);
}

static size_t zeros_at_end(const char *bytes, size_t n)
{
    if (all_zero(bytes, n))
        return n;
    size_t zeros = 0;
    while (bytes[n - 1 - zeros] == 0)
        zeros++;
    return zeros;
}

/*
 * Does a good frame that was built on `end` start within these bytes, of
 * which the last COMMIT_HEAD_LEN - 1 are looked at again with the next ones?
 */
static bool has_frame(const char *bytes, size_t n, uint64_t end)
{
    while (n >= COMMIT_HEAD_LEN) {
        const char *hit = memmem(bytes, n, COMMIT_MAGIC, COMMIT_MAGIC_LEN);
        if (hit == NULL || n - (size_t)(hit - bytes) < COMMIT_HEAD_LEN)
            return false;
        struct commit_head h;
        if (commit_get_head(hit, &h) && h.durable > end)
            return true;
        n -= (size_t)(hit - bytes) + 1;
        bytes = hit + 1;
    }
    return false;
}

/* Where bytes were written, at `at` or behind it; `size` when nowhere.  What
 * was only set aside for the log is zeros that need not be read. */
static uint64_t next_written(int fd, uint64_t at, uint64_t size)
{
    off_t found = lseek(fd, (off_t)at, SEEK_DATA);

    if (found < 0)
        return errno == ENXIO ? size : at; /* it cannot tell: all of it */
    return (uint64_t)found > at ? (uint64_t)found : at;
}

static enum err look(struct window *w, uint64_t end, struct tail *ret)
{
    struct stat st;
    if (fstat(w->fd, &st) != 0)
        return ERR_IO;
    struct tail t = {.file_bytes = (uint64_t)st.st_size, .last = end};
    uint64_t at = end;
    while ((at = next_written(w->fd, at, t.file_bytes)) < t.file_bytes) {
        size_t n = t.file_bytes - at < WINDOW_STEP ? (size_t)(t.file_bytes - at)
                                                   : WINDOW_STEP;
        const char *bytes;
        enum err e = window_get(w, at, n, &bytes);
        if (e == ERR_NOT_FOUND)
            break; /* cut while we read */
        if (e != ERR_OK)
            return e;
        size_t zeros = zeros_at_end(bytes, n);
        if (zeros < n) {
            t.last = at + n - zeros;
            /* The frame at `end` itself does not count. */
            size_t skip = at == end ? 1 : 0;
            if (n > skip && has_frame(bytes + skip, n - skip, end))
                t.frames_follow = true;
        }
        if (n < WINDOW_STEP)
            break;
        at += n - COMMIT_HEAD_LEN;
    }
    *ret = t;
    return ERR_OK;
}

/* The end of the sector that `at` is in. */
static uint64_t sector_end(uint64_t at)
{
    return at - at % TEAR_SECTOR + TEAR_SECTOR;
}

/* A head that does not verify: is a part of it missing? */
static enum err judge_head(struct window *w, uint64_t end, const struct tail *t,
                           bool *ret_torn)
{
    *ret_torn = true;
    /* Nothing follows the head: it is the end of what was written. */
    if (t->last < end + COMMIT_HEAD_LEN)
        return ERR_OK;
    const char *bytes;
    enum err e = window_get(w, end, COMMIT_HEAD_LEN, &bytes);
    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    uint64_t border = sector_end(end);
    size_t first = border < end + COMMIT_HEAD_LEN ? (size_t)(border - end)
                                                  : COMMIT_HEAD_LEN;
    *ret_torn = all_zero(bytes, first) ||
                (first < COMMIT_HEAD_LEN &&
                 all_zero(bytes + first, COMMIT_HEAD_LEN - first));
    return ERR_OK;
}

/* A good head whose body does not verify: is a part of that missing? */
static enum err judge_body(struct window *w, uint64_t end,
                           const struct commit_head *head, const struct tail *t,
                           bool *ret_torn)
{
    uint64_t frame_end = end + commit_len(head);
    *ret_torn = true;
    if (frame_end > t->file_bytes || t->last < frame_end)
        return ERR_OK; /* it does not end in a zero byte */
    uint64_t at = end + COMMIT_HEAD_LEN;
    while (at < frame_end) {
        uint64_t border = sector_end(at);
        size_t n = (size_t)((border < frame_end ? border : frame_end) - at);
        const char *bytes;
        enum err e = window_get(w, at, n, &bytes);
        if (e != ERR_OK)
            return e == ERR_NOT_FOUND ? ERR_OK : e;
        if (all_zero(bytes, n))
            return ERR_OK;
        at += n;
    }
    *ret_torn = false;
    return ERR_OK;
}

enum err tear_judge(struct window *w, uint64_t end,
                    const struct commit_head *head, struct tear *ret)
{
    window_forget(w);
    struct tail t;
    enum err e = look(w, end, &t);
    if (e != ERR_OK)
        return e;
    *ret = (struct tear){.bytes = t.last - end};
    if (t.last == end)
        return ERR_OK;
    if (t.frames_follow) {
        ret->what = "a damaged frame, and good ones that follow it";
        return ERR_CORRUPT;
    }
    bool torn;
    e = head == NULL ? judge_head(w, end, &t, &torn)
                     : judge_body(w, end, head, &t, &torn);
    if (e == ERR_OK && !torn) {
        ret->what = head == NULL ? "the head of a frame is damaged"
                                 : "the entries of a frame are damaged";
        e = ERR_CORRUPT;
    }
    return e;
}
