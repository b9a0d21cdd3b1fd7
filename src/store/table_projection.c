/* table_projection.c - the statements of table `projection`. */
#include "store/table_projection.h"

/* -1 is TABLE_PROJECTION_NONE. */
static const struct store_sql begin = {
    "INSERT INTO projection (name, applied) VALUES ($1, -1)"
    " ON CONFLICT (name) DO NOTHING",
    1};

/* No row may hold NULL there, so that going back is a constraint's refusal:
 * it takes the whole batch along without a question and an answer first. */
static const struct store_sql advance = {
    "UPDATE projection SET applied ="
    " CASE WHEN applied < $2 THEN $2 ELSE NULL END WHERE name = $1",
    2};

static const struct store_sql get = {
    "SELECT name, applied FROM projection WHERE name = $1", 1};

enum err table_projection_claim(struct store_batch *b, struct str name,
                                int64_t index)
{
    const struct store_value values[] = {store_text(name), store_int(index)};
    enum err e = store_batch_add(b, &begin, values, 1);
    return e == ERR_OK ? store_batch_add(b, &advance, values, 2) : e;
}

enum err table_projection_get(struct store_batch *b, struct str name)
{
    const struct store_value value = store_text(name);
    return store_batch_add(b, &get, &value, 1);
}

bool table_projection_read(const struct store_value *columns, size_t n,
                           struct table_projection *ret)
{
    if (n != 2 || columns[0].type != STORE_TEXT || columns[1].type != STORE_INT)
        return false;
    *ret = (struct table_projection){columns[0].bytes, columns[1].number};
    return true;
}
