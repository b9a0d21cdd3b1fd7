/* demo_person.c - see demo_person.h. */
#include "app/demo_person.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/demo_tell.h"
#include "base/limits.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/totp.h"
#include "os/clock.h"
#include "os/process.h"

enum {
    PASSPHRASE_BYTES = 16,
    BASE32_LEN = 32,
    OUTPUT_MAX = 16 * KIB,
    PIECE = 1 * KIB
};

bool demo_person_home(const struct demo *d)
{
    char home[FILE_PATH_MAX];
    int n = snprintf(home, sizeof(home), "%s/home", d->dir);

    if (n <= 0 || n >= (int)sizeof(home))
        return false;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): commands have one thread */
    return setenv("XDG_CONFIG_HOME", home, 1) == 0;
}

/* ---- the program, spoken to ---- */

struct talk {
    pid_t pid;
    int in, out; /* what it reads, what it writes */
    struct buf heard;
};

static bool begin(struct talk *t, const struct demo *d, const char *const *argv)
{
    int in[2], out[2];

    if (pipe(in) == -1)
        return false;
    if (pipe(out) == -1) {
        (void)close(in[0]);
        (void)close(in[1]);
        return false;
    }
    const struct process_fd fds[] = {{in[0], 0}, {out[1], 1}, {d->log_fd, 2}};
    const struct process_options o = {.argv = argv,
                                      .env = (const char *const *)environ,
                                      .fds = fds,
                                      .fd_count = ARRAY_LEN(fds)};
    enum err e = process_spawn(&o, &t->pid);
    (void)close(in[0]);
    (void)close(out[1]);
    t->in = in[1];
    t->out = out[0];
    buf_init(&t->heard, OUTPUT_MAX);
    if (e != ERR_OK)
        t->pid = -1;
    return e == ERR_OK;
}

static bool say(const struct talk *t, const char *text, size_t len)
{
    return write(t->in, text, len) == (ssize_t)len &&
           write(t->in, "\n", 1) == 1;
}

/* Reads on until `word` and the end of its line, or the end of all. */
static bool hear(struct talk *t, const char *word)
{
    for (;;) {
        struct str all = buf_str(&t->heard);
        const char *at =
            all.len > 0 ? memmem(all.ptr, all.len, word, strlen(word)) : NULL;
        if (at != NULL && memchr(at, '\n', all.len - (size_t)(at - all.ptr)))
            return true;
        char *to = buf_space(&t->heard, PIECE);
        ssize_t n = to != NULL ? read(t->out, to, PIECE) : 0;
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        buf_added(&t->heard, (size_t)n);
    }
}

/* What it says in the end is no secret. */
static void show_last(const struct demo *d, struct str heard)
{
    struct str line = STR("");

    while (heard.len > 0) {
        size_t eol = str_find(heard, '\n');
        line = str_first(heard, eol);
        heard = str_skip(heard, eol + 1);
    }
    if (str_starts(line, STR("logged in")))
        demo_tell_line(d, line);
}

/* True when it has ended well. */
static bool end(struct talk *t, const struct demo *d)
{
    int status = -1;

    (void)close(t->in);
    (void)hear(t, "\n\n\n"); /* no such thing: to its end */
    (void)close(t->out);
    show_last(d, buf_str(&t->heard));
    if (t->heard.len > 0)
        hash_wipe(t->heard.ptr, t->heard.len);
    buf_release(&t->heard);
    while (t->pid > 0 && waitpid(t->pid, &status, 0) == -1 && errno == EINTR)
        continue;
    return t->pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- her secrets ---- */

static bool base32(struct str text, unsigned char to[TOTP_SECRET_LEN])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    unsigned value = 0, bits = 0;
    size_t n = 0;

    if (text.len != BASE32_LEN)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        const char *at = memchr(digits, text.ptr[i], sizeof(digits) - 1);
        if (at == NULL)
            return false;
        value = (value << 5 | (unsigned)(at - digits)) & 0xfff;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            to[n++] = (unsigned char)(value >> bits & 0xff);
        }
    }
    return n == TOTP_SECRET_LEN;
}

/* What her authenticator would show: the secret is a line of its own. */
static bool one_time_code(struct str heard, char to[TOTP_DIGITS])
{
    unsigned char secret[TOTP_SECRET_LEN];
    bool found = false;

    while (heard.len > 0 && !found) {
        size_t eol = str_find(heard, '\n');
        found = base32(str_trim(str_first(heard, eol)), secret);
        heard = str_skip(heard, eol + 1);
    }
    enum err e = ERR_NOT_FOUND;
    if (found)
        e = totp_code((struct str){(const char *)secret, sizeof(secret)},
                      totp_step(clock_wall_us()), to);
    hash_wipe(secret, sizeof(secret));
    return e == ERR_OK;
}

static void new_passphrase(char to[TEXT_HEX_LEN(PASSPHRASE_BYTES)])
{
    unsigned char bytes[PASSPHRASE_BYTES];

    hash_random(bytes, sizeof(bytes));
    text_hex(bytes, sizeof(bytes), to);
    hash_wipe(bytes, sizeof(bytes));
}

/* ---- enrolling ---- */

static bool invite(const struct demo *d, struct buf *to)
{
    const char *const argv[] = {"writ",     "login",   "--invite",
                                "--config", d->config, NULL};
    const struct demo_run r = {.argv = argv, .silent = true, .kept = to};

    demo_tell_command(d, "writ login --invite");
    return demo_tell_run(d, &r) == 0 && buf_ok(to);
}

static bool answer_all(struct talk *t, struct str code)
{
    char passphrase[TEXT_HEX_LEN(PASSPHRASE_BYTES)], totp[TOTP_DIGITS];

    new_passphrase(passphrase);
    bool ok = say(t, code.ptr, code.len) &&
              say(t, passphrase, sizeof(passphrase)) && hear(t, "otpauth://") &&
              one_time_code(buf_str(&t->heard), totp) &&
              say(t, totp, sizeof(totp));
    hash_wipe(passphrase, sizeof(passphrase));
    return ok;
}

bool demo_person_enrol(struct demo *d, const char *name)
{
    const char *const argv[] = {"writ",    "login",    "--enrol", "--name",
                                name,      "--tenant", "acme",    "--config",
                                d->config, NULL};
    struct buf code;
    struct talk t = {0};

    buf_init(&code, 1 * KIB);
    bool ok = invite(d, &code);
    demo_tell_command(d, "writ login --enrol --name %s --tenant acme", name);
    if (ok && begin(&t, d, argv)) {
        struct str all = buf_str(&code);
        ok = answer_all(&t, str_first(all, str_find(all, '\n')));
        ok = end(&t, d) && ok;
    } else {
        ok = false;
    }
    if (code.len > 0)
        hash_wipe(code.ptr, code.len);
    buf_release(&code);
    return ok;
}
