/*
 * asan.h - tells AddressSanitizer what may not be touched, for memory that is
 * kept instead of freed.  Without it, nothing.
 */
#ifndef BASE_ASAN_H
#define BASE_ASAN_H

#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASAN_ON 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ASAN_ON 1
#endif

#ifdef ASAN_ON
void asan_poison(const volatile void *p,
                 size_t n) __asm__("__asan_poison_memory_region");
void asan_unpoison(const volatile void *p,
                   size_t n) __asm__("__asan_unpoison_memory_region");
#else
static inline void asan_poison(const volatile void *p, size_t n)
{
    (void)p;
    (void)n;
}
static inline void asan_unpoison(const volatile void *p, size_t n)
{
    (void)p;
    (void)n;
}
#endif

#endif
