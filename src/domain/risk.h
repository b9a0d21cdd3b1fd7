/*
 * risk.h - what an action can do to the world, as a set.
 *
 * The empty set is not harmless but unknown, and unknown is dangerous: code
 * that has no rule for a tool uses RISK_ALL.
 */
#ifndef DOMAIN_RISK_H
#define DOMAIN_RISK_H

#include <stdint.h>

#include "base/str.h"

enum risk {
    RISK_READ = 1u << 0,
    RISK_WRITE = 1u << 1,
    RISK_TRIGGER = 1u << 2,
    RISK_PURCHASE = 1u << 3,
    RISK_DEPLOY = 1u << 4,
    RISK_EXPORT = 1u << 5,
    RISK_SECRET = 1u << 6,
    RISK_REGULATED = 1u << 7,
    RISK_ADMIN = 1u << 8,
    RISK_ALL = (1u << 9) - 1,
};

enum { RISK_WORDS = 9 };
/* The word of bit `n` (0 to RISK_WORDS - 1): "read", "write", ... */
struct str risk_word(unsigned n);
/* The bit of a word; 0: it is none. */
uint32_t risk_from(struct str word);

#endif
