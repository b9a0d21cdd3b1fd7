/*
 * broker.h - with which credential?
 *
 * The credentials of providers and tool servers, read once when a snapshot is
 * built and wiped when it is released.  One is chosen by place, tenant and
 * region: the first that names them (or names none) fits; no fit is a
 * refusal.
 */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "domain/settings.h"

struct broker;

/* A secret longer than this is a mistake. */
enum { BROKER_SECRET_MAX = 8192 };

/*
 * Reads every credential of every place: an environment variable or a file,
 * whose last line break is left out.  ERR_CONFIG: *ret_why (in `a`, or
 * static) names the credential and what is wrong with it, never its value.
 */
MUST_CHECK enum err broker_new(const struct settings *s, struct arena *a,
                               struct broker **ret, const char **ret_why);
/* Wipes; NULL is allowed. */
void broker_free(struct broker *b);

struct broker_credential {
    struct str field; /* value of the authorization field; borrowed, secret */
    struct str id;    /* "<provider>/<n>" or "tools/<server>/<n>", for
                         evidence; borrowed */
};

/*
 * For provider number `provider` of the settings.  ERR_CREDENTIAL: none fits
 * this tenant and region.  Borrowed from `b`: no copy of a secret is made.
 */
MUST_CHECK enum err broker_get(const struct broker *b, size_t provider,
                               struct str tenant, struct str region,
                               struct broker_credential *ret);

/*
 * The same for tool server number `server`.  One that has no credentials at
 * all needs none: ERR_OK, and both texts are empty.
 */
MUST_CHECK enum err broker_get_tool(const struct broker *b, size_t server,
                                    struct str tenant, struct str region,
                                    struct broker_credential *ret);

#endif
