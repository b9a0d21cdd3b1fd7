/* policy_link.h - one link of a chain in a policy test. */
#ifndef APP_POLICY_LINK_H
#define APP_POLICY_LINK_H

#include "app/policy_case.h"
#include "app/policy_yaml.h"

/* Adds a link to the chain of *to, which will have `count`; the request's
 * tenant, when it has none, becomes that of the first. */
void policy_link_read(struct policy_yaml *y, const struct yaml_node *node,
                      size_t count, struct policy_case *to);

/* An agent by its id alone, as a chain of one. */
void policy_link_read_agent(struct policy_yaml *y, const struct yaml_node *node,
                            struct policy_case *to);

#endif
