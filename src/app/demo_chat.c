/* demo_chat.c - `writ demo`: a chat that is allowed, one that is not. */
#include "app/demo_ask.h"
#include "app/demo_ledger.h"
#include "app/demo_steps.h"
#include "app/demo_tell.h"
#include "base/limits.h"

#define ARENA_MAX (1 * MIB)

/* Prints the words of a stream as they come. */
struct listener_of_words {
    struct demo *demo;
    unsigned words;
    bool done;
};

static bool on_event(void *user, const struct sse_event *e)
{
    struct listener_of_words *l = user;
    struct arena a;

    if (str_eq(e->data, STR("[DONE]"))) {
        l->done = true;
        return true;
    }
    arena_init(&a, ARENA_MAX);
    struct str words = demo_ask_words(&a, e);
    l->words += words.len > 0;
    cli_print_safe(l->demo->cli->out, words);
    (void)fflush(l->demo->cli->out);
    arena_release(&a);
    return true;
}

bool demo_chat_step(struct demo *d)
{
    struct listener_of_words l = {.demo = d};
    const struct demo_question q = {.model = "small",
                                    .text = "What is a writ?",
                                    .sink = on_event,
                                    .user = &l};
    struct demo_answer answer;
    uint64_t intent, outcome;

    demo_tell_heading(d, "A streamed chat",
                      "Its intent is in the ledger before it leaves, its "
                      "outcome when it has ended.");
    demo_ask_show(d, &q);
    demo_ask_chat(d, &q, &answer);
    cli_print(d->cli->out, "\n");
    bool ok = answer.status == 200 && l.words > 1 && l.done &&
              demo_ledger_receipt(&answer, &intent) &&
              demo_ledger_outcome(d, intent, "ok", &outcome);
    demo_ask_release(&answer);
    return demo_tell_verdict(d, ok && demo_ledger_last(d, "2"),
                             "answered word by word, and both are evidence");
}

/* ---- refused ---- */

/* What the operator is told, and the caller is not. */
static bool show_why(struct demo *d, const struct demo_answer *answer)
{
    static const char *const only[] = {"entry", "decision:", "  \"id\"",
                                       "  \"kind\"", NULL};
    struct buf text;
    uint64_t index;

    if (!demo_ledger_decision(d, answer, &index))
        return false;
    buf_init(&text, 64 * KIB);
    bool ok = demo_ledger_show(d, index, only, &text) &&
              memmem(text.ptr, text.len, "no policy permits", 17) != NULL;
    buf_release(&text);
    return ok;
}

bool demo_chat_refused(struct demo *d)
{
    static const struct demo_question q = {.model = "large", .text = "Hello"};
    struct demo_answer answer;

    demo_tell_heading(d, "A model that the agent may not use",
                      "The caller gets a code and the decision's id, the "
                      "operator the reason.");
    demo_ask_show(d, &q);
    demo_ask_chat(d, &q, &answer);
    struct str id = http_fields_get(answer.fields, STR("writ-decision-id"));
    cli_print(d->cli->out, "%d, writ-decision-id: ", answer.status);
    cli_print_safe(d->cli->out, id);
    cli_print(d->cli->out, "\n");
    demo_tell_line(d, buf_str(&answer.body));
    bool ok = answer.status == 403 && id.len > 0 && show_why(d, &answer);
    demo_ask_release(&answer);
    return demo_tell_verdict(d, ok, "refused before anything left");
}
