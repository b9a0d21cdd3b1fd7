/*
 * value_json.h - the uid of an entity from JSON.
 */
#ifndef CEDAR_VALUE_JSON_H
#define CEDAR_VALUE_JSON_H

#include "cedar/cedar_value.h"

/*
 * From {"type": ..., "id": ...}, with or without {"__entity": ...} around.
 * Borrows the strings.  ERR_MALFORMED: *ret_what says why.
 */
MUST_CHECK enum err value_json_uid(const struct json *json,
                                   struct cedar_uid *ret,
                                   const char **ret_what);

#endif
