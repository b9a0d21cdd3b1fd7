/*
 * demo_ask.h - what `writ demo` asks its node, as any caller would.
 */
#ifndef APP_DEMO_ASK_H
#define APP_DEMO_ASK_H

#include "app/demo.h"
#include "base/arena.h"
#include "base/buf.h"
#include "codec/sse.h"
#include "http/message.h"

/* A socket to the node, or -1; whatever waits on it ends after a while. */
int demo_ask_connect(const struct demo *d);

/* True when the node answers at its port. */
bool demo_ask_healthy(const struct demo *d);

/* A chat of the agent. */
struct demo_question {
    const char *model, *text;
    unsigned tokens_max; /* 0: not said */
    sse_sink *sink;      /* asks for a stream, and gets its events; or NULL */
    void *user;
};

struct demo_answer {
    int status;                /* 0: there was none */
    struct http_fields fields; /* in the arena */
    struct buf body;           /* what was not streamed */
    struct arena arena;
};

/* Asks; the answer has to be released in any case. */
void demo_ask_chat(const struct demo *d, const struct demo_question *q,
                   struct demo_answer *ret);
void demo_ask_release(struct demo_answer *a);

/* The words of one event of a streamed chat, empty when it has none; in the
 * arena, or the event's. */
struct str demo_ask_words(struct arena *a, const struct sse_event *e);

/* True when the data of an event is the error that ends a revoked stream. */
bool demo_ask_is_revoked(struct str event);

/* "curl ..." for a question, as one would type it. */
void demo_ask_show(const struct demo *d, const struct demo_question *q);

#endif
