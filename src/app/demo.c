/* demo.c - see demo.h. */
#include "app/demo.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/plain_http.h"
#include "base/limits.h"
#include "codec/json.h"
#include "codec/sse.h"
#include "os/process.h"

enum {
    ASK_TIMEOUT_S = 15,
    ARENA_MAX = 4 * 1024 * 1024,
    SEGMENT_MAX = 64 * 1024 * 1024,
    SETTLE_US = 50000, /* outcomes are lazy by a few milliseconds */
};

/* ---- telling ---- */

static const char *paint(const struct demo *d, const char *code)
{
    return d->colour ? code : "";
}

static void heading(struct demo *d, const char *text)
{
    (void)fprintf(d->cli->out, "\n%s%u. %s%s\n", paint(d, "\033[1m"), ++d->step,
                  text, paint(d, "\033[0m"));
}

static void show_command(const struct demo *d, const char *text)
{
    (void)fprintf(d->cli->out, "%s$ %s%s\n", paint(d, "\033[36m"), text,
                  paint(d, "\033[0m"));
}

static bool verdict(struct demo *d, bool ok, const char *text)
{
    (void)fprintf(d->cli->out, "%s%s %s%s\n",
                  paint(d, ok ? "\033[32m" : "\033[31m"),
                  ok ? "ok:" : "WRONG:", text, paint(d, "\033[0m"));
    (void)fflush(d->cli->out);
    return ok;
}

void demo_failed(struct demo *d, const char *why)
{
    (void)verdict(d, false, why);
}

/* ---- asking the node ---- */

static int connect_node(const struct demo *d)
{
    const struct sockaddr_in at = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)d->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd != -1 &&
        (plain_http_timeout(fd, ASK_TIMEOUT_S) != ERR_OK ||
         connect(fd, (const struct sockaddr *)&at, sizeof(at)) == -1)) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

struct ask {
    const char *key;  /* NULL: none */
    const char *body; /* NULL: GET /healthz */
    plain_http_piece *piece;
    void *user;
};

static enum err ask(const struct demo *d, struct arena *a, const struct ask *q,
                    struct plain_http_reply *ret)
{
    struct buf request;
    int fd = connect_node(d);

    if (fd == -1)
        return ERR_CONNECT;
    buf_init(&request, 16 * KIB);
    if (q->body == NULL)
        BUF_LIT(&request, "GET /healthz HTTP/1.1\r\nhost: demo\r\n"
                          "connection: close\r\n\r\n");
    else
        buf_addf(&request,
                 "POST /v1/chat/completions HTTP/1.1\r\nhost: demo\r\n"
                 "connection: close\r\nauthorization: Bearer %s\r\n"
                 "content-type: application/json\r\n"
                 "content-length: %zu\r\n\r\n%s",
                 q->key, strlen(q->body), q->body);
    enum err e = buf_ok(&request) ? plain_http_ask(a, fd, buf_str(&request),
                                                   q->piece, q->user, ret)
                                  : ERR_LIMIT;
    buf_release(&request);
    (void)close(fd);
    return e;
}

static bool ignore(void *user, struct str piece)
{
    (void)user;
    (void)piece;
    return true;
}

bool demo_healthy(const struct demo *d)
{
    const struct ask q = {.piece = ignore};
    struct plain_http_reply reply = {0};
    struct arena a;

    arena_init(&a, ARENA_MAX);
    enum err e = ask(d, &a, &q, &reply);
    arena_release(&a);
    return e == ERR_OK && reply.status == 200;
}

/* ---- the steps ---- */

/* Prints the words of a stream as they come. */
struct listener_of_words {
    struct demo *demo;
    struct sse_reader sse;
    unsigned words;
    bool done;
};

static bool on_event(void *user, const struct sse_event *e)
{
    struct listener_of_words *l = user;
    const struct json *v = NULL;
    struct arena a;
    struct str word;

    if (str_eq(e->data, STR("[DONE]"))) {
        l->done = true;
        return true;
    }
    arena_init(&a, ARENA_MAX);
    if (json_read(&a, e->data, &v, NULL) == ERR_OK &&
        json_str(json_get(json_get(json_at(json_get(v, STR("choices")), 0),
                                   STR("delta")),
                          STR("content")),
                 &word)) {
        l->words++;
        cli_print_safe(l->demo->cli->out, word);
        (void)fflush(l->demo->cli->out);
    }
    arena_release(&a);
    return true;
}

static bool on_words(void *user, struct str piece)
{
    struct listener_of_words *l = user;
    return sse_feed(&l->sse, piece, on_event, l) == ERR_OK;
}

static bool step_chat(struct demo *d)
{
    struct listener_of_words l = {.demo = d};
    const struct ask q = {
        .key = d->alice,
        .body = "{\"model\":\"small\",\"stream\":true,\"messages\":[{\"role\":"
                "\"user\",\"content\":\"What is a writ?\"}]}",
        .piece = on_words,
        .user = &l,
    };
    struct plain_http_reply reply = {0};
    struct arena a;

    heading(d, "A streamed chat of the agent alice, through Writ");
    show_command(d, "curl -N .../v1/chat/completions -H 'authorization: "
                    "Bearer $ALICE' -d '{\"model\":\"small\", ...}'");
    arena_init(&a, ARENA_MAX);
    sse_reader_init(&l.sse, SSE_EVENT_MAX);
    enum err e = ask(d, &a, &q, &reply);
    struct str receipt = http_fields_get(reply.fields, STR("writ-receipt"));
    (void)fprintf(d->cli->out, "\nwrit-receipt: %.*s\n", STR_FMT(receipt));
    bool ok = e == ERR_OK && reply.status == 200 && l.words > 1 && l.done &&
              receipt.len > 0;
    sse_reader_release(&l.sse);
    arena_release(&a);
    return verdict(d, ok,
                   "the answer came, and its intent was on disk before the "
                   "call left");
}

static bool add_text(void *user, struct str piece)
{
    return buf_add(user, piece);
}

static bool step_refused(struct demo *d)
{
    struct buf text;
    const struct ask q = {
        .key = d->bob,
        .body = "{\"model\":\"large\",\"messages\":[{\"role\":\"user\","
                "\"content\":\"Hello\"}]}",
        .piece = add_text,
        .user = &text,
    };
    struct plain_http_reply reply = {0};
    struct arena a;

    heading(d, "The agent bob asks for a model that is not his");
    show_command(d, "curl .../v1/chat/completions -H 'authorization: Bearer "
                    "$BOB' -d '{\"model\":\"large\", ...}'");
    arena_init(&a, ARENA_MAX);
    buf_init(&text, 64 * KIB);
    enum err e = ask(d, &a, &q, &reply);
    (void)fprintf(d->cli->out, "%d ", reply.status);
    cli_print_safe(d->cli->out, buf_str(&text));
    (void)fprintf(d->cli->out, "\n");
    bool ok = e == ERR_OK && reply.status == 403;
    buf_release(&text);
    arena_release(&a);
    return verdict(d, ok, "refused, with a code that a program can read");
}

/* Runs the program itself, with what it prints going where ours goes. */
static int run_self(struct demo *d, const char *const *argv)
{
    const struct process_fd fds[] = {{0, 0}, {1, 1}, {2, 2}};
    const struct process_options o = {.argv = argv,
                                      .env = (const char *const *)environ,
                                      .fds = fds,
                                      .fd_count = ARRAY_LEN(fds)};
    pid_t pid;
    int status;

    (void)fflush(d->cli->out);
    if (process_spawn(&o, &pid) != ERR_OK || waitpid(pid, &status, 0) != pid ||
        !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

static bool step_entries(struct demo *d)
{
    const char *const argv[] = {"writ",  "ledger", "show", "--data",
                                d->data, "--last", "6",    NULL};

    (void)usleep(SETTLE_US);
    heading(d, "What the ledger says about it");
    show_command(d, "writ ledger show --last 6");
    return verdict(d, run_self(d, argv) == 0,
                   "an intent before the call, an outcome after it, and the "
                   "refusal");
}

static bool step_verify(struct demo *d)
{
    const char *const argv[] = {"writ",   "ledger", "verify",
                                "--data", d->data,  NULL};

    heading(d, "Every entry is as it was committed");
    show_command(d, "writ ledger verify");
    return verdict(d, run_self(d, argv) == 0, "verified");
}

/* ---- the flipped byte ---- */

static bool copy_flipped(const char *from, const char *to)
{
    static const char needle[] = "model:invoke";
    struct buf bytes;

    buf_init(&bytes, SEGMENT_MAX);
    bool ok = file_read(FILE_CWD, from, &bytes) == ERR_OK;
    char *at =
        ok ? memmem(bytes.ptr, bytes.len, needle, sizeof(needle) - 1) : NULL;
    if (at != NULL)
        *at = (char)(*at ^ 1);
    ok = at != NULL &&
         file_replace(FILE_CWD, to, buf_str(&bytes), 0600) == ERR_OK;
    buf_release(&bytes);
    return ok;
}

/* A copy of the ledger with one bit of the first segment changed. */
static bool make_tampered(const struct demo *d, char dir[FILE_PATH_MAX])
{
    static const char first[] = "/segments/00000000000000000000.seg";
    char from[FILE_PATH_MAX + 64], to[FILE_PATH_MAX + 64];

    if (snprintf(dir, FILE_PATH_MAX, "%s/tampered", d->dir) >=
        (int)FILE_PATH_MAX)
        return false;
    (void)snprintf(to, sizeof(to), "%s/segments", dir);
    if (file_make_dirs(FILE_CWD, to, 0700) != ERR_OK)
        return false;
    (void)snprintf(to, sizeof(to), "%s%s", dir, first);
    (void)snprintf(from, sizeof(from), "%s/ledger%s", d->data, first);
    return copy_flipped(from, to);
}

static bool step_tampered(struct demo *d)
{
    char dir[FILE_PATH_MAX];
    const char *const argv[] = {"writ", "ledger", "verify", dir, NULL};

    heading(d, "The same on a copy in which one bit of an entry was flipped");
    show_command(d, "writ ledger verify tampered/");
    if (!make_tampered(d, dir))
        return verdict(d, false, "the copy could not be made");
    return verdict(d, run_self(d, argv) == 1, "found, and named");
}

bool demo_walk(struct demo *d)
{
    static bool (*const steps[])(struct demo *d) = {
        step_chat, step_refused, step_entries, step_verify, step_tampered,
    };

    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        if (!steps[i](d))
            return false;
    }
    return true;
}

void demo_goodbye(const struct demo *d)
{
    (void)fprintf(d->cli->out,
                  "\nThe node keeps serving on http://127.0.0.1:%u/v1 until "
                  "Ctrl-C.\n\n"
                  "  export ALICE=%s\n"
                  "  curl -N http://127.0.0.1:%u/v1/chat/completions \\\n"
                  "    -H \"authorization: Bearer $ALICE\" -H 'content-type: "
                  "application/json' \\\n"
                  "    -d '{\"model\":\"small\",\"stream\":true,\"messages\":"
                  "[{\"role\":\"user\",\"content\":\"Hello\"}]}'\n\n"
                  "  # with the SDK: only the base URL changes\n"
                  "  client = OpenAI(base_url=\"http://127.0.0.1:%u/v1\", "
                  "api_key=os.environ[\"ALICE\"])\n\n"
                  "  writ status --data %s\n"
                  "  writ ledger tail --data %s\n",
                  d->port, d->alice, d->port, d->port, d->data, d->data);
    (void)fflush(d->cli->out);
}
