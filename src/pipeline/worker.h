/*
 * worker.h - one thread of the gateway and what it owns.
 *
 * Everything here belongs to the thread; what is shared between threads
 * (sessions, the snapshot) is reached through a reference.
 */
#ifndef PIPELINE_WORKER_H
#define PIPELINE_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/list.h"
#include "pipeline/payload.h"

struct evidence;
struct exchange;
struct http_client;
struct http_server;
struct identity_cache;
struct keeper_client;
struct ledger_client;
struct loop;
struct resolver;
struct session_table;
struct snapshot;

/* Counted by the thread that owns them, read by others for status. */
struct worker_counters {
    _Atomic uint64_t calls;   /* actions that have ended */
    _Atomic uint64_t refused; /* of these, stopped before dispatch */
    _Atomic uint64_t failed;  /* of these, stopped after it */
    _Atomic uint64_t open;    /* actions under way */
};

struct worker {
    unsigned number;
    struct loop *loop;
    struct resolver *resolver;
    struct http_server *server;
    struct http_client *client;
    struct ledger_client *ledger;
    struct keeper_client *keeper;
    struct evidence *evidence;
    struct identity_cache *identities;
    struct session_table *sessions; /* shared */
    struct snapshot *snapshot;      /* the one for new actions; +1 */
    struct list actions;            /* those under way */
    struct worker_counters counters;
    struct payload_keys payload_keys;
    struct arena_spare spare; /* of the questions' arenas */
    uint64_t dice;            /* state of the route choice */
    bool draining;
    /* Answers ENDPOINT_STATUS; the control thread's only. */
    void (*status)(struct worker *w, struct exchange *x);
    void *owner; /* app's own */
};

#endif
