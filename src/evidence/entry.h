/*
 * entry.h - domain facts to evidence entries: canonical JSON (RFC 8785), the
 * members in ascending order.
 *
 * A member that has nothing to say is left out.  Ids, salts and digests are
 * lower-case hex.  Every entry carries 128 random bits of salt, so that its
 * leaf hash can be published without telling its content.
 *
 * A text over ENTRY_TEXT_MAX bytes is cut and ends in ENTRY_CUT; an entry still
 * over ENTRY_MAX is refused (ERR_LIMIT), and so is what it was to record.
 *
 * An intent names the state it was decided on by the first 64 bits of each
 * digest; the whole digests stand in the lifecycle entry that this node wrote
 * when it put that state in place.
 */
#ifndef EVIDENCE_ENTRY_H
#define EVIDENCE_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "crypto/hash.h"
#include "domain/action.h"
#include "domain/decision.h"
#include "domain/label.h"
#include "domain/outcome.h"
#include "domain/principal.h"
#include "domain/usage.h"

enum {
    ENTRY_VERSION = 1,
    ENTRY_ID_LEN = 16,
    ENTRY_SALT_LEN = 16,
    ENTRY_TEXT_MAX = 320, /* two names of NAME_MAX_LEN and what joins them */
    ENTRY_CANDIDATES_MAX = 16,
};
#define ENTRY_CUT "\xe2\x80\xa6" /* U+2026 */

/* What every entry begins with. */
struct evidence_head {
    int64_t time_us; /* Unix time */
    struct str node;
    unsigned char salt[ENTRY_SALT_LEN];
};

/* What a decision depended on; all zero: there is none of that. */
struct evidence_state {
    struct hash policy_set, schema, config, registry, detectors, prices;
};

/* A body: its keyed digest and its size. */
struct evidence_body {
    bool has_hmac;
    unsigned char hmac[HASH_LEN];
    uint64_t bytes;
};

struct evidence_destination {
    struct str provider; /* its name in the config */
    struct str host, region;
};

struct evidence_candidate {
    struct str provider;
    struct str model; /* as the provider calls it */
};

struct evidence_route {
    struct str alias;
    struct evidence_candidate candidates[ENTRY_CANDIDATES_MAX];
    unsigned candidate_count;
    unsigned chosen;  /* index into the candidates */
    struct str why;   /* "weight", "fallback", "retry" */
    unsigned attempt; /* from 1 */
};

/* A budget from which an attempt reserved; docs/limits.md. */
struct evidence_limit {
    struct str limit, whom; /* its name, and whom it counts */
    int64_t window_start_us, window_us;
    uint64_t requests, tokens, generation; /* reserved, and since when */
};

/*
 * Something is about to be done.  Pointers may be NULL and texts empty where
 * there is nothing to say; ids that are all zero are left out.
 */
struct evidence_intent {
    unsigned char id[ENTRY_ID_LEN];      /* of the decision */
    unsigned char parent[ENTRY_ID_LEN];  /* decision id of the parent */
    unsigned char session[ENTRY_ID_LEN]; /* session id */
    unsigned char trace[ENTRY_ID_LEN];   /* W3C trace id */
    const struct chain *chain;
    enum action_kind action;
    struct str resource_type, resource; /* "Model", its name */
    struct evidence_destination destination;
    struct str tenant, purpose, task;
    const struct labels *labels;
    bool has_input_hmac;
    unsigned char input_hmac[HASH_LEN]; /* of a tool's arguments */
    const struct decision *decision;
    const struct shadow_decision *shadow; /* NULL, or not present: none */
    const struct evidence_state *state;
    const struct evidence_route *route;
    struct evidence_body request;
    struct str dialect;    /* "openai" */
    struct str credential; /* its configured id */
    const struct evidence_limit *limits;
    size_t limit_count;
    const struct hash *tool; /* of the pinned definition that is called */
    const struct evidence_approval *approval; /* entry_approval.h */
};

/* How it went. */
struct evidence_outcome {
    uint64_t intent;                /* index of the intent in the log */
    unsigned char id[ENTRY_ID_LEN]; /* of the decision */
    unsigned char session[ENTRY_ID_LEN];
    struct str tenant;
    enum outcome_status status;
    enum err error;      /* ERR_OK: none */
    int http_status;     /* of the destination; 0: no answer */
    int64_t duration_ms; /* -1: unknown */
    struct evidence_body response;
    struct str model, finish; /* that answered, and why it stopped */
    const struct usage *usage;
};

/* Somebody known was refused before anything was tried. */
struct evidence_refusal {
    unsigned char id[ENTRY_ID_LEN], parent[ENTRY_ID_LEN];
    unsigned char session[ENTRY_ID_LEN];
    const struct chain *chain;
    enum action_kind action;
    struct str resource_type, resource, tenant;
    enum err error;
    struct str param; /* of the request, that was at fault */
    const struct decision *decision;
    const struct shadow_decision *shadow; /* NULL, or not present: none */
    const struct evidence_state *state;
    struct evidence_body request;
};

/* Nobody known was refused, `count` times, since `first_us` (Unix time). */
struct evidence_unknown {
    enum err error;
    struct str source; /* address, or "others" */
    uint64_t count;
    int64_t first_us;
};

/* A session began. */
struct evidence_session {
    unsigned char id[ENTRY_ID_LEN], root[ENTRY_ID_LEN], parent[ENTRY_ID_LEN];
    const struct chain *chain;
    struct str tenant;
};

/* A node started, stopped, took a new configuration, … */
struct evidence_lifecycle {
    struct str event, detail;
    const struct evidence_state *state; /* written in full length */
};

/* Somebody changed something, or took something from somebody. */
struct evidence_admin {
    bool revokes;             /* kind `revocation`, else `admin` */
    struct str author;        /* entity id of a person, "local|alice" */
    struct str author_method; /* "peer", "login" */
    enum action_kind action;
    struct str event; /* a short word: "add", "suspend" */
    struct str detail;
    struct str subject_type, subject; /* "Agent", "acme/writer" */
    struct str tenant;
    struct str registry; /* its entry afterwards, canonical JSON; or empty */
    const struct hash *tool; /* the definition that was approved */
};

/* Each appends one entry to `to`.  ERR_LIMIT: over ENTRY_MAX. */
MUST_CHECK enum err entry_intent(struct buf *to, const struct evidence_head *h,
                                 const struct evidence_intent *f);
MUST_CHECK enum err entry_outcome(struct buf *to, const struct evidence_head *h,
                                  const struct evidence_outcome *f);
MUST_CHECK enum err entry_refusal(struct buf *to, const struct evidence_head *h,
                                  const struct evidence_refusal *f);
MUST_CHECK enum err entry_unknown(struct buf *to, const struct evidence_head *h,
                                  const struct evidence_unknown *f);
MUST_CHECK enum err entry_session(struct buf *to, const struct evidence_head *h,
                                  const struct evidence_session *f);
MUST_CHECK enum err entry_lifecycle(struct buf *to,
                                    const struct evidence_head *h,
                                    const struct evidence_lifecycle *f);
MUST_CHECK enum err entry_admin(struct buf *to, const struct evidence_head *h,
                                const struct evidence_admin *f);

#endif
