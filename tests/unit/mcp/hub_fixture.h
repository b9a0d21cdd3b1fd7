/*
 * hub_fixture.h - two workers, each a thread with a loop and a hub, and calls
 * that write down what they are told.
 */
#ifndef HUB_FIXTURE_H
#define HUB_FIXTURE_H

#include "fake_link.h"

#include "base/attr.h"
#include "mcp/hub.h"
#include "os/thread.h"
#include "os/timer.h"

enum { WORKERS = 2, EVENTS = 512, PATIENCE_S = 30 };

struct place {
    struct thread thread;
    struct loop *loop;
    struct hub *hub;
    struct timer awake; /* a loop runs as long as something is awaited */
};

static struct node {
    struct hub_net *net;
    struct mcp_sessions *sessions;
    struct place places[WORKERS];
    _Atomic(int) kept; /* references to settings */
} node;

/* One call, and all that it was told; guarded by its lock. */
struct probe {
    struct hub_call call;
    unsigned at; /* its worker */
    pthread_mutex_t lock;
    pthread_cond_t told;
    unsigned count;
    struct {
        enum hub_event_kind kind;
        enum method method;
        enum err err;
        bool sent, is_error, is_tool_error;
        int64_t code;
        char text[128], why[128], id[16];
    } events[EVENTS];
    struct hub_offer *offer;
    bool asks_for_more;
};

/* ---- doing something on a worker, and waiting for it ---- */

struct errand {
    void (*run)(struct place *p, void *arg);
    void *arg;
    struct place *place;
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool is_done;
};

static inline void run_errand(void *arg)
{
    struct errand *e = arg;
    e->run(e->place, e->arg);
    (void)pthread_mutex_lock(&e->lock);
    e->is_done = true;
    (void)pthread_cond_signal(&e->done);
    (void)pthread_mutex_unlock(&e->lock);
}

static inline void at(unsigned worker, void (*run)(struct place *p, void *arg),
                      void *arg)
{
    struct errand e = {.run = run,
                       .arg = arg,
                       .place = &node.places[worker],
                       .lock = PTHREAD_MUTEX_INITIALIZER,
                       .done = PTHREAD_COND_INITIALIZER};
    assert_true(loop_post(e.place->loop, run_errand, &e));
    (void)pthread_mutex_lock(&e.lock);
    while (!e.is_done)
        (void)pthread_cond_wait(&e.done, &e.lock);
    (void)pthread_mutex_unlock(&e.lock);
}

static inline void do_nothing(struct place *p, void *arg)
{
    (void)p;
    (void)arg;
}

/* Everything that was on its way has arrived, and what followed from it. */
static inline void settle(void)
{
    for (unsigned i = 0; i < 12; i++)
        at(i % WORKERS, do_nothing, NULL);
}

/* ---- the node ---- */

static inline void stay_awake(struct timer *t)
{
    struct place *p = CONTAINER_OF(t, struct place, awake);
    timer_set(p->loop, t, 60000, stay_awake);
}

static inline void run_place(void *arg)
{
    struct place *p = arg;
    loop_run(p->loop);
}

static inline void free_hub(struct place *p, void *arg)
{
    (void)arg;
    hub_free(p->hub);
    p->hub = NULL;
}

static inline void stop_place(struct place *p, void *arg)
{
    (void)arg;
    timer_cancel(&p->awake);
    loop_stop(p->loop);
}

static inline int start_node(void **state)
{
    (void)state;
    fake_reset();
    node = (struct node){.kept = 0};
    assert_int_equal(mcp_sessions_new(&node.sessions), ERR_OK);
    assert_int_equal(hub_net_new(WORKERS, &node.net), ERR_OK);
    for (unsigned i = 0; i < WORKERS; i++) {
        struct place *p = &node.places[i];
        assert_int_equal(loop_new(&p->loop), ERR_OK);
        struct hub_options o = {
            .net = node.net,
            .number = i,
            .loop = p->loop,
            .http = (struct http_client *)(void *)p, /* the fake's */
            .version = STR("1.0"),
        };
        assert_int_equal(hub_new(&o, &p->hub), ERR_OK);
        stay_awake(&p->awake);
    }
    for (unsigned i = 0; i < WORKERS; i++)
        assert_int_equal(thread_start(&node.places[i].thread, "worker",
                                      run_place, &node.places[i]),
                         ERR_OK);
    return 0;
}

static inline int stop_node(void **state)
{
    (void)state;
    for (unsigned i = 0; i < WORKERS; i++)
        at(i, free_hub, NULL);
    settle();
    for (unsigned i = 0; i < WORKERS; i++) {
        at(i, stop_place, NULL);
        thread_join(&node.places[i].thread);
    }
    hub_net_free(node.net); /* before the loops: posts may still lie there */
    for (unsigned i = 0; i < WORKERS; i++)
        loop_free(node.places[i].loop);
    mcp_sessions_free(node.sessions);
    assert_int_equal(node.kept, 0);
    assert_int_equal(fake.live, 0);
    return 0;
}

/* ---- servers and sessions ---- */

static inline void keep_ref(void *it)
{
    (void)it;
    node.kept++;
}

static inline void keep_unref(void *it)
{
    (void)it;
    node.kept--;
}

static struct tool_server_settings server = {
    .name = STR_INIT("files"),
    .transport = TRANSPORT_HTTP,
    .result_max = 1 << 20,
    .idle_ms = 60000,
    .sampling = true,
};
static struct tool_server_settings shared_server = {
    .name = STR_INIT("wiki"),
    .transport = TRANSPORT_HTTP,
    .result_max = 1 << 20,
    .idle_ms = 60000,
    .shared = true,
    .sampling = true,
};
static const struct hash digest_1 = {.bytes = {1}};
static const struct hash digest_2 = {.bytes = {2}};

static inline struct mcp_session *session_at(unsigned owner)
{
    struct mcp_session *s = NULL;
    struct mcp_session_about about = {
        .owner = owner,
        .revision = REVISION_NEWEST,
        .client_has = METHOD_HAS_SAMPLING | METHOD_HAS_ELICITATION,
    };
    hash_random(about.binding.bytes, sizeof(about.binding.bytes));
    assert_int_equal(mcp_sessions_open(node.sessions, &about, 60000, 0, &s),
                     ERR_OK);
    return s;
}

static inline struct hub_to
to_server(struct mcp_session *s, const struct tool_server_settings *server_is)
{
    return (struct hub_to){
        .session = s,
        .server = server_is,
        .digest = &digest_1,
        .keep = {.ref = keep_ref, .unref = keep_unref},
        .tenant = STR("acme"),
        .authorization = STR("Bearer secret"),
    };
}

/* ---- calls ---- */

static inline void copy(char *to, size_t room, struct str s)
{
    size_t n = s.len < room ? s.len : room - 1;
    if (n > 0)
        memcpy(to, s.ptr, n);
    to[n] = 0;
}

static inline void on_event(struct hub_call *c, const struct hub_event *e)
{
    struct probe *p = CONTAINER_OF(c, struct probe, call);
    bool more = p->asks_for_more && c->state != NULL;
    (void)pthread_mutex_lock(&p->lock);
    assert(p->count < EVENTS);
    p->events[p->count].kind = e->kind;
    p->events[p->count].method = e->method;
    p->events[p->count].err = e->err;
    p->events[p->count].sent = e->sent;
    p->events[p->count].is_error = e->is_error;
    p->events[p->count].is_tool_error = e->is_tool_error;
    p->events[p->count].code = e->code;
    copy(p->events[p->count].text, sizeof(p->events[0].text), e->text);
    copy(p->events[p->count].why, sizeof(p->events[0].why), e->why);
    copy(p->events[p->count].id, sizeof(p->events[0].id), e->id.text);
    if (e->offer != NULL) {
        hub_offer_unref(p->offer);
        p->offer = hub_offer_ref(e->offer);
    }
    p->count++;
    (void)pthread_cond_broadcast(&p->told);
    (void)pthread_mutex_unlock(&p->lock);
    if (more)
        hub_next(node.places[p->at].hub, c);
}

static inline struct probe *probe_at(unsigned worker)
{
    struct probe *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    p->call.event = on_event;
    p->at = worker;
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_cond_init(&p->told, NULL);
    return p;
}

static inline void probe_free(struct probe *p)
{
    assert_null(p->call.state);
    hub_offer_unref(p->offer);
    (void)pthread_mutex_destroy(&p->lock);
    (void)pthread_cond_destroy(&p->told);
    free(p);
}

static inline unsigned count_of(struct probe *p)
{
    (void)pthread_mutex_lock(&p->lock);
    unsigned n = p->count;
    (void)pthread_mutex_unlock(&p->lock);
    return n;
}

/* Until it has been told `n` things. */
static inline void await(struct probe *p, unsigned n)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    (void)pthread_mutex_lock(&p->lock);
    while (p->count < n)
        assert_int_equal(pthread_cond_timedwait(&p->told, &p->lock, &until), 0);
    (void)pthread_mutex_unlock(&p->lock);
}

struct request {
    struct probe *probe;
    const struct hub_to *to;
    enum {
        ASK_OPEN,
        ASK_SEND,
        ASK_LISTEN,
        ASK_NEXT,
        ASK_CANCEL,
        ASK_ANSWER
    } what;
    enum method method;
    const char *text;
    enum err result;
};

static inline void run_request(struct place *p, void *arg)
{
    struct request *r = arg;
    struct hub_call *c = &r->probe->call;
    struct message_id id = {MESSAGE_ID_STRING, str_from(r->text)};
    switch (r->what) {
    case ASK_OPEN:
        r->result = hub_open(p->hub, c, r->to);
        break;
    case ASK_SEND:
        c->number = hub_number(p->hub);
        r->result = hub_send(p->hub, c, r->to, r->method, str_from(r->text));
        break;
    case ASK_LISTEN:
        r->result = hub_listen(p->hub, c, r->to);
        break;
    case ASK_NEXT:
        hub_next(p->hub, c);
        break;
    case ASK_CANCEL:
        hub_cancel(p->hub, c, STR("enough"));
        break;
    case ASK_ANSWER:
        hub_answer(p->hub, c, id, false, STR("{}"));
        break;
    }
}

static inline void request(struct request r)
{
    at(r.probe->at, run_request, &r);
    assert_int_equal(r.result, ERR_OK);
}

static inline void open_by(struct probe *p, const struct hub_to *to)
{
    request((struct request){.probe = p, .to = to, .what = ASK_OPEN});
}

static inline void send_by(struct probe *p, const struct hub_to *to,
                           enum method m)
{
    request((struct request){
        .probe = p, .to = to, .what = ASK_SEND, .method = m, .text = "{}"});
}

static inline void next_by(struct probe *p)
{
    request((struct request){.probe = p, .what = ASK_NEXT});
}

static inline void cancel_by(struct probe *p)
{
    request((struct request){.probe = p, .what = ASK_CANCEL});
}

static inline void sweep(struct place *p, void *arg)
{
    (void)arg;
    hub_sweep(p->hub);
}

struct question {
    const struct hub_to *to;
    struct hub_offer *offer;
};

static inline void run_question(struct place *p, void *arg)
{
    struct question *q = arg;
    q->offer = hub_known(p->hub, q->to);
}

static inline bool is_known(unsigned worker, const struct hub_to *to)
{
    struct question q = {.to = to};
    at(worker, run_question, &q);
    bool known = q.offer != NULL;
    hub_offer_unref(q.offer);
    return known;
}

#endif
