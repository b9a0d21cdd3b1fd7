/*
 * rules_context.h - the context of a request, and of each of its links.
 */
#ifndef POLICY_RULES_CONTEXT_H
#define POLICY_RULES_CONTEXT_H

#include "policy/rules_facts.h"

/* Fills f->context, all but auth and link; needs f->principals. */
MUST_CHECK enum err rules_context_fill(struct rules_facts *f);

/*
 * The context of one link.  Without history, for what history must not
 * permit.  ERR_LIMIT.
 */
enum rules_history { RULES_WITH_HISTORY = 0, RULES_WITHOUT_HISTORY };
MUST_CHECK enum err rules_context_of_link(const struct rules_facts *f,
                                          unsigned link,
                                          enum rules_history history,
                                          const struct cedar_record **ret);

/* A set of strings.  ERR_LIMIT. */
MUST_CHECK enum err rules_context_words(struct arena *a,
                                        const struct str *words, size_t count,
                                        struct cedar_value *ret);

#endif
