/* resolver.c - see resolver.h. */
#include "net/resolver.h"

#include <ares.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/container.h"
#include "base/map.h"
#include "net/address.h"
#include "os/loop.h"
#include "os/timer.h"

enum {
    NAME_LEN_MAX = 253, /* RFC 1035, as text */
    TTL_MIN_MS = 1000,
    TRY_MS = 2000, /* per server and try; the asker's deadline is shorter */
    TRIES = 3,
};

/* A name: asked for now, or with an answer. */
struct name {
    struct resolver *r;
    struct list used; /* in r->names, the longest unused first */
    struct list waiting;
    size_t queries; /* that wait, or are ready */
    bool asking;
    int64_t until_ms; /* the answer is good; loop_now_ms() terms */
    struct resolver_answer answer;
    size_t len;
    char text[]; /* lower case, NUL-terminated */
};

struct resolver_query {
    struct list node; /* in name->waiting or r->ready */
    struct name *name;
    uint16_t port;
    void (*answer)(void *user, const struct resolver_answer *a);
    void *user;
};

struct watch {
    struct list node; /* in r->watches */
    struct resolver *r;
    struct loop_poll *poll;
    ares_socket_t fd;
};

struct resolver {
    struct loop *loop;
    ares_channel ares;
    struct map by_text;
    struct list names, ready, watches;
    struct loop_hook hook; /* gives out what is ready */
    struct timer timer;    /* c-ares' own time-outs */
};

static void on_time(struct timer *t);

/* After every call into c-ares: when does it want to be called again? */
static void set_timer(struct resolver *r)
{
    struct timeval tv;
    struct timeval *next = ares_timeout(r->ares, NULL, &tv);
    if (next == NULL)
        timer_cancel(&r->timer);
    else
        timer_set(r->loop, &r->timer,
                  (int64_t)next->tv_sec * 1000 + next->tv_usec / 1000 + 1,
                  on_time);
}

static void on_time(struct timer *t)
{
    struct resolver *r = CONTAINER_OF(t, struct resolver, timer);
    ares_process_fd(r->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    set_timer(r);
}

static void on_socket(void *user, int events)
{
    struct watch *w = user;
    struct resolver *r = w->r;
    ares_socket_t fd = w->fd; /* `w` may be gone after the first call */
    ares_process_fd(r->ares,
                    (events & LOOP_READABLE) != 0 ? fd : ARES_SOCKET_BAD,
                    (events & LOOP_WRITABLE) != 0 ? fd : ARES_SOCKET_BAD);
    set_timer(r);
}

static void drop_watch(struct watch *w)
{
    list_remove(&w->node);
    loop_poll_free(w->poll);
    free(w);
}

static struct watch *find_watch(struct resolver *r, ares_socket_t fd)
{
    LIST_EACH(node, next, &r->watches)
    {
        struct watch *w = CONTAINER_OF(node, struct watch, node);
        if (w->fd == fd)
            return w;
    }
    return NULL;
}

static struct watch *new_watch(struct resolver *r, ares_socket_t fd)
{
    struct watch *w = calloc(1, sizeof(*w));
    if (w == NULL)
        return NULL;
    *w = (struct watch){.r = r, .fd = fd};
    if (loop_poll_new(r->loop, fd, on_socket, w, &w->poll) != ERR_OK) {
        free(w);
        return NULL;
    }
    list_push(&r->watches, &w->node);
    return w;
}

/* c-ares opens, watches and closes its sockets through here.  One that we
 * cannot watch times out in c-ares. */
static void on_socket_state(void *user, ares_socket_t fd, int read, int write)
{
    struct resolver *r = user;
    struct watch *w = find_watch(r, fd);
    if (read == 0 && write == 0) {
        if (w != NULL)
            drop_watch(w);
        return;
    }
    if (w == NULL)
        w = new_watch(r, fd);
    if (w == NULL)
        return;
    enum err e = loop_poll_set(w->poll, (read != 0 ? LOOP_READABLE : 0) |
                                            (write != 0 ? LOOP_WRITABLE : 0));
    if (e != ERR_OK)
        drop_watch(w);
}

/* The waiting queries become ready; the hook tells them. */
static void make_ready(struct name *n)
{
    LIST_EACH(node, next, &n->waiting)
    {
        list_remove(node);
        list_push(&n->r->ready, node);
    }
    loop_hook_again(n->r->loop);
}

static void set_port(struct sockaddr_storage *a, uint16_t port)
{
    if (a->ss_family == AF_INET)
        ((struct sockaddr_in *)a)->sin_port = htons(port);
    else
        ((struct sockaddr_in6 *)a)->sin6_port = htons(port);
}

static void drop_name(struct name *n)
{
    struct resolver *r = n->r;
    assert(n->queries == 0 && !n->asking);
    (void)map_take(&r->by_text, (struct str){n->text, n->len});
    list_remove(&n->used);
    free(n);
}

/* After this its name may be dropped. */
static void drop_query(struct resolver_query *q)
{
    assert(q->name->queries > 0);
    q->name->queries--;
    list_remove(&q->node);
    free(q);
}

static struct resolver_query *take_ready(struct resolver *r)
{
    struct list *node = r->ready.next;
    r->ready.next = node->next;
    node->next->prev = &r->ready;
    list_init(node);
    return CONTAINER_OF(node, struct resolver_query, node);
}

static void on_turn_end(struct loop_hook *h)
{
    struct resolver *r = CONTAINER_OF(h, struct resolver, hook);
    while (!list_empty(&r->ready)) {
        struct resolver_query *q = take_ready(r);
        struct resolver_answer a = q->name->answer;
        for (unsigned i = 0; i < a.count; i++)
            set_port(&a.addresses[i], q->port);
        struct resolver_query told = *q; /* nobody may cancel it now */
        drop_query(q);
        told.answer(told.user, &a);
    }
}

/* Copies the addresses; returns the shortest TTL, in seconds. */
static int take_addresses(struct resolver_answer *to,
                          const struct ares_addrinfo *info)
{
    int ttl = RESOLVER_TTL_MAX_MS / 1000;
    for (const struct ares_addrinfo_node *n = info->nodes;
         n != NULL && to->count < RESOLVER_ADDRESSES_MAX; n = n->ai_next) {
        if (n->ai_family != AF_INET && n->ai_family != AF_INET6)
            continue;
        assert(n->ai_addrlen <= sizeof(to->addresses[0]));
        memcpy(&to->addresses[to->count++], n->ai_addr, n->ai_addrlen);
        if (n->ai_ttl < ttl)
            ttl = n->ai_ttl;
    }
    return ttl;
}

static void on_resolved(void *user, int status, int timeouts,
                        struct ares_addrinfo *info)
{
    (void)timeouts;
    struct name *n = user;
    n->asking = false;
    n->answer.count = 0;
    int ttl = 0;
    if (status == ARES_SUCCESS)
        ttl = take_addresses(&n->answer, info);
    if (info != NULL)
        ares_freeaddrinfo(info);
    n->answer.err = n->answer.count > 0 ? ERR_OK : ERR_CONNECT;
    int64_t keep_ms = (int64_t)ttl * 1000;
    n->until_ms =
        loop_now_ms(n->r->loop) + (keep_ms < TTL_MIN_MS ? TTL_MIN_MS : keep_ms);
    make_ready(n);
}

static void ask(struct name *n)
{
    struct resolver *r = n->r;
    struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC,
                                        .ai_socktype = SOCK_STREAM,
                                        .ai_flags = ARES_AI_NUMERICSERV};
    n->asking = true;
    ares_getaddrinfo(r->ares, n->text, NULL, &hints, on_resolved, n);
    set_timer(r);
}

/* Makes room: the name that nobody waits for and was used longest ago goes. */
static bool make_room(struct resolver *r)
{
    if (map_count(&r->by_text) < RESOLVER_NAMES_MAX)
        return true;
    LIST_EACH(node, next, &r->names)
    {
        struct name *n = CONTAINER_OF(node, struct name, used);
        if (n->queries == 0 && !n->asking) {
            drop_name(n);
            return true;
        }
    }
    return false;
}

static struct name *new_name(struct resolver *r, struct str text)
{
    struct name *n = make_room(r) ? calloc(1, sizeof(*n) + text.len + 1) : NULL;
    if (n == NULL)
        return NULL;
    n->r = r;
    n->len = text.len;
    memcpy(n->text, text.ptr, text.len);
    list_init(&n->waiting);
    if (map_set(&r->by_text, (struct str){n->text, n->len}, n) != ERR_OK) {
        free(n);
        return NULL;
    }
    list_push(&r->names, &n->used);
    return n;
}

/* A name in lower case, of characters that a host name may have. */
static bool normal_text(struct str host, char to[NAME_LEN_MAX])
{
    if (host.len == 0 || host.len > NAME_LEN_MAX)
        return false;
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
        if (!fine)
            return false;
        to[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    return true;
}

/* A literal is a name whose answer is good for ever. */
static bool is_literal(struct str host, struct resolver_answer *ret)
{
    *ret = (struct resolver_answer){.count = 1};
    return address_parse(host, 0, &ret->addresses[0]);
}

enum err resolver_ask(struct resolver *r, struct str host, uint16_t port,
                      void (*answer)(void *user,
                                     const struct resolver_answer *a),
                      void *user, struct resolver_query **ret_query)
{
    char text[NAME_LEN_MAX];
    struct resolver_answer literal;
    bool is_address = is_literal(host, &literal);
    if (!is_address) {
        if (!normal_text(host, text))
            return ERR_CONNECT;
        host.ptr = text;
    }
    struct name *n = map_get(&r->by_text, host);
    if (n == NULL)
        n = new_name(r, host);
    struct resolver_query *q = n == NULL ? NULL : calloc(1, sizeof(*q));
    if (q == NULL)
        return ERR_NO_MEMORY;
    *q = (struct resolver_query){.name = n,
                                 .port = port,
                                 .answer = answer,
                                 .user = user};
    list_push(&n->waiting, &q->node);
    n->queries++;
    list_remove(&n->used);
    list_push(&r->names, &n->used);

    if (is_address) {
        n->answer = literal;
        make_ready(n);
    } else if (n->until_ms > loop_now_ms(r->loop)) {
        make_ready(n);
    } else if (!n->asking) {
        ask(n);
    }
    *ret_query = q;
    return ERR_OK;
}

void resolver_cancel(struct resolver_query *q)
{
    drop_query(q);
}

enum err resolver_new(struct loop *l, struct resolver **ret)
{
    struct resolver *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return ERR_NO_MEMORY;
    /* c-ares needs no global initialisation on this system. */
    struct ares_options options = {.timeout = TRY_MS,
                                   .tries = TRIES,
                                   .sock_state_cb = on_socket_state,
                                   .sock_state_cb_data = r};
    int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
    if (ares_init_options(&r->ares, &options, mask) != ARES_SUCCESS) {
        free(r);
        return ERR_NO_MEMORY;
    }
    r->loop = l;
    map_init(&r->by_text, loop_seed(l), RESOLVER_NAMES_MAX);
    list_init(&r->names);
    list_init(&r->ready);
    list_init(&r->watches);
    r->hook.run = on_turn_end;
    loop_hook_add(l, &r->hook);
    *ret = r;
    return ERR_OK;
}

enum err resolver_set_servers(struct resolver *r, const char *servers)
{
    return ares_set_servers_ports_csv(r->ares, servers) == ARES_SUCCESS
               ? ERR_OK
               : ERR_CONFIG;
}

static void free_queries(struct list *queries)
{
    LIST_EACH(node, next, queries)
    drop_query(CONTAINER_OF(node, struct resolver_query, node));
}

void resolver_free(struct resolver *r)
{
    if (r == NULL)
        return;
    ares_destroy(r->ares); /* ends what is being asked */
    timer_cancel(&r->timer);
    loop_hook_remove(&r->hook);
    free_queries(&r->ready);
    LIST_EACH(node, next, &r->names)
    {
        struct name *n = CONTAINER_OF(node, struct name, used);
        free_queries(&n->waiting);
        drop_name(n);
    }
    LIST_EACH(watch, after, &r->watches)
    drop_watch(CONTAINER_OF(watch, struct watch, node));
    map_release(&r->by_text);
    free(r);
}
