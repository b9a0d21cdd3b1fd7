/* logins.c - see logins.h. */
#include "admin/logins.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/text.h"
#include "crypto/hash.h"

enum { RANDOM_LEN = 32 };

static const char prefix[] = "writ_admin_";
static_assert(sizeof(prefix) - 1 + TEXT_BASE64URL_LEN(RANDOM_LEN) ==
                  LOGINS_TOKEN_LEN,
              "the length of a token");

struct login {
    struct hash token; /* SHA-256; the key of the map */
    int64_t began_us, used_us;
    size_t name_len;
    char name[LOGINS_NAME_MAX];
};

struct logins {
    struct map by_token;
};

enum err logins_new(struct siphash_key seed, struct logins **ret)
{
    struct logins *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return ERR_NO_MEMORY;
    map_init(&l->by_token, seed, LOGINS_MAX);
    *ret = l;
    return ERR_OK;
}

void logins_free(struct logins *l)
{
    struct str key;
    size_t at = 0;
    void *login;

    if (l == NULL)
        return;
    while (map_next(&l->by_token, &at, &key, &login))
        free(login);
    map_release(&l->by_token);
    free(l);
}

static struct str key_of(const struct hash *token)
{
    return (struct str){(const char *)token->bytes, HASH_LEN};
}

static void forget(struct logins *l, const struct login *login)
{
    free(map_take(&l->by_token, key_of(&login->token)));
}

static bool is_over(const struct login *login, int64_t now_us)
{
    return now_us - login->used_us >= LOGINS_IDLE_US ||
           now_us - login->began_us >= LOGINS_MAX_US;
}

/* The one of `name` (empty: of anybody) that was used longest ago, and how
 * many there are. */
static struct login *oldest(const struct logins *l, struct str name,
                            size_t *ret_count)
{
    struct login *found = NULL;
    struct str key;
    size_t at = 0;
    void *value;

    *ret_count = 0;
    while (map_next(&l->by_token, &at, &key, &value)) {
        struct login *login = value;
        if (name.len > 0 &&
            !str_eq(name, (struct str){login->name, login->name_len}))
            continue;
        (*ret_count)++;
        if (found == NULL || login->used_us < found->used_us)
            found = login;
    }
    return found;
}

static void make_room(struct logins *l, struct str name)
{
    size_t count;
    struct login *login = oldest(l, name, &count);

    if (count >= LOGINS_PER_NAME_MAX)
        forget(l, login);
    login = oldest(l, (struct str){NULL, 0}, &count);
    if (count >= LOGINS_MAX)
        forget(l, login);
}

enum err logins_begin(struct logins *l, struct str name, int64_t now_us,
                      char to[LOGINS_TOKEN_LEN])
{
    unsigned char random[RANDOM_LEN];

    if (name.len == 0 || name.len > LOGINS_NAME_MAX)
        return ERR_LIMIT;
    struct login *login = calloc(1, sizeof(*login));
    if (login == NULL)
        return ERR_NO_MEMORY;
    make_room(l, name);
    hash_random(random, sizeof(random));
    memcpy(to, prefix, sizeof(prefix) - 1);
    text_base64url(random, sizeof(random), to + sizeof(prefix) - 1);
    hash_wipe(random, sizeof(random));
    const struct str token = {to, LOGINS_TOKEN_LEN};
    login->token = hash_sha256(&token, 1);
    login->began_us = login->used_us = now_us;
    login->name_len = name.len;
    memcpy(login->name, name.ptr, name.len);
    enum err e = map_set(&l->by_token, key_of(&login->token), login);
    if (e != ERR_OK)
        free(login);
    return e;
}

bool logins_find(struct logins *l, struct str token, int64_t now_us,
                 struct str *ret_name)
{
    if (token.len != LOGINS_TOKEN_LEN)
        return false;
    struct hash h = hash_sha256(&token, 1);
    struct login *login = map_get(&l->by_token, key_of(&h));
    if (login == NULL)
        return false;
    if (is_over(login, now_us)) {
        forget(l, login);
        return false;
    }
    login->used_us = now_us;
    *ret_name = (struct str){login->name, login->name_len};
    return true;
}

int64_t logins_began_us(const struct logins *l, struct str token)
{
    struct hash h = hash_sha256(&token, 1);
    const struct login *login = map_get(&l->by_token, key_of(&h));
    return login == NULL ? 0 : login->began_us;
}

void logins_end(struct logins *l, struct str token)
{
    struct hash h = hash_sha256(&token, 1);
    free(map_take(&l->by_token, key_of(&h)));
}

size_t logins_count(const struct logins *l)
{
    return map_count(&l->by_token);
}
