/* action.c - see action.h. */
#include "domain/action.h"

#include <assert.h>

struct str action_kind_name(enum action_kind kind)
{
    static const struct str names[ACTION_COUNT] = {[ACTION_NONE] = STR_INIT(""),
#define X(name, text) [name] = STR_INIT(text),
                                                   ACTION_LIST(X)
#undef X
    };
    assert((unsigned)kind < ACTION_COUNT);
    return names[kind];
}
