/* demo_policy.c - `writ demo`: policy changed while the node runs. */
#include "app/demo_ask.h"
#include "app/demo_ledger.h"
#include "app/demo_node.h"
#include "app/demo_steps.h"
#include "app/demo_tell.h"
#include "app/demo_text.h"
#include "base/limits.h"

static bool show_shadow(struct demo *d, uint64_t intent)
{
    static const char *const only[] = {"entry", "decision:", "shadow:", NULL};
    static const char planned[] = "shadow: deny, by \"no agent on large";
    struct buf text;

    buf_init(&text, 64 * KIB);
    bool ok = demo_ledger_show(d, intent, only, &text) &&
              memmem(text.ptr, text.len, planned, sizeof(planned) - 1) != NULL;
    buf_release(&text);
    return ok;
}

static bool ask_again(struct demo *d)
{
    static const struct demo_question q = {.model = "large",
                                           .text = "Hello",
                                           .tokens_max = 60};
    struct demo_answer answer;
    uint64_t intent;

    demo_ask_show(d, &q);
    demo_ask_chat(d, &q, &answer);
    cli_print(d->cli->out, "%d\n", answer.status);
    bool ok = answer.status == 200 && demo_ledger_receipt(&answer, &intent) &&
              show_shadow(d, intent);
    demo_ask_release(&answer);
    return ok;
}

bool demo_policy_step(struct demo *d)
{
    static const char *const all[] = {"", NULL};
    const char *const argv[] = {"writ",     "policy",  "check",
                                "--config", d->config, NULL};
    const struct demo_run check = {.argv = argv, .only = all};

    demo_tell_heading(d, "The policy is changed, and read while the node runs",
                      "policies-next/ is a plan that is evaluated beside it "
                      "and only recorded.");
    demo_tell_command(d, "cat > policies/large.cedar");
    demo_tell_lines(d, demo_text_large());
    if (!demo_node_write(d, "policies/large.cedar", demo_text_large()))
        return false;
    demo_tell_command(d, "writ policy check");
    if (demo_tell_run(d, &check) != 0)
        return demo_tell_verdict(d, false, "the policies are not right");
    demo_tell_command(d, "kill -HUP %d", (int)d->node);
    if (!demo_node_reload(d))
        return demo_tell_verdict(d, false, "they are not in place");
    return demo_tell_verdict(d, ask_again(d),
                             "the same call is allowed now, and the plan "
                             "would have refused it");
}
