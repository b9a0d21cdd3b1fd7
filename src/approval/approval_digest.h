/*
 * approval_digest.h - exactly this action (rule 17).
 *
 * SHA-256 over canonical JSON {tenant, chain [(kind, issuer, id)], session
 * tree, action, resource, pinned tool digest, outgoing arguments, allowed
 * destinations, credential audience, purpose, task}; ids of JSON-RPC, of
 * traces and headers are left out.
 */
#ifndef APPROVAL_APPROVAL_DIGEST_H
#define APPROVAL_APPROVAL_DIGEST_H

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "crypto/hash.h"
#include "domain/principal.h"

enum { APPROVAL_SESSION_LEN = 16 };

struct approval_action {
    struct str tenant;
    const struct chain *chain;
    const unsigned char *session_root; /* APPROVAL_SESSION_LEN bytes */
    struct str action, resource_type, resource;
    const struct hash *tool; /* what is pinned; NULL: no tool */
    struct str arguments;    /* canonical JSON of what goes out; or empty */
    const struct str *destinations; /* a set: their order is no matter */
    unsigned destination_count;
    struct str audience, purpose, task; /* or empty */
};

/* ERR_NO_MEMORY; ERR_LIMIT: hundreds of destinations; ERR_MALFORMED: a text is
 * no UTF-8. */
MUST_CHECK enum err approval_digest(const struct approval_action *a,
                                    struct hash *ret);

#endif
