/* store_migrate.c - look, step, look again. */
#include "store/store_migrate.h"

#include <stdio.h>

#include "os/loop.h"
#include "store/table_schema.h"

enum {
    PATIENCE_MS = 60000, /* for one step: tables may be large one day */
    CONFLICTS_MAX = 10,  /* other nodes that take a step before us */
};

static void look(struct store_migrate *m);

static void end(struct store_migrate *m, enum err e, const char *why)
{
    (void)snprintf(m->why, sizeof(m->why), "%s", why);
    m->done(m, e, m->why);
}

static void run(struct store_migrate *m, struct store_batch *b,
                const struct store_ask *ask)
{
    enum err e = m->run(m, b, ask, &m->call);
    if (e != ERR_OK) {
        m->call = NULL;
        end(m, ERR_STORE, err_text(e));
    }
}

static void on_stepped(void *user, const struct store_result *r)
{
    struct store_migrate *m = user;
    m->call = NULL;
    bool again = r->outcome == STORE_DONE || (r->outcome == STORE_CONFLICT &&
                                              ++m->conflicts < CONFLICTS_MAX);
    if (again)
        look(m);
    else
        end(m, ERR_STORE, r->why.ptr);
}

static void step(struct store_migrate *m)
{
    const struct store_ask ask = {NULL, on_stepped, m, PATIENCE_MS};
    struct store_batch *b = NULL;
    enum err e = store_batch_new(&b);
    if (e == ERR_OK)
        e = table_schema_step(b, m->found + 1, loop_wall_us(m->loop));
    if (e == ERR_OK) {
        run(m, b, &ask);
    } else {
        store_batch_free(b);
        end(m, ERR_STORE, err_text(e));
    }
}

static void on_version(void *user, size_t statement,
                       const struct store_value *columns, size_t n)
{
    struct store_migrate *m = user;
    if (statement != TABLE_SCHEMA_FIND_ROW ||
        !table_schema_read(columns, n, &m->found))
        m->found = -1;
}

static void on_looked(void *user, const struct store_result *r)
{
    struct store_migrate *m = user;
    m->call = NULL;
    if (r->outcome == STORE_CONFLICT && ++m->conflicts < CONFLICTS_MAX) {
        look(m); /* two nodes made the table of versions at once */
    } else if (r->outcome != STORE_DONE) {
        end(m, ERR_STORE, r->why.ptr);
    } else if (m->found < 0) {
        end(m, ERR_STORE, "the table of versions cannot be read");
    } else if (m->found > table_schema_known()) {
        char why[STORE_WHY_MAX];
        (void)snprintf(why, sizeof(why),
                       "the store has tables of version %lld, this program "
                       "knows %lld: run the newer program",
                       (long long)m->found, (long long)table_schema_known());
        end(m, ERR_CONFIG, why);
    } else if (m->found < table_schema_known()) {
        step(m);
    } else {
        end(m, ERR_OK, "");
    }
}

static void look(struct store_migrate *m)
{
    const struct store_ask ask = {on_version, on_looked, m, PATIENCE_MS};
    struct store_batch *b = NULL;
    m->found = -1;
    enum err e = store_batch_new(&b);
    if (e == ERR_OK)
        e = table_schema_find(b);
    if (e == ERR_OK) {
        run(m, b, &ask);
    } else {
        store_batch_free(b);
        end(m, ERR_STORE, err_text(e));
    }
}

void store_migrate_start(struct store_migrate *m)
{
    store_migrate_cancel(m);
    m->conflicts = 0;
    look(m);
}

void store_migrate_cancel(struct store_migrate *m)
{
    store_call_cancel(m->call);
    m->call = NULL;
}
