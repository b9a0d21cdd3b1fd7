/*
 * shown.h - texts from outside, so that whoever decides about them sees each
 * character (rule "No blind signing").
 *
 * Printable ASCII stands as it is.  Everything else, which may be invisible,
 * turn the direction of what follows, or look like something else, is written
 * as \u{202e}; a byte that belongs to no character as \x{ff}.
 */
#ifndef ADMIN_SHOWN_H
#define ADMIN_SHOWN_H

#include "base/buf.h"
#include "base/str.h"

/* Appends `s`; a backslash is doubled, so that nothing reads like one of the
 * above that is not. */
void shown_add(struct buf *to, struct str s);
/* The same for canonical JSON, where a backslash is doubled already. */
void shown_add_json(struct buf *to, struct str json);

#endif
