/*
 * tickets.h - the endpoints about approvals: what waits for people, and what
 * they say.
 *
 * A word takes a person who has just logged in, over whichever socket: the
 * kernel's word for whose process asks is none (rule "A person, freshly,
 * elsewhere").  It is evidence, durable, before it counts.
 */
#ifndef ADMIN_TICKETS_H
#define ADMIN_TICKETS_H

#include "admin/admin.h"
#include "approval/approval.h"
#include "base/buf.h"

enum {
    TICKETS_LOGIN_S = 300, /* a login may be so old */
    TICKETS_PREFIX_MIN = 8 /* hex digits of an id, where no other has them */
};

void tickets_list(struct admin_call *c);
/* By its id, or the beginning of it. */
void tickets_show(struct admin_call *c);
/* By its whole id. */
void tickets_approve(struct admin_call *c);
void tickets_deny(struct admin_call *c);

/* Words under way are not heard; before the ledger's client goes. */
void tickets_close(struct admin_host *h);

/* tickets.c, for tickets_decide.c: one ticket as JSON; `whole`: with what is
 * long.  Ids and texts are written as people shall see them (shown.h). */
void tickets_write(struct buf *to, const struct approval_row *row, bool whole);

#endif
