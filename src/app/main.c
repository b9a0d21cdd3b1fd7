/* main.c - the program: a role of a node, or a command. */
#include <fcntl.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/cmd.h"
#include "app/cmd_admin.h"
#include "app/cmd_cedar.h"
#include "app/cmd_policy_fmt.h"
#include "app/policy_load.h"
#include "app/role.h"
#include "base/attr.h"

#define DATA_OPTION                                                            \
    {"data", 0, "DIR", "the data directory, instead of the configuration's"}

static const struct cli_option serve_options[] = {
    CMD_CONFIG_OPTION,
    {NULL, 0, NULL, NULL},
};

static const struct cli_option config_options[] = {
    CMD_CONFIG_OPTION,
    {NULL, 0, NULL, NULL},
};

static const struct cli_option data_options[] = {
    CMD_CONFIG_OPTION,
    DATA_OPTION,
    {NULL, 0, NULL, NULL},
};

static const struct cli_option demo_options[] = {
    {"dir", 0, "DIR", "where to put it (default: a new folder in /tmp)"},
    {"keep", 0, NULL, "keep serving when the walk is over"},
    {"port", 0, "PORT", "where the node listens (default: 8080)"},
    {NULL, 0, NULL, NULL},
};

static const struct cli_option init_options[] = {
    {"dir", 0, "DIR", "where (default: the working directory)"},
    {NULL, 0, NULL, NULL},
};

static const struct cli_option schema_options[] = {
    {"markdown", 0, NULL, "as a page of documentation"},
    {NULL, 0, NULL, NULL},
};

static const struct cli_option key_options[] = {
    CMD_CONFIG_OPTION,
    DATA_OPTION,
    {"generate", 'g', NULL, "make a new key and print it, too"},
    {NULL, 0, NULL, NULL},
};

static const struct cli_option show_options[] = {
    CMD_CONFIG_OPTION,
    DATA_OPTION,
    {"last", 'n', "N", "the last N entries (default: 20)"},
    {"kind", 'k', "KIND", "only intent, outcome, refusal, ..."},
    {"follow", 'f', NULL, "go on as entries come"},
    {"tree", 0, NULL, "who asked whom to do what (of the last 1000)"},
    {NULL, 0, NULL, NULL},
};

static const struct cli_option tail_options[] = {
    CMD_CONFIG_OPTION,
    DATA_OPTION,
    {"last", 'n', "N", "begin with the last N entries (default: 20)"},
    {"kind", 'k', "KIND", "only intent, outcome, refusal, ..."},
    {NULL, 0, NULL, NULL},
};

static const struct cli_option verify_options[] = {
    CMD_CONFIG_OPTION,
    DATA_OPTION,
    {"min", 0, "N", "there must be at least N entries"},
    {NULL, 0, NULL, NULL},
};

static const struct cli_option policy_options[] = {
    POLICY_LOAD_OPTIONS,
    {NULL, 0, NULL, NULL},
};

static const struct cli_option eval_options[] = {
    POLICY_LOAD_OPTIONS,
    {"chain", 0, "LIST", "the links, as YAML"},
    {"principal", 0, "MAP", "a chain of one link"},
    {"agent", 0, "ID", "the same: an agent, <tenant>/<name>"},
    {"action", 0, "NAME", "model:invoke, ...; of a tool, tool:call"},
    {"resource", 0, "MODEL", "an alias, or {type: ..., id: ...}"},
    {"tool", 0, "NAME", "a tool instead, <server>/<tool>"},
    {"arguments", 0, "MAP", "what it is called with"},
    {"approved", 0, "LIST", "ids of forbids that people have lifted"},
    {"tenant", 0, "NAME", "that all links are of"},
    {"destination", 0, "MAP", "provider, host, region"},
    {"context", 0, "MAP", "purpose, labels, session, ..."},
    {NULL, 0, NULL, NULL},
};

static const struct cli_command commands[] = {
    {"serve", "", 0, 0, "run the gateway",
     "Stays in the foreground and logs to standard error.  SIGTERM drains and "
     "stops,\nSIGHUP reads the configuration again.",
     serve_options, cmd_serve},
    {"check", "", 0, 0, "validate a configuration without starting",
     "Prints what the configuration says and which gaps it leaves; the gaps "
     "do not\nchange the exit code.",
     config_options, cmd_check},
    {"init", "", 0, 0, "write a first configuration and its policies",
     "Makes writ.yaml, policies/first.cedar and the data directory.  Nothing "
     "that is\nthere already is changed.",
     init_options, cmd_init},
    {"demo", "", 0, 0, "walk through what it is for, on built-in defaults", "",
     demo_options, cmd_demo},
    {"status", "", 0, 0, "what the running node is doing", "", data_options,
     cmd_status},
    {"agent list", "", 0, 0, "who is in the registry", "",
     cmd_agent_list_options, cmd_agent_list},
    {"agent show", "ID", 1, 1, "one identity",
     "ID is the entity id, as the list shows it: \"acme/writer\", "
     "\"keys|alice\".",
     cmd_agent_show_options, cmd_agent_show},
    {"agent add", "NAME", 1, 1, "register an agent, or another identity",
     "Needs an owner (a person who is registered), a purpose and an end.  A "
     "key is\nmade and printed once, unless --issuer says who proves it.",
     cmd_agent_add_options, cmd_agent_add},
    {"agent adopt", "ID", 1, 1, "register who was discovered", "",
     cmd_agent_adopt_options, cmd_agent_adopt},
    {"agent suspend", "ID", 1, 1, "stop it at once, also in mid-answer",
     "When this returns, nothing of it leaves the node any more.",
     cmd_agent_state_options, cmd_agent_suspend},
    {"agent resume", "ID", 1, 1, "let it act (again)", "",
     cmd_agent_state_options, cmd_agent_resume},
    {"agent retire", "ID", 1, 1, "stop it for good",
     "Its keys go; its name is not used again.", cmd_agent_state_options,
     cmd_agent_retire},
    {"agent rotate", "ID", 1, 1, "give it a new key", "",
     cmd_agent_rotate_options, cmd_agent_rotate},
    {"session list", "", 0, 0, "open sessions", "", cmd_session_list_options,
     cmd_session_list},
    {"session end", "ID", 1, 1, "end a session and what goes on in it", "",
     cmd_session_end_options, cmd_session_end},
    {"tool list", "", 0, 0, "which tools servers offer, and which are usable",
     "", cmd_tool_list_options, cmd_tool_list},
    {"tool show", "SERVER/TOOL", 1, 1, "a tool as it is pinned, and offered",
     "Whatever is not plain ASCII is shown as \\u{...}.", cmd_tool_options,
     cmd_tool_show},
    {"tool diff", "SERVER/TOOL", 1, 1, "what its server changed in it", "",
     cmd_tool_options, cmd_tool_diff},
    {"tool approve", "SERVER/TOOL", 1, 1, "pin what its server offers now",
     "Shows what changes and asks; without a terminal --digest names the "
     "definition that\nyou have looked at.  When its server offers another one "
     "by then, nothing changes.",
     cmd_tool_approve_options, cmd_tool_approve},
    {"budget list", "", 0, 0, "what was used of each budget", "",
     cmd_budget_options, cmd_budget_list},
    {"budget show", "NAME", 1, 1, "whom one budget counts", "",
     cmd_budget_options, cmd_budget_show},
    {"approval list", "", 0, 0, "which actions wait for people", "",
     cmd_approval_list_options, cmd_approval_list},
    {"approval show", "ID", 1, 1, "what exactly would be allowed",
     "ID is a ticket's id, or its first digits.  Whatever is not plain ASCII "
     "is shown\nas \\u{...}.",
     cmd_approval_options, cmd_approval_show},
    {"approval approve", "ID", 1, 1, "allow exactly this action, once",
     "Takes a person with a login that is at most 5 minutes old (`writ "
     "login`), a member\nof a group that has to say yes, and no link of the "
     "chain that asks.",
     cmd_approval_decide_options, cmd_approval_approve},
    {"approval deny", "ID", 1, 1, "say no; whoever waits is refused",
     "Takes the same person as a yes.", cmd_approval_decide_options,
     cmd_approval_deny},
    {"login", "", 0, 0, "log in at a node, over its socket or admin address",
     "Asks for name, passphrase and one-time code; standard input that is no "
     "terminal\ngives them, one line each.  The token is kept in "
     "$XDG_CONFIG_HOME/writ, mode 0600.",
     cmd_login_options, cmd_login},
    {"schema config", "", 0, 0, "the configuration's JSON Schema", "",
     schema_options, cmd_schema_config},
    {"key hash", "", 0, 0, "the hash of a key that somebody has already",
     "The key is read from standard input, one line; a terminal does not show "
     "it.",
     key_options, cmd_key_hash},
    {"ledger show", "[INDEX]", 0, 1, "the last entries of the evidence, or one",
     "Reads the files, whether a node runs or not.", show_options,
     cmd_ledger_show},
    {"ledger tail", "", 0, 0, "entries as they come", "", tail_options,
     cmd_ledger_tail},
    {"ledger verify", "[DIR]", 0, 1, "is every entry as it was committed?",
     "Recomputes every hash of the ledger in DIR, which is a data directory "
     "or a copy of\na ledger; no key and no running node is needed.  Exit "
     "code 1 names the first bad\nentry.",
     verify_options, cmd_ledger_verify},
    {"policy check", "", 0, 0, "are the policies right?",
     "Loads the policies, shadow and entities that the configuration names, or "
     "those of\n--dir, and prints what is wrong at its place.",
     policy_options, cmd_policy_check},
    {"policy eval", "[FILE]", 0, 1, "what do the policies say to one question?",
     "FILE holds the question as YAML or JSON: chain, action, resource, "
     "destination,\ncontext.  Options are the same in YAML and go before it.  "
     "Exit code 1: denied.",
     eval_options, cmd_policy_eval},
    {"policy test", "[FILE|DIR...]", 0, CLI_ARGS_MAX,
     "do the policies decide as their tests say?",
     "Without FILE or DIR: all *.test.yaml below the folder of policies.",
     policy_options, cmd_policy_test},
    {"policy fmt", "FILE...", 1, CLI_ARGS_MAX,
     "put policies into the form they should have",
     "Rewrites each FILE and prints the names of those that changed.  Comments "
     "stay, and\nno policy means anything else after it.",
     cmd_policy_fmt_options, cmd_policy_fmt},
    {"cedar run-tests", "FILE...", 1, CLI_ARGS_MAX,
     "run the official integration tests of Cedar",
     "Checks decision, reasons, errors and shouldValidate of each FILE and "
     "prints every\ndifference.  Each request is one test, and so is the "
     "validator's verdict.",
     cmd_cedar_tests_options, cmd_cedar_tests},
    {"cedar authorize", "", 0, 0, "answer one request by plain Cedar",
     "What begins with a brace is read as JSON.  The request is an object: "
     "principal,\naction, resource, context.  Exit code 1: denied, or an "
     "error.",
     cmd_cedar_authorize_options, cmd_cedar_authorize},
};

/* Started without one of 0, 1, 2, the next thing that is opened would take
 * its place: the log would be written to a socket, or to the lock. */
static bool has_standard_fds(void)
{
    int fd = STDIN_FILENO;

    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = open("/dev/null", O_RDWR);
    return fd > STDERR_FILENO && close(fd) == 0;
}

int main(int argc, char **argv)
{
    static const struct cli_program program = {
        .name = "writ",
        .version = WRIT_VERSION,
        .help = "Writ is an AI gateway: proof of who asks, a decision for this "
                "action now, and\nevidence that exists before the action does.",
        .commands = commands,
        .count = ARRAY_LEN(commands),
    };

    if (!has_standard_fds())
        return CLI_FAILED;
    if (role_is(argc, argv))
        return role_main(argc, argv);
    return cli_run(&program, argc, argv, stdout, stderr);
}
