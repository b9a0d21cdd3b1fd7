/* client_pool.c - the client's pools: one for each origin. */
#include "http/client_conn.h"

#include <stdlib.h>

#include "net/tls.h"

enum { AUTHORITY_MAX = 512 };

static enum err make_key(struct http_client *c, const struct http_origin *o)
{
    struct buf *b = &c->key;
    struct str tls = {(const char *)&o->tls, sizeof(const void *)};
    buf_clear(b);
    buf_add_u64(b, o->port);
    buf_add_char(b, o->allow_local ? 'l' : '-');
    buf_add(b, tls);
    buf_add_u64(b, o->host.len);
    buf_add_char(b, ':');
    buf_add(b, o->host);
    buf_add(b, o->partition);
    return buf_ok(b) ? ERR_OK : ERR_LIMIT;
}

/* host[:port] for the Host field; a local socket has no better name. */
static bool make_authority(const struct http_origin *o, struct buf *to)
{
    if (o->port == 0)
        return BUF_LIT(to, "localhost");
    bool is_ipv6 = str_find(o->host, ':') < o->host.len;
    buf_add(to, is_ipv6 ? STR("[") : STR(""));
    buf_add(to, o->host);
    buf_add(to, is_ipv6 ? STR("]") : STR(""));
    if (o->port != (o->tls != NULL ? 443 : 80)) {
        buf_add_char(to, ':');
        buf_add_u64(to, o->port);
    }
    return buf_ok(to);
}

static char *copy(struct str s)
{
    char *to = malloc(s.len + 1);
    if (to != NULL) {
        if (s.len > 0)
            memcpy(to, s.ptr, s.len);
        to[s.len] = '\0';
    }
    return to;
}

static void pool_free(struct client_pool *p)
{
    timer_cancel(&p->turn);
    tls_context_unref(p->tls);
    free(p->host);
    free(p->key_copy);
    free(p->authority_copy);
    free(p);
}

static struct client_pool *pool_new(struct http_client *c,
                                    const struct http_origin *o)
{
    struct client_pool *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return NULL;
    struct buf authority;
    buf_init(&authority, AUTHORITY_MAX);
    p->client = c;
    p->key_copy = copy(buf_str(&c->key));
    p->key = (struct str){p->key_copy, c->key.len};
    p->host = copy(o->host);
    p->port = o->port;
    p->allow_local = o->allow_local;
    p->protocol_known = o->tls == NULL;
    list_init(&p->idle);
    list_init(&p->shared);
    list_init(&p->rest);
    list_init(&p->queue);
    if (make_authority(o, &authority))
        p->authority_copy = copy(buf_str(&authority));
    p->authority = (struct str){p->authority_copy, authority.len};
    buf_release(&authority);
    if (o->tls != NULL)
        p->tls = tls_context_ref(o->tls);
    if (p->key_copy == NULL || p->host == NULL || p->authority_copy == NULL ||
        map_set(&c->pools, p->key, p) != ERR_OK) {
        pool_free(p);
        return NULL;
    }
    return p;
}

void client_pool_check(struct client_pool *p)
{
    if (p->open_count > 0 || p->queued > 0 || p->holds > 0)
        return;
    if (p->client != NULL)
        (void)map_take(&p->client->pools, p->key);
    pool_free(p);
}

enum err client_pool_get(struct http_client *c, const struct http_origin *o,
                         struct client_pool **ret)
{
    enum err e = make_key(c, o);
    if (e != ERR_OK)
        return e;
    struct client_pool *p = map_get(&c->pools, buf_str(&c->key));
    if (p == NULL)
        p = pool_new(c, o);
    if (p == NULL)
        return ERR_NO_MEMORY;
    p->connect_timeout_ms = o->connect_timeout_ms > 0
                                ? o->connect_timeout_ms
                                : c->options.connect_timeout_ms;
    *ret = p;
    return ERR_OK;
}
