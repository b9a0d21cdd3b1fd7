/*
 * changes.h - carries out one change: evidence, registry and workers, in the
 * order that its direction asks for (see admin.h).
 *
 * A change that gives something holds on to nothing while it waits for its
 * evidence.  When the identity was changed meanwhile (somebody suspended it),
 * the change does not take place: ERR_CONFLICT.  Its entry stands before the
 * other one in the evidence, so that a replay comes to the same end.  While
 * one change is under way no other is begun that gives the same identity
 * something: of two entries that both follow the same one, a replay would
 * apply the one that was refused.
 *
 * A change that takes something is told as done when every worker has seen
 * it; evidence that cannot be written now is tried again until it is.
 */
#ifndef ADMIN_CHANGES_H
#define ADMIN_CHANGES_H

#include "admin/admin.h"
#include "base/attr.h"
#include "evidence/entry.h"
#include "registry/registry.h"

enum {
    CHANGES_MAX = 4096,         /* under way; beyond, giving is refused */
    CHANGES_PATIENCE_MS = 2000, /* then "durable": false is told */
    CHANGES_RETRY_MS = 200,     /* a ledger that died is back by then */
};

struct changes_ask {
    struct evidence_admin fact;         /* copied; `registry` is filled in */
    const struct registry_entry *entry; /* as it shall be, copied; NULL: the
                                           registry does not change */
    bool takes;                         /* memory first */
    /* Once, in a later turn, unless changes_begin() failed.  `durable`: the
     * evidence is.  ERR_EVIDENCE, ERR_CONFLICT, ERR_NO_MEMORY: nothing was
     * changed; ERR_SHUTDOWN: the process ends. */
    void (*done)(void *user, enum err e, bool durable);
    void *user;
};

/* ERR_NO_MEMORY, ERR_OVERLOAD, ERR_EVIDENCE, ERR_CONFLICT (another
 * change of it is not in evidence yet); then `done` does not run. */
MUST_CHECK enum err changes_begin(struct admin_host *h,
                                  const struct changes_ask *ask);

/* What is under way ends with ERR_SHUTDOWN; before ledger and registry go. */
void changes_close(struct admin_host *h);

#endif
