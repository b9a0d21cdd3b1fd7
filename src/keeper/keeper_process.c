/*
 * keeper_process.c - the turn: wait, take requests of all clients, make
 * what they stored durable, answer.
 */
#include "keeper/keeper_process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "crypto/hash.h"
#include "keeper/keeper_file.h"
#include "keeper/keeper_request.h"
#include "os/clock.h"
#include "os/wire.h"

enum {
    /* Answers that a client has not read; above, its requests wait. */
    UNREAD_BYTES_MAX =
        KEEPER_IN_FLIGHT_MAX * (FRAME_HEAD_LEN + KEEPER_ANSWER_MAX),
    LAST_WORDS_MS = 1000, /* to take the answers of a shutdown */
    LOAD_RECORDS = 16 * KEEPER_BATCH_MAX, /* in one turn; a few ms */
};

struct client {
    struct wire wire; /* fd < 0: this place is free */
    enum frame_role role;
    bool broken; /* to be closed at the end of the turn */
    bool held;   /* was not asked, since it does not read its answers */
};

/* An answer that waits for the turn's commit. */
struct waiting {
    struct client *client;
    struct keeper_answer answer;
};

struct keeper {
    struct keeper_state state;
    struct keeper_keys *keys;
    int dir;
    struct wire control;
    bool told_loaded; /* all of payload.keys is read */
    bool stopping;
    bool more;    /* requests were left for the next turn */
    size_t first; /* the client that this turn begins with */
    struct client clients[KEEPER_CLIENTS_MAX];
    struct waiting waiting[KEEPER_BATCH_MAX];
    size_t waiting_count;
};

static void client_close(struct client *c)
{
    wire_release(&c->wire);
    *c = (struct client){.wire.fd = -1};
}

/* A client's socket came from the supervisor; `fd` is ours. */
static void client_add(struct keeper *k, int fd, enum frame_role role)
{
    static const struct frame_hello own = {FRAME_PROTOCOL_VERSION,
                                           FRAME_ROLE_KEEPER, 0};
    for (size_t i = 0; i < KEEPER_CLIENTS_MAX; i++) {
        struct client *c = &k->clients[i];
        if (c->wire.fd >= 0)
            continue;
        c->role = role;
        if (wire_init(&c->wire, fd, own, role) != ERR_OK)
            *c = (struct client){.wire.fd = -1};
        return;
    }
    (void)close(fd);
    log_warn("keeper.full", {"why", STR("too many clients")});
}

static bool may_connect(uint32_t role)
{
    return role == FRAME_ROLE_WORKER || role == FRAME_ROLE_CONTROL ||
           role == FRAME_ROLE_TOOL;
}

static enum err control_frame(struct keeper *k, const struct frame *f, int fd)
{
    struct frame_reader r = frame_reader(f->payload);
    if (f->type == FRAME_SHUTDOWN && f->payload.len == 0 && fd < 0) {
        k->stopping = true;
        return ERR_OK;
    }
    uint32_t role = f->type == FRAME_CONNECT ? frame_get_u32(&r) : 0;
    if (!frame_reader_done(&r) || fd < 0 || !may_connect(role)) {
        if (fd >= 0)
            (void)close(fd);
        return ERR_MALFORMED;
    }
    client_add(k, fd, (enum frame_role)role);
    return ERR_OK;
}

/* The supervisor is the only one who may end us, by word or by its end. */
static void control_read(struct keeper *k)
{
    enum err e = wire_fill(&k->control);
    struct frame f;
    int fd = -1;
    while (e == ERR_OK && wire_next(&k->control, &f, &fd, &e))
        e = control_frame(k, &f, fd);
    if (e != ERR_OK)
        k->stopping = true;
}

/* Takes what a client asks, as far as this turn's batch goes. */
static void client_take(struct keeper *k, struct client *c)
{
    struct frame f;
    enum err e = ERR_OK;
    while (e == ERR_OK) {
        if (k->waiting_count == KEEPER_BATCH_MAX) {
            k->more = true;
            return;
        }
        if (!wire_next(&c->wire, &f, NULL, &e))
            break;
        struct waiting *w = &k->waiting[k->waiting_count];
        e = keeper_request_handle(&k->state, c->role, &f, &w->answer);
        if (e == ERR_OK) {
            w->client = c;
            k->waiting_count++;
        }
    }
    c->broken = c->broken || e != ERR_OK;
}

static bool client_has_room(const struct client *c)
{
    return c->wire.out.len - c->wire.out_at <= UNREAD_BYTES_MAX;
}

/* False: the disk failed for good. */
static bool commit_and_answer(struct keeper *k)
{
    enum err e = keeper_records_commit(k->state.records);
    for (size_t i = 0; i < k->waiting_count; i++) {
        struct waiting *w = &k->waiting[i];
        keeper_request_write(wire_out(&w->client->wire), &w->answer,
                             e == ERR_OK);
    }
    k->waiting_count = 0;
    if (e == ERR_STORE)
        log_error("keeper.full", {"why", STR("no space for payload keys")});
    if (e != ERR_IO)
        return true;
    log_error("keeper.failed",
              {"why", STR("payload.keys cannot be made durable")});
    return false;
}

static void flush_and_close(struct keeper *k)
{
    for (size_t i = 0; i < KEEPER_CLIENTS_MAX; i++) {
        struct client *c = &k->clients[i];
        if (c->wire.fd < 0)
            continue;
        if (!buf_ok(wire_out(&c->wire)) || wire_flush(&c->wire) != ERR_OK ||
            c->broken)
            client_close(c);
        else if (c->held && client_has_room(c))
            k->more = true; /* what it sent before is here already */
    }
    if (wire_flush(&k->control) != ERR_OK)
        k->stopping = true;
}

static bool say_why(const char *why)
{
    log_error("keeper.failed", {"why", str_from(why)});
    return false;
}

/* Reads a part of the sessions' keys while there is nothing else to do. */
static bool load_some(struct keeper *k)
{
    struct keeper_records *r = k->state.records;
    if (k->told_loaded)
        return true;
    if (k->state.load_error == ERR_OK && !keeper_records_loaded(r))
        k->state.load_error = keeper_records_load(r, LOAD_RECORDS);
    if (k->state.load_error == ERR_CORRUPT)
        return say_why("payload.keys is damaged: restore it, or lose the "
                       "payloads of the sessions in it");
    if (k->state.load_error != ERR_OK)
        return say_why("payload.keys cannot be read");
    k->told_loaded = keeper_records_loaded(r);
    if (k->told_loaded && keeper_records_found(r).cut_bytes > 0)
        log_warn("keeper.cut", {"why", STR("payload.keys ended in keys that "
                                           "were never given out")});
    return true;
}

static short events_of(const struct wire *w, bool reads)
{
    unsigned events = (reads ? POLLIN : 0U) | (wire_pending(w) ? POLLOUT : 0U);
    return (short)events;
}

/* Sleeps until there is something to do; `fds` as client places, then the
 * control connection. */
static bool wait_for_events(const struct keeper *k,
                            struct pollfd fds[KEEPER_CLIENTS_MAX + 1])
{
    for (size_t i = 0; i < KEEPER_CLIENTS_MAX; i++) {
        const struct client *c = &k->clients[i];
        fds[i] = (struct pollfd){c->wire.fd,
                                 events_of(&c->wire, client_has_room(c)), 0};
    }
    fds[KEEPER_CLIENTS_MAX] =
        (struct pollfd){k->control.fd, events_of(&k->control, true), 0};
    int n =
        poll(fds, KEEPER_CLIENTS_MAX + 1, k->more || !k->told_loaded ? 0 : -1);
    return n >= 0 || errno == EINTR;
}

/* False: the process is to end with a failure. */
static bool turn(struct keeper *k)
{
    struct pollfd fds[KEEPER_CLIENTS_MAX + 1];
    if (!wait_for_events(k, fds))
        return false;
    k->more = false;
    k->state.now_us = clock_wall_us();
    for (size_t n = 0; n < KEEPER_CLIENTS_MAX; n++) {
        /* Another one first each time: a full batch starves nobody. */
        size_t i = (k->first + n) % KEEPER_CLIENTS_MAX;
        struct client *c = &k->clients[i];
        if (c->wire.fd < 0)
            continue;
        if ((fds[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0 &&
            wire_fill(&c->wire) != ERR_OK)
            c->broken = true;
        c->held = !client_has_room(c);
        if (!c->held && !c->broken)
            client_take(k, c);
    }
    k->first = (k->first + 1) % KEEPER_CLIENTS_MAX;
    bool usable = commit_and_answer(k);
    if (fds[KEEPER_CLIENTS_MAX].revents != 0)
        control_read(k);
    flush_and_close(k);
    return load_some(k) && usable;
}

/* Gives clients a moment to take what was answered before the shutdown. */
static void last_words(struct keeper *k)
{
    int64_t until_ms = clock_monotonic_ms() + LAST_WORDS_MS;
    for (;;) {
        struct pollfd fds[KEEPER_CLIENTS_MAX];
        nfds_t pending = 0;
        flush_and_close(k);
        for (size_t i = 0; i < KEEPER_CLIENTS_MAX; i++) {
            if (k->clients[i].wire.fd >= 0 && wire_pending(&k->clients[i].wire))
                fds[pending++] =
                    (struct pollfd){k->clients[i].wire.fd, POLLOUT, 0};
        }
        int64_t left_ms = until_ms - clock_monotonic_ms();
        if (pending == 0 || left_ms <= 0)
            return;
        (void)poll(fds, pending, (int)left_ms);
    }
}

static bool open_records(struct keeper *k)
{
    enum err e =
        keeper_records_open(k->dir, hash_random_seed(), &k->state.records);
    if (e == ERR_LIMIT)
        return say_why("payload.keys holds more sessions than it may");
    return e == ERR_OK || say_why("payload.keys cannot be opened");
}

static bool open_files(struct keeper *k, const char *keys_dir)
{
    const char *why = NULL;
    if (keeper_file_open_dir(keys_dir, &k->dir) != ERR_OK)
        return say_why("the folder for keys cannot be opened or made");
    if (keeper_keys_load(k->dir, &k->keys, &why) != ERR_OK)
        return say_why(why);
    k->state.keys = k->keys;
    if (seal_key_new(k->keys->payload, &k->state.payload) != ERR_OK)
        return say_why("out of memory");
    return open_records(k);
}

static void release(struct keeper *k)
{
    for (size_t i = 0; i < KEEPER_CLIENTS_MAX; i++)
        client_close(&k->clients[i]);
    wire_release(&k->control);
    keeper_records_close(k->state.records);
    seal_key_free(k->state.payload);
    keeper_keys_free(k->keys);
    if (k->dir >= 0)
        (void)close(k->dir);
    hash_wipe(k->waiting, sizeof(k->waiting));
    free(k);
}

int keeper_process_run(const struct keeper_process_options *o)
{
    static const struct frame_hello own = {FRAME_PROTOCOL_VERSION,
                                           FRAME_ROLE_KEEPER, 0};
    struct keeper *k = calloc(1, sizeof(*k));
    if (k == NULL) {
        (void)close(o->control_fd);
        (void)say_why("out of memory");
        return 1;
    }
    (void)signal(SIGXFSZ, SIG_IGN); /* a write that fails, like any other */
    k->dir = -1;
    k->control.fd = -1;
    for (size_t i = 0; i < KEEPER_CLIENTS_MAX; i++)
        k->clients[i].wire.fd = -1;
    bool usable = wire_init(&k->control, o->control_fd, own,
                            FRAME_ROLE_SUPERVISOR) == ERR_OK &&
                  open_files(k, o->keys_dir);
    /* Our hello leaves now: it tells the supervisor that the keys are there.
     */
    if (usable && wire_flush(&k->control) != ERR_OK)
        k->stopping = true;
    while (usable && !k->stopping)
        usable = turn(k);
    last_words(k);
    release(k);
    return usable ? 0 : 1;
}
