/* budgets.h - the endpoints about budgets: what was used of each. */
#ifndef ADMIN_BUDGETS_H
#define ADMIN_BUDGETS_H

#include "admin/admin.h"

void budgets_list(struct admin_call *c);
/* The counters of one limit, by its name. */
void budgets_show(struct admin_call *c);

#endif
