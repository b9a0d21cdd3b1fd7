/* policy_link.c - see policy_link.h. */
#include "app/policy_link.h"

#include <assert.h>

#include "domain/risk.h"

static const char *const link_keys[] = {
    "kind",  "id",       "role", "name", "issuer", "tenant", "groups",
    "owner", "purposes", "mode", "risk", "auth",   NULL,
};
static const char *const auth_keys[] = {"method", "acr", "age", "bound", NULL};

/* The text of a key, or nothing. */
static struct str text(struct policy_yaml *y, const struct yaml_node *map,
                       const char *key)
{
    struct str s = {NULL, 0};
    return policy_yaml_text(y, yaml_get(map, str_from(key)), &s) ? s : STR("");
}

static struct names words(struct policy_yaml *y, const struct yaml_node *map,
                          const char *key)
{
    struct names n = {NULL, 0};
    (void)policy_yaml_words(y, yaml_get(map, str_from(key)), &n);
    return n;
}

static void read_kind(struct policy_yaml *y, const struct yaml_node *node,
                      struct principal *to)
{
    to->kind = principal_kind_from(text(y, node, "kind"));
    to->id = text(y, node, "id");
    if (to->kind == PRINCIPAL_NONE)
        policy_yaml_error(y, node,
                          "kind: is human, application, workload or agent");
    if (to->id.len == 0)
        policy_yaml_error(y, node, "id: is missing");
}

/* What stands in an id: "<issuer>|<name>", "<tenant>/<name>". */
static void read_names(struct policy_yaml *y, const struct yaml_node *node,
                       struct str tenant, struct link *l, struct rules_link *to)
{
    struct principal *who = &l->who;
    size_t bar = str_find(who->id, '|');
    size_t slash = str_find(who->id, '/');
    bool has_bar = bar < who->id.len;
    bool is_agent = who->kind == PRINCIPAL_AGENT && slash < who->id.len;
    who->issuer = text(y, node, "issuer");
    who->tenant = text(y, node, "tenant");
    to->name = text(y, node, "name");
    if (who->issuer.len == 0)
        who->issuer = has_bar ? str_first(who->id, bar) : PRINCIPAL_KEYS_ISSUER;
    if (who->tenant.len == 0)
        who->tenant = tenant.len > 0 ? tenant
                      : is_agent     ? str_first(who->id, slash)
                                     : STR("");
    if (to->name.len == 0)
        to->name = has_bar    ? str_skip(who->id, bar + 1)
                   : is_agent ? str_skip(who->id, slash + 1)
                              : who->id;
    if (who->tenant.len == 0)
        policy_yaml_error(y, node,
                          "tenant: is missing here and in the question");
}

static void read_role(struct policy_yaml *y, const struct yaml_node *node,
                      unsigned index, size_t count, struct link *l)
{
    const struct yaml_node *given = yaml_get(node, STR("role"));
    struct str name = text(y, node, "role");
    l->role = index > 0                                    ? LINK_ACTOR
              : l->who.kind == PRINCIPAL_USER || count > 1 ? LINK_SUBJECT
                                                           : LINK_PRESENTER;
    if (given == NULL)
        return;
    l->role = LINK_NONE;
    for (unsigned r = LINK_SUBJECT; r <= LINK_VIA; r++) {
        if (str_eq(link_role_name((enum link_role)r), name))
            l->role = (enum link_role)r;
    }
    if (l->role == LINK_NONE)
        policy_yaml_error(
            y, given, "role: is subject, application, actor, presenter or via");
}

static void read_auth(struct policy_yaml *y, const struct yaml_node *node,
                      int64_t now_us, struct link *l)
{
    const struct yaml_node *auth = yaml_get(node, STR("auth"));
    const struct yaml_node *given = yaml_get(auth, STR("method"));
    int64_t age_ms;
    l->method = l->who.kind == PRINCIPAL_USER ? AUTH_JWT : AUTH_API_KEY;
    if (auth == NULL || !policy_yaml_map(y, auth, auth_keys))
        return;
    l->acr = text(y, auth, "acr");
    (void)policy_yaml_bool(y, yaml_get(auth, STR("bound")), &l->bound);
    if (policy_yaml_duration(y, yaml_get(auth, STR("age")), &age_ms) &&
        age_ms < now_us / 1000)
        l->auth_time_us = now_us - age_ms * 1000;
    if (given == NULL)
        return;
    struct str name = text(y, auth, "method");
    l->method = AUTH_NONE;
    for (unsigned m = AUTH_API_KEY; m <= AUTH_X509; m++) {
        if (str_eq(auth_method_name((enum auth_method)m), name))
            l->method = (enum auth_method)m;
    }
    if (l->method == AUTH_NONE)
        policy_yaml_error(y, given, "method: is api_key, jwt or x509");
}

static void read_registered(struct policy_yaml *y, const struct yaml_node *node,
                            const struct link *l, struct rules_link *to)
{
    const struct yaml_node *mode = yaml_get(node, STR("mode"));
    struct names risks = words(y, node, "risk");
    struct names purposes = words(y, node, "purposes");
    to->owner = text(y, node, "owner");
    to->purposes = purposes.at;
    to->purpose_count = purposes.count;
    to->mode = l->who.kind == PRINCIPAL_AGENT ? STR("delegated") : STR("both");
    if (mode != NULL)
        to->mode = text(y, node, "mode");
    if (!str_eq(to->mode, STR("delegated")) &&
        !str_eq(to->mode, STR("autonomous")) && !str_eq(to->mode, STR("both")))
        policy_yaml_error(y, mode, "mode: is delegated, autonomous or both");
    if (yaml_get(node, STR("risk")) == NULL && l->who.kind != PRINCIPAL_USER)
        to->risk = RISK_READ; /* as the registry's, where nobody says more */
    for (size_t i = 0; i < risks.count; i++) {
        uint32_t bit = risk_from(risks.at[i]);
        if (bit == 0)
            policy_yaml_error(y, yaml_get(node, STR("risk")),
                              "there is no risk \"%.*s\"",
                              STR_FMT(str_first(risks.at[i], 60)));
        to->risk |= bit;
    }
}

/* With what is known of who it is; all else is in `node`, or left out. */
static void read_rest(struct policy_yaml *y, const struct yaml_node *node,
                      size_t count, struct policy_case *to)
{
    unsigned index = to->chain.count;
    struct link *l = &to->chain.links[index];
    read_names(y, node, to->request.tenant, l, &to->links[index]);
    read_role(y, node, index, count, l);
    read_auth(y, node, to->request.now_us, l);
    read_registered(y, node, l, &to->links[index]);
    struct names groups = words(y, node, "groups");
    l->groups = groups.at;
    l->group_count = groups.count;
    if (to->request.tenant.len == 0)
        to->request.tenant = l->who.tenant;
    to->chain.count++;
}

void policy_link_read_agent(struct policy_yaml *y, const struct yaml_node *node,
                            struct policy_case *to)
{
    struct principal *who = &to->chain.links[0].who;
    assert(to->chain.count == 0);
    who->kind = PRINCIPAL_AGENT;
    if (!policy_yaml_text(y, node, &who->id))
        return;
    if (who->id.len == 0)
        policy_yaml_error(y, node, "an agent is <tenant>/<name>");
    read_rest(y, node, 1, to);
}

void policy_link_read(struct policy_yaml *y, const struct yaml_node *node,
                      size_t count, struct policy_case *to)
{
    unsigned index = to->chain.count;
    assert(index < CHAIN_LINKS_MAX);
    struct link *l = &to->chain.links[index];
    if (!policy_yaml_map(y, node, link_keys))
        return;
    read_kind(y, node, &l->who);
    read_rest(y, node, count, to);
}
