/*
 * json_schema_check.h - a value against a node; for json_schema*.c only.
 */
#ifndef CODEC_JSON_SCHEMA_CHECK_H
#define CODEC_JSON_SCHEMA_CHECK_H

#include "codec/json_schema_form.h"

/* What said no; its words are found when they are needed. */
struct json_schema_fault {
    enum json_schema_keyword keyword;
    const struct json_schema_node *node;
    const struct json *at; /* in the instance */
    struct str name;       /* a property, where the keyword is about one */
    unsigned level;        /* how deep `at` lies in the instance */
};

struct json_schema_matcher; /* of json_schema_pattern.c */

struct json_schema_check {
    uint64_t steps; /* left */
    enum err err;   /* ERR_LIMIT: nothing that follows counts */
    unsigned depth; /* of schemas */
    unsigned level; /* of the instance */
    struct arena *scratch;
    struct json_schema_matcher *matcher; /* NULL until there was a pattern */
    struct json_schema_fault fault;
};

/* Which members or elements of a value were looked at by a schema that
 * passed: for unevaluatedProperties and unevaluatedItems. */
struct json_schema_marks {
    uint64_t *bits;
    size_t words;
};

static inline void json_schema_mark(struct json_schema_marks *m, size_t i)
{
    if (m != NULL)
        m->bits[i / 64] |= (uint64_t)1 << (i % 64);
}
static inline bool json_schema_is_marked(const struct json_schema_marks *m,
                                         size_t i)
{
    return (m->bits[i / 64] >> (i % 64) & 1) != 0;
}
/* Marks of none of the values in `v`; false after the scratch is used up.
 * What is taken last is given back first. */
MUST_CHECK bool json_schema_marks_take(struct json_schema_check *k,
                                       const struct json *v,
                                       struct json_schema_marks *ret);
void json_schema_marks_give(struct json_schema_check *k,
                            struct json_schema_marks *m);
void json_schema_marks_add(struct json_schema_marks *to,
                           const struct json_schema_marks *from);

/* False, and the end, when there is no budget for `n` more steps. */
MUST_CHECK static inline bool json_schema_spend(struct json_schema_check *k,
                                                uint64_t n)
{
    if (k->err == ERR_OK && n <= k->steps) {
        k->steps -= n;
        return true;
    }
    k->err = ERR_LIMIT;
    return false;
}

/* Notes what said no; always false. */
bool json_schema_no(struct json_schema_check *k, enum json_schema_keyword kw,
                    const struct json_schema_node *n, const struct json *at);

/*
 * Does `v` fit `n`?  `marks` (NULL: nobody asks) are of `v`; they may have
 * been added to even if it does not fit.  A false may also mean k->err:
 * whoever turns a false into something else has to look.
 */
MUST_CHECK bool json_schema_check(struct json_schema_check *k,
                                  const struct json_schema_node *n,
                                  const struct json *v,
                                  struct json_schema_marks *marks);
/* The same for a value in another one. */
MUST_CHECK bool json_schema_check_inner(struct json_schema_check *k,
                                        const struct json_schema_node *n,
                                        const struct json *v);

MUST_CHECK bool json_schema_value_check(struct json_schema_check *k,
                                        const struct json_schema_node *n,
                                        const struct json *v);
MUST_CHECK bool json_schema_number_check(struct json_schema_check *k,
                                         const struct json_schema_node *n,
                                         const struct json *v);
MUST_CHECK bool json_schema_string_check(struct json_schema_check *k,
                                         const struct json_schema_node *n,
                                         const struct json *v);
MUST_CHECK bool json_schema_array_check(struct json_schema_check *k,
                                        const struct json_schema_node *n,
                                        const struct json *v,
                                        struct json_schema_marks *marks);
MUST_CHECK bool json_schema_array_check_rest(struct json_schema_check *k,
                                             const struct json_schema_node *n,
                                             const struct json *v,
                                             struct json_schema_marks *marks);
MUST_CHECK bool json_schema_object_check(struct json_schema_check *k,
                                         const struct json_schema_node *n,
                                         const struct json *v,
                                         struct json_schema_marks *marks);
MUST_CHECK bool json_schema_object_check_rest(struct json_schema_check *k,
                                              const struct json_schema_node *n,
                                              const struct json *v,
                                              struct json_schema_marks *marks);
MUST_CHECK bool json_schema_logic_check(struct json_schema_check *k,
                                        const struct json_schema_node *n,
                                        const struct json *v,
                                        struct json_schema_marks *marks);
MUST_CHECK bool json_schema_pattern_check(struct json_schema_check *k,
                                          const struct json_schema_pattern *p,
                                          struct str subject);

/* Are all elements of the array different? */
MUST_CHECK bool json_schema_value_unique(struct json_schema_check *k,
                                         const struct json *array);

/* The words of a failure. */
void json_schema_text_write(const struct json_schema_check *k,
                            const struct json *instance,
                            struct json_schema_failure *ret);

#endif
