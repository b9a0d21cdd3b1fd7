/* table_session.c - the statements of table `session`. */
#include "store/table_session.h"

static const struct store_sql put = {
    "INSERT INTO session (id, root, node, tenant, issuer, subject, actor,"
    " opened_us, used_us, calls, tokens, closed_us)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0)"
    " ON CONFLICT (id) DO UPDATE SET used_us = excluded.used_us,"
    " calls = excluded.calls, tokens = excluded.tokens",
    11};

static const struct store_sql close_one = {
    "UPDATE session SET closed_us = $2 WHERE id = $1 AND closed_us = 0", 2};

static const struct store_sql list = {
    "SELECT id, root, tenant, issuer, subject, actor, opened_us, used_us,"
    " calls, tokens FROM session"
    " WHERE node = $1 AND closed_us = 0 AND (opened_us, id) > ($2, $3)"
    " ORDER BY opened_us, id LIMIT $4",
    4};

static const struct store_sql forget = {
    "DELETE FROM session WHERE id IN (SELECT id FROM session"
    " WHERE node = $1 AND closed_us > 0 AND closed_us < $2"
    " ORDER BY closed_us LIMIT $3)",
    3};

enum { LIST_COLUMNS = 10, FIRST_TEXT = 2, FIRST_NUMBER = 6 };

static struct store_value count(uint64_t n)
{
    return store_int(n > INT64_MAX ? INT64_MAX : (int64_t)n);
}

enum err table_session_put(struct store_batch *b, struct str node,
                           const struct table_session *s)
{
    const struct store_value values[] = {
        store_blob(s->id),     store_blob(s->root),     store_text(node),
        store_text(s->tenant), store_text(s->issuer),   store_text(s->subject),
        store_text(s->actor),  store_int(s->opened_us), store_int(s->used_us),
        count(s->calls),       count(s->tokens),
    };
    return store_batch_add(b, &put, values, ARRAY_LEN(values));
}

enum err table_session_close(struct store_batch *b, struct str id,
                             int64_t now_us)
{
    const struct store_value values[] = {store_blob(id), store_int(now_us)};
    return store_batch_add(b, &close_one, values, 2);
}

enum err table_session_list(struct store_batch *b, struct str node,
                            int64_t opened_us, struct str id, int64_t limit)
{
    const struct store_value values[] = {store_text(node), store_int(opened_us),
                                         store_blob(id), store_int(limit)};
    return store_batch_add(b, &list, values, 4);
}

static bool is_row(const struct store_value *columns, size_t n)
{
    if (n != LIST_COLUMNS)
        return false;
    for (size_t i = 0; i < LIST_COLUMNS; i++) {
        enum store_type want = STORE_TEXT;
        if (i < FIRST_TEXT)
            want = STORE_BLOB;
        else if (i >= FIRST_NUMBER)
            want = STORE_INT;
        if (columns[i].type != want)
            return false;
    }
    return columns[0].bytes.len == TABLE_SESSION_ID_LEN &&
           columns[1].bytes.len == TABLE_SESSION_ID_LEN &&
           columns[8].number >= 0 && columns[9].number >= 0;
}

bool table_session_read(const struct store_value *columns, size_t n,
                        struct table_session *ret)
{
    if (!is_row(columns, n))
        return false;
    *ret = (struct table_session){
        .id = columns[0].bytes,
        .root = columns[1].bytes,
        .tenant = columns[2].bytes,
        .issuer = columns[3].bytes,
        .subject = columns[4].bytes,
        .actor = columns[5].bytes,
        .opened_us = columns[6].number,
        .used_us = columns[7].number,
        .calls = (uint64_t)columns[8].number,
        .tokens = (uint64_t)columns[9].number,
    };
    return true;
}

enum err table_session_forget(struct store_batch *b, struct str node,
                              int64_t until_us, int64_t limit)
{
    const struct store_value values[] = {store_text(node), store_int(until_us),
                                         store_int(limit)};
    return store_batch_add(b, &forget, values, 3);
}
