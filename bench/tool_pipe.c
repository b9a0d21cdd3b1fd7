/*
 * tool_pipe.c - a caller of tools over the pipes of a server that it starts,
 * with DEPTH requests under way at a time: what a call costs without anybody
 * between.  MESSAGE_FILE is the request, with ten zeros for its id.
 *
 *     tool_pipe MESSAGE_FILE DEPTH SECONDS SERVER [ARGUMENT...]
 *
 * It prints "ready", waits for a line, and after its SECONDS prints one line
 * of JSON.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

enum {
    DEPTH_MAX = 256,
    BUFFER_LEN = 4 * 1024 * 1024,
    PIPE_LEN = 1024 * 1024, /* all requests under way fit in */
    SAMPLES_MAX = 10000000,
    ID_LEN = 10,
    ID_OWN = 4, /* the number of the slot; it begins with 1 */
};

static const char id_mark[] = "0000000000";
static const char opening[] = "{\"jsonrpc\":\"2.0\",\"id\":";

struct load {
    int to, from;
    char *message; /* with its newline */
    size_t message_len, id_at;
    size_t depth;
    uint64_t asked[DEPTH_MAX];
    int64_t sent_ns[DEPTH_MAX];
    char *in;
    size_t in_len;
    size_t usual; /* the length of every answer */
    size_t busy;
    int64_t end_ns;
    uint64_t done, bad;
    struct samples took;
};

static void start_server(struct load *l, char **argv)
{
    int in[2], out[2];
    posix_spawn_file_actions_t actions;
    pid_t pid;

    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 ||
        fcntl(in[1], F_SETPIPE_SZ, PIPE_LEN) < 0 ||
        fcntl(out[1], F_SETPIPE_SZ, PIPE_LEN) < 0 ||
        posix_spawn_file_actions_init(&actions) != 0 ||
        posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO) != 0 ||
        posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO) != 0)
        die("pipes");
    if (posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ) != 0)
        die(argv[0]);
    (void)close(in[0]);
    (void)close(out[1]);
    l->to = in[1];
    l->from = out[0];
}

static void write_all(struct load *l, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(l->to, text, len);
        if (n < 0)
            die("write");
        text += n;
        len -= (size_t)n;
    }
}

static void ask(struct load *l, size_t slot)
{
    char *id = l->message + l->id_at;

    write_digits(id, ID_OWN, 1000 + slot);
    write_digits(id + ID_OWN, ID_LEN - ID_OWN, ++l->asked[slot]);
    l->sent_ns[slot] = now_ns();
    write_all(l, l->message, l->message_len);
}

static void take_line(struct load *l, const char *line, size_t len)
{
    int64_t now = now_ns();

    if (len < sizeof(opening) + ID_LEN ||
        memcmp(line, opening, sizeof(opening) - 1) != 0)
        die("not an answer");
    line += sizeof(opening) - 1;
    size_t slot = 0;
    for (size_t i = 1; i < ID_OWN; i++)
        slot = 10 * slot + (size_t)(line[i] - '0');
    if (slot >= l->depth)
        die("not our id");
    if (l->usual == 0)
        l->usual = len;
    l->done++;
    l->bad += len != l->usual ? 1 : 0;
    samples_add(&l->took, now - l->sent_ns[slot]);
    if (now < l->end_ns)
        ask(l, slot);
    else
        l->busy--;
}

static void read_some(struct load *l)
{
    char *end, *at = l->in;
    ssize_t n = read(l->from, l->in + l->in_len, BUFFER_LEN - l->in_len);

    if (n <= 0)
        die("the server has gone");
    l->in_len += (size_t)n;
    while ((end = memchr(at, '\n', l->in_len)) != NULL) {
        size_t len = (size_t)(end - at);
        take_line(l, at, len);
        l->in_len -= len + 1;
        at = end + 1;
    }
    memmove(l->in, at, l->in_len);
}

static void run_for(struct load *l, int64_t ns)
{
    l->end_ns = now_ns() + ns;
    l->busy = l->depth;
    for (size_t i = 0; i < l->depth; i++)
        ask(l, i);
    while (l->busy > 0)
        read_some(l);
}

static void measure(struct load *l, int64_t ns)
{
    int64_t begin_ns = now_ns();

    l->done = 0;
    l->took.count = 0;
    run_for(l, ns);
    double seconds = (double)(now_ns() - begin_ns) / (double)NS_PER_S;
    samples_sort(&l->took);
    printf("{\"calls\":%lu,\"rps\":%.1f,\"bad\":%lu,\"p50_us\":%.1f,"
           "\"p99_us\":%.1f,\"answer_bytes\":%zu}\n",
           (unsigned long)l->done, (double)l->done / seconds,
           (unsigned long)l->bad, samples_us(&l->took, 50),
           samples_us(&l->took, 99), l->usual);
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    static struct load l;

    if (argc < 5)
        usage("tool_pipe MESSAGE_FILE DEPTH SECONDS SERVER [ARGUMENT...]");
    char *text = read_file(argv[1], &l.message_len);
    l.message = allocate(l.message_len + 1);
    memcpy(l.message, text, l.message_len);
    l.message[l.message_len++] = '\n';
    const char *id = memmem(l.message, l.message_len, id_mark, ID_LEN);
    if (id == NULL)
        die("the message has no ten zeros");
    l.id_at = (size_t)(id - l.message);
    l.depth = (size_t)number(argv[2], DEPTH_MAX);
    int64_t length_ns = number(argv[3], 3600) * NS_PER_S;
    l.in = allocate(BUFFER_LEN);
    samples_init(&l.took, SAMPLES_MAX);
    start_server(&l, argv + 4);
    run_for(&l, 0); /* one of each, before */
    wait_for_word();
    measure(&l, length_ns);
    wait_for_word();
    return 0;
}
