/* principal.c - see principal.h. */
#include "domain/principal.h"

#include <assert.h>

#include "base/attr.h"

static const struct {
    struct str name, entity;
} kinds[] = {
    [PRINCIPAL_NONE] = {STR_INIT(""), STR_INIT("")},
    [PRINCIPAL_USER] = {STR_INIT("human"), STR_INIT("User")},
    [PRINCIPAL_APPLICATION] = {STR_INIT("application"),
                               STR_INIT("Application")},
    [PRINCIPAL_WORKLOAD] = {STR_INIT("workload"), STR_INIT("Workload")},
    [PRINCIPAL_AGENT] = {STR_INIT("agent"), STR_INIT("Agent")},
};

struct str principal_kind_name(enum principal_kind kind)
{
    assert((unsigned)kind < ARRAY_LEN(kinds));
    return kinds[kind].name;
}

struct str principal_kind_entity(enum principal_kind kind)
{
    assert((unsigned)kind < ARRAY_LEN(kinds));
    return kinds[kind].entity;
}

enum principal_kind principal_kind_from(struct str name)
{
    for (unsigned k = PRINCIPAL_USER; k < ARRAY_LEN(kinds); k++) {
        if (str_eq(kinds[k].name, name))
            return (enum principal_kind)k;
    }
    return PRINCIPAL_NONE;
}

struct str link_role_name(enum link_role role)
{
    static const struct str names[] = {
        [LINK_NONE] = STR_INIT(""),
        [LINK_SUBJECT] = STR_INIT("subject"),
        [LINK_APPLICATION] = STR_INIT("application"),
        [LINK_ACTOR] = STR_INIT("actor"),
        [LINK_PRESENTER] = STR_INIT("presenter"),
        [LINK_VIA] = STR_INIT("via"),
    };
    assert((unsigned)role < ARRAY_LEN(names));
    return names[role];
}

struct str auth_method_name(enum auth_method method)
{
    static const struct str names[] = {
        [AUTH_NONE] = STR_INIT(""),     [AUTH_API_KEY] = STR_INIT("api_key"),
        [AUTH_JWT] = STR_INIT("jwt"),   [AUTH_X509] = STR_INIT("x509"),
        [AUTH_PEER] = STR_INIT("peer"), [AUTH_LOGIN] = STR_INIT("login"),
    };
    assert((unsigned)method < ARRAY_LEN(names));
    return names[method];
}
