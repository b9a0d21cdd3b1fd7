/* tool_settings.h - settings (domain/settings.h) of tool servers, and of the
 * people who are asked about calls. */
#ifndef DOMAIN_TOOL_SETTINGS_H
#define DOMAIN_TOOL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "domain/credential_settings.h"

/* What tools of these names can do to the world; a name is matched exactly,
 * `*` for any bytes, `?` for one. */
struct tool_risk_settings {
    struct str glob;
    uint32_t risk; /* enum risk, or-ed; never 0 */
};

/* A call that is many in one: decided once for every element. */
struct tool_each_settings {
    struct str tool;
    struct str pointer; /* RFC 6901, into the arguments, to an array */
};

struct variable_settings {
    struct str name;
    struct str value; /* as written, or empty */
    struct str env;   /* name of a variable of the node's, or empty */
};

/* A server of tools, over MCP. */
struct tool_server_settings {
    struct str name; /* of `[a-z0-9_-]`, without "__" */
    enum { TRANSPORT_NONE = 0, TRANSPORT_STDIO, TRANSPORT_HTTP } transport;
    struct {
        struct names command; /* argv */
        const struct variable_settings *env;
        size_t env_count;
        struct str cwd;           /* empty: a private folder */
        struct names read, write; /* folders and files, besides the system's */
        enum { NETWORK_NONE = 0, NETWORK_OUT } network;
    } stdio;
    struct {
        bool tls;
        struct str host;
        uint16_t port;
        struct str path; /* of the URL, with its query; at least "/" */
        bool local;      /* the URL names a loopback or link-local address */
        bool insecure;   /* plain HTTP beyond loopback, on purpose */
        struct str ca;   /* PEM file for its certificate; or empty */
        int64_t connect_ms;
    } http;
    const struct credential_settings *credentials; /* empty: it needs none */
    size_t credential_count;
    struct str region;
    struct names tenants; /* empty: all */
    const struct tool_risk_settings *risk;
    size_t risk_count;
    struct names yields, clearance; /* labels */
    const struct tool_each_settings *each;
    size_t each_count;
    /* One upstream session for all callers; else one for each of theirs. */
    bool shared;
    /* The server may ask the caller's model, or the caller: each time decided
     * by policy, too. */
    bool sampling, elicitation;
    /* A tool that was not seen before waits for `writ tool approve`; else it
     * is pinned at first sight. */
    bool approve_new;
    int64_t call_ms;     /* without an answer or progress */
    int64_t call_max_ms; /* in all */
    uint64_t result_max; /* bytes of one answer */
    int64_t idle_ms;     /* a link that nobody uses is closed */
};

/* Who may say yes. */
struct approval_group_settings {
    struct str name;
    struct names members; /* local accounts: "alice" */
    struct names tenants; /* empty: all */
};

#endif
