/*
 * hub_list.h - all tools that a server lists, as they were read; used by the
 * hub's own files only.
 *
 * Each session has a link of its own, and most are told the same: lists of one
 * text are read once, and shared by all workers.
 */
#ifndef MCP_HUB_LIST_H
#define MCP_HUB_LIST_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/map.h"
#include "crypto/hash.h"
#include "mcp/tool.h"

/* Counted; nobody changes it once it is shared, but for `settled`. */
struct hub_list {
    _Atomic(unsigned) refs;
    _Atomic(uint64_t) settled; /* see hub_offer_settle() */
    struct hash key;
    struct arena arena;
    struct tool_page page; /* all of them as one */
    struct hash digest;    /* hub_offer_digest() */
};
struct hub_list *hub_list_new(void); /* NULL: no memory; one reference */
struct hub_list *hub_list_ref(struct hub_list *l);
void hub_list_unref(struct hub_list *l); /* NULL is allowed; any thread */

/* Those that can be found; any thread. */
struct hub_list_set {
    pthread_mutex_t lock;
    struct map by_key; /* a reference each */
};
void hub_list_init(struct hub_list_set *s, size_t max);
void hub_list_release(struct hub_list_set *s);
/* One reference, or NULL. */
struct hub_list *hub_list_find(struct hub_list_set *s, const struct hash *key);
/* Can be found from here on, if there is room. */
void hub_list_share(struct hub_list_set *s, struct hub_list *l,
                    const struct hash *key);
/* Lets go of some of those that nobody else has any more. */
void hub_list_sweep(struct hub_list_set *s);

#endif
