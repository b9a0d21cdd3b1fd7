/* registry_names.h - the words that registry.h has no need of.  For the
 * inside of registry/ only. */
#ifndef REGISTRY_REGISTRY_NAMES_H
#define REGISTRY_REGISTRY_NAMES_H

#include "registry/registry.h"

/* False: no mode of that name. */
MUST_CHECK bool registry_mode_from(struct str name, enum registry_mode *ret);

#endif
