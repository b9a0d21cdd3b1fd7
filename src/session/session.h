/*
 * session.h - sessions: what belongs together because the same actor acts for
 * the same subject.
 *
 * A session is never chosen by the caller: it follows from (tenant, issuer,
 * subject, actor), ends when idle or too old, and then a new one begins.  It
 * is the root of its tree.  The payload key comes from the keeper, later:
 *
 *     find() says is_new     -> ask the keeper with the session's id, in an
 *                               object of your own that holds a reference:
 *                               the key must arrive even if the caller left
 *     the keeper answers     -> session_set_key(), or session_fail()
 *     everybody, also the
 *     one who asked          -> session_await()
 *
 * The table is shared by all threads: 16 stripes, each under its own lock,
 * held for a lookup.  A handle is a reference; sessions outlive the table's
 * interest in them.
 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

struct loop;
struct session;
struct session_table;

enum { SESSION_ID_LEN = 16, SESSION_KEY_LEN = 32, SESSIONS_MAX = 1 << 20 };

MUST_CHECK enum err session_table_new(struct session_table **ret);
/* After all threads have gone; handles may still be held.  NULL allowed. */
void session_table_free(struct session_table *t);

/* Whose session; texts are copied.  No actor: the subject acts itself. */
struct session_owner {
    struct str tenant, issuer, subject, actor;
};

struct session_limits {
    int64_t idle_ms, max_ms;
};

/*
 * The open session of `who`, or a new one; *ret is one reference.
 * `now_ms` is monotonic.  *ret_is_new: the key must be asked for.
 * ERR_OVERLOAD: SESSIONS_MAX are open.  ERR_LIMIT: a name of over 284 bytes.
 * ERR_NO_MEMORY.  Times of the limits hold as they were when it was opened.
 */
MUST_CHECK enum err session_find(struct session_table *t,
                                 const struct session_owner *who,
                                 const struct session_limits *limits,
                                 int64_t now_ms, struct session **ret,
                                 bool *ret_is_new);

/* Closes what is idle or too old; call about once a second. */
void session_table_sweep(struct session_table *t, int64_t now_ms);
/* Open sessions. */
size_t session_table_count(struct session_table *t);

struct session *session_ref(struct session *s);
void session_unref(struct session *s); /* the last one wipes; NULL allowed */

/* SESSION_ID_LEN random bytes.  The root of a session is itself, so far. */
const unsigned char *session_id(const struct session *s);
const unsigned char *session_root(const struct session *s);

/* True once the key is there; then the key never changes. */
bool session_has_key(const struct session *s);
/* SESSION_KEY_LEN bytes, for as long as the handle; asserts has_key. */
struct str session_payload_key(const struct session *s);

/* The keeper's answer, once per session; any thread.  Wakes all who wait. */
void session_set_key(struct session *s, struct str key);
/*
 * No key: the session is closed, those who wait get `why`.  A restored one has
 * its key somewhere, unless `why` is ERR_NOT_FOUND: it stays open, and whoever
 * finds it next is told is_new.
 */
void session_fail(struct session *s, enum err why);

/*
 * What a session has done, over its whole tree; any thread.  Counted with
 * relaxed atomics: a policy may see a call a moment later.
 */
struct session_state {
    uint64_t calls, tokens;
    int64_t opened_ms; /* monotonic */
};
void session_count(struct session *s, uint64_t calls, uint64_t tokens);
struct session_state session_state_of(const struct session *s);

/* ---- ending, listing, and after a restart ---- */

/* True once it was ended by somebody; what is under way in it has to stop. */
bool session_is_ended(const struct session *s);

/* One session as it is listed and stored; texts are borrowed for the call. */
struct session_row {
    unsigned char id[SESSION_ID_LEN], root[SESSION_ID_LEN];
    struct session_owner owner;
    int64_t opened_us, used_us; /* Unix time */
    uint64_t calls, tokens;
};

/* Ends the open session of that id: it is found no more.  False: no such
 * session is open. */
bool session_table_end(struct session_table *t,
                       const unsigned char id[SESSION_ID_LEN]);

/* Calls `each` for open sessions, stripe by stripe, under its lock: copy and
 * return.  `now_us`, `now_ms`: the same instant, to turn one into the other. */
void session_table_each(struct session_table *t, int64_t now_us, int64_t now_ms,
                        void (*each)(void *user, const struct session_row *row),
                        void *user);

/*
 * Puts back a session that was open before a restart, unless its time is
 * over by `limits` or its owner has one.  It has no key: whoever finds it
 * first is told is_new and asks the keeper for the key that it has.  Best
 * given the oldest first, before anybody else uses the table: a sweep may see
 * late that it was idle, session_find() never does.  One that is not put back
 * is told as closed.  ERR_LIMIT, ERR_MALFORMED: no row of ours; ERR_OVERLOAD;
 * ERR_NO_MEMORY.
 */
MUST_CHECK enum err session_table_restore(struct session_table *t,
                                          const struct session_row *row,
                                          const struct session_limits *limits,
                                          int64_t now_us, int64_t now_ms);
/* True for one that was put back: its key exists already. */
bool session_is_restored(const struct session *s);

/*
 * What whoever stores sessions has not been told yet, at most `max` of it:
 * `row` for those that are new, and for those used whose use was not told for
 * `used_for_ms` (0: all that were used); `closed` for those that were told as
 * open or restored, and are not open any more, or were not put back.
 * Returns how many were told; fewer than `max`: that was all.
 *
 * Called under locks that are held for a few rows: copy and return.  What was
 * told is told again only when it changes; keep it until it is stored.  One
 * thread at a time.  When nobody asks, the longest list forgets that sessions
 * have closed by themselves: by their limits they are not put back anyway.
 */
struct session_changes {
    void (*row)(void *user, const struct session_row *row);
    void (*closed)(void *user, const unsigned char id[SESSION_ID_LEN]);
    void *user;
    int64_t used_for_ms;
};
size_t session_table_drain(struct session_table *t, size_t max, int64_t now_us,
                           int64_t now_ms, const struct session_changes *to);

/*
 * Somebody who waits for the key; embedded in its owner, which must stay
 * until `done` has run or session_wait_cancel() was called.
 */
struct session_ticket;
struct session_wait {
    struct session_ticket *ticket; /* private; NULL: not waiting */
    void (*done)(struct session_wait *w, enum err e);
};

/*
 * w->done runs on loop `l`, the calling thread's, in a later turn, with
 * ERR_OK when the key is there.  When it is there already, or never will be,
 * `done` runs in a later turn just the same.  ERR_NO_MEMORY: not taken.
 */
MUST_CHECK enum err session_await(struct session *s, struct loop *l,
                                  struct session_wait *w);
/* `done` will not run.  Own thread only; allowed when not waiting. */
void session_wait_cancel(struct session_wait *w);

#endif
