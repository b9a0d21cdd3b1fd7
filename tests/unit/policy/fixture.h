/* fixture.h - alice and her agent at one tenant, with servers of tools. */
#ifndef TESTS_POLICY_FIXTURE_H
#define TESTS_POLICY_FIXTURE_H

#include "policy/rules.h"

/* Tenants acme (of the eu) and other; servers files (eu, everybody's), pay
 * (eu, acme's), far (us); groups finance and legal. */
const struct settings *fixture_settings(void);

/* Loads one file of policies, a shadow and entities (each may be NULL); what
 * is wrong is printed, and fails the test. */
struct rules *fixture_rules(const char *policies, const char *shadow,
                            const char *entities);

/* The first error of a load that has to fail, as "a.cedar:1:2: text". */
const char *fixture_error(const char *policies);

struct fixture {
    struct chain chain; /* okta|alice and acme/bot */
    struct rules_link links[2];
    struct labels labels;
    struct rules_tool tool; /* files/read_file, risk read, pinned */
    struct rules_request request;
    struct rules_evaluator *evaluator;
};
void fixture_begin(struct fixture *f);
void fixture_end(struct fixture *f);

struct rules_answer fixture_ask(struct fixture *f, const struct rules *r);

/* Ids with blanks between; of the policies, or of "policy=group". */
const char *fixture_policies(const struct decision *d);
const char *fixture_approvals(const struct decision *d);

#endif
