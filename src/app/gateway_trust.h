/*
 * gateway_trust.h - whose tokens are trusted: the issuers' keys, fetched on the
 * control thread, handed to every worker.
 */
#ifndef APP_GATEWAY_TRUST_H
#define APP_GATEWAY_TRUST_H

#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"

struct gateway;
struct worker;

/* With the first snapshot in place; before workers start. */
MUST_CHECK enum err gateway_trust_open(struct gateway *g);
/* A new snapshot is in place. */
MUST_CHECK enum err gateway_trust_use(struct gateway *g);
void gateway_trust_close(struct gateway *g);

/* worker->want_key, see pipeline/worker.h. */
void gateway_trust_want_key(struct worker *w, size_t issuer);

#endif
