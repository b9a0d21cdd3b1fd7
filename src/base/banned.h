/*
 * banned.h - libc names that do not exist here; forced into every file by
 * the build.  Each has a bounded or thread-safe counterpart.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

/* The headers first: their own declarations must not be poisoned. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* clang-format off */
#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atof gets
#pragma GCC poison strncpy strncat localtime gmtime strerror
/* clang-format on */

#endif
