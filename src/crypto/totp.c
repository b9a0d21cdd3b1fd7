/* totp.c - see totp.h. */
#include "crypto/totp.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { SHA1_LEN = 20, SKEW_STEPS = 1, DECIMAL = 10 };

int64_t totp_step(int64_t unix_us)
{
    return unix_us / 1000000 / TOTP_STEP_S;
}

/* RFC 4226, 5.3: four bytes at a place that the last one names. */
static uint32_t truncate_hash(const unsigned char *mac)
{
    size_t at = mac[SHA1_LEN - 1] & 0x0fu;
    return (uint32_t)(mac[at] & 0x7fu) << 24 | (uint32_t)mac[at + 1] << 16 |
           (uint32_t)mac[at + 2] << 8 | (uint32_t)mac[at + 3];
}

enum err totp_code(struct str secret, int64_t step, char to[TOTP_DIGITS])
{
    unsigned char counter[8], mac[SHA1_LEN];
    size_t len = 0;

    for (unsigned i = 0; i < sizeof(counter); i++)
        counter[i] = (unsigned char)((uint64_t)step >> (56 - 8 * i));
    if (EVP_Q_mac(NULL, "HMAC", NULL, "SHA1", NULL, secret.ptr, secret.len,
                  counter, sizeof(counter), mac, sizeof(mac), &len) == NULL ||
        len != sizeof(mac))
        return ERR_NO_MEMORY;
    uint32_t code = truncate_hash(mac);
    for (size_t i = TOTP_DIGITS; i > 0; i--) {
        to[i - 1] = (char)('0' + code % DECIMAL);
        code /= DECIMAL;
    }
    return ERR_OK;
}

int64_t totp_check(struct str secret, struct str code, int64_t unix_us)
{
    int64_t now = totp_step(unix_us);
    int64_t found = -1;

    for (int64_t step = now - SKEW_STEPS; step <= now + SKEW_STEPS; step++) {
        char expected[TOTP_DIGITS];
        if (totp_code(secret, step, expected) != ERR_OK)
            return -1;
        if (str_eq_secret(code, (struct str){expected, sizeof(expected)}))
            found = step;
    }
    return found;
}
