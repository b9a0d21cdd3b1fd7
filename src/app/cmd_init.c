/* cmd_init.c - `writ init`: a first configuration, its data directory and one
 * caller's key. */
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
    char data[FILE_PATH_MAX];
    char key[CALLER_KEY_MAX + 1];
    char hash[CALLER_KEY_HASH_TEXT];
    char code[ENROLMENT_CODE_LEN];
};

static int make_paths(struct init *in)
{
    const struct cli *c = in->cli;
    const char *dir = cli_value(c, "dir", ".");
    size_t room = sizeof(in->config);
    if (snprintf(in->config, room, "%s/" CMD_CONFIG_DEFAULT, dir) >=
            (int)room ||
        snprintf(in->data, room, "%s/data", dir) >= (int)room)
        return cli_fail(c, "the path of the directory is too long");
    if (access(in->config, F_OK) == 0)
        return cli_fail(c, "%s is there already; nothing was changed",
                        in->config);
    if (file_make_dirs(FILE_CWD, dir, 0755) != ERR_OK ||
        file_make_dirs(FILE_CWD, in->data, 0700) != ERR_OK)
        return cli_fail(c, "%s cannot be made", in->data);
    return CLI_OK;
}

static int make_key(struct init *in)
{
    const char *why;
    size_t len = caller_key_generate(in->key);
    in->key[len] = 0;
    if (caller_key_hash(in->data, (struct str){in->key, len}, in->hash, &why) !=
        ERR_OK)
        return cli_fail(in->cli, "%s: %s", in->data, why);
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
static int write_config(struct init *in)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    init_text_config(&text, in->hash);
    int fd = open(in->config, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    int code = CLI_OK;
    if (fd == -1)
        code = cli_fail(in->cli, "%s cannot be made", in->config);
    else if (!buf_ok(&text) || file_write(fd, buf_str(&text)) != ERR_OK ||
             file_sync(fd) != ERR_OK)
        code = cli_fail(in->cli, "%s cannot be written", in->config);
    if (fd != -1)
        (void)close(fd);
    buf_release(&text);
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
    buf_addf(&b, ",\"caller\":\"first\",\"key\":\"%s\",", in->key);
    buf_addf(&b, "\"enrolment\":\"%.*s\"}\n", (int)sizeof(in->code), in->code);
    if (buf_ok(&b))
        (void)fwrite(b.ptr, 1, b.len, in->cli->out);
    buf_release(&b);
}

static void print_text(const struct init *in)
{
    FILE *out = in->cli->out;
    cli_print(out,
              "%s is a first configuration, %s the data directory.\n"
              "The key of the caller \"first\", shown this once:\n"
              "\n"
              "  %s\n"
              "\n"
              "The code that enrols the first administrator, once and within "
              "a day:\n"
              "\n"
              "  %.*s\n"
              "\n"
              "Next:\n"
              "  export OPENAI_API_KEY=...\n"
              "  writ check -c %s\n"
              "  writ serve -c %s\n"
              "  curl http://127.0.0.1:8080/v1/models -H \"authorization: "
              "Bearer $KEY\"\n"
              "  writ login --enrol --admin http://127.0.0.1:9090\n",
              in->config, in->data, in->key, (int)sizeof(in->code), in->code,
              in->config, in->config);
}

int cmd_init(const struct cli *c)
{
    struct init in = {.cli = c};
    int code = make_paths(&in);
    if (code == CLI_OK)
        code = make_key(&in);
    if (code == CLI_OK)
        code = write_config(&in);
    if (code == CLI_OK)
        code = make_code(&in);
    if (code == CLI_OK && c->json)
        print_json(&in);
    else if (code == CLI_OK)
        print_text(&in);
    hash_wipe(in.key, sizeof(in.key));
    hash_wipe(in.code, sizeof(in.code));
    return code;
}
