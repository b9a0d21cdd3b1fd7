/* demo_budget.c - `writ demo`: a budget that runs out. */
#include "app/demo_ask.h"
#include "app/demo_steps.h"
#include "app/demo_tell.h"
#include "base/num.h"

enum { CALLS_MAX = 20 }; /* more than any window has room for */

static void print_field(const struct demo *d, const struct demo_answer *a,
                        struct str name)
{
    struct str value = http_fields_get(a->fields, name);

    if (value.len == 0)
        return;
    cli_print(d->cli->out, "  %.*s: ", STR_FMT(name));
    cli_print_safe(d->cli->out, value);
}

/* One call; true when `*ret` is what it leaves of the budget, false when it
 * was not let in. */
static bool call(struct demo *d, struct demo_answer *answer, uint64_t *ret)
{
    static const struct demo_question q = {.model = "large",
                                           .text = "Hello",
                                           .tokens_max = 60};

    demo_ask_chat(d, &q, answer);
    cli_print(d->cli->out, "%d", answer->status);
    print_field(d, answer, STR("x-ratelimit-remaining-tokens"));
    print_field(d, answer, STR("retry-after"));
    cli_print(d->cli->out, "\n");
    return answer->status == 200 &&
           num_u64(http_fields_get(answer->fields,
                                   STR("x-ratelimit-remaining-tokens")),
                   UINT32_MAX, ret);
}

/* Until it is empty; a window may end meanwhile, and then there is more. */
static bool use_up(struct demo *d)
{
    uint64_t before = UINT64_MAX, left = 0;
    bool went_down = false, passed = true, refused = false;

    for (unsigned i = 0; i < CALLS_MAX && passed; i++) {
        struct demo_answer answer;
        uint64_t after;
        passed = call(d, &answer, &left);
        went_down = went_down || (passed && i > 0 && left < before);
        before = left;
        refused = answer.status == 429 &&
                  num_u64(http_fields_get(answer.fields, STR("retry-after")),
                          UINT32_MAX, &after) &&
                  after > 0;
        if (!passed)
            demo_tell_line(d, buf_str(&answer.body));
        demo_ask_release(&answer);
    }
    return went_down && refused;
}

bool demo_budget_step(struct demo *d)
{
    static const struct demo_question q = {.model = "large",
                                           .text = "Hello",
                                           .tokens_max = 60};
    const char *const argv[] = {"writ",     "budget",  "list",
                                "--config", d->config, NULL};
    const struct demo_run list = {.argv = argv};

    demo_tell_heading(d, "A budget runs out",
                      "What a call may cost is reserved before it is sent, "
                      "and settled by what it took.");
    demo_ask_show(d, &q);
    if (!use_up(d))
        return demo_tell_verdict(d, false, "it does not run out");
    demo_tell_command(d, "writ budget list");
    return demo_tell_verdict(d, demo_tell_run(d, &list) == 0,
                             "refused before it was sent, with the time to "
                             "wait in seconds");
}
