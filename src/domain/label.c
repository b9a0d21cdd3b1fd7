/* label.c - see label.h. */
#include "domain/label.h"

bool labels_has(const struct labels *l, struct str name)
{
    for (unsigned i = 0; i < l->count; i++) {
        if (str_eq(l->names[i], name))
            return true;
    }
    return l->all;
}

void labels_add(struct labels *l, struct str name)
{
    unsigned at = 0;
    while (at < l->count && str_compare(l->names[at], name) < 0)
        at++;
    if (at < l->count && str_eq(l->names[at], name))
        return;
    if (l->count == LABELS_MAX) {
        l->all = true;
        return;
    }
    for (unsigned i = l->count; i > at; i--)
        l->names[i] = l->names[i - 1];
    l->names[at] = name;
    l->count++;
}
