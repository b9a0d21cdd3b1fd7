/* config_checking.h - what the files of config_check*.c share. */
#ifndef APP_CONFIG_CHECKING_H
#define APP_CONFIG_CHECKING_H

#include "app/config_report.h"
#include "domain/settings.h"

struct yaml_node;

struct config_checking {
    struct config_report *report;
    const struct settings *s;
    const struct yaml_node *root;
};

enum { CONFIG_CHECKING_PATH_MAX = 512 };

/* The place of the key that `fmt` makes; `to` has CONFIG_CHECKING_PATH_MAX
 * bytes. */
struct config_place config_checking_place(const struct config_checking *c,
                                          char *to, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Where calls go: a provider, a tool server. */
struct config_checked_place {
    const char *map;  /* "providers" */
    const char *what; /* "provider" */
    struct str name, region;
    struct names tenants;
    const struct credential_settings *credentials;
    size_t credential_count;
};

/* config_check_places.c: can any tenant use it; is each credential of use? */
void config_check_region(const struct config_checking *c,
                         const struct config_checked_place *p);
void config_check_credentials(const struct config_checking *c,
                              const struct config_checked_place *p);

/* config_check_tools.c: servers of tools. */
void config_check_tools(const struct config_checking *c);

/* config_check_files.c: a tool server's files hold nothing of the node's. */
void config_check_files(const struct config_checking *c,
                        const struct tool_server_settings *t);

/* config_check_trust.c: issuers, limits, the admin plane. */
void config_check_trust(const struct config_checking *c);

/* config_check_own.c: no destination is this node. */
void config_check_own(const struct config_checking *c);

#endif
