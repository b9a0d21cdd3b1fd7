/*
 * api.h - the admin API: which endpoints there are, and what each does.
 *
 * docs/admin.md has the table for people.
 */
#ifndef ADMIN_API_H
#define ADMIN_API_H

#include "admin/admin.h"
#include "domain/action.h"

struct api_endpoint {
    struct str method;
    /* Behind "/admin/v1/"; one "*" stands for an identifier, which may have
     * slashes in it and is not empty. */
    struct str path;
    enum action_kind action;
    bool anonymous; /* answered to who is not known: login, enrol */
    void (*handle)(struct admin_call *c);
};

/* The whole table; *ret_count rows. */
const struct api_endpoint *api_table(size_t *ret_count);

/* The row for a method and path; NULL: none, *ret_known tells whether the
 * path exists with another method.  *ret_argument is what the "*" stands
 * for, still encoded. */
const struct api_endpoint *api_find(struct str method, struct str path,
                                    struct str *ret_argument, bool *ret_known);

/* Answers `c` by c->reply, at once or in a later turn. */
void api_handle(struct admin_call *c);
/* The caller went away: no reply comes; what was begun goes on. */
void api_cancel(struct admin_call *c);

#endif
