/* layers: base os store */
/*
 * Writes rows into a SQLite store and says ACK when one is there for good;
 * or looks at what a crash has left of them.
 *
 * Usage: fault_store_rows add DIR COUNT
 *        fault_store_rows verify DIR ACKS
 *
 * Row i moves a projection to index i, and counts a node's starts in the same
 * batch: the two never differ, and are at least what was answered.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "os/loop.h"
#include "os/timer.h"
#include "store/store.h"
#include "store/table_node.h"
#include "store/table_projection.h"

enum { PATIENCE_MS = 20000 };

struct desk {
    struct timer patience; /* first; keeps the loop running meanwhile */
    struct loop *loop;
    struct store *store;
    bool adding;
    int64_t wanted; /* rows to add, or acks to find */
    int64_t applied, starts;
    int rc;
};

static const struct str name = STR_INIT("n");

static void stop(struct desk *d, int rc, struct str why)
{
    if (rc != 0)
        (void)fprintf(stderr, "%.*s\n", STR_FMT(why));
    d->rc = rc;
    timer_cancel(&d->patience);
    loop_stop(d->loop);
}

static void on_row(void *user, size_t statement,
                   const struct store_value *columns, size_t n)
{
    struct desk *d = user;
    struct table_projection p;
    struct table_node node;
    (void)statement;
    if (table_node_read(columns, n, &node))
        d->starts = node.generation;
    else if (table_projection_read(columns, n, &p))
        d->applied = p.applied + 1;
}

static void on_looked(void *user, const struct store_result *r);
static void on_added(void *user, const struct store_result *r);

static void run(struct desk *d, struct store_batch *b,
                void (*done)(void *user, const struct store_result *r))
{
    const struct store_ask ask = {on_row, done, d, PATIENCE_MS};
    if (b == NULL || store_run(d->store, d->loop, b, &ask, NULL) != ERR_OK)
        stop(d, 1, STR("the store takes nothing"));
}

static struct store_batch *look_batch(void)
{
    struct store_batch *b;
    if (store_batch_new(&b) != ERR_OK ||
        table_projection_get(b, name) != ERR_OK || table_node_list(b) != ERR_OK)
        return NULL;
    return b;
}

static struct store_batch *add_batch(int64_t index)
{
    struct store_batch *b;
    if (store_batch_new(&b) != ERR_OK ||
        store_batch_once(b, name, index) != ERR_OK ||
        table_node_start(b, name, index) != ERR_OK)
        return NULL;
    return b;
}

static void on_looked(void *user, const struct store_result *r)
{
    struct desk *d = user;
    if (r->outcome != STORE_DONE)
        stop(d, 1, r->why);
    else if (d->applied != d->starts)
        stop(d, 1, STR("a batch was applied in part"));
    else if (!d->adding)
        stop(d, d->applied >= d->wanted ? 0 : 1, STR("rows are gone"));
    else
        run(d, add_batch(d->applied), on_added);
}

static void on_added(void *user, const struct store_result *r)
{
    struct desk *d = user;
    static const char ack[] = "ACK 1\n";
    if (r->outcome != STORE_DONE)
        stop(d, 1, r->why);
    else if (write(STDOUT_FILENO, ack, sizeof(ack) - 1) < 0)
        stop(d, 1, STR("nobody listens"));
    else if (--d->wanted == 0)
        stop(d, 0, STR(""));
    else
        run(d, add_batch(d->starts), on_added);
}

static void on_opened(void *user, enum err e, struct str why)
{
    struct desk *d = user;
    if (e != ERR_OK)
        stop(d, 1, why);
    else
        run(d, look_batch(), on_looked);
}

static void on_too_slow(struct timer *t)
{
    stop((struct desk *)(void *)t, 1, STR("the store does not open"));
}

int main(int argc, char **argv)
{
    uint64_t n = 0;
    if (argc != 4 || !num_u64(str_from(argv[3]), UINT32_MAX, &n))
        return 2;
    struct desk d = {.adding = strcmp(argv[1], "add") == 0,
                     .wanted = (int64_t)n,
                     .rc = 1};
    const struct store_options o = {STR("sqlite"), argv[2], NULL};
    const struct store_events events = {on_opened, NULL, &d};
    const char *why = "no loop";
    if (loop_new(&d.loop) != ERR_OK ||
        store_open(d.loop, &o, &events, &d.store, &why) != ERR_OK) {
        (void)fprintf(stderr, "%s\n", why);
        return 1;
    }
    timer_set(d.loop, &d.patience, PATIENCE_MS, on_too_slow);
    loop_run(d.loop);
    store_close(d.store);
    loop_free(d.loop);
    return d.rc;
}
