/* nearest.c - see nearest.h. */
#include "cedar/nearest.h"

#include "base/text.h"

struct nearest nearest_to(struct str name)
{
    /* Of a short name, most of the letters should be right. */
    return (struct nearest){.name = name, .below = name.len < 4 ? 2 : 3};
}

void nearest_consider(struct nearest *n, struct str other)
{
    unsigned distance = text_distance(n->name, other);
    if (distance < n->below) {
        n->below = distance;
        n->found = other;
    }
}

struct str nearest_of(struct str name, const struct str *words, size_t count)
{
    struct nearest n = nearest_to(name);
    for (size_t i = 0; i < count; i++)
        nearest_consider(&n, words[i]);
    return n.found;
}
