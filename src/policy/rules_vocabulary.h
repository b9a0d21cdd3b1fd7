/*
 * rules_vocabulary.h - the words that policies and entities may use: types of
 * namespace Writ, actions, annotations.
 *
 * A policy about a type or an action that nobody has never applies, and a
 * forbid that never applies is a hole; so a slip of the pen is refused.
 */
#ifndef POLICY_RULES_VOCABULARY_H
#define POLICY_RULES_VOCABULARY_H

#include "policy/rules.h"

#define RULES_NAMESPACE "Writ::"

/* Begins the action of a call; "<server>/<tool>" follows. */
#define RULES_TOOL_ACTION "tool:call/"

/* A type's name without the namespace; empty for one of another namespace. */
struct str rules_vocabulary_own(struct str type);

/*
 * True for a type of Writ's and for types of other namespaces.  False: it is
 * a mistake, and *why, of RULES_TEXT_MAX bytes, says which.
 */
MUST_CHECK bool rules_vocabulary_type(struct str type, char *why);

/*
 * Reports each wrong type, action and annotation in a file of policies that
 * parses, and what is compared with the group of all calls.  Positions are
 * those of the wrong word.  Without settings any group may be asked for
 * approval.
 */
void rules_vocabulary_check(const struct rules_file *file,
                            const struct settings *s,
                            struct rules_errors *errors);

/* The server of "<server>/<name>"; empty when it is not of that form. */
struct str rules_vocabulary_server(struct str id);

/* Calls `each` for every entity of namespace Writ that such a file names, by
 * its type without the namespace and its id as it is written. */
struct rules_vocabulary_entity {
    const struct rules_file *file;
    struct str type, id;
    size_t offset; /* of the id */
};
typedef void rules_vocabulary_each(void *user,
                                   const struct rules_vocabulary_entity *e);
void rules_vocabulary_entities(const struct rules_file *file,
                               rules_vocabulary_each *each, void *user);

#endif
