/*
 * fixture.h - three issuers, some keys of callers, and a chain as a line of
 * text, for the tests of proofs.
 */
#ifndef TESTS_IDENTITY_FIXTURE_H
#define TESTS_IDENTITY_FIXTURE_H

#include "base/buf.h"
#include "identity/issuers.h"
#include "identity/proof.h"
#include "mint.h"

/* The moment of the tests, and claims of a token that is good then. */
#define NOW_S INT64_C(1800000000)
#define NOW_US (NOW_S * 1000000)
#define TIMES "\"iat\":1799999900,\"exp\":1800000300"

/*
 * corp   people of acme; groups in "groups"
 * mixed  any kind ("kind") of acme or other ("tenant")
 * jobs   workloads of acme, tokens of at most 15 minutes
 */
#define CORP "\"iss\":\"https://corp.example\",\"aud\":\"writ\"," TIMES
#define MIXED "\"iss\":\"https://mixed.example/\",\"aud\":\"writ\"," TIMES
#define JOBS "\"iss\":\"https://jobs.example\",\"aud\":\"writ\"," TIMES
enum { ISSUER_CORP, ISSUER_MIXED, ISSUER_JOBS, ISSUER_COUNT };

/* Headers of the keys that each issuer has. */
#define RS "{\"alg\":\"RS256\",\"kid\":\"rs-1\",\"typ\":\"at+jwt\"}"
#define ES "{\"alg\":\"ES256\",\"kid\":\"es-1\",\"typ\":\"at+jwt\"}"
#define ED "{\"alg\":\"EdDSA\",\"kid\":\"ed-1\",\"typ\":\"at+jwt\"}"

/* Keys of callers; the last one is expired. */
#define KEY_ANN "writ_ann0123456789"
#define KEY_SHOP "writ_shop0123456789"
#define KEY_WRITER "writ_writer0123456789"
#define KEY_JOB "writ_job0123456789"
#define KEY_OLD "writ_old0123456789"

struct fixture {
    struct issuers *issuers;
    struct proof_cache *cache;
    struct proof_sources sources;
    struct proof_wish wish; /* of the last question */
    struct buf room;        /* of fixture_token(), fixture_chain() */
};

void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);
/* How often keys of callers were asked for since. */
size_t fixture_asked(void);

/* What the issuers are made of. */
const struct settings *fixture_settings(void);
/* The key set that each has, appended. */
void fixture_jwks(struct buf *to);

/* A token that `header` says is signed by rs-1, es-1 or ed-1, and is.  Valid
 * until the next call. */
struct str fixture_token(struct fixture *f, const char *header,
                         const char *payload);

/* proof_make() of a bearer credential; the caller has the reference. */
enum proof_verdict fixture_prove(struct fixture *f, struct str credential,
                                 struct proof **ret);

/*
 * "role Type id tenant" of each link, then "< id" of each member of history,
 * joined by "; ".  "" for a refusal.
 */
void fixture_chain(struct buf *to, const struct proof *p);

/* Proves the credential twice, the second time from the cache; both times the
 * chain has to read like that. */
void fixture_expect(struct fixture *f, struct str credential, const char *chain,
                    const char *what);

#endif
