/*
 * ledger_proto.h - what a gateway thread and the ledger process say to each
 * other, as frames (codec/frame.h).
 *
 * Every APPEND is answered, in order, by being counted in an ACK or a FAILED.
 * Pure: bytes and back.
 */
#ifndef LEDGER_LEDGER_PROTO_H
#define LEDGER_LEDGER_PROTO_H

#include <assert.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "codec/frame.h"
#include "crypto/hash.h"
#include "ledger/ledger_client.h"

/* Frame types.  Each side closes on a type that is not for it. */
enum ledger_frame {
    LEDGER_APPEND = 0x20,      /* flags; u64 closes; entry */
    LEDGER_ASK_ORPHANS = 0x21, /* nothing */
    LEDGER_ASK_STATS = 0x22,   /* nothing; answered when all is durable */
    LEDGER_ACK = 0x28,         /* u64 first index; a leaf hash per entry */
    LEDGER_FAILED = 0x29,      /* u32 entries */
    LEDGER_ORPHANS = 0x2a,     /* u64 indices; flag: that was the last */
    LEDGER_STATS = 0x2b,       /* struct ledger_stats in its order */
};

static_assert((int)LEDGER_APPEND >= (int)FRAME_OWN_MIN, "no common type");

enum { LEDGER_FLAG_AWAITED = 1, LEDGER_FLAG_OPENS = 2, LEDGER_FLAG_LAST = 4 };

/* The largest payload a client may send. */
#define LEDGER_APPEND_MAX (sizeof(uint64_t) + ENTRY_MAX)

/* Indices in one ORPHANS, entries in one ACK. */
enum { LEDGER_ORPHANS_MAX = 65536, LEDGER_ACK_MAX = 65536 };

void ledger_proto_put_append(struct buf *to, const struct ledger_append *a);
/* ERR_MALFORMED: unknown flags, or no entry. */
MUST_CHECK enum err ledger_proto_get_append(const struct frame *f,
                                            struct ledger_append *ret);

struct ledger_ack {
    uint64_t first_index;
    uint32_t count;
    struct str leaves; /* count * HASH_LEN bytes */
};
/* Leaves room for `count` hashes and returns where they go, or NULL. */
char *ledger_proto_put_ack(struct buf *to, uint64_t first_index,
                           uint32_t count);
MUST_CHECK enum err ledger_proto_get_ack(const struct frame *f,
                                         struct ledger_ack *ret);

void ledger_proto_put_failed(struct buf *to, uint32_t count);
MUST_CHECK enum err ledger_proto_get_failed(const struct frame *f,
                                            uint32_t *ret_count);

void ledger_proto_put_stats(struct buf *to, const struct ledger_stats *s);
MUST_CHECK enum err ledger_proto_get_stats(const struct frame *f,
                                           struct ledger_stats *ret);

#endif
