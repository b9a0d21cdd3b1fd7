/*
 * admin_client.h - how commands speak to a running node: over the socket in
 * its data directory, or, with --admin URL, to its admin listener with the
 * token that `writ login` keeps.
 */
#ifndef APP_ADMIN_CLIENT_H
#define APP_ADMIN_CLIENT_H

#include "app/cli.h"
#include "app/control_client.h"
#include "codec/json.h"

/* What every such command takes. */
/* clang-format off */
#define ADMIN_CLIENT_OPTIONS                                                   \
    CMD_CONFIG_OPTION,                                                         \
    {"data", 0, "DIR", "the data directory, instead of the configuration's"},  \
    {"admin", 0, "URL", "the admin address of a node, instead of both"},       \
    {"ca", 0, "FILE", "PEM file for the certificate at that address"}
/* clang-format on */

#define ADMIN_CLIENT_ARENA_MAX (64 * MIB)

/*
 * Asks; `target` begins with "/admin/v1/".  The answer, an object, lives in
 * the arena.  Returns CLI_OK, or says what went wrong and returns CLI_FAILED:
 * no node, no permission, or the node's own refusal.
 */
MUST_CHECK int admin_client_ask(const struct cli *c, struct arena *a,
                                const struct control_client_request *r,
                                const struct json **ret);

/* The same as the person who has logged in, also over the socket. */
MUST_CHECK int admin_client_ask_as(const struct cli *c, struct arena *a,
                                   const struct control_client_request *r,
                                   const struct json **ret);

/*
 * Asks for all pages of a list and calls `each` for every element of the
 * member `name`.  `target` has no query yet, or ends in one.
 */
struct admin_client_list {
    const char *target, *name;
    void (*each)(void *user, const struct json *element);
    void *user;
};
MUST_CHECK int admin_client_list(const struct cli *c, struct arena *a,
                                 const struct admin_client_list *l);

/* The member of that name, if it is a text; else the empty one. */
struct str admin_client_text(const struct json *v, const char *name);

/*
 * For which node a login is: the URL of --admin, or a word for the socket in
 * the data directory.  CLI_OK, or says what went wrong.
 */
MUST_CHECK int admin_client_node(const struct cli *c, struct arena *a,
                                 struct str *ret);

/* The token for such a node is kept in a file of the user's, mode 0600.
 * ERR_NOT_FOUND, ERR_IO, ERR_LIMIT. */
MUST_CHECK enum err admin_client_keep_token(struct str url, struct str token);
MUST_CHECK enum err admin_client_token(struct arena *a, struct str url,
                                       struct str *ret);
MUST_CHECK enum err admin_client_forget_token(struct str url);

#endif
