/* policy_given.h - the `given` of a policy test as a request. */
#ifndef APP_POLICY_GIVEN_H
#define APP_POLICY_GIVEN_H

#include "app/policy_case.h"
#include "app/policy_yaml.h"

/* A map in two layers: where the first is silent, the second speaks. */
struct policy_given {
    struct policy_yaml *yaml;
    const struct settings *settings;        /* or NULL */
    const struct yaml_node *own, *defaults; /* maps, or NULL */
    int64_t now_us;
};

/* The value of a key in the first layer that has it, or NULL. */
const struct yaml_node *policy_given_get(const struct policy_given *g,
                                         const char *key);

/* Checks a layer's keys; reports what is wrong. */
void policy_given_check(struct policy_yaml *y, const struct yaml_node *given);

/* Fills the request of *to and all that it points to. */
void policy_given_read(const struct policy_given *g,
                       const struct yaml_node *place, struct policy_case *to);

#endif
