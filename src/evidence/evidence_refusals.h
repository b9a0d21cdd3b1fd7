/*
 * evidence_refusals.h - counts refusals of who is not known.
 *
 * Whoever knocks with bad credentials must not be able to fill the log: there
 * is one entry per reason and source in a window.  The table is bounded; what
 * finds no place in it is counted per reason, for the source "others".
 */
#ifndef EVIDENCE_EVIDENCE_REFUSALS_H
#define EVIDENCE_EVIDENCE_REFUSALS_H

#include "base/siphash.h"
#include "evidence/entry.h"

enum { EVIDENCE_REFUSALS_MAX = 512, EVIDENCE_REFUSALS_SOURCE_MAX = 46 };

struct evidence_refusals_slot {
    uint64_t count; /* 0: free */
    int64_t first_us;
    int64_t first_ms;
    enum err error;
    unsigned char source_len;
    char source[EVIDENCE_REFUSALS_SOURCE_MAX]; /* an address fits */
};

struct evidence_refusals {
    struct siphash_key seed;
    size_t open; /* slots in use, of both tables */
    struct evidence_refusals_slot slots[EVIDENCE_REFUSALS_MAX];
    struct evidence_refusals_slot others[ERR_COUNT];
};

void evidence_refusals_init(struct evidence_refusals *r,
                            struct siphash_key seed);

/* Unix time in microseconds, and the same moment in monotonic ms. */
struct evidence_refusals_time {
    int64_t us;
    int64_t ms;
};
void evidence_refusals_add(struct evidence_refusals *r, enum err e,
                           struct str source, struct evidence_refusals_time at);

/* Receives one count; `f` is borrowed for the call. */
typedef void evidence_refusals_sink(void *user,
                                    const struct evidence_unknown *f);

/* Hands over, and forgets, what began at or before `until_ms`. */
void evidence_refusals_flush(struct evidence_refusals *r, int64_t until_ms,
                             evidence_refusals_sink *sink, void *user);

#endif
