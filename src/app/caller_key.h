/*
 * caller_key.h - keys of callers, for the commands that make and hash them.
 *
 * The configuration holds a key's HMAC-SHA256 under a key of the node, so
 * that a stolen configuration is of no use for guessing.
 */
#ifndef APP_CALLER_KEY_H
#define APP_CALLER_KEY_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "base/text.h"

enum {
    CALLER_KEY_BYTES = 32, /* of randomness in a generated one */
    CALLER_KEY_MIN = 16,
    CALLER_KEY_MAX = 512,
};

/* "writ_" and base64url; no NUL.  Returns its length. */
size_t caller_key_generate(char to[CALLER_KEY_MAX]);

/* Can it travel in a header, and is it long enough?  False: *ret_why. */
MUST_CHECK bool caller_key_usable(struct str key, const char **ret_why);

/*
 * The node's own key for that, in `data`; made when there is none yet.  The
 * caller wipes it.  Errors as below.
 */
enum { CALLER_KEY_NODE_LEN = 32 };
MUST_CHECK enum err caller_key_node(const char *data,
                                    unsigned char ret[CALLER_KEY_NODE_LEN],
                                    const char **ret_why);

/*
 * "hmac-sha256:<hex>" and a NUL, under the node's key in `data`, which is
 * made when there is none yet.  Errors as keeper_caller_key_load();
 * ERR_OVERLOAD: there is none yet and a node is starting.
 */
enum { CALLER_KEY_HASH_TEXT = 12 + 64 + 1 };
MUST_CHECK enum err caller_key_hash(const char *data, struct str key,
                                    char to[CALLER_KEY_HASH_TEXT],
                                    const char **ret_why);

#endif
