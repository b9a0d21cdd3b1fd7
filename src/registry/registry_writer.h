/*
 * registry_writer.h - brings changes into the store, in order, until it has
 * them.  For the inside of registry/ only.
 *
 * Several changes travel in one batch, which is marked with the last index in
 * it.  A batch that failed is tried again, later each time; who waits for it
 * hears so after the first try.  When too much waits the store is left alone
 * until the next start, which replays from what the store has applied.
 */
#ifndef REGISTRY_REGISTRY_WRITER_H
#define REGISTRY_REGISTRY_WRITER_H

#include "os/loop.h"
#include "os/timer.h"
#include "registry/registry_record.h"

struct store;
struct store_call;

enum { REGISTRY_WAITING_MAX = 65536, REGISTRY_NODE_MAX = 128 };

struct registry_write; /* one change */
struct registry_writes {
    struct registry_write *first, *last;
};

struct registry_writer {
    struct loop *loop;
    struct store *store;
    char name[sizeof("registry/") + REGISTRY_NODE_MAX];
    size_t name_len;
    struct registry_writes waiting; /* in order */
    size_t count;
    struct registry_writes sent; /* in the batch that is on its way */
    int64_t sent_index;          /* its mark; -1: none */
    struct store_call *call;     /* NULL: none on its way */
    struct loop_hook hook;       /* sends what a turn has added */
    struct timer timer;          /* until the next try */
    int64_t pause_ms;
    int held;        /* registry_hold(): batches have no mark */
    int64_t applied; /* index of what the store has; -1: nothing */
    bool behind;     /* too much waited */
};

/* ERR_LIMIT: the node's name is too long. */
MUST_CHECK enum err registry_writer_init(struct registry_writer *w,
                                         struct loop *l, struct store *s,
                                         struct str node);
/* Drops what waits, without a word. */
void registry_writer_release(struct registry_writer *w);

/* The projection's name; and where it stands, from the store. */
struct str registry_writer_name(const struct registry_writer *w);
void registry_writer_set_applied(struct registry_writer *w, int64_t index);

/*
 * `r` (a reference is taken) was changed by the entry at `index`, or was
 * discovered: -1.  NULL: up to `index` the evidence changed nobody else.
 * `then` (NULL is allowed) hears in a later turn.
 * ERR_NO_MEMORY.
 */
MUST_CHECK enum err registry_writer_add(struct registry_writer *w,
                                        struct registry_record *r,
                                        int64_t index,
                                        const struct registry_put *then);

#endif
