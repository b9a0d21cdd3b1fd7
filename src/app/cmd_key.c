/*
 * cmd_key.c - `writ key hash`: the keyed hash of a caller's key, for the
 * configuration.
 *
 * The key comes from standard input, never from argv, which every process of
 * the machine may read; a terminal does not show it.
 */
#include <errno.h>
#include <termios.h>
#include <unistd.h>

#include "app/caller_key.h"
#include "app/cmd.h"
#include "app/cmd_load.h"
#include "crypto/hash.h"
#include "os/file.h"

/* One line from `fd` without its end; the terminal does not echo it. */
static int read_line(const struct cli *c, int fd, char *to, size_t room,
                     size_t *ret_len)
{
    size_t len = 0;
    for (;;) {
        ssize_t n = read(fd, to + len, room - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cli_fail(c, "standard input cannot be read");
        len += (size_t)n;
        if (n == 0 || memchr(to, '\n', len) != NULL)
            break;
        if (len == room)
            return cli_fail(c, "the key is longer than %zu bytes", room - 1);
    }
    struct str line =
        str_first((struct str){to, len}, str_find((struct str){to, len}, '\n'));
    if (line.len + 1 < len)
        return cli_fail(c, "more than one line was given");
    *ret_len = line.len;
    return CLI_OK;
}

static int read_key(const struct cli *c, char *to, size_t room, size_t *ret_len)
{
    struct termios shown = {0};
    struct termios hidden;
    bool terminal =
        isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &shown) == 0;
    if (terminal) {
        hidden = shown;
        hidden.c_lflag &= ~(tcflag_t)ECHO;
        (void)fputs("Key: ", c->err);
        (void)fflush(c->err);
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    }
    int code = read_line(c, STDIN_FILENO, to, room, ret_len);
    if (terminal) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        (void)fputc('\n', c->err);
    }
    return code;
}

static void print(const struct cli *c, const char *key, const char *hash)
{
    if (c->json && key != NULL)
        cli_print(c->out, "{\"ok\":true,\"key\":\"%s\",\"hash\":\"%s\"}\n", key,
                  hash);
    else if (c->json)
        cli_print(c->out, "{\"ok\":true,\"hash\":\"%s\"}\n", hash);
    else if (key != NULL)
        cli_print(c->out, "key:  %s\nhash: %s\n", key, hash);
    else
        cli_print(c->out, "%s\n", hash);
}

int cmd_key_hash(const struct cli *c)
{
    char data[FILE_PATH_MAX];
    char key[CALLER_KEY_MAX + 1] = {0};
    char hash[CALLER_KEY_HASH_TEXT];
    const char *why = NULL;
    size_t len = 0;

    int code = cmd_load_data(c, data);
    if (code != CLI_OK)
        return code;
    bool generate = cli_has(c, "generate");
    if (generate)
        len = caller_key_generate(key);
    else
        code = read_key(c, key, sizeof(key), &len);
    if (code == CLI_OK && !caller_key_usable((struct str){key, len}, &why))
        code = cli_fail(c, "this is no usable key: %s", why);
    if (code == CLI_OK &&
        caller_key_hash(data, (struct str){key, len}, hash, &why) != ERR_OK)
        code = cli_fail(c, "%s: %s", data, why);
    if (code == CLI_OK) {
        key[len] = 0;
        print(c, generate ? key : NULL, hash);
    }
    hash_wipe(key, sizeof(key));
    return code;
}
