/* demo_pins.c - `writ demo`: a server that changes a tool. */
#include <unistd.h>

#include "app/control_client.h"
#include "app/demo_mcp.h"
#include "app/demo_steps.h"
#include "app/demo_tell.h"
#include "base/limits.h"
#include "codec/json.h"
#include "os/clock.h"

enum { WAIT_MS = 10000, POLL_US = 20000 };

#define TOOL "office/read_note" /* of DEMO_SERVER */

static const struct demo_tool read_note = {"read_note",
                                           "{\"path\":\"public/hours.txt\"}"};

/* The server is told to change itself. */
static bool update(struct demo *d)
{
    static const struct demo_tool tool = {"update", "{}"};
    struct demo_tool_answer answer;

    demo_mcp_show(d, &tool, false);
    demo_mcp_call(d, &tool, &answer);
    demo_tell_line(d, answer.text);
    bool ok = !answer.failed && str_eq(answer.text, STR("updated"));
    demo_mcp_release(&answer);
    return ok;
}

/* Refused, from when the server's word has been read. */
static bool is_quarantined(struct demo *d)
{
    int64_t end_ms = clock_monotonic_ms() + WAIT_MS;
    struct demo_tool_answer answer;
    bool ok = false;

    demo_mcp_show(d, &read_note, false);
    while (!ok && clock_monotonic_ms() < end_ms) {
        demo_mcp_call(d, &read_note, &answer);
        ok = answer.failed && str_eq(answer.reason, STR("tool_quarantined"));
        if (ok)
            demo_tell_line(d, answer.text);
        demo_mcp_release(&answer);
        if (!ok)
            (void)usleep(POLL_US);
    }
    return ok;
}

/* What a person sees of it. */
static bool show(struct demo *d)
{
    static const char *const only[] = {"/", "-", "+", NULL};
    const char *const list[] = {"writ",        "tool",     "list",    "--state",
                                "quarantined", "--config", d->config, NULL};
    const char *const diff[] = {"writ",     "tool",    "diff", TOOL,
                                "--config", d->config, NULL};
    struct buf text;
    const struct demo_run runs[] = {
        {.argv = list}, {.argv = diff, .only = only, .kept = &text}};

    buf_init(&text, 64 * KIB);
    demo_tell_command(d, "writ tool list --state quarantined");
    bool ok = demo_tell_run(d, &runs[0]) == 0;
    demo_tell_command(d, "writ tool diff " TOOL);
    ok = ok && demo_tell_run(d, &runs[1]) == 0 &&
         memmem(text.ptr, text.len, "/description\n- ", 15) != NULL;
    buf_release(&text);
    return ok;
}

/* The digest of what its server offers now, to `to`. */
static bool offered(const struct demo *d, struct buf *to)
{
    struct control_client_reply reply;
    const struct json *v = NULL;
    struct arena a;
    struct str digest;

    arena_init(&a, 4 * MIB);
    bool ok = control_client_get(&a, d->data, "/admin/v1/tools/" TOOL,
                                 &reply) == ERR_OK &&
              json_read(&a, reply.body, &v, NULL) == ERR_OK &&
              json_str(json_get(json_get(v, STR("offered")), STR("digest")),
                       &digest) &&
              buf_add(to, digest) && buf_add_char(to, '\0');
    arena_release(&a);
    return ok;
}

static bool approve(struct demo *d)
{
    static const char *const only[] = {TOOL, NULL};
    char room[DEMO_ID_MAX + 2];
    struct buf digest;

    buf_init_lent(&digest, room, sizeof(room));
    if (!offered(d, &digest))
        return false;
    const char *const argv[] = {"writ",     "tool",     "approve",
                                TOOL,       "--digest", digest.ptr,
                                "--config", d->config,  NULL};
    const struct demo_run r = {.argv = argv, .only = only};
    demo_tell_command(d, "writ tool approve " TOOL " --digest %s", digest.ptr);
    return demo_tell_run(d, &r) == 0;
}

static bool is_back(struct demo *d)
{
    struct demo_tool_answer answer;

    demo_mcp_show(d, &read_note, false);
    demo_mcp_call(d, &read_note, &answer);
    demo_tell_lines(d, answer.text);
    bool ok = !answer.failed && str_starts(answer.text, STR("The office"));
    demo_mcp_release(&answer);
    return ok;
}

bool demo_pins_step(struct demo *d)
{
    demo_tell_heading(d, "A server changes a tool, and it is quarantined",
                      "What a model is told of a tool is pinned when it is "
                      "first seen.  Another text under the same\nname is not "
                      "used until somebody has looked at it.");
    if (!demo_mcp_begin(d) || !update(d))
        return demo_tell_verdict(d, false, "the server is as it was");
    if (!is_quarantined(d) || !demo_mcp_list(d, "pay, update"))
        return demo_tell_verdict(d, false, "the tool can still be called");
    if (!show(d) || !approve(d))
        return demo_tell_verdict(d, false, "the change cannot be looked at");
    return demo_tell_verdict(d, is_back(d),
                             "neither listed nor called, until it was "
                             "approved as it is now");
}
