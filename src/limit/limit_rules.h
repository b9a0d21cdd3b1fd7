/*
 * limit_rules.h - which limits apply to an action, and whom they count.
 *
 * Used by limit*.c only.
 */
#ifndef LIMIT_LIMIT_RULES_H
#define LIMIT_LIMIT_RULES_H

#include "base/map.h"
#include "limit/limit.h"

struct limit_rule {
    struct str name;
    unsigned kinds; /* a bit for each that match.kinds names; 0: all */
    struct names tenants, models, principals;
    enum limit_per per;
    uint64_t rate_requests;
    int64_t rate_window_us;
    uint64_t concurrency;
    uint64_t budget_requests, budget_tokens;
    int64_t budget_window_us;
};

/* One counter that an action touches. */
struct limit_part {
    const struct limit_rule *rule;
    struct str key; /* name, NUL, whom; in the scratch below */
};

/* Keys back to back, so that little of it is touched. */
struct limit_parts {
    struct limit_part at[LIMIT_HOLDS_MAX];
    size_t count, used;
    char scratch[LIMIT_HOLDS_MAX * (NAME_MAX_LEN + 1 + LIMIT_KEY_MAX)];
};

/* ERR_LIMIT: more than LIMIT_HOLDS_MAX, or a key too long. */
MUST_CHECK enum err limit_rules_match(const struct limit_rules *r,
                                      const struct limit_ask *ask,
                                      struct limit_parts *ret);

/* The rule of that name, or NULL; `r` NULL is allowed. */
const struct limit_rule *limit_rules_find(const struct limit_rules *r,
                                          struct str name);

#endif
