/*
 * agents.h - the endpoints about identities: agents, and the applications,
 * workloads and people beside them.
 *
 * An identity is named in the path by its id ("acme/writer", slashes as they
 * are), or, where a path cannot hold it (a SPIFFE id), by "-" and the query
 * parameter `id`.  `kind` says which one when two kinds have one of that id.
 */
#ifndef ADMIN_AGENTS_H
#define ADMIN_AGENTS_H

#include "admin/admin.h"

void agents_list(struct admin_call *c);
void agents_show(struct admin_call *c);
void agents_add(struct admin_call *c);
void agents_adopt(struct admin_call *c);
void agents_suspend(struct admin_call *c);
void agents_resume(struct admin_call *c);
void agents_retire(struct admin_call *c);
void agents_rotate(struct admin_call *c);

#endif
