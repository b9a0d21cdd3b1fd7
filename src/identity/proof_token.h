/* proof_token.h - from a JWT to a chain; used by identity/ only. */
#ifndef IDENTITY_PROOF_TOKEN_H
#define IDENTITY_PROOF_TOKEN_H

#include "base/arena.h"
#include "identity/issuers.h"
#include "identity/proof.h"

struct proof_token {
    struct proof draft; /* borrowed from the arena and the issuers */
    int64_t until_us;   /* Unix time: it would have to be proven anew */
};

/*
 * As proof_make().  `a` is for what is read.  A signature is checked before
 * anything that the token says matters, so that only who holds a good token
 * can learn what an issuer may assert.
 */
MUST_CHECK enum proof_verdict proof_token_read(struct arena *a,
                                               const struct proof_sources *s,
                                               struct str credential,
                                               struct proof_wish *ret_wish,
                                               struct proof_token *ret);

#endif
