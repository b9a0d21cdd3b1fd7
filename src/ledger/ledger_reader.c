/* ledger_reader.c - see ledger_reader.h. */
#include "ledger/ledger_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "ledger/scan.h"
#include "os/file.h"

struct ledger_reader {
    int dir;
    int fd; /* of the current segment, or -1 */
    struct scan scan;
    uint64_t next;      /* index to be given next */
    uint64_t at;        /* index of the record that `records` starts with */
    struct str records; /* what is left of the current frame */
    int64_t wall_us;
    uint64_t quiet_end; /* looked at in full: here the log ended */
    struct segment_trouble trouble;
};

enum err ledger_reader_open(const char *dir, struct ledger_reader **ret)
{
    struct ledger_reader *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return ERR_NO_MEMORY;
    r->dir = r->fd = -1;
    int top = -1;
    enum err e = file_open_dir(FILE_CWD, dir, &top);
    if (e == ERR_OK)
        e = file_open_dir(top, SEGMENT_FOLDER, &r->dir);
    if (top >= 0)
        (void)close(top);
    if (e != ERR_OK) {
        ledger_reader_close(r);
        return e;
    }
    *ret = r;
    return ERR_OK;
}

static void leave_segment(struct ledger_reader *r)
{
    if (r->fd < 0)
        return;
    scan_release(&r->scan);
    (void)close(r->fd);
    r->fd = -1;
    r->records = (struct str){NULL, 0};
    r->quiet_end = 0;
}

void ledger_reader_close(struct ledger_reader *r)
{
    if (r == NULL)
        return;
    leave_segment(r);
    if (r->dir >= 0)
        (void)close(r->dir);
    free(r);
}

/* ERR_NOT_FOUND: there is no such segment (yet). */
static enum err enter_segment(struct ledger_reader *r, uint64_t first_index)
{
    leave_segment(r);
    r->trouble = (struct segment_trouble){0};
    segment_name(first_index, r->trouble.file);
    r->fd = openat(r->dir, r->trouble.file, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    scan_init(&r->scan, r->fd);
    enum err e = scan_header(&r->scan, first_index, &r->trouble);
    if (e != ERR_OK)
        leave_segment(r);
    r->at = first_index;
    return e;
}

enum err ledger_reader_seek(struct ledger_reader *r, uint64_t index)
{
    uint64_t *firsts = NULL;
    size_t count = 0;
    enum err e = segment_list(r->dir, &firsts, &count, &r->trouble);
    if (e != ERR_OK)
        return e;
    size_t i = count;
    while (i > 0 && firsts[i - 1] > index)
        i--;
    leave_segment(r);
    r->next = index;
    if (i > 0)
        e = enter_segment(r, firsts[i - 1]);
    else if (count > 0) {
        r->trouble.what = "the segment that has this entry is missing";
        e = ERR_CORRUPT;
    }
    free(firsts);
    return e;
}

/* While nothing is written, a look at the place of the next head is enough;
 * to search the rest of the segment each time would be work for nothing. */
static bool still_quiet(struct ledger_reader *r)
{
    static const char zeros[COMMIT_HEAD_LEN];
    const char *at;
    if (r->scan.sealed || r->quiet_end != r->scan.end)
        return false;
    window_forget(&r->scan.window);
    enum err e = window_get(&r->scan.window, r->scan.end, COMMIT_HEAD_LEN, &at);
    return e == ERR_NOT_FOUND ||
           (e == ERR_OK && memcmp(at, zeros, COMMIT_HEAD_LEN) == 0);
}

/* The segment has ended; is there a next one? */
static enum err go_on(struct ledger_reader *r, bool *ret_again)
{
    char name[SEGMENT_NAME_LEN + 1];
    segment_name(r->scan.tree.size, name);
    *ret_again = false;
    if (faccessat(r->dir, name, R_OK, 0) != 0 ||
        r->scan.tree.size == r->scan.header.first_index) {
        r->quiet_end = r->scan.end;
        return ERR_NOT_FOUND;
    }
    *ret_again = true;
    if (r->scan.sealed)
        return enter_segment(r, r->scan.tree.size);
    if (r->quiet_end == UINT64_MAX) {
        r->trouble.offset = r->scan.end;
        r->trouble.index = r->scan.tree.size;
        r->trouble.what = "it has no seal, yet a segment follows";
        return ERR_CORRUPT;
    }
    /* The seal was written while we looked: once more. */
    r->quiet_end = UINT64_MAX;
    window_forget(&r->scan.window);
    return ERR_OK;
}

/* The next frame that has entries, in this segment or a later one. */
static enum err next_frame(struct ledger_reader *r)
{
    if (r->fd < 0) {
        enum err e = ledger_reader_seek(r, r->next);
        if (e != ERR_OK)
            return e;
        if (r->fd < 0)
            return ERR_NOT_FOUND;
    }
    for (;;) {
        if (still_quiet(r))
            return ERR_NOT_FOUND;
        struct scan_frame f;
        enum err e = scan_next(&r->scan, true, &f, &r->trouble);
        if (e == ERR_OK && f.head.count > 0) {
            r->records = f.records;
            r->at = f.head.first_index;
            r->wall_us = f.head.wall_us;
            return ERR_OK;
        }
        bool again = e == ERR_OK; /* that was the seal */
        if (e == ERR_NOT_FOUND)
            e = go_on(r, &again);
        if (e != ERR_OK || !again)
            return e;
    }
}

enum err ledger_reader_next(struct ledger_reader *r, struct ledger_entry *ret)
{
    for (;;) {
        struct str text;
        while (commit_next_record(&r->records, &text)) {
            uint64_t index = r->at++;
            if (index < r->next)
                continue;
            *ret = (struct ledger_entry){index, text, r->wall_us};
            r->next = index + 1;
            return ERR_OK;
        }
        enum err e = next_frame(r);
        if (e != ERR_OK)
            return e;
    }
}

const struct segment_trouble *
ledger_reader_trouble(const struct ledger_reader *r)
{
    return &r->trouble;
}

enum err ledger_reader_size(struct ledger_reader *r, uint64_t *ret)
{
    enum err e = ledger_reader_seek(r, UINT64_MAX);
    if (e != ERR_OK)
        return e;
    if (r->fd >= 0)
        e = next_frame(r);
    while (e == ERR_OK)
        e = next_frame(r);
    if (e != ERR_NOT_FOUND)
        return e;
    *ret = r->fd >= 0 ? r->scan.tree.size : 0;
    return ERR_OK;
}
