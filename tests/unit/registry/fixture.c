/* fixture.c - see fixture.h. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/container.h"
#include "domain/principal_id.h"
#include "domain/risk.h"
#include "os/clock.h"
#include "os/timer.h"

enum { PATIENCE_MS = 20000, TURN_MS = 5 };

void fixture_init(struct fixture *f)
{
    *f = (struct fixture){0};
    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/writ-registry-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    assert_int_equal(loop_new(&f->loop), ERR_OK);
}

void fixture_close(struct fixture *f)
{
    registry_view_unref(f->view);
    f->view = NULL;
    registry_close(f->registry);
    f->registry = NULL;
    store_close(f->store);
    f->store = NULL;
}

void fixture_release(struct fixture *f)
{
    fixture_close(f);
    loop_free(f->loop);
    static const char *const names[] = {"store.db", "store.db-wal",
                                        "store.db-shm"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
        (void)remove(path);
    }
    assert_int_equal(rmdir(f->dir), 0);
}

struct tick {
    struct timer timer;
    struct loop *loop;
    bool over;
};

static void on_tick(struct timer *t)
{
    struct tick *tick = CONTAINER_OF(t, struct tick, timer);
    tick->over = true;
    loop_stop(tick->loop);
}

void fixture_turn(struct fixture *f)
{
    struct tick t = {.loop = f->loop};
    timer_set(f->loop, &t.timer, TURN_MS, on_tick);
    while (!t.over)
        loop_run(f->loop);
}

static void wait_until(struct fixture *f, const bool *done)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    while (!*done && clock_monotonic_ms() < until)
        fixture_turn(f);
    assert_true(*done);
}

static void on_store_opened(void *user, enum err e, struct str why)
{
    struct fixture *f = user;
    assert_int_equal(e, ERR_OK);
    (void)why;
    f->done = true;
}

void fixture_open_store(struct fixture *f)
{
    const struct store_options o = {STR("sqlite"), f->dir, NULL};
    const struct store_events events = {on_store_opened, NULL, f};
    const char *why = NULL;
    f->done = false;
    assert_int_equal(store_open(f->loop, &o, &events, &f->store, &why), ERR_OK);
    wait_until(f, &f->done);
}

static void on_opened(void *user, enum err e, struct str why)
{
    struct fixture *f = user;
    assert_false(f->opened); /* once */
    f->opened = true;
    f->open_err = e;
    struct buf text;
    buf_init_lent(&text, f->why, sizeof(f->why) - 1);
    assert_true(buf_add(&text, why));
    f->why[text.len] = '\0';
}

static void on_changed(void *user, struct registry_view *v)
{
    struct fixture *f = user;
    assert_true(f->opened);
    registry_view_unref(f->view);
    f->view = v;
    f->changes++;
}

void fixture_open(struct fixture *f)
{
    const struct registry_events events = {on_opened, on_changed, f};
    f->opened = false;
    assert_int_equal(registry_open(f->loop, f->store, STR("gw-1"), &events,
                                   &f->registry),
                     ERR_OK);
    wait_until(f, &f->opened);
}

void fixture_reopen(struct fixture *f)
{
    fixture_close(f);
    fixture_open_store(f);
    fixture_open(f);
    assert_int_equal(f->open_err, ERR_OK);
}

static void on_done(void *user, const struct store_result *r)
{
    struct fixture *f = user;
    f->outcome = r->outcome;
    f->done = true;
}

void fixture_run_sql(struct fixture *f, const struct store_sql *sql)
{
    const struct store_ask ask = {NULL, on_done, f, PATIENCE_MS};
    struct store_batch *b = NULL;
    f->done = false;
    assert_int_equal(store_batch_new(&b), ERR_OK);
    assert_int_equal(store_batch_add(b, sql, NULL, 0), ERR_OK);
    assert_int_equal(store_run(f->store, f->loop, b, &ask, NULL), ERR_OK);
    wait_until(f, &f->done);
    assert_int_equal(f->outcome, STORE_DONE);
}

void fixture_wait(struct fixture *f, const unsigned *counter, unsigned want)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    while (*counter < want && clock_monotonic_ms() < until)
        fixture_turn(f);
    assert_int_equal(*counter, want);
}

void fixture_wait_applied(struct fixture *f, int64_t index)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    while (registry_applied(f->registry) < index &&
           clock_monotonic_ms() < until)
        fixture_turn(f);
    assert_int_equal(registry_applied(f->registry), index);
}

/* ---- entries ---- */

/* Texts that live as long as the test: entries only borrow. */
static struct str keep(struct str s)
{
    enum { KEPT = 64 };
    static char kept[KEPT][PRINCIPAL_ID_MAX];
    static unsigned next;
    char *to = kept[next++ % KEPT];
    memcpy(to, s.ptr, s.len);
    return (struct str){to, s.len};
}

struct registry_entry fixture_entry(enum principal_kind kind, const char *name)
{
    static const struct str purposes[] = {STR_INIT("support")};
    struct registry_entry e = {
        .who = {kind, STR("keys"), {0}, STR("acme")},
        .name = str_from(name),
        .owner = STR("keys|alice"),
        .purposes = purposes,
        .purpose_count = 1,
        .mode = REGISTRY_BOTH,
        .risk = RISK_READ | RISK_WRITE,
        .state = REGISTRY_ACTIVE,
        .created_us = NOW_US,
        .expires_us = NOW_US + 365 * DAY_US,
        .revision = 1,
    };
    const struct principal_parts parts = {kind, e.who.issuer, e.who.tenant,
                                          e.name};
    char id[PRINCIPAL_ID_MAX];
    size_t len = 0;
    assert_true(principal_id_make(&parts, id, &len));
    e.who.id = keep((struct str){id, len});
    if (kind == PRINCIPAL_USER)
        e.owner = e.who.id;
    return e;
}

struct registry_key fixture_key(unsigned n)
{
    struct registry_key k = {.fingerprint = STR("0123456789abcdef"),
                             .expires_us = NOW_US + 30 * DAY_US};
    for (size_t i = 0; i < HASH_LEN; i++)
        k.hmac.bytes[i] = (unsigned char)(n >> (i % 4 * 8));
    return k;
}

static void on_stored(void *user, enum err e)
{
    struct fixture *f = user;
    assert_true(f->stored_count < FIXTURE_STORED_MAX);
    f->stored[f->stored_count++] = e;
}

void fixture_put(struct fixture *f, const struct registry_entry *e,
                 int64_t index)
{
    const struct registry_put then = {on_stored, f};
    unsigned stored = f->stored_count;
    assert_int_equal(registry_put(f->registry, e, index, &then), ERR_OK);
    assert_int_equal(f->stored_count, stored); /* later */
    assert_ptr_equal(f->view, registry_now(f->registry));
}

enum err fixture_check(struct fixture *f, const struct registry_entry *e)
{
    const struct registry_entry *got = NULL;
    enum err err = registry_view_check(f->view, &e->who, NOW_US, &got);
    assert_true((err == ERR_OK) == (got != NULL));
    return err;
}
