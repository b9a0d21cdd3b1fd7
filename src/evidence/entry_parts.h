/*
 * entry_parts.h - what several kinds of entries have in common; used by
 * entry*.c only.
 *
 * Functions called entry_parts_<x> write the member <x>, name and value, or
 * nothing where there is nothing to say.
 */
#ifndef EVIDENCE_ENTRY_PARTS_H
#define EVIDENCE_ENTRY_PARTS_H

#include "codec/jcs.h"
#include "evidence/entry.h"

/* An entry that is being written. */
struct entry_writer {
    struct jcs jcs;
    size_t start; /* where in the buf it began */
};

void entry_parts_begin(struct entry_writer *w, struct buf *to);
/* ERR_LIMIT: too long, and `to` is as it was. */
MUST_CHECK enum err entry_parts_end(struct entry_writer *w);

/* A text member, cut where it is too long; nothing when empty. */
void entry_parts_text(struct jcs *w, struct str name, struct str text);
/* The same as an element of an array, also when empty. */
void entry_parts_item(struct jcs *w, struct str s);
/* Bytes as hex; nothing when all are zero. */
void entry_parts_id(struct jcs *w, struct str name, const unsigned char *id,
                    size_t n);

void entry_parts_action(struct jcs *w, enum action_kind kind);
/* author {id, method} */
void entry_parts_author(struct jcs *w, struct str id, struct str method);
void entry_parts_chain(struct jcs *w, const struct chain *chain);
void entry_parts_decision(struct jcs *w, const struct decision *d,
                          const struct shadow_decision *shadow);
void entry_parts_labels(struct jcs *w, const struct labels *l);
/* request {bytes, dialect, hmac} */
void entry_parts_request(struct jcs *w, const struct evidence_body *b,
                         struct str dialect);
/* resource {id, type} */
void entry_parts_resource(struct jcs *w, struct str type, struct str id);
/* Each digest in its first `bytes` bytes. */
void entry_parts_state(struct jcs *w, const struct evidence_state *s,
                       size_t bytes);
/* error {code, param} */
void entry_parts_error(struct jcs *w, enum err e, struct str param);

/* The members that all entries have, in their places in the order. */
void entry_parts_kind(struct jcs *w, struct str kind);
void entry_parts_node(struct jcs *w, const struct evidence_head *h);
void entry_parts_salt(struct jcs *w, const struct evidence_head *h);
void entry_parts_time(struct jcs *w, const struct evidence_head *h);
void entry_parts_v(struct jcs *w);

#endif
