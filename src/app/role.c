/* role.c - see role.h. */
#include "app/role.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/gateway.h"
#include "app/supervisor.h"
#include "app/tool_commands.h"
#include "base/log.h"
#include "base/num.h"
#include "base/str.h"
#include "keeper/keeper_process.h"
#include "ledger/ledger_process.h"
#include "os/file.h"
#include "os/process.h"
#include "runner/runner_process.h"

static const struct {
    enum frame_role role;
    const char *name;
} names[] = {
    {FRAME_ROLE_SUPERVISOR, "supervisor"}, {FRAME_ROLE_KEEPER, "keeper"},
    {FRAME_ROLE_LEDGER, "ledger"},         {FRAME_ROLE_RUNNER, "runner"},
    {FRAME_ROLE_WORKER, "gateway"},
};

static const char role_flag[] = "--role=";

static const char *role_name(enum frame_role role)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i].role == role)
            return names[i].name;
    }
    return "";
}

void role_add_address(struct buf *to, struct str host, uint16_t port)
{
    bool v6 = str_find(host, ':') < host.len;

    buf_addf(to, v6 ? "[%.*s]:%u" : "%.*s:%u", STR_FMT(host), (unsigned)port);
}

/* ---- to argv ---- */

struct args_writer {
    struct role_args *to;
    size_t count, used;
    bool full;
};

static void add_arg(struct args_writer *w, const char *name, const char *value)
{
    size_t room = sizeof(w->to->text) - w->used;
    char *at = w->to->text + w->used;
    int len = snprintf(at, room, "--%s=%s", name, value);

    if (len < 0 || (size_t)len >= room || w->count + 1 >= ROLE_ARGS_MAX) {
        w->full = true;
        return;
    }
    w->to->argv[w->count++] = at;
    w->used += (size_t)len + 1;
}

static void add_number(struct args_writer *w, const char *name, int64_t value)
{
    char digits[24];
    (void)snprintf(digits, sizeof(digits), "%lld", (long long)value);
    add_arg(w, name, digits);
}

bool role_args_make(struct role_args *to, const struct role_options *o)
{
    struct args_writer w = {.to = to, .count = 1};

    to->argv[0] = "writ";
    add_arg(&w, "role", role_name(o->role));
    add_arg(&w, "config", o->config);
    add_arg(&w, "data", o->data);
    add_arg(&w, "node", o->node);
    add_number(&w, "workers", o->workers);
    add_number(&w, "generation", (int64_t)o->generation);
    add_number(&w, "drain-ms", o->drain_ms);
    add_number(&w, "parent", getpid());
    for (unsigned i = 0; i < o->listeners; i++)
        add_arg(&w, "listen", o->listen[i]);
    if (o->admin != NULL)
        add_arg(&w, "admin", o->admin);
    if (o->batched)
        add_arg(&w, "batched", "1");
    to->argv[w.count] = NULL;
    return !w.full;
}

/* ---- from argv ---- */

static enum frame_role role_from(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i].name, name) == 0)
            return names[i].role;
    }
    return FRAME_ROLE_NONE;
}

static bool read_number(const char *value, uint64_t max, uint64_t *ret)
{
    return num_u64(str_from(value), max, ret);
}

/* One argument; false when it is none of ours. */
static bool read_arg(struct role_options *o, const char *name, size_t len,
                     const char *value)
{
    struct str key = {name, len};
    uint64_t n = 0;

    if (str_eq(key, STR("role"))) {
        o->role = role_from(value);
        return o->role != FRAME_ROLE_NONE;
    }
    if (str_eq(key, STR("config")))
        o->config = value;
    else if (str_eq(key, STR("data")))
        o->data = value;
    else if (str_eq(key, STR("node")))
        o->node = value;
    else if (str_eq(key, STR("listen")) && o->listeners < ROLE_LISTENERS_MAX)
        o->listen[o->listeners++] = value;
    else if (str_eq(key, STR("admin")))
        o->admin = value;
    else if (str_eq(key, STR("batched")))
        o->batched = true;
    else if (str_eq(key, STR("workers")) &&
             read_number(value, ROLE_WORKERS_MAX, &n))
        o->workers = (unsigned)n;
    else if (str_eq(key, STR("generation")))
        return read_number(value, UINT64_MAX, &o->generation);
    else if (str_eq(key, STR("drain-ms")) && read_number(value, INT64_MAX, &n))
        o->drain_ms = (int64_t)n;
    else if (str_eq(key, STR("parent")) && read_number(value, INT32_MAX, &n))
        o->parent = (pid_t)n;
    else
        return false;
    return true;
}

static bool read_args(struct role_options *o, int argc, char **argv)
{
    *o = (struct role_options){.config = "", .data = "", .node = ""};
    for (int i = 1; i < argc; i++) {
        const char *equals = strchr(argv[i], '=');
        if (strncmp(argv[i], "--", 2) != 0 || equals == NULL ||
            !read_arg(o, argv[i] + 2, (size_t)(equals - argv[i] - 2),
                      equals + 1))
            return false;
    }
    return o->role != FRAME_ROLE_NONE && o->data[0] == '/' && o->workers > 0;
}

bool role_is(int argc, char **argv)
{
    return argc > 1 && strncmp(argv[1], role_flag, sizeof(role_flag) - 1) == 0;
}

static int run_keeper(const struct role_options *o)
{
    char keys[FILE_PATH_MAX];
    if (snprintf(keys, sizeof(keys), "%s/keys", o->data) >= (int)sizeof(keys))
        return 1;
    const struct keeper_process_options k = {.keys_dir = keys,
                                             .control_fd = ROLE_FD_SUPERVISOR};
    return keeper_process_run(&k);
}

static int run_ledger(const struct role_options *o)
{
    char dir[FILE_PATH_MAX];
    if (snprintf(dir, sizeof(dir), "%s/ledger", o->data) >= (int)sizeof(dir))
        return 1;
    const struct ledger_process_options l = {
        .dir = dir,
        .node = str_from(o->node),
        .control_fd = ROLE_FD_SUPERVISOR,
        .batched = o->batched,
    };
    return ledger_process_run(&l);
}

struct runner_tools {
    const struct role_options *options;
    struct tool_commands *commands; /* NULL: none */
};

/* What the gateway does not work with is not started: a file that was changed
 * since leaves the table of the one that it does, or none. */
static bool load_tools(void *user, const unsigned char *digest,
                       struct runner_table *ret)
{
    struct runner_tools *t = user;
    struct tool_commands *now = NULL;
    enum err e = tool_commands_load(t->options, digest, &now);

    if (e != ERR_OK) {
        log_error("runner.config",
                  {"why", e == ERR_CONFLICT
                              ? STR("the file is not what the gateway has read")
                              : str_from(err_text(e))});
        if (t->commands != NULL && digest != NULL &&
            tool_commands_are(t->commands, digest))
            return false;
    }
    *ret = e == ERR_OK ? *tool_commands_table(now) : (struct runner_table){0};
    tool_commands_free(t->commands);
    t->commands = now;
    return true;
}

static int run_runner(const struct role_options *o)
{
    struct runner_tools tools = {.options = o};
    struct runner_process_options r = {.control_fd = ROLE_FD_SUPERVISOR,
                                       .reload = load_tools,
                                       .user = &tools};

    (void)load_tools(&tools, NULL,
                     &r.table); /* or none, until there is another */
    int code = runner_process_run(&r);
    tool_commands_free(tools.commands);
    return code;
}

/*
 * Signals are for the supervisor, which tells the others what to do: Ctrl-C
 * in a terminal and a service manager's SIGTERM reach the whole group, and
 * whoever died of them could not drain.
 */
static enum err follow_supervisor(const struct role_options *o)
{
    static const int not_ours[] = {SIGHUP, SIGINT, SIGTERM};
    /* Keeper, ledger and runner see its end on their connection, and finish
     * what they have; the gateway has nothing to do without it. */
    bool finishes = o->role != FRAME_ROLE_WORKER;

    for (size_t i = 0; i < ARRAY_LEN(not_ours); i++)
        (void)signal(not_ours[i], SIG_IGN);
    return process_follow_parent(o->parent, finishes ? 0 : SIGKILL);
}

int role_main(int argc, char **argv)
{
    struct role_options o;

    if (!read_args(&o, argc, argv)) {
        log_setup(LOG_LEVEL_INFO, "writ");
        log_error("role.usage",
                  {"why", STR("started by hand? use: writ serve")});
        return 2;
    }
    log_setup(LOG_LEVEL_INFO, role_name(o.role));
    process_rename(role_name(o.role));
    (void)signal(SIGPIPE, SIG_IGN);
    if (process_harden() != ERR_OK ||
        (o.role != FRAME_ROLE_SUPERVISOR && follow_supervisor(&o) != ERR_OK)) {
        log_error("role.harden", {"why", STR("the system refuses")});
        return 1;
    }
    switch (o.role) {
    case FRAME_ROLE_SUPERVISOR:
        return supervisor_run(&o);
    case FRAME_ROLE_KEEPER:
        return run_keeper(&o);
    case FRAME_ROLE_LEDGER:
        return run_ledger(&o);
    case FRAME_ROLE_RUNNER:
        return run_runner(&o);
    case FRAME_ROLE_WORKER:
        return gateway_run(&o);
    case FRAME_ROLE_NONE:
    case FRAME_ROLE_CONTROL:
    case FRAME_ROLE_TOOL:
        break;
    }
    return 2;
}
