/*
 * ledger_client.h - a gateway thread's end of the evidence process.
 *
 * Entries given during one turn of the loop leave in one write.  The ledger
 * commits at once when an entry is awaited (one write, one fdatasync for all
 * that waits, of all threads); other entries ride along, or go after
 * LEDGER_LAZY_MS.  Answers come in the order of the entries.
 *
 * A ledger that cannot write answers ERR_EVIDENCE, and so does a connection
 * that breaks: for every entry that waits, and for every entry given until a
 * new connection is set.  Nothing is ever repeated.
 *
 * One client per loop; not thread-safe.
 */
#ifndef LEDGER_LEDGER_CLIENT_H
#define LEDGER_LEDGER_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/list.h"
#include "base/str.h"
#include "crypto/hash.h"

struct ledger_client;
struct loop;

enum { LEDGER_LAZY_MS = 5 };
#define LEDGER_NO_INDEX UINT64_MAX

/* How an entry is committed, and what it does to the set of open intents. */
enum ledger_class {
    LEDGER_AWAITED = 0, /* commit at once */
    LEDGER_LAZY,        /* with the next awaited one, or after 5 ms */
};

/* An entry's place in the log. */
struct ledger_receipt {
    uint64_t index;   /* from 0 */
    struct hash leaf; /* RFC 6962 leaf hash of the entry */
};

/*
 * One entry on its way.  Embedded in its owner, which must stay until `done`
 * has run or ledger_wait_cancel() was called.
 */
struct ledger_wait {
    struct list node; /* private */
    uint64_t number;  /* private */
    void (*done)(struct ledger_wait *w, enum err e,
                 const struct ledger_receipt *receipt); /* NULL on error */
};

/* Without a connection at first: everything is refused with ERR_EVIDENCE. */
MUST_CHECK enum err ledger_client_new(struct loop *l, uint64_t generation,
                                      struct ledger_client **ret);
void ledger_client_free(struct ledger_client *c);

/* A new socket to the ledger (ours from now on); replaces a broken one. */
MUST_CHECK enum err ledger_client_connect(struct ledger_client *c, int fd);

/* True when connected and not failed; for readiness. */
bool ledger_client_ready(const struct ledger_client *c);
/* True without a connection: none was given yet, or it broke.  It does not
 * come back by itself. */
bool ledger_client_lost(const struct ledger_client *c);

struct ledger_append {
    struct str entry; /* canonical JSON, 1 to ENTRY_MAX bytes; copied */
    enum ledger_class class;
    bool opens;      /* an intent: stays open until an entry closes it */
    uint64_t closes; /* index of the intent that this closes, or
                        LEDGER_NO_INDEX */
};

/*
 * Hands over one entry.  `w` NULL: nobody waits (a loss shows in `status`
 * and in the log of the ledger process).  On success `w->done` runs once, in
 * a later turn.  ERR_EVIDENCE: no ledger; `w` was not taken.
 */
MUST_CHECK enum err ledger_client_append(struct ledger_client *c,
                                         const struct ledger_append *a,
                                         struct ledger_wait *w);

/* The owner goes away: `done` will not run.  The entry is written all the
 * same.  Allowed when `w` is not waiting (zero-initialised). */
void ledger_wait_cancel(struct ledger_wait *w);

/*
 * Intents that an earlier gateway left open: `each` runs once per index,
 * then once with LEDGER_NO_INDEX (at once when the connection breaks; what was
 * not named stays with the ledger until somebody asks again).  The caller
 * closes them as "outcome unknown".  Only the control thread asks, one
 * question at a time: ERR_OVERLOAD.
 */
MUST_CHECK enum err
ledger_client_orphans(struct ledger_client *c,
                      void (*each)(void *user, uint64_t index), void *user);

/*
 * For `status`, and as a barrier: answered once, in a later turn, when every
 * entry given before is durable; ERR_EVIDENCE when broken.  ERR_OVERLOAD:
 * LEDGER_ASKED_MAX questions wait.
 */
enum { LEDGER_ASKED_MAX = 16 };

struct ledger_stats {
    uint64_t entries; /* tree size */
    uint64_t syncs;   /* fdatasync calls since the ledger process started */
    uint64_t commits; /* entries committed since then */
    uint64_t open_intents;
    uint64_t cut_bytes; /* of a torn write, removed when that process began */
    struct hash root;
};
MUST_CHECK enum err ledger_client_stats(
    struct ledger_client *c,
    void (*got)(void *user, enum err e, const struct ledger_stats *s),
    void *user);

#endif
