/*
 * approving.h - the ticket of an action that people have to agree to.
 *
 * `approve` asks for it and waits; `decide` then passes over the forbids that
 * it lifts, and `record` takes it, once, before the intent is written: it is
 * used when that is durable, and given back when it cannot be written.
 */
#ifndef PIPELINE_APPROVING_H
#define PIPELINE_APPROVING_H

#include "approval/approval.h"
#include "evidence/entry_approval.h"
#include "os/timer.h"
#include "policy/rules.h"

struct action;

/* In the arena of its action, from the first time that it is needed. */
struct approving {
    struct action *action;
    struct hash digest; /* of the action */
    struct str shown;   /* arguments, for people; in the arena */
    bool asked;         /* `ticket` is one */
    unsigned char ticket[APPROVAL_ID_LEN];
    char ticket_text[2 * APPROVAL_ID_LEN];
    struct approval_wait wait;
    struct timer hold;
    bool granted; /* `grant` is one, and `lifted` of it */
    struct approval_grant grant;
    struct rules_lifted lifted;
    bool falls_short; /* what was granted; until all is asked for */
    bool spent;       /* taken, and its intent written */
    struct evidence_approval used;
};

/* The ticket that a person still has to decide on, as text; or empty. */
struct str approving_ticket(const struct action *a);

/* Takes the ticket that this action passes by; ERR_OK where it needs none.
 * ERR_DENIED: somebody else has used it. */
MUST_CHECK enum err approving_take(struct action *a);
/* What became of the intent. */
void approving_settle(struct action *a, bool used);

/* Waits for a person right now. */
bool approving_is_held(const struct action *a);

/* Forgets what waits. */
void approving_cancel(struct action *a);

#endif
