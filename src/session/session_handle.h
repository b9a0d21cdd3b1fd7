/*
 * session_handle.h - the inside of one session; used by session/ only.
 */
#ifndef SESSION_SESSION_HANDLE_H
#define SESSION_SESSION_HANDLE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "session/session.h"

enum session_phase {
    SESSION_NEW = 0, /* the key was asked for */
    SESSION_KEYED,
    SESSION_DEAD, /* there will be no key */
};

struct session {
    atomic_uint refs;
    _Atomic(enum session_phase) phase; /* leaves NEW once, under `lock` */
    pthread_mutex_t lock;              /* of phase and tickets */
    struct list tickets;
    enum err why; /* it is dead; set before phase */
    _Atomic uint64_t calls, tokens;
    atomic_bool ended; /* by somebody */
    atomic_bool asked; /* somebody was told to ask for the key */
    unsigned char key[SESSION_KEY_LEN]; /* set before phase; wiped */

    /* The table's, under the lock of its stripe. */
    struct list by_use;   /* the longest unused first */
    struct list by_age;   /* the oldest first */
    struct list unstored; /* on fresh or used of the stripe, or alone */
    int64_t unstored_ms;  /* the first use that is not stored */
    bool stored;          /* told as open: its end is to be told, too */
    struct session_limits limits;
    int64_t used_ms;

    /* Set before it is shared. */
    bool restored;
    int64_t opened_ms;
    unsigned char id[SESSION_ID_LEN];
    size_t owner_len;
    char owner[]; /* its key in the table */
};

/* A new session with one reference and a random id; NULL: no memory. */
struct session *session_handle_new(struct str owner);

/* It never gets a key: it is as good as closed. */
bool session_handle_is_dead(const struct session *s);

/* Marks it as ended by somebody. */
void session_handle_end(struct session *s);

#endif
