/*
 * gateway_build.c - from the config file to a snapshot in place.
 *
 * Reading, checking and loading happen on a builder thread, so that a large
 * config does not hold up a single call.  It is all or nothing: until the new
 * snapshot is complete the old one serves, and a broken file changes nothing.
 */
#include "app/gateway_state.h"

static void load(struct build *b)
{
    struct gateway *g = b->gateway;
    struct str key = {(const char *)g->caller_key, sizeof(g->caller_key)};

    enum err e = config_load(&b->arena, str_from(g->options->config),
                             &b->settings, &b->errors);
    if (e != ERR_OK)
        return;
    e = snapshot_new(&b->arena, &b->settings, key, b->serial, &b->snapshot,
                     &b->why);
    if (e != ERR_OK && b->why == NULL)
        b->why = err_text(e);
}

static void on_loaded(void *arg)
{
    struct build *b = arg;

    thread_join(&b->thread);
    b->running = false;
    gateway_built(b->gateway);
    arena_release(&b->arena); /* empty when it moved into the snapshot */
    if (b->gateway->build_again) {
        b->gateway->build_again = false;
        gateway_build_start(b->gateway);
    }
}

static void build_thread(void *arg)
{
    struct build *b = arg;

    load(b);
    /* The control loop ends only after its builder: posting cannot fail. */
    (void)!loop_post(b->gateway->loop, on_loaded, b);
}

void gateway_build_start(struct gateway *g)
{
    struct build *b = &g->build;

    if (b->running) {
        g->build_again = true;
        return;
    }
    *b = (struct build){.gateway = g, .serial = g->serial + 1};
    arena_init(&b->arena, CONFIG_ARENA_MAX);
    b->running = true;
    if (thread_start(&b->thread, "builder", build_thread, b) != ERR_OK) {
        b->running = false;
        b->why = "no thread for it";
        gateway_built(g);
    }
}
