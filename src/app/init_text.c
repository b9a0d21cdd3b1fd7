/* init_text.c - see init_text.h. */
#include "app/init_text.h"

static const char before_hash[] =
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
    "admin:\n"
    "  address: 127.0.0.1:9090                 # the admin API; everybody logs "
    "in\n"
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
    "callers:\n"
    "  - name: first\n"
    "    tenant: default\n"
    "    kind: application                     # or human, workload, agent\n"
    "    key: ";

static const char after_hash[] =
    "\n"
    "    models: [small]                       # and no other\n"
    "  # another one: `writ key hash --generate` prints a key and its hash\n"
    "\n"
    "ledger:\n"
    "  durable: before_action                  # evidence is on disk before "
    "a call leaves\n"
    "  payloads: hash                          # of prompts and answers, a "
    "keyed hash\n";

void init_text_config(struct buf *to, const char *hash)
{
    buf_add(to, str_from(before_hash));
    buf_add(to, str_from(hash));
    buf_add(to, str_from(after_hash));
}
