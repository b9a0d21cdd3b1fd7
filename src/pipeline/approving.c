/* approving.c - see approving.h. */
#include "pipeline/approving.h"

#include <string.h>

#include "base/text.h"
#include "os/loop.h"
#include "pipeline/action.h"
#include "pipeline/worker.h"

struct str approving_ticket(const struct action *a)
{
    const struct approving *p = a->approving;

    return p == NULL || !p->asked || a->err != ERR_APPROVAL_PENDING
               ? (struct str){0}
               : (struct str){p->ticket_text, sizeof(p->ticket_text)};
}

enum err approving_take(struct action *a)
{
    struct approving *p = a->approving;

    if (p == NULL || !p->granted || p->spent)
        return ERR_OK; /* no approval; or of an attempt before this one */
    if (approvals_take(a->worker->approvals, p->grant.id, &p->digest,
                       loop_wall_us(a->worker->loop)) != ERR_OK)
        return ERR_DENIED;
    p->spent = true;
    memcpy(p->used.id, p->grant.id, sizeof(p->used.id));
    p->used.by = p->grant.by;
    p->used.by_count = p->grant.by_count;
    p->used.at_us = p->grant.at_us;
    return ERR_OK;
}

void approving_settle(struct action *a, bool used)
{
    struct approving *p = a->approving;

    if (p == NULL || !p->spent)
        return;
    approvals_settle(a->worker->approvals, p->grant.id, used);
    p->spent = used;
}

bool approving_is_held(const struct action *a)
{
    return a->approving != NULL && a->approving->wait.waiter != NULL;
}

void approving_cancel(struct action *a)
{
    if (a->approving == NULL)
        return;
    timer_cancel(&a->approving->hold);
    approval_wait_cancel(&a->approving->wait);
}
