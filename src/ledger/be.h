/*
 * be.h - fixed-size integers as big-endian bytes, for the on-disk form.
 *
 * The caller has checked that the bytes are there.
 */
#ifndef LEDGER_BE_H
#define LEDGER_BE_H

#include <stdint.h>

static inline void be_put(char *to, uint64_t v, unsigned bytes)
{
    for (unsigned i = bytes; i-- > 0; v >>= 8)
        to[i] = (char)(unsigned char)(v & 0xff);
}

static inline uint64_t be_get(const char *from, unsigned bytes)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < bytes; i++)
        v = v << 8 | (unsigned char)from[i];
    return v;
}

static inline void be_put_u16(char *to, uint16_t v)
{
    be_put(to, v, 2);
}

static inline void be_put_u32(char *to, uint32_t v)
{
    be_put(to, v, 4);
}

static inline void be_put_u64(char *to, uint64_t v)
{
    be_put(to, v, 8);
}

static inline uint16_t be_get_u16(const char *from)
{
    return (uint16_t)be_get(from, 2);
}

static inline uint32_t be_get_u32(const char *from)
{
    return (uint32_t)be_get(from, 4);
}

static inline uint64_t be_get_u64(const char *from)
{
    return be_get(from, 8);
}

#endif
