/*
 * validate_tests.c - sets of tests as bits; see validate.h.
 *
 * Each set has one owner: an operand, or the checker.  A set that is given
 * up is kept for the next one, so there are never more than operands.
 */
#include "cedar/validate.h"

static uint64_t *make(struct validate *v)
{
    uint64_t *made = v->spare;
    if (made != NULL) {
        memcpy((void *)&v->spare, made, sizeof(v->spare));
        memset(made, 0, v->words * sizeof(*made));
        return made;
    }
    made = ARENA_NEW(&v->scratch, uint64_t, v->words);
    if (made == NULL)
        v->err = ERR_LIMIT;
    return made;
}

void validate_drop(struct validate *v, uint64_t *a)
{
    if (a == NULL)
        return;
    memcpy(a, (const void *)&v->spare, sizeof(v->spare));
    v->spare = a;
}

uint64_t *validate_union(struct validate *v, uint64_t *a, uint64_t *b)
{
    if (a == NULL)
        return b;
    for (size_t i = 0; b != NULL && i < v->words; i++)
        a[i] |= b[i];
    validate_drop(v, b);
    return a;
}

uint64_t *validate_intersection(struct validate *v, uint64_t *a, uint64_t *b)
{
    uint64_t any = 0;
    for (size_t i = 0; a != NULL && b != NULL && i < v->words; i++) {
        a[i] &= b[i];
        any |= a[i];
    }
    validate_drop(v, b);
    if (any != 0)
        return a;
    validate_drop(v, a);
    return NULL;
}

uint64_t *validate_copy(struct validate *v, const uint64_t *a)
{
    uint64_t *to = a == NULL ? NULL : make(v);
    if (to != NULL)
        memcpy(to, a, v->words * sizeof(*a));
    return to;
}

uint64_t *validate_one(struct validate *v, uint32_t test)
{
    uint64_t *to = make(v);
    if (to != NULL)
        to[test / 64] |= (uint64_t)1 << test % 64;
    return to;
}

bool validate_knows(const struct validate *v, uint32_t test)
{
    return v->known != NULL && test != EXPRS_NONE &&
           (v->known[test / 64] >> test % 64 & 1) != 0;
}
