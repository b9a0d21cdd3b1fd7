/*
 * config_index.h - finds the entries of a map of the configuration by name,
 * for those keys that refer to them.
 */
#ifndef APP_CONFIG_INDEX_H
#define APP_CONFIG_INDEX_H

#include "app/config_table.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include "domain/settings.h"

enum { CONFIG_INDEX_MAPS = 4 };

/* Zero-initialised it is empty; maps are indexed when they are asked for. */
struct config_index {
    const struct settings *settings;
    struct {
        const struct config_row *row;
        struct map map;
    } maps[CONFIG_INDEX_MAPS];
    size_t count;
};

void config_index_release(struct config_index *x);

struct config_index_name {
    struct str text;
    struct str shown; /* as it stands in the file, for a message */
};

/*
 * The position of `name` in the map that `row` refers to, which has been read.
 * ERR_NOT_FOUND: `why` says what it is not, and what was perhaps meant.
 * ERR_NO_MEMORY.
 */
MUST_CHECK enum err config_index_find(struct config_index *x,
                                      const struct config_row *row,
                                      struct config_index_name name,
                                      size_t *ret, struct buf *why);

#endif
