/* registry_names.c - states and modes as words. */
#include "registry/registry_names.h"

#include <assert.h>

static const struct str states[] = {
    [REGISTRY_NONE] = STR_INIT(""),
    [REGISTRY_DISCOVERED] = STR_INIT("discovered"),
    [REGISTRY_PROPOSED] = STR_INIT("proposed"),
    [REGISTRY_ACTIVE] = STR_INIT("active"),
    [REGISTRY_SUSPENDED] = STR_INIT("suspended"),
    [REGISTRY_RETIRED] = STR_INIT("retired"),
};

struct str registry_state_name(enum registry_state s)
{
    assert((unsigned)s < ARRAY_LEN(states));
    return states[s];
}

enum registry_state registry_state_from(struct str name)
{
    for (unsigned i = 1; i < ARRAY_LEN(states); i++) {
        if (str_eq(states[i], name))
            return (enum registry_state)i;
    }
    return REGISTRY_NONE;
}

static const struct str modes[] = {
    [REGISTRY_DELEGATED] = STR_INIT("delegated"),
    [REGISTRY_AUTONOMOUS] = STR_INIT("autonomous"),
    [REGISTRY_BOTH] = STR_INIT("both"),
};

struct str registry_mode_name(enum registry_mode m)
{
    assert((unsigned)m < ARRAY_LEN(modes));
    return modes[m];
}

bool registry_mode_from(struct str name, enum registry_mode *ret)
{
    for (unsigned i = 0; i < ARRAY_LEN(modes); i++) {
        if (str_eq(modes[i], name)) {
            *ret = (enum registry_mode)i;
            return true;
        }
    }
    return false;
}
