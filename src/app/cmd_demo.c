/*
 * cmd_demo.c - `writ demo`: a first call from start to verified evidence.
 *
 * Makes a folder with a configuration of its own, starts a pretended provider
 * and a node, walks through what Writ is for, and shows each command that
 * could be typed instead.  Every step checks what it shows; one that differs
 * makes the demo fail.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/caller_key.h"
#include "app/cmd.h"
#include "app/demo.h"
#include "base/num.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/process.h"

enum { START_MS = 10000, POLL_US = 20000, STOP_MS = 15000 };

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

/* ---- the folder ---- */

static const char config_text[] =
    "# Made by `writ demo`: one pretended provider, two callers.\n"
    "node: demo\n"
    "listen: [{address: \"127.0.0.1:%u\"}]\n"
    "data: ./data\n"
    "tenants: {acme: {regions: [eu]}}\n"
    "providers:\n"
    "  quickstart: {dialect: openai, url: \"http://127.0.0.1:%u/v1\", "
    "region: eu, credential: [{file: ./provider.key}]}\n"
    "models:\n"
    "  small: {routes: [{provider: quickstart, model: quick-1}]}\n"
    "  large: {routes: [{provider: quickstart, model: quick-1}]}\n"
    "callers:\n"
    "  - {name: alice, tenant: acme, kind: agent, key: \"%s\", models: "
    "[small, large]}\n"
    "  - {name: bob, tenant: acme, kind: agent, key: \"%s\", models: "
    "[small]}\n";

static bool make_key(struct demo *d, char key[DEMO_KEY_MAX],
                     char hash[CALLER_KEY_HASH_TEXT])
{
    char made[CALLER_KEY_MAX];
    const char *why = "";
    size_t len = caller_key_generate(made);

    if (len >= DEMO_KEY_MAX)
        return false;
    memcpy(key, made, len);
    key[len] = '\0';
    if (caller_key_hash(d->data, (struct str){key, len}, hash, &why) == ERR_OK)
        return true;
    demo_failed(d, why);
    return false;
}

static bool write_file(struct demo *d, const char *name, struct str text)
{
    char path[FILE_PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/%s", d->dir, name) <
            (int)sizeof(path) &&
        file_replace(FILE_CWD, path, text, 0600) == ERR_OK)
        return true;
    demo_failed(d, "a file of the demo cannot be written");
    return false;
}

static bool make_folder(struct demo *d)
{
    char alice[CALLER_KEY_HASH_TEXT], bob[CALLER_KEY_HASH_TEXT];
    struct buf text;

    if (file_make_dirs(FILE_CWD, d->data, 0700) != ERR_OK) {
        demo_failed(d, "the folder cannot be made");
        return false;
    }
    if (!write_file(d, "provider.key", STR("sk-not-a-secret\n")))
        return false;
    if (!make_key(d, d->alice, alice) || !make_key(d, d->bob, bob))
        return false;
    buf_init(&text, sizeof(config_text) + 1024);
    buf_addf(&text, config_text, d->port, d->provider_port, alice, bob);
    bool ok = buf_ok(&text) && write_file(d, "writ.yaml", buf_str(&text));
    buf_release(&text);
    return ok;
}

/* ---- processes ---- */

static bool spawn(struct demo *d, const char *path, const char *const *argv,
                  int out_fd, pid_t *ret_pid)
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

    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 32);
    while (len > 0 && path[len - 1] != '/')
        len--;
    if (len <= 0 || pipe(out) == -1)
        return false;
    memcpy(path + len, "quickstart-provider", sizeof("quickstart-provider"));
    const char *const argv[] = {"quickstart-provider", NULL};
    bool ok = spawn(d, path, argv, out[1], &d->provider);
    (void)close(out[1]);
    ssize_t n = ok ? read(out[0], line, sizeof(line) - 1) : -1;
    (void)close(out[0]);
    d->provider_port = n > 0 ? (unsigned)strtoul(line, NULL, 10) : 0;
    if (d->provider_port == 0)
        demo_failed(d, "quickstart-provider, which is built beside writ, "
                       "does not start");
    return d->provider_port != 0;
}

static bool is_alive(pid_t pid)
{
    return waitpid(pid, NULL, WNOHANG) == 0;
}

static bool start_node(struct demo *d)
{
    const char *const argv[] = {"writ", "serve", "--config", d->config, NULL};
    int64_t end_ms = clock_monotonic_ms() + START_MS;

    if (!spawn(d, NULL, argv, d->log_fd, &d->node))
        return false;
    while (clock_monotonic_ms() < end_ms && is_alive(d->node)) {
        if (demo_healthy(d))
            return true;
        (void)usleep(POLL_US);
    }
    demo_failed(d, "the node does not serve; its log says why");
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

/* ---- the command ---- */

static void keep_serving(struct demo *d)
{
    demo_goodbye(d);
    (void)signal(SIGINT, on_interrupt);
    (void)signal(SIGTERM, on_interrupt);
    while (!interrupted && is_alive(d->node))
        (void)usleep(POLL_US);
}

static bool open_folder(struct demo *d, const char *dir)
{
    char log[FILE_PATH_MAX];
    int room = FILE_PATH_MAX;

    if (snprintf(d->data, FILE_PATH_MAX, "%s/data", dir) >= room ||
        snprintf(d->config, FILE_PATH_MAX, "%s/writ.yaml", dir) >= room ||
        snprintf(log, FILE_PATH_MAX, "%s/writ.log", dir) >= room ||
        file_make_dirs(FILE_CWD, dir, 0700) != ERR_OK)
        return false;
    d->log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return d->log_fd != -1;
}

int cmd_demo(const struct cli *c)
{
    char made[] = "/tmp/writ-demo-XXXXXX";
    const char *dir = cli_value(c, "dir", NULL);
    struct demo d = {.cli = c, .log_fd = -1};
    uint64_t port;

    if (!num_u64(str_from(cli_value(c, "port", "8080")), UINT16_MAX, &port))
        return cli_usage(c, "--port is a number up to 65535");
    d.port = (unsigned)port;
    d.dir = dir != NULL ? dir : mkdtemp(made);
    if (d.dir == NULL || !open_folder(&d, d.dir))
        return cli_fail(c, "cannot make a folder for the demo: %s",
                        dir != NULL ? dir : made);
    d.colour = cli_is_terminal(c->out);
    bool ok = start_provider(&d) && make_folder(&d) && start_node(&d) &&
              demo_walk(&d);
    if (ok && cli_has(c, "keep"))
        keep_serving(&d);
    stop(d.node);
    stop(d.provider);
    (void)close(d.log_fd);
    if (!ok)
        return cli_fail(c, "a step of the demo differs; see %s/writ.log",
                        d.dir);
    return CLI_OK;
}
