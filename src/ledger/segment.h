/*
 * segment.h - a file of the log: its name, its header, its seal.
 *
 * `segments/<first index, 20 digits>.seg` is a header block, then frames
 * (commit.h) back to back, then zeros up to the preallocated size while it is
 * written to.  A finished segment ends with a seal and is cut to its length.
 * The header and the seal hold the state of the log at that point: the
 * frontier of the tree and the open intents.  Layout: docs/ledger-format.md.
 */
#ifndef LEDGER_SEGMENT_H
#define LEDGER_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "ledger/commit.h"
#include "ledger/intents.h"
#include "ledger/tree.h"
#include "ledger/window.h"

enum { SEGMENT_VERSION = 1, SEGMENT_NAME_LEN = 24, SEGMENT_BLOCK = 4096 };
#define SEGMENT_BYTES (32 * MIB)
#define SEGMENT_HEADER_MAX (COMMIT_NOTES_MAX + 16 * KIB)
#define SEGMENT_FOLDER "segments"
#define SEGMENT_NEXT "next" /* the one being prepared */

/* Where and why a log is not one; texts are static. */
struct segment_trouble {
    char file[SEGMENT_NAME_LEN + 1]; /* empty: the folder itself */
    uint64_t offset;                 /* bytes from its start */
    uint64_t index;                  /* of the entry that should be there */
    const char *what;                /* NULL: nothing found */
};

struct segment_header {
    uint64_t first_index;
    int64_t created_us; /* Unix time */
    uint32_t len;       /* of the header block; set by put and get */
    char node_text[NAME_MAX_LEN];
    size_t node_len;
};

static inline struct str segment_node(const struct segment_header *h)
{
    return (struct str){h->node_text, h->node_len};
}

/* "00000000000000000000.seg" and a NUL. */
void segment_name(uint64_t first_index, char to[SEGMENT_NAME_LEN + 1]);
MUST_CHECK bool segment_name_index(struct str name, uint64_t *ret);

/* The first indices of all segments of a folder, ascending; free() them.
 * ERR_CORRUPT: a name ends in .seg and is none (set in *trouble). */
MUST_CHECK enum err segment_list(int dir, uint64_t **ret, size_t *ret_count,
                                 struct segment_trouble *trouble);

/* One hash for the whole state, to compare; ERR_NO_MEMORY. */
MUST_CHECK enum err segment_state_hash(const struct tree *t,
                                       const struct intents *open,
                                       struct hash *ret);

/* The bytes a seal of this state has, head included. */
size_t segment_seal_len(uint64_t tree_size, size_t open_count);

/* Appends the header block; `h->len` is set.  Check buf_ok(). */
void segment_put_header(struct buf *to, struct segment_header *h,
                        const struct tree *t, const struct intents *open);

/*
 * Reads and checks the header block.  `open` is filled (and was empty).
 * ERR_UNSUPPORTED: a newer version.  ERR_CORRUPT, with *ret_what.
 */
MUST_CHECK enum err segment_get_header(struct window *w,
                                       struct segment_header *ret,
                                       struct tree *ret_tree,
                                       struct intents *open,
                                       const char **ret_what);

/* Where and when a seal is written. */
struct segment_seal {
    uint64_t offset, durable;
    int64_t wall_us;
};

/* Appends the whole seal frame.  Check buf_ok(). */
void segment_put_seal(struct buf *to, struct segment_seal s,
                      const struct tree *t, const struct intents *open);

/* The state in a seal's notes, whose hash was checked; `open` is filled (and
 * was empty).  ERR_CORRUPT, ERR_NO_MEMORY. */
MUST_CHECK enum err segment_get_seal(const struct commit_head *head,
                                     uint64_t offset, struct str notes,
                                     struct tree *ret_tree,
                                     struct intents *open);

/*
 * Finds the seal from the end of the file, without reading what is before
 * it.  ERR_NOT_FOUND: the file does not end with one.
 */
MUST_CHECK enum err segment_find_seal(int fd, struct commit_head *ret,
                                      uint64_t *ret_offset,
                                      struct tree *ret_tree,
                                      struct intents *open);

#endif
