/*
 * rules_set.h - the inside of loaded rules; used by policy/ only.
 */
#ifndef POLICY_RULES_SET_H
#define POLICY_RULES_SET_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/map.h"
#include "cedar/cedar.h"
#include "policy/rules.h"
#include "policy/rules_fence.h"
#include "policy/rules_groups.h"
#include "policy/rules_shapes.h"

/* The names of the fence and the ceiling where policies are named; no policy
 * may have them. */
#define RULES_FENCE STR("tenants")
#define RULES_CEILING STR("risk")

/* Type, "::", id: the key of an entity of namespace Writ. */
enum { RULES_KEY_MAX = 384 };

struct rules_policy {
    struct str id;
    struct str file;
    unsigned line;  /* where it begins in its file, from 1 */
    unsigned above; /* lines of the set's text before that file */
    bool is_permit;
    bool is_named;       /* by an @id */
    bool uses_input;     /* it may ask for arguments */
    struct str approval; /* the group that may lift this forbid; or empty */
};

/* One set: all files behind one another. */
struct rules_policies {
    bool is_there;
    struct cedar_policies *cedar;
    const struct rules_policy *at; /* by their index in `cedar` */
    size_t count;
};

struct rules {
    atomic_uint refs;
    struct arena arena; /* all that is not Cedar's */
    struct rules_policies live, shadow;
    struct cedar_entities *entities;
    bool has_tools;   /* of which the files of entities say something */
    struct map known; /* "Model::small" -> struct cedar_uid, of `entities` */
    struct rules_groups groups;
    struct rules_fence fence;
    struct rules_shapes shapes;
    struct cedar_uid actions[ACTION_COUNT];
    struct hash digest;
};

/* The key of an entity in `to` of RULES_KEY_MAX bytes; empty: too long. */
struct str rules_set_key(struct str type, struct str id, char *to);

/* A decision's memory. */
struct rules_evaluator {
    struct cedar_evaluator *cedar;
    struct arena arena; /* of the request being decided */
    struct arena_spare spare;
    struct rules_series *series; /* heap; NULL: there was none yet */
};

#endif
