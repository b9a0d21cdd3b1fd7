/* action_class.c - see action_class.h. */
#include "pipeline/action_class.h"

#include <assert.h>

enum step action_class_run(struct action *a, action_class_step *run,
                           action_class_cancel *cancel)
{
    if (run == NULL)
        return stage_stop(a, ERR_INTERNAL);
    enum step s = run(a);
    assert(s != STEP_WAIT || cancel != NULL);
    return s;
}
