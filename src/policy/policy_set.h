/*
 * policy_set.h - the inside of a policy set; used by policy/ only.
 */
#ifndef POLICY_POLICY_SET_H
#define POLICY_POLICY_SET_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "domain/principal_id.h"
#include "policy/policy.h"

/* An entity type, "::", an id. */
enum { POLICY_SET_KEY_MAX = 16 + PRINCIPAL_ID_MAX };

struct policy_set_grant {
    struct str entity; /* "Agent::acme/writer"; its key in the map */
    struct str policy; /* "callers/writer" */
    struct str tenant;
    const uint64_t *models; /* bits, by number */
};

struct policy_set_place {
    struct str region;
    const uint64_t *tenants; /* bits: those that may send there */
};

struct policy_set {
    atomic_uint refs;
    struct arena arena;
    struct map grants;  /* entity -> struct policy_set_grant */
    struct map models;  /* alias -> size_t, its number */
    struct map tenants; /* name -> size_t */
    struct map places;  /* provider -> struct policy_set_place */
    struct buf text;
};

/* Type and id of an entity as one key, in `to` of POLICY_SET_KEY_MAX bytes;
 * empty when there is no type, or the id is longer than any that is known. */
struct str policy_set_entity(const struct principal *who, char *to);

#endif
