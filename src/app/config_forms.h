/*
 * config_forms.h - texts of a configuration that have a form of their own:
 * names of tools and their servers, places in arguments, origins, hosts.
 */
#ifndef APP_CONFIG_FORMS_H
#define APP_CONFIG_FORMS_H

#include <stdbool.h>

#include "app/config_table.h"
#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

/* A server's name is part of the names that callers use for its tools. */
enum { CONFIG_FORMS_SERVER_MAX = 48 };

/* Is `s` such a name of a map's entry?  False: *ret_why is static, "is no
 * ...; expected ...". */
MUST_CHECK bool config_forms_key(enum config_key keys, struct str s,
                                 const char **ret_why);

/*
 * "$.a.b" to "/a/b": names of members, at least one; no index, no wildcard,
 * no filter.  ERR_MALFORMED: *ret_why as above.  ERR_LIMIT: `a` is full.
 */
MUST_CHECK enum err config_forms_pointer(struct arena *a, struct str s,
                                         struct str *ret, const char **ret_why);

/*
 * "https://App.example.org:443" as a browser writes it in Origin (RFC 6454,
 * 6.2): "https://app.example.org".  Errors as above.
 */
MUST_CHECK enum err config_forms_origin(struct arena *a, struct str s,
                                        struct str *ret, const char **ret_why);

/* A name or an address without a port: lower-case, without brackets.  Errors
 * as above. */
MUST_CHECK enum err config_forms_host(struct arena *a, struct str s,
                                      struct str *ret, const char **ret_why);

#endif
