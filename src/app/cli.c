/* cli.c - see cli.h. */
#include "app/cli.h"

#include <assert.h>
#include <stdarg.h>
#include <unistd.h>

#include "app/cli_help.h"
#include "base/buf.h"
#include "base/text.h"
#include "codec/json.h"

enum { MESSAGE_MAX = 4096 };

static const struct cli_option common_help = {"help", 'h', NULL, ""};
static const struct cli_option common_json = {"json", 0, NULL, ""};

/* One command line while it is read. */
struct reading {
    const struct cli_program *program;
    struct cli cli;
    char **argv; /* ends with NULL */
    bool help, version;
};

static size_t option_count(const struct cli_command *c)
{
    size_t n = 0;
    if (c->options == NULL)
        return 0;
    while (c->options[n].name != NULL)
        n++;
    assert(n <= CLI_OPTIONS_MAX);
    return n;
}

static size_t option_index(const struct cli *c, const char *name)
{
    size_t n = option_count(c->command);
    for (size_t i = 0; i < n; i++) {
        if (str_eq(str_from(c->command->options[i].name), str_from(name)))
            return i;
    }
    assert(false && "the option is not in the command's table");
    return 0;
}

bool cli_has(const struct cli *c, const char *option)
{
    return c->values[option_index(c, option)] != NULL;
}

const char *cli_value(const struct cli *c, const char *option,
                      const char *fallback)
{
    const char *value = c->values[option_index(c, option)];
    return value == NULL ? fallback : value;
}

static void PRINTF_LIKE(2, 0)
    say(const struct cli *c, const char *fmt, va_list args)
{
    char text[MESSAGE_MAX];
    (void)vsnprintf(text, sizeof(text), fmt, args);
    (void)fputs("writ: ", c->err);
    cli_print_safe(c->err, str_from(text));
    (void)fputc('\n', c->err);
    if (!c->json)
        return;
    struct buf json;
    buf_init(&json, 8 * sizeof(text));
    BUF_LIT(&json, "{\"ok\":false,\"error\":");
    json_write_str(&json, str_from(text));
    BUF_LIT(&json, "}\n");
    if (buf_ok(&json))
        (void)fwrite(json.ptr, 1, json.len, c->out);
    buf_release(&json);
}

int cli_fail(const struct cli *c, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(c, fmt, args);
    va_end(args);
    return CLI_FAILED;
}

int cli_usage(const struct cli *c, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(c, fmt, args);
    va_end(args);
    if (c->command != NULL)
        cli_print(c->err, "Try: writ %s --help\n", c->command->name);
    else
        (void)fputs("Try: writ --help\n", c->err);
    return CLI_USAGE;
}

void cli_print(FILE *out, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vfprintf(out, fmt, args);
    va_end(args);
}

bool cli_is_terminal(FILE *f)
{
    const char *no_color = secure_getenv("NO_COLOR");
    const char *term = secure_getenv("TERM");
    return isatty(fileno(f)) == 1 && (no_color == NULL || *no_color == 0) &&
           (term == NULL || !str_eq(str_from(term), STR("dumb")));
}

void cli_print_safe(FILE *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool c1 = c == 0xc2 && i + 1 < s.len &&
                  (unsigned char)s.ptr[i + 1] < 0xa0; /* U+0080 to U+009F */
        if (c1)
            i++;
        (void)fputc(c < 0x20 || c == 0x7f || c1 ? '?' : c, out);
    }
}

/* The name in the table nearest to `word`, when it is near at all. */
static const char *nearest(const char *word, const char *best,
                           const char *candidate, unsigned *distance)
{
    unsigned d = text_distance(str_from(word), str_from(candidate));
    if (d >= *distance || d > 1 + strlen(candidate) / 3)
        return best;
    *distance = d;
    return candidate;
}

static int unknown_option(struct reading *r, const char *given)
{
    char name[64];
    size_t len = strcspn(given, "=");
    (void)snprintf(name, sizeof(name), "%.*s", (int)(len < 60 ? len : 60),
                   given);
    unsigned distance = 99;
    const char *best = nearest(name, NULL, "--help", &distance);
    best = nearest(name, best, "--json", &distance);
    static const char dashes[] = "--";
    char candidate[64];
    char kept[64] = "";
    const struct cli_command *c = r->cli.command;
    for (size_t i = 0, n = option_count(c); i < n; i++) {
        (void)snprintf(candidate, sizeof(candidate), "%s%s", dashes,
                       c->options[i].name);
        if (nearest(name, NULL, candidate, &distance) == NULL)
            continue;
        memcpy(kept, candidate, sizeof(kept));
        best = kept;
    }
    if (best != NULL)
        return cli_usage(&r->cli, "%s: no option %s; did you mean %s?", c->name,
                         name, best);
    return cli_usage(&r->cli, "%s: no option %s", c->name, name);
}

/* The option that `arg` names and the value that hangs on it, or NULL. */
static const struct cli_option *match(const struct cli_option *o,
                                      const char *arg, const char **ret_value)
{
    *ret_value = NULL;
    if (arg[1] != '-')
        return o->letter != 0 && arg[1] == o->letter && arg[2] == 0 ? o : NULL;
    size_t len = strlen(o->name);
    if (!str_starts(str_from(arg + 2), (struct str){o->name, len}))
        return NULL;
    if (arg[2 + len] == '=')
        *ret_value = arg + 2 + len + 1;
    return arg[2 + len] == 0 || arg[2 + len] == '=' ? o : NULL;
}

static int set_option(struct reading *r, size_t at, const char *value)
{
    struct cli *c = &r->cli;
    const struct cli_option *o = &c->command->options[at];
    if (c->values[at] != NULL)
        return cli_usage(c, "%s: --%s is given twice", c->command->name,
                         o->name);
    if (o->value == NULL && value != NULL)
        return cli_usage(c, "%s: --%s takes no value", c->command->name,
                         o->name);
    if (o->value != NULL && value == NULL)
        value = *++r->argv;
    if (o->value != NULL && value == NULL) {
        r->argv--;
        return cli_usage(c, "%s: --%s needs a value: %s", c->command->name,
                         o->name, o->value);
    }
    c->values[at] = o->value == NULL ? "" : value;
    return CLI_OK;
}

static int read_option(struct reading *r)
{
    const char *value;
    const char *arg = *r->argv;
    const struct cli_command *c = r->cli.command;
    if (match(&common_help, arg, &value) != NULL && value == NULL) {
        r->help = true;
        return CLI_OK;
    }
    if (match(&common_json, arg, &value) != NULL && value == NULL) {
        r->cli.json = true;
        return CLI_OK;
    }
    for (size_t i = 0, n = option_count(c); i < n; i++) {
        if (match(&c->options[i], arg, &value) != NULL)
            return set_option(r, i, value);
    }
    return unknown_option(r, arg);
}

static int read_arg(struct reading *r)
{
    struct cli *c = &r->cli;
    if (c->arg_count == c->command->args_max)
        return cli_usage(c, "%s: \"%s\" is one argument too many",
                         c->command->name, *r->argv);
    c->args[c->arg_count++] = *r->argv;
    return CLI_OK;
}

/* What stands behind the command's name. */
static int read_rest(struct reading *r)
{
    bool options = true;
    r->cli.args = r->argv;
    for (; *r->argv != NULL; r->argv++) {
        const char *arg = *r->argv;
        int code;
        if (options && str_eq(str_from(arg), STR("--"))) {
            options = false;
            continue;
        }
        if (options && arg[0] == '-' && arg[1] != 0)
            code = read_option(r);
        else
            code = read_arg(r);
        if (code != CLI_OK)
            return code;
    }
    if (!r->help && r->cli.arg_count < r->cli.command->args_min)
        return cli_usage(&r->cli, "%s: missing: %s", r->cli.command->name,
                         r->cli.command->args);
    return CLI_OK;
}

/* How many words of argv the name of `c` takes, or 0: it is another one. */
static size_t names(const struct cli_command *c, char **argv)
{
    struct str left = str_from(c->name);
    size_t words = 0;
    while (left.len > 0) {
        struct str word = str_first(left, str_find(left, ' '));
        if (argv[words] == NULL || !str_eq(word, str_from(argv[words])))
            return 0;
        words++;
        left = str_skip(left, word.len + 1);
    }
    return words;
}

/* True when `word` begins the name of a command of several words. */
static bool is_group(const struct cli_program *p, const char *word)
{
    char group[64];
    int len = snprintf(group, sizeof(group), "%s ", word);
    for (size_t i = 0; i < p->count && len < (int)sizeof(group); i++) {
        if (str_starts(str_from(p->commands[i].name), str_from(group)))
            return true;
    }
    return false;
}

static int unknown_command(struct reading *r)
{
    char name[128];
    bool two = is_group(r->program, r->argv[0]) && r->argv[1] != NULL &&
               r->argv[1][0] != '-';
    (void)snprintf(name, sizeof(name), "%.60s%s%.60s", r->argv[0],
                   two ? " " : "", two ? r->argv[1] : "");
    unsigned distance = 99;
    const char *best = NULL;
    for (size_t i = 0; i < r->program->count; i++)
        best = nearest(name, best, r->program->commands[i].name, &distance);
    if (best != NULL)
        return cli_usage(&r->cli, "no command \"%s\"; did you mean \"%s\"?",
                         name, best);
    return cli_usage(&r->cli, "no command \"%s\"", name);
}

/* Options in front of, or instead of, a command: those that the program has.
 * Returns the first argument that is none. */
static char **program_options(struct reading *r, char **argv)
{
    const char *value;
    for (; *argv != NULL && (*argv)[0] == '-' && (*argv)[1] != 0; argv++) {
        static const struct cli_option version = {"version", 'V', NULL, ""};
        if (match(&common_help, *argv, &value) != NULL && value == NULL)
            r->help = true;
        else if (match(&version, *argv, &value) != NULL && value == NULL)
            r->version = true;
        else if (match(&common_json, *argv, &value) != NULL && value == NULL)
            r->cli.json = true;
        else
            break;
    }
    return argv;
}

/* `writ ledger`, alone or with --help. */
static int run_group(struct reading *r)
{
    const char *value;
    bool asked = r->help || (r->argv[1] != NULL && r->argv[1][0] == '-' &&
                             match(&common_help, r->argv[1], &value) != NULL);
    if (!asked && r->argv[1] != NULL)
        return unknown_command(r);
    cli_help_group(r->program, r->argv[0], asked ? r->cli.out : r->cli.err);
    return asked ? CLI_OK : CLI_USAGE;
}

static int run_command(struct reading *r)
{
    const struct cli_program *p = r->program;
    size_t words = 0;
    for (size_t i = 0; i < p->count && words == 0; i++) {
        words = names(&p->commands[i], r->argv);
        r->cli.command = words > 0 ? &p->commands[i] : NULL;
    }
    if (words == 0 && is_group(p, r->argv[0]))
        return run_group(r);
    if (words == 0)
        return unknown_command(r);
    r->argv += words;
    int code = read_rest(r);
    if (code != CLI_OK)
        return code;
    if (r->help) {
        cli_help_command(p, r->cli.command, r->cli.out);
        return CLI_OK;
    }
    return r->cli.command->run(&r->cli);
}

static int run(struct reading *r, char **argv)
{
    FILE *out = r->cli.out;
    const struct cli_program *p = r->program;
    r->argv = program_options(r, argv);
    if (r->version && r->cli.json)
        cli_print(out, "{\"version\":\"%s\"}\n", p->version);
    else if (r->version)
        cli_print(out, "%s %s\n", p->name, p->version);
    if (r->version)
        return CLI_OK;
    if (*r->argv == NULL) {
        cli_help_program(p, r->help ? out : r->cli.err);
        return r->help ? CLI_OK : CLI_USAGE;
    }
    if ((*r->argv)[0] == '-')
        return cli_usage(&r->cli, "no option %s", *r->argv);
    return run_command(r);
}

int cli_run(const struct cli_program *p, int argc, char **argv, FILE *out,
            FILE *err)
{
    struct reading r = {.program = p, .cli = {.out = out, .err = err}};
    char *none[] = {NULL};
    int code = run(&r, argc > 0 ? argv + 1 : none);
    bool lost = fflush(out) != 0 || ferror(out) != 0;
    if (lost && code == CLI_OK) {
        cli_print(err, "%s: the output could not be written\n", p->name);
        code = CLI_FAILED;
    }
    return code;
}
