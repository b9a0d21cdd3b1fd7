/* sessions.h - the endpoints about open sessions. */
#ifndef ADMIN_SESSIONS_H
#define ADMIN_SESSIONS_H

#include "admin/admin.h"

void sessions_list(struct admin_call *c);
/* Its id in the path, 32 hex digits. */
void sessions_end(struct admin_call *c);

#endif
