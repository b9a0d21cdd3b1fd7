/*
 * agents_find.h - what the handlers of agents*.c have in common.
 */
#ifndef ADMIN_AGENTS_FIND_H
#define ADMIN_AGENTS_FIND_H

#include "admin/admin.h"
#include "evidence/entry.h"
#include "registry/registry.h"

enum { PRINCIPAL_ID_ROOM = 512 };

/* The identity that path and query name, borrowed from the view of now.
 * NULL: there is none, or more than one; that was answered. */
const struct registry_entry *agents_find(struct admin_call *c);

/* The same by an id and a kind (empty: any). */
const struct registry_entry *agents_find_id(struct admin_call *c, struct str id,
                                            struct str kind);

/* What a change of `e` says in evidence; borrows from both. */
struct evidence_admin agents_fact(const struct admin_call *c,
                                  const struct registry_entry *e,
                                  const char *event, bool revokes,
                                  struct str detail);

#endif
