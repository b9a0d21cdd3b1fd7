/* demo_node.c - see demo_node.h. */
#include "app/demo_node.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/control_client.h"
#include "app/demo_ask.h"
#include "app/demo_person.h"
#include "app/demo_tell.h"
#include "app/demo_text.h"
#include "base/limits.h"
#include "codec/json.h"
#include "os/clock.h"
#include "os/process.h"

#define STATUS_ARENA_MAX (16 * MIB)
#define LOG_MAX (1 * MIB)

enum { START_MS = 20000, POLL_US = 10000, STOP_MS = 15000, RELOAD_MS = 10000 };

/* ---- the folder ---- */

/* What is built beside this program. */
static bool beside(char to[FILE_PATH_MAX], const char *name)
{
    ssize_t len = readlink("/proc/self/exe", to, FILE_PATH_MAX - 1);
    size_t room = strlen(name) + 1;

    while (len > 0 && to[len - 1] != '/')
        len--;
    if (len <= 0 || (size_t)len + room > FILE_PATH_MAX)
        return false;
    memcpy(to + len, name, room);
    return true;
}

static bool make_path(char to[FILE_PATH_MAX], const char *dir, const char *name)
{
    int n = snprintf(to, FILE_PATH_MAX, "%s/%s", dir, name);
    return n > 0 && n < (int)FILE_PATH_MAX;
}

bool demo_node_folder(struct demo *d)
{
    static const char *const folders[] = {"policies", "policies-next",
                                          "notes/public", "notes/private",
                                          "home"};
    char path[FILE_PATH_MAX];

    if (!make_path(d->data, d->dir, "data") ||
        !make_path(d->config, d->dir, "writ.yaml") ||
        !make_path(d->log, d->dir, "writ.log") || access(d->data, F_OK) == 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        if (!make_path(path, d->dir, folders[i]) ||
            file_make_dirs(FILE_CWD, path, 0700) != ERR_OK)
            return false;
    }
    d->log_fd = open(d->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return d->log_fd != -1;
}

bool demo_node_write(const struct demo *d, const char *name, struct str text)
{
    char path[FILE_PATH_MAX];

    if (make_path(path, d->dir, name) &&
        file_replace(FILE_CWD, path, text, 0600) == ERR_OK)
        return true;
    return demo_tell_verdict(d, false, "a file cannot be written");
}

static bool write_files(const struct demo *d)
{
    char tools[FILE_PATH_MAX];
    struct buf config;

    if (!beside(tools, "quickstart-tools"))
        return false;
    buf_init(&config, 64 * KIB);
    demo_text_config(&config, d->port, d->provider_port, str_from(tools));
    bool ok =
        buf_ok(&config) &&
        demo_node_write(d, "provider.key", STR("sk-not-a-secret\n")) &&
        demo_node_write(d, "notes/public/hours.txt",
                        STR("The office is closed on Fridays.\n")) &&
        demo_node_write(d, "notes/private/salaries.txt",
                        STR("Nobody's business.\n")) &&
        demo_node_write(d, "policies/models.cedar", demo_text_models()) &&
        demo_node_write(d, "policies/tools.cedar", demo_text_tools()) &&
        demo_node_write(d, "policies-next/plan.cedar", demo_text_shadow()) &&
        demo_node_write(d, "writ.yaml", buf_str(&config));
    buf_release(&config);
    return ok;
}

/* ---- processes ---- */

static bool spawn(const struct demo *d, const char *path,
                  const char *const *argv, int out_fd, pid_t *ret_pid)
{
    const struct process_fd fds[] = {{0, 0}, {out_fd, 1}, {d->log_fd, 2}};
    const struct process_options o = {.path = path,
                                      .argv = argv,
                                      .env = (const char *const *)environ,
                                      .fds = fds,
                                      .fd_count = ARRAY_LEN(fds)};
    return process_spawn(&o, ret_pid) == ERR_OK;
}

/* The example provider stands beside the program. */
static bool start_provider(struct demo *d)
{
    char path[FILE_PATH_MAX], line[32] = "";
    int out[2];

    if (!beside(path, "quickstart-provider") || pipe(out) == -1)
        return false;
    const char *const argv[] = {"quickstart-provider", NULL};
    bool ok = spawn(d, path, argv, out[1], &d->provider);
    (void)close(out[1]);
    ssize_t n = ok ? read(out[0], line, sizeof(line) - 1) : -1;
    (void)close(out[0]);
    d->provider_port = n > 0 ? (unsigned)strtoul(line, NULL, 10) : 0;
    return d->provider_port != 0 ||
           demo_tell_verdict(d, false,
                             "quickstart-provider, which is built beside "
                             "writ, does not start");
}

static bool is_alive(pid_t pid)
{
    return waitpid(pid, NULL, WNOHANG) == 0;
}

bool demo_node_alive(const struct demo *d)
{
    return is_alive(d->node);
}

/* How often it has read its configuration again; -1: it does not answer. */
static int64_t reloads(const struct demo *d)
{
    struct control_client_reply reply;
    const struct json *v;
    struct arena a;
    int64_t n = -1;

    arena_init(&a, STATUS_ARENA_MAX);
    enum err e = control_client_get(&a, d->data, "/admin/v1/status", &reply);
    if (e == ERR_OK && reply.status == 200 &&
        json_read(&a, reply.body, &v, NULL) == ERR_OK &&
        !json_i64(json_get(json_get(v, STR("config")), STR("reloads")), &n))
        n = -1;
    arena_release(&a);
    return n;
}

/* What the node said last. */
static void show_log(const struct demo *d)
{
    struct buf text;

    buf_init(&text, LOG_MAX);
    if (file_read(FILE_CWD, d->log, &text) == ERR_OK)
        demo_tell_lines(d, buf_str(&text));
    buf_release(&text);
}

static bool start_node(struct demo *d)
{
    const char *const argv[] = {"writ", "serve", "--config", d->config, NULL};
    int64_t end_ms = clock_monotonic_ms() + START_MS;

    if (!spawn(d, NULL, argv, d->log_fd, &d->node))
        return false;
    /* The control socket first: at the port somebody else may answer. */
    while (clock_monotonic_ms() < end_ms && is_alive(d->node)) {
        if (reloads(d) == 0 && demo_ask_healthy(d))
            return true;
        (void)usleep(POLL_US);
    }
    show_log(d);
    return demo_tell_verdict(d, false,
                             "the node does not serve; --port names another "
                             "port, if that is why");
}

bool demo_node_start(struct demo *d)
{
    return demo_person_home(d) && start_provider(d) && write_files(d) &&
           start_node(d);
}

bool demo_node_reload(const struct demo *d)
{
    int64_t end_ms = clock_monotonic_ms() + RELOAD_MS;
    int64_t before = reloads(d);

    if (before < 0 || kill(d->node, SIGHUP) == -1)
        return false;
    while (clock_monotonic_ms() < end_ms && is_alive(d->node)) {
        if (reloads(d) > before)
            return true;
        (void)usleep(POLL_US);
    }
    return false;
}

static void stop(pid_t pid)
{
    int64_t end_ms = clock_monotonic_ms() + STOP_MS;

    if (pid <= 0)
        return;
    (void)kill(pid, SIGTERM);
    while (clock_monotonic_ms() < end_ms) {
        if (waitpid(pid, NULL, WNOHANG) != 0)
            return;
        (void)usleep(POLL_US);
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

void demo_node_stop(const struct demo *d)
{
    stop(d->node);
    stop(d->provider);
}
