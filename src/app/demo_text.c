/* demo_text.c - see demo_text.h. */
#include "app/demo_text.h"

#include "codec/json.h"

static const char models[] =
    "// Everything that no policy permits is denied.\n"
    "\n"
    "@id(\"research on small models\")\n"
    "permit (\n"
    "    principal is Writ::Agent in Writ::Tenant::\"acme\",\n"
    "    action == Writ::Action::\"model:invoke\",\n"
    "    resource\n"
    ")\n"
    "when {\n"
    "    principal.purposes.contains(\"research\") &&\n"
    "    [Writ::Model::\"small\", Writ::Model::\"report\"].contains(resource)\n"
    "};\n";

static const char tools[] =
    "@id(\"what the office offers\")\n"
    "permit (\n"
    "    principal is Writ::Agent in Writ::Tenant::\"acme\",\n"
    "    action == Writ::Action::\"tool:list\",\n"
    "    resource == Writ::ToolServer::\"office\"\n"
    ");\n"
    "\n"
    "@id(\"public notes\")\n"
    "permit (\n"
    "    principal is Writ::Agent in Writ::Tenant::\"acme\",\n"
    "    action == Writ::Action::\"tool:call/office/read_note\",\n"
    "    resource\n"
    ")\n" DEMO_TEXT_PATHS "\n"
    "\n"
    "@id(\"orders and updates\")\n"
    "permit (\n"
    "    principal is Writ::Agent in Writ::Tenant::\"acme\",\n"
    "    action in [Writ::Action::\"tool:call/office/pay\",\n"
    "               Writ::Action::\"tool:call/office/update\"],\n"
    "    resource\n"
    ");\n"
    "\n"
    "@id(\"large payments\")\n"
    "@approval(\"finance\")\n"
    "forbid (\n"
    "    principal,\n"
    "    action == Writ::Action::\"tool:call/office/pay\",\n"
    "    resource\n"
    ")\n"
    "when { context.input.amount.greaterThan(decimal(\"500.0\")) };\n";

static const char large[] =
    "@id(\"research on large models\")\n"
    "permit (\n"
    "    principal is Writ::Agent in Writ::Tenant::\"acme\",\n"
    "    action == Writ::Action::\"model:invoke\",\n"
    "    resource == Writ::Model::\"large\"\n"
    ")\n"
    "when { principal.purposes.contains(\"research\") };\n";

static const char shadow[] =
    "// A plan: only recorded, never in force, until its folder is the other.\n"
    "\n"
    "permit (principal, action, resource);\n"
    "\n"
    "@id(\"no agent on large models\")\n"
    "forbid (\n"
    "    principal is Writ::Agent,\n"
    "    action,\n"
    "    resource == Writ::Model::\"large\"\n"
    ");\n";

void demo_text_config(struct buf *to, unsigned port, unsigned provider_port,
                      struct str tools_program)
{
    buf_addf(to,
             "# Made by `writ demo`.  Every key: docs/configuration.md.\n"
             "node: demo\n"
             "data: data\n"
             "listen: [{address: \"127.0.0.1:%u\"}]\n"
             "tenants: {acme: {regions: [eu]}}\n"
             "providers:\n"
             "  quickstart: {dialect: openai, "
             "url: \"http://127.0.0.1:%u/v1\", region: eu,\n"
             "               credential: [{file: provider.key}]}\n",
             port, provider_port);
    BUF_LIT(to, "models:\n"
                "  small: {routes: [{provider: quickstart, model: quick-1}]}\n"
                "  large: {routes: [{provider: quickstart, model: quick-1}]}\n"
                "  report: {routes: [{provider: quickstart, model: "
                "quick-long}]}\n"
                "tools:\n"
                "  office:\n"
                "    transport: stdio\n"
                "    command: [");
    json_write_str(to, tools_program);
    BUF_LIT(to, "]\n"
                "    cwd: notes\n"
                "    files: {write: [notes]}\n"
                "    region: eu\n"
                "    risk: {read_note: [read], pay: [purchase], update: "
                "[write]}  # others: every risk\n"
                "policies: {dir: policies, shadow: policies-next}\n"
                "approvals: {hold: 60s, groups: {finance: [bob, you]}}\n"
                "limits:\n"
                "  - {name: large models, match: {model: [large]}, "
                "per: principal,\n"
                "     budget: {tokens: 200, window: 1d}}\n");
}

struct str demo_text_models(void)
{
    return (struct str){models, sizeof(models) - 1};
}

struct str demo_text_tools(void)
{
    return (struct str){tools, sizeof(tools) - 1};
}

struct str demo_text_large(void)
{
    return (struct str){large, sizeof(large) - 1};
}

struct str demo_text_shadow(void)
{
    return (struct str){shadow, sizeof(shadow) - 1};
}
