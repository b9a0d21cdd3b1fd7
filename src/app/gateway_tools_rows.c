/*
 * gateway_tools_rows.c - see gateway_tools_rows.h.
 *
 * A batch's result is bounded, and one row may be large: a page that was too
 * large is asked for again in halves.
 */
#include "app/gateway_tools_rows.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "store/store.h"
#include "store/table_tool.h"

enum { PAGE_MAX = 512, PAGE_MIN = 8, TIMEOUT_MS = 60000 };
enum { BATCH_ROWS = 128 };
/* Of the texts in a batch; STORE_BATCH_MAX has room for the rest. */
#define BATCH_TEXT_MAX (STORE_BATCH_MAX - 128 * KIB)
#define PAGE_ARENA_MAX (STORE_RESULT_MAX + 1 * MIB)

static_assert((size_t)2 * CATALOG_TEXT_MAX <= BATCH_TEXT_MAX,
              "a row fits a batch");
static_assert((size_t)PAGE_MIN * 2 * CATALOG_TEXT_MAX + 64 * KIB <=
                  STORE_RESULT_MAX,
              "a smallest page fits a result");

struct gateway_tools_rows {
    struct gateway_tools_rows_plan plan;
    struct store_call *call;
    int64_t page_max;
    struct arena arena; /* texts of the page */
    struct catalog_row rows[PAGE_MAX];
    size_t count;
    enum err err;
    char server[NAME_MAX_LEN], name[NAME_MAX_LEN]; /* the last one's */
    size_t server_len, name_len;
};

static void ask_page(struct gateway_tools_rows *r);

static void free_rows(struct gateway_tools_rows *r)
{
    arena_release(&r->arena);
    free(r);
}

static void end(struct gateway_tools_rows *r, enum err e, struct str why)
{
    r->plan.done(r->plan.user, e, why);
    free_rows(r);
}

static enum catalog_state state_from(struct str name)
{
    for (int s = CATALOG_PROPOSED; s <= CATALOG_QUARANTINED; s++) {
        if (str_eq(name, catalog_state_name((enum catalog_state)s)))
            return (enum catalog_state)s;
    }
    return CATALOG_NONE; /* no row of ours */
}

static bool keep(struct gateway_tools_rows *r, const struct table_tool *t)
{
    struct catalog_row *row = &r->rows[r->count];

    *row = (struct catalog_row){.state = state_from(t->state),
                                .first_us = t->first_us,
                                .changed_us = t->changed_us};
    if (r->count == PAGE_MAX || !arena_copy(&r->arena, t->server, &row->server))
        return false;
    r->count++;
    return arena_copy(&r->arena, t->name, &row->name) &&
           arena_copy(&r->arena, t->pinned, &row->pinned) &&
           arena_copy(&r->arena, t->offered, &row->offered) &&
           arena_copy(&r->arena, t->approved_by, &row->approved_by);
}

static void on_row(void *user, size_t statement,
                   const struct store_value *columns, size_t n)
{
    struct gateway_tools_rows *r = user;
    struct table_tool t;

    (void)statement;
    if (r->err != ERR_OK)
        return;
    if (!table_tool_read(columns, n, &t) || t.server.len > NAME_MAX_LEN ||
        t.name.len > NAME_MAX_LEN)
        r->err = ERR_CORRUPT;
    else if (!keep(r, &t))
        r->err = ERR_NO_MEMORY;
}

static void remember_last(struct gateway_tools_rows *r)
{
    if (r->count == 0)
        return;
    const struct catalog_row *last = &r->rows[r->count - 1];
    r->server_len = last->server.len;
    r->name_len = last->name.len;
    memcpy(r->server, last->server.ptr, last->server.len);
    memcpy(r->name, last->name.ptr, last->name.len);
}

static void on_page(void *user, const struct store_result *result)
{
    struct gateway_tools_rows *r = user;

    r->call = NULL;
    if (result->outcome != STORE_DONE && result->err == ERR_LIMIT &&
        r->page_max > PAGE_MIN) {
        r->page_max /= 2;
        ask_page(r);
        return;
    }
    if (result->outcome != STORE_DONE) {
        end(r, ERR_STORE, result->why);
        return;
    }
    if (r->err == ERR_OK)
        r->err = catalog_writer_load(r->plan.writer, r->rows, r->count);
    remember_last(r);
    if (r->err != ERR_OK)
        end(r, r->err, STR("a row of table tool is no tool of ours"));
    else if (r->count < (size_t)r->page_max)
        end(r, ERR_OK, (struct str){NULL, 0});
    else
        ask_page(r);
}

static enum err run_page(struct gateway_tools_rows *r)
{
    const struct store_ask ask = {on_row, on_page, r, TIMEOUT_MS};
    struct store_batch *b = NULL;

    arena_release(&r->arena);
    r->count = 0;
    enum err e = store_batch_new(&b);
    if (e == ERR_OK)
        e = table_tool_page(b, r->plan.node,
                            (struct str){r->server, r->server_len},
                            (struct str){r->name, r->name_len}, r->page_max);
    if (e == ERR_OK)
        return store_run(r->plan.store, r->plan.loop, b, &ask, &r->call);
    store_batch_free(b);
    return e;
}

static void ask_page(struct gateway_tools_rows *r)
{
    enum err e = run_page(r);

    if (e == ERR_OK)
        return;
    r->call = NULL;
    end(r, ERR_STORE, str_from(err_text(e)));
}

enum err gateway_tools_rows_read(const struct gateway_tools_rows_plan *plan,
                                 struct gateway_tools_rows **ret)
{
    struct gateway_tools_rows *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return ERR_NO_MEMORY;
    r->plan = *plan;
    r->page_max = PAGE_MAX;
    arena_init(&r->arena, PAGE_ARENA_MAX);
    enum err e = run_page(r);
    if (e != ERR_OK) {
        free_rows(r);
        return e;
    }
    *ret = r;
    return ERR_OK;
}

void gateway_tools_rows_cancel(struct gateway_tools_rows *r)
{
    if (r == NULL)
        return;
    store_call_cancel(r->call);
    free_rows(r);
}

/* ---- into the store ---- */

static enum err put(struct store_batch *b, struct str node,
                    const struct catalog_row *row)
{
    const struct table_tool t = {
        .server = row->server,
        .name = row->name,
        .state = catalog_state_name(row->state),
        .pinned = row->pinned,
        .offered = row->offered,
        .first_us = row->first_us,
        .changed_us = row->changed_us,
        .approved_by = row->approved_by,
    };
    return table_tool_put(b, node, &t);
}

enum err gateway_tools_rows_batch(struct str node,
                                  const struct catalog_changes *changes,
                                  size_t *from, struct store_batch **ret)
{
    struct store_batch *b = NULL;
    size_t bytes = 0, rows = 0, i = *from;

    enum err e = store_batch_new(&b);
    for (; e == ERR_OK && i < changes->count && rows < BATCH_ROWS; i++) {
        const struct catalog_row *row = &changes->at[i].row;
        size_t more = row->pinned.len + row->offered.len;
        if (rows > 0 && bytes + more > BATCH_TEXT_MAX)
            break;
        e = put(b, node, row);
        bytes += more;
        rows++;
    }
    if (e != ERR_OK) {
        store_batch_free(b);
        return e;
    }
    *from = i;
    *ret = b;
    return ERR_OK;
}
