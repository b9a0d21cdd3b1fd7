/*
 * evidence.h - the one writer of evidence: facts in, entries to the ledger.
 *
 * One per thread, on its loop.  It adds what the facts do not carry: time,
 * node, salt; and it knows how each kind is committed (rule "Before, and
 * after"): an intent opens and is awaited; an outcome closes it and rides
 * along; denials ride along; who is not known is counted first.
 */
#ifndef EVIDENCE_EVIDENCE_H
#define EVIDENCE_EVIDENCE_H

#include "evidence/entry.h"
#include "evidence/entry_approval.h"
#include "evidence/entry_tool.h"
#include "ledger/ledger_client.h"

struct evidence;
struct loop;

/* `ledger` stays the caller's and must live longer; `node` is copied. */
MUST_CHECK enum err evidence_new(struct loop *l, struct ledger_client *ledger,
                                 struct str node, struct evidence **ret);
/* NULL is allowed.  Refusals that were not flushed are lost. */
void evidence_free(struct evidence *ev);

/* The state that lifecycle entries name from now on; copied. */
void evidence_use(struct evidence *ev, const struct evidence_state *state);

/* Random bytes for ids, drawn from the system in larger pieces. */
void evidence_random(struct evidence *ev, void *to, size_t n);

/*
 * An intent.  w->done runs when it is durable; nothing may go out before.
 * ERR_EVIDENCE: no ledger; ERR_LIMIT: it does not fit an entry.  Then `w` was
 * not taken, and the action must be refused.
 */
MUST_CHECK enum err evidence_intent(struct evidence *ev,
                                    const struct evidence_intent *f,
                                    struct ledger_wait *w);

/*
 * The outcome of an intent, which it closes.  `w` NULL: it rides along; else
 * it is awaited (tools with risk above read).  On an error the intent stays
 * open, and the ledger closes it as unknown later.
 */
enum err evidence_outcome(struct evidence *ev, const struct evidence_outcome *f,
                          struct ledger_wait *w);

/* Closes an intent whose gateway is gone. */
void evidence_outcome_unknown(struct evidence *ev, uint64_t intent);

/* A known caller was refused; appended, not awaited. */
void evidence_refusal(struct evidence *ev, const struct evidence_refusal *f);

/*
 * Nobody known was refused for `why`, from `source` (an address, copied; a
 * port behind it is left out).
 * Counted: one entry per reason and source in EVIDENCE_WINDOW_MS.
 */
enum { EVIDENCE_WINDOW_MS = 10000 };
void evidence_unknown(struct evidence *ev, enum err why, struct str source);

/* A session began; rides along with the intent that follows it. */
void evidence_session(struct evidence *ev, const struct evidence_session *f);

/* A short word: "start", "stop", "reload"; committed at once. */
void evidence_lifecycle(struct evidence *ev, struct str event,
                        struct str detail);

/*
 * A change by a person; committed at once.  w->done runs when it is durable;
 * NULL: nobody waits.  Errors as of evidence_intent().
 */
enum err evidence_admin(struct evidence *ev, const struct evidence_admin *f,
                        struct ledger_wait *w);

/*
 * What became of tools that a server offered; committed at once.  w->done runs
 * when it, and all that was given before it, is durable; NULL: nobody waits.
 * Errors as of evidence_intent().
 */
enum err evidence_tools(struct evidence *ev, const struct evidence_tools *f,
                        struct ledger_wait *w);

/*
 * Something happened to a ticket (entry_approval.h).  A word of a person is
 * awaited: committed at once, w->done runs when it is durable.  `w` NULL: it
 * rides along.  Errors as of evidence_intent().
 */
enum err evidence_approval(struct evidence *ev, const struct evidence_ticket *f,
                           struct ledger_wait *w);

/* Writes the counted refusals whose window is over; call about once a
 * second.  `now_ms` in the loop's terms. */
void evidence_sweep(struct evidence *ev, int64_t now_ms);

/* Writes all of them; before the thread ends. */
void evidence_flush(struct evidence *ev);

#endif
