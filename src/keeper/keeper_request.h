/*
 * keeper_request.h - what may be asked of the key process, by whom, and how
 * it is answered.
 *
 * One table holds it all (keeper_request.c): a new kind of request is a new
 * row.  A handler sees a payload of exactly the length its row says, from a
 * client whose role the row names; everything else ends the connection.
 */
#ifndef KEEPER_KEEPER_REQUEST_H
#define KEEPER_KEEPER_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "crypto/seal.h"
#include "keeper/keeper_keys.h"
#include "keeper/keeper_protocol.h"
#include "keeper/keeper_records.h"

/* What handlers work on; all of it belongs to the process. */
struct keeper_state {
    const struct keeper_keys *keys;
    struct seal_key *payload; /* of keys->payload */
    struct keeper_records *records;
    enum err load_error; /* of `records`, when a request had to read them */
    int64_t now_us;      /* of this turn */
};

/* Zero is KEEPER_FAILED without a key. */
struct keeper_answer {
    uint16_t type; /* of the request */
    enum keeper_status status;
    bool staged; /* true only once keeper_records_commit() has succeeded */
    unsigned char key[KEEPER_KEY_LEN];
};

/*
 * Answers one frame of a client whose role is `from`.  ERR_MALFORMED: no row
 * of the table fits and the connection is to be closed.
 */
MUST_CHECK enum err keeper_request_handle(struct keeper_state *s,
                                          enum frame_role from,
                                          const struct frame *f,
                                          struct keeper_answer *ret);

/*
 * Appends the frame of an answer, as KEEPER_FAILED when it was staged and
 * not `committed`, and wipes it.
 */
void keeper_request_write(struct buf *to, struct keeper_answer *a,
                          bool committed);

#endif
