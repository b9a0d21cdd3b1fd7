/* rules_ceiling.c - see rules_ceiling.h. */
#include "policy/rules_ceiling.h"

#include "domain/risk.h"

uint32_t rules_ceiling_lacks(const struct rules_request *q, unsigned *ret_link)
{
    uint32_t risk = q->risk;
    if (risk == 0 && q->action == ACTION_TOOL_CALL)
        risk = RISK_ALL;
    for (unsigned i = 0; risk != 0 && i < q->chain->count; i++) {
        uint32_t ceiling = q->links == NULL ? 0 : q->links[i].risk;
        if (q->chain->links[i].who.kind != PRINCIPAL_USER &&
            (risk & ~ceiling) != 0) {
            *ret_link = i;
            return risk & ~ceiling;
        }
    }
    return 0;
}
