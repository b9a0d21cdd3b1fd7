/* config_locate.h - from a key's path back to its place in the file. */
#ifndef APP_CONFIG_LOCATE_H
#define APP_CONFIG_LOCATE_H

#include "app/config_report.h"

struct yaml_node;

/*
 * Where the value of the key `path` stands, or, where it is not there, the
 * nearest that it would be part of.  `path` is borrowed.
 */
struct config_place config_locate(const struct yaml_node *root,
                                  struct str path);

#endif
