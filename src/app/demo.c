/* demo.c - see demo.h. */
#include "app/demo.h"

#include <unistd.h>

#include "app/demo_mcp.h"
#include "app/demo_steps.h"
#include "base/attr.h"

bool demo_walk(struct demo *d, const volatile sig_atomic_t *stop)
{
    static bool (*const steps[])(struct demo *d) = {
        demo_callers_step,     demo_chat_step,       demo_chat_refused,
        demo_tools_step,       demo_tools_refused,   demo_approval_step,
        demo_approval_changed, demo_policy_step,     demo_budget_step,
        demo_revoke_step,      demo_pins_step,       demo_ledger_tree,
        demo_ledger_verified,  demo_ledger_tampered,
    };

    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        if (*stop || !steps[i](d))
            return false;
    }
    return true;
}

static void print_calls(FILE *out, const struct demo *d)
{
    cli_print(
        out,
        "  export URL=http://127.0.0.1:%u/v1 KEY=%s\n\n"
        "  curl -N $URL/chat/completions -H \"authorization: Bearer "
        "$KEY\" --json \\\n"
        "    '{\"model\":\"small\",\"stream\":true,\"messages\":"
        "[{\"role\":\"user\",\"content\":\"Hello\"}]}'\n\n"
        "  # the SDK (pip install openai): only base URL and key change\n"
        "  OPENAI_BASE_URL=$URL OPENAI_API_KEY=$KEY python3 -c '\n"
        "from openai import OpenAI\n"
        "for e in OpenAI().chat.completions.create(model=\"small\", "
        "stream=True,\n"
        "        messages=[{\"role\": \"user\", \"content\": \"Hello\"}]):\n"
        "    print(e.choices[0].delta.content or \"\", end=\"\", "
        "flush=True)'\n\n",
        d->port, d->key);
}

static void print_tools(FILE *out, const struct demo *d)
{
    cli_print(out,
              "  # tools, as curl calls them; any MCP client takes the same "
              "address and the key\n"
              "  MCP=http://127.0.0.1:%u/mcp/" DEMO_SERVER "\n"
              "  %s\n"
              "  %s\n"
              "  call read_note '{\"path\":\"public/hours.txt\"}'\n"
              "  call pay '{\"to\":\"acme paper\",\"amount\":900}'   # waits "
              "a minute for somebody\n\n",
              d->port, DEMO_MCP_SESSION, DEMO_MCP_FUNCTION);
}

/* So that "writ" is this program. */
static void print_path(FILE *out)
{
    char program[FILE_PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", program, sizeof(program));

    while (len > 0 && program[len - 1] != '/')
        len--;
    if (len > 1)
        cli_print(out, "  export PATH=%.*s:$PATH\n", (int)len - 1, program);
}

static void print_commands(FILE *out, const struct demo *d)
{
    print_path(out);
    cli_print(out,
              "  cd %s   # writ.yaml, policies/, writ.log\n"
              "  writ status\n"
              "  writ ledger tail\n"
              "  writ agent list\n"
              "  writ session list\n"
              "  writ tool list\n"
              "  writ approval list\n"
              "  writ login --invite        # a code, with which you become "
              "one who may approve:\n"
              "  writ login --enrol --name you --tenant acme\n"
              "  writ ledger show --tree\n"
              "  writ agent suspend " DEMO_AGENT_ID "\n"
              "  writ agent resume " DEMO_AGENT_ID "\n",
              d->dir);
}

void demo_goodbye(const struct demo *d)
{
    FILE *out = d->cli->out;

    cli_print(out, "\nThe node keeps serving until Ctrl-C.  From another "
                   "terminal:\n\n");
    print_calls(out, d);
    print_tools(out, d);
    print_commands(out, d);
    (void)fflush(out);
}
