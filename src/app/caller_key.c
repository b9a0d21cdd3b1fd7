/* caller_key.c - see caller_key.h. */
#include "app/caller_key.h"

#include <assert.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "identity/proof.h"
#include "keeper/keeper_caller_key.h"
#include "keeper/keeper_keys.h"
#include "os/file.h"

static const struct str prefix = STR_INIT("writ_");
static_assert((int)CALLER_KEY_NODE_LEN == (int)KEEPER_KEY_LEN,
              "it is the keeper's");

static const struct str hash_prefix = STR_INIT("hmac-sha256:");

size_t caller_key_generate(char to[CALLER_KEY_MAX])
{
    unsigned char secret[CALLER_KEY_BYTES];
    hash_random(secret, sizeof(secret));
    memcpy(to, prefix.ptr, prefix.len);
    text_base64url(secret, sizeof(secret), to + prefix.len);
    hash_wipe(secret, sizeof(secret));
    return prefix.len + TEXT_BASE64URL_LEN(CALLER_KEY_BYTES);
}

bool caller_key_usable(struct str key, const char **ret_why)
{
    for (size_t i = 0; i < key.len; i++) {
        if (key.ptr[i] <= ' ' || key.ptr[i] > '~') {
            *ret_why = "it has blanks, control characters or non-ASCII ones";
            return false;
        }
    }
    *ret_why = "it is shorter than 16 characters";
    return key.len >= CALLER_KEY_MIN;
}

/* A running node has made its key long ago; making one takes the lock, so
 * that two never make different ones. */
enum err caller_key_node(const char *data,
                         unsigned char ret_key[CALLER_KEY_NODE_LEN],
                         const char **ret_why)
{
    char keys[FILE_PATH_MAX];
    char path[FILE_PATH_MAX];
    int lock = -1;
    pid_t holder;
    *ret_why = "the path is too long";
    if (snprintf(keys, sizeof(keys), "%s/keys", data) >= (int)sizeof(keys) ||
        snprintf(path, sizeof(path), "%s/keys/" KEEPER_KEYS_FILE, data) >=
            (int)sizeof(path))
        return ERR_LIMIT;
    if (access(path, F_OK) == 0)
        return keeper_caller_key_load(keys, ret_key, ret_why);

    *ret_why = "the directory cannot be made";
    enum err e = file_make_dirs(FILE_CWD, data, 0700);
    if (e != ERR_OK)
        return e;
    *ret_why = "a node or another command is at work in this directory";
    if (snprintf(path, sizeof(path), "%s/lock", data) >= (int)sizeof(path))
        return ERR_LIMIT;
    e = file_lock(FILE_CWD, path, &lock, &holder);
    if (e != ERR_OK)
        return e;
    e = keeper_caller_key_load(keys, ret_key, ret_why);
    (void)close(lock);
    return e;
}

enum err caller_key_hash(const char *data, struct str key,
                         char to[CALLER_KEY_HASH_TEXT], const char **ret_why)
{
    unsigned char secret[KEEPER_KEY_LEN];
    enum err e = caller_key_node(data, secret, ret_why);
    if (e != ERR_OK)
        return e;
    struct hash hash =
        proof_key_hash((struct str){(const char *)secret, sizeof(secret)}, key);
    hash_wipe(secret, sizeof(secret));
    memcpy(to, hash_prefix.ptr, hash_prefix.len);
    text_hex(hash.bytes, HASH_LEN, to + hash_prefix.len);
    to[hash_prefix.len + TEXT_HEX_LEN(HASH_LEN)] = 0;
    return ERR_OK;
}
