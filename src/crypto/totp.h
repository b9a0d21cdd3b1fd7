/*
 * totp.h - one-time codes that follow the clock (RFC 6238 over RFC 4226), as
 * authenticators on phones make them: SHA-1, 30 seconds, six digits.
 */
#ifndef CRYPTO_TOTP_H
#define CRYPTO_TOTP_H

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

enum { TOTP_STEP_S = 30, TOTP_DIGITS = 6, TOTP_SECRET_LEN = 20 };

/* The step that a moment of Unix time lies in. */
int64_t totp_step(int64_t unix_us);

/* The code of a step, TOTP_DIGITS digits, no NUL.  ERR_NO_MEMORY. */
MUST_CHECK enum err totp_code(struct str secret, int64_t step,
                              char to[TOTP_DIGITS]);

/*
 * The step that `code` belongs to: of now, the one before or the one after;
 * -1: none of them.  Time does not tell how much of the code is right.
 */
int64_t totp_check(struct str secret, struct str code, int64_t unix_us);

#endif
