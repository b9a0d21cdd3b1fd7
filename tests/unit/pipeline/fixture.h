/*
 * fixture.h - the real table, snapshot, sessions and evidence, on one loop,
 * between a server, a destination, a ledger and a keeper that only do what a
 * test says: they stand in for http/, ledger_client.c and keeper_client.c, and
 * a registry that knows one identity.
 *
 * One provider, "one", and a second, "two"; an application "alice" whose key
 * is FIXTURE_KEY and who may use the models "plain" (one attempt, at "one")
 * and "pair" (three attempts, "one" and then "two").
 */
#ifndef TESTS_PIPELINE_FIXTURE_H
#define TESTS_PIPELINE_FIXTURE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/list.h"
#include "http/client.h"
#include "http/server.h"
#include "keeper/keeper_client.h"
#include "ledger/ledger_client.h"
#include "os/loop.h"
#include "pipeline/worker.h"
#include "registry/registry.h"

#define FIXTURE_KEY "writ-fixture-0123456789abcdef"

enum { CALLS_MAX = 8, ENTRIES_MAX = 64 };

/* A request at our server, and what was answered. */
struct http_request {
    struct http_request_head head;
    struct http_field fields[8];
    struct arena arena;
    void *user;
    struct str body; /* given as soon as it is read */
    bool body_fails, dropped;

    unsigned replies;
    int status;
    struct buf text;         /* of the answer, as far as it has come */
    struct buf reply_fields; /* "name: value\n" */
    struct body_source *source;
    bool streamed, pulling, ended, cut;
    bool queued;  /* its connection is slow */
    bool over;    /* ... or has ended, while `done` has not come yet */
    enum err why; /* the answer's stream ended with */
};

/* A call to a destination. */
struct http_call {
    struct http_call_events events;
    void *user;
    struct buf body; /* of the request */
    struct str host;
    struct body_source source;
    body_sink *sink; /* a pull that waits, or NULL */
    void *reader;
    const char *now; /* answers the next pull at once, as the last piece */
    unsigned pulls;
    bool cancelled, over;
};

struct ledger_client {
    struct buf entries[ENTRIES_MAX];
    struct ledger_append how[ENTRIES_MAX];
    struct ledger_wait *waits[ENTRIES_MAX]; /* not answered yet */
    struct list waiting;                    /* ... and not given up */
    size_t count;
    enum err answer; /* of an append */
};

struct keeper_client {
    struct keeper_wait *wait;
    unsigned asked;
    enum err answer;
};

struct http_client {
    struct http_call calls[CALLS_MAX];
    size_t count;
    enum err answer; /* of a send */
};

/* Alice, as she is registered now. */
struct registry_view {
    struct registry_entry alice;
    enum err standing; /* what registry_view_check() says of her */
    bool hidden;       /* her key proves her, but she has no entry */
    uint64_t epoch;
    unsigned discovered; /* told to the worker's owner */
};

struct world {
    struct worker w;
    struct registry_view registry;
    struct ledger_client ledger;
    struct keeper_client keeper;
    struct http_client client;
    struct http_request r;
};

int world_open(void **state); /* *state is the world; for cmocka */
int world_close(void **state);

/* Settings like the world's, in `a`, and its rules; for the caller to free. */
struct settings fixture_settings(struct arena *a);
struct rules *fixture_rules(const struct settings *s);

/* One turn of the loop. */
void world_turn(struct world *w);

/* A call by alice; the request is w->r.  In two steps for who wants to change
 * something in between. */
void world_ask(struct world *w, const char *path, const char *body);
void world_prepare(struct world *w, const char *path, const char *body);
void world_send(struct world *w);
/* The server's `done`. */
void world_done(struct world *w, enum err why);

/* The keeper, or the ledger, answers all that waits. */
void world_key(struct world *w, enum err e);
void world_ack(struct world *w, enum err e);

/* Asks, and goes on until the destination's number `n` has been called. */
struct http_call *world_call(struct world *w, const char *path,
                             const char *body, size_t n);

/* What the destination does. */
void call_head(struct http_call *c, int status, const char *content_type);
void call_piece(struct http_call *c, const char *text, bool last, enum err e);
void call_fail(struct http_call *c, enum err why, bool sent);

/* The caller's connection asks for more. */
void request_pull(struct http_request *r);
/* It gives up a streamed answer, as it does before `done`. */
void request_leave(struct http_request *r);
bool request_says(const struct http_request *r, const char *part);

/* How many entries hold `part`; whether the last one does. */
size_t world_entries(const struct world *w, const char *part);
bool world_last(const struct world *w, const char *part);

#define PLAIN_BODY                                                             \
    "{\"model\":\"plain\",\"messages\":[{\"role\":\"user\",\"content\":"       \
    "\"Hi\"}]}"
#define PAIR_BODY                                                              \
    "{\"model\":\"pair\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}" \
    "]}"
#define STREAM_BODY                                                            \
    "{\"model\":\"plain\",\"stream\":true,\"messages\":[{\"role\":\"user\","   \
    "\"content\":\"Hi\"}]}"
#define CHAT "/v1/chat/completions"
#define JSON_TYPE "application/json"
#define SSE_TYPE "text/event-stream"
#define ANSWER                                                                 \
    "{\"model\":\"m-1\",\"choices\":[{\"message\":{\"content\":\"Hello\"},"    \
    "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,"             \
    "\"completion_tokens\":5}}"
#define CHUNK                                                                  \
    "data: {\"model\":\"m-1\",\"choices\":[{\"delta\":{\"content\":\"Hel"      \
    "\"}}]}\n\n"
#define DONE "data: [DONE]\n\n"

#endif
