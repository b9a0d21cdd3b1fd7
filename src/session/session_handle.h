/*
 * session_handle.h - the inside of one session; used by session/ only.
 */
#ifndef SESSION_SESSION_HANDLE_H
#define SESSION_SESSION_HANDLE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "session/session.h"

enum session_state {
    SESSION_NEW = 0, /* the key was asked for */
    SESSION_KEYED,
    SESSION_DEAD, /* there will be no key */
};

struct session {
    atomic_uint refs;
    _Atomic(enum session_state) state; /* leaves NEW once, under `lock` */
    pthread_mutex_t lock;              /* of state and tickets */
    struct list tickets;
    enum err why; /* it is dead; set before state */
    unsigned char id[SESSION_ID_LEN];
    unsigned char key[SESSION_KEY_LEN]; /* set before state; wiped */

    /* The table's, under the lock of its stripe. */
    struct list by_use; /* the longest unused first */
    struct list by_age; /* the oldest first */
    struct session_limits limits;
    int64_t opened_ms, used_ms;
    size_t owner_len;
    char owner[]; /* its key in the table */
};

/* A new session with one reference and a random id; NULL: no memory. */
struct session *session_handle_new(struct str owner);

/* It never gets a key: it is as good as closed. */
bool session_handle_is_dead(const struct session *s);

#endif
