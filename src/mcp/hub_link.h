/* hub_link.h - a worker's links; used by the hub's own files only. */
#ifndef MCP_HUB_LINK_H
#define MCP_HUB_LINK_H

#include "mcp/hub_far.h"

/* ---- one link: hub_link.c ---- */

/* tools/list under way. */
struct hub_listing {
    struct link_call call;
    struct hub_pages *pages; /* NULL: none is */
    bool is_stale;           /* they changed meanwhile */
};

struct hub_link {
    struct list node; /* of by_use */
    struct hub *hub;
    struct mcp_session *session; /* NULL: shared */
    struct link *link;           /* NULL: closed */
    struct hub_keep keep;        /* while there is a link, as is the next */
    const struct tool_server_settings *server;
    struct hash
        credential;        /* SHA-256 of the authorization it was opened with */
    bool opened;           /* the handshake is done */
    bool worked;           /* it has answered more than that */
    bool dropped;          /* our session is forgotten there */
    bool replaced;         /* the settings have changed */
    struct list waiting;   /* for the link, or for its offer */
    struct list calls;     /* under way */
    struct list listeners; /* of each session one */
    int64_t used_ms, opened_ms, idle_ms; /* loop_now_ms() */
    unsigned failures;                   /* in a row */
    int64_t retry_ms;                    /* not before */
    struct hub_offer *about;             /* without tools; while opened */
    struct hub_listing listing;
    struct hub_offer *offer; /* NULL: not known, or changed since */
    bool has_told;           /* what callers were told last: */
    struct hash told;        /* hub_offer_digest() */
    size_t why_len, key_len;
    char why[HUB_WHY_MAX];
    char key[];
};

/* It has somebody waiting, or some other reason to open or to go on. */
void hub_link_serve(struct hub_link *l);
void hub_link_send(struct hub_link *l, struct hub_far *f);
/* Without a word to those who are on it. */
void hub_link_close(struct hub_link *l);
/* Each is told what it failed with before, or else this. */
void hub_link_fail_all(struct list *halves, enum err e, bool sent,
                       struct str why);
/* It was opened with another credential than `f` has. */
bool hub_link_differs(const struct hub_link *l, const struct hub_far *f);
void hub_link_notice(struct hub_link *l, enum method m,
                     const struct message *msg);

/* Its key, as the maps know it. */
static inline struct str hub_link_key(const struct hub_link *l)
{
    return (struct str){l->key, l->key_len};
}

/* ---- its tools: hub_tools.c ---- */

/* `f` waits for them; the handshake is done. */
bool hub_tools_needed(const struct hub_link *l, const struct hub_far *f);
/* Tells those who wait what is known, or asks for it. */
void hub_tools_list(struct hub_link *l);
void hub_tools_changed(struct hub_link *l);
void hub_tools_forget(struct hub_link *l);
void hub_tools_stop(struct hub_link *l); /* a listing under way */

/* ---- all links: hub_links.c ---- */

/* The key of the link that `to` asks for. */
struct str hub_links_key(const struct hub_to *to, const struct hash *digest,
                         char room[HUB_KEY_MAX]);
/* Gives `f` what it needs, now or later, or tells it why not. */
void hub_links_join(struct hub *h, struct hub_far *f);
void hub_links_notify(struct hub *h, const struct mcp_session *s, enum method m,
                      struct str params);
void hub_links_sweep(struct hub *h);
/* Without a word to anybody; far halves go, too. */
void hub_links_free(struct hub *h);

#endif
