/*
 * limit.h - is there room?  Rates, concurrency, and budgets of requests and
 * tokens, reserved before and settled after.
 *
 * The rules are part of a snapshot; the counters live as long as the gateway,
 * are shared by all threads under striped locks (tens of nanoseconds) and
 * survive a change of the rules: a counter is known by the limit's name and
 * whom it counts.  A reservation takes all that apply, or none.
 *
 *     rate         a token bucket: `requests` per `window`, refilled evenly
 *     concurrency  actions under way
 *     budget       of a fixed window, aligned to Unix time: used + reserved
 *                  never exceeds it at the moment of reserving; what a call
 *                  really used is booked by limit_settle(), also beyond
 *
 * After a crash, budgets are rebuilt: checkpoints from the store, then the
 * evidence after them (limit_replay_*); an open intent counts as reserved, so
 * a budget is never given out twice.  Rates and concurrency start afresh.
 *
 * A link is meant when its kind and its id are (match.kinds, .principals); a
 * limit that names either applies where such a link is.  Whom one counts:
 *
 *     per principal   "<kind>:<entity id>" of each link that is meant
 *     per owner       the id of the owner, where there is one, of those
 *     per tenant      its name
 *     per model       "<tenant>/<alias>"
 *     per session     its id, hex
 *
 * A bucket gets nothing for a clock that goes back.  A budget stays in its
 * window when that is by up to one, or a minute; beyond, what was used moves
 * along: a wrong clock neither renews a budget nor locks it up.
 *
 * Any thread; limit_replay_*() from one, before anybody else.
 */
#ifndef LIMIT_LIMIT_H
#define LIMIT_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "domain/settings.h"

struct limit_counters; /* shared */
struct limit_rules;    /* immutable, of one snapshot */

enum {
    LIMIT_HOLDS_MAX = 16, /* limits that one action can touch; more: refused */
    LIMIT_COUNTERS_MAX = 1 << 20,
    LIMIT_KEY_MAX = 320, /* bytes of whom a counter counts */
};
/* Of requests and tokens; more is as much.  Below 2^53, exact in JSON. */
#define LIMIT_AMOUNT_MAX ((UINT64_C(1) << 53) - 1)

MUST_CHECK enum err limit_counters_new(struct limit_counters **ret);
void limit_counters_free(struct limit_counters *c); /* NULL is allowed */

/* Copies what it needs.  ERR_CONFIG: two of one name, a name that is too long,
 * or a rate or budget without a window.  ERR_NO_MEMORY. */
MUST_CHECK enum err limit_rules_new(const struct settings *s,
                                    struct limit_rules **ret);
void limit_rules_free(struct limit_rules *r); /* NULL is allowed */

/* One link as limits see it. */
struct limit_link {
    struct str kind;  /* "agent" */
    struct str id;    /* entity id */
    struct str owner; /* entity id, or empty */
};

struct limit_ask {
    const struct limit_link *links;
    size_t link_count;
    struct str tenant, model, session; /* session: hex, or empty */
    uint64_t tokens; /* estimate: of the request and what it may cause */
    int64_t now_us;  /* Unix time */
};

/* What was taken; in the action, zero: nothing.  Private. */
struct limit_hold {
    void *counter;
    int64_t window_start_us, window_us;
    uint64_t requests, tokens;
    uint32_t turn; /* of the window */
    bool budget;   /* what is above is of a budget's window */
    bool rate;     /* a request of a bucket */
    bool slot;     /* of concurrency */
};
struct limit_reservation {
    struct limit_hold holds[LIMIT_HOLDS_MAX];
    unsigned count;
    uint64_t generation; /* see limit_checkpoint_begin() */
};

/* Of the tightest limit that applies; for response fields. */
struct limit_state {
    bool present;
    struct str name; /* of the limit; borrowed from the rules */
    uint64_t limit, remaining;
    int64_t reset_ms; /* until it is whole again, or room comes */
    bool tokens;      /* counted in tokens, else in requests */
};
struct limit_answer {
    struct limit_state requests, tokens;
    struct str refused_by; /* name of the limit that had no room */
    int64_t retry_ms;      /* when asking again makes sense */
};

/*
 * Takes from every limit that applies, or from none.  ERR_RATE: a rate or
 * concurrency has no room; ERR_BUDGET: a budget; *ret tells which and until
 * when.  ERR_LIMIT: over LIMIT_HOLDS_MAX apply, a name too long, or
 * LIMIT_COUNTERS_MAX are in use.  *ret is written in every case.
 */
MUST_CHECK enum err limit_reserve(struct limit_counters *c,
                                  const struct limit_rules *rules,
                                  const struct limit_ask *ask,
                                  struct limit_reservation *hold,
                                  struct limit_answer *ret);

/*
 * Books what it really took, once; the reservation is empty afterwards.
 * Nothing was sent (`sent` false): all of it is given back.  Nobody knows how
 * many tokens it took: LIMIT_TOKENS_RESERVED, as many as were reserved; see
 * limit_replay_use().  A window that has ended meanwhile is not touched.
 */
#define LIMIT_TOKENS_RESERVED UINT64_MAX
void limit_settle(struct limit_counters *c, struct limit_reservation *hold,
                  bool sent, uint64_t tokens);

/* ---- evidence ---- */

/* One budget that a reservation touches, as an intent names it. */
struct limit_note {
    struct str limit; /* its name */
    struct str whom;  /* key of the counter */
    int64_t window_start_us, window_us;
    uint64_t requests, tokens;
    uint64_t generation; /* see limit_checkpoint_begin() */
};
/* The budgets among the holds; texts are borrowed from the counters. */
size_t limit_notes(const struct limit_reservation *hold, struct limit_note *to,
                   size_t max);

/* ---- after a restart ---- */

/*
 * A checkpoint is a cut through time without stopping anybody: begin() opens
 * a new generation, with which reservations are tagged from then on; when the
 * last reservation of older generations was settled, ready() is true and
 * limit_each_checkpoint() gives what they used.  In the store it stands with
 * the generation and with a size that the ledger had before begin(): what is
 * replayed later starts there and leaves out older generations.  One at a
 * time: a stream that stays open only makes the replay longer.
 */
uint64_t limit_checkpoint_begin(struct limit_counters *c);
bool limit_checkpoint_ready(struct limit_counters *c);

/* An intent with these notes stands at `index`; its end is not known.
 * ERR_NO_MEMORY, ERR_LIMIT; ERR_CORRUPT: we wrote no such thing. */
MUST_CHECK enum err limit_replay_intent(struct limit_counters *c,
                                        uint64_t index,
                                        const struct limit_note *notes,
                                        size_t n);
/* And this was its outcome. */
void limit_replay_outcome(struct limit_counters *c, uint64_t intent, bool sent,
                          uint64_t tokens);
/* No more is replayed; what is open stays counted. */
void limit_replay_end(struct limit_counters *c);

/* One budget counter: a checkpoint, or for a listing. */
struct limit_row {
    struct str limit, whom;
    int64_t window_start_us, window_us;
    uint64_t used_requests, used_tokens, reserved_requests, reserved_tokens;
    uint64_t limit_requests, limit_tokens; /* 0: not a limit; of the rules */
};
/* For every budget counter whose window has not ended. */
void limit_each(struct limit_counters *c, const struct limit_rules *rules,
                int64_t now_us,
                void (*each)(void *user, const struct limit_row *row),
                void *user);
/* The checkpoint that is ready: used_* alone, where something was used. */
void limit_each_checkpoint(struct limit_counters *c, int64_t now_us,
                           void (*each)(void *user,
                                        const struct limit_row *row),
                           void *user);
/* Puts one back: what was reserved then is replayed from the evidence.
 * ERR_LIMIT, ERR_NO_MEMORY; ERR_CORRUPT: no row of a checkpoint. */
MUST_CHECK enum err limit_restore(struct limit_counters *c,
                                  const struct limit_row *row);
/* With the rows: reservations are of this generation at least from now on. */
void limit_restore_generation(struct limit_counters *c, uint64_t generation);
/* Forgets counters of windows that have ended and buckets that are full. */
void limit_sweep(struct limit_counters *c, int64_t now_us);

#endif
