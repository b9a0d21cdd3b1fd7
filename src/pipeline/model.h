/*
 * model.h - model calls: the class of actions that ask a provider for a
 * completion or an embedding, in OpenAI's dialect.
 */
#ifndef PIPELINE_MODEL_H
#define PIPELINE_MODEL_H

#include "llm/dialect.h"
#include "pipeline/action.h"
#include "pipeline/action_class.h"
#include "pipeline/gather.h"

struct http_call;
struct model_relay;

/* a->own of a model call. */
struct model_call {
    size_t model; /* index into the settings */
    struct llm_request request;
    struct http_call *call;    /* until its head has come */
    struct gather gather;      /* of an answer that is read whole */
    struct model_relay *relay; /* of the answer; NULL: no head yet */
};

extern const struct action_class model_class;

/* The call that `a`, an action of this class, is. */
struct model_call *model_of(const struct action *a);

/* The candidate being tried, as the settings know it. */
const struct provider_settings *model_provider(const struct action *a);
const struct route_settings *model_route_to(const struct action *a,
                                            struct candidate c);

/* Frees the parsed request and what goes out, as action_drop_question(). */
void model_drop_question(struct action *a);

/* What the class is made of; one source file each. */
enum step model_parse(struct action *a);
void model_parse_cancel(struct action *a);
enum step model_route(struct action *a);
enum err model_outgoing(struct action *a);
enum step model_dispatch(struct action *a);
void model_dispatch_cancel(struct action *a);
enum step model_relay(struct action *a);
void model_relay_cancel(struct action *a);

#endif
