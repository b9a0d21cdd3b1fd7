/* policy_json.h - a part of a file of policy tests as JSON. */
#ifndef APP_POLICY_JSON_H
#define APP_POLICY_JSON_H

#include "app/policy_yaml.h"
#include "codec/json.h"

/*
 * Maps are objects, lists arrays; a scalar without quotes that is a number of
 * JSON, true, false or null is that, any other is a string.  NULL: the node
 * is NULL, or what is wrong was reported.  Lives as long as the arena.
 */
const struct json *policy_json_read(struct policy_yaml *y,
                                    const struct yaml_node *node);

#endif
