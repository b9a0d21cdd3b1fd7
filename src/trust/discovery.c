/* discovery.c - see discovery.h. */
#include "trust/discovery.h"

#include "codec/json.h"

enum err discovery_read(struct arena *a, struct str document, struct str issuer,
                        struct str *ret_jwks_uri, const char **ret_why)
{
    const struct json *root;
    struct str says;
    *ret_why = "is no JSON object";
    if (json_read(a, document, &root, NULL) != ERR_OK ||
        json_type(root) != JSON_OBJECT)
        return ERR_MALFORMED;
    *ret_why = "names no issuer";
    if (!json_str(json_get(root, STR("issuer")), &says))
        return ERR_MALFORMED;
    *ret_why = "names another issuer";
    if (!str_eq(says, issuer))
        return ERR_MALFORMED;
    *ret_why = "names no jwks_uri";
    if (!json_str(json_get(root, STR("jwks_uri")), &says) || says.len == 0)
        return ERR_MALFORMED;
    *ret_jwks_uri = says;
    return ERR_OK;
}
