/*
 * value_json.h - uids of entities and calls of functions from JSON.
 */
#ifndef CEDAR_VALUE_JSON_H
#define CEDAR_VALUE_JSON_H

#include "cedar/cedar_value.h"

/*
 * From {"type": ..., "id": ...}, with or without {"__entity": ...} around;
 * whatever else is beside them does not count.  Borrows the strings.
 * ERR_MALFORMED: *ret_what says why.
 */
MUST_CHECK enum err value_json_uid(const struct json *json,
                                   struct cedar_uid *ret,
                                   const char **ret_what);

/* True when it has "fn" and "arg", or "args". */
bool value_json_is_call(const struct json *json);

/*
 * The value of {"fn": ..., "arg": ...} or {"fn": ..., "args": [...]}, as it
 * stands in {"__extn": ...}.  Errors as of cedar_value_json().
 */
MUST_CHECK enum err value_json_call(struct arena *a, const struct json *json,
                                    struct cedar_value *ret,
                                    const char **ret_what);

#endif
