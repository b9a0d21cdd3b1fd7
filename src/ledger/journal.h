/*
 * journal.h - the log as its one writer sees it: open, add, commit.
 *
 *     journal_open();                     recovers, or refuses
 *     journal_add() ...                   in memory; index and leaf are known
 *     journal_commit();                   one write, one fdatasync
 *     journal_prepare();                  when there is time
 *     journal_close();                    seals
 *
 * A failure to write or to sync is final: every later call fails.  What the
 * disk holds is then known only to the next journal_open(), which writes the
 * last frame anew before anything is built on it; a failed fdatasync is never
 * asked again.
 *
 * One thread; one writer per folder (the caller has the data directory's
 * lock).
 */
#ifndef LEDGER_JOURNAL_H
#define LEDGER_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "crypto/hash.h"
#include "ledger/intents.h"
#include "ledger/segment.h"
#include "ledger/tree.h"

struct journal;

#define JOURNAL_NONE UINT64_MAX

struct journal_options {
    const char *dir;      /* the ledger's folder; created if need be */
    struct str node;      /* the log's name, at most NAME_MAX_LEN bytes; an
                             existing log must have the same */
    size_t segment_bytes; /* 0: SEGMENT_BYTES */
    bool early;           /* commits are not synced; see journal_sync() */
};

/*
 * Opens or creates the log; recovers what a crash left (docs/ledger-format.md
 * has the rules).  ERR_CORRUPT, ERR_UNSUPPORTED, ERR_CONFIG (another node's
 * log): `*trouble` says where and why.  ERR_IO, ERR_NO_MEMORY.
 */
MUST_CHECK enum err journal_open(const struct journal_options *o,
                                 struct segment_trouble *trouble,
                                 struct journal **ret);

/* Seals the last segment and frees; an empty one stays as it is.  What was
 * added and not committed is lost.  NULL is allowed. */
enum err journal_close(struct journal *j);

/* Frees and leaves the files as they are, as a crash would. */
void journal_abandon(struct journal *j);

struct journal_entry {
    struct str text;
    bool opens;
    uint32_t owner;  /* of what it opens; not INTENTS_ORPHAN */
    uint64_t closes; /* or JOURNAL_NONE; an index that is not open is fine */
};

/* True when an entry of `len` bytes fits the pending commit. */
bool journal_has_room(const struct journal *j, size_t len);

/*
 * Adds to the pending commit, which must have room.  ERR_MALFORMED: not an
 * entry (commit_entry_ok()).  ERR_LIMIT: too many open intents.
 */
MUST_CHECK enum err journal_add(struct journal *j,
                                const struct journal_entry *e,
                                uint64_t *ret_index);

size_t journal_pending(const struct journal *j);

/* The leaf hash of an entry of the pending or, until the next journal_add(),
 * of the last commit. */
const struct hash *journal_leaf(const struct journal *j, uint64_t index);

/* Makes what is pending durable.  ERR_IO, for ever. */
MUST_CHECK enum err journal_commit(struct journal *j, int64_t wall_us);

/* With `early`: makes durable what was committed since the last time. */
MUST_CHECK enum err journal_sync(struct journal *j);

/* Preallocates the next segment when the current one is half full; failure
 * is not final here, it will be tried again when the segment is needed. */
void journal_prepare(struct journal *j);

/* After a failure, the errno of the call that failed; else 0. */
int journal_errno(const struct journal *j);

/* What was committed so far. */
const struct tree *journal_tree(const struct journal *j);
struct intents *journal_open_intents(struct journal *j);

struct journal_counts {
    uint64_t syncs;     /* fdatasync calls of commits */
    uint64_t entries;   /* committed since the journal was opened */
    uint64_t cut_bytes; /* of a torn write, removed by journal_open() */
};
struct journal_counts journal_counts(const struct journal *j);

#endif
