/* gateway_admin.c - see gateway_admin.h. */
#include "app/gateway_admin.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/accounts.h"
#include "admin/api.h"
#include "admin/changes.h"
#include "admin/lockout.h"
#include "admin/logins.h"
#include "admin/metrics.h"
#include "admin/people.h"
#include "admin/people_enrolment.h"
#include "admin/tickets.h"
#include "app/gateway_admin_guard.h"
#include "app/gateway_catalog.h"
#include "app/gateway_registry.h"
#include "app/gateway_sessions.h"
#include "app/gateway_state.h"
#include "base/log.h"
#include "evidence/evidence.h"
#include "http/server.h"
#include "net/tls.h"
#include "pipeline/exchange.h"
#include "registry/registry.h"

enum { CONNECTIONS_MAX = 256, AUTHOR_MAX = 96, ADDRESS_MAX = 512 };

struct gateway_admin {
    struct gateway *gateway;
    struct admin_host host;
    struct worker plane; /* of the listener; it only answers */
    struct tls_context *tls;
    struct gateway_admin_guard guard;
};

/* One request on its way. */
struct admin_request {
    struct admin_call call;
    struct gateway_admin *admin;
    struct exchange *exchange;
    char author[AUTHOR_MAX];
};

/* ---- what the API asks of the process ---- */

static const struct settings *settings_of(void *user)
{
    const struct gateway_admin *a = user;
    return &a->gateway->control.snapshot->settings;
}

static const struct limit_rules *limit_rules_of(void *user)
{
    const struct gateway_admin *a = user;
    return a->gateway->control.snapshot->limits;
}

static void spread(void *user, void (*done)(void *arg), void *arg)
{
    const struct gateway_admin *a = user;
    gateway_spread(a->gateway, done, arg);
}

static void keep_sessions(void *user, void (*done)(void *arg, bool kept),
                          void *arg)
{
    const struct gateway_admin *a = user;
    gateway_sessions_keep(a->gateway->sessions, done, arg);
}

static struct catalog *catalog_of(void *user)
{
    const struct gateway_admin *a = user;
    return a->gateway->control.catalog;
}

static enum err approve_tool(void *user, const struct admin_tool_approval *to,
                             void (*done)(void *arg, enum err e), void *arg)
{
    const struct gateway_admin *a = user;
    return gateway_catalog_approve(a->gateway, to, done, arg);
}

static void status(void *user, struct buf *to)
{
    const struct gateway_admin *a = user;
    gateway_status_write(a->gateway, to);
}

static void figures(void *user, struct metrics_figures *ret)
{
    const struct gateway_admin *a = user;
    gateway_status_figures(a->gateway, ret);
}

/* ---- answers ---- */

static void send(struct exchange *x, int code, struct str type, struct str body)
{
    struct http_field fields[3];
    size_t n = 0;

    fields[n++] = (struct http_field){STR("cache-control"), STR("no-store")};
    if (code == 401)
        fields[n++] = (struct http_field){STR("www-authenticate"),
                                          STR("Bearer realm=\"writ admin\"")};
    if (code == 429 || code == 503)
        fields[n++] = (struct http_field){STR("retry-after"), STR("1")};
    exchange_reply(x, code, (struct http_fields){fields, n}, type, body);
}

static void reply(struct admin_call *c, int code, struct str type,
                  struct str body)
{
    struct admin_request *r = c->user;
    send(r->exchange, code, type, body);
}

static void on_left(struct exchange *x)
{
    struct admin_request *r = x->owner;
    api_cancel(&r->call);
}

/* ---- who asks ---- */

static void set_author(struct admin_request *r, enum auth_method method,
                       const char *fmt, ...) PRINTF_LIKE(3, 4);

static void set_author(struct admin_request *r, enum auth_method method,
                       const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(r->author, sizeof(r->author), fmt, args);
    va_end(args);
    assert(n > 0 && n < (int)sizeof(r->author));
    r->call.author.id = (struct str){r->author, (size_t)n};
    r->call.author.method = method;
}

/* The kernel's word for it: the node's own user, or root. */
static bool prove_peer(struct admin_request *r)
{
    uint32_t uid;

    if (!http_request_peer_uid(r->exchange->http, &uid) ||
        (uid != 0 && uid != geteuid()))
        return false;
    set_author(r, AUTH_PEER, "local|uid:%u", uid);
    return true;
}

/* A token of ours whose person may still act. */
static void prove_login(struct admin_request *r)
{
    struct gateway_admin *a = r->admin;
    const struct http_request_head *head = http_request_head(r->exchange->http);
    struct str token, name;

    if (!gateway_admin_guard_bearer(head, &token) ||
        !logins_find(a->host.logins, token, loop_wall_us(a->host.loop), &name))
        return;
    set_author(r, AUTH_LOGIN, "local|%.*s", STR_FMT(name));
    if (people_may_act(&a->host, r->call.author.id)) {
        r->call.author.token = token;
        r->call.author.login_us = logins_began_us(a->host.logins, token);
    } else
        r->call.author = (struct admin_author){0};
}

/* Who says who they are is nobody else, also where the kernel knows better:
 * some endpoints want a person. */
static bool brings_login(const struct admin_request *r)
{
    const struct http_request_head *head = http_request_head(r->exchange->http);
    return http_fields_count(head->fields, STR("authorization")) > 0;
}

/* ---- one request ---- */

static void refuse_unknown(struct admin_request *r)
{
    evidence_unknown(r->admin->host.evidence, ERR_UNAUTHENTICATED,
                     r->call.source);
    exchange_reply_error(r->exchange, ERR_UNAUTHENTICATED, (struct str){0},
                         (struct str){0});
}

static void on_body(void *user, struct str body, enum err e)
{
    struct admin_request *r = user;
    struct exchange *x = r->exchange;
    bool ready;

    r->call.body = body;
    if (e != ERR_OK) {
        exchange_reply_error(x, e, (struct str){0}, (struct str){0});
        return;
    }
    /* Not before: whoever sends slowly may be somebody else by then. */
    if (x->worker->plane == PLANE_ADMIN || brings_login(r)) {
        r->call.author = (struct admin_author){0};
        prove_login(r);
    }
    switch (x->endpoint->kind) {
    case ENDPOINT_READY:
        ready = gateway_status_ready(r->admin->gateway) &&
                r->admin->host.registry != NULL;
        send(x, ready ? 200 : 503, STR("text/plain"),
             ready ? STR("ready\n") : STR("starting\n"));
        return;
    case ENDPOINT_METRICS:
        r->call.path = STR("metrics");
        if (r->call.author.id.len > 0)
            metrics_show(&r->call);
        else
            refuse_unknown(r);
        return;
    case ENDPOINT_ADMIN:
        api_handle(&r->call);
        return;
    case ENDPOINT_NONE:
    case ENDPOINT_HEALTH:
    case ENDPOINT_ACTION:
        break;
    }
    exchange_reply_error(x, ERR_INTERNAL, (struct str){0}, (struct str){0});
}

/* False: refused, and answered. */
static bool admit(struct admin_request *r, enum plane plane)
{
    struct exchange *x = r->exchange;
    const char *why = NULL;

    if (plane == PLANE_ADMIN && x->endpoint->kind != ENDPOINT_READY)
        why = gateway_admin_guard_fault(&r->admin->guard,
                                        http_request_head(x->http));
    else if (plane == PLANE_CONTROL && !prove_peer(r))
        why = "this socket is for the node's own user";
    if (why != NULL) {
        evidence_unknown(r->admin->host.evidence, ERR_DENIED,
                         http_request_peer(x->http));
        exchange_reply_error(x, ERR_DENIED, str_from(why), (struct str){0});
        return false;
    }
    return true;
}

void gateway_admin_request(struct worker *w, struct exchange *x)
{
    struct gateway *g = w->owner;
    struct gateway_admin *a = g->admin;
    const struct http_request_head *head = http_request_head(x->http);
    struct admin_request *r =
        ARENA_NEW(http_request_arena(x->http), struct admin_request, 1);

    if (r == NULL) {
        exchange_reply_error(x, ERR_NO_MEMORY, (struct str){0},
                             (struct str){0});
        return;
    }
    a->host.registry = gateway_registry_get(g);
    r->admin = a;
    r->exchange = x;
    r->call = (struct admin_call){
        .host = &a->host,
        .method = head->method,
        .path = x->argument,
        .query = head->query,
        .source = http_request_peer(x->http),
        .arena = http_request_arena(x->http),
        .reply = reply,
        .user = r,
    };
    x->owner = r;
    x->left = on_left;
    if (admit(r, (enum plane)w->plane))
        http_request_read(x->http, x->endpoint->body_max, on_body, r);
}

/* ---- from start to end ---- */

enum err gateway_admin_new(struct gateway *g)
{
    struct gateway_admin *a = calloc(1, sizeof(*a));
    if (a == NULL)
        return ERR_NO_MEMORY;
    g->admin = a;
    a->gateway = g;
    a->plane = (struct worker){.loop = g->loop,
                               .plane = PLANE_ADMIN,
                               .admin = gateway_admin_request,
                               .owner = g};
    a->host = (struct admin_host){
        .loop = g->loop,
        .evidence = g->control.evidence,
        .sessions = g->control.sessions,
        .data = g->options->data,
        .hooks = {.settings = settings_of,
                  .limit_rules = limit_rules_of,
                  .spread = spread,
                  .keep_sessions = keep_sessions,
                  .catalog = catalog_of,
                  .approve_tool = approve_tool,
                  .status = status,
                  .figures = figures,
                  .user = a},
    };
    a->host.limits = g->control.limits;
    a->host.approvals = g->control.approvals;
    list_init(&a->host.changes);
    list_init(&a->host.sayings);
    enum err e = logins_new(loop_seed(g->loop), &a->host.logins);
    if (e == ERR_OK)
        e = lockout_new(loop_seed(g->loop), &a->host.lockout);
    return e;
}

static enum err load_tls(struct gateway_admin *a,
                         const struct tls_settings *from, const char **ret_why)
{
    const struct tls_server_options o = {.cert_file = from->cert,
                                         .key_file = from->key,
                                         .http2 = true};
    return from->cert.len == 0 ? ERR_OK
                               : tls_context_server(&o, &a->tls, ret_why);
}

/* A restarted gateway reads the file that there is now; its socket is that of
 * the start, and must not be served as the file says of another. */
static bool is_our_address(const struct gateway *g, const struct settings *s)
{
    char room[ADDRESS_MAX];
    struct buf address;

    buf_init_lent(&address, room, sizeof(room));
    role_add_address(&address, s->admin.host, s->admin.port);
    return buf_ok(&address) &&
           str_eq(buf_str(&address), str_from(g->options->admin));
}

enum err gateway_admin_listen(struct gateway *g)
{
    static const struct http_server_options server = {
        .head_timeout_ms = 10000,
        .body_idle_ms = 10000,
        .idle_timeout_ms = 30000,
        .write_idle_ms = 10000,
        .connections_max = CONNECTIONS_MAX,
        .h2_streams_max = 16,
    };
    static const struct http_server_events events = {exchange_request,
                                                     exchange_done};
    struct gateway_admin *a = g->admin;
    const struct settings *s = &g->control.snapshot->settings;
    const char *why = "";

    a->host.caller_key =
        (struct str){(const char *)g->caller_key, sizeof(g->caller_key)};
    if (g->options->admin == NULL)
        return ERR_OK;
    if (!is_our_address(g, s)) {
        log_error("admin", {"why", STR("a running node keeps its admin "
                                       "address; stop it first")});
        return ERR_CONFIG;
    }
    enum err e = load_tls(a, &s->admin.tls, &why);
    if (e != ERR_OK) {
        log_error("admin.tls", {"why", str_from(why)});
        return e;
    }
    gateway_admin_guard_init(&a->guard, s->admin.host, s->admin.port,
                             a->tls != NULL);
    e = http_server_new(g->loop, &server, &events, &a->plane, &a->plane.server);
    if (e == ERR_OK)
        e = http_server_listen(a->plane.server, role_fd_admin(g->options),
                               a->tls);
    return e;
}

void gateway_admin_store_opened(struct gateway *g)
{
    struct gateway_admin *a = g->admin;
    enum err e =
        accounts_new(g->loop, g->store, a->host.caller_key, &a->host.accounts);
    if (e != ERR_OK)
        log_error("admin.accounts", {"why", str_from(err_text(e))});
}

void gateway_admin_free(struct gateway *g)
{
    struct gateway_admin *a = g->admin;

    if (a == NULL)
        return;
    http_server_free(a->plane.server);
    changes_close(&a->host);
    tickets_close(&a->host);
    accounts_free(a->host.accounts);
    logins_free(a->host.logins);
    lockout_free(a->host.lockout);
    people_enrolment_free(a->host.enrolment);
    tls_context_unref(a->tls);
    free(a);
    g->admin = NULL;
}

bool gateway_admin_is_changing(const struct gateway *g)
{
    return g->admin == NULL || g->admin->host.change_count > 0;
}
