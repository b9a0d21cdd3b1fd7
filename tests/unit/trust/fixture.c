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

#include "base/container.h"
#include "net/tls.h"

enum { DRIP_MS = 20 };

/* RFC 7517, appendix A.1, and RFC 7515, appendix A.3, as signing keys. */
const char *const set_one =
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"use\":\"sig\",\"kid\":"
    "\"one\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\",\"y\":"
    "\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}]}";
const char *const set_two =
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"use\":\"sig\",\"kid\":"
    "\"two\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":"
    "\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";

/* --- bodies that do not end as they should --- */

static void drip_give(struct timer *t)
{
    static char blanks[32 * 1024];
    struct drip *d = CONTAINER_OF(t, struct drip, timer);
    size_t n = d->huge ? sizeof(blanks) : 1;
    if (blanks[0] == 0)
        memset(blanks, ' ', sizeof(blanks));
    d->given += n;
    d->sink(d->reader, (struct str){blanks, n}, false, ERR_OK);
}

static void drip_pull(struct body_source *src, body_sink *sink, void *reader)
{
    struct drip *d = CONTAINER_OF(src, struct drip, source);
    d->sink = sink;
    d->reader = reader;
    timer_set(d->loop, &d->timer, d->huge ? 0 : DRIP_MS, drip_give);
}

static void drip_cancel(struct body_source *src)
{
    timer_cancel(&CONTAINER_OF(src, struct drip, source)->timer);
}

static void cut_pull(struct body_source *src, body_sink *sink, void *reader)
{
    (void)src;
    sink(reader, STR(""), false, ERR_UPSTREAM);
}

static void cut_cancel(struct body_source *src)
{
    (void)src;
}

static struct body_source cut_source = {cut_pull, cut_cancel};

static void reply_drip(struct world *w, struct http_request *r, bool huge)
{
    const struct http_response_head head = {.status = 200, .body_bytes = -1};
    timer_cancel(&w->drip.timer);
    w->drip = (struct drip){.source = {drip_pull, drip_cancel},
                            .loop = w->l,
                            .huge = huge};
    http_request_reply_stream(r, &head, &w->drip.source);
}

/* --- the server --- */

static void reply(struct http_request *r, int status, const char *location,
                  const char *text)
{
    const struct http_field field = {STR("location"), str_from(location)};
    const struct http_response_head head = {
        .status = status, .fields = {&field, location == NULL ? 0 : 1}};
    http_request_reply(r, &head, str_from(text));
}

static void answer(struct world *w, struct http_request *r, struct document *d,
                   const char *right)
{
    const struct http_response_head head = {.status = 200, .body_bytes = -1};
    d->asked++;
    switch (d->answer) {
    case ANSWER_OK:
        reply(r, 200, NULL, right);
        break;
    case ANSWER_404:
        reply(r, 404, NULL, "nothing here");
        break;
    case ANSWER_500:
        reply(r, 500, NULL, right);
        break;
    case ANSWER_REDIRECT:
        reply(r, 302, "/a/keys", right);
        break;
    case ANSWER_RESET:
        http_request_reply_stream(r, &head, &cut_source);
        http_request_cut(r);
        break;
    case ANSWER_HANG:
        break;
    case ANSWER_DRIP:
    case ANSWER_HUGE:
        reply_drip(w, r, d->answer == ANSWER_HUGE);
        break;
    case ANSWER_CUT:
        http_request_reply_stream(r, &head, &cut_source);
        break;
    case ANSWER_TEXT:
        reply(r, 200, NULL, d->text);
        break;
    }
}

static void on_request(void *user, struct http_request *r)
{
    struct world *w = user;
    struct str path = http_request_head(r)->path;
    for (size_t n = 0; n < ISSUERS; n++) {
        struct idp *i = &w->idps[n];
        char openid[64], oauth[64], keys[16], self[3 * TEXT_MAX];
        int c = 'a' + (int)n;
        (void)snprintf(openid, sizeof(openid),
                       "/%c/.well-known/openid-configuration", c);
        (void)snprintf(oauth, sizeof(oauth),
                       "/.well-known/oauth-authorization-server/%c", c);
        (void)snprintf(keys, sizeof(keys), "/%c/keys", c);
        (void)snprintf(self, sizeof(self),
                       "{\"issuer\":\"%s\",\"jwks_uri\":\"%s\",\"more\":[1]}",
                       i->issuer, i->jwks_uri);
        if (str_eq(path, str_from(openid)))
            answer(w, r, &i->openid, self);
        else if (str_eq(path, str_from(oauth)))
            answer(w, r, &i->oauth, self);
        else if (str_eq(path, str_from(keys)))
            answer(w, r, &i->keys, n == 0 ? set_one : set_two);
        else
            continue;
        return;
    }
    fail_msg("asked for %.*s", STR_FMT(path));
}

static void on_done(void *user, struct http_request *r, enum err why)
{
    (void)user;
    (void)r;
    (void)why;
}

static int listening(uint16_t *ret_port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *ret_port = ntohs(at.sin_port);
    return fd;
}

/* --- a server that resets every connection --- */

static void on_rude(void *user, int events)
{
    struct world *w = user;
    const struct linger none = {.l_onoff = 1, .l_linger = 0};
    (void)events;
    int fd = accept4(w->rude_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    w->rudeness++;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none)),
                     0);
    assert_int_equal(close(fd), 0);
}

static void open_rude(struct world *w)
{
    w->rude_fd = listening(&w->rude_port);
    assert_int_equal(loop_poll_new(w->l, w->rude_fd, on_rude, w, &w->rude),
                     ERR_OK);
    assert_int_equal(loop_poll_set(w->rude, LOOP_READABLE), ERR_OK);
}

/* --- what was told --- */

static void note(struct world *w, char c)
{
    assert_true(w->logged + 1 < LOG_MAX);
    w->log[w->logged++] = c;
}

static void on_changed(void *user, struct issuers *i)
{
    struct world *w = user;
    issuers_unref(w->now);
    w->now = i;
    w->changes++;
    note(w, 'c');
}

static void on_wanted(void *user, size_t issuer)
{
    struct world *w = user;
    w->wanted = issuer;
    w->wants++;
    note(w, 'w');
}

static void on_health(void *user, struct str alias, bool ok, struct str why)
{
    struct world *w = user;
    assert_int_equal(alias.len, 1);
    assert_true(why.len < sizeof(w->why));
    memset(w->why, 0, sizeof(w->why));
    if (why.len > 0)
        memcpy(w->why, why.ptr, why.len);
    if (ok)
        w->good++;
    else
        w->bad++;
    note(w, ok ? 'g' : 'b');
}

/* --- the certificate --- */

static void add_extension(X509 *x, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(e);
    assert_int_equal(X509_add_ext(x, e, -1), 1);
    X509_EXTENSION_free(e);
}

static void write_certificate(struct world *w, X509 *x, EVP_PKEY *key)
{
    (void)snprintf(w->dir, sizeof(w->dir), "/tmp/writ-trust-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    (void)snprintf(w->ca, sizeof(w->ca), "%s/cert.pem", w->dir);
    (void)snprintf(w->key, sizeof(w->key), "%s/key.pem", w->dir);
    FILE *f = fopen(w->ca, "we");
    assert_non_null(f);
    assert_int_equal(PEM_write_X509(f, x), 1);
    assert_int_equal(fclose(f), 0);
    f = fopen(w->key, "we");
    assert_non_null(f);
    assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL),
                     1);
    assert_int_equal(fclose(f), 0);
}

static void make_certificate(struct world *w)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    const unsigned char name[] = "issuer";
    assert_non_null(key);
    assert_non_null(x);
    assert_int_equal(X509_set_version(x, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), -3600));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 86400));
    assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN",
                                                MBSTRING_ASC, name, -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(x, X509_get_subject_name(x)), 1);
    assert_int_equal(X509_set_pubkey(x, key), 1);
    add_extension(x, NID_subject_alt_name, "IP:127.0.0.1");
    add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    write_certificate(w, x, key);
    X509_free(x);
    EVP_PKEY_free(key);
}

static void load_certificate(struct world *w)
{
    const struct tls_server_options o = {.cert_file = str_from(w->ca),
                                         .key_file = str_from(w->key),
                                         .http2 = true};
    const char *why = "";
    if (tls_context_server(&o, &w->tls, &why) != ERR_OK)
        fail_msg("%s", why);
}

/* --- the whole --- */

static void describe(struct world *w)
{
    static const struct str audience = STR_INIT("https://gw.example");
    static const struct str kind = STR_INIT("workload");
    static const struct str tenant = STR_INIT("acme");
    for (size_t n = 0; n < ISSUERS; n++) {
        struct idp *i = &w->idps[n];
        int c = 'a' + (int)n;
        (void)snprintf(i->issuer, sizeof(i->issuer), "http%s://127.0.0.1:%d/%c",
                       w->tls != NULL ? "s" : "", w->port, c);
        (void)snprintf(i->jwks_uri, sizeof(i->jwks_uri),
                       "http%s://127.0.0.1:%d/%c/keys",
                       w->tls != NULL ? "s" : "", w->port, c);
        w->issuers[n] = (struct issuer_settings){
            .alias = n == 0 ? STR("a") : STR("b"),
            .issuer = str_from(i->issuer),
            .audience = {&audience, 1},
            .kinds = {&kind, 1},
            .tenants = {&tenant, 1},
            .ca = str_from(w->ca),
            .refresh_ms = 3600 * 1000,
            .max_stale_ms = (int64_t)24 * 3600 * 1000,
        };
    }
    w->settings =
        (struct settings){.issuers = w->issuers, .issuer_count = ISSUERS};
}

static void open_world(struct world *w, bool tls)
{
    static const struct http_server_events server_events = {on_request,
                                                            on_done};
    static const struct http_server_options server_options = {
        .head_timeout_ms = 10000,
        .body_idle_ms = 10000,
        .idle_timeout_ms = 10000,
        .write_idle_ms = 10000,
        .connections_max = 100,
        .h2_streams_max = 100,
    };
    static const struct http_client_options client_options = {
        .connect_timeout_ms = 5000,
        .idle_timeout_ms = 5000,
        .pool_max = 8,
        .connections_max = 8,
    };
    const struct trust_events events = {on_changed, on_wanted, on_health, w};
    memset(w, 0, sizeof(*w));
    w->times = (struct trust_times){
        .want_ms = TRUST_WANT_MS,
        .fetch_ms = 10000, /* a busy machine has to make it */
        .retry_min_ms = 20,
        .retry_max_ms = 100,
        .pause_min_ms = 5,
        .watch_ms = 5000,
    };
    make_certificate(w); /* the system's many roots take their time */
    if (tls)
        load_certificate(w);
    assert_int_equal(loop_new(&w->l), ERR_OK);
    assert_int_equal(http_server_new(w->l, &server_options, &server_events, w,
                                     &w->server),
                     ERR_OK);
    open_rude(w);
    int fd = listening(&w->port);
    assert_int_equal(http_server_listen(w->server, fd, w->tls), ERR_OK);
    assert_int_equal(http_client_new(w->l, NULL, &client_options, &w->client),
                     ERR_OK);
    assert_int_equal(trust_new(w->l, w->client, &events, &w->trust), ERR_OK);
    world_set_times(w);
    describe(w);
}

void world_open(struct world *w)
{
    open_world(w, false);
}

void world_open_tls(struct world *w)
{
    open_world(w, true);
}

void world_close(struct world *w)
{
    trust_free(w->trust);
    http_client_free(w->client);
    http_server_free(w->server);
    timer_cancel(&w->drip.timer);
    loop_poll_free(w->rude);
    assert_int_equal(close(w->rude_fd), 0);
    world_turn(w, 10);
    timer_cancel(&w->timer);
    issuers_unref(w->now);
    tls_context_unref(w->tls);
    loop_free(w->l);
    (void)unlink(w->ca);
    (void)unlink(w->key);
    (void)rmdir(w->dir);
}

void world_set_times(struct world *w)
{
    trust_set_times(w->trust, &w->times);
}

void world_use(struct world *w)
{
    assert_int_equal(trust_use(w->trust, &w->settings), ERR_OK);
}

static void on_timer(struct timer *t)
{
    struct world *w = CONTAINER_OF(t, struct world, timer);
    w->timed_out = true;
    loop_stop(w->l);
}

void world_turn(struct world *w, int64_t ms)
{
    w->timed_out = false;
    timer_set(w->l, &w->timer, ms, on_timer);
    while (!w->timed_out)
        loop_run(w->l);
}

struct condition {
    struct loop_hook hook;
    struct world *w;
    bool (*done)(struct world *w, size_t n);
    size_t n;
};

static void check_condition(struct loop_hook *h)
{
    struct condition *c = CONTAINER_OF(h, struct condition, hook);
    if (c->done(c->w, c->n))
        loop_stop(c->w->l);
}

void world_wait(struct world *w, bool (*done)(struct world *w, size_t n),
                size_t n)
{
    struct condition c = {{.run = check_condition}, w, done, n};
    w->timed_out = false;
    loop_hook_add(w->l, &c.hook);
    timer_set(w->l, &w->timer, 10000, on_timer);
    while (!w->timed_out && !done(w, n))
        loop_run(w->l);
    timer_cancel(&w->timer);
    loop_hook_remove(&c.hook);
    if (!done(w, n))
        fail_msg("waited in vain; told so far: %s %s", w->log, w->why);
}

bool world_has_key(const struct world *w, size_t issuer, const char *kid)
{
    return w->now != NULL && issuers_has_key(w->now, issuer, str_from(kid));
}

size_t world_asked(const struct idp *i)
{
    return i->openid.asked + i->oauth.asked + i->keys.asked;
}

bool has_changes(struct world *w, size_t n)
{
    return w->changes >= n;
}

bool has_wants(struct world *w, size_t n)
{
    return w->wants >= n;
}

bool has_bad(struct world *w, size_t n)
{
    return w->bad >= n;
}

bool has_good(struct world *w, size_t n)
{
    return w->good >= n;
}

bool has_keys(struct world *w, size_t n)
{
    return n < w->settings.issuer_count && world_has_key(w, n, "");
}
