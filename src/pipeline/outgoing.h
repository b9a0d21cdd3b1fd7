/*
 * outgoing.h - the body that goes to a destination.
 *
 * It is written as soon as the destination is known, and the parsed request,
 * which takes several times the room, goes at once: while an intent waits for
 * the disk and a destination thinks, hundreds of others need that memory, and
 * find it still in the processor's cache.
 */
#ifndef PIPELINE_OUTGOING_H
#define PIPELINE_OUTGOING_H

#include "base/attr.h"
#include "base/err.h"

struct action;

/*
 * Writes a->outgoing for the attempt's destination.  The request is parsed
 * again when an attempt before it has let it go.  ERR_LIMIT, ERR_NO_MEMORY.
 */
MUST_CHECK enum err outgoing_write(struct action *a);

#endif
