/*
 * source.h - one issuer: its keys, how old they are, when to fetch them.
 *
 * A round fetches what the issuer says of itself, unless the URL of its keys
 * is configured, then the keys; it has one deadline.  Rounds come by timer,
 * after a failure with back-off, and when a caller wants one.
 *
 * Age is measured with the monotonic clock; what others are told is Unix
 * time, and is told anew when the system's clock has jumped.
 */
#ifndef TRUST_SOURCE_H
#define TRUST_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "domain/settings.h"
#include "identity/issuers.h"
#include "trust/times.h"
#include "trust/trust.h"

struct http_client;
struct loop;
struct source;
struct tls_context;

/* What all of them share; theirs is trust.c. */
struct source_group {
    struct loop *loop;
    struct http_client *client;
    struct trust_times times;
    uint64_t draws; /* so far, of the jitter */
    /* What source_publish() gives has changed. */
    void (*changed)(struct source_group *g);
    /* A round that somebody waits for has ended. */
    void (*wanted)(struct source_group *g, size_t number);
    void (*health)(struct source_group *g, struct str alias, bool ok,
                   struct str why);
};

/* Whether `i` has a URL to fetch from.  ERR_CONFIG, ERR_NO_MEMORY. */
MUST_CHECK enum err source_check(const struct issuer_settings *i);

/* Nothing happens before source_use().  NULL: no memory. */
struct source *source_new(struct source_group *g);
/* No event follows.  NULL is allowed. */
void source_free(struct source *s);

/*
 * What holds from now on: `i` stays with the caller until the next one.
 * The first one begins a round in a later turn.
 */
void source_use(struct source *s, const struct issuer_settings *i,
                size_t number, struct tls_context *tls);
size_t source_number(const struct source *s);
/* Whether the keys of `s` would be those of `i`. */
bool source_is(const struct source *s, const struct issuer_settings *i);

/* `wanted` follows, when a round is under way or may begin; else false. */
MUST_CHECK bool source_want(struct source *s);
/* Forgets who waits; whether somebody did. */
bool source_unwant(struct source *s);

/* The keys as they are, borrowed until the next event of the loop. */
struct issuers_keys source_publish(struct source *s);
/* They cannot be used, for a reason that it knows better: fails. */
void source_refuse(struct source *s, const char *text);
/* Looks whether the clock has jumped past what was told: `changed`. */
void source_check_clock(struct source *s);

void source_state(const struct source *s, struct trust_state *ret);

#endif
