/* broker.c - see broker.h. */
#include "broker/broker.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "crypto/hash.h"
#include "os/file.h"

static const char scheme[] = "Bearer ";

/* The secrets of one provider, in the order of its credentials. */
struct shelf {
    struct buf *secrets;
    size_t count;
};

struct broker {
    const struct settings *settings;
    struct shelf *shelves; /* one per provider */
};

static void wipe(struct buf *b)
{
    if (b->ptr != NULL)
        hash_wipe(b->ptr, b->room);
    buf_release(b);
}

void broker_free(struct broker *b)
{
    if (b == NULL)
        return;
    for (size_t p = 0; p < b->settings->provider_count; p++) {
        for (size_t i = 0; i < b->shelves[p].count; i++)
            wipe(&b->shelves[p].secrets[i]);
        free(b->shelves[p].secrets);
    }
    free(b->shelves);
    free(b);
}

/* Visible ASCII only: what a header value may be, so that a stray line end in
 * a key file cannot become a second header. */
static bool usable(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~')
            return false;
    }
    return s.len > 0;
}

static enum err read_secret(const struct credential_settings *c, struct buf *to)
{
    char name[FILE_PATH_MAX];
    struct str from = c->env.len > 0 ? c->env : c->file;

    if (from.len >= sizeof(name))
        return ERR_CONFIG;
    memcpy(name, from.ptr, from.len);
    name[from.len] = '\0';
    if (c->env.len == 0) {
        if (file_read(FILE_CWD, name, to) != ERR_OK)
            return ERR_CONFIG;
        while (to->len > 0 &&
               (to->ptr[to->len - 1] == '\n' || to->ptr[to->len - 1] == '\r'))
            to->len--;
    } else if (!buf_add(to, str_from(getenv(name)))) {
        return ERR_CONFIG;
    }
    return usable(buf_str(to)) ? ERR_OK : ERR_CONFIG;
}

static enum err fill_shelf(struct shelf *shelf,
                           const struct provider_settings *p,
                           struct str *ret_missing)
{
    if (p->credential_count == 0)
        return ERR_OK;
    shelf->secrets = calloc(p->credential_count, sizeof(*shelf->secrets));
    if (shelf->secrets == NULL)
        return ERR_NO_MEMORY;
    shelf->count = p->credential_count;
    for (size_t i = 0; i < shelf->count; i++)
        buf_init(&shelf->secrets[i], BROKER_SECRET_MAX);
    for (size_t i = 0; i < shelf->count; i++) {
        enum err e = read_secret(&p->credentials[i], &shelf->secrets[i]);
        if (e != ERR_OK) {
            *ret_missing = p->credentials[i].id;
            return e;
        }
    }
    return ERR_OK;
}

enum err broker_new(const struct settings *settings, struct broker **ret,
                    struct str *ret_missing)
{
    struct broker *b = calloc(1, sizeof(*b));
    if (b == NULL)
        return ERR_NO_MEMORY;
    b->settings = settings;
    b->shelves = calloc(settings->provider_count + 1, sizeof(*b->shelves));
    if (b->shelves == NULL) {
        free(b);
        return ERR_NO_MEMORY;
    }
    for (size_t p = 0; p < settings->provider_count; p++) {
        enum err e =
            fill_shelf(&b->shelves[p], &settings->providers[p], ret_missing);
        if (e != ERR_OK) {
            broker_free(b);
            return e;
        }
    }
    *ret = b;
    return ERR_OK;
}

static bool admits(struct names names, struct str name)
{
    for (size_t i = 0; i < names.count; i++) {
        if (str_eq(names.at[i], name))
            return true;
    }
    return names.count == 0;
}

enum err broker_credential(const struct broker *b, size_t provider,
                           struct str tenant, struct arena *a,
                           struct broker_credential *ret)
{
    const struct provider_settings *p = &b->settings->providers[provider];

    for (size_t i = 0; i < p->credential_count; i++) {
        const struct credential_settings *c = &p->credentials[i];
        if (!admits(c->tenants, tenant) || !admits(c->regions, p->region))
            continue;
        struct str secret = buf_str(&b->shelves[provider].secrets[i]);
        size_t head = sizeof(scheme) - 1;
        char *field = arena_alloc(a, head + secret.len);
        if (field == NULL)
            return ERR_NO_MEMORY;
        memcpy(field, scheme, head);
        memcpy(field + head, secret.ptr, secret.len);
        *ret = (struct broker_credential){{field, head + secret.len}, c->id};
        return ERR_OK;
    }
    return ERR_CREDENTIAL;
}
