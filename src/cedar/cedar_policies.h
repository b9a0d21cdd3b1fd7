/*
 * cedar_policies.h - sets of policies; a part of cedar.h.
 */
#ifndef CEDAR_CEDAR_POLICIES_H
#define CEDAR_CEDAR_POLICIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "cedar/cedar_errors.h"

struct cedar_policies; /* immutable */

enum cedar_effect {
    CEDAR_FORBID = 0,
    CEDAR_PERMIT,
};

/* One policy; everything is borrowed from the set. */
struct cedar_policy_view {
    struct str id; /* "policy0", "policy1", ... in the order of the text */
    struct str text;
    enum cedar_effect effect;
    bool is_template;
    size_t offset; /* of `text` in what was loaded */
    uint32_t line; /* there, from 1 */
};

/*
 * Parses and compiles policy text (borrowed for the call).  Goes on after an
 * error at the next policy, so several are found in one run.
 * ERR_MALFORMED, ERR_LIMIT: *ret_errors, which may be NULL, says why.
 * ERR_NO_MEMORY.
 */
MUST_CHECK enum err cedar_policies_load(struct str text,
                                        struct cedar_errors *ret_errors,
                                        struct cedar_policies **ret);

/* NULL is allowed. */
void cedar_policies_free(struct cedar_policies *p);

/* Templates included. */
size_t cedar_policies_count(const struct cedar_policies *p);
size_t cedar_policies_templates(const struct cedar_policies *p);

/* `index` is below cedar_policies_count(). */
struct cedar_policy_view cedar_policies_at(const struct cedar_policies *p,
                                           size_t index);

/* Annotations in the order of the text; false when there is no `nth`. */
bool cedar_policies_annotation(const struct cedar_policies *p, size_t index,
                               size_t nth, struct str *ret_key,
                               struct str *ret_value);

/* The line and column, from 1, of an offset in the policy text. */
void cedar_policies_locate(const struct cedar_policies *p, size_t offset,
                           uint32_t *ret_line, uint32_t *ret_column);

#endif
