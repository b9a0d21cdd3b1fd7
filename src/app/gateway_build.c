/*
 * gateway_build.c - from the config file to a snapshot in place.
 *
 * Reading, checking and loading happen on a builder thread, so that a large
 * config does not hold up a single call.  It is all or nothing: until the new
 * snapshot is complete the old one serves, and a broken file changes nothing.
 */
#include "app/gateway_state.h"

#include "app/policy_rules.h"
#include "base/log.h"

enum { ADDRESS_MAX = 512 };

size_t gateway_listener(const struct gateway *g, const struct settings *s,
                        unsigned listener)
{
    struct buf address;
    size_t i = 0;

    buf_init(&address, ADDRESS_MAX);
    for (; i < s->listen_count; i++) {
        buf_clear(&address);
        role_add_address(&address, s->listen[i].host, s->listen[i].port);
        if (buf_ok(&address) &&
            str_eq(buf_str(&address), str_from(g->options->listen[listener])))
            break;
    }
    buf_release(&address);
    return i;
}

/* A restarted gateway reads the file that there is now, but its sockets are
 * those of the start: none may be served as the file says of another. */
static bool knows_listeners(const struct gateway *g, const struct settings *s)
{
    for (unsigned l = 0; l < g->options->listeners; l++) {
        if (gateway_listener(g, s, l) == s->listen_count)
            return false;
    }
    return true;
}

static void report(void *user, struct str line)
{
    (void)user;
    log_error("policies", {"error", line});
}

static void load(struct build *b)
{
    struct gateway *g = b->gateway;
    struct rules *rules = NULL;

    b->err = config_load(&b->arena, str_from(g->options->config), &b->settings,
                         &b->errors);
    if (b->err != ERR_OK)
        return;
    if (b->first && !knows_listeners(g, &b->settings)) {
        b->err = ERR_CONFIG;
        b->why = "listen: a running node keeps its addresses; stop it first";
        return;
    }
    /* As evidence names it: another name takes effect at the next start. */
    b->settings.node = str_from(g->options->node);
    b->err = policy_rules_load(&b->settings, report, NULL, &rules);
    if (b->err == ERR_CONFIG)
        b->why = "policies: what is wrong is said above";
    if (b->err == ERR_OK)
        b->err = snapshot_new(&b->arena, &b->settings, rules, b->serial,
                              &b->snapshot, &b->why);
    rules_unref(rules);
    if (b->err != ERR_OK && b->why == NULL)
        b->why = err_text(b->err);
}

static void on_loaded(void *arg)
{
    struct build *b = arg;

    if (!b->joined)
        thread_join(&b->thread);
    b->running = false;
    gateway_built(b->gateway);
    arena_release(&b->arena); /* empty when it moved into the snapshot */
    if (b->gateway->build_again && b->gateway->phase == PHASE_SERVING) {
        b->gateway->build_again = false;
        gateway_build_start(b->gateway);
    }
}

static void build_thread(void *arg)
{
    struct build *b = arg;

    load(b);
    /* The control loop is freed only after its builder has ended: posting
     * cannot fail, and on_loaded() runs at its end if not before. */
    (void)!loop_post(b->gateway->loop, on_loaded, b);
}

void gateway_build_start(struct gateway *g)
{
    struct build *b = &g->build;

    if (b->running) {
        g->build_again = true;
        return;
    }
    *b = (struct build){.gateway = g,
                        .serial = g->serial + 1,
                        .first = g->phase == PHASE_STARTING};
    arena_init(&b->arena, CONFIG_ARENA_MAX);
    b->running = true;
    if (thread_start(&b->thread, "builder", build_thread, b) != ERR_OK) {
        b->running = false;
        b->err = ERR_LIMIT;
        b->why = "no thread for it";
        gateway_built(g);
    }
}

void gateway_build_join(struct gateway *g)
{
    if (!g->build.running)
        return;
    thread_join(&g->build.thread);
    g->build.joined = true;
}
