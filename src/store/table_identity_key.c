/* table_identity_key.c - the statements of table `identity_key`. */
#include "store/table_identity_key.h"

static const struct store_sql put = {
    "INSERT INTO identity_key (hmac, id, kind, fingerprint, expires_us)"
    " VALUES ($1, $2, $3, $4, $5)"
    " ON CONFLICT (hmac) DO UPDATE SET id = excluded.id,"
    " kind = excluded.kind, fingerprint = excluded.fingerprint,"
    " expires_us = excluded.expires_us",
    5};

static const struct store_sql clear = {
    "DELETE FROM identity_key WHERE id = $1 AND kind = $2", 2};

/* CROSS JOIN, so that SQLite looks up the keys of each identity of the page:
 * else it may read all keys for every page. */
static const struct store_sql page = {
    "SELECT k.hmac, k.id, k.kind, k.fingerprint, k.expires_us FROM"
    " (SELECT id, kind FROM identity WHERE (id, kind) > ($1, $2)"
    " ORDER BY id, kind LIMIT $3) AS i"
    " CROSS JOIN identity_key AS k WHERE k.id = i.id AND k.kind = i.kind"
    " ORDER BY i.id, i.kind, k.expires_us, k.hmac",
    3};

enum err table_identity_key_put(struct store_batch *b,
                                const struct table_identity_key *k)
{
    const struct store_value values[] = {store_blob(k->hmac), store_text(k->id),
                                         store_text(k->kind),
                                         store_text(k->fingerprint),
                                         store_int(k->expires_us)};
    return store_batch_add(b, &put, values, 5);
}

enum err table_identity_key_clear(struct store_batch *b, struct str id,
                                  struct str kind)
{
    const struct store_value values[] = {store_text(id), store_text(kind)};
    return store_batch_add(b, &clear, values, 2);
}

enum err table_identity_key_page(struct store_batch *b, struct str id,
                                 struct str kind, int64_t max)
{
    const struct store_value values[] = {store_text(id), store_text(kind),
                                         store_int(max)};
    return store_batch_add(b, &page, values, 3);
}

bool table_identity_key_read(const struct store_value *columns, size_t n,
                             struct table_identity_key *ret)
{
    static const enum store_type types[] = {STORE_BLOB, STORE_TEXT, STORE_TEXT,
                                            STORE_TEXT, STORE_INT};
    if (n != ARRAY_LEN(types))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (columns[i].type != types[i])
            return false;
    }
    *ret = (struct table_identity_key){.hmac = columns[0].bytes,
                                       .id = columns[1].bytes,
                                       .kind = columns[2].bytes,
                                       .fingerprint = columns[3].bytes,
                                       .expires_us = columns[4].number};
    return true;
}
