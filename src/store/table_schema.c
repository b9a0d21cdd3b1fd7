/*
 * table_schema.c - the versions of the tables.  Types are BIGINT, TEXT and
 * BYTEA, which both understand (for SQLite they are affinities only).
 */
#include "store/table_schema.h"

#include <assert.h>

enum { STEP_STATEMENTS_MAX = 8 };

static const struct store_sql make = {
    "CREATE TABLE IF NOT EXISTS schema_version ("
    " version BIGINT NOT NULL PRIMARY KEY,"
    " applied_us BIGINT NOT NULL)",
    0};

static const struct store_sql find = {
    "SELECT COALESCE(MAX(version), 0) FROM schema_version", 0};

static const struct store_sql note = {
    "INSERT INTO schema_version (version, applied_us) VALUES ($1, $2)", 2};

/* Version 1 is the first row; each ends with a text that is NULL. */
static const struct store_sql steps[][STEP_STATEMENTS_MAX + 1] = {
    {{"CREATE TABLE node ("
      " name TEXT NOT NULL PRIMARY KEY,"
      " first_seen_us BIGINT NOT NULL,"
      " last_start_us BIGINT NOT NULL,"
      " generation BIGINT NOT NULL)",
      0},
     {"CREATE TABLE projection ("
      " name TEXT NOT NULL PRIMARY KEY,"
      " applied BIGINT NOT NULL)",
      0}},
    {{"CREATE TABLE session ("
      " id BYTEA NOT NULL PRIMARY KEY,"
      " root BYTEA NOT NULL,"
      " node TEXT NOT NULL,"
      " tenant TEXT NOT NULL,"
      " issuer TEXT NOT NULL,"
      " subject TEXT NOT NULL,"
      " actor TEXT NOT NULL,"
      " opened_us BIGINT NOT NULL,"
      " used_us BIGINT NOT NULL,"
      " calls BIGINT NOT NULL,"
      " tokens BIGINT NOT NULL,"
      " closed_us BIGINT NOT NULL)", /* 0: open */
      0},
     {"CREATE INDEX session_open ON session (node, opened_us, id)"
      " WHERE closed_us = 0",
      0},
     {"CREATE INDEX session_closed ON session (node, closed_us)"
      " WHERE closed_us > 0",
      0}},
    {{"CREATE TABLE account ("
      " name TEXT NOT NULL PRIMARY KEY,"
      " created_us BIGINT NOT NULL,"
      " salt BYTEA NOT NULL,"
      " hash BYTEA NOT NULL,"
      " totp BYTEA NOT NULL,"
      " totp_step BIGINT NOT NULL)",
      0}},
    {{"CREATE TABLE budget ("
      " node TEXT NOT NULL,"
      " generation BIGINT NOT NULL,"
      " number BIGINT NOT NULL,"
      " limit_name TEXT NOT NULL,"
      " whom TEXT NOT NULL,"
      " window_start_us BIGINT NOT NULL,"
      " window_us BIGINT NOT NULL,"
      " used_requests BIGINT NOT NULL,"
      " used_tokens BIGINT NOT NULL,"
      " PRIMARY KEY (node, generation, number))",
      0},
     {"CREATE TABLE budget_checkpoint ("
      " node TEXT NOT NULL PRIMARY KEY,"
      " generation BIGINT NOT NULL,"
      " from_index BIGINT NOT NULL)",
      0}},
    {{"CREATE TABLE identity ("
      " id TEXT NOT NULL,"
      " kind TEXT NOT NULL,"
      " tenant TEXT NOT NULL,"
      " issuer TEXT NOT NULL,"
      " name TEXT NOT NULL,"
      " owner TEXT NOT NULL,"
      " purposes TEXT NOT NULL,"
      " mode TEXT NOT NULL,"
      " risk BIGINT NOT NULL,"
      " state TEXT NOT NULL,"
      " created_us BIGINT NOT NULL,"
      " expires_us BIGINT NOT NULL,"
      " revision BIGINT NOT NULL,"
      " PRIMARY KEY (id, kind))",
      0},
     {"CREATE TABLE identity_key ("
      " hmac BYTEA NOT NULL PRIMARY KEY,"
      " id TEXT NOT NULL,"
      " kind TEXT NOT NULL,"
      " fingerprint TEXT NOT NULL,"
      " expires_us BIGINT NOT NULL)",
      0},
     {"CREATE INDEX identity_key_of ON identity_key (id, kind)", 0}},
    {{"CREATE TABLE tool ("
      " node TEXT NOT NULL,"
      " server TEXT NOT NULL,"
      " name TEXT NOT NULL,"
      " state TEXT NOT NULL,"
      " pinned TEXT NOT NULL,"
      " offered TEXT NOT NULL,"
      " approved_by TEXT NOT NULL,"
      " first_us BIGINT NOT NULL,"
      " changed_us BIGINT NOT NULL,"
      " PRIMARY KEY (node, server, name))",
      0}},
};

int64_t table_schema_known(void)
{
    return (int64_t)ARRAY_LEN(steps);
}

enum err table_schema_find(struct store_batch *b)
{
    enum err e = store_batch_add(b, &make, NULL, 0);
    return e == ERR_OK ? store_batch_add(b, &find, NULL, 0) : e;
}

bool table_schema_read(const struct store_value *columns, size_t n,
                       int64_t *ret_version)
{
    if (n != 1 || columns[0].type != STORE_INT)
        return false;
    *ret_version = columns[0].number;
    return true;
}

enum err table_schema_step(struct store_batch *b, int64_t version,
                           int64_t now_us)
{
    assert(version >= 1 && version <= table_schema_known());
    const struct store_value values[] = {store_int(version), store_int(now_us)};
    enum err e = store_batch_add(b, &note, values, 2);
    const struct store_sql *step = steps[version - 1];
    for (; e == ERR_OK && step->text != NULL; step++)
        e = store_batch_add(b, step, NULL, 0);
    return e;
}
