/* demo_tell.c - see demo_tell.h. */
#include "app/demo_tell.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "os/process.h"

#define OUTPUT_MAX (1 * MIB)

static const char *paint(const struct demo *d, const char *code)
{
    return d->colour ? code : "";
}

void demo_tell_heading(struct demo *d, const char *title, const char *meaning)
{
    cli_print(d->cli->out, "\n%s%u. %s%s\n%s\n", paint(d, "\033[1m"), ++d->step,
              title, paint(d, "\033[0m"), meaning);
}

void demo_tell_command(const struct demo *d, const char *fmt, ...)
{
    va_list args;

    cli_print(d->cli->out, "%s$ ", paint(d, "\033[36m"));
    va_start(args, fmt);
    (void)vfprintf(d->cli->out, fmt, args);
    va_end(args);
    cli_print(d->cli->out, "%s\n", paint(d, "\033[0m"));
    (void)fflush(d->cli->out);
}

bool demo_tell_verdict(const struct demo *d, bool ok, const char *text)
{
    cli_print(d->cli->out, "%s%s %s%s\n",
              paint(d, ok ? "\033[32m" : "\033[31m"),
              ok ? "ok:" : "WRONG:", text, paint(d, "\033[0m"));
    (void)fflush(d->cli->out);
    return ok;
}

void demo_tell_line(const struct demo *d, struct str text)
{
    cli_print(d->cli->out, "%s", paint(d, "\033[2m"));
    cli_print_safe(d->cli->out, text);
    cli_print(d->cli->out, "%s\n", paint(d, "\033[0m"));
}

void demo_tell_lines(const struct demo *d, struct str text)
{
    while (text.len > 0) {
        size_t end = str_find(text, '\n');
        demo_tell_line(d, str_first(text, end));
        text = str_skip(text, end + 1);
    }
}

/* ---- the program's own commands ---- */

static enum err spawn(const char *const *argv, int out, pid_t *ret_pid)
{
    const struct process_fd fds[] = {{0, 0}, {out, 1}, {2, 2}};
    const struct process_options o = {.argv = argv,
                                      .env = (const char *const *)environ,
                                      .fds = fds,
                                      .fd_count = ARRAY_LEN(fds)};
    return process_spawn(&o, ret_pid);
}

static int wait_for(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) == -1) {
        if (errno != EINTR)
            return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool is_wanted(struct str line, const char *const *only)
{
    for (; *only != NULL; only++) {
        if (str_starts(line, str_from(*only)))
            return true;
    }
    return false;
}

/* What is left out between two of them is "...". */
static void print_lines(const struct demo *d, struct str text,
                        const char *const *only)
{
    bool shown = false, left_out = false;

    while (text.len > 0) {
        size_t end = str_find(text, '\n');
        struct str line = str_first(text, end);
        bool wanted = is_wanted(line, only);
        if (wanted && shown && left_out)
            demo_tell_line(d, STR("  ..."));
        if (wanted)
            demo_tell_line(d, line);
        shown = shown || wanted;
        left_out = !wanted;
        text = str_skip(text, end + 1);
    }
}

static void read_all(int fd, struct buf *to)
{
    char piece[4096];
    ssize_t n;

    do {
        n = read(fd, piece, sizeof(piece));
        if (n > 0)
            buf_add(to, (struct str){piece, (size_t)n});
    } while (n > 0 || (n == -1 && errno == EINTR));
}

static int run_filtered(const struct demo *d, const struct demo_run *r)
{
    struct buf text;
    int out[2], code = -1;
    pid_t pid;

    if (pipe(out) == -1)
        return -1;
    buf_init(&text, OUTPUT_MAX);
    enum err e = spawn(r->argv, out[1], &pid);
    (void)close(out[1]);
    if (e == ERR_OK) {
        read_all(out[0], &text);
        code = wait_for(pid);
        if (!r->silent)
            print_lines(d, buf_str(&text), r->only);
        if (r->kept != NULL)
            buf_add(r->kept, buf_str(&text));
    }
    (void)close(out[0]);
    buf_release(&text);
    return code;
}

int demo_tell_run(const struct demo *d, const struct demo_run *r)
{
    pid_t pid;

    (void)fflush(d->cli->out);
    if (r->only != NULL || r->silent)
        return run_filtered(d, r);
    if (spawn(r->argv, STDOUT_FILENO, &pid) != ERR_OK)
        return -1;
    return wait_for(pid);
}
