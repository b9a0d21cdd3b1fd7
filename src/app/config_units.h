/* config_units.h - values and ranges as they stand in a file: "30s", "8MB". */
#ifndef APP_CONFIG_UNITS_H
#define APP_CONFIG_UNITS_H

#include <stdbool.h>

#include "app/config_table.h"
#include "base/buf.h"

/* In the largest unit that divides it: 90000 is "90s". */
void config_units_duration(struct buf *to, int64_t ms);
void config_units_bytes(struct buf *to, uint64_t bytes);

/* A value of the row's type: durations and bytes as above, millionths as a
 * decimal, the rest as a whole number. */
void config_units_value(struct buf *to, enum config_type type, int64_t v);

/* True when `min` and `max` of this type bound its value. */
bool config_units_has_range(const struct config_row *row);

/* "100ms to 10m". */
void config_units_range(struct buf *to, const struct config_row *row);

#endif
