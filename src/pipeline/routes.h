/*
 * routes.h - which requests are accepted at all, as one table.
 *
 * A method and path that are not in the table are refused before the body is
 * read, so adding an endpoint means adding a row: what it asks for, its
 * dialect and its body limit cannot be forgotten.
 */
#ifndef PIPELINE_ROUTES_H
#define PIPELINE_ROUTES_H

#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"
#include "domain/action.h"
#include "llm/dialect.h"

struct action_class;

enum endpoint_kind {
    ENDPOINT_NONE = 0,
    ENDPOINT_HEALTH, /* anonymous: answers "ok" */
    ENDPOINT_ACTION, /* an action of `class` walks the table */
    ENDPOINT_ADMIN,  /* the admin API; worker->admin answers it */
    ENDPOINT_METRICS,
    ENDPOINT_READY, /* anonymous: one word */
};

/* Which listeners serve a row. */
enum plane {
    PLANE_DATA = 1,
    PLANE_CONTROL = 2, /* the socket in the data directory */
    PLANE_ADMIN = 4,   /* the listener of `admin` */
};

struct endpoint {
    struct str method;
    struct str path; /* exact, or a prefix when it ends in '/' */
    enum endpoint_kind kind;
    unsigned planes;                  /* enum plane, or-ed */
    const struct action_class *class; /* of an action; NULL denies */
    enum action_kind action;
    enum llm_operation operation; /* of a model call */
    size_t body_max;              /* bytes; 0: no body */
};

enum endpoint_match {
    ENDPOINT_MATCH_NONE = 0,
    ENDPOINT_MATCH_PATH,
    ENDPOINT_MATCH
};

/*
 * Finds the row.  ENDPOINT_MATCH_PATH: the path exists, with another method.
 * *ret_argument is what follows a prefix.
 */
enum endpoint_match routes_find(enum plane plane, struct str method,
                                struct str path, const struct endpoint **ret,
                                struct str *ret_argument);

/* The methods that `path` takes, as the Allow field lists them. */
void routes_allowed(enum plane plane, struct str path, struct buf *to);

#endif
