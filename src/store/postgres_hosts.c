/* postgres_hosts.c - see postgres_hosts.h. */
#include "store/postgres_hosts.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* What the URL leaves open and we do not leave to chance. */
static const struct {
    const char *keyword, *value;
} defaults[] = {
    {"application_name", "writ"},
    {"client_encoding", "UTF8"},
    {"target_session_attrs", "read-write"}, /* after a failover: the new one */
    {"gssencmode", "disable"},              /* would look for a ticket first */
    {"tcp_user_timeout", "10000"},
    {"keepalives_idle", "10"},
};

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static void add_keyword(struct postgres_hosts *h, const char *keyword,
                        const char *value)
{
    if (h->keyword_count == POSTGRES_KEYWORDS_MAX)
        return;
    h->keywords[h->keyword_count] = keyword;
    h->values[h->keyword_count++] = value;
}

static void add_default(struct postgres_hosts *h, const char *keyword,
                        const char *value)
{
    for (unsigned i = 0; i < h->keyword_count; i++) {
        if (is(h->keywords[i], keyword))
            return;
    }
    add_keyword(h, keyword, value);
}

/* Cuts `list` at its commas; the i-th piece, "" as NULL.  One piece stands
 * for all. */
static const char *piece(char **pieces, unsigned count, unsigned i)
{
    if (count == 0)
        return NULL;
    const char *p = pieces[count == 1 ? 0 : i];
    return *p == '\0' ? NULL : p;
}

/* How many pieces, or POSTGRES_HOSTS_MAX + 1 for too many. */
static unsigned split(char *list, char *pieces[POSTGRES_HOSTS_MAX])
{
    unsigned n = 0;
    while (list != NULL) {
        if (n == POSTGRES_HOSTS_MAX)
            return n + 1;
        pieces[n++] = list;
        list = strchr(list, ',');
        if (list != NULL)
            *list++ = '\0';
    }
    return n;
}

static enum err split_hosts(struct postgres_hosts *h, char *names,
                            char *addresses, char *ports, const char **ret_why)
{
    char *name[POSTGRES_HOSTS_MAX], *address[POSTGRES_HOSTS_MAX],
        *port[POSTGRES_HOSTS_MAX];
    unsigned n = split(names, name), a = split(addresses, address),
             p = split(ports, port);
    h->count = n > a ? n : a;
    if (h->count == 0)
        h->count = 1; /* the default */
    if (h->count > POSTGRES_HOSTS_MAX || (a > 0 && n > 0 && a != n) ||
        (p > 1 && p != h->count)) {
        *ret_why = "postgres://: as many ports as hosts, and at most 8";
        return ERR_CONFIG;
    }
    for (unsigned i = 0; i < h->count; i++) {
        h->hosts[i].name = n == 0 ? NULL : piece(name, n, i);
        h->hosts[i].address = a == 0 ? NULL : piece(address, a, i);
        h->hosts[i].port = piece(port, p, i);
    }
    return ERR_OK;
}

enum err postgres_hosts_init(struct postgres_hosts *h, const struct pq *pq,
                             struct str url, const char **ret_why)
{
    *h = (struct postgres_hosts){.last = POSTGRES_HOSTS_MAX};
    *ret_why = "out of memory";
    h->memory = strndup(url.ptr, url.len);
    if (h->memory == NULL)
        return ERR_NO_MEMORY;
    char *error = NULL;
    h->parsed = pq->conninfoParse(h->memory, &error);
    if (error != NULL)
        pq->freemem(error); /* may quote the password: not for a log */
    if (h->parsed == NULL) {
        *ret_why = "postgres://: libpq cannot read this URL";
        postgres_hosts_release(h, pq);
        return ERR_CONFIG;
    }
    char *names = NULL, *addresses = NULL, *ports = NULL;
    for (PQconninfoOption *o = h->parsed; o->keyword != NULL; o++) {
        if (o->val == NULL || *o->val == '\0')
            continue;
        if (is(o->keyword, "host"))
            names = o->val;
        else if (is(o->keyword, "hostaddr"))
            addresses = o->val;
        else if (is(o->keyword, "port"))
            ports = o->val;
        else
            add_keyword(h, o->keyword, o->val);
    }
    for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
        add_default(h, defaults[i].keyword, defaults[i].value);
    enum err e = split_hosts(h, names, addresses, ports, ret_why);
    if (e != ERR_OK)
        postgres_hosts_release(h, pq);
    return e;
}

void postgres_hosts_release(struct postgres_hosts *h, const struct pq *pq)
{
    if (h->parsed != NULL)
        pq->conninfoFree(h->parsed);
    free(h->memory);
    *h = (struct postgres_hosts){0};
}

struct postgres_host *postgres_hosts_next(struct postgres_hosts *h,
                                          int64_t now_ms, int64_t *ret_in_ms)
{
    /* In the order of the URL, from the one after the last; the earliest. */
    unsigned best = 0;
    for (unsigned n = 0; n < h->count; n++) {
        unsigned i = h->last >= h->count ? n : (h->last + 1 + n) % h->count;
        if (n == 0 || h->hosts[i].next_ms < h->hosts[best].next_ms)
            best = i;
    }
    h->last = best;
    int64_t in_ms = h->hosts[best].next_ms - now_ms;
    *ret_in_ms = in_ms > 0 ? in_ms : 0;
    return &h->hosts[best];
}

void postgres_hosts_failed(struct postgres_host *host, int64_t now_ms)
{
    host->backoff_ms =
        host->backoff_ms == 0 ? POSTGRES_BACKOFF_MIN_MS : host->backoff_ms * 2;
    if (host->backoff_ms > POSTGRES_BACKOFF_MAX_MS)
        host->backoff_ms = POSTGRES_BACKOFF_MAX_MS;
    host->next_ms = now_ms + host->backoff_ms;
}

void postgres_hosts_worked(struct postgres_host *host)
{
    host->backoff_ms = 0;
    host->next_ms = 0;
}

bool postgres_hosts_needs_lookup(const struct postgres_host *host)
{
    unsigned char parsed[sizeof(struct in6_addr)];
    const char *name = host->name;
    return name != NULL && host->address == NULL && *name != '/' &&
           *name != '@' && inet_pton(AF_INET, name, parsed) != 1 &&
           inet_pton(AF_INET6, name, parsed) != 1;
}
