/* enrolment.c - see enrolment.h. */
#include "admin/enrolment.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "os/file.h"

enum {
    SYMBOLS = 20,
    GROUP = 5,
    FILE_MAX = 1024,
    ARENA_MAX = 64 * 1024,
};

/* 32 of them, none like another (as Crockford chose). */
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static enum err path_of(const char *data, char to[FILE_PATH_MAX])
{
    return snprintf(to, FILE_PATH_MAX, "%s/" ENROLMENT_FILE, data) >=
                   (int)FILE_PATH_MAX
               ? ERR_LIMIT
               : ERR_OK;
}

/* The symbols of what a person typed; false: it cannot be a code. */
static bool normalise(struct str code, char to[SYMBOLS])
{
    size_t n = 0;

    for (size_t i = 0; i < code.len; i++) {
        char c = code.ptr[i];
        if (c == '-' || c == ' ')
            continue;
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        if (n == SYMBOLS)
            return false;
        to[n++] = c;
    }
    return n == SYMBOLS;
}

static enum err hash_code(struct str caller_key, const char symbols[SYMBOLS],
                          struct hash *ret)
{
    unsigned char key[HASH_LEN];
    const struct str code = {symbols, SYMBOLS};

    enum err e = kdf_derive(caller_key, STR(""), STR("writ enrolment, v1"), key,
                            sizeof(key));
    if (e != ERR_OK)
        return e;
    struct hmac_key *k =
        hmac_key_new((struct str){(const char *)key, sizeof(key)});
    *ret = hmac_sha256(k, &code, 1);
    hmac_key_free(k);
    hash_wipe(key, sizeof(key));
    return ERR_OK;
}

static void make_code(char symbols[SYMBOLS], char to[ENROLMENT_CODE_LEN])
{
    unsigned char random[SYMBOLS];
    size_t at = 0;

    hash_random(random, sizeof(random));
    for (size_t i = 0; i < SYMBOLS; i++) {
        symbols[i] = alphabet[random[i] % (sizeof(alphabet) - 1)];
        if (i > 0 && i % GROUP == 0)
            to[at++] = '-';
        to[at++] = symbols[i];
    }
    hash_wipe(random, sizeof(random));
}

enum err enrolment_make(const char *data, struct str caller_key, int64_t now_us,
                        char to[ENROLMENT_CODE_LEN])
{
    char path[FILE_PATH_MAX], symbols[SYMBOLS], room[FILE_MAX];
    char hex[TEXT_HEX_LEN(HASH_LEN)], until[TEXT_TIME_LEN];
    struct hash h;
    struct buf text;

    enum err e = path_of(data, path);
    if (e != ERR_OK)
        return e;
    make_code(symbols, to);
    e = hash_code(caller_key, symbols, &h);
    hash_wipe(symbols, sizeof(symbols));
    if (e != ERR_OK)
        return e;
    text_hex(h.bytes, HASH_LEN, hex);
    text_time(now_us + ENROLMENT_LIFE_US, until);
    buf_init_lent(&text, room, sizeof(room));
    buf_addf(&text, "{\"expires\":\"%.*s\",\"hmac\":\"%.*s\"}\n",
             (int)sizeof(until), until, (int)sizeof(hex), hex);
    return file_replace(FILE_CWD, path, buf_str(&text), 0600);
}

/* What the file says; false: there is none, or it is over. */
static bool read_file(const char *data, int64_t now_us, struct hash *ret)
{
    char path[FILE_PATH_MAX], room[FILE_MAX];
    struct buf text;
    struct arena arena;
    const struct json *v = NULL;
    struct str hex, until;
    int64_t until_us;

    buf_init_lent(&text, room, sizeof(room));
    if (path_of(data, path) != ERR_OK ||
        file_read(FILE_CWD, path, &text) != ERR_OK)
        return false;
    arena_init(&arena, ARENA_MAX);
    bool ok = json_read(&arena, buf_str(&text), &v, NULL) == ERR_OK &&
              json_str(json_get(v, STR("hmac")), &hex) &&
              text_unhex(hex, ret->bytes, HASH_LEN) &&
              json_str(json_get(v, STR("expires")), &until) &&
              text_untime(until, &until_us) && now_us < until_us;
    arena_release(&arena);
    return ok;
}

bool enrolment_check(const char *data, struct str caller_key, struct str code,
                     int64_t now_us)
{
    char symbols[SYMBOLS];
    struct hash kept, given;

    return normalise(code, symbols) && read_file(data, now_us, &kept) &&
           hash_code(caller_key, symbols, &given) == ERR_OK &&
           str_eq_secret((struct str){(const char *)kept.bytes, HASH_LEN},
                         (struct str){(const char *)given.bytes, HASH_LEN});
}

enum err enrolment_end(const char *data)
{
    char path[FILE_PATH_MAX];

    enum err e = path_of(data, path);
    if (e != ERR_OK)
        return e;
    return unlink(path) == 0 || errno == ENOENT ? ERR_OK : ERR_IO;
}
