/* jwk.c - see jwk.h. */
#include "identity/jwk.h"

#include "base/text.h"

/* The longest number: an RSA modulus, as base64url. */
enum { NUMBER_MAX = VERIFY_RSA_BITS_MAX / 8, OPS_MAX = 8 };
#define NUMBER_TEXT_MAX TEXT_BASE64URL_LEN(NUMBER_MAX)

struct number {
    char bytes[NUMBER_TEXT_MAX]; /* as much as decoding may write */
    size_t len;
};

static struct str str_of(const struct number *n)
{
    return (struct str){n->bytes, n->len};
}

static bool read_number(const struct json *object, struct str name,
                        struct number *to)
{
    struct str text;
    return json_str(json_get(object, name), &text) && text.len > 0 &&
           text.len <= NUMBER_TEXT_MAX &&
           text_unbase64url(text, to->bytes, &to->len);
}

static bool has_private(const struct json *object)
{
    static const struct str names[] = {STR_INIT("d"),   STR_INIT("p"),
                                       STR_INIT("q"),   STR_INIT("dp"),
                                       STR_INIT("dq"),  STR_INIT("qi"),
                                       STR_INIT("oth"), STR_INIT("k")};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (json_get(object, names[i]) != NULL)
            return true;
    }
    return false;
}

/* RFC 7517, 4.3: values are unique; ours has to be among them. */
static bool ops_verify(const struct json *ops)
{
    if (ops == NULL)
        return true;
    if (json_type(ops) != JSON_ARRAY || json_count(ops) > OPS_MAX)
        return false;
    bool verify = false;
    for (size_t i = 0; i < json_count(ops); i++) {
        struct str op;
        if (!json_str(json_at(ops, i), &op))
            return false;
        for (size_t j = 0; j < i; j++) {
            if (json_is_string(json_at(ops, j), op))
                return false;
        }
        verify = verify || str_eq(op, STR("verify"));
    }
    return verify;
}

static bool is_for_signatures(const struct json *object)
{
    const struct json *use = json_get(object, STR("use"));
    return (use == NULL || json_is_string(use, STR("sig"))) &&
           ops_verify(json_get(object, STR("key_ops"))) && !has_private(object);
}

static bool read_kid(const struct json *object, struct str *ret)
{
    const struct json *kid = json_get(object, STR("kid"));
    return kid == NULL ||
           (json_str(kid, ret) && ret->len > 0 && ret->len <= JWK_KID_MAX);
}

static enum err read_key(const struct json *object, struct verify_key **ret)
{
    const struct json *kty = json_get(object, STR("kty"));
    struct number a UNINITIALIZED, b UNINITIALIZED;
    struct str curve;
    if (!json_str(json_get(object, STR("crv")), &curve))
        curve = (struct str){NULL, 0};

    if (json_is_string(kty, STR("RSA")) && read_number(object, STR("n"), &a) &&
        read_number(object, STR("e"), &b))
        return verify_key_rsa(str_of(&a), str_of(&b), ret);
    if (json_is_string(kty, STR("EC")) && read_number(object, STR("x"), &a) &&
        read_number(object, STR("y"), &b))
        return verify_key_ec(curve, str_of(&a), str_of(&b), ret);
    if (json_is_string(kty, STR("OKP")) && str_eq(curve, STR("Ed25519")) &&
        read_number(object, STR("x"), &a))
        return verify_key_ed25519(str_of(&a), ret);
    return ERR_UNSUPPORTED;
}

enum err jwk_read(const struct json *object, struct jwk *ret)
{
    struct jwk k = {0};
    if (!is_for_signatures(object) || !read_kid(object, &k.kid))
        return ERR_UNSUPPORTED;
    enum err e = read_key(object, &k.key);
    if (e != ERR_OK)
        return e;

    const struct json *alg = json_get(object, STR("alg"));
    struct str name = {NULL, 0};
    if (json_str(alg, &name))
        k.alg = verify_alg_from(name);
    if (alg != NULL && !verify_fits(k.key, k.alg)) {
        jwk_release(&k);
        return ERR_UNSUPPORTED;
    }
    *ret = k;
    return ERR_OK;
}

void jwk_release(struct jwk *k)
{
    verify_key_free(k->key);
    *k = (struct jwk){0};
}

bool jwk_fits(const struct jwk *k, enum verify_alg alg)
{
    return verify_fits(k->key, alg) && (k->alg == VERIFY_NONE || k->alg == alg);
}
