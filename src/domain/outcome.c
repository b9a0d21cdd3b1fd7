/* outcome.c - see outcome.h. */
#include "domain/outcome.h"

#include <assert.h>

#include "base/attr.h"

struct str outcome_status_name(enum outcome_status status)
{
    static const struct str names[] = {
        [OUTCOME_UNKNOWN] = STR_INIT("unknown"),
        [OUTCOME_OK] = STR_INIT("ok"),
        [OUTCOME_ERROR] = STR_INIT("error"),
        [OUTCOME_FAILED] = STR_INIT("failed"),
        [OUTCOME_INTERRUPTED] = STR_INIT("interrupted"),
        [OUTCOME_NOT_SENT] = STR_INIT("not_sent"),
    };
    assert((unsigned)status < ARRAY_LEN(names));
    return names[status];
}
