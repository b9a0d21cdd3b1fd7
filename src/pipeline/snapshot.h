/*
 * snapshot.h - everything a decision depends on, at one moment.
 *
 * Config, policy, limits, credentials and TLS contexts: immutable, built on
 * the builder thread, validated whole, swapped by pointer.  An action keeps
 * the one it began with.  The last reference frees.
 */
#ifndef PIPELINE_SNAPSHOT_H
#define PIPELINE_SNAPSHOT_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/map.h"
#include "crypto/hash.h"
#include "domain/settings.h"
#include "evidence/entry.h"

struct broker;
struct limit_rules;
struct rules;
struct tls_context;

/* Tables of what is loaded, one row per model, provider or listener. */
struct model_row {
    const struct model_settings *settings;
};
/* What a link to a tool server is opened by. */
struct tool_row {
    struct tls_context *tls; /* +1 reference; NULL: plain */
    struct hash digest;      /* of its settings */
};
struct tls_row {
    struct tls_context *context; /* +1 reference; NULL: plain */
};

struct snapshot {
    atomic_uint refs;
    uint64_t serial; /* rises with every reload */
    struct arena arena;
    struct settings settings;  /* in the arena */
    struct map models;         /* alias -> struct model_row */
    struct names allow_fields; /* let through unread by every provider */
    struct rules *rules;       /* +1 reference */
    struct limit_rules *limits;
    struct broker *broker;
    struct tls_row *provider_tls;  /* per provider; NULL: plain */
    struct tls_row *listen_tls;    /* per listener; NULL: plain */
    struct tool_row *tool_rows;    /* per tool server */
    struct evidence_state digests; /* of all that is above */
};

/*
 * Builds from `settings`, which live in `arena`; the arena moves into the
 * snapshot.  `rules` were made from the same settings; a reference is taken.
 * ERR_CONFIG: *ret_why names what cannot be loaded (text in the arena or
 * static); the arena is then still the caller's.
 */
MUST_CHECK enum err snapshot_new(struct arena *arena,
                                 const struct settings *settings,
                                 struct rules *rules, uint64_t serial,
                                 struct snapshot **ret, const char **ret_why);
struct snapshot *snapshot_ref(struct snapshot *s);
void snapshot_unref(struct snapshot *s);

/* The model called `alias`, or NULL. */
const struct model_settings *snapshot_model(const struct snapshot *s,
                                            struct str alias);

#endif
