/* table_identity.c - the statements of table `identity`. */
#include "store/table_identity.h"

#define COLUMNS                                                                \
    "id, kind, tenant, issuer, name, owner, purposes, mode, state, risk,"      \
    " created_us, expires_us, revision"
#define INSERT                                                                 \
    "INSERT INTO identity (" COLUMNS ") VALUES"                                \
    " ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"                \
    " ON CONFLICT (id, kind) DO "

enum { TEXTS = 9, NUMBERS = 4, COLUMN_COUNT = TEXTS + NUMBERS };

static const struct store_sql put = {
    INSERT "UPDATE SET tenant = excluded.tenant, issuer = excluded.issuer,"
           " name = excluded.name, owner = excluded.owner,"
           " purposes = excluded.purposes, mode = excluded.mode,"
           " state = excluded.state, risk = excluded.risk,"
           " created_us = excluded.created_us,"
           " expires_us = excluded.expires_us, revision = excluded.revision",
    COLUMN_COUNT};

static const struct store_sql add = {INSERT "NOTHING", COLUMN_COUNT};

static const struct store_sql page = {
    "SELECT " COLUMNS " FROM identity WHERE (id, kind) > ($1, $2)"
    " ORDER BY id, kind LIMIT $3",
    3};

static enum err insert(struct store_batch *b, const struct store_sql *sql,
                       const struct table_identity *row)
{
    const struct store_value values[COLUMN_COUNT] = {
        store_text(row->id),        store_text(row->kind),
        store_text(row->tenant),    store_text(row->issuer),
        store_text(row->name),      store_text(row->owner),
        store_text(row->purposes),  store_text(row->mode),
        store_text(row->state),     store_int(row->risk),
        store_int(row->created_us), store_int(row->expires_us),
        store_int(row->revision)};
    return store_batch_add(b, sql, values, COLUMN_COUNT);
}

enum err table_identity_put(struct store_batch *b,
                            const struct table_identity *row)
{
    return insert(b, &put, row);
}

enum err table_identity_add(struct store_batch *b,
                            const struct table_identity *row)
{
    return insert(b, &add, row);
}

enum err table_identity_page(struct store_batch *b, struct str id,
                             struct str kind, int64_t max)
{
    const struct store_value values[] = {store_text(id), store_text(kind),
                                         store_int(max)};
    return store_batch_add(b, &page, values, 3);
}

bool table_identity_read(const struct store_value *columns, size_t n,
                         struct table_identity *ret)
{
    if (n != COLUMN_COUNT)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (columns[i].type != (i < TEXTS ? STORE_TEXT : STORE_INT))
            return false;
    }
    *ret = (struct table_identity){
        .id = columns[0].bytes,
        .kind = columns[1].bytes,
        .tenant = columns[2].bytes,
        .issuer = columns[3].bytes,
        .name = columns[4].bytes,
        .owner = columns[5].bytes,
        .purposes = columns[6].bytes,
        .mode = columns[7].bytes,
        .state = columns[8].bytes,
        .risk = columns[9].number,
        .created_us = columns[10].number,
        .expires_us = columns[11].number,
        .revision = columns[12].number,
    };
    return true;
}
