/* table_account.c - the statements of table `account`. */
#include "store/table_account.h"

static const struct store_sql get = {
    "SELECT name, created_us, salt, hash, totp, totp_step FROM account"
    " WHERE name = $1",
    1};

static const struct store_sql add = {
    "INSERT INTO account (name, created_us, salt, hash, totp, totp_step)"
    " VALUES ($1, $2, $3, $4, $5, $6)",
    6};

static const struct store_sql take_step = {
    "UPDATE account SET totp_step = $2 WHERE name = $1 AND totp_step < $2"
    " RETURNING name",
    2};

enum err table_account_get(struct store_batch *b, struct str name)
{
    const struct store_value value = store_text(name);
    return store_batch_add(b, &get, &value, 1);
}

enum err table_account_add(struct store_batch *b, const struct table_account *a)
{
    const struct store_value values[] = {
        store_text(a->name), store_int(a->created_us), store_blob(a->salt),
        store_blob(a->hash), store_blob(a->totp),      store_int(a->totp_step),
    };
    return store_batch_add(b, &add, values, 6);
}

enum err table_account_take_step(struct store_batch *b, struct str name,
                                 int64_t step)
{
    const struct store_value values[] = {store_text(name), store_int(step)};
    return store_batch_add(b, &take_step, values, 2);
}

bool table_account_read(const struct store_value *columns, size_t n,
                        struct table_account *ret)
{
    if (n != 6 || columns[0].type != STORE_TEXT ||
        columns[1].type != STORE_INT || columns[2].type != STORE_BLOB ||
        columns[3].type != STORE_BLOB || columns[4].type != STORE_BLOB ||
        columns[5].type != STORE_INT)
        return false;
    *ret = (struct table_account){columns[0].bytes, columns[1].number,
                                  columns[2].bytes, columns[3].bytes,
                                  columns[4].bytes, columns[5].number};
    return true;
}
