/*
 * admin.h - what the admin API is given, and what one request to it is.
 *
 * The handlers are the same for the control socket and for the admin
 * listener; they run on one thread, the control thread's.  Whoever serves HTTP
 * proves the author first, and hands over calls (see api.h).
 *
 * A change goes one of two ways:
 *
 *     gives    evidence (durable), registry and store, every worker, reply
 *     takes    memory, every worker, evidence, store, reply
 *
 * so that nothing is allowed that is in no evidence, and nothing waits for
 * evidence that is to end (rules "Revocation wins every race" and "Evidence is
 * no weapon").
 */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "base/str.h"
#include "crypto/hash.h"
#include "domain/principal.h"
#include "domain/settings.h"

struct accounts;
struct admin_host;
struct approvals;
struct catalog;
struct evidence;
struct limit_counters;
struct limit_rules;
struct lockout;
struct logins;
struct loop;
struct metrics_figures;
struct people_enrolment;
struct registry;
struct session_table;

/* A person has looked at a tool's definition, and says yes. */
struct admin_tool_approval {
    struct str server, name;
    struct hash seen; /* digest of that definition */
    struct str author, author_method, reason;
};

/* What only the process knows or can do. */
struct admin_hooks {
    /* The configuration in place; borrowed until the turn ends. */
    const struct settings *(*settings)(void *user);
    /* The limits of that; NULL: none. */
    const struct limit_rules *(*limit_rules)(void *user);
    /*
     * The registry's view was changed, or a session was ended: tell every
     * worker, which cuts what that ends.  `done(arg)` runs once, in a later
     * turn, when every worker has done so: no byte of what was ended leaves
     * any more.  It does not run when the process ends first.
     */
    void (*spread)(void *user, void (*done)(void *arg), void *arg);
    /*
     * `done(arg, …)` runs once, perhaps at once: will the sessions that were
     * ended up to now stay so, should the process end?  NULL: yes.
     */
    void (*keep_sessions)(void *user, void (*done)(void *arg, bool kept),
                          void *arg);
    /* The tools as they are pinned; NULL: not loaded yet.  Borrowed until the
     * turn ends. */
    struct catalog *(*catalog)(void *user);
    /*
     * Copies `a`; `done(arg, e)` runs once, perhaps at once, when evidence and
     * store have it and the workers are told.  Errors as of
     * catalog_writer_approve(); ERR_EVIDENCE, ERR_STORE: it has not happened.
     * ERR_NO_MEMORY returned: `done` does not run.
     */
    enum err (*approve_tool)(void *user, const struct admin_tool_approval *a,
                             void (*done)(void *arg, enum err e), void *arg);
    /* The node's state, as one JSON object. */
    void (*status)(void *user, struct buf *to);
    /* The same as numbers, for /metrics. */
    void (*figures)(void *user, struct metrics_figures *ret);
    void *user;
};

/* Zero-initialised but for what is said; one per process. */
struct admin_host {
    struct loop *loop;
    struct evidence *evidence;
    struct registry *registry; /* NULL: not open yet, 503 */
    struct session_table *sessions;
    struct limit_counters *limits; /* NULL: none are configured */
    struct approvals *approvals;   /* what waits for people */
    struct accounts *accounts;     /* NULL: no store yet, 503 */
    struct logins *logins;
    struct lockout *lockout;
    struct people_enrolment *enrolment; /* one under way; people_enrol.c */
    struct str caller_key; /* the keeper's, 32 bytes; empty: not yet */
    const char *data;      /* the data directory */
    struct admin_hooks hooks;

    struct list changes; /* changes.h: those under way; list_init() it */
    unsigned change_count;
    struct list sayings; /* tickets_decide.c: as above */
};

/* Who asks. */
struct admin_author {
    struct str id;           /* entity id of a person; empty: nobody known */
    enum auth_method method; /* AUTH_PEER, AUTH_LOGIN */
    struct str token;        /* of AUTH_LOGIN */
    int64_t login_us;        /* the same: Unix time */
};

struct admin_pending;

/* One request.  Lives, with all it borrows from, until it was answered or
 * cancelled. */
struct admin_call {
    struct admin_host *host;
    struct str method, path; /* behind "/admin/v1/", still encoded */
    struct str query, body;
    struct str source; /* address of the caller, "192.0.2.1:5000", "local" */
    struct admin_author author;
    struct arena *arena; /* the request's */

    /* The answer, once, perhaps in a later turn; `body` is borrowed. */
    void (*reply)(struct admin_call *c, int status, struct str content_type,
                  struct str body);
    void *user;

    /* Private. */
    struct admin_pending *pending;
    unsigned action; /* enum action_kind */
    struct str argument;
};

/* Embedded first in what goes on after a handler has returned. */
struct admin_pending {
    struct admin_call *call; /* NULL: it went away */
};

#endif
