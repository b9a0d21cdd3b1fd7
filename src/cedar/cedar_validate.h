/*
 * cedar_validate.h - checking policies against a schema; a part of cedar.h.
 *
 * Strict validation: a policy that passes cannot err on a request and on
 * entities that conform to the schema, but for overflow, and for entities
 * that do not exist.
 */
#ifndef CEDAR_CEDAR_VALIDATE_H
#define CEDAR_CEDAR_VALIDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "cedar/cedar_policies.h"
#include "cedar/cedar_schema.h"

/* Attributes and tags whose presence one policy tests. */
#define CEDAR_TESTS_MAX 4096
/* Findings that are kept of one policy. */
#define CEDAR_FINDINGS_MAX 16

enum cedar_finding_kind {
    CEDAR_FINDING_TYPE = 0,         /* an operand of the wrong type */
    CEDAR_FINDING_INCOMPATIBLE,     /* two operands of different types */
    CEDAR_FINDING_UNKNOWN_TYPE,     /* no such entity type */
    CEDAR_FINDING_UNKNOWN_ACTION,   /* no such action */
    CEDAR_FINDING_UNKNOWN_ID,       /* an enum has no such entity */
    CEDAR_FINDING_ATTRIBUTE,        /* no such attribute */
    CEDAR_FINDING_UNSAFE_ATTRIBUTE, /* optional, and its presence untested */
    CEDAR_FINDING_TAG,              /* no tags, or their presence untested */
    CEDAR_FINDING_EMPTY_SET,        /* a [] has no type */
    CEDAR_FINDING_ARITY,            /* number of arguments */
    CEDAR_FINDING_NOT_LITERAL,      /* ip(x), where x is no literal */
    CEDAR_FINDING_BAD_LITERAL,      /* ip("x") */
    CEDAR_FINDING_NO_ACTION,        /* the scope allows no request */
    CEDAR_FINDING_IMPOSSIBLE,       /* a warning: it is never satisfied */
    CEDAR_FINDING_LEVEL,            /* follows entities too far */
    CEDAR_FINDING_LIMIT,            /* over CEDAR_TESTS_MAX */
};

/* "attribute_not_found" and so on; static. */
const char *cedar_finding_name(enum cedar_finding_kind kind);

struct cedar_finding {
    enum cedar_finding_kind kind;
    bool is_warning;
    uint32_t policy;       /* index in the set */
    size_t offset;         /* in the policy text */
    uint32_t line, column; /* from 1 */
    char text[192];        /* a sentence without a full stop */
};

struct cedar_findings {
    const struct cedar_finding *at; /* by policy */
    size_t count;
    size_t error_count; /* of them are no warnings */
};

/* Zeroed: as Cedar 4.13, without levels. */
struct cedar_validation {
    /* As up to 4.12, where CEDAR_FINDING_NO_ACTION is no warning. */
    bool no_action_is_error;
    /* Refuse what follows entities over more than `level` steps. */
    bool has_level;
    unsigned level;
};

/*
 * Checks all policies and templates, for every combination of action and
 * types of principal and resource that the schema allows.  Templates are
 * checked for all entities that a link could give them; of a link only those
 * that it gives are looked at, and whether it can apply.  `options` may be
 * NULL.  The findings live in the arena; policies with errors are no failure.
 * ERR_LIMIT: the arena is full.  ERR_NO_MEMORY.
 */
MUST_CHECK enum err cedar_validate(struct arena *a,
                                   const struct cedar_schema *schema,
                                   const struct cedar_policies *policies,
                                   const struct cedar_validation *options,
                                   struct cedar_findings *ret);

#endif
