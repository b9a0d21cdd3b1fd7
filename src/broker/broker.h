/*
 * broker.h - with which credential does a call reach its destination?
 *
 * Providers' keys are read once, when a snapshot is built, from where the
 * config says (environment, file), kept in memory that is wiped when the
 * snapshot goes, and chosen by tenant and region; none fitting denies.
 *
 * Threads: immutable once made; use from any.
 */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "domain/settings.h"

struct broker;

enum { BROKER_SECRET_MAX = 8192 }; /* bytes of one credential */

/*
 * Reads every credential.  `settings` must live as long as the broker.
 * ERR_CONFIG: *ret_missing is the id of one that is not there, is empty, too
 * long, or holds bytes that no header may (static until the settings go).
 */
MUST_CHECK enum err broker_new(const struct settings *settings,
                               struct broker **ret, struct str *ret_missing);
void broker_free(struct broker *b); /* wipes; NULL is allowed */

struct broker_credential {
    struct str field; /* the value of `authorization`; in the arena */
    struct str id;    /* the configured id; borrowed from the settings */
};

/*
 * The first credential of `provider` (index into the settings) that is for
 * `tenant` in the provider's region.  ERR_CREDENTIAL: none.
 * ERR_NO_MEMORY: the arena is full.
 */
MUST_CHECK enum err broker_credential(const struct broker *b, size_t provider,
                                      struct str tenant, struct arena *a,
                                      struct broker_credential *ret);

#endif
