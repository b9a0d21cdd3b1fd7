/* table_node.c - the statements of table `node`. */
#include "store/table_node.h"

static const struct store_sql start = {
    "INSERT INTO node (name, first_seen_us, last_start_us, generation)"
    " VALUES ($1, $2, $2, 1)"
    " ON CONFLICT (name) DO UPDATE SET"
    " last_start_us = excluded.last_start_us,"
    " generation = node.generation + 1"
    " RETURNING name, first_seen_us, last_start_us, generation",
    2};

static const struct store_sql list = {
    "SELECT name, first_seen_us, last_start_us, generation FROM node"
    " ORDER BY name",
    0};

enum err table_node_start(struct store_batch *b, struct str name,
                          int64_t now_us)
{
    const struct store_value values[] = {store_text(name), store_int(now_us)};
    return store_batch_add(b, &start, values, 2);
}

enum err table_node_list(struct store_batch *b)
{
    return store_batch_add(b, &list, NULL, 0);
}

bool table_node_read(const struct store_value *columns, size_t n,
                     struct table_node *ret)
{
    if (n != 4 || columns[0].type != STORE_TEXT)
        return false;
    for (size_t i = 1; i < 4; i++) {
        if (columns[i].type != STORE_INT)
            return false;
    }
    *ret = (struct table_node){columns[0].bytes, columns[1].number,
                               columns[2].number, columns[3].number};
    return true;
}
