/*
 * answer.h - the answers of the admin API.
 */
#ifndef ADMIN_ANSWER_H
#define ADMIN_ANSWER_H

#include "admin/admin.h"

/* Longer answers are our mistake: lists are paged. */
#define ANSWER_MAX (4 * MIB)

/* Hands over `body`, JSON; an internal error when it did not fit. */
void answer_json(struct admin_call *c, int status, const struct buf *body);

/*
 * A problem (RFC 9457).  Somebody known gets a refusal entry with it.
 * `detail` and `param` may be empty.
 */
void answer_problem(struct admin_call *c, enum err e, struct str detail,
                    struct str param);
/* The same with a literal, or nothing (NULL), to say. */
void answer_refuse(struct admin_call *c, enum err e, const char *detail);

/* `c` goes on after its handler returned. */
void answer_later(struct admin_call *c, struct admin_pending *p);

#endif
