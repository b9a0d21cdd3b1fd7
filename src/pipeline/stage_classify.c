/*
 * stage_classify.c - what data is in it?
 *
 * No detector is configured in this version, so the honest answer is that
 * nobody looked: the request carries `unscanned`.
 *
 * Needs: call.  Gives: class.
 */
#include "pipeline/action.h"

enum step stage_classify(struct action *a)
{
    labels_add(&a->labels, LABEL_UNSCANNED);
    return STEP_NEXT;
}
