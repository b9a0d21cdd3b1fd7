/* siphash.c - see siphash.h. */
#include "base/siphash.h"

#include <endian.h>

static inline uint64_t rotl(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void round1(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

/* The first `n` bytes, at most 8, as a little-endian number. */
static inline uint64_t read_le(const char *p, size_t n)
{
    uint64_t x = 0;
    memcpy(&x, p, n);
    return le64toh(x);
}

uint64_t siphash(struct siphash_key key, struct str s)
{
    uint64_t v[4] = {
        key.k0 ^ UINT64_C(0x736f6d6570736575),
        key.k1 ^ UINT64_C(0x646f72616e646f6d),
        key.k0 ^ UINT64_C(0x6c7967656e657261),
        key.k1 ^ UINT64_C(0x7465646279746573),
    };
    size_t whole = s.len / 8 * 8;

    for (size_t i = 0; i < whole; i += 8) {
        uint64_t m = read_le(s.ptr + i, 8);
        v[3] ^= m;
        round1(v);
        round1(v);
        v[0] ^= m;
    }

    uint64_t last = (uint64_t)s.len << 56;
    if (s.len > whole)
        last |= read_le(s.ptr + whole, s.len - whole);
    v[3] ^= last;
    round1(v);
    round1(v);
    v[0] ^= last;

    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        round1(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
