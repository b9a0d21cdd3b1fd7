/*
 * gateway_tools.h - the one writer of the catalog, with its evidence and its
 * rows in the store.
 *
 * Jobs are done one after the other.  What makes a tool usable goes
 *
 *     evidence (durable), store, everybody
 *
 * so that nothing is usable of which there is no evidence, and nothing that
 * the next start will not know.  What takes a tool away goes
 *
 *     evidence (durable), everybody, store
 *
 * and holds also while the store does not answer: a row that still has the
 * old definition is no harm, since the next start asks the server again.
 *
 * On one loop, which is the control thread's.
 */
#ifndef APP_GATEWAY_TOOLS_H
#define APP_GATEWAY_TOOLS_H

#include "base/attr.h"
#include "base/list.h"
#include "mcp/catalog.h"

struct evidence;
struct gateway_tools;
struct loop;
struct store;

struct gateway_tools_options {
    struct loop *loop;
    struct evidence *evidence;
    struct str node; /* borrowed */
    /* `c` (borrowed) is the catalog from now on: tell everybody. */
    void (*publish)(void *user, struct catalog *c);
    void *user;
};

MUST_CHECK enum err gateway_tools_new(const struct gateway_tools_options *o,
                                      struct gateway_tools **ret);
/* What is under way ends with ERR_SHUTDOWN; before evidence and store go.
 * NULL is allowed. */
void gateway_tools_free(struct gateway_tools *t);

/* Reads the rows of `store`; `loaded` runs once.  ERR_STORE, ERR_CORRUPT,
 * ERR_LIMIT: nobody must be served. */
void gateway_tools_load(struct gateway_tools *t, struct store *store,
                        void (*loaded)(void *user, enum err e, struct str why));

/* NULL: not loaded yet; borrowed. */
struct catalog *gateway_tools_current(const struct gateway_tools *t);

/* A person's word; texts are borrowed like those of the job. */
struct gateway_tools_approval {
    struct str name;
    struct hash seen; /* digest of what the person has looked at */
    struct str author, author_method, reason;
};

/* Embedded in its owner; all it names lives until `done` has run, once,
 * perhaps before gateway_tools_run() returns. */
struct gateway_tools_job {
    struct str server;
    const struct tool *offered; /* name, text and digest count */
    size_t count;
    bool approve_new;
    int64_t listed_ms;                             /* monotonic; 0: now */
    const struct gateway_tools_approval *approval; /* NULL: it is an offer */
    /* ERR_OK: the catalog is what follows from it.  Errors as of
     * catalog_writer.h; ERR_EVIDENCE, ERR_STORE: it has not become so, or not
     * all of it. */
    void (*done)(struct gateway_tools_job *j, enum err e);
    struct list node; /* private */
};
void gateway_tools_run(struct gateway_tools *t, struct gateway_tools_job *j);

#endif
