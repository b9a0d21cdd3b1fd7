/*
 * outcome.h - how an action ended, as evidence and metrics name it.
 */
#ifndef DOMAIN_OUTCOME_H
#define DOMAIN_OUTCOME_H

#include "base/str.h"

enum outcome_status {
    OUTCOME_UNKNOWN = 0, /* the gateway died before it knew */
    OUTCOME_OK,          /* the whole answer reached the caller */
    OUTCOME_ERROR,       /* the destination answered with an error */
    OUTCOME_FAILED,      /* no usable answer */
    OUTCOME_INTERRUPTED, /* the caller went away, or the answer was cut */
    OUTCOME_NOT_SENT,    /* recorded, but nothing went out */
};
struct str outcome_status_name(enum outcome_status status);

#endif
