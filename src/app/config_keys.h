/* config_keys.h - what to say about a key that nobody knows. */
#ifndef APP_CONFIG_KEYS_H
#define APP_CONFIG_KEYS_H

#include "base/buf.h"
#include "base/str.h"

/* Why `key` below `prefix` (config_table.h) is none, and what was perhaps
 * meant. */
void config_keys_unknown(struct str prefix, struct str key, struct buf *why);

/* "address, tls, insecure": the keys below `prefix`. */
void config_keys_expected(struct str prefix, struct buf *to);

/* `key` as it may stand in a message: short, without control characters.
 * Borrows from both. */
enum { CONFIG_KEYS_SHOWN_MAX = 64 };
struct config_keys_room {
    char text[CONFIG_KEYS_SHOWN_MAX];
};
struct str config_keys_shown(struct str key, struct config_keys_room *room);

#endif
