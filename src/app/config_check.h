/*
 * config_check.h - what no single key can say: contradictions between keys of
 * a configuration whose every key is right.
 */
#ifndef APP_CONFIG_CHECK_H
#define APP_CONFIG_CHECK_H

#include "app/config_report.h"
#include "domain/settings.h"

struct yaml_node;

/* Reports each contradiction in `s`, at its place below `root`. */
void config_check(struct config_report *r, const struct settings *s,
                  const struct yaml_node *root);

#endif
