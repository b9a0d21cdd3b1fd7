/*
 * tools.h - what servers of tools have offered: what is pinned, what differs
 * from it, and a person's yes to exactly one definition.
 *
 *     GET  tools?server=&state=&limit=&after=
 *     GET  tools/{server}/{name}
 *     POST tools/{server}/{name}/approve   {digest, reason}
 */
#ifndef ADMIN_TOOLS_H
#define ADMIN_TOOLS_H

#include "admin/admin.h"

void tools_list(struct admin_call *c);
void tools_show(struct admin_call *c);
void tools_approve(struct admin_call *c);

#endif
