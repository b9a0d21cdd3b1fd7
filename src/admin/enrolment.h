/*
 * enrolment.h - one-time codes that let a person become an administrator.
 *
 * `writ init` prints the first one, an administrator can have another one
 * made.  What is kept, in the file `enrolment` of the data directory, is a
 * keyed hash of the newest; a code is good for 24 hours and for one person.
 */
#ifndef ADMIN_ENROLMENT_H
#define ADMIN_ENROLMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

#define ENROLMENT_FILE "enrolment"
#define ENROLMENT_LIFE_US (INT64_C(24) * 3600 * 1000000)
enum { ENROLMENT_CODE_LEN = 4 * 5 + 3 }; /* "ABCDE-FGHJK-…" */

/*
 * A new code, which replaces one that is there; its text to `to`, no NUL.
 * `caller_key` is the keeper's.
 */
MUST_CHECK enum err enrolment_make(const char *data, struct str caller_key,
                                   int64_t now_us, char to[ENROLMENT_CODE_LEN]);

/* Is `code` (case and dashes do not matter) the one that is good now? */
MUST_CHECK bool enrolment_check(const char *data, struct str caller_key,
                                struct str code, int64_t now_us);

/* It was used.  Errors of unlink(2) are ERR_IO. */
MUST_CHECK enum err enrolment_end(const char *data);

#endif
