/*
 * settings.h - the configuration as plain structs: what the file says, with
 * defaults filled in, before anything is opened or resolved.
 *
 * All memory belongs to the arena that the settings were read into; names
 * refer to each other by index, so that no lookup can fail later.
 */
#ifndef DOMAIN_SETTINGS_H
#define DOMAIN_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/str.h"
#include "domain/credential_settings.h"
#include "domain/tool_settings.h"

struct tls_settings {
    struct str cert, key, client_ca; /* files; cert empty: plain */
    enum {
        CLIENT_AUTH_NONE = 0,
        CLIENT_AUTH_OPTIONAL,
        CLIENT_AUTH_REQUIRED
    } client_auth;
};

struct listen_settings {
    struct str host;
    uint16_t port;
    struct tls_settings tls;
    bool insecure; /* plain HTTP beyond loopback, on purpose */
};

struct tenant_settings {
    struct str name;
    struct names regions;
};

struct provider_settings {
    struct str name;
    enum { DIALECT_NONE = 0, DIALECT_OPENAI } dialect;
    bool tls;
    struct str host; /* of the URL */
    uint16_t port;
    struct str path; /* of the URL, without a slash at the end */
    bool local;      /* the URL names a loopback or link-local address */
    bool insecure;   /* plain HTTP beyond loopback, on purpose */
    struct str ca;   /* PEM file for its certificate; empty: the system's */
    struct str region;
    struct names tenants; /* empty: all */
    const struct credential_settings *credentials;
    size_t credential_count;
    struct names allow_fields; /* request fields let through unread */
    int64_t connect_ms, head_ms, idle_ms;
};

struct route_settings {
    size_t provider;  /* index */
    struct str model; /* the provider's name for it */
    uint32_t weight;
};

struct model_settings {
    struct str name; /* the alias that callers use */
    const struct route_settings *routes;
    size_t route_count;
    const struct route_settings *fallback;
    size_t fallback_count;
    int64_t price_input, price_output; /* USD millionths per million tokens */
    uint32_t attempts;                 /* per call, over all destinations */
};

/* An issuer of JWTs: OpenID Connect discovery, or a key set by itself. */
struct issuer_settings {
    struct str alias;      /* in entity ids: "<alias>|<sub>" */
    struct str issuer;     /* its `iss`, compared byte by byte */
    struct names audience; /* `aud` has to name one of them */
    struct names kinds;    /* of principal; one: implied */
    struct names tenants;  /* one: implied */
    struct str jwks;       /* URL of its keys; empty: from discovery */
    struct str ca;         /* PEM file for both; empty: the system's */
    bool insecure;         /* plain HTTP beyond loopback, on purpose */
    struct {
        struct str kind, tenant, groups; /* names of claims, or empty */
    } claims;
    int64_t max_age_ms;   /* since `iat`; 0: until `exp` alone */
    int64_t skew_ms;      /* that clocks may differ */
    int64_t refresh_ms;   /* how often keys are fetched */
    int64_t max_stale_ms; /* keys are used so long while they cannot be */
};

/* What of an action counts against a limit. */
enum limit_per {
    LIMIT_PER_PRINCIPAL = 0, /* each link of the chain by itself */
    LIMIT_PER_OWNER,         /* the owner of each link */
    LIMIT_PER_TENANT,
    LIMIT_PER_MODEL, /* within the tenant */
    LIMIT_PER_SESSION,
};

/* One of rate, concurrency, tokens, requests; those that are 0 do not hold. */
struct limit_settings {
    struct str name;
    struct {
        struct names kinds;      /* of any link; empty: all */
        struct names tenants;    /* empty: all */
        struct names models;     /* aliases; empty: all */
        struct names principals; /* entity ids; empty: all */
    } match;
    enum limit_per per;
    uint32_t rate_requests; /* requests in rate_window_ms */
    int64_t rate_window_ms;
    uint32_t concurrency;     /* actions at a time */
    uint64_t budget_tokens;   /* in budget_window_ms */
    uint64_t budget_requests; /* in budget_window_ms */
    int64_t budget_window_ms;
};

struct entities_settings {
    struct str file; /* Cedar entities JSON */
};

struct settings {
    struct str file;          /* as given; for messages */
    unsigned char digest[32]; /* SHA-256 of the file's bytes; evidence */
    struct str node;
    struct str data;  /* directory */
    struct str store; /* "sqlite" or a postgres URL */
    uint32_t workers; /* threads; 0: one per CPU */
    const struct listen_settings *listen;
    size_t listen_count;
    const struct tenant_settings *tenants;
    size_t tenant_count;
    const struct provider_settings *providers;
    size_t provider_count;
    const struct model_settings *models;
    size_t model_count;
    const struct issuer_settings *issuers;
    size_t issuer_count;
    const struct limit_settings *limits;
    size_t limit_count;
    const struct tool_server_settings *tools;
    size_t tool_count;
    struct {
        int64_t ttl_ms;  /* a ticket waits for a person */
        int64_t hold_ms; /* the call waits for the ticket */
        int64_t used_ms; /* a yes that nobody uses ends */
        const struct approval_group_settings *groups;
        size_t group_count;
    } approvals;
    struct names origins; /* of browsers that may use /mcp; empty: none */
    /* By which callers of /mcp on this machine reach us, beside loopback's;
     * lower-case, without port or brackets. */
    struct names hosts;
    struct {
        struct str dir;    /* folder of *.cedar; empty: no policy */
        struct str shadow; /* the same, only recorded; or empty */
        const struct entities_settings *entities;
        size_t entity_count;
    } policies;
    struct listen_settings admin; /* host empty: only the control socket */

    struct {
        int64_t idle_ms, max_ms;
        int64_t supervised_ms; /* a person's login counts as present */
        int64_t recheck_ms;    /* what is open is decided again */
    } sessions;
    struct {
        enum { DURABLE_BEFORE_ACTION = 0, DURABLE_BATCHED } durable;
        enum { PAYLOADS_HASH = 0, PAYLOADS_NONE } payloads;
        struct str region;
    } ledger;
    struct {
        int64_t head_ms, body_idle_ms, idle_ms, write_idle_ms, drain_ms;
        uint64_t body_max;        /* bytes */
        uint32_t connections_max; /* per worker */
        uint32_t streams_max;     /* per HTTP/2 connection */
    } server;
};

#endif
