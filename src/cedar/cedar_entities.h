/*
 * cedar_entities.h - stores of entities; a part of cedar.h.
 */
#ifndef CEDAR_CEDAR_ENTITIES_H
#define CEDAR_CEDAR_ENTITIES_H

#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "cedar/cedar_errors.h"
#include "cedar/cedar_value.h"

struct cedar_entities; /* immutable */

/* One entity for cedar_entities_build(); all borrowed. */
struct cedar_entity {
    struct cedar_uid uid;
    const struct cedar_uid *parents;
    size_t parent_count;
    const struct cedar_record *attributes; /* NULL: none */
    const struct cedar_record *tags;       /* NULL: none */
};

/*
 * Reads entity JSON in the explicit form (borrowed for the call).
 * ERR_MALFORMED also for two different entities with one uid and for a cycle
 * of parents; ERR_LIMIT also when the sets of ancestors, taken together, are
 * out of proportion.  *ret_errors and ERR_NO_MEMORY as above; positions are
 * given for faults of the JSON itself, others name the entity.
 */
MUST_CHECK enum err cedar_entities_load(struct str json,
                                        struct cedar_errors *ret_errors,
                                        struct cedar_entities **ret);

/*
 * Makes a store of `entities` in the arena: for what is known only while a
 * request runs.  What `entities` points to must live as long as the arena.
 * `base`, which may be NULL, is looked at where this store has no entity; it
 * must outlive this one, and its entities must not name entities given here
 * as their ancestors.  Do not free the result.  Errors as above.
 */
MUST_CHECK enum err cedar_entities_build(struct arena *a,
                                         const struct cedar_entity *entities,
                                         size_t count,
                                         const struct cedar_entities *base,
                                         struct cedar_errors *ret_errors,
                                         const struct cedar_entities **ret);

/* For what cedar_entities_load() made; NULL is allowed. */
void cedar_entities_free(struct cedar_entities *e);

/* Of this store alone, without its base. */
size_t cedar_entities_count(const struct cedar_entities *e);

#endif
