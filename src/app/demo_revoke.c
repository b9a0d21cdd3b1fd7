/* demo_revoke.c - `writ demo`: an agent suspended in mid-stream. */
#include "app/demo_ask.h"
#include "app/demo_ledger.h"
#include "app/demo_steps.h"
#include "app/demo_tell.h"
#include "base/limits.h"

#define ARENA_MAX (1 * MIB)

enum { WORDS_BEFORE = 8, EVENT_MAX = 1024 };

static bool change(struct demo *d, const char *verb)
{
    const char *const argv[] = {"writ",        "agent",    verb,
                                DEMO_AGENT_ID, "--reason", "a closer look",
                                "--config",    d->config,  NULL};
    static const char *const only[] = {"id", "state", NULL};
    const struct demo_run r = {.argv = argv, .only = only};

    demo_tell_command(d,
                      "writ agent %s " DEMO_AGENT_ID
                      " --reason \"a closer look\"",
                      verb);
    return demo_tell_run(d, &r) == 0;
}

/* A caller who reads an answer while somebody suspends it. */
struct caller {
    struct demo *demo;
    unsigned words; /* before the command */
    bool suspended, done;
    char last[EVENT_MAX]; /* the event that it ends with */
    size_t last_len;
};

static void suspend(struct caller *c)
{
    cli_print(c->demo->cli->out, "...\n");
    c->suspended = change(c->demo, "suspend");
}

static void keep_last(struct caller *c, struct str data)
{
    c->last_len = data.len < sizeof(c->last) ? data.len : sizeof(c->last);
    memcpy(c->last, data.ptr, c->last_len);
}

static bool on_event(void *user, const struct sse_event *e)
{
    struct caller *c = user;
    struct arena a;

    keep_last(c, e->data);
    c->done = c->done || str_eq(e->data, STR("[DONE]"));
    arena_init(&a, ARENA_MAX);
    struct str words = demo_ask_words(&a, e);
    if (words.len > 0 && !c->suspended) {
        cli_print_safe(c->demo->cli->out, words);
        (void)fflush(c->demo->cli->out);
        c->words++;
    }
    arena_release(&a);
    if (c->words == WORDS_BEFORE && !c->suspended)
        suspend(c);
    return c->words < WORDS_BEFORE || c->suspended;
}

/* What the caller was in the middle of. */
static bool cut_off(struct demo *d)
{
    struct caller c = {.demo = d};
    const struct demo_question q = {.model = "report",
                                    .text = "Write a long report.",
                                    .sink = on_event,
                                    .user = &c};
    struct demo_answer answer;
    uint64_t outcome;

    demo_ask_show(d, &q);
    demo_ask_chat(d, &q, &answer);
    cli_print(d->cli->out, "the last event of the stream:\n");
    demo_tell_line(d, (struct str){c.last, c.last_len});
    /* The connection is cut as well, so there is no whole answer. */
    bool ok = answer.status == 0 && c.suspended && !c.done &&
              demo_ask_is_revoked((struct str){c.last, c.last_len}) &&
              demo_ledger_find(d, "\"kind\":\"outcome\"",
                               "\"status\":\"interrupted\"", &outcome);
    demo_ask_release(&answer);
    return ok;
}

static bool ask_short(struct demo *d, int status, bool show)
{
    static const struct demo_question q = {.model = "small", .text = "Hello"};
    struct demo_answer answer;
    uint64_t intent, outcome;

    demo_ask_show(d, &q);
    demo_ask_chat(d, &q, &answer);
    cli_print(d->cli->out, "%d\n", answer.status);
    if (show)
        demo_tell_line(d, buf_str(&answer.body));
    bool ok =
        answer.status == status &&
        (status != 200 || (demo_ledger_receipt(&answer, &intent) &&
                           demo_ledger_outcome(d, intent, "ok", &outcome)));
    demo_ask_release(&answer);
    return ok;
}

bool demo_revoke_step(struct demo *d)
{
    demo_tell_heading(d, "The agent is suspended in the middle of an answer",
                      "When the command returns, nothing more of it leaves "
                      "the node.");
    if (!cut_off(d))
        return demo_tell_verdict(d, false, "the stream was not cut off");
    if (!ask_short(d, 401, true))
        return demo_tell_verdict(d, false, "the next call is not refused");
    if (!change(d, "resume") || !ask_short(d, 200, false))
        return demo_tell_verdict(d, false, "it cannot go on");
    return demo_tell_verdict(d, demo_ledger_last(d, "6"),
                             "cut off, refused, and let go on; each with its "
                             "author");
}
