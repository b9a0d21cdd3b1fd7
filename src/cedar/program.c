/* program.c - see program.h. */
#include "cedar/program.h"

#include <stdlib.h>

bool program_grow(void **at, size_t *room, size_t count, size_t size)
{
    size_t more = count < 16 ? 32 : count * 2;
    void *grown = more > SIZE_MAX / size ? NULL : realloc(*at, more * size);
    if (grown == NULL)
        return false;
    *at = grown;
    *room = more;
    return true;
}

void program_fit(void **at, size_t *room, size_t count, size_t size)
{
    void *fitting = count == 0 ? NULL : realloc(*at, count * size);
    if (fitting == NULL)
        return; /* then it stays as it is */
    *at = fitting;
    *room = count;
}

bool program_hash(const struct program_node *n, uint64_t *h)
{
    switch (n->op) {
    case OP_BOOL:
    case OP_LONG:
        *h = program_mix(program_mix(*h, n->op), (uint64_t)n->as.number);
        return true;
    case OP_STRING:
        *h = program_mix(program_mix(*h, n->op),
                         value_hash((struct str){n->as.text, n->a}));
        return true;
    case OP_ENTITY:
        *h = program_mix(program_mix(*h, n->op), n->as.uid->hash);
        return true;
    case OP_GET:
        *h = program_mix(program_mix(*h, n->op), n->as.keys->hash);
        return true;
    case OP_HAS:
        *h = program_mix(program_mix(*h, n->op), n->a);
        for (uint32_t i = 0; i < n->a; i++)
            *h = program_mix(*h, n->as.keys[i].hash);
        return true;
    case OP_IS:
        *h = program_mix(program_mix(*h, n->op), value_hash(*n->as.type));
        return true;
    case OP_VARIABLE:
        *h = program_mix(program_mix(*h, n->op), n->a);
        return true;
    case OP_AND_JUMP:
    case OP_OR_JUMP:
        return true;
    case OP_AND:
    case OP_OR:
    case OP_NOT:
    case OP_EQUAL:
    case OP_DIFFERENT:
    case OP_LESS:
    case OP_LESS_EQUAL:
    case OP_GREATER:
    case OP_GREATER_EQUAL:
    case OP_IN:
    case OP_CONTAINS:
    case OP_IS_EMPTY:
    case OP_HAS_TAG:
    case OP_GET_TAG:
        *h = program_mix(*h, n->op);
        return true;
    default:
        return false;
    }
}

bool program_same(const struct program_node *x, const struct program_node *y)
{
    if (x->op != y->op)
        return false;
    switch (x->op) {
    case OP_BOOL:
    case OP_LONG:
        return x->as.number == y->as.number;
    case OP_STRING:
        return x->a == y->a && memcmp(x->as.text, y->as.text, x->a) == 0;
    case OP_ENTITY:
        return cedar_uid_equal(x->as.uid, y->as.uid);
    case OP_GET:
        return str_eq(x->as.keys->name, y->as.keys->name);
    case OP_HAS:
        for (uint32_t i = 0; x->a == y->a && i < x->a; i++)
            if (!str_eq(x->as.keys[i].name, y->as.keys[i].name))
                return false;
        return x->a == y->a;
    case OP_IS:
        return str_eq(*x->as.type, *y->as.type);
    case OP_VARIABLE:
        return x->a == y->a;
    default:
        return true;
    }
}
