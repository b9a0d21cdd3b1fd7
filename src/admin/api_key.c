/* api_key.c - see api_key.h. */
#include "admin/api_key.h"

#include <string.h>

#include "base/text.h"
#include "identity/proof.h"

static const char prefix[] = "writ_";
static const char digits[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

enum { PREFIX_LEN = sizeof(prefix) - 1, BASE = 62 };

/* Divides a number of 32 bytes, the highest first; returns the rest. */
static unsigned divide(unsigned char number[API_KEY_BYTES])
{
    unsigned rest = 0;
    for (size_t i = 0; i < API_KEY_BYTES; i++) {
        unsigned part = rest * 256 + number[i];
        number[i] = (unsigned char)(part / BASE);
        rest = part % BASE;
    }
    return rest;
}

void api_key_write(const unsigned char bytes[API_KEY_BYTES],
                   char to[API_KEY_LEN])
{
    unsigned char number[API_KEY_BYTES];

    memcpy(number, bytes, sizeof(number));
    memcpy(to, prefix, PREFIX_LEN);
    for (size_t i = API_KEY_LEN; i > PREFIX_LEN; i--)
        to[i - 1] = digits[divide(number)];
    hash_wipe(number, sizeof(number));
}

/* The first half of the hash's own hash: it tells keys apart, and nothing of
 * the key. */
static void name_key(struct api_key *key)
{
    const struct str hmac = {(const char *)key->hmac.bytes, HASH_LEN};
    char hex[TEXT_HEX_LEN(HASH_LEN)];

    struct hash h = hash_sha256(&hmac, 1);
    text_hex(h.bytes, HASH_LEN, hex);
    memcpy(key->fingerprint, hex, sizeof(key->fingerprint));
}

void api_key_make(struct str caller_key, struct api_key *ret)
{
    unsigned char bytes[API_KEY_BYTES];

    hash_random(bytes, sizeof(bytes));
    api_key_write(bytes, ret->text);
    hash_wipe(bytes, sizeof(bytes));
    ret->hmac =
        proof_key_hash(caller_key, (struct str){ret->text, sizeof(ret->text)});
    name_key(ret);
}

bool api_key_take(struct str hash, struct api_key *ret)
{
    static const struct str prefix_of_hash = STR_INIT("hmac-sha256:");

    *ret = (struct api_key){0};
    if (!str_starts(hash, prefix_of_hash) ||
        !text_unhex(str_skip(hash, prefix_of_hash.len), ret->hmac.bytes,
                    HASH_LEN))
        return false;
    name_key(ret);
    return true;
}

unsigned api_key_put(const struct registry_entry *e, const struct api_key *key,
                     int64_t now_us, int64_t grace_ms,
                     struct registry_key to[REGISTRY_KEYS_MAX])
{
    int64_t latest_us = now_us + grace_ms * 1000;
    unsigned n = 0;

    for (unsigned i = 0; i < e->key_count; i++) {
        struct registry_key old = e->keys[i];
        if (old.expires_us > latest_us)
            old.expires_us = latest_us;
        if (old.expires_us > now_us)
            to[n++] = old;
    }
    if (n == REGISTRY_KEYS_MAX)
        return 0;
    to[n++] = (struct registry_key){
        .hmac = key->hmac,
        .fingerprint = {key->fingerprint, sizeof(key->fingerprint)},
        .expires_us = e->expires_us,
    };
    return n;
}
