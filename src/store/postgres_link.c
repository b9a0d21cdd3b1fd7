/* postgres_link.c - see postgres_link.h. */
#include "store/postgres_link.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/num.h"
#include "net/resolver.h"
#include "os/loop.h"
#include "os/timer.h"
#include "store/postgres_hosts.h"
#include "store/store.h"

enum {
    CONNECT_MS = 5000, /* for one host, from its name to a session */
    ADDRESSES_MAX = 4, /* of one name */
    LIST_BYTES_MAX = 512,
    PORT_DEFAULT = 5432,
};

/* A transaction that nobody ends must not hold its locks; and a commit that
 * was answered must be on a disk, whatever the server's default. */
#define SET_UP                                                                 \
    "SET idle_in_transaction_session_timeout = 60000;"                         \
    "SET client_min_messages = error;"                                         \
    "SELECT set_config('synchronous_commit', 'on', false)"                     \
    " WHERE current_setting('synchronous_commit') = 'off'"

enum state { WAITING, LOOKING, CONNECTING, SETTING_UP, UP };

struct postgres_link {
    struct postgres_link_options o;
    struct postgres_link_events events;
    struct postgres_hosts hosts;
    struct postgres_host *host; /* the one that is tried or used */
    enum state state;
    PGconn *conn;
    struct loop_poll *poll;
    struct resolver_query *query;
    struct timer timer; /* back-off, or the limit of a try */
    char why[STORE_WHY_MAX];
};

static void try_next(struct postgres_link *l);

static void notice(void *unused, const char *message)
{
    (void)unused;
    (void)message; /* libpq would print it */
}

static void let_go(struct postgres_link *l)
{
    timer_cancel(&l->timer);
    if (l->query != NULL)
        resolver_cancel(l->query);
    l->query = NULL;
    loop_poll_free(l->poll); /* before libpq closes the socket */
    l->poll = NULL;
    if (l->conn != NULL)
        l->o.pq->finish(l->conn);
    l->conn = NULL;
    l->state = WAITING;
}

struct str postgres_link_why(struct postgres_link *l)
{
    const char *text = l->conn == NULL ? "" : l->o.pq->errorMessage(l->conn);
    (void)snprintf(l->why, sizeof(l->why), "%.*s", (int)strcspn(text, "\r\n"),
                   text);
    return str_from(l->why);
}

/* The try, or the connection, is over; `why` NULL: ask libpq. */
static void fail(struct postgres_link *l, const char *why)
{
    if (why != NULL)
        (void)snprintf(l->why, sizeof(l->why), "%s", why);
    else
        (void)postgres_link_why(l);
    postgres_link_drop(l);
    l->events.down(l->events.user, str_from(l->why));
}

void postgres_link_drop(struct postgres_link *l)
{
    postgres_hosts_failed(l->host, loop_now_ms(l->o.loop));
    let_go(l);
    try_next(l);
}

static void on_too_slow(struct timer *t)
{
    fail(CONTAINER_OF(t, struct postgres_link, timer),
         "the server does not answer in time");
}

static bool watch(struct postgres_link *l, int events);

bool postgres_link_flush(struct postgres_link *l)
{
    int left = l->o.pq->flush(l->conn);
    return left >= 0 &&
           loop_poll_set(l->poll, left > 0 ? LOOP_READABLE | LOOP_WRITABLE
                                           : LOOP_READABLE) == ERR_OK;
}

/* The answers to SET_UP; false: one is an error. */
static bool read_set_up(struct postgres_link *l, bool *ret_done)
{
    const struct pq *pq = l->o.pq;
    *ret_done = false;
    while (!pq->isBusy(l->conn)) {
        PGresult *res = pq->getResult(l->conn);
        if (res == NULL) {
            *ret_done = true;
            return pq->status(l->conn) == CONNECTION_OK;
        }
        ExecStatusType status = pq->resultStatus(res);
        pq->clear(res);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            return false;
    }
    return true;
}

static void set_up(struct postgres_link *l)
{
    bool done;
    if (!read_set_up(l, &done) ||
        (done && l->o.pq->enterPipelineMode(l->conn) != 1)) {
        fail(l, NULL);
    } else if (done) {
        timer_cancel(&l->timer);
        postgres_hosts_worked(l->host);
        l->state = UP;
        l->events.up(l->events.user);
    }
}

static void go_on_connecting(struct postgres_link *l)
{
    /* libpq may close the socket and open another under the same number. */
    loop_poll_free(l->poll);
    l->poll = NULL;
    const struct pq *pq = l->o.pq;
    PostgresPollingStatusType next = pq->connectPoll(l->conn);
    bool ok = next == PGRES_POLLING_FAILED
                  ? false
                  : watch(l, next == PGRES_POLLING_WRITING ? LOOP_WRITABLE
                                                           : LOOP_READABLE);
    if (ok && next == PGRES_POLLING_OK) {
        l->state = SETTING_UP;
        ok = pq->setnonblocking(l->conn, 1) == 0 &&
             pq->sendQuery(l->conn, SET_UP) == 1 && postgres_link_flush(l);
    }
    if (!ok)
        fail(l, NULL);
}

static void on_socket(void *user, int events)
{
    struct postgres_link *l = user;
    if (l->state == CONNECTING) {
        go_on_connecting(l);
        return;
    }
    bool ok = (events & LOOP_WRITABLE) == 0 || postgres_link_flush(l);
    if (ok && (events & LOOP_READABLE) != 0)
        ok = l->o.pq->consumeInput(l->conn) == 1;
    if (!ok)
        fail(l, NULL);
    else if (l->state == SETTING_UP)
        set_up(l);
    else
        l->events.readable(l->events.user);
}

static bool watch(struct postgres_link *l, int events)
{
    int fd = l->o.pq->socket(l->conn);
    return fd >= 0 &&
           loop_poll_new(l->o.loop, fd, on_socket, l, &l->poll) == ERR_OK &&
           loop_poll_set(l->poll, events) == ERR_OK;
}

/* Adds an element to a list with commas; false: it does not fit. */
static bool add_item(char list[LIST_BYTES_MAX], const char *item)
{
    size_t at = strlen(list), n = strlen(item);
    if (at + n + 2 > LIST_BYTES_MAX)
        return false;
    if (at > 0)
        list[at++] = ',';
    memcpy(list + at, item, n + 1);
    return true;
}

/* `text` as often as there are addresses, as libpq wants it. */
static void repeat(const char *text, unsigned n, char to[LIST_BYTES_MAX])
{
    to[0] = '\0';
    for (unsigned i = 0; text != NULL && i < n; i++) {
        if (!add_item(to, text))
            return; /* libpq will refuse it */
    }
}

/* Begins with the addresses (NULL: libpq needs none), which are `n`. */
static void connect_to(struct postgres_link *l, const char *addresses,
                       unsigned n)
{
    const char *keywords[POSTGRES_KEYWORDS_MAX + 4];
    const char *values[POSTGRES_KEYWORDS_MAX + 4];
    char names[LIST_BYTES_MAX], ports[LIST_BYTES_MAX];
    unsigned count = l->hosts.keyword_count;
    for (unsigned i = 0; i < count; i++) {
        keywords[i] = l->hosts.keywords[i];
        values[i] = l->hosts.values[i];
    }
    const struct {
        const char *keyword, *value;
    } more[] = {{"host", l->host->name},
                {"hostaddr", addresses},
                {"port", l->host->port}};
    repeat(l->host->name, n, names);
    repeat(l->host->port, n, ports);
    const char *repeated[] = {names, addresses, ports};
    for (size_t i = 0; i < ARRAY_LEN(more); i++) {
        if (more[i].value == NULL)
            continue;
        keywords[count] = more[i].keyword;
        values[count++] = repeated[i];
    }
    keywords[count] = values[count] = NULL;

    const struct pq *pq = l->o.pq;
    l->conn = pq->connectStartParams(keywords, values, 0);
    if (l->conn == NULL || pq->status(l->conn) == CONNECTION_BAD) {
        fail(l, l->conn == NULL ? "out of memory" : NULL);
        return;
    }
    (void)pq->setNoticeProcessor(l->conn, notice, NULL);
    l->state = CONNECTING;
    if (!watch(l, LOOP_WRITABLE)) /* as libpq wants it at first */
        fail(l, NULL);
}

static bool address_text(const struct sockaddr_storage *a, char *to, size_t n)
{
    const struct sockaddr_in *v4 = (const void *)a;
    const struct sockaddr_in6 *v6 = (const void *)a;
    const void *address = a->ss_family == AF_INET6
                              ? (const void *)&v6->sin6_addr
                              : (const void *)&v4->sin_addr;
    return inet_ntop(a->ss_family, address, to, (socklen_t)n) != NULL;
}

static void on_answer(void *user, const struct resolver_answer *a)
{
    struct postgres_link *l = user;
    l->query = NULL;
    char list[LIST_BYTES_MAX] = "";
    unsigned n = 0;
    for (unsigned i = 0; a->err == ERR_OK && i < a->count; i++) {
        char text[INET6_ADDRSTRLEN];
        if (n < ADDRESSES_MAX &&
            address_text(&a->addresses[i], text, sizeof(text)) &&
            add_item(list, text))
            n++;
    }
    if (n == 0)
        fail(l, "the name of the server is not known");
    else
        connect_to(l, list, n);
}

static void look_up(struct postgres_link *l)
{
    uint64_t port = PORT_DEFAULT;
    if (l->host->port != NULL &&
        !num_u64(str_from(l->host->port), UINT16_MAX, &port)) {
        fail(l, "the port of the server is not a number");
        return;
    }
    l->state = LOOKING;
    if (l->o.resolver == NULL ||
        resolver_ask(l->o.resolver, str_from(l->host->name), (uint16_t)port,
                     on_answer, l, &l->query) != ERR_OK)
        fail(l, "the name of the server cannot be looked up");
}

static void on_due(struct timer *t)
{
    struct postgres_link *l = CONTAINER_OF(t, struct postgres_link, timer);
    timer_set(l->o.loop, &l->timer, CONNECT_MS, on_too_slow);
    if (postgres_hosts_needs_lookup(l->host))
        look_up(l);
    else
        connect_to(l, l->host->address, 1);
}

static void try_next(struct postgres_link *l)
{
    assert(l->state == WAITING && l->conn == NULL);
    int64_t in_ms;
    l->host = postgres_hosts_next(&l->hosts, loop_now_ms(l->o.loop), &in_ms);
    timer_set(l->o.loop, &l->timer, in_ms, on_due);
}

enum err postgres_link_new(const struct postgres_link_options *o,
                           const struct postgres_link_events *events,
                           struct postgres_link **ret, const char **ret_why)
{
    *ret_why = "out of memory";
    struct postgres_link *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return ERR_NO_MEMORY;
    l->o = *o;
    l->events = *events;
    enum err e = postgres_hosts_init(&l->hosts, o->pq, o->url, ret_why);
    if (e != ERR_OK) {
        free(l);
        return e;
    }
    l->o.url = (struct str){NULL, 0}; /* was borrowed */
    try_next(l);
    *ret = l;
    return ERR_OK;
}

void postgres_link_free(struct postgres_link *l)
{
    if (l == NULL)
        return;
    let_go(l);
    postgres_hosts_release(&l->hosts, l->o.pq);
    free(l);
}

PGconn *postgres_link_conn(struct postgres_link *l)
{
    assert(l->state == UP);
    return l->conn;
}
