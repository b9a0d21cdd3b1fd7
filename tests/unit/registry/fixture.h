/* fixture.h - a registry over a new SQLite file, used as if synchronous. */
#ifndef TESTS_REGISTRY_FIXTURE_H
#define TESTS_REGISTRY_FIXTURE_H

#include "os/loop.h"
#include "registry/registry.h"
#include "store/store.h"

/* 2026-11-20 */
#define NOW_US INT64_C(1795132800000000)
#define DAY_US INT64_C(86400000000)

enum { FIXTURE_STORED_MAX = 64 };

struct fixture {
    char dir[64];
    struct loop *loop;
    struct store *store;
    struct registry *registry;
    struct registry_view *view; /* the newest that was announced */
    unsigned changes;

    bool opened; /* the registry, and how: */
    enum err open_err;
    char why[192];

    enum err stored[FIXTURE_STORED_MAX]; /* what registry_put.stored said */
    unsigned stored_count;

    enum store_outcome outcome; /* of the last batch */
    bool done;
};

void fixture_init(struct fixture *f);
void fixture_release(struct fixture *f);

void fixture_open_store(struct fixture *f);
/* Opens the registry and waits until that is decided. */
void fixture_open(struct fixture *f);
/* Closes both. */
void fixture_close(struct fixture *f);
/* Closes and opens both. */
void fixture_reopen(struct fixture *f);

void fixture_run_sql(struct fixture *f, const struct store_sql *sql);

/* Turns the loop for a moment. */
void fixture_turn(struct fixture *f);
/* Turns the loop until `*counter` is `want`; fails after twenty seconds. */
void fixture_wait(struct fixture *f, const unsigned *counter, unsigned want);
void fixture_wait_applied(struct fixture *f, int64_t index);

/* An entry of the tenant "acme", active, to expire in a year; a person owns
 * itself, others are owned by keys|alice.  `name` is borrowed; the id is kept
 * for the next 63 entries. */
struct registry_entry fixture_entry(enum principal_kind kind, const char *name);

/* 32 bytes that follow from `n`. */
struct registry_key fixture_key(unsigned n);

void fixture_put(struct fixture *f, const struct registry_entry *e,
                 int64_t index);
enum err fixture_check(struct fixture *f, const struct registry_entry *e);

#endif
