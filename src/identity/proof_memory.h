/* proof_memory.h - how a proof is kept; used by identity/ only. */
#ifndef IDENTITY_PROOF_MEMORY_H
#define IDENTITY_PROOF_MEMORY_H

#include "identity/proof.h"

/* Groups of one person; a token with more is refused. */
enum { PROOF_GROUPS_MAX = 64 };

/*
 * A proof with one reference and copies of all that `draft` borrows, in one
 * piece of memory; NULL: no memory.
 */
MUST_CHECK struct proof *proof_memory_new(const struct proof *draft);

/* Wipes; for the last one who has it. */
void proof_memory_free(struct proof *p);

/* "<8 bytes in hex>" of SHA-256 of a credential, which it names in evidence. */
enum { PROOF_FINGERPRINT_LEN = 16 };
void proof_memory_fingerprint(struct str credential,
                              char to[PROOF_FINGERPRINT_LEN]);

/* As what a principal of that kind takes part. */
enum link_role proof_memory_role(enum principal_kind kind);

#endif
