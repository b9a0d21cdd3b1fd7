/*
 * registry.h - the inventory: each identity, its owner, and whether it may act.
 *
 * Readers (worker threads) look into a `registry_view`: immutable, counted,
 * read without a lock.  The one writer (control thread) makes a new view per
 * change: a large base table, shared, and a small overlay that is copied; the
 * overlay is folded into the base on a thread of its own when it has grown.
 *
 * The evidence is written first; a change then enters memory and the store
 * in one call, with the index of its entry, so that the store can be brought
 * up to date after a crash (registry_replay).  A suspension goes the other
 * way round (rule "Revocation wins every race"): memory first.
 */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "domain/principal.h"
#include "domain/settings.h"

struct loop;
struct registry;
struct registry_view;
struct store;

enum registry_state {
    REGISTRY_NONE = 0,   /* denies */
    REGISTRY_DISCOVERED, /* seen, not registered: denied */
    REGISTRY_PROPOSED,   /* registered, not yet allowed to act */
    REGISTRY_ACTIVE,
    REGISTRY_SUSPENDED,
    REGISTRY_RETIRED, /* for good; its name is not used again */
};
struct str registry_state_name(enum registry_state s);
enum registry_state registry_state_from(struct str name);

/* Rule "The user cannot be dropped". */
enum registry_mode {
    REGISTRY_DELEGATED = 0,
    REGISTRY_AUTONOMOUS,
    REGISTRY_BOTH,
};
struct str registry_mode_name(enum registry_mode m);
enum {
    REGISTRY_PURPOSES_MAX = 16,
    REGISTRY_KEYS_MAX = 4, /* of one identity, with those that it replaces */
    REGISTRY_TEXT_MAX = 256,
    REGISTRY_DISCOVERED_MAX = 10000,
};

struct registry_key {
    struct hash hmac;       /* proof_key_hash() */
    struct str fingerprint; /* 16 hex digits; names the key in evidence */
    int64_t expires_us;     /* Unix time */
};

/*
 * One identity.  What it points to is borrowed from the view.  A change is a
 * copy of the struct with other members and `revision` one higher; a new one
 * has revision 1.
 */
struct registry_entry {
    struct principal who; /* kind, issuer ("keys" or an alias), id, tenant */
    struct str name;      /* as it was given */
    struct str owner;     /* entity id of a person, "keys|alice" */
    const struct str *purposes;
    unsigned purpose_count;  /* at most REGISTRY_PURPOSES_MAX */
    enum registry_mode mode; /* agents; others: both */
    uint32_t risk;           /* ceiling, enum risk or-ed */
    enum registry_state state;
    int64_t created_us, expires_us; /* Unix time; mandatory */
    uint64_t revision;              /* rises with each change of it */
    const struct registry_key *keys;
    unsigned key_count; /* at most REGISTRY_KEYS_MAX */
};

/* ---- reading; any thread that holds a reference ---- */

struct registry_view *registry_view_ref(struct registry_view *v);
void registry_view_unref(struct registry_view *v); /* NULL is allowed */

/* NULL: not in the registry.  About 50 ns. */
const struct registry_entry *registry_view_find(const struct registry_view *v,
                                                enum principal_kind kind,
                                                struct str id);
/* By the keyed hash of a key; NULL: none.  *ret_key is the one that fits. */
const struct registry_entry *
registry_view_by_key(const struct registry_view *v, const struct hash *hmac,
                     const struct registry_key **ret_key);

/*
 * May it act now?  ERR_OK: active and not expired, and its owner is a person
 * who is active too (a person owns itself).  ERR_UNREGISTERED: no entry, or
 * discovered, or one of another tenant or issuer, which an id need not name
 * (rule "Tenants are a wall before policy").  ERR_INACTIVE: proposed, expired,
 * or the owner is not active. ERR_REVOKED: suspended or retired.
 */
MUST_CHECK enum err registry_view_check(const struct registry_view *v,
                                        const struct principal *who,
                                        int64_t now_us,
                                        const struct registry_entry **ret);

/* The revocation epoch: rises with every change that can end something. */
uint64_t registry_view_epoch(const struct registry_view *v);
/* Changes whenever the answer of registry_view_by_key() could change. */
uint64_t registry_view_keys_number(const struct registry_view *v);
size_t registry_view_count(const struct registry_view *v);

/*
 * In the order of ids, from `after` (exclusive; empty: from the start); up to
 * `max` entries, which is at least 4; for listings.  Returns how many; 0 is
 * the end.  Those that share an id come together, so that the last id is a
 * place to go on from.
 */
size_t registry_view_list(const struct registry_view *v, struct str after,
                          const struct registry_entry **to, size_t max);

/* One entry as a JSON object: for listings and, whole, for evidence.  Keys
 * stand there with fingerprint and hash of the hash only in `whole`. */
void registry_entry_write(struct buf *to, const struct registry_entry *e,
                          bool whole);

/* ---- writing; the control thread ---- */

struct registry_events {
    /* Loaded from the store (ERR_OK), or of no use. */
    void (*opened)(void *user, enum err e, struct str why);
    /* A new view, one reference for the callee; also after `opened`. */
    void (*changed)(void *user, struct registry_view *v);
    void *user;
};

/* Begins to load; `name` is the node's, for the projection. */
MUST_CHECK enum err registry_open(struct loop *l, struct store *store,
                                  struct str name,
                                  const struct registry_events *events,
                                  struct registry **ret);
/* No event follows; NULL is allowed.  Views may still be held. */
void registry_close(struct registry *r);

struct registry_view *registry_now(const struct registry *r); /* borrowed */
/* The last ledger index that the store has applied; -1: none. */
int64_t registry_applied(const struct registry *r);

/*
 * Checks an entry that is to be new (revision 1, proposed or active) or
 * changed (one more than what is there); *ret_why (static) says what is wrong:
 * no owner, purpose or expiry, an owner who is no active person, a name that
 * is taken, a bad id, a text too long.  ERR_MALFORMED, _CONFLICT, _NOT_FOUND.
 */
MUST_CHECK enum err registry_check_new(const struct registry *r,
                                       const struct registry_entry *e,
                                       int64_t now_us, const char **ret_why);

struct registry_put {
    /* The store has it (ERR_OK) or could not say so (ERR_STORE: it will be
     * replayed from the evidence).  May be NULL. */
    void (*stored)(void *user, enum err e);
    void *user;
};

/*
 * Puts `e`, which registry_check_new() has found well-formed, in place of
 * what was there under its kind and id; copies.  `index` is that of its
 * evidence entry; -1: not written yet, then the store is told by a second
 * call with the index.  `changed` has run when it returns.  ERR_NO_MEMORY:
 * nothing was done.
 */
MUST_CHECK enum err registry_put(struct registry *r,
                                 const struct registry_entry *e, int64_t index,
                                 const struct registry_put *then);

/* The evidence may say what was not put: until all who hold let go, the store
 * learns of no index, so that a replay finds it. */
void registry_hold(struct registry *r, bool hold);
/* All that it says up to `index` was put: a replay begins behind that. */
void registry_mark(struct registry *r, int64_t index);

/*
 * Somebody was proven who has no entry.  Recorded once per identity, bounded
 * by REGISTRY_DISCOVERED_MAX.  True when this was the first time: the caller
 * writes the evidence.
 */
bool registry_discover(struct registry *r, const struct principal *who,
                       int64_t now_us);

/* Applies what an evidence entry (parsed) says about the registry, if it
 * does, at `index`; for what the store missed. */
MUST_CHECK enum err registry_replay(struct registry *r,
                                    const struct json *entry, int64_t index);

#endif
