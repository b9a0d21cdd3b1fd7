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

/* config_check_trust.c: issuers, limits, the admin plane. */
void config_check_trust(const struct config_checking *c);

/* config_check_own.c: no destination is this node. */
void config_check_own(const struct config_checking *c);

#endif
