/* credential_settings.h - settings (domain/settings.h) that name what the
 * gateway shows to a place where calls go. */
#ifndef DOMAIN_CREDENTIAL_SETTINGS_H
#define DOMAIN_CREDENTIAL_SETTINGS_H

#include <stddef.h>

#include "base/str.h"

struct names {
    const struct str *at;
    size_t count;
};

struct credential_settings {
    struct names tenants; /* empty: all */
    struct names regions; /* empty: all */
    struct str env;       /* name of an environment variable, or empty */
    struct str file;      /* path, or empty */
    struct str id;        /* "<provider>/<n>" or "tools/<server>/<n>", as
                             evidence names it */
};

#endif
