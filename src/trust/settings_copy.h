/*
 * settings_copy.h - the part of the settings that is about issuers, by itself.
 */
#ifndef TRUST_SETTINGS_COPY_H
#define TRUST_SETTINGS_COPY_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "domain/settings.h"

/* Of `s` the issuers, all memory in `a`; the rest of *ret is zero.
 * ERR_NO_MEMORY: `a` is full. */
MUST_CHECK enum err settings_copy(struct arena *a, const struct settings *s,
                                  struct settings *ret);

#endif
