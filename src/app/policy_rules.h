/* policy_rules.h - the rules that a configuration names, whole or not at all.
 */
#ifndef APP_POLICY_RULES_H
#define APP_POLICY_RULES_H

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "domain/settings.h"
#include "policy/rules.h"

/*
 * Reads and loads what `s` names; *ret is one reference.  ERR_CONFIG: `each`
 * got a line for every mistake, "policies/a.cedar:3:7: ...".  ERR_NO_MEMORY,
 * ERR_LIMIT.  Any thread.
 */
MUST_CHECK enum err policy_rules_load(const struct settings *s,
                                      void (*each)(void *user, struct str line),
                                      void *user, struct rules **ret);

#endif
