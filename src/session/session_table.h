/*
 * session_table.h - the inside of the table; used by session/ only.
 *
 * A session is in the stripe of its owner and in the stripe of its id.  The
 * owner's lock is the one that counts: it is taken first, and only under it
 * does a session come and go.
 */
#ifndef SESSION_SESSION_TABLE_H
#define SESSION_SESSION_TABLE_H

#include <pthread.h>

#include "base/map.h"
#include "session/session_handle.h"

enum {
    SESSION_STRIPES = 16,
    SESSION_OWNER_MAX = 1152, /* bytes of an owner's key */
    /* Closes that nobody has stored, of one stripe. */
    SESSION_CLOSED_MAX = SESSIONS_MAX / SESSION_STRIPES / 4,
};

/* Ids of sessions that were stored as open and are not any more. */
struct session_closed {
    unsigned char (*ids)[SESSION_ID_LEN]; /* heap */
    size_t count, room;
};

struct session_stripe {
    pthread_mutex_t lock;
    struct map sessions; /* owner -> struct session, +1 reference */
    struct list by_use;  /* restored ones are not in order, see below */
    struct list by_age;
    /* What is not stored: sessions that are new, and those that were used,
     * the longest unstored first. */
    struct list fresh;
    struct list used;
    struct session_closed closed;
};

struct session_ids {
    pthread_mutex_t lock; /* inside of a stripe's */
    struct map sessions;  /* id -> struct session, borrowed */
};

struct session_table {
    struct siphash_key seed;
    struct session_stripe stripes[SESSION_STRIPES];
    struct session_ids ids[SESSION_STRIPES];
    size_t drained; /* the stripe that session_table_drain() begins with */
};

void session_table_lock(pthread_mutex_t *m);
void session_table_unlock(pthread_mutex_t *m);

/* The parts as one key: with their lengths, so that no two owners have the
 * same.  Empty when it would be too long. */
struct str session_table_join(const struct session_owner *who,
                              char to[SESSION_OWNER_MAX]);

struct session_stripe *session_table_stripe(struct session_table *t,
                                            struct str owner);

/* Its time is over, or it never got a key. */
bool session_table_is_over(const struct session *s, int64_t now_ms);

/*
 * Under the stripe's lock: puts `s` in, whose reference the table takes.
 * ERR_OVERLOAD, ERR_NO_MEMORY: not taken.
 */
MUST_CHECK enum err session_table_put(struct session_table *t,
                                      struct session_stripe *p,
                                      struct session *s);
/* Under the stripe's lock: takes `s` out; the table's reference passes to the
 * caller. */
void session_table_take(struct session_table *t, struct session_stripe *p,
                        struct session *s);

/* Under the stripe's lock: to be told as closed.  Not beyond the limit, which
 * is twice as high for what somebody has ended. */
void session_table_note_closed(struct session_stripe *p,
                               const unsigned char id[SESSION_ID_LEN],
                               bool ended);

#endif
