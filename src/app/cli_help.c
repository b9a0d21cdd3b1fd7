/* cli_help.c - see cli_help.h. */
#include "app/cli_help.h"

#include "base/attr.h"

enum { NAME_WIDTH = 18, OPTION_WIDTH = 22 };

static void list(const struct cli_program *p, struct str prefix, FILE *out)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct cli_command *c = &p->commands[i];
        if (str_starts(str_from(c->name), prefix))
            cli_print(out, "  %-*s %s\n", NAME_WIDTH, c->name, c->help);
    }
}

static void option(FILE *out, const struct cli_option *o)
{
    char left[64];
    char letter[] = {'-', o->letter, ',', ' ', 0};
    (void)snprintf(left, sizeof(left), "%s--%s%s%s",
                   o->letter != 0 ? letter : "    ", o->name,
                   o->value != NULL ? " " : "",
                   o->value != NULL ? o->value : "");
    cli_print(out, "  %-*s %s\n", OPTION_WIDTH, left, o->help);
}

static void common_options(FILE *out)
{
    static const struct cli_option rows[] = {
        {"json", 0, NULL, "print JSON"},
        {"help", 'h', NULL, "print this help"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        option(out, &rows[i]);
}

void cli_help_program(const struct cli_program *p, FILE *out)
{
    cli_print(out, "%s\n\nUsage: %s COMMAND [OPTION...]\n\nCommands:\n",
              p->help, p->name);
    list(p, STR(""), out);
    cli_print(out,
              "\nEvery command takes --help and --json.  %s --version prints "
              "the version.\n"
              "Exit codes: 0 ok, 1 refused or failed, 2 usage.\n",
              p->name);
}

void cli_help_group(const struct cli_program *p, const char *word, FILE *out)
{
    char prefix[64];
    (void)snprintf(prefix, sizeof(prefix), "%s ", word);
    cli_print(out, "Usage: %s %s COMMAND [OPTION...]\n\nCommands:\n", p->name,
              word);
    list(p, str_from(prefix), out);
}

void cli_help_command(const struct cli_program *p, const struct cli_command *c,
                      FILE *out)
{
    cli_print(out, "%s\n\nUsage: %s %s%s%s [OPTION...]\n", c->help, p->name,
              c->name, *c->args != 0 ? " " : "", c->args);
    if (*c->more != 0)
        cli_print(out, "\n%s\n", c->more);
    (void)fputs("\nOptions:\n", out);
    for (const struct cli_option *o = c->options; o != NULL && o->name != NULL;
         o++)
        option(out, o);
    common_options(out);
}
