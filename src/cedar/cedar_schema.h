/*
 * cedar_schema.h - schemas; a part of cedar.h.
 *
 * A schema says which entity types, actions and contexts there are.  It is
 * read once, from the Cedar schema syntax or from its JSON form, into one
 * immutable form, which any number of threads may read.
 */
#ifndef CEDAR_CEDAR_SCHEMA_H
#define CEDAR_CEDAR_SCHEMA_H

#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "cedar/cedar_errors.h"
#include "cedar/cedar_value.h"
#include "codec/json.h"

struct cedar_entities;
struct cedar_request;
struct cedar_schema; /* immutable */

/* Nesting of a type, with that of the common types that it uses. */
#define CEDAR_TYPE_DEPTH_MAX 128

/*
 * Reads a schema (borrowed for the call).  ERR_MALFORMED, ERR_LIMIT:
 * *ret_errors, which may be NULL, says why.  Errors of the JSON form have
 * positions if the text is no JSON; the others name the declaration.
 * ERR_NO_MEMORY.
 */
MUST_CHECK enum err cedar_schema_load(struct str text,
                                      struct cedar_errors *ret_errors,
                                      struct cedar_schema **ret);
MUST_CHECK enum err cedar_schema_load_json(struct str json,
                                           struct cedar_errors *ret_errors,
                                           struct cedar_schema **ret);

/* NULL is allowed. */
void cedar_schema_free(struct cedar_schema *s);

#endif
