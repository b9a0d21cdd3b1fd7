/*
 * facts.h - what all questions to policy about an action have in common: who
 * asks, in which session, for what.
 */
#ifndef PIPELINE_FACTS_H
#define PIPELINE_FACTS_H

#include "domain/principal.h"
#include "policy/rules.h"

struct action;

/* What a question points to; lives while it is asked. */
struct facts {
    struct rules_link links[CHAIN_LINKS_MAX];
    struct rules_session session;
};

/*
 * Fills the question: all but the destination, and what only some kinds of
 * actions have.  It borrows from `f` and `a`.  May be asked any number of
 * times, with other resources and destinations.
 */
void facts_ask(const struct action *a, struct facts *f,
               struct rules_request *ret);

/* Asks the policies of the action's snapshot. */
void facts_decide(const struct action *a, const struct rules_request *q,
                  struct rules_answer *ret);

/* The same for many things of one server (rules_decide_begin()): `q` stays
 * until the end, and only what the series may differ in is changed. */
void facts_begin(const struct action *a, const struct rules_request *q);
void facts_next(const struct action *a, const struct rules_request *q,
                struct rules_answer *ret);
void facts_end(const struct action *a);

#endif
