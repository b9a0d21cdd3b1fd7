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

/*
 * As cedar_entities_load(), but every entity has to be what the schema says,
 * and what it says need not be said again: entities may be {"type", "id"},
 * values of extension types {"fn", "arg"} or the argument alone.  The actions
 * of the schema and their groups are part of the store, which borrows them:
 * the schema must outlive it.
 */
MUST_CHECK enum err cedar_schema_entities(const struct cedar_schema *s,
                                          struct str json,
                                          struct cedar_errors *ret_errors,
                                          struct cedar_entities **ret);

/* The schema's actions as a store, borrowed from it. */
const struct cedar_entities *cedar_schema_actions(const struct cedar_schema *s);

/*
 * Reads the context of a request for `action` in the same way, into the
 * arena; borrows the strings of `json`.  ERR_MALFORMED: *ret_what, a static
 * text, says why.  ERR_LIMIT: the arena is full.
 */
MUST_CHECK enum err
cedar_schema_context(struct arena *a, const struct cedar_schema *s,
                     const struct cedar_uid *action, const struct json *json,
                     const struct cedar_record **ret, const char **ret_what);

/*
 * ERR_MALFORMED when the schema does not allow the request: its action, the
 * types of principal and resource, ids of enums, the context.  *ret_errors,
 * which may be NULL, says which; the entities are not looked at.
 */
MUST_CHECK enum err cedar_schema_check(const struct cedar_schema *s,
                                       const struct cedar_request *request,
                                       struct cedar_errors *ret_errors);

#endif
