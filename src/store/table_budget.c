/* table_budget.c - the statements of tables `budget` and `budget_checkpoint`.
 */
#include "store/table_budget.h"

#include <assert.h>

enum { ROW_VALUES = 7, SHARED_VALUES = 2 };
static_assert(SHARED_VALUES + TABLE_BUDGET_GROUP * ROW_VALUES <=
                  STORE_PARAMS_MAX,
              "a group fits one statement");

#define INSERT                                                                 \
    "INSERT INTO budget (node, generation, number, limit_name, whom,"          \
    " window_start_us, window_us, used_requests, used_tokens) VALUES"
#define ROW(a, b, c, d, e, f, g)                                               \
    " ($1, $2, $" #a ", $" #b ", $" #c ", $" #d ", $" #e ", $" #f ", $" #g ")"

static const struct store_sql add[TABLE_BUDGET_GROUP] = {
    {INSERT ROW(3, 4, 5, 6, 7, 8, 9), 9},
    {INSERT ROW(3, 4, 5, 6, 7, 8, 9) "," ROW(10, 11, 12, 13, 14, 15, 16), 16},
    {INSERT ROW(3, 4, 5, 6, 7, 8, 9) "," ROW(10, 11, 12, 13, 14, 15,
                                             16) "," ROW(17, 18, 19, 20, 21, 22,
                                                         23),
     23},
    {INSERT ROW(3, 4, 5, 6, 7, 8,
                9) "," ROW(10, 11, 12, 13, 14, 15,
                           16) "," ROW(17, 18, 19, 20, 21, 22,
                                       23) "," ROW(24, 25, 26, 27, 28, 29, 30),
     30},
};

/* Without a checkpoint none of the rows count. */
static const struct store_sql clear = {
    "DELETE FROM budget WHERE node = $1 AND generation <> COALESCE("
    "(SELECT generation FROM budget_checkpoint WHERE node = $1), -1)",
    1};

static const struct store_sql commit = {
    "INSERT INTO budget_checkpoint (node, generation, from_index)"
    " VALUES ($1, $2, $3) ON CONFLICT (node) DO UPDATE SET"
    " generation = excluded.generation, from_index = excluded.from_index",
    3};

static const struct store_sql last = {
    "SELECT generation, from_index FROM budget_checkpoint WHERE node = $1", 1};

static const struct store_sql page = {
    "SELECT number, limit_name, whom, window_start_us, window_us,"
    " used_requests, used_tokens FROM budget"
    " WHERE node = $1 AND generation = $2 AND number >= $3 AND number < $4"
    " ORDER BY number",
    4};

enum err table_budget_clear(struct store_batch *b, struct str node)
{
    const struct store_value value = store_text(node);
    return store_batch_add(b, &clear, &value, 1);
}

enum err table_budget_add(struct store_batch *b, struct str node,
                          int64_t generation, const struct table_budget *rows,
                          size_t n)
{
    struct store_value values[STORE_PARAMS_MAX];
    size_t count = SHARED_VALUES;

    assert(n >= 1 && n <= TABLE_BUDGET_GROUP);
    values[0] = store_text(node);
    values[1] = store_int(generation);
    for (size_t i = 0; i < n; i++) {
        values[count++] = store_int(rows[i].number);
        values[count++] = store_text(rows[i].limit);
        values[count++] = store_text(rows[i].whom);
        values[count++] = store_int(rows[i].window_start_us);
        values[count++] = store_int(rows[i].window_us);
        values[count++] = store_int(rows[i].used_requests);
        values[count++] = store_int(rows[i].used_tokens);
    }
    return store_batch_add(b, &add[n - 1], values, count);
}

enum err table_budget_commit(struct store_batch *b, struct str node,
                             const struct table_budget_checkpoint *checkpoint)
{
    const struct store_value values[] = {store_text(node),
                                         store_int(checkpoint->generation),
                                         store_int(checkpoint->from_index)};
    return store_batch_add(b, &commit, values, 3);
}

enum err table_budget_last(struct store_batch *b, struct str node)
{
    const struct store_value value = store_text(node);
    return store_batch_add(b, &last, &value, 1);
}

bool table_budget_last_read(const struct store_value *columns, size_t n,
                            struct table_budget_checkpoint *ret)
{
    if (n != 2 || columns[0].type != STORE_INT || columns[1].type != STORE_INT)
        return false;
    *ret =
        (struct table_budget_checkpoint){columns[0].number, columns[1].number};
    return true;
}

enum err table_budget_page(struct store_batch *b, struct str node,
                           int64_t generation, int64_t number)
{
    const struct store_value values[] = {store_text(node),
                                         store_int(generation),
                                         store_int(number),
                                         store_int(number + TABLE_BUDGET_PAGE)};
    return store_batch_add(b, &page, values, 4);
}

bool table_budget_read(const struct store_value *columns, size_t n,
                       struct table_budget *ret)
{
    if (n != ROW_VALUES || columns[1].type != STORE_TEXT ||
        columns[2].type != STORE_TEXT)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (i != 1 && i != 2 && columns[i].type != STORE_INT)
            return false;
    }
    *ret = (struct table_budget){
        .number = columns[0].number,
        .limit = columns[1].bytes,
        .whom = columns[2].bytes,
        .window_start_us = columns[3].number,
        .window_us = columns[4].number,
        .used_requests = columns[5].number,
        .used_tokens = columns[6].number,
    };
    return true;
}
