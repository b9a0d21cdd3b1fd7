/* tool_commands.c - see tool_commands.h. */
#include "app/tool_commands.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "app/config.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/num.h"
#include "domain/settings.h"

enum { PORT_MAX = 65535 };

struct tool_commands {
    struct arena arena; /* the settings' and the table's */
    struct settings settings;
    struct runner_table table;
};

/* A table under way; `full` once the arena is. */
struct making {
    struct tool_commands *to;
    const struct role_options *options;
    const char **kept;
    size_t kept_count;
    uint16_t *ports;
    bool full;
};

static const char *text_of(struct making *m, struct str s)
{
    const char *z = arena_strdup(&m->to->arena, s);
    m->full = m->full || z == NULL;
    return z;
}

static const char *const *texts_of(struct making *m, struct names names)
{
    const char **list = ARENA_NEW(&m->to->arena, const char *, names.count + 1);
    m->full = m->full || list == NULL;
    for (size_t i = 0; !m->full && i < names.count; i++)
        list[i] = text_of(m, names.at[i]);
    return list;
}

/* The three, one after the other; NULL when there is no room. */
static const char *joined(struct making *m, struct str a, struct str b,
                          struct str c)
{
    struct buf text;
    size_t size = a.len + b.len + c.len + 1;
    char *at = arena_alloc(&m->to->arena, size);

    m->full = m->full || at == NULL;
    if (at == NULL)
        return NULL;
    buf_init_lent(&text, at, size);
    (void)(buf_add(&text, a) && buf_add(&text, b) && buf_add(&text, c) &&
           buf_add_char(&text, '\0'));
    return at;
}

/* "NAME=value"; NULL when the node's environment does not have it. */
static const char *variable(struct making *m, const struct variable_settings *v)
{
    const char *value = text_of(m, v->value);
    if (v->env.len > 0) {
        const char *name = text_of(m, v->env);
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): the runner has one thread */
        value = m->full ? NULL : secure_getenv(name);
    }
    if (m->full || value == NULL)
        return NULL;
    return joined(m, v->name, STR("="), str_from(value));
}

static const char *fault(struct making *m, struct str variable_name)
{
    return joined(m, STR("the node's environment has no variable "),
                  variable_name, (struct str){0});
}

static void add_environment(struct making *m, struct runner_command *c,
                            const struct tool_server_settings *s)
{
    size_t n = s->stdio.env_count;
    const char **list = ARENA_NEW(&m->to->arena, const char *, n + 1);
    m->full = m->full || list == NULL;
    for (size_t i = 0; !m->full && i < n; i++) {
        list[i] = variable(m, &s->stdio.env[i]);
        if (m->full || list[i] != NULL)
            continue;
        c->fault = fault(m, s->stdio.env[i].env);
        return;
    }
    c->env = list;
}

static void add_command(struct making *m, struct runner_command *c,
                        const struct tool_server_settings *s)
{
    *c = (struct runner_command){
        .name = text_of(m, s->name),
        .argv = texts_of(m, s->stdio.command),
        .cwd = s->stdio.cwd.len > 0 ? text_of(m, s->stdio.cwd) : NULL,
        .read = texts_of(m, s->stdio.read),
        .write = texts_of(m, s->stdio.write),
        .network = s->stdio.network == NETWORK_OUT,
    };
    if (s->stdio.command.count == 0)
        c->fault = "it has no command";
    add_environment(m, c, s);
}

static size_t count_commands(const struct settings *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->tool_count; i++)
        n += s->tools[i].transport == TRANSPORT_STDIO ? 1 : 0;
    return n;
}

static void add_commands(struct making *m)
{
    const struct settings *s = &m->to->settings;
    size_t n = count_commands(s), at = 0;
    struct runner_command *list =
        ARENA_NEW(&m->to->arena, struct runner_command, n + 1);
    m->full = m->full || list == NULL;
    for (size_t i = 0; !m->full && i < s->tool_count; i++) {
        if (s->tools[i].transport == TRANSPORT_STDIO)
            add_command(m, &list[at++], &s->tools[i]);
    }
    m->to->table.commands = list;
    m->to->table.command_count = at;
}

/* ---- what is ours ---- */

static void keep(struct making *m, struct str path)
{
    char real[PATH_MAX];
    if (path.len == 0)
        return;
    const char *named = text_of(m, path);
    if (m->full)
        return;
    if (realpath(named, real) != NULL)
        named = text_of(m, str_from(real));
    m->kept[m->kept_count++] = named;
}

static void keep_credentials(struct making *m,
                             const struct credential_settings *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        keep(m, c[i].file);
}

static size_t count_kept(const struct settings *s)
{
    size_t n = 5 + s->listen_count; /* with the two and the NULL below */
    for (size_t i = 0; i < s->provider_count; i++)
        n += s->providers[i].credential_count;
    for (size_t i = 0; i < s->tool_count; i++)
        n += s->tools[i].credential_count;
    return n + s->policies.entity_count + 1;
}

static void add_kept(struct making *m)
{
    const struct settings *s = &m->to->settings;
    m->kept = ARENA_NEW(&m->to->arena, const char *, count_kept(s));
    m->full = m->full || m->kept == NULL;
    if (m->full)
        return;
    keep(m, str_from(m->options->data));
    keep(m, str_from(m->options->config));
    keep(m, s->policies.dir);
    keep(m, s->policies.shadow);
    keep(m, s->admin.tls.key);
    for (size_t i = 0; i < s->listen_count; i++)
        keep(m, s->listen[i].tls.key);
    for (size_t i = 0; i < s->provider_count; i++)
        keep_credentials(m, s->providers[i].credentials,
                         s->providers[i].credential_count);
    for (size_t i = 0; i < s->tool_count; i++)
        keep_credentials(m, s->tools[i].credentials,
                         s->tools[i].credential_count);
    for (size_t i = 0; i < s->policies.entity_count; i++)
        keep(m, s->policies.entities[i].file);
    m->to->table.kept = m->kept;
}

static void add_port(struct making *m, uint64_t port)
{
    if (port > 0 && port <= PORT_MAX)
        m->ports[m->to->table.port_count++] = (uint16_t)port;
}

/* Of "host:port". */
static void add_address(struct making *m, const char *address)
{
    const char *colon = address != NULL ? strrchr(address, ':') : NULL;
    uint64_t port = 0;
    if (colon != NULL && num_u64(str_from(colon + 1), PORT_MAX, &port))
        add_port(m, port);
}

/* Those that were opened at the start, and those that the file names now. */
static void add_ports(struct making *m)
{
    const struct settings *s = &m->to->settings;
    const struct role_options *o = m->options;
    size_t most = s->listen_count + o->listeners + 2;
    m->ports = ARENA_NEW(&m->to->arena, uint16_t, most);
    m->full = m->full || m->ports == NULL;
    if (m->full)
        return;
    for (unsigned i = 0; i < o->listeners; i++)
        add_address(m, o->listen[i]);
    add_address(m, o->admin);
    for (size_t i = 0; i < s->listen_count; i++)
        add_port(m, s->listen[i].port);
    if (s->admin.host.len > 0)
        add_port(m, s->admin.port);
    m->to->table.ports = m->ports;
}

static enum err load(struct tool_commands *t, const struct role_options *o,
                     const unsigned char *digest)
{
    struct making m = {.to = t, .options = o};
    struct config_errors errors = {0};
    if (o->config[0] == '\0')
        return ERR_OK; /* the embedded defaults name no tool server */
    enum err e =
        config_load(&t->arena, str_from(o->config), &t->settings, &errors);
    if (e != ERR_OK)
        return e;
    if (digest != NULL && !tool_commands_are(t, digest))
        return ERR_CONFLICT;
    add_commands(&m);
    add_kept(&m);
    add_ports(&m);
    return m.full ? ERR_NO_MEMORY : ERR_OK;
}

enum err tool_commands_load(const struct role_options *o,
                            const unsigned char *digest,
                            struct tool_commands **ret)
{
    struct tool_commands *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return ERR_NO_MEMORY;
    arena_init(&t->arena, CONFIG_ARENA_MAX);
    enum err e = load(t, o, digest);
    if (e == ERR_OK)
        *ret = t;
    else
        tool_commands_free(t);
    return e;
}

void tool_commands_free(struct tool_commands *t)
{
    if (t == NULL)
        return;
    arena_release(&t->arena);
    free(t);
}

bool tool_commands_are(const struct tool_commands *t,
                       const unsigned char *digest)
{
    return memcmp(t->settings.digest, digest, sizeof(t->settings.digest)) == 0;
}

const struct runner_table *tool_commands_table(const struct tool_commands *t)
{
    return &t->table;
}
