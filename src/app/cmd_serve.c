/*
 * cmd_serve.c - `writ serve`: checks the config, then becomes the supervisor.
 *
 * The config is read here, by a process that has not opened anything yet; the
 * supervisor is the same program started over with what it has to know on its
 * command line, so that it never parses a file.
 */
#include <stdlib.h>
#include <unistd.h>

#include "app/cmd.h"
#include "app/cmd_load.h"
#include "app/role.h"
#include "os/file.h"

/* What the role's command line borrows; lives until the exec. */
struct serve {
    struct arena arena;
    struct settings settings;
    struct role_options role;
    struct role_args args;
};

static const char *text_of(struct arena *a, struct str s)
{
    const char *z = arena_strdup(a, s);
    return z == NULL ? "" : z;
}

static const char *address_of(struct arena *a, const struct listen_settings *l)
{
    struct buf text;

    buf_init(&text, 300);
    role_add_address(&text, l->host, l->port);
    const char *z = buf_ok(&text) ? text_of(a, buf_str(&text)) : "";
    buf_release(&text);
    return z;
}

/* One thread per CPU unless the config says otherwise. */
static unsigned worker_count(const struct settings *s)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned n = s->workers;

    if (n == 0)
        n = cpus < 1 ? 1 : (unsigned)cpus;
    return n > ROLE_WORKERS_MAX ? ROLE_WORKERS_MAX : n;
}

static void fill_role(struct serve *s, const char *config, const char *data)
{
    const struct settings *from = &s->settings;
    struct role_options *o = &s->role;

    *o = (struct role_options){
        .role = FRAME_ROLE_SUPERVISOR,
        .config = config,
        .data = data,
        .node = text_of(&s->arena, from->node),
        .workers = worker_count(from),
        .batched = from->ledger.durable == DURABLE_BATCHED,
        .drain_ms = from->server.drain_ms,
    };
    for (size_t i = 0; i < from->listen_count && i < ROLE_LISTENERS_MAX; i++)
        o->listen[o->listeners++] = address_of(&s->arena, &from->listen[i]);
    if (from->admin.host.len > 0)
        o->admin = address_of(&s->arena, &from->admin);
}

/* The absolute path of `path`, which exists or is made. */
static char *absolute(const char *path)
{
    return realpath(path, NULL);
}

static int become_supervisor(const struct cli *c, struct serve *s,
                             const char *file)
{
    const char *wanted = text_of(&s->arena, s->settings.data);

    if (file_make_dirs(FILE_CWD, wanted, 0700) != ERR_OK)
        return cli_fail(c, "cannot create the data directory %s", wanted);
    char *config = absolute(file);
    char *data = absolute(wanted);
    if (config == NULL || data == NULL) {
        free(config);
        free(data);
        return cli_fail(c, "cannot find %s", file);
    }
    fill_role(s, config, data);
    if (role_args_make(&s->args, &s->role))
        (void)execv("/proc/self/exe", (char *const *)(void *)s->args.argv);
    free(config);
    free(data);
    return cli_fail(c, "cannot start the supervisor");
}

int cmd_serve(const struct cli *c)
{
    const char *file = cli_value(c, "config", CMD_CONFIG_DEFAULT);
    struct serve s;

    arena_init(&s.arena, CONFIG_ARENA_MAX);
    int code = cmd_load_config(c, file, &s.arena, &s.settings);
    if (code == CLI_OK)
        code = become_supervisor(c, &s, file);
    arena_release(&s.arena);
    return code;
}
