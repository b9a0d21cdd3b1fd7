/*
 * principal.h - who takes part in a call: one link, and the chain of them.
 *
 * A name never stands alone: two issuers may know the same "alice".  The
 * entity ids that policy and evidence use are
 *
 *     User::"<issuer>|<sub>"           Application::"<issuer>|<client_id>"
 *     Workload::"<spiffe id>"          Agent::"<tenant>/<name>"
 *
 * where <issuer> is the alias from the config.  '|' and control characters
 * are refused in the parts before a principal is made, so ids cannot collide.
 */
#ifndef DOMAIN_PRINCIPAL_H
#define DOMAIN_PRINCIPAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/str.h"

enum principal_kind {
    PRINCIPAL_NONE = 0, /* denies */
    PRINCIPAL_USER,
    PRINCIPAL_APPLICATION,
    PRINCIPAL_WORKLOAD,
    PRINCIPAL_AGENT,
};

/* "human", "application", "workload", "agent"; "" for none. */
struct str principal_kind_name(enum principal_kind kind);
/* The entity type: "User", "Application", "Workload", "Agent". */
struct str principal_kind_entity(enum principal_kind kind);
/* PRINCIPAL_NONE when `name` is none of the names above. */
enum principal_kind principal_kind_from(struct str name);

/* The issuer of callers that are known by a key in the config. */
#define PRINCIPAL_KEYS_ISSUER STR("keys")

struct principal {
    enum principal_kind kind;
    struct str issuer; /* the config's alias */
    struct str id;     /* the entity id, without type and quotes */
    struct str tenant;
};

/* How a link came to be part of the chain; rule "Chain". */
enum link_role {
    LINK_NONE = 0,
    LINK_SUBJECT,
    LINK_APPLICATION,
    LINK_ACTOR,
    LINK_PRESENTER,
    LINK_VIA,
};
struct str link_role_name(enum link_role role);

/* What proved the link. */
enum auth_method {
    AUTH_NONE = 0,
    AUTH_API_KEY,
    AUTH_JWT,
    AUTH_X509,
    AUTH_PEER,  /* the kernel says whose process is at the other end */
    AUTH_LOGIN, /* passphrase and one-time code, then a token of ours */
};
struct str auth_method_name(enum auth_method method);

struct link {
    enum link_role role;
    struct principal who;
    enum auth_method method;
    struct str credential; /* fingerprint; never the credential */

    /* What its credential says; zero and empty where it says nothing. */
    struct str acr;           /* authentication context class (RFC 9470) */
    int64_t auth_time_us;     /* Unix time of the person's login */
    const struct str *groups; /* of the issuer, each checked as a name */
    size_t group_count;
    bool bound; /* the presenter proved possession of a key */
};

/* In order: subject, application, actors, presenter.  No link: nobody. */
struct chain {
    struct link links[CHAIN_LINKS_MAX];
    unsigned count;
    /* Entity ids that a foreign token's `act` names, outermost first; history:
     * policy may forbid because of one, never permit (RFC 8693, 4.1). */
    struct str history[CHAIN_LINKS_MAX];
    unsigned history_count;
};

#endif
