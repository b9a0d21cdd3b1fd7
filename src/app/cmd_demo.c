/*
 * cmd_demo.c - `writ demo`: a first call from start to verified evidence.
 *
 * Makes a folder with a configuration of its own, starts a pretended provider
 * and a node, which starts a server of tools, walks through what Writ is for,
 * and shows each command that could be typed instead.  Every step checks what
 * it shows; one that differs makes the demo fail.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/cmd.h"
#include "app/demo.h"
#include "app/demo_node.h"
#include "base/num.h"
#include "crypto/hash.h"

enum { POLL_US = 20000 };

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

/* Whatever ends us, the node and the provider are to end with us. */
static void catch_signals(void)
{
    (void)signal(SIGINT, on_interrupt);
    (void)signal(SIGTERM, on_interrupt);
    (void)signal(SIGHUP, on_interrupt);
    (void)signal(SIGPIPE, SIG_IGN);
}

static void keep_serving(const struct demo *d)
{
    demo_goodbye(d);
    while (!interrupted && demo_node_alive(d))
        (void)usleep(POLL_US);
}

int cmd_demo(const struct cli *c)
{
    char made[] = "/tmp/writ-demo-XXXXXX";
    char whole[FILE_PATH_MAX];
    const char *dir = cli_value(c, "dir", NULL);
    struct demo d = {.cli = c, .log_fd = -1};
    uint64_t port;

    if (!num_u64(str_from(cli_value(c, "port", "8080")), UINT16_MAX, &port))
        return cli_usage(c, "--port is a number up to 65535");
    d.port = (unsigned)port;
    d.dir = dir != NULL ? dir : mkdtemp(made);
    if (d.dir == NULL || !demo_node_folder(&d))
        return cli_fail(c, "cannot make a new folder for the demo: %s",
                        dir != NULL ? dir : made);
    d.dir = realpath(d.dir, whole) != NULL ? whole : d.dir;
    d.colour = cli_is_terminal(c->out);
    catch_signals();
    bool ok = demo_node_start(&d) && demo_walk(&d, &interrupted);
    if (ok && cli_has(c, "keep"))
        keep_serving(&d);
    demo_node_stop(&d);
    (void)close(d.log_fd);
    hash_wipe(d.key, sizeof(d.key));
    if (!ok && interrupted)
        return cli_fail(c, "interrupted");
    if (!ok)
        return cli_fail(c, "a step of the demo differs; see %s", d.log);
    return CLI_OK;
}
