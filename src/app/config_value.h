/*
 * config_value.h - one scalar of the file to the C value behind its key.
 *
 * A scalar is read by the row's type alone: whether it was quoted does not
 * matter, and `node: 0x10` is the name "0x10".
 */
#ifndef APP_CONFIG_VALUE_H
#define APP_CONFIG_VALUE_H

#include <stdbool.h>

#include "app/config_table.h"
#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"

struct config_value {
    struct arena *a;
    const struct config_row *row;
    struct str folder;
    struct str raw;  /* as it stands in the file */
    struct str text; /* after config_text_expand() */
    bool full;       /* a failure's reason: the arena is */
};

/*
 * Writes to `target`, which is of the type that config_type names.  False:
 * `why` says what was expected, or v->full; nothing was written.  References
 * and lists are not this module's: they assert.
 */
MUST_CHECK bool config_value_read(struct config_value *v, void *target,
                                  struct buf *why);

/* One element of a list of scalars; of CONFIG_FLAGS, the word. */
MUST_CHECK bool config_value_element(struct config_value *v, struct str *ret,
                                     struct buf *why);

/* The name of a map's entry; the row is the map's. */
MUST_CHECK bool config_value_key(struct config_value *v, struct str *ret,
                                 struct buf *why);

#endif
