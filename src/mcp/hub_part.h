/*
 * hub_part.h - the inside of a hub; used by the hub's own files only.
 *
 * A call is two halves.  The near one belongs to the worker that asked, the
 * far one to the worker that owns the link; they know each other by `key`, a
 * number that is used once, and never by address.  What goes from one to the
 * other is a note, which has one owner at a time: who posted it has it no
 * more.  So a half that is gone is a key that is not found.
 *
 *     near half  --- far half itself, orders (next, cancel, answer) --->
 *                <--- mail: events, the last one ends both halves ---  far half
 */
#ifndef MCP_HUB_PART_H
#define MCP_HUB_PART_H

#include <stdatomic.h>

#include "base/limits.h"
#include "base/list.h"
#include "base/map.h"
#include "mcp/hub.h"
#include "mcp/hub_list.h"
#include "mcp/link.h"

enum {
    HUB_WORKERS_BITS = 6,     /* of a number, the lowest */
    HUB_CALLS_MAX = 1 << 16,  /* halves of one worker, of either kind */
    HUB_ASKS_MAX = 16,        /* unanswered ones of one call */
    HUB_WHY_MAX = 1024,       /* bytes, for people */
    HUB_PAGES_MAX = 64,       /* of one tools/list */
    HUB_PAUSE_MIN_MS = 100,   /* after a first failure, */
    HUB_PAUSE_MAX_MS = 30000, /* and doubled up to this */
    HUB_STEADY_MS = 10000,    /* a link that lived so long was no failure */
    HUB_FORGET_MS = 60000,    /* after that nobody remembers a failure */
    HUB_KEY_MAX = 1 + MCP_SESSION_ID_LEN + 1 + (int)NAME_MAX_LEN + HASH_LEN,
};
/* All definitions of one server, as they came and in canonical form. */
#define HUB_OFFER_BYTES_MAX (64 * MIB)

/* ---- between workers: hub_net.c ---- */

/* On its way to a worker; embedded in what it carries. */
struct hub_note {
    struct hub_net *net;
    unsigned to;
    void (*run)(struct hub *h, struct hub_note *n); /* `n` is its own */
    void (*drop)(struct hub_note *n); /* nobody is there; frees it */
};
/* False: not taken, it is still the caller's.  `surely`: only because there
 * is nobody. */
MUST_CHECK bool hub_net_post(struct hub_net *net, unsigned to,
                             struct hub_note *n, bool surely);
void hub_net_enter(struct hub_net *net, struct hub *h);
void hub_net_leave(struct hub_net *net, struct hub *h);
unsigned hub_net_workers(const struct hub_net *net);
/* Whose a server is that all sessions share. */
unsigned hub_net_owner(const struct hub_net *net, struct str server);

/* Offers that are known, of all workers.  ...set(): NULL forgets. */
void hub_net_know(struct hub_net *net, struct str key, struct hub_offer *o);
struct hub_offer *hub_net_known(struct hub_net *net, struct str key);
struct hub_list_set *hub_net_lists(struct hub_net *net);

/* ---- a worker's own ---- */

struct hub {
    struct hub_net *net;
    unsigned number;
    struct loop *loop;
    struct http_client *http;
    struct runner_client *runner;
    uint64_t next;      /* number to give */
    struct map near;    /* key -> struct hub_near */
    struct map far;     /* key -> struct hub_far */
    struct map links;   /* hub_links_key() -> struct hub_link */
    struct map newest;  /* the same without the settings' digest */
    struct list by_use; /* all links, the longest unused first */
    void (*word)(void *user, const struct hub_word *w);
    void *word_user;
    void (*closed)(void *user, struct str server, struct str why);
    void *closed_user;
    size_t version_len;
    char version[];
};

/* The key of a call, as the maps know it; borrowed from `key`. */
static inline struct str hub_key(const uint64_t *key)
{
    return (struct str){(const char *)key, sizeof(*key)};
}

/* An event on its way to the near half. */
struct hub_mail {
    struct hub_note note;
    struct list node; /* while it waits for credit */
    uint64_t key;
    struct hub_event event; /* its texts are the two below */
    char *text;             /* heap: `text` or `why` */
    char *id;               /* heap: of event.id */
};

/* ---- the events on their way: hub_mail.c ---- */

struct hub_mail *hub_mail_new(void);
void hub_mail_free(struct hub_mail *m); /* NULL is allowed */
/* Takes `m`, also when it cannot be posted. */
void hub_mail_post(struct hub_net *net, unsigned to, struct hub_mail *m,
                   bool surely);
/* A notice, or what was asked.  NULL: too large, or no memory. */
struct hub_mail *hub_mail_message(enum hub_event_kind kind, enum method m,
                                  const struct message *msg);
/* Makes an answer of `m`, of at most `max` bytes.  False: no memory, or too
 * large. */
MUST_CHECK bool hub_mail_answer(struct hub_mail *m,
                                const struct message *response, size_t max);
/* Makes a failure of it. */
void hub_mail_failure(struct hub_mail *m, enum err why, bool sent,
                      struct str text);

/* ---- the near half: hub_near.c ---- */

/* Mail has arrived; takes it. */
void hub_near_event(struct hub *h, struct hub_mail *m);
/* A worker has gone, and with it the far halves that were there. */
void hub_near_lost(struct hub *h, unsigned owner);
/* Without a word to anybody but the far halves. */
void hub_near_free(struct hub *h);

/* ---- what a server offers: hub_offer.c ---- */

/* What it told in its handshake, without tools. */
struct hub_offer *hub_offer_about(const struct handshake *h);
/* SHA-256 over names and definitions, in whatever order they came. */
const struct hash *hub_offer_digest(const struct hub_offer *o);

/* Pages of tools/list, asked for now, until they are one. */
struct hub_pages *hub_pages_new(const struct hub_offer *about, int64_t now_ms);
/* From here on what was read before of this server is taken from `set`, and
 * what was not is put there.  Before the first page. */
void hub_pages_share(struct hub_pages *p, struct hub_list_set *set,
                     struct str server);
void hub_pages_free(struct hub_pages *p); /* NULL is allowed */
/*
 * Adds a result.  `cursor` gets the params to ask for the next page, or is
 * empty: that was the last.  ERR_LIMIT: too many tools or pages.  Else as
 * tool_read_page(); *why is for people and set whenever it fails.
 */
MUST_CHECK enum err hub_pages_add(struct hub_pages *p,
                                  const struct json *result, struct buf *cursor,
                                  struct str *why);
/* All of them as an offer; `p` is gone.  ERR_MALFORMED: two have one name. */
MUST_CHECK enum err hub_pages_end(struct hub_pages *p, struct hub_offer **ret);

#endif
