/*
 * quote.h - text to literals: the way back from literal.h.
 */
#ifndef CEDAR_QUOTE_H
#define CEDAR_QUOTE_H

#include "base/buf.h"
#include "cedar/program.h"

/* "...", with escapes for what ends a literal and for what does not show or
 * changes how the rest shows.  `text` is UTF-8. */
void quote_string(struct buf *to, struct str text);
void quote_pattern(struct buf *to, const struct program_pattern *p);

/* `name` where it may stand bare, else "name". */
void quote_name(struct buf *to, struct str name);

/* Type::"id" */
void quote_uid(struct buf *to, const struct cedar_uid *uid);

/* True for an identifier that is not reserved. */
bool quote_is_name(struct str name);

#endif
