/*
 * principal_id.h - entity ids, made in one place, so that who is proven and
 * who policy speaks of are the same.
 *
 *     human, application   "<issuer>|<name>"
 *     agent                "<tenant>/<name>"
 *     workload             "<name>" when that is a SPIFFE id, else as above
 *
 * Rule "Names never collide": the parts are checked before they are joined.
 */
#ifndef DOMAIN_PRINCIPAL_ID_H
#define DOMAIN_PRINCIPAL_ID_H

#include <stdbool.h>

#include "base/attr.h"
#include "domain/principal.h"

/* Two names and what joins them. */
enum { PRINCIPAL_ID_MAX = 2 * 128 + 1 };

/* The parts of a name, before they are one. */
struct principal_parts {
    enum principal_kind kind;
    struct str issuer, tenant, name;
};

/*
 * Writes the id to `to`, of PRINCIPAL_ID_MAX bytes; its length in *ret_len.
 * False: no kind, or a part that is empty, over NAME_MAX_LEN bytes, not
 * UTF-8, has control characters or '|', or '/' in a tenant or in the name of
 * an agent.
 */
MUST_CHECK bool principal_id_make(const struct principal_parts *p, char *to,
                                  size_t *ret_len);

#endif
