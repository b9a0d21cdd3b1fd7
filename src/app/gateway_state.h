/*
 * gateway_state.h - what the control thread of the gateway knows.
 *
 * Private to gateway*.c.  Workers are told things by posting to their loops;
 * nothing here is touched by another thread unless it says so.
 */
#ifndef APP_GATEWAY_STATE_H
#define APP_GATEWAY_STATE_H

#include <stdatomic.h>

#include "app/config.h"
#include "app/role.h"
#include "keeper/keeper_client.h"
#include "ledger/ledger_client.h"
#include "os/channel.h"
#include "os/loop.h"
#include "os/thread.h"
#include "os/timer.h"
#include "pipeline/snapshot.h"
#include "pipeline/worker.h"
#include "store/store.h"

enum gateway_phase {
    PHASE_STARTING = 0, /* no snapshot yet */
    PHASE_SERVING,
    PHASE_DRAINING,
    PHASE_ENDED,
};

struct gateway;
struct gateway_admin;
struct gateway_budgets;
struct gateway_catalog;
struct gateway_orphans;
struct gateway_sessions;
struct hub_net;
struct gateway_registry;
struct metrics_figures;
struct trust;

/* One worker thread.  `worker` belongs to it from start to end. */
struct gateway_worker {
    struct gateway *gateway;
    struct thread thread;
    struct worker worker;
    struct timer sweep;   /* sessions and refusals */
    struct timer drain;   /* what is open then, is cut */
    struct timer leave;   /* the last words get so long */
    int64_t rechecked_ms; /* when all chains were looked at last */
    bool started;
    bool drained; /* nothing of its own is under way any more */
    bool ended;   /* the loop stops; what is still posted comes too late */
};

/* A process of the node, as the supervisor tells. */
struct gateway_process {
    enum frame_role role;
    uint32_t pid, restarts;
};
enum { GATEWAY_PROCESSES_MAX = 8 };

/* A snapshot on its way: made by the control thread, filled by the builder. */
struct build {
    struct thread thread;
    struct gateway *gateway;
    uint64_t serial;
    struct arena arena;
    struct config_errors errors;
    struct settings settings;
    struct snapshot *snapshot; /* NULL: `why` or `errors` say why */
    const char *why;
    enum err err; /* of what failed */
    bool running; /* its end has not been seen yet */
    bool first;   /* the one that the gateway starts with */
    bool joined;
};

/* What has to be there before anybody is served: sessions, budgets, registry,
 * tools. */
enum { GATEWAY_LOADS = 4 };

struct gateway {
    const struct role_options *options;
    struct loop *loop;
    struct channel *supervisor;
    struct worker control; /* serves the control socket */
    struct gateway_worker *workers;
    unsigned worker_count, workers_open;
    unsigned workers_drained;
    struct hub_net *hubs; /* of the workers */
    enum gateway_phase phase;
    unsigned loads_left; /* of GATEWAY_LOADS */
    int exit_code;
    int64_t started_us;

    unsigned char caller_key[KEEPER_KEY_LEN];
    struct keeper_wait caller_key_wait;
    struct timer retry;         /* asks the keeper again */
    struct timer sweep;         /* refusals, and the ledger's figures below */
    struct ledger_stats ledger; /* at most SWEEP_MS old; for status */
    bool ledger_answers;
    struct gateway_orphans *orphans; /* while the ledger is asked */
    bool cut_recorded;  /* of the ledger process that answers now */
    struct timer leave; /* the last frames get a turn to leave */

    struct gateway_registry *registry; /* gateway_registry.h */
    struct gateway_admin *admin;       /* gateway_admin.h */
    struct gateway_catalog *catalog;   /* gateway_catalog.h */
    struct trust *trust;               /* keys of issuers; gateway_trust.h */

    struct store *store;               /* NULL: not opened */
    struct store_call *node_call;      /* while it is asked */
    int64_t starts;                    /* of this node, as the store counts */
    struct gateway_sessions *sessions; /* in the store */
    struct gateway_budgets *budgets;   /* gateway_budgets.h */

    struct build build;
    bool build_again; /* a reload was asked for while one ran */
    uint64_t serial;
    uint64_t reloads, reloads_failed;
    int64_t reloaded_us; /* when the current snapshot was put in place */

    struct gateway_process processes[GATEWAY_PROCESSES_MAX];
    size_t process_count;

    /* What callers have made workers ask of us, on its way: it must not fill
     * the queue that tells what was revoked. */
    atomic_uint notes;
    atomic_size_t offered; /* bytes of what servers of tools list */
};
enum { GATEWAY_NOTES_MAX = 16384 };

/* gateway_worker.c: creates what the thread owns and starts it. */
MUST_CHECK enum err gateway_worker_start(struct gateway_worker *gw,
                                         struct gateway *g, unsigned number);
/* From the control thread: new actions use `s` (+1 reference each). */
void gateway_worker_swap(struct gateway_worker *gw, struct snapshot *s);
/* From the control thread: what may be called is looked up in `c` (+1). */
void gateway_worker_catalog(struct gateway_worker *gw, struct catalog *c);
/* From the control thread: a new connection to ledger, keeper or runner. */
void gateway_worker_connect(struct gateway_worker *gw, uint16_t type, int fd);
/* From the control thread: finish what is open within `drain_ms`;
 * gateway_worker_drained() follows. */
void gateway_worker_drain(struct gateway_worker *gw);
/* From the control thread, once all have drained: end. */
void gateway_worker_leave(struct gateway_worker *gw);

/* gateway_build.c: reads the config and builds, on a thread of its own;
 * gateway_built() follows on the control thread. */
void gateway_build_start(struct gateway *g);
void gateway_built(struct gateway *g);
/* The control loop has ended: waits for a build that is under way. */
void gateway_build_join(struct gateway *g);
/* Which of the settings' listeners is the node's number `listener`: it opened
 * its sockets when it started.  s->listen_count: none. */
size_t gateway_listener(const struct gateway *g, const struct settings *s,
                        unsigned listener);

/* gateway_store.c: from the first snapshot on; gateway_loaded() follows once,
 * in a later turn: what calls need of the store is there, or they are not to
 * wait for it any longer. */
void gateway_store_open(struct gateway *g);
/* No call comes any more: stores the rest; gateway_stored() follows. */
void gateway_store_finish(struct gateway *g);
void gateway_store_close(struct gateway *g);

/* gateway_orphans.c: closes intents that an earlier gateway left open. */
void gateway_orphans_ask(struct gateway *g);
/* When the ledger's connection is freed: it will not answer. */
void gateway_orphans_close(struct gateway *g);

/* gateway_status.c: the node's state. */
void gateway_status_write(struct gateway *g, struct buf *to);
void gateway_status_figures(const struct gateway *g,
                            struct metrics_figures *ret);
/* Snapshot, ledger, keeper and store are there. */
bool gateway_status_ready(const struct gateway *g);

/* gateway_supervisor.c */
MUST_CHECK enum err gateway_supervisor_open(struct gateway *g);
void gateway_tell(struct gateway *g, uint16_t type, struct str text);
/* Asks the supervisor for a new connection to ledger, keeper or runner. */
void gateway_lost(struct gateway *g, uint16_t type, unsigned slot);

/* gateway.c */
/* Finishes what is open, then ends. */
void gateway_drain(struct gateway *g);
void gateway_worker_drained(struct gateway *g);
void gateway_worker_ended(struct gateway *g);
/* One of GATEWAY_LOADS is done; with the last, workers start. */
void gateway_loaded(struct gateway *g);
void gateway_stored(struct gateway *g);
/* It cannot work like this: the gateway ends, and is not started again. */
void gateway_refuse(struct gateway *g);
/* Something that it cannot start without is not to be had now: it ends, and
 * is started again, later each time.  Nothing happens when it has started. */
void gateway_begin_again(struct gateway *g);

#endif
