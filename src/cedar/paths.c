/* paths.c - see paths.h. */
#include "cedar/paths.h"

#include <stdlib.h>

/* Of different paths, about so many are looked for again. */
enum { SLOTS_MAX = 8192, PROBES_MAX = 8 };

/* Where a path was seen first: its node plus 1, by hash. */
struct seen {
    uint32_t *slots;
    uint32_t count; /* a power of two */
};

/* How many nodes the path from the variable at `first` has. */
static uint32_t length(const struct program_node *nodes, uint32_t first,
                       uint32_t end)
{
    uint32_t at = first + 1;
    for (;;) {
        uint8_t op = at < end ? nodes[at].op : OP_COUNT;
        uint8_t next = at + 1 < end ? nodes[at + 1].op : OP_COUNT;
        if (op == OP_GET)
            at++;
        else if (op == OP_STRING && next == OP_GET_TAG)
            at += 2;
        else if (op == OP_STRING && next == OP_HAS_TAG)
            return at + 2 - first;
        else
            return at + (op == OP_HAS) - first;
    }
}

static bool same_path(const struct program_node *x,
                      const struct program_node *y, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!program_same(&x[i], &y[i]))
            return false;
    return true;
}

/* Gives the path at `i` its number, if it was there before. */
static void number_one(struct cedar_policies *set, const struct seen *seen,
                       uint32_t i, uint32_t count)
{
    struct program_node *nodes = set->nodes.at;
    uint64_t h = count;
    for (uint32_t k = i; k < i + count; k++)
        (void)program_hash(&nodes[k], &h);
    for (uint32_t probe = 0; probe < PROBES_MAX; probe++) {
        uint32_t *slot = &seen->slots[(h + probe) & (seen->count - 1)];
        if (*slot == 0) {
            *slot = i + 1;
            return;
        }
        struct program_node *first = &nodes[*slot - 1];
        if (first->as.path.nodes != count ||
            !same_path(first, &nodes[i], count))
            continue;
        if (first->as.path.number == 0)
            first->as.path.number = (uint32_t)++set->path_count;
        nodes[i].as.path.number = first->as.path.number;
        return;
    }
}

bool paths_number(struct cedar_policies *set)
{
    uint32_t end = (uint32_t)set->nodes.count;
    struct seen seen = {.count = 16};
    while (seen.count < end && seen.count < SLOTS_MAX)
        seen.count *= 2;
    seen.slots = calloc(seen.count, sizeof(*seen.slots));
    if (seen.slots == NULL)
        return false;
    for (uint32_t i = 0; i < end; i++) {
        struct program_node *n = &set->nodes.at[i];
        uint32_t count =
            n->op == OP_VARIABLE ? length(set->nodes.at, i, end) : 0;
        if (count < 2)
            continue;
        n->as.path.nodes = count;
        number_one(set, &seen, i, count);
        i += count - 1;
    }
    free(seen.slots);
    return true;
}
