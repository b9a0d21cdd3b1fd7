/*
 * fixture.h - the admin API over a real registry, store and session table, on
 * one loop, between a ledger and workers that answer when a test says so: the
 * fixture stands in for ledger_client.c and for the process's hooks.
 *
 * One tenant, "acme", an issuer "corp", and the person "keys|alice".
 */
#ifndef TESTS_ADMIN_FIXTURE_H
#define TESTS_ADMIN_FIXTURE_H

#include <stdbool.h>

#include "admin/admin.h"
#include "ledger/ledger_client.h"
#include "registry/registry.h"

enum { FIXTURE_ENTRIES_MAX = 64, FIXTURE_SPREADS_MAX = 16 };

struct ledger_client {
    struct buf entries[FIXTURE_ENTRIES_MAX];
    struct ledger_wait *waits[FIXTURE_ENTRIES_MAX]; /* not answered yet */
    size_t count;
    enum err answer; /* of an append */
};

struct fixture {
    char dir[64];
    struct loop *loop;
    struct store *store;
    struct registry_view *view;
    struct ledger_client ledger;
    struct admin_host host;
    struct settings settings;
    bool opened;
    struct {
        void (*done)(void *arg);
        void *arg;
    } spreads[FIXTURE_SPREADS_MAX]; /* not answered yet */
    size_t spread_count;            /* of them */
    unsigned spread_total;

    /* The last call and its answer. */
    struct admin_call call;
    struct arena arena;
    unsigned replies;
    int status;
    struct buf text;
};

int fixture_open(void **state); /* for cmocka; *state is the fixture */
int fixture_close(void **state);

/* Turns of the loop until `*done`, or (NULL) a short while. */
void fixture_run(struct fixture *f, const bool *done);

/* A request by "local|ada"; what is on the way before is cancelled. */
void fixture_ask(struct fixture *f, const char *method, const char *path,
                 const char *body);
/* The same by somebody else. */
void fixture_ask_as(struct fixture *f, struct admin_author author,
                    const char *method, const char *path, const char *body);
/* The same by nobody. */
void fixture_ask_unknown(struct fixture *f, const char *method,
                         const char *path, const char *body);
/* The ledger answers all that waits; the workers answer all that waits. */
void fixture_ack(struct fixture *f, enum err e);
void fixture_spread(struct fixture *f);
/* Asks and lets everybody answer until there is a reply. */
void fixture_do(struct fixture *f, const char *method, const char *path,
                const char *body);

bool fixture_says(const struct fixture *f, const char *part);
/* How many entries of the ledger hold `part`. */
size_t fixture_entries(const struct fixture *f, const char *part);
/* The state of an agent "acme/<name>" in memory. */
enum registry_state fixture_state(const struct fixture *f, const char *name);

#endif
