/* init_text.c - see init_text.h. */
#include "app/init_text.h"

static const char config[] =
    "# Writ's configuration.  `writ check` validates it, `writ serve` starts "
    "the gateway.\n"
    "# Every key: `writ schema config --markdown`; for your editor: `writ "
    "schema config`.\n"
    "\n"
    "node: gw-1                                # this gateway's name in "
    "evidence\n"
    "data: data                                # keys, evidence, store; "
    "relative to this file\n"
    "\n"
    "listen:\n"
    "  - address: 127.0.0.1:8080               # plain HTTP, which is for "
    "loopback only\n"
    "  # - address: 0.0.0.0:8443\n"
    "  #   tls: {cert: tls/cert.pem, key: tls/key.pem}\n"
    "\n"
    "tenants:\n"
    "  default:\n"
    "    regions: [us]                         # where its data may go\n"
    "\n"
    "providers:\n"
    "  openai:\n"
    "    dialect: openai\n"
    "    url: https://api.openai.com/v1\n"
    "    region: us\n"
    "    credential:\n"
    "      - env: OPENAI_API_KEY               # or file: a path; never the "
    "secret itself\n"
    "  # local:                                # any server that speaks "
    "OpenAI's wire format\n"
    "  #   dialect: openai\n"
    "  #   url: http://127.0.0.1:11434/v1\n"
    "  #   region: us\n"
    "  #   credential: [{env: LOCAL_KEY}]      # any word, if it asks for "
    "none\n"
    "\n"
    "models:                                   # the names that callers use\n"
    "  small:\n"
    "    routes: [{provider: openai, model: gpt-4o-mini}]\n"
    "    price: {input: 0.15, output: 0.60}    # US dollars per million "
    "tokens\n"
    "\n"
    "policies: {dir: policies}                 # who may do what, in Cedar\n"
    "\n"
    "admin: {address: 127.0.0.1:9090}          # where the node is looked "
    "after: `writ login`\n"
    "\n"
    "# trust:                                  # whose tokens are believed\n"
    "#   oidc:\n"
    "#     - {alias: corp, issuer: https://idp.example.org, audience: writ,\n"
    "#        kinds: human, tenants: default}\n"
    "# limits:\n"
    "#   - {name: a day, per: principal, budget: {tokens: 2000000, window: "
    "1d}}\n"
    "\n"
    "ledger:\n"
    "  durable: before_action                  # evidence is on disk before "
    "a call leaves\n"
    "  payloads: hash                          # of prompts and answers, a "
    "keyed hash\n";

static const char policies[] =
    "// Everything that no policy permits is denied.  `writ policy check` "
    "reads "
    "these files,\n"
    "// `writ policy test` tries them, SIGHUP puts them in place.\n"
    "\n"
    "@id(\"agents of this tenant use the small model\")\n"
    "permit (\n"
    "    principal is Writ::Agent in Writ::Tenant::\"default\",\n"
    "    action == Writ::Action::\"model:invoke\",\n"
    "    resource == Writ::Model::\"small\"\n"
    ");\n";

struct str init_text_config(void)
{
    return (struct str){config, sizeof(config) - 1};
}

struct str init_text_policies(void)
{
    return (struct str){policies, sizeof(policies) - 1};
}
