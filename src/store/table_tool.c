/* table_tool.c - the statements of table `tool`. */
#include "store/table_tool.h"

enum { TEXTS = 6, COLUMN_COUNT = TEXTS + 2 };

static const struct store_sql put = {
    "INSERT INTO tool (node, server, name, state, pinned, offered,"
    " approved_by, first_us, changed_us)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
    " ON CONFLICT (node, server, name) DO UPDATE SET state = excluded.state,"
    " pinned = excluded.pinned, offered = excluded.offered,"
    " approved_by = excluded.approved_by, first_us = excluded.first_us,"
    " changed_us = excluded.changed_us",
    9};

static const struct store_sql page = {
    "SELECT server, name, state, pinned, offered, approved_by, first_us,"
    " changed_us FROM tool WHERE node = $1 AND (server, name) > ($2, $3)"
    " ORDER BY server, name LIMIT $4",
    4};

enum err table_tool_put(struct store_batch *b, struct str node,
                        const struct table_tool *t)
{
    const struct store_value values[] = {
        store_text(node),           store_text(t->server),
        store_text(t->name),        store_text(t->state),
        store_text(t->pinned),      store_text(t->offered),
        store_text(t->approved_by), store_int(t->first_us),
        store_int(t->changed_us)};
    return store_batch_add(b, &put, values, ARRAY_LEN(values));
}

enum err table_tool_page(struct store_batch *b, struct str node,
                         struct str server, struct str name, int64_t max)
{
    const struct store_value values[] = {store_text(node), store_text(server),
                                         store_text(name), store_int(max)};
    return store_batch_add(b, &page, values, ARRAY_LEN(values));
}

bool table_tool_read(const struct store_value *columns, size_t n,
                     struct table_tool *ret)
{
    if (n != COLUMN_COUNT)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (columns[i].type != (i < TEXTS ? STORE_TEXT : STORE_INT))
            return false;
    }
    *ret = (struct table_tool){
        .server = columns[0].bytes,
        .name = columns[1].bytes,
        .state = columns[2].bytes,
        .pinned = columns[3].bytes,
        .offered = columns[4].bytes,
        .approved_by = columns[5].bytes,
        .first_us = columns[6].number,
        .changed_us = columns[7].number,
    };
    return true;
}
