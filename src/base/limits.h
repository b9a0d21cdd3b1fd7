/*
 * limits.h - every compile-time limit that more than one folder knows, each
 * with its reason.  What an operator may want to change is in the config.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#include <assert.h>
#include <stddef.h>

#define KIB ((size_t)1024)
#define MIB ((size_t)1024 * 1024)

/* One evidence entry; a bundle's length prefix has 16 bits. */
#define ENTRY_MAX (16 * KIB)

/* Request line 8 KiB, header section 32 KiB and 100 fields, as RFC 9110
 * implementations commonly do; above it 414 or 431. */
#define HTTP_TARGET_MAX (8 * KIB)
#define HTTP_HEAD_MAX (32 * KIB)
#define HTTP_FIELDS_MAX ((size_t)100)

/* An upstream's response head. */
#define HTTP_RESPONSE_HEAD_MAX (64 * KIB)

/* The largest body that is read whole; a route may allow less. */
#define HTTP_BODY_MAX (32 * MIB)

/* One piece of a streamed body. */
#define BODY_PIECE_MAX (64 * KIB)

/* Nesting, members and elements of outside JSON: parsers that disagree on
 * monsters are how a decision is walked around. */
#define JSON_DEPTH_MAX ((size_t)64)
#define JSON_MEMBERS_MAX ((size_t)10000)
#define JSON_ELEMENTS_MAX ((size_t)1000000)
/* Characters of one number; RSA moduli fit, which some do send so. */
#define JSON_NUMBER_MAX ((size_t)1024)

/* One event of an SSE stream. */
#define SSE_EVENT_MAX (1 * MIB)

/* One message on a socketpair between our own processes. */
#define FRAME_MAX (4 * MIB)

/* Memory of one request: body, parse tree and the rest. */
#define REQUEST_ARENA_MAX (160 * MIB)

/* A configuration file, a policy file. */
#define CONFIG_FILE_MAX (4 * MIB)

/* Links of an identity chain, actors included. */
#define CHAIN_LINKS_MAX 8

/* Characters in a name that the config gives (caller, tenant, model, ...). */
#define NAME_MAX_LEN ((size_t)128)

static_assert(ENTRY_MAX <= 65535, "a bundle record has a 16-bit length");
static_assert(REQUEST_ARENA_MAX > 4 * HTTP_BODY_MAX,
              "a body, its parse tree and what is sent fit one request");

#endif
