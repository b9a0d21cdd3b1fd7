/*
 * rules_input.h - the arguments of a tool as values of Cedar.
 *
 * What a value is, its JSON says; what a number is, the schema says, so that
 * it is the same type in every call: `number` a decimal, `integer` a Long.
 * Without a schema a number is a Long if it has no fraction.  Local $ref,
 * anyOf, oneOf and allOf are followed; where branches differ, `number` wins.
 */
#ifndef POLICY_RULES_INPUT_H
#define POLICY_RULES_INPUT_H

#include "policy/rules_facts.h"

/* Values of the arguments, taken together; above it there is no input, and
 * input_opaque is true. */
enum { RULES_INPUT_VALUES_MAX = 16384 };

/*
 * Sets input, input_opaque and element of f->context from the request's tool,
 * which is there.  Borrows the JSON's strings.  ERR_LIMIT: the arena is full.
 */
MUST_CHECK enum err rules_input_fill(struct rules_facts *f);

#endif
