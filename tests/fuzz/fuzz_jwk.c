/* layers: identity codec base */
/* Property: a key of use is for an algorithm, is read the same again, and is
 * of no use with a private member; a key set never has more than fit. */
#include <assert.h>
#include <stdint.h>

#include "base/limits.h"
#include "identity/issuers.h"
#include "identity/jwk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned fitting(const struct jwk *k)
{
    unsigned set = 0;
    for (unsigned alg = VERIFY_NONE; alg <= VERIFY_EDDSA; alg++)
        set |= (unsigned)jwk_fits(k, (enum verify_alg)alg) << alg;
    return set;
}

/* `object` as it is, or with a member more. */
static enum err read_again(struct arena *a, const struct json *object,
                           const struct json_patch *more, size_t n,
                           struct jwk *ret)
{
    struct buf text;
    const struct json *v;
    buf_init(&text, MIB);
    json_write(&text, object, more, n);
    enum err e = json_read(a, buf_str(&text), &v, NULL);
    assert(e == ERR_OK);
    e = jwk_read(v, ret);
    buf_release(&text);
    return e;
}

static void check_key(struct arena *a, const struct json *v)
{
    static const struct json_patch secret = {STR_INIT("d"),
                                             STR_INIT("\"AAAA\"")};
    struct jwk k, again;
    if (jwk_read(v, &k) != ERR_OK)
        return;
    unsigned set = fitting(&k);
    assert(set != 0 && (set & 1U << VERIFY_NONE) == 0);
    assert(k.kid.len <= JWK_KID_MAX);
    enum err e = read_again(a, v, NULL, 0, &again);
    assert(e == ERR_OK && fitting(&again) == set && str_eq(again.kid, k.kid));
    jwk_release(&again);
    e = read_again(a, v, &secret, 1, &again);
    assert(e == ERR_UNSUPPORTED);
    jwk_release(&k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 64 * KIB)
        return 0;
    struct arena a;
    const struct json *v;
    struct str text = {(const char *)data, size};
    size_t usable = 0;
    arena_init(&a, 16 * MIB);
    if (json_read(&a, text, &v, NULL) == ERR_OK)
        check_key(&a, v);
    if (issuers_check(text, &usable) == ERR_OK)
        assert(usable <= ISSUERS_KEYS_MAX);
    arena_release(&a);
    return 0;
}
