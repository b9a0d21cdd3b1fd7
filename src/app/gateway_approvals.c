/* gateway_approvals.c - see gateway_approvals.h. */
#include "app/gateway_approvals.h"

#include "app/gateway_state.h"
#include "approval/approval.h"
#include "evidence/evidence.h"

static void on_expired(void *user, const struct approval_row *row, bool unused)
{
    struct gateway *g = user;
    struct evidence_ticket f = {
        .event = STR("expire"),
        .digest = &row->digest,
        .action = row->action,
        .resource = row->resource,
        .tenant = row->tenant,
        .detail = unused ? STR("approved, and not used")
                         : STR("nobody decided in time"),
    };

    memcpy(f.ticket, row->id, sizeof(f.ticket));
    memcpy(f.id, row->decision, sizeof(f.id));
    /* Not awaited: that nothing happened needs no proof before it. */
    (void)!evidence_approval(g->control.evidence, &f, NULL);
}

void gateway_approvals_sweep(struct gateway *g)
{
    const struct approvals_expired to = {on_expired, g};

    approvals_sweep(g->control.approvals, loop_wall_us(g->loop), &to);
}
