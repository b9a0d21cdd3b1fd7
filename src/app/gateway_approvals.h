/*
 * gateway_approvals.h - the control thread's part in approvals: tickets end
 * when their time is over, and the evidence says so.
 */
#ifndef APP_GATEWAY_APPROVALS_H
#define APP_GATEWAY_APPROVALS_H

struct gateway;

/* A few times a second. */
void gateway_approvals_sweep(struct gateway *g);

#endif
