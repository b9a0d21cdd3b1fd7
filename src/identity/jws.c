/* jws.c - see jws.h. */
#include "identity/jws.h"

#include "base/text.h"
#include "codec/json.h"

static enum err decode(struct arena *a, struct str part, struct str *ret)
{
    char *to = arena_alloc_raw(a, part.len + 1);
    if (to == NULL)
        return ERR_LIMIT;
    size_t n = 0;
    if (!text_unbase64url(part, to, &n))
        return ERR_MALFORMED;
    *ret = (struct str){to, n};
    return ERR_OK;
}

/* What changes the meaning of the rest, or would have us trust what nobody
 * vouches for. */
static bool has_forbidden(const struct json *header)
{
    static const struct str names[] = {STR_INIT("crit"), STR_INIT("b64"),
                                       STR_INIT("enc"),  STR_INIT("zip"),
                                       STR_INIT("jwk"),  STR_INIT("jku"),
                                       STR_INIT("x5c"),  STR_INIT("x5u")};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (json_get(header, names[i]) != NULL)
            return true;
    }
    return false;
}

static enum err read_header(struct arena *a, struct str text, struct jws *to)
{
    const struct json *header;
    if (text.len > JWS_HEADER_MAX)
        return ERR_LIMIT;
    enum err e = json_read(a, text, &header, NULL);
    if (e != ERR_OK)
        return e;
    if (json_type(header) != JSON_OBJECT || has_forbidden(header))
        return ERR_MALFORMED;

    struct str alg;
    const struct json *kid = json_get(header, STR("kid"));
    const struct json *typ = json_get(header, STR("typ"));
    if (!json_str(json_get(header, STR("alg")), &alg))
        return ERR_MALFORMED;
    to->alg = verify_alg_from(alg);
    if (to->alg == VERIFY_NONE || (typ != NULL && !json_str(typ, &to->typ)) ||
        (kid != NULL && (!json_str(kid, &to->kid) || to->kid.len == 0 ||
                         to->kid.len > JWK_KID_MAX)))
        return ERR_MALFORMED;
    return ERR_OK;
}

enum err jws_read(struct arena *a, struct str text, struct jws *ret)
{
    if (text.len > JWS_MAX)
        return ERR_LIMIT;
    size_t first = str_find(text, '.');
    struct str rest = str_skip(text, first + 1);
    size_t second = str_find(rest, '.');
    struct str last = str_skip(rest, second + 1);
    if (first == text.len || second == rest.len || last.len == 0)
        return ERR_MALFORMED;

    /* A third dot is none of base64url's characters. */
    struct jws j = {.signed_part = str_first(text, first + 1 + second)};
    struct str header;
    enum err e = decode(a, str_first(text, first), &header);
    if (e == ERR_OK)
        e = decode(a, str_first(rest, second), &j.payload);
    if (e == ERR_OK)
        e = decode(a, last, &j.signature);
    if (e == ERR_OK)
        e = read_header(a, header, &j);
    if (e == ERR_OK)
        *ret = j;
    return e;
}

bool jws_verify(const struct jws *j, const struct jwk *key)
{
    return jwk_fits(key, j->alg) &&
           verify_signature(key->key, j->alg, j->signed_part, j->signature);
}
