/* payload.c - see payload.h. */
#include "pipeline/payload.h"

#include "pipeline/action.h"
#include "pipeline/snapshot.h"
#include "pipeline/worker.h"
#include "session/session.h"

void payload_keys_release(struct payload_keys *k)
{
    for (size_t i = 0; i < PAYLOAD_KEYS; i++) {
        hmac_key_free(k->slots[i].key);
        k->slots[i].key = NULL;
    }
}

/* Ids are random, so their first byte spreads well. */
static struct hmac_key *key_of(const struct action *a)
{
    struct payload_keys *k = &a->worker->payload_keys;
    const unsigned char *id = session_id(a->session);
    size_t at = id[0] % PAYLOAD_KEYS;

    if (k->slots[at].key != NULL &&
        memcmp(k->slots[at].session, id, sizeof(k->slots[at].session)) == 0)
        return k->slots[at].key;
    hmac_key_free(k->slots[at].key);
    k->slots[at].key = hmac_key_new(session_payload_key(a->session));
    memcpy(k->slots[at].session, id, sizeof(k->slots[at].session));
    return k->slots[at].key;
}

static bool wanted(const struct action *a)
{
    return a->snapshot->settings.ledger.payloads == PAYLOADS_HASH;
}

bool payload_hmac(const struct action *a, struct str bytes,
                  unsigned char ret[HASH_LEN])
{
    if (!wanted(a))
        return false;
    struct hash h = hmac_sha256(key_of(a), &bytes, 1);
    memcpy(ret, h.bytes, HASH_LEN);
    return true;
}

void payload_digest_begin(struct payload_digest *d, const struct action *a)
{
    d->on = wanted(a);
    if (d->on)
        hash_stream_begin(&d->stream, key_of(a));
}

void payload_digest_add(struct payload_digest *d, struct str bytes)
{
    if (d->on)
        hash_stream_add(&d->stream, bytes);
}

bool payload_digest_end(struct payload_digest *d, unsigned char ret[HASH_LEN])
{
    if (!d->on)
        return false;
    struct hash h = hash_stream_end(&d->stream);
    memcpy(ret, h.bytes, HASH_LEN);
    d->on = false;
    return true;
}

void payload_digest_drop(struct payload_digest *d)
{
    if (d->on)
        hash_stream_drop(&d->stream);
    d->on = false;
}
