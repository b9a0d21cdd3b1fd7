/*
 * program.h - policies as they are kept: scopes, and conditions as code.
 *
 * All conditions of a set lie in one array of nodes.  A condition is a tree
 * in post-order: operands before their operator, so that running the nodes
 * from first to last with a stack of values evaluates it, without recursion.
 * Between operands stand jumps, where Cedar evaluates only some of them:
 *
 *     a && b              a  AND_JUMP(to behind AND)  b  AND
 *     if a then b else c  a  IF_JUMP(to c)  b  ELSE_JUMP(to IF)  c  IF
 *     e is T in x         e  IS_JUMP(to behind IS_IN)  x  IS_IN
 *     [a, b]              OPEN  a  b  SET(2)
 *
 * An OPEN whose construct is constant holds the value and jumps behind it.
 * Code that walks the tree (a type-checker, a formatter) finds the operands
 * of the node at i by `starts`: its last one ends at i - 1 and begins at
 * starts[i - 1]; jumps and OPEN are no operands.
 */
#ifndef CEDAR_PROGRAM_H
#define CEDAR_PROGRAM_H

#include "cedar/cedar.h"
#include "cedar/extension.h"
#include "cedar/index.h"
#include "cedar/value.h"

/* clang-format off */
#define PROGRAM_OPS(X)                                                         \
    X(BOOL) X(LONG) X(STRING) X(ENTITY) X(VARIABLE)                            \
    X(OPEN) X(SET) X(RECORD) X(CALL)                                           \
    X(GET) X(HAS) X(LIKE) X(IS) X(IS_JUMP) X(IS_IN)                            \
    X(NOT) X(NEGATE)                                                           \
    X(AND_JUMP) X(AND) X(OR_JUMP) X(OR) X(IF_JUMP) X(ELSE_JUMP) X(IF)          \
    X(EQUAL) X(DIFFERENT) X(LESS) X(LESS_EQUAL) X(GREATER) X(GREATER_EQUAL)    \
    X(ADD) X(SUBTRACT) X(MULTIPLY) X(IN)                                       \
    X(CONTAINS) X(CONTAINS_ALL) X(CONTAINS_ANY) X(IS_EMPTY)                    \
    X(HAS_TAG) X(GET_TAG)
/* clang-format on */

enum program_op {
#define X(name) OP_##name,
    PROGRAM_OPS(X)
#undef X
        OP_COUNT /* always last */
};

enum program_variable { VAR_PRINCIPAL, VAR_ACTION, VAR_RESOURCE, VAR_CONTEXT };

struct program_pattern {
    uint32_t count;      /* of pieces: one more than wildcards */
    struct str pieces[]; /* the text between the wildcards */
};

struct program_node {
    uint8_t op; /* enum program_op */
    uint32_t a; /* see `as`; for jumps, the node to go to */
    union {
        int64_t number;                 /* BOOL, LONG; CALL: argc is `a` */
        const char *text;               /* STRING, length `a` */
        const struct cedar_uid *uid;    /* ENTITY */
        const struct cedar_value *kept; /* OPEN: its constant, or NULL */
        const struct value_key *keys;   /* GET; HAS and RECORD: `a` of them */
        const struct program_pattern *pattern; /* LIKE */
        const struct str *type;                /* IS, IS_JUMP */
        const struct extension *extension;     /* CALL */
        struct {
            uint32_t number, nodes;
        } path; /* VARIABLE: see paths.h; `a` says which variable */
    } as;       /* SET: `a` elements */
};

enum program_scope_kind {
    SCOPE_ANY = 0,
    SCOPE_EQUAL,
    SCOPE_IN,    /* one uid, or for actions any number of them */
    SCOPE_IS,    /* a type */
    SCOPE_IS_IN, /* a type, and in the uid */
};

struct program_scope {
    uint8_t kind;
    bool is_slot; /* the uid is the template's slot; there is none yet */
    uint32_t uid_count;
    const struct cedar_uid *uids;
    struct str type;
};

struct program_condition {
    uint32_t first, end; /* nodes */
    bool is_unless;
};

struct program_annotation {
    struct str key, value;
    bool has_value; /* false for @key, whose value is "" */
};

struct program_policy {
    struct program_scope scopes[3]; /* by enum program_variable */
    struct str id;
    bool is_permit;
    bool is_template;
    uint32_t condition, condition_count;
    uint32_t annotation, annotation_count;
    size_t begin, end; /* in the text */
    uint32_t line;     /* of `begin`, from 1 */
    uint32_t linked;   /* of a link: the index of its template, plus 1 */
};

/* A growing array; T is what it holds. */
#define PROGRAM_LIST(T)                                                        \
    struct {                                                                   \
        T *at;                                                                 \
        size_t count, room;                                                    \
    }

struct cedar_policies {
    struct arena arena; /* everything below points into it or into `text` */
    struct str text;
    PROGRAM_LIST(struct program_policy) policies;
    PROGRAM_LIST(struct program_condition) conditions;
    PROGRAM_LIST(struct program_annotation) annotations;
    PROGRAM_LIST(struct program_node) nodes;
    PROGRAM_LIST(uint32_t) starts;  /* by node: where its operands begin */
    PROGRAM_LIST(uint32_t) offsets; /* by node: in the text */
    struct index index;
    size_t template_count;
    size_t path_count; /* see paths.h */
    size_t stack_max;  /* values that any condition needs at once */
};

static inline uint64_t program_mix(uint64_t h, uint64_t more)
{
    h = (h ^ more) * 0x9E3779B97F4A7C15;
    return h ^ h >> 32;
}

/*
 * Adds a node to a hash; false: not one of those that only look things up
 * and compare them, of which alone program_same() tells.  Jumps follow from
 * the operators around them, so they add nothing.
 */
bool program_hash(const struct program_node *n, uint64_t *h);
bool program_same(const struct program_node *x, const struct program_node *y);

/* Makes room for one more; false: out of memory. */
MUST_CHECK bool program_grow(void **at, size_t *room, size_t count,
                             size_t size);
#define PROGRAM_ROOM(list)                                                     \
    ((list).count < (list).room ||                                             \
     program_grow((void **)(void *)&(list).at, &(list).room, (list).count,     \
                  sizeof(*(list).at)))

/* Gives back what a list has room for and does not hold. */
void program_fit(void **at, size_t *room, size_t count, size_t size);
#define PROGRAM_FIT(list)                                                      \
    program_fit((void **)(void *)&(list).at, &(list).room, (list).count,       \
                sizeof(*(list).at))

#endif
