/* registry_view.h - what a view is made of.  For the inside of registry/
 * only; its functions stand in registry.h. */
#ifndef REGISTRY_REGISTRY_VIEW_H
#define REGISTRY_REGISTRY_VIEW_H

#include "registry/registry_table.h"

struct registry_view {
    atomic_uint refs;
    struct siphash_key seed;
    struct registry_table *base;    /* a reference each */
    struct registry_table *overlay; /* its records win */
    uint64_t epoch, keys_number;
    size_t count;
};

/* Takes the references of both tables, also on failure; the rest is as in
 * `like`.  One of the tables may be NULL: no memory.  NULL: no memory. */
struct registry_view *registry_view_new(const struct registry_view *like,
                                        struct registry_table *base,
                                        struct registry_table *overlay);

struct registry_record *registry_view_record(const struct registry_view *v,
                                             enum principal_kind kind,
                                             struct str id);

#endif
