/*
 * keeper_keys.h - the node's own key and what is derived from it.
 *
 * `node.key` holds 32 random bytes.  It is made once and is the root of the
 * data directory: without it no caller's key is known and no payload opens.
 * The root itself leaves memory once the keys below are derived from it.
 */
#ifndef KEEPER_KEEPER_KEYS_H
#define KEEPER_KEEPER_KEYS_H

#include "base/attr.h"
#include "base/err.h"
#include "keeper/keeper_protocol.h"

#define KEEPER_KEYS_FILE "node.key"

struct keeper_keys {
    unsigned char caller[KEEPER_KEY_LEN];  /* hashes API keys of callers */
    unsigned char payload[KEEPER_KEY_LEN]; /* wraps the keys of sessions */
};

/*
 * Reads `node.key` from the open folder `dir`, making it when there is none.
 * The keys are in locked memory (crypto/secret.h).  ERR_CONFIG: others may
 * read the file.  ERR_CORRUPT: it is not one of ours.  ERR_IO.
 * ERR_NO_MEMORY.  On failure *ret_why says what and what to do, for a log.
 */
MUST_CHECK enum err keeper_keys_load(int dir, struct keeper_keys **ret,
                                     const char **ret_why);

/* Wipes; NULL is allowed. */
void keeper_keys_free(struct keeper_keys *keys);

#endif
