/*
 * broker.c - see broker.h.
 *
 * A secret is read once, straight into the memory that holds it to the end,
 * already in the form in which it is sent; that memory is wiped.
 */
#include "broker/broker.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "crypto/hash.h"

#define PREFIX "Bearer "
enum { PREFIX_LEN = sizeof(PREFIX) - 1 };

struct secret {
    struct names tenants, regions; /* who and where it is for; empty: all */
    struct str id;
    size_t len;  /* of the field value */
    char *field; /* "Bearer …", with room for what a file may hold more */
    size_t room;
};

struct place {
    struct secret *secrets; /* in the order of the config */
    size_t count;
};

struct places {
    struct place *at;
    size_t count;
};

struct broker {
    struct arena arena; /* all but the secrets */
    struct places providers, tools;
};

/* What the settings name for one place. */
struct listed {
    const struct credential_settings *at;
    size_t count;
};

enum { BROKER_ARENA_MAX = 64 * 1024 * 1024 };

static enum err refuse(struct arena *a, const char **ret_why, const char *fmt,
                       ...) PRINTF_LIKE(3, 4);

static enum err refuse(struct arena *a, const char **ret_why, const char *fmt,
                       ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    size_t len = n < 0 ? 0 : (size_t)n;
    if (len >= sizeof(text))
        len = sizeof(text) - 1;
    const char *why = arena_strdup(a, (struct str){text, len});
    *ret_why = why != NULL ? why : "a credential cannot be read";
    return ERR_CONFIG;
}

static enum err copy_names(struct arena *a, struct names from, struct names *to)
{
    struct str *at = ARENA_NEW(a, struct str, from.count);
    if (at == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < from.count; i++) {
        if (!arena_copy(a, from.at[i], &at[i]))
            return ERR_NO_MEMORY;
    }
    *to = (struct names){at, from.count};
    return ERR_OK;
}

/* Reads up to `room` bytes; SIZE_MAX: it cannot be read. */
static size_t read_file(const char *path, char *to, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    size_t len = 0;
    ssize_t n = fd < 0 ? -1 : 1;
    while (n > 0 && len < room) {
        n = read(fd, to + len, room - len);
        if (n > 0)
            len += (size_t)n;
        else if (n < 0 && errno == EINTR)
            n = 1;
    }
    if (fd >= 0)
        (void)close(fd);
    return n < 0 ? SIZE_MAX : len;
}

static size_t read_env(const char *name, char *to, size_t room)
{
    /* Nobody changes the environment after the start. */
    const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe) */
    if (value == NULL)
        return SIZE_MAX;
    size_t len = strnlen(value, room);
    memcpy(to, value, len);
    return len;
}

/* Can it stand in a header field?  Then it is one word of visible ASCII. */
static bool is_word(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] <= ' ' || s[i] > '~')
            return false;
    }
    return n > 0;
}

/* Reads the secret behind the prefix; *ret_len without its line break. */
static enum err read_secret(const struct credential_settings *from,
                            struct arena *a, struct secret *to,
                            const char **ret_why)
{
    bool is_env = from->env.len > 0;
    struct str where = is_env ? from->env : from->file;
    const char *name = arena_strdup(a, where);
    char *at = to->field + PREFIX_LEN;
    size_t room = to->room - PREFIX_LEN;
    if (name == NULL)
        return ERR_NO_MEMORY;

    size_t len = is_env ? read_env(name, at, room) : read_file(name, at, room);
    if (len == SIZE_MAX)
        return refuse(a, ret_why, "credential %.*s: %s %s", STR_FMT(from->id),
                      name,
                      is_env ? "is not in the environment" : "cannot be read");
    if (!is_env && len > 0 && at[len - 1] == '\n')
        len--;
    if (!is_env && len > 0 && at[len - 1] == '\r')
        len--;
    if (len > BROKER_SECRET_MAX)
        return refuse(a, ret_why, "credential %.*s: %s is over %d bytes",
                      STR_FMT(from->id), name, (int)BROKER_SECRET_MAX);
    if (!is_word(at, len))
        return refuse(a, ret_why,
                      "credential %.*s: %s is not one word of visible ASCII",
                      STR_FMT(from->id), name);
    memcpy(to->field, PREFIX, PREFIX_LEN);
    to->len = PREFIX_LEN + len;
    return ERR_OK;
}

static enum err load(struct broker *b, const struct credential_settings *from,
                     struct arena *a, struct secret *to, const char **ret_why)
{
    to->room = PREFIX_LEN + BROKER_SECRET_MAX + 3; /* one more, and CR LF */
    char *field = malloc(to->room);
    to->field = field;
    if (field == NULL || !arena_copy(&b->arena, from->id, &to->id))
        return ERR_NO_MEMORY;
    enum err e = copy_names(&b->arena, from->tenants, &to->tenants);
    if (e == ERR_OK)
        e = copy_names(&b->arena, from->regions, &to->regions);
    return e == ERR_OK ? read_secret(from, a, to, ret_why) : e;
}

static enum err load_place(struct broker *b, struct listed from,
                           struct arena *a, struct place *to,
                           const char **ret_why)
{
    enum err e = ERR_OK;
    to->secrets = ARENA_NEW(&b->arena, struct secret, from.count);
    if (to->secrets == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; e == ERR_OK && i < from.count; i++) {
        to->count = i + 1; /* so that what is half-read is wiped, too */
        e = load(b, &from.at[i], a, &to->secrets[i], ret_why);
    }
    return e;
}

static enum err load_providers(struct broker *b, const struct settings *s,
                               struct arena *a, const char **ret_why)
{
    struct places *to = &b->providers;
    enum err e = ERR_OK;
    to->at = ARENA_NEW(&b->arena, struct place, s->provider_count);
    if (to->at == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; e == ERR_OK && i < s->provider_count; i++) {
        const struct provider_settings *p = &s->providers[i];
        struct listed from = {p->credentials, p->credential_count};
        to->count = i + 1;
        e = load_place(b, from, a, &to->at[i], ret_why);
    }
    return e;
}

static enum err load_tools(struct broker *b, const struct settings *s,
                           struct arena *a, const char **ret_why)
{
    struct places *to = &b->tools;
    enum err e = ERR_OK;
    to->at = ARENA_NEW(&b->arena, struct place, s->tool_count);
    if (to->at == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; e == ERR_OK && i < s->tool_count; i++) {
        const struct tool_server_settings *t = &s->tools[i];
        struct listed from = {t->credentials, t->credential_count};
        to->count = i + 1;
        e = load_place(b, from, a, &to->at[i], ret_why);
    }
    return e;
}

enum err broker_new(const struct settings *s, struct arena *a,
                    struct broker **ret, const char **ret_why)
{
    struct broker *b = calloc(1, sizeof(*b));
    if (b == NULL)
        return ERR_NO_MEMORY;
    arena_init(&b->arena, BROKER_ARENA_MAX);
    enum err e = load_providers(b, s, a, ret_why);
    if (e == ERR_OK)
        e = load_tools(b, s, a, ret_why);
    if (e != ERR_OK) {
        broker_free(b);
        return e;
    }
    *ret = b;
    return ERR_OK;
}

static void release(struct secret *s)
{
    if (s->field != NULL)
        hash_wipe(s->field, s->room);
    free(s->field);
}

static void release_places(struct places *p)
{
    for (size_t n = 0; n < p->count; n++) {
        for (size_t i = 0; i < p->at[n].count; i++)
            release(&p->at[n].secrets[i]);
    }
}

void broker_free(struct broker *b)
{
    if (b == NULL)
        return;
    release_places(&b->providers);
    release_places(&b->tools);
    arena_release(&b->arena);
    free(b);
}

static bool fits(struct names names, struct str name)
{
    for (size_t i = 0; i < names.count; i++) {
        if (str_eq(names.at[i], name))
            return true;
    }
    return names.count == 0;
}

static enum err find(const struct place *p, struct str tenant,
                     struct str region, struct broker_credential *ret)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct secret *s = &p->secrets[i];
        if (!fits(s->tenants, tenant) || !fits(s->regions, region))
            continue;
        *ret = (struct broker_credential){
            .field = {s->field, s->len},
            .id = s->id,
        };
        return ERR_OK;
    }
    return ERR_CREDENTIAL;
}

enum err broker_get(const struct broker *b, size_t provider, struct str tenant,
                    struct str region, struct broker_credential *ret)
{
    assert(provider < b->providers.count);
    return find(&b->providers.at[provider], tenant, region, ret);
}

enum err broker_get_tool(const struct broker *b, size_t server,
                         struct str tenant, struct str region,
                         struct broker_credential *ret)
{
    assert(server < b->tools.count);
    const struct place *p = &b->tools.at[server];
    if (p->count > 0)
        return find(p, tenant, region, ret);
    *ret = (struct broker_credential){.field = {0}};
    return ERR_OK;
}
