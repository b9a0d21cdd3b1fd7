/* cmd_init.c - `writ init`: a first configuration with its policies, and its
 * data directory. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "admin/enrolment.h"
#include "app/caller_key.h"
#include "app/cmd.h"
#include "app/init_text.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "os/clock.h"
#include "os/file.h"

enum { TEXT_MAX = 64 * 1024 };

struct init {
    const struct cli *cli;
    char config[FILE_PATH_MAX];
    char policies[FILE_PATH_MAX]; /* a file in a folder beside it */
    char data[FILE_PATH_MAX];
    char code[ENROLMENT_CODE_LEN];
};

static bool join(char to[FILE_PATH_MAX], const char *dir, const char *name)
{
    return snprintf(to, FILE_PATH_MAX, "%s/%s", dir, name) < (int)FILE_PATH_MAX;
}

static int make_paths(struct init *in)
{
    const struct cli *c = in->cli;
    const char *dir = cli_value(c, "dir", ".");
    char folder[FILE_PATH_MAX];

    if (!join(in->config, dir, CMD_CONFIG_DEFAULT) ||
        !join(in->data, dir, "data") || !join(folder, dir, "policies") ||
        !join(in->policies, dir, "policies/first.cedar"))
        return cli_fail(c, "the path of the directory is too long");
    if (access(in->config, F_OK) == 0)
        return cli_fail(c, "%s is there already; nothing was changed",
                        in->config);
    if (file_make_dirs(FILE_CWD, dir, 0755) != ERR_OK ||
        file_make_dirs(FILE_CWD, folder, 0755) != ERR_OK ||
        file_make_dirs(FILE_CWD, in->data, 0700) != ERR_OK)
        return cli_fail(c, "%s cannot be made", in->data);
    return CLI_OK;
}

/* What makes the first administrator: good for a day, and once. */
static int make_code(struct init *in)
{
    unsigned char key[CALLER_KEY_NODE_LEN];
    const char *why = "the enrolment code cannot be written";
    enum err e = caller_key_node(in->data, key, &why);
    if (e == ERR_OK)
        e = enrolment_make(in->data,
                           (struct str){(const char *)key, sizeof(key)},
                           clock_wall_us(), in->code);
    hash_wipe(key, sizeof(key));
    return e == ERR_OK ? CLI_OK : cli_fail(in->cli, "%s: %s", in->data, why);
}

/* Whoever made the file since we looked keeps theirs. */
static int write_file(struct init *in, const char *path, struct str text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    int code = CLI_OK;
    if (fd == -1 && errno == EEXIST)
        return cli_fail(in->cli, "%s is there already", path);
    if (fd == -1)
        return cli_fail(in->cli, "%s cannot be made", path);
    if (file_write(fd, text) != ERR_OK || file_sync(fd) != ERR_OK)
        code = cli_fail(in->cli, "%s cannot be written", path);
    (void)close(fd);
    return code;
}

static void print_json(const struct init *in)
{
    struct buf b;
    buf_init(&b, TEXT_MAX);
    BUF_LIT(&b, "{\"ok\":true,\"config\":");
    json_write_str(&b, str_from(in->config));
    BUF_LIT(&b, ",\"data\":");
    json_write_str(&b, str_from(in->data));
    BUF_LIT(&b, ",\"policies\":");
    json_write_str(&b, str_from(in->policies));
    buf_addf(&b, ",\"enrolment\":\"%.*s\"}\n", (int)sizeof(in->code), in->code);
    if (buf_ok(&b))
        (void)fwrite(b.ptr, 1, b.len, in->cli->out);
    buf_release(&b);
}

static void print_text(const struct init *in)
{
    cli_print(in->cli->out,
              "%s is a first configuration, %s its policies, %s the data "
              "directory.\n"
              "\n"
              "The code that enrols the first administrator, once and within "
              "a day:\n"
              "\n"
              "  %.*s\n"
              "\n"
              "Next:\n"
              "  export OPENAI_API_KEY=...\n"
              "  writ check -c %s\n"
              "  writ serve -c %s &\n"
              "  writ agent add me --kind human --purpose operations "
              "--expires 90d -c %s\n"
              "  writ agent add first --owner me --purpose research "
              "--mode autonomous --expires 90d -c %s\n"
              "  curl http://127.0.0.1:8080/v1/models -H \"authorization: "
              "Bearer $KEY\"   # the key that this printed\n"
              "  writ login --enrol --admin http://127.0.0.1:9090\n",
              in->config, in->policies, in->data, (int)sizeof(in->code),
              in->code, in->config, in->config, in->config, in->config);
}

int cmd_init(const struct cli *c)
{
    struct init in = {.cli = c};
    int code = make_paths(&in);
    if (code == CLI_OK)
        code = write_file(&in, in.policies, init_text_policies());
    if (code == CLI_OK)
        code = write_file(&in, in.config, init_text_config());
    if (code == CLI_OK)
        code = make_code(&in);
    if (code == CLI_OK && c->json)
        print_json(&in);
    else if (code == CLI_OK)
        print_text(&in);
    hash_wipe(in.code, sizeof(in.code));
    return code;
}
