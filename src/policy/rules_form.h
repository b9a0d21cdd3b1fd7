/*
 * rules_form.h - what a JSON Schema says about the types of one place.
 *
 * A hint for typing, no validation: a schema that is not understood says
 * nothing.
 */
#ifndef POLICY_RULES_FORM_H
#define POLICY_RULES_FORM_H

#include "codec/json.h"

enum { RULES_FORM_PARTS = 8, RULES_FORM_SCHEMAS = 32 };

/* Of numbers: RULES_FORM_NUMBER goes before RULES_FORM_INTEGER. */
enum { RULES_FORM_INTEGER = 1u << 0, RULES_FORM_NUMBER = 1u << 1 };

/* The schemas that speak of one place, taken together. */
struct rules_form {
    const struct json *root; /* where a local $ref begins */
    size_t *work;            /* names looked at; the caller's bound */
    unsigned numbers;        /* or-ed; 0: nothing is said */
    unsigned schemas;        /* that were looked at */
    unsigned count;
    struct rules_form_part {
        const struct json *properties, *additional, *items, *prefix;
    } at[RULES_FORM_PARTS];
};

/* Adds what `schema` says, which may be NULL. */
void rules_form_add(struct rules_form *f, const struct json *schema);

/* What is said about a member, or about an element; empty, with root and work
 * of `f`, when nothing is. */
void rules_form_member(const struct rules_form *f, struct str name,
                       struct rules_form *ret);
void rules_form_element(const struct rules_form *f, size_t index,
                        struct rules_form *ret);

/* Are all elements of one form? */
bool rules_form_is_uniform(const struct rules_form *f);

#endif
