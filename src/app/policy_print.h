/* policy_print.h - a decision and its reasons, for people and for programs. */
#ifndef APP_POLICY_PRINT_H
#define APP_POLICY_PRINT_H

#include <stdio.h>

#include "app/policy_load.h"
#include "policy/rules_explain.h"

/*
 * One line a link, below it the policies that determined its decision and
 * those that erred, each with its place; then the shadow's, if there is one.
 */
void policy_print_text(FILE *out, const struct policy_load *l,
                       const struct chain *chain,
                       const struct rules_explanation *x);

/* Members of an object: "decision", "links" and, if there is one, "shadow". */
void policy_print_json(struct buf *to, const struct policy_load *l,
                       const struct chain *chain,
                       const struct rules_explanation *x);

/* Half a sentence: "permitted by a, b", "forbidden by c (link 1)". */
void policy_print_brief(struct buf *to, const struct rules_explanation *x);

#endif
