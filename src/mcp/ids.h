/*
 * ids.h - the requests that are under way on one connection to a peer.
 *
 * Several callers share a connection, and each chooses ids as it likes.  So
 * none of their ids goes out: a request goes out under a number of ours, and
 * the answer comes back under the id that the caller chose.  A progress token
 * is treated alike: what goes out is the same number.
 *
 *     ids_add()    before a request is sent
 *     ids_find()   progress, and cancellation by the peer
 *     ids_find_of() cancellation by the caller
 *     ids_take()   when the answer has come; an answer that nobody asked for,
 *                  or that comes a second time, finds nothing
 *
 * A number is used once in the life of a table.  Not thread-safe.
 */
#ifndef MCP_IDS_H
#define MCP_IDS_H

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/map.h"
#include "mcp/message.h"

struct ids_entry {
    uint64_t number;         /* the id that goes out */
    uint64_t owner;          /* whose request it is */
    struct message_id id;    /* the id that the owner chose */
    struct message_id token; /* the owner's progress token, or none */
    unsigned tag;            /* the user's, such as its enum method */
    void *cookie;            /* the user's, borrowed */
};

struct ids {
    struct map by_number;
    struct map by_id; /* (owner, id); ids without one are not in it */
    uint64_t next;
};

/* Cannot fail and allocates nothing.  At most `max` requests at a time. */
void ids_init(struct ids *t, struct siphash_key seed, size_t max);
/* Frees all entries; cookies are the user's. */
void ids_release(struct ids *t);

/*
 * Adds a copy of `like`, whose number is ignored, and gives the number that
 * goes out.  An id of none is a request of our own.
 * ERR_CONFLICT: the owner has a request of this id under way.  ERR_OVERLOAD:
 * there are `max`.  ERR_NO_MEMORY.
 */
MUST_CHECK enum err ids_add(struct ids *t, const struct ids_entry *like,
                            uint64_t *ret_number);

/* Borrowed until it is taken, or NULL.  `sent` is what the peer calls it: an
 * integer written as we wrote it; a string finds nothing. */
const struct ids_entry *ids_find(const struct ids *t, struct message_id sent);
const struct ids_entry *ids_find_of(const struct ids *t, uint64_t owner,
                                    struct message_id id);

/* Takes it out; the caller frees it by ids_entry_free().  NULL: as above. */
struct ids_entry *ids_take(struct ids *t, struct message_id sent);
/* NULL is allowed. */
void ids_entry_free(struct ids_entry *e);

/* One entry of `owner`, taken out as by ids_take(); NULL when there is none
 * left.  For a caller that has gone; linear in the table. */
struct ids_entry *ids_take_any(struct ids *t, uint64_t owner);

size_t ids_count(const struct ids *t);

#endif
