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
#include "base/err.h"
#include "base/list.h"
#include "base/pool.h"
#include "pipeline/payload.h"

struct approvals;
struct catalog;
struct catalog_wait;
struct evidence;
struct exchange;
struct http_client;
struct http_server;
struct hub;
struct issuers;
struct keeper_client;
struct ledger_client;
struct limit_counters;
struct loop;
struct mcp_sessions;
struct principal;
struct proof_cache;
struct registry_view;
struct resolver;
struct rules_evaluator;
struct runner_client;
struct session_table;
struct snapshot;
struct tool;

/* Counted by the thread that owns them, read by others for status. */
struct worker_counters {
    _Atomic uint64_t calls;   /* actions that have ended */
    _Atomic uint64_t refused; /* of these, stopped before dispatch */
    _Atomic uint64_t failed;  /* of these, stopped after it */
    _Atomic uint64_t open;    /* actions under way */
};

/* What a server of tools lists, for the catalog. */
struct worker_offer {
    struct str server; /* its name in the config */
    const struct tool *offered;
    size_t count;
    bool approve_new;  /* as the settings say */
    int64_t listed_ms; /* when the server was asked, loop_now_ms(); 0: now */
};

struct worker {
    unsigned number;
    struct loop *loop;
    struct resolver *resolver;
    struct http_server *server;
    struct http_client *client;
    struct ledger_client *ledger;
    struct keeper_client *keeper;
    struct runner_client *runner;      /* starts tool servers */
    struct hub *hub;                   /* reaches tool servers */
    struct mcp_sessions *mcp_sessions; /* shared */
    struct str version;                /* of the program */
    struct evidence *evidence;
    struct session_table *sessions; /* shared */
    struct snapshot *snapshot;      /* the one for new actions; +1 */
    struct registry_view *registry; /* who may act, now; +1 */
    struct issuers *issuers;        /* whose JWTs are trusted, now; +1 */
    struct catalog *catalog;        /* the tools as they are pinned, now; +1 */
    struct proof_cache *proofs;
    struct rules_evaluator *evaluator;
    struct limit_counters *limits; /* shared */
    struct approvals *approvals;   /* shared */
    unsigned char
        caller_key[32];      /* the keeper's: under which keys are hashed */
    struct list key_waiters; /* actions that wait for an issuer's key */
    struct list actions;     /* those under way */
    struct list asks;        /* of these, what servers ask of callers */
    struct list leaving;     /* those that have ended, while their answers have
                                not left */
    struct worker_counters counters;
    struct payload_keys payload_keys;
    struct arena_spare spare; /* of the questions' arenas */
    struct pool intents;      /* that are on their way to the disk */
    uint64_t dice;            /* state of the route choice */
    bool draining;
    /* Which rows of the table it serves (enum plane); 0: PLANE_DATA.  Others
     * have `admin`, which answers ENDPOINT_ADMIN, _METRICS and _READY. */
    unsigned plane;
    void (*admin)(struct worker *w, struct exchange *x);
    /* Wants the keys of issuer number `issuer` fetched; worker_keys_came()
     * follows, on this thread. */
    void (*want_key)(struct worker *w, size_t issuer);
    /* Somebody was proven who is not registered. */
    void (*discovered)(struct worker *w, const struct principal *who);
    /*
     * Tools of a server that the catalog does not settle go to its one writer;
     * all is copied.  wait->done runs on this thread when w->catalog is what
     * follows from them; see struct catalog_wait for errors.  ERR_OVERLOAD:
     * too much is on its way; `wait` was not taken, none of it may be listed.
     */
    enum err (*offer)(struct worker *w, const struct worker_offer *o,
                      struct catalog_wait *wait);
    void *owner; /* app's own */
};

/* The registry has changed, or sessions were ended: w->registry is new.  Ends
 * every action of this worker whose chain or session may not go on (rule
 * "Revocation wins every race"); when it returns, nothing of them leaves. */
void worker_revoked(struct worker *w);

/* Ends what outlives its credential; about once a second.  `recheck` is for
 * every sessions.recheck: all chains are looked at again. */
void worker_recheck(struct worker *w, bool recheck);

/* w->snapshot is new: who only listens asks again, and is decided on by it. */
void worker_reloaded(struct worker *w);

/* It is told to go: ends what could last as long as somebody likes (streams of
 * notices, calls that wait for a person); the rest may finish. */
void worker_drain(struct worker *w);

/* Ends every action of this worker: it is told to go. */
void worker_end_all(struct worker *w, enum err why);

/* The fetch of that issuer's keys has ended: who waited for it is proven
 * again. */
void worker_keys_came(struct worker *w, size_t issuer);

#endif
