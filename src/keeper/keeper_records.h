/*
 * keeper_records.h - the wrapped payload keys of sessions, in one file.
 *
 * `payload.keys` is a row of records of KEEPER_RECORD_LEN bytes, appended in
 * batches: records are staged, then committed with one write and one
 * fdatasync.  A record that was not committed is not known to anyone, so
 * what a crash leaves of the last batch is cut when the file is opened.
 *
 *     offset  bytes
 *          0      4  "WPK1"
 *          4      4  zero
 *          8     16  session id
 *         24      8  created, Unix time in microseconds, big-endian
 *         32     12  nonce
 *         44     32  the key, encrypted under the node's payload key
 *         76     16  tag; the session id is what it also authenticates
 *         92      4  checksum of the bytes before
 */
#ifndef KEEPER_KEEPER_RECORDS_H
#define KEEPER_KEEPER_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/siphash.h"
#include "crypto/seal.h"
#include "keeper/keeper_protocol.h"

#define KEEPER_RECORDS_FILE "payload.keys"

enum {
    KEEPER_RECORD_LEN = 96,
    KEEPER_BATCH_MAX = 1024, /* records of one commit */
};

struct keeper_record {
    unsigned char session_id[KEEPER_SESSION_ID_LEN];
    int64_t created_us;
    struct seal_stamp stamp;
    unsigned char wrapped[KEEPER_KEY_LEN];
};

struct keeper_records;

/* What opening found. */
struct keeper_records_found {
    size_t records;
    size_t cut_bytes; /* of a last batch that was never committed */
};

/*
 * Opens or makes the file in the folder `dir`; `seed` is for the index.  It
 * is to be read next, see keeper_records_load().  ERR_LIMIT: it holds more
 * than KEEPER_SESSIONS_MAX.  ERR_IO.  ERR_NO_MEMORY.
 */
MUST_CHECK enum err keeper_records_open(int dir, struct siphash_key seed,
                                        struct keeper_records **ret);

/*
 * Reads on, by about `n` records, so that a node with a million sessions need
 * not wait for them to start: call it until keeper_records_loaded().  Only
 * then may sessions be looked up and added.  ERR_CORRUPT: the file is damaged
 * before its last batch.  ERR_IO.
 */
MUST_CHECK enum err keeper_records_load(struct keeper_records *r, size_t n);
bool keeper_records_loaded(const struct keeper_records *r);
struct keeper_records_found
keeper_records_found(const struct keeper_records *r);

void keeper_records_close(struct keeper_records *r); /* NULL is allowed */

/* True when the session has a record, staged ones included. */
bool keeper_records_has(const struct keeper_records *r,
                        const unsigned char id[KEEPER_SESSION_ID_LEN]);

/*
 * A record of a session that has none.  ERR_LIMIT: the batch or the file is
 * full.  ERR_IO: a commit failed for good.  ERR_NO_MEMORY.
 */
MUST_CHECK enum err keeper_records_stage(struct keeper_records *r,
                                         const struct keeper_record *record);

size_t keeper_records_staged(const struct keeper_records *r);

/*
 * Makes what is staged durable.  On failure nothing of it is kept.
 * ERR_STORE: no space; the file is as before and later commits may work.
 * ERR_IO: what the disk holds is not known; nothing may be committed again.
 */
MUST_CHECK enum err keeper_records_commit(struct keeper_records *r);

/*
 * Reads the record at position `i`, from 0, of those committed.
 * ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO.
 */
MUST_CHECK enum err keeper_records_read(const struct keeper_records *r,
                                        size_t i, struct keeper_record *ret);

/*
 * Reads the record of a session.  ERR_NOT_FOUND: it has none that is
 * committed.  ERR_CORRUPT, ERR_IO.
 */
MUST_CHECK enum err
keeper_records_find(const struct keeper_records *r,
                    const unsigned char id[KEEPER_SESSION_ID_LEN],
                    struct keeper_record *ret);

#endif
