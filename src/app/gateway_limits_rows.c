/* gateway_limits_rows.c - see gateway_limits_rows.h. */
#include "app/gateway_limits_rows.h"

#include <assert.h>
#include <stdlib.h>

enum {
    ROOM_MIN = 8,
    /* Of the longest names, these are three quarters of STORE_BATCH_MAX. */
    BATCH_GROUPS = 180,
};

/* A group of rows, whose names are ours until it is written. */
struct group {
    struct table_budget rows[TABLE_BUDGET_GROUP];
    char limits[TABLE_BUDGET_GROUP][NAME_MAX_LEN];
    char whoms[TABLE_BUDGET_GROUP][LIMIT_KEY_MAX];
    size_t count;
};

struct making {
    struct gateway_limits_rows *to;
    struct str node;
    int64_t generation, number;
    size_t groups; /* in the last batch */
    struct group group;
    enum err err;
};

static enum err add_batch(struct gateway_limits_rows *r)
{
    if (r->count == r->room) {
        size_t room = r->room == 0 ? ROOM_MIN : r->room * 2;
        struct store_batch **batches =
            (struct store_batch **)reallocarray((void *)r->batches, room,
                                                sizeof(struct store_batch *));
        if (batches == NULL)
            return ERR_NO_MEMORY;
        r->batches = batches;
        r->room = room;
    }
    enum err e = store_batch_new(&r->batches[r->count]);
    r->count += e == ERR_OK ? 1 : 0;
    return e;
}

static void write_group(struct making *m)
{
    if (m->err == ERR_OK && m->groups == BATCH_GROUPS) {
        m->err = add_batch(m->to);
        m->groups = 0;
    }
    if (m->err == ERR_OK && m->group.count > 0) {
        m->err = table_budget_add(m->to->batches[m->to->count - 1], m->node,
                                  m->generation, m->group.rows, m->group.count);
        m->groups++;
    }
    m->group.count = 0;
}

static struct str keep(char *room, struct str s)
{
    memcpy(room, s.ptr, s.len);
    return (struct str){room, s.len};
}

static void on_row(void *user, const struct limit_row *row)
{
    struct making *m = user;
    struct group *g = &m->group;
    size_t i = g->count++;

    assert(row->limit.len <= NAME_MAX_LEN && row->whom.len <= LIMIT_KEY_MAX);
    g->rows[i] = (struct table_budget){
        .number = m->number++,
        .limit = keep(g->limits[i], row->limit),
        .whom = keep(g->whoms[i], row->whom),
        .window_start_us = row->window_start_us,
        .window_us = row->window_us,
        .used_requests = (int64_t)row->used_requests,
        .used_tokens = (int64_t)row->used_tokens,
    };
    if (g->count == TABLE_BUDGET_GROUP)
        write_group(m);
}

enum err
gateway_limits_rows_make(struct limit_counters *counters, struct str node,
                         const struct table_budget_checkpoint *checkpoint,
                         int64_t now_us, struct gateway_limits_rows *ret)
{
    struct gateway_limits_rows rows = {0};
    struct making m = {.to = &rows,
                       .node = node,
                       .generation = checkpoint->generation};

    m.err = add_batch(&rows);
    if (m.err == ERR_OK)
        m.err = table_budget_clear(rows.batches[0], node);
    if (m.err == ERR_OK)
        limit_each_checkpoint(counters, now_us, on_row, &m);
    write_group(&m);
    if (m.err == ERR_OK)
        m.err =
            table_budget_commit(rows.batches[rows.count - 1], node, checkpoint);
    if (m.err != ERR_OK) {
        gateway_limits_rows_release(&rows);
        return m.err;
    }
    *ret = rows;
    return ERR_OK;
}

struct store_batch *gateway_limits_rows_take(struct gateway_limits_rows *r)
{
    return r->taken < r->count ? r->batches[r->taken++] : NULL;
}

void gateway_limits_rows_release(struct gateway_limits_rows *r)
{
    struct store_batch *b;

    while ((b = gateway_limits_rows_take(r)) != NULL)
        store_batch_free(b);
    free((void *)r->batches);
    *r = (struct gateway_limits_rows){0};
}
