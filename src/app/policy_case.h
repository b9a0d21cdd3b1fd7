/*
 * policy_case.h - questions to policies and what is expected of the answer,
 * from YAML (or JSON, which is YAML); docs/policy.md describes the format.
 *
 * Nothing is asked of a registry or an issuer: what they would say about a
 * link stands beside its id.
 */
#ifndef APP_POLICY_CASE_H
#define APP_POLICY_CASE_H

#include "base/arena.h"
#include "base/attr.h"
#include "policy/rules.h"

enum { POLICY_CASES_MAX = 10000 };

/* The time of a test that names none: 2026-01-01T12:00:00Z. */
#define POLICY_CASE_TIME_US INT64_C(1767268800000000)

struct policy_case {
    struct str name;
    unsigned line;
    struct chain chain;
    struct rules_link links[CHAIN_LINKS_MAX];
    struct labels labels, session_labels;
    struct rules_session session;
    struct rules_tool tool;
    struct rules_lifted lifted;
    struct rules_request request; /* points into this very struct */

    /* What is expected; DECISION_DENY, DECISION_ALLOW or DECISION_DEFER. */
    enum decision_effect expect, shadow;
    bool has_expect, has_shadow, has_policies, has_approvals;
    struct names policies;  /* ids, in any order */
    struct names approvals; /* groups, in any order */
};

struct policy_cases {
    const struct policy_case *at;
    size_t count;
};

/*
 * A file of tests: {defaults: {given: ...}, tests: [...]}.  All that is wrong
 * is added to *errors.  ERR_CONFIG: something is.  ERR_NO_MEMORY: `a` is full.
 * `s`, which is borrowed and may be NULL, says what tools are.
 */
MUST_CHECK enum err policy_case_read(struct arena *a, const struct settings *s,
                                     const struct rules_file *file,
                                     struct rules_errors *errors,
                                     struct policy_cases *ret);

/*
 * One question: what a test has under `given`.  Members of `over`, when it
 * has a text, go before those of `file`.  `now_us` is the time where none is
 * named.  Errors as above.
 */
struct policy_case_source {
    struct rules_file file, over;
    const struct settings *settings; /* or NULL */
    int64_t now_us;                  /* Unix time */
};
MUST_CHECK enum err policy_case_read_one(struct arena *a,
                                         const struct policy_case_source *from,
                                         struct rules_errors *errors,
                                         const struct policy_case **ret);

#endif
