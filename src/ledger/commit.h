/*
 * commit.h - one frame of a segment: what one write and one fdatasync made
 * durable.  Bytes and back, no I/O.  The layout is in docs/ledger-format.md.
 *
 *     head (COMMIT_HEAD_LEN) | notes | records
 *
 * A frame of entries has the bundle records of C2SP tlog-tiles (u16 length,
 * then the entry) and notes that say which entries open an intent and which
 * intents are closed.  A seal ends a segment: no records, and the state of
 * the log as its notes (segment.h).
 *
 * The root in the head vouches for the records, `notes_hash` for the notes,
 * the head's own hash for the head.
 */
#ifndef LEDGER_COMMIT_H
#define LEDGER_COMMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/limits.h"
#include "base/str.h"
#include "crypto/hash.h"

enum { COMMIT_HEAD_LEN = 144, COMMIT_MAGIC_LEN = 4 };

/* 0xF7 occurs in no UTF-8 text, so no entry can look like a frame. */
#define COMMIT_MAGIC "\xF7WF\x01"

/* Entries and record bytes of one frame; a seal's notes hold up to
 * INTENTS_MAX indices. */
enum { COMMIT_COUNT_MAX = 16384 };
#define COMMIT_RECORDS_MAX (4 * MIB)
#define COMMIT_NOTES_MAX (8 * MIB)

enum { COMMIT_RECORD_HEAD = 2 }; /* the length of an entry */

enum commit_flags {
    COMMIT_SEAL = 1,  /* the last frame of its segment */
    COMMIT_EARLY = 2, /* acknowledged before it was durable */
};

struct commit_head {
    uint32_t flags;
    uint64_t first_index; /* of its first entry; the tree size before it */
    int64_t wall_us;
    uint64_t durable; /* bytes of the segment known durable at the write */
    uint32_t count;   /* entries */
    uint32_t notes_len, records_len;
    struct hash notes_hash;
    struct hash root; /* of the tree after this frame */
};

static inline uint64_t commit_len(const struct commit_head *h)
{
    return (uint64_t)COMMIT_HEAD_LEN + h->notes_len + h->records_len;
}

void commit_put_head(const struct commit_head *h, char to[COMMIT_HEAD_LEN]);

/* False unless these are the bytes of a head, with lengths in bounds. */
MUST_CHECK bool commit_get_head(const char from[COMMIT_HEAD_LEN],
                                struct commit_head *ret);

/* True when the ledger takes these bytes as an entry: 1 to ENTRY_MAX bytes,
 * none of them NUL (a frame never ends in zeros) or 0xF7. */
bool commit_entry_ok(struct str entry);

/* Takes the next record off `*left`; false at the end or when malformed,
 * which differ in left->len. */
MUST_CHECK bool commit_next_record(struct str *left, struct str *ret_entry);

/*
 * The notes of a frame of entries: one bit per entry, most significant
 * first, set when it opens an intent; then the closed indices, eight bytes
 * each.
 */
struct commit_notes {
    struct str opens;
    struct str closes;
};
size_t commit_opens_len(size_t count);
/* False when the length does not fit `count`, or a spare bit is set. */
MUST_CHECK bool commit_get_notes(struct str notes, uint32_t count,
                                 struct commit_notes *ret);
bool commit_opens(const struct commit_notes *n, uint32_t entry);
size_t commit_closes_count(const struct commit_notes *n);
uint64_t commit_closes_at(const struct commit_notes *n, size_t i);

#endif
