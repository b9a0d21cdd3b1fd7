/*
 * catalog.h - the tools that servers have offered, as they are pinned.
 *
 * A definition is what a model is told and what arguments are checked
 * against.  It is pinned by its digest when it is first seen (or, where the
 * configuration says so, when a person approves it).  What a server offers
 * later under the same name is the pinned one, or the tool is quarantined:
 * neither listed nor called until a person has looked at the difference.
 *
 * Readers look into a `catalog`: immutable, counted, read without a lock; an
 * action keeps the one it began with.  The one writer (control thread) makes
 * a new one per change (catalog_writer.h).
 */
#ifndef MCP_CATALOG_H
#define MCP_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/json_schema.h"
#include "mcp/tool.h"

enum catalog_state {
    CATALOG_NONE = 0,    /* denies */
    CATALOG_PROPOSED,    /* never approved: denied */
    CATALOG_PINNED,      /* usable */
    CATALOG_QUARANTINED, /* its server offers something else now: denied */
};
/* "proposed", "pinned", "quarantined"; "" for none. */
struct str catalog_state_name(enum catalog_state s);

enum {
    CATALOG_TOOLS_MAX = 16384, /* of all servers */
    CATALOG_SERVER_MAX = 4096, /* of one server */
    /* Bytes of one definition: a row of the store holds two.  A longer one
     * counts as one that cannot be read. */
    CATALOG_TEXT_MAX = 256 * 1024,
    CATALOG_SERVER_TEXT_MAX = 16 * 1024 * 1024, /* of all of one server's */
};

struct catalog_tool {
    struct str server; /* its name in the configuration */
    enum catalog_state state;
    /* What is pinned; of a proposed one what was offered. */
    struct tool tool;
    /* Of a quarantined one: what is offered instead (its text may be empty:
     * a definition that cannot be read). */
    struct tool offered;
    /* Compiled from tool.input; NULL: it uses what the validator does not
     * know, `why` names it, and the tool cannot be called. */
    const struct json_schema *input;
    struct str why;
    int64_t first_us, changed_us; /* Unix time */
    int64_t changed_ms;     /* the same, monotonic; 0: before this process */
    struct str approved_by; /* entity id, or empty: pinned at first sight */
};

struct catalog;
/* No other catalog has this number, also when this one is gone; not 0. */
uint64_t catalog_number(const struct catalog *c);
struct catalog *catalog_ref(struct catalog *c);
void catalog_unref(struct catalog *c); /* NULL is allowed; any thread */

/* NULL: nobody has offered it.  Borrowed from `c`.  By hash. */
const struct catalog_tool *catalog_find(const struct catalog *c,
                                        struct str server, struct str name);
/* Tools of one server (of all, where it is empty), in the order of server and
 * name: those from number `from` on, NULL at the end. */
const struct catalog_tool *catalog_at(const struct catalog *c,
                                      struct str server, size_t from);
size_t catalog_count(const struct catalog *c, struct str server);

/*
 * What catalog_writer_offer() would do is already so: every tool of `offered`
 * is known, and what it is known as follows from this offer.  The fast path of
 * every listing.  A definition that cannot be read is a name without a text;
 * where nobody knows the name, nothing follows from it.
 */
bool catalog_is_settled(const struct catalog *c, struct str server,
                        const struct tool *offered, size_t count);

/* SHA-256 over all that is usable: server, name and digest of each.  Zero:
 * nothing is.  Evidence names it as the schema. */
struct hash catalog_digest(const struct catalog *c);

/*
 * An offer on its way to the writer; embedded in its owner, zero-initialised.
 * `done` runs once, in a later turn of the owner's loop: ERR_OK: the catalog
 * that its worker has by now is what follows from the offer.  Any other
 * error: nothing is known of what was offered, so none of it may be listed.
 */
struct catalog_wait {
    void (*done)(struct catalog_wait *w, enum err e);
    struct catalog_wait **held; /* private: where the answer will look */
};
/* The owner goes away: `done` will not run.  Allowed when it is not waiting. */
static inline void catalog_wait_cancel(struct catalog_wait *w)
{
    if (w->held != NULL)
        *w->held = NULL;
    w->held = NULL;
}

#endif
