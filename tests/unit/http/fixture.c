/* fixture.c - see fixture.h. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "net/listener.h"
#include "net/tls.h"

/* --- the loop --- */

static void on_timer(struct timer *t)
{
    struct world *w = CONTAINER_OF(t, struct world, timer);
    w->timed_out = true;
    loop_stop(w->l);
}

struct condition {
    struct loop_hook hook;
    struct world *w;
    bool (*done)(void *arg);
    void *arg;
};

static void check_condition(struct loop_hook *h)
{
    struct condition *c = CONTAINER_OF(h, struct condition, hook);
    if (c->done(c->arg))
        loop_stop(c->w->l);
}

void world_wait(struct world *w, bool (*done)(void *arg), void *arg)
{
    struct condition c = {{.run = check_condition}, w, done, arg};
    if (done(arg))
        return;
    w->timed_out = false;
    loop_hook_add(w->l, &c.hook);
    timer_set(w->l, &w->timer, 10000, on_timer);
    while (!w->timed_out && !done(arg))
        loop_run(w->l);
    timer_cancel(&w->timer);
    loop_hook_remove(&c.hook);
    if (!done(arg))
        fail_msg("waited in vain");
}

void world_turn(struct world *w, int64_t ms)
{
    w->timed_out = false;
    timer_set(w->l, &w->timer, ms, on_timer);
    while (!w->timed_out)
        loop_run(w->l);
}

size_t world_wait_still(struct world *w, const size_t *at,
                        const struct stream *s)
{
    size_t was, is = at != NULL ? *at : stream_queued(s);
    int turns = 0;
    do {
        assert_true(turns++ < 100);
        world_turn(w, 150);
        was = is;
        is = at != NULL ? *at : stream_queued(s);
    } while (was != is);
    return is;
}

struct count {
    const size_t *at;
    size_t n;
};

static bool has_count(void *arg)
{
    const struct count *c = arg;
    return *c->at >= c->n;
}

void world_wait_seen(struct world *w, size_t n)
{
    struct count c = {&w->seen_count, n};
    world_wait(w, has_count, &c);
}

void world_wait_done(struct world *w, size_t n)
{
    struct count c = {&w->done_count, n};
    world_wait(w, has_count, &c);
}

/* --- the server --- */

static void on_request(void *user, struct http_request *r)
{
    struct world *w = user;
    assert_true(w->seen_count < SEEN_MAX);
    struct seen *s = &w->seen[w->seen_count++];
    *s = (struct seen){.r = r, .w = w};
    http_request_set_user(r, s);
    w->handle(s);
}

static void on_done(void *user, struct http_request *r, enum err why)
{
    struct world *w = user;
    struct seen *s = http_request_user(r);
    assert_ptr_equal(s->r, r);
    s->dones++;
    s->why = why;
    s->r = NULL;
    w->done_count++;
}

static int listening(uint16_t *ret_port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(fd, 1024), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *ret_port = ntohs(at.sin_port);
    return fd;
}

void world_open(struct world *w)
{
    memset(w, 0, sizeof(*w));
    w->options = (struct http_server_options){
        .head_timeout_ms = 5000,
        .body_idle_ms = 5000,
        .idle_timeout_ms = 5000,
        .write_idle_ms = 5000,
        .connections_max = 1000,
        .h2_streams_max = 1000,
    };
    w->handle = reply_ok;
    assert_int_equal(loop_new(&w->l), ERR_OK);
}

void world_serve(struct world *w)
{
    static const struct http_server_events events = {on_request, on_done};
    assert_int_equal(http_server_new(w->l, &w->options, &events, w, &w->server),
                     ERR_OK);
    int fd = listening(&w->port);
    assert_int_equal(http_server_listen(w->server, fd, w->accept_tls), ERR_OK);
}

void world_close(struct world *w)
{
    http_server_free(w->server);
    world_turn(w, 10);
    for (size_t i = 0; i < w->seen_count; i++)
        assert_int_equal(w->seen[i].dones, 1);
    timer_cancel(&w->timer);
    tls_context_unref(w->accept_tls);
    tls_context_unref(w->dial_tls);
    loop_free(w->l);
    if (w->dir[0] != '\0') {
        char path[96];
        (void)snprintf(path, sizeof(path), "%s/cert.pem", w->dir);
        (void)unlink(path);
        (void)snprintf(path, sizeof(path), "%s/key.pem", w->dir);
        (void)unlink(path);
        (void)rmdir(w->dir);
    }
}

static void add_extension(X509 *x, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(e);
    assert_int_equal(X509_add_ext(x, e, -1), 1);
    X509_EXTENSION_free(e);
}

static void make_certificate(const char *cert_path, const char *key_path)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    assert_non_null(key);
    assert_non_null(x);
    assert_int_equal(X509_set_version(x, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), -3600));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 86400));
    assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN",
                                                MBSTRING_ASC,
                                                (const unsigned char *)"test",
                                                -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(x, X509_get_subject_name(x)), 1);
    assert_int_equal(X509_set_pubkey(x, key), 1);
    add_extension(x, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
    add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);

    FILE *f = fopen(cert_path, "we");
    assert_non_null(f);
    assert_int_equal(PEM_write_X509(f, x), 1);
    assert_int_equal(fclose(f), 0);
    f = fopen(key_path, "we");
    assert_non_null(f);
    assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL),
                     1);
    assert_int_equal(fclose(f), 0);
    X509_free(x);
    EVP_PKEY_free(key);
}

void world_use_tls(struct world *w, bool http2)
{
    char cert[96], key[96];
    const char *why = "";
    (void)snprintf(w->dir, sizeof(w->dir), "/tmp/writ-http-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    (void)snprintf(cert, sizeof(cert), "%s/cert.pem", w->dir);
    (void)snprintf(key, sizeof(key), "%s/key.pem", w->dir);
    make_certificate(cert, key);
    const struct tls_server_options server = {.cert_file = str_from(cert),
                                              .key_file = str_from(key),
                                              .http2 = http2};
    const struct tls_client_options client = {.ca_file = str_from(cert),
                                              .http2 = http2};
    if (tls_context_server(&server, &w->accept_tls, &why) != ERR_OK ||
        tls_context_client(&client, &w->dial_tls, &why) != ERR_OK)
        fail_msg("%s", why);
}

/* --- handlers --- */

void reply_text(struct seen *s, int status, struct str body)
{
    const struct http_field type = {STR("content-type"), STR("text/plain")};
    const struct http_response_head head = {.status = status,
                                            .fields = {&type, 1}};
    http_request_reply(s->r, &head, body);
}

void reply_ok(struct seen *s)
{
    reply_text(s, 200, STR("ok"));
}

void never_reply(struct seen *s)
{
    (void)s;
}

static void note_body(struct seen *s, struct str body, enum err e)
{
    s->body_reads++;
    s->body_err = e;
    s->body_len = body.len;
}

static void on_body(void *user, struct str body, enum err e)
{
    note_body(user, body, e);
    if (e == ERR_OK)
        reply_ok(user);
    else
        reply_text(user, err_http_status(e), str_from(err_code(e)));
}

void read_then_ok(struct seen *s)
{
    http_request_read(s->r, MIB, on_body, s);
}

static void on_body_echo(void *user, struct str body, enum err e)
{
    note_body(user, body, e);
    reply_text(user, err_http_status(e), body);
}

void read_then_echo(struct seen *s)
{
    http_request_read(s->r, 16 * MIB, on_body_echo, s);
}

/* --- raw peers --- */

static void on_opened(void *user)
{
    ((struct peer *)user)->opened = true;
}

static void on_peer_data(void *user, struct str bytes)
{
    struct peer *p = user;
    if (!p->forgets)
        assert_true(buf_add(&p->got, bytes));
    if (p->on_data != NULL)
        p->on_data(p);
}

static void on_ended(void *user)
{
    ((struct peer *)user)->ended = true;
}

static void on_drained(void *user)
{
    (void)user;
}

static void on_closed(void *user, enum err why)
{
    struct peer *p = user;
    p->closed = true;
    p->why = why;
    p->s = NULL;
}

static const struct stream_events peer_events = {on_opened, on_peer_data,
                                                 on_ended, on_drained,
                                                 on_closed};

static void peer_init(struct peer *p, struct world *w)
{
    *p = (struct peer){.w = w};
    buf_init(&p->got, 64 * MIB);
}

static bool is_opened(void *p)
{
    return ((struct peer *)p)->opened;
}

static bool is_closed(void *p)
{
    return ((struct peer *)p)->closed;
}

static bool is_ended(void *p)
{
    return ((struct peer *)p)->ended || ((struct peer *)p)->closed;
}

void peer_dial(struct peer *p, struct world *w)
{
    peer_init(p, w);
    const struct stream_target target = {.host = STR("127.0.0.1"),
                                         .port = w->port,
                                         .tls = w->dial_tls,
                                         .allow_local = true};
    assert_int_equal(stream_dial(w->l, NULL, &target, 5000, &peer_events, p,
                                 &p->s),
                     ERR_OK);
    world_wait(w, is_opened, p);
}

void peer_write(struct peer *p, struct str bytes)
{
    assert_non_null(p->s);
    assert_int_equal(stream_write(p->s, &bytes, 1), ERR_OK);
}

void peer_close(struct peer *p)
{
    if (p->s != NULL)
        stream_close(p->s);
    world_wait(p->w, is_closed, p);
}

void peer_release(struct peer *p)
{
    peer_close(p);
    buf_release(&p->got);
}

size_t peer_count(const struct peer *p, const char *text)
{
    size_t n = 0, len = strlen(text);
    struct str got = buf_str(&p->got);
    while (got.len >= len) {
        const char *at = memmem(got.ptr, got.len, text, len);
        if (at == NULL)
            break;
        n++;
        got = str_skip(got, (size_t)(at - got.ptr) + len);
    }
    return n;
}

bool peer_has(const struct peer *p, const char *text)
{
    return peer_count(p, text) > 0;
}

struct text {
    struct peer *p;
    const char *text;
};

static bool has_text(void *arg)
{
    const struct text *t = arg;
    return peer_has(t->p, t->text) || t->p->closed;
}

void peer_wait_text(struct peer *p, const char *text)
{
    struct text t = {p, text};
    world_wait(p->w, has_text, &t);
    if (!peer_has(p, text))
        fail_msg("closed without \"%s\", after \"%.*s\"", text,
                 STR_FMT(buf_str(&p->got)));
}

void peer_wait_ended(struct peer *p)
{
    world_wait(p->w, is_ended, p);
}

/* --- a scripted destination --- */

static void on_accepted(void *user, int fd)
{
    struct upstream *u = user;
    assert_true(u->count < UPSTREAM_PEERS_MAX);
    struct peer *p = &u->peers[u->count++];
    peer_init(p, u->w);
    p->opened = true;
    p->on_data = u->on_data;
    p->user = u;
    assert_int_equal(stream_accept(u->w->l, fd, NULL, &peer_events, p, &p->s),
                     ERR_OK);
}

void upstream_open(struct upstream *u, struct world *w,
                   void (*on_data)(struct peer *p))
{
    memset(u, 0, sizeof(*u));
    u->w = w;
    u->on_data = on_data;
    int fd = listening(&u->port);
    assert_int_equal(listener_open(w->l, fd, on_accepted, u, &u->listener),
                     ERR_OK);
}

void upstream_close(struct upstream *u)
{
    listener_close(u->listener);
    for (size_t i = 0; i < u->count; i++)
        peer_release(&u->peers[i]);
}

/* --- bodies --- */

static void pattern_answer(struct pattern *p)
{
    size_t n = p->left < p->piece ? p->left : p->piece;
    body_sink *sink = p->sink;
    p->left -= n;
    p->given += n;
    p->sink = NULL;
    p->ended = p->left == 0;
    bool fails = p->ended && p->fails != ERR_OK;
    sink(p->reader, (struct str){p->bytes, fails ? 0 : n}, p->ended && !fails,
         fails ? p->fails : ERR_OK);
}

static void pattern_fire(struct timer *t)
{
    pattern_answer(CONTAINER_OF(t, struct pattern, timer));
}

static void pattern_pull(struct body_source *src, body_sink *sink, void *reader)
{
    struct pattern *p = CONTAINER_OF(src, struct pattern, source);
    assert_false(p->ended);
    assert_null(p->sink);
    assert_int_equal(p->cancels, 0);
    p->pulls++;
    p->sink = sink;
    p->reader = reader;
    if (p->every_ms == 0)
        pattern_answer(p);
    else
        timer_set(p->w->l, &p->timer, p->every_ms, pattern_fire);
}

static void pattern_cancel(struct body_source *src)
{
    struct pattern *p = CONTAINER_OF(src, struct pattern, source);
    assert_false(p->ended);
    assert_int_equal(p->cancels, 0);
    p->cancels++;
    timer_cancel(&p->timer);
}

void pattern_init(struct pattern *p, struct world *w, size_t left, size_t piece)
{
    memset(p, 0, sizeof(*p));
    p->source = (struct body_source){pattern_pull, pattern_cancel};
    p->w = w;
    p->left = left;
    p->piece = piece;
    for (size_t i = 0; i < sizeof(p->bytes); i++)
        p->bytes[i] = (char)('a' + i % 26);
}

void sink_init(struct sink *s)
{
    *s = (struct sink){.e = ERR_OK};
    buf_init(&s->got, 256 * MIB);
}

static void on_piece(void *reader, struct str piece, bool last, enum err e)
{
    struct sink *s = reader;
    s->busy = false;
    assert_true(piece.len <= BODY_PIECE_MAX);
    assert_true(buf_add(&s->got, piece));
    if (last || e != ERR_OK) {
        s->ended = true;
        s->e = e;
        s->src = NULL;
    } else if (s->stop_at == 0 || s->got.len < s->stop_at) {
        sink_pull(s);
    }
}

void sink_pull(struct sink *s)
{
    assert_false(s->busy);
    s->busy = true;
    s->src->pull(s->src, on_piece, s);
}

void sink_start(struct sink *s, struct body_source *src)
{
    s->src = src;
    sink_pull(s);
}

void sink_release(struct sink *s)
{
    buf_release(&s->got);
}
