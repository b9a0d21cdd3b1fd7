/* decision.c - see decision.h. */
#include "domain/decision.h"

#include <assert.h>

#include "base/attr.h"

struct str decision_effect_name(enum decision_effect effect)
{
    static const struct str names[] = {
        [DECISION_DENY] = STR_INIT("deny"),
        [DECISION_ALLOW] = STR_INIT("allow"),
        [DECISION_MODIFY] = STR_INIT("modify"),
        [DECISION_STEP_UP] = STR_INIT("step_up"),
        [DECISION_DEFER] = STR_INIT("defer"),
    };
    assert((unsigned)effect < ARRAY_LEN(names));
    return names[effect];
}
