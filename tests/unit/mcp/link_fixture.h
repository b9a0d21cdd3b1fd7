/*
 * link_fixture.h - a link on a loop, and what it talks to: a server over HTTP
 * that a test scripts, or a child that is not one (the runner's other end, and
 * three pipes).
 *
 * desk_wait() turns the loop until a condition holds and fails the test after
 * ten seconds.
 */
#ifndef TESTS_MCP_LINK_FIXTURE_H
#define TESTS_MCP_LINK_FIXTURE_H

#include <stdbool.h>

#include "base/buf.h"
#include "http/client.h"
#include "http/server.h"
#include "mcp/link.h"
#include "os/loop.h"
#include "os/timer.h"
#include "runner/runner_client.h"

struct channel;
struct desk;
struct resolver;

enum { QUESTIONS_MAX = 64, TEXT_ROOM = 4096 };

/* --- a reply that a test writes as it goes --- */

struct feed {
    struct body_source source;
    struct buf bytes;
    body_sink *sink;
    void *reader;
    bool ended, cancelled, cut, in_use;
    size_t given; /* bytes */
};

void feed_say(struct feed *f, const char *text);
/* One event whose data is `json`; id may be NULL. */
void feed_event(struct feed *f, const char *id, const char *json);
void feed_end(struct feed *f);
void feed_cut(struct feed *f);

/* --- what came to the server --- */

struct question {
    struct desk *desk;
    struct http_request *r; /* until it is answered or gone */
    struct feed feed;
    char method[16], body[TEXT_ROOM], session[300], revision[32], last_id[64],
        accept[64], authorization[64];
    bool gone;
};

void answer_json(struct question *q, const char *json);
void answer_status(struct question *q, int status);
/* Begins a stream of events; q->feed is what is said on it. */
void answer_stream(struct question *q);
/* {"jsonrpc":"2.0","id":<the question's>,"result":<result>} */
void answer_result(struct question *q, const char *result);
/* What a server does that takes everything: the handshake, with
 * desk->session, 202, and no stream of its own. */
void answer_usual(struct question *q);
bool question_has(const struct question *q, const char *text);

/* --- the user of a link --- */

/* What a test has a user do inside an event. */
enum deed { DEED_NONE = 0, DEED_CANCEL, DEED_CLOSE, DEED_PAUSE, DEED_SEND };

struct caller {
    struct link_call call; /* memory that is poisoned once it is over */
    struct desk *desk;
    int notices, asks, answers, failures;
    enum err why;
    bool sent, is_error;
    char text[TEXT_ROOM]; /* of the answer: the result or the error's text */
    size_t text_len;
    char notice[TEXT_ROOM], ask_id[64];
    enum method notice_method, ask_method;
    enum deed on_notice, on_asked, on_answered, on_failed;
    struct caller *then; /* sent by DEED_SEND */
};

struct desk {
    struct loop *l;
    struct tool_server_settings server;
    struct link_options options;
    struct link *link;
    struct timer timer;
    bool timed_out;
    uint64_t next;

    bool opened, closed;
    unsigned has;
    enum revision revision;
    enum err why;
    char why_text[TEXT_ROOM], name[64];
    int notices;
    enum method notice_method;
    enum deed on_opened, on_notice, on_closed;

    /* over HTTP */
    struct resolver *resolver;
    struct http_client *client;
    struct http_server *http;
    uint16_t port;
    const char *session;      /* of `initialize`; NULL: none */
    const char *capabilities; /* the same */
    void (*handle)(struct question *q);
    struct question questions[QUESTIONS_MAX];
    size_t question_count;

    /* over pipes */
    struct runner_client *runner;
    struct channel *other; /* the runner's end */
    bool refuses;          /* to start */
    unsigned starts, stops;
    uint64_t tag;
    int fds[RUNNER_PIPES]; /* the child's ends; -1: closed */
    struct loop_poll *reads, *writes;
    bool deaf;        /* it does not read its stdin */
    struct buf heard; /* all that it read */
    size_t handled;   /* bytes of it */
    struct buf says;  /* still to be written to its stdout */
    /* Each line that the child reads. */
    void (*on_line)(struct desk *d, struct str line);
};

void desk_open(struct desk *d);
void desk_close(struct desk *d);
void desk_serve(struct desk *d); /* over HTTP, by d->handle */
void desk_run(struct desk *d);   /* over pipes, by d->on_line */
/* Opens d->link with d->options; `await`: until it is open. */
void desk_link(struct desk *d, bool await);
void desk_send(struct desk *d, struct caller *c, const char *params);
/* The result of `initialize`. */
void desk_hello(char *to, size_t room, const char *capabilities);
void desk_do(struct desk *d, struct caller *c, enum deed deed);
void desk_wait(struct desk *d, bool (*done)(void *arg), void *arg);
void desk_turn(struct desk *d, int64_t ms);
void desk_wait_int(struct desk *d, const int *at, int n);
void desk_wait_true(struct desk *d, const bool *at);
/* The n-th (from 1) question whose method and body have these; waits. */
struct question *desk_question(struct desk *d, const char *method,
                               const char *text, int n);
int desk_count(const struct desk *d, const char *method, const char *text);

/* --- the child --- */

void child_say(struct desk *d, const char *text); /* bytes on stdout */
void child_complain(struct desk *d, const char *text);
void child_close(struct desk *d, enum runner_pipe which);
void child_exit(struct desk *d, uint32_t code); /* and closes its pipes */
/* Answers `initialize` and `ping`; nothing else. */
void child_usual(struct desk *d, struct str line);
void child_wait_heard(struct desk *d, const char *text);
bool child_heard(const struct desk *d, const char *text);
/* The id of a message, as it stands in it. */
void id_of(struct str message, char *to, size_t room);

#endif
