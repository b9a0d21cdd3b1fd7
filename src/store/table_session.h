/*
 * table_session.h - the sessions of each node, so that those which are open
 * are found again after a restart.
 *
 * Their payload keys are with the node's keeper: a session is its node's.
 * Rows of closed ones stay for a while and are then forgotten.
 */
#ifndef STORE_TABLE_SESSION_H
#define STORE_TABLE_SESSION_H

#include "store/store.h"

enum { TABLE_SESSION_ID_LEN = 16 };

struct table_session {
    struct str id, root; /* TABLE_SESSION_ID_LEN bytes */
    struct str tenant, issuer, subject, actor;
    int64_t opened_us, used_us; /* Unix time */
    uint64_t calls, tokens;     /* stored up to INT64_MAX */
};

/*
 * An open session of `node`: added, or its use and counts renewed.  One that
 * is closed stays closed.  Errors as of store_batch_add().
 */
MUST_CHECK enum err table_session_put(struct store_batch *b, struct str node,
                                      const struct table_session *s);

/* The session of that id is open no more; nothing when there is none. */
MUST_CHECK enum err table_session_close(struct store_batch *b, struct str id,
                                        int64_t now_us);

/*
 * The open sessions of `node` that follow (`opened_us`, `id`), the oldest
 * first and at most `limit`; the first page follows (INT64_MIN, no bytes).
 */
MUST_CHECK enum err table_session_list(struct store_batch *b, struct str node,
                                       int64_t opened_us, struct str id,
                                       int64_t limit);
/* False: not a row of table_session_list().  Texts are borrowed. */
MUST_CHECK bool table_session_read(const struct store_value *columns, size_t n,
                                   struct table_session *ret);

/* Removes at most `limit` sessions of `node` that closed before `until_us`. */
MUST_CHECK enum err table_session_forget(struct store_batch *b, struct str node,
                                         int64_t until_us, int64_t limit);

#endif
