/* rules_ceiling.c - see rules_ceiling.h. */
#include "policy/rules_ceiling.h"

#include "domain/risk.h"

bool rules_ceiling_holds(const struct rules_request *q)
{
    uint32_t risk = q->risk;
    if (risk == 0 && q->action == ACTION_TOOL_CALL)
        risk = RISK_ALL;
    for (unsigned i = 0; risk != 0 && i < q->chain->count; i++) {
        uint32_t ceiling = q->links == NULL ? 0 : q->links[i].risk;
        if (q->chain->links[i].who.kind != PRINCIPAL_USER &&
            (risk & ~ceiling) != 0)
            return false;
    }
    return true;
}
