/*
 * rules_entities.h - the operator's entities, and the models of the config,
 * as one store.
 */
#ifndef POLICY_RULES_ENTITIES_H
#define POLICY_RULES_ENTITIES_H

#include "policy/rules_set.h"

/*
 * Fills r->entities and r->known, an empty map, from files of Cedar entities
 * JSON.  Each model of the config is there, with a name, whether a file
 * speaks of it or not.  Refuses what registry and tokens own.
 * ERR_CONFIG: *errors says why.  ERR_NO_MEMORY.
 */
MUST_CHECK enum err rules_entities_load(struct rules *r,
                                        const struct settings *s,
                                        const struct rules_file *files,
                                        size_t count,
                                        struct rules_errors *errors);

#endif
