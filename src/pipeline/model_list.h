/*
 * model_list.h - the models that the caller may use, and nothing else.
 */
#ifndef PIPELINE_MODEL_LIST_H
#define PIPELINE_MODEL_LIST_H

#include "pipeline/action_class.h"

extern const struct action_class model_list_class;

#endif
