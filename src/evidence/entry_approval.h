/*
 * entry_approval.h - what evidence says of tickets: entries of kind
 * `approval`, and the one that an intent has used.
 *
 * A ticket's life is: ask, then a word of each person (approve, deny), then
 * the intent that used it, or expire.  Arguments are in none of them: the
 * digest stands for the whole action.
 */
#ifndef EVIDENCE_ENTRY_APPROVAL_H
#define EVIDENCE_ENTRY_APPROVAL_H

#include "codec/jcs.h"
#include "evidence/entry.h"

/* The ticket that lets an intent pass. */
struct evidence_approval {
    unsigned char id[ENTRY_ID_LEN];
    const struct str *by; /* who said yes: entity ids */
    unsigned by_count;
    int64_t at_us; /* of the last yes */
};

/* Something happened to a ticket.  Texts may be empty, pointers NULL, where
 * there is nothing to say. */
struct evidence_ticket {
    struct str event; /* "ask", "approve", "deny", "expire" */
    unsigned char ticket[ENTRY_ID_LEN];
    unsigned char id[ENTRY_ID_LEN]; /* decision id of who asked first */
    const struct hash *digest;      /* of the action */
    struct str action;              /* "tool:call/crm/delete" */
    struct str resource_type, resource;
    const struct chain *chain; /* of who asks */
    struct str tenant, detail;
    const struct decision_approval *needs; /* with whose groups it may pass */
    unsigned need_count;
    int64_t ends_us;                  /* 0: nothing to say */
    struct str author, author_method; /* of a word */
    const struct str *groups;         /* for which it was said */
    size_t group_count;
};

/* Appends one entry to `to`.  ERR_LIMIT: over ENTRY_MAX. */
MUST_CHECK enum err entry_approval(struct buf *to,
                                   const struct evidence_head *h,
                                   const struct evidence_ticket *f);

/* Of an intent: the member approval {at, by, id}; NULL: nothing. */
void entry_approval_used(struct jcs *w, const struct evidence_approval *a);

#endif
