/*
 * config_read.h - walks the table of settings over a YAML document and fills
 * the structs that the table describes.
 */
#ifndef APP_CONFIG_READ_H
#define APP_CONFIG_READ_H

#include "app/config_report.h"
#include "domain/settings.h"

struct yaml_node;

/*
 * Fills `ret` (zeroed by the caller) from the document `root`; defaults where
 * it is silent.  What is wrong is reported; then `ret` is of no use.
 * Relative paths start at `folder`.
 */
void config_read(struct config_report *r, const struct yaml_node *root,
                 struct str folder, struct settings *ret);

#endif
