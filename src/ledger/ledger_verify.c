/*
 * ledger_verify.c - see ledger_verify.h.
 *
 * Each segment begins with the state of the log, so segments are checked
 * side by side, each from its own header; then the end of each is compared
 * with the beginning of the next.
 */
#include "ledger/ledger_verify.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "ledger/scan.h"
#include "os/file.h"

enum { THREADS_MAX = 16 };

/* What came out of one segment. */
struct result {
    enum err err;
    struct segment_trouble trouble;
    struct segment_header header;
    struct hash state_before, state_after, root;
    uint64_t entries_after; /* the tree's size */
    uint64_t open_intents, torn_bytes;
    int64_t wall_us;
    bool sealed;
};

struct work {
    int dir;
    uint64_t *firsts;
    size_t count;
    struct result *results;
    atomic_size_t next;
    atomic_size_t bad; /* the first bad one so far: later ones do not count */
    atomic_uint_least64_t entries;
};

static enum err check_segment(const struct work *w, size_t i, struct result *r)
{
    segment_name(w->firsts[i], r->trouble.file);
    int fd = openat(w->dir, r->trouble.file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        r->trouble.what = "it cannot be opened";
        return ERR_IO;
    }
    struct scan s;
    scan_init(&s, fd);
    enum err e = scan_header(&s, w->firsts[i], &r->trouble);
    if (e == ERR_OK) {
        r->header = s.header;
        e = segment_state_hash(&s.tree, &s.open, &r->state_before);
    }
    if (e == ERR_OK)
        e = scan_frames(&s, i + 1 == w->count, &r->trouble);
    if (e == ERR_OK)
        e = segment_state_hash(&s.tree, &s.open, &r->state_after);
    r->entries_after = s.tree.size;
    r->root = tree_root(&s.tree);
    r->open_intents = s.open.count;
    r->torn_bytes = s.torn_bytes;
    r->wall_us = s.wall_us;
    r->sealed = s.sealed;
    if (e != ERR_OK && r->trouble.what == NULL)
        r->trouble.what = "it cannot be read";
    scan_release(&s);
    (void)close(fd);
    return e;
}

/* One more segment; false when there is none left. */
static bool check_one(struct work *w)
{
    size_t i = atomic_fetch_add(&w->next, 1);
    if (i >= w->count || i > atomic_load(&w->bad))
        return false;
    struct result *r = &w->results[i];
    r->err = check_segment(w, i, r);
    if (r->err != ERR_OK) {
        size_t bad = atomic_load(&w->bad);
        while (i < bad && !atomic_compare_exchange_weak(&w->bad, &bad, i))
            ;
        return false;
    }
    atomic_fetch_add(&w->entries, r->entries_after - w->firsts[i]);
    return true;
}

static void *run_thread(void *arg)
{
    while (check_one(arg))
        ;
    return NULL;
}

static unsigned thread_count(unsigned wanted, size_t segments)
{
    long here = wanted > 0 ? (long)wanted : sysconf(_SC_NPROCESSORS_ONLN);
    unsigned n = here < 1             ? 1
                 : here > THREADS_MAX ? THREADS_MAX
                                      : (unsigned)here;
    return segments < n ? (unsigned)segments : n;
}

/* All segments, on this thread and some others. */
static void check_all(struct work *w, const struct ledger_verify_options *o)
{
    pthread_t threads[THREADS_MAX];
    unsigned started = 0;
    unsigned n = thread_count(o->threads, w->count);
    /* Fewer threads than wanted only take longer. */
    while (started + 1 < n &&
           pthread_create(&threads[started], NULL, run_thread, w) == 0)
        started++;
    while (check_one(w)) {
        if (o->progress != NULL)
            o->progress(o->user, atomic_load(&w->entries));
    }
    for (unsigned i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
}

static bool same_hash(const struct hash *a, const struct hash *b)
{
    return memcmp(a->bytes, b->bytes, HASH_LEN) == 0;
}

/* Why segment `i` cannot follow the one before it, or NULL. */
static const char *check_joint(const struct work *w, size_t i)
{
    const struct result *r = &w->results[i];
    if (i == 0)
        return w->firsts[0] == 0 ? NULL
                                 : "the segments before this one are missing";
    const struct result *before = r - 1;
    if (!str_eq(segment_node(&r->header), segment_node(&before->header)))
        return "this is a segment of a node with another name";
    if (!same_hash(&r->state_before, &before->state_after))
        return "this does not continue the segment before it";
    return NULL;
}

/* The log as far as this segment is good. */
static void report_state(struct ledger_verify_report *report,
                         const struct result *r)
{
    report->entries = r->entries_after;
    report->root = r->root;
    report->open_intents = r->open_intents;
    report->torn_bytes = r->torn_bytes;
    report->last_wall_us = r->wall_us;
    report->sealed = r->sealed;
}

/* Walks the results in the order of the log, up to the first bad one. */
static enum err sum_up(const struct work *w,
                       struct ledger_verify_report *report)
{
    for (size_t i = 0; i < w->count; i++) {
        const struct result *r = &w->results[i];
        const char *what = r->header.len > 0 ? check_joint(w, i) : NULL;
        if (what != NULL) {
            report->trouble =
                (struct segment_trouble){.index = w->firsts[i], .what = what};
            segment_name(w->firsts[i], report->trouble.file);
            return ERR_CORRUPT;
        }
        if (r->header.len > 0)
            report_state(report, r);
        if (r->err != ERR_OK) {
            report->trouble = r->trouble;
            return r->err;
        }
        report->segments++;
    }
    return ERR_OK;
}

static enum err check_folder(struct work *w,
                             const struct ledger_verify_options *o,
                             struct ledger_verify_report *report)
{
    enum err e = segment_list(w->dir, &w->firsts, &w->count, &report->trouble);
    if (e != ERR_OK || w->count == 0)
        return e;
    w->results = calloc(w->count, sizeof(*w->results));
    if (w->results == NULL)
        return ERR_NO_MEMORY;
    atomic_init(&w->bad, w->count);
    check_all(w, o);
    report->header = w->results[0].header;
    return sum_up(w, report);
}

enum err ledger_verify(const struct ledger_verify_options *o,
                       struct ledger_verify_report *report)
{
    *report = (struct ledger_verify_report){.root = hash_sha256(NULL, 0)};
    struct work w = {.dir = -1};
    int top = -1;
    enum err e = file_open_dir(FILE_CWD, o->dir, &top);
    if (e == ERR_OK)
        e = file_open_dir(top, SEGMENT_FOLDER, &w.dir);
    if (e == ERR_OK)
        e = check_folder(&w, o, report);
    free(w.results);
    free(w.firsts);
    if (w.dir >= 0)
        (void)close(w.dir);
    if (top >= 0)
        (void)close(top);
    return e;
}
