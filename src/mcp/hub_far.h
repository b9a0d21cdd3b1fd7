/* hub_far.h - the owner's half of a call; used by the hub's own files only. */
#ifndef MCP_HUB_FAR_H
#define MCP_HUB_FAR_H

#include "mcp/hub_part.h"

struct hub_link;

enum hub_kind { HUB_OPEN = 1, HUB_SEND, HUB_LISTEN };

struct hub_far {
    struct hub_note note;
    struct list node; /* of its link's waiting, calls or listeners */
    struct hub *hub;
    struct hub_link *on;   /* NULL: not yet */
    struct link_call call; /* while `sending` */
    bool sending, repeated, paused;
    enum hub_kind kind;
    uint64_t key, number;
    unsigned from; /* the worker of the near half */
    enum method method;
    struct hub_to to;   /* all of it referenced, or in `texts` */
    struct hash digest; /* of the settings */
    struct str params;
    /* tools/call: goes out only while these are the server's tools. */
    bool has_tools, knew; /* ... and it was the caller who said so */
    struct hash tools;
    /* How it failed, while the link's own last word is awaited. */
    enum err failed;
    bool sent;
    unsigned credit;
    struct list queued; /* of struct hub_mail */
    size_t queued_count, queued_bytes;
    struct list asks;
    size_t ask_count;
    struct hub_mail *last; /* allocated before it is needed */
    char *texts;           /* heap, wiped */
    size_t texts_len;
};

/* Copies and references what it needs.  NULL: no memory. */
struct hub_far *hub_far_new(struct hub_net *net, const struct hub_to *to,
                            struct str params);
void hub_far_free(struct hub_far *f); /* NULL is allowed */
/* On the owner's loop. */
void hub_far_start(struct hub *h, struct hub_far *f);
/* Forgets params and credentials, which are not needed again. */
void hub_far_forget(struct hub_far *f);

/* Events; the last ones free `f`. */
void hub_far_notice(struct hub_far *f, enum method m,
                    const struct message *msg);
void hub_far_asked(struct hub_far *f, enum method m, const struct message *msg);
void hub_far_opened(struct hub_far *f, struct hub_offer *o);
void hub_far_answered(struct hub_far *f, const struct message *response);
void hub_far_fail(struct hub_far *f, enum err why, bool sent, struct str text);

/* What the near half says; a key that is gone is nothing. */
void hub_far_next(struct hub *h, uint64_t key);
void hub_far_cancel(struct hub *h, uint64_t key, struct str reason);
struct hub_reply {
    struct message_id id;
    bool is_error;
    struct str text;
};
void hub_far_reply(struct hub *h, uint64_t key, const struct hub_reply *r);

#endif
