/*
 * schema_actions.h - the actions of a schema: groups, and what they are for.
 */
#ifndef CEDAR_SCHEMA_ACTIONS_H
#define CEDAR_SCHEMA_ACTIONS_H

#include "cedar/schema_types.h"

/* Fills in the schema's `actions` and `applies`; false: an error. */
MUST_CHECK bool schema_actions_resolve(struct schema_types *t);

#endif
