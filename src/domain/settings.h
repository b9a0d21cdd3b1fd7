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

#include "base/str.h"
#include "domain/principal.h"

struct names {
    const struct str *at;
    size_t count;
};

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

/* A caller known by a key, until registry and issuers exist. */
struct caller_settings {
    struct str name;
    size_t tenant; /* index */
    enum principal_kind kind;
    unsigned char key_hmac[32]; /* keyed hash of the key */
    const size_t *models;       /* indices of models it may use */
    size_t model_count;
};

struct credential_settings {
    struct names tenants; /* empty: all */
    struct names regions; /* empty: all */
    struct str env;       /* name of an environment variable, or empty */
    struct str file;      /* path, or empty */
    struct str id;        /* "<provider>/<n>", as evidence names it */
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
    const struct caller_settings *callers;
    size_t caller_count;
    const struct provider_settings *providers;
    size_t provider_count;
    const struct model_settings *models;
    size_t model_count;

    struct {
        int64_t idle_ms, max_ms;
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
