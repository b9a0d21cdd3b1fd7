/* layers: base codec os runner mcp */
/*
 * Fuzzes mcp/link over pipes: the input is what a server writes to its stdout
 * before it ends.
 *
 * Whatever it says, every call is told of its end exactly once, unless its
 * user has ended it; so is the link; and what the server is told is one
 * message in each line.  The first byte says what the user does, and whether
 * a valid handshake comes before the rest.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/container.h"
#include "base/limits.h"
#include "mcp/link.h"
#include "os/channel.h"
#include "os/loop.h"
#include "runner/runner_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CALLS = 4, INPUT_MAX = 48 * 1024, RESULT_MAX = 2048 };
enum {
    WITH_HANDSHAKE = 1,
    CANCELS = 2, /* in a notice */
    ANSWERS = 4, /* what is asked */
    CLOSES = 8,  /* in an answer */
    PAUSES = 16,
    ONE_CALL = 32,
};

struct run {
    struct loop *loop;
    struct link *link;
    struct channel *other; /* the runner's end */
    unsigned mode;
    struct str input;
    int stdin_fd; /* the child's end */
    unsigned closed;
    struct call {
        struct link_call call;
        struct run *run;
        unsigned told;
        bool cancelled;
    } calls[CALLS];
};

static const char handshake[] =
    "{\"result\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{"
    "\"tools\":{\"listChanged\":true},\"logging\":{}},\"serverInfo\":{\"name\":"
    "\"f\",\"version\":\"1\"}},\"jsonrpc\":\"2.0\",\"id\":0}\n";

static void on_opened(void *user, const struct handshake *h)
{
    const struct run *r = user;
    assert(r->closed == 0 && h->revision != REVISION_NONE);
}

static void on_link_notice(void *user, enum method m, const struct message *msg)
{
    const struct run *r = user;
    assert(r->closed == 0 && link_is_open(r->link));
    assert(m != METHOD_NONE && msg->kind == MESSAGE_NOTIFICATION);
}

static void on_closed(void *user, enum err why, struct str text)
{
    struct run *r = user;
    assert(why != ERR_OK && text.len > 0);
    for (unsigned i = 0; i < CALLS; i++)
        assert(r->calls[i].told == 1 || r->calls[i].cancelled);
    r->closed++;
    loop_stop(r->loop);
}

static void close_now(struct run *r)
{
    struct link *l = r->link;
    r->link = NULL;
    link_close(l);
    for (unsigned i = 0; i < CALLS; i++)
        r->calls[i].cancelled |= r->calls[i].told == 0;
    loop_stop(r->loop);
}

static void on_notice(struct link_call *call, enum method m,
                      const struct message *msg)
{
    struct call *c = CONTAINER_OF(call, struct call, call);
    assert(c->told == 0 && !c->cancelled && m != METHOD_NONE);
    assert(msg->kind == MESSAGE_NOTIFICATION);
    if ((c->run->mode & CANCELS) != 0) {
        c->cancelled = true;
        link_cancel(call, STR("x"));
    } else if ((c->run->mode & PAUSES) != 0) {
        link_pause(call, true);
    }
}

static void on_asked(struct link_call *call, enum method m,
                     const struct message *msg)
{
    struct call *c = CONTAINER_OF(call, struct call, call);
    assert(c->told == 0 && !c->cancelled && m != METHOD_NONE);
    assert(msg->kind == MESSAGE_REQUEST);
    if ((c->run->mode & ANSWERS) != 0)
        link_answer(c->run->link, msg->id, false, STR("{}"));
}

static void told(struct call *c)
{
    assert(c->told == 0 && !c->cancelled);
    c->told++;
    memset(&c->call, 0xa5, sizeof(c->call));
    if ((c->run->mode & CLOSES) != 0 && c->run->link != NULL)
        close_now(c->run);
}

static void on_answered(struct link_call *call, const struct message *m)
{
    assert(m->kind == MESSAGE_RESULT || m->kind == MESSAGE_ERROR);
    told(CONTAINER_OF(call, struct call, call));
}

static void on_failed(struct link_call *call, enum err why, bool sent)
{
    assert(why == ERR_UPSTREAM || why == ERR_LIMIT);
    (void)sent;
    told(CONTAINER_OF(call, struct call, call));
}

/* --- the runner's other end, and the child --- */

static void start_child(struct run *r, uint64_t tag)
{
    int ends[RUNNER_PIPES][2];
    for (unsigned i = 0; i < RUNNER_PIPES; i++) {
        int made = pipe2(ends[i], O_CLOEXEC | O_NONBLOCK);
        assert(made == 0);
        struct runner_pipe_payload p =
            runner_protocol_pipe(tag, (enum runner_pipe)i);
        enum err e = channel_send_fd(r->other, RUNNER_PIPE,
                                     (struct str){p.bytes, sizeof(p.bytes)},
                                     ends[i][i == RUNNER_STDIN ? 1 : 0]);
        assert(e == ERR_OK);
    }
    runner_protocol_started(channel_out(r->other), tag, 0);
    r->stdin_fd = ends[RUNNER_STDIN][0];
    int out = ends[RUNNER_STDOUT][1];
    ssize_t n = 0;
    if ((r->mode & WITH_HANDSHAKE) != 0)
        n = write(out, handshake, sizeof(handshake) - 1);
    assert(n >= 0);
    if (r->input.len > 0)
        n = write(out, r->input.ptr, r->input.len);
    assert(n >= 0);
    (void)close(out);
    (void)close(ends[RUNNER_STDERR][1]);
}

static void on_runner_opened(void *user, struct frame_hello peer)
{
    (void)user, (void)peer;
}

static enum err on_frame(void *user, const struct frame *f, int fd)
{
    struct run *r = user;
    struct runner_request q;
    enum err e = runner_protocol_read(f, FRAME_ROLE_WORKER, &q);
    assert(e == ERR_OK && fd < 0);
    if (q.type == RUNNER_START)
        start_child(r, q.tag);
    else
        runner_protocol_exited(channel_out(r->other), q.tag, 0, 0);
    return ERR_OK;
}

static void on_runner_closed(void *user, enum err why)
{
    (void)user, (void)why;
}

/* Each whole line that was written is a message. */
static void check_told(int fd)
{
    struct buf all;
    buf_init(&all, MIB);
    ssize_t n = 1;
    while (n > 0) {
        char *to = buf_space(&all, 4096);
        assert(to != NULL);
        n = read(fd, to, 4096);
        buf_added(&all, n > 0 ? (size_t)n : 0);
    }
    struct str left = buf_str(&all);
    for (size_t end; (end = str_find(left, '\n')) < left.len;
         left = str_skip(left, end + 1)) {
        struct arena a;
        struct message m;
        struct message_id id;
        struct fault fault;
        arena_init(&a, MIB);
        enum err e = message_read(&a, str_first(left, end), &m, &id, &fault);
        assert(e == ERR_OK);
        arena_release(&a);
    }
    buf_release(&all);
}

static void send_all(struct run *r)
{
    static const struct link_call_events events = {on_notice, on_asked,
                                                   on_answered, on_failed};
    for (unsigned i = 0; i < CALLS; i++) {
        struct call *c = &r->calls[i];
        c->run = r;
        c->cancelled = i > 0 && (r->mode & ONE_CALL) != 0;
        if (c->cancelled)
            continue;
        enum err e = link_send(r->link, &c->call, i + 1, METHOD_TOOLS_CALL,
                               STR("{\"name\":\"t\"}"), &events);
        assert(e == ERR_OK);
    }
}

static void talk(struct run *r, struct runner_client *runner)
{
    static const struct link_events events = {on_opened, on_link_notice,
                                              on_closed};
    const struct tool_server_settings server = {
        .name = STR("f"),
        .transport = TRANSPORT_STDIO,
        .call_ms = 60000,
        .call_max_ms = 60000,
        .result_max = RESULT_MAX,
    };
    const struct link_options o = {
        .loop = r->loop,
        .runner = runner,
        .server = &server,
        .version = STR("1"),
        .offers = METHOD_HAS_ELICITATION | METHOD_HAS_SAMPLING,
    };
    enum err e = link_open(&o, &events, r, &r->link);
    assert(e == ERR_OK);
    send_all(r);
    loop_run(r->loop);
    assert(r->closed == 1 || (r->closed == 0 && r->link == NULL));
    link_close(r->link);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct channel_events events = {on_runner_opened, on_frame,
                                                 on_runner_closed};
    static const struct frame_hello own = {FRAME_PROTOCOL_VERSION,
                                           FRAME_ROLE_RUNNER, 0};
    struct run r = {.stdin_fd = -1};
    struct runner_client *runner;
    int fds[2];
    if (size == 0 || size > INPUT_MAX)
        return 0;
    r.mode = data[0];
    r.input = (struct str){(const char *)data + 1, size - 1};
    enum err e = loop_new(&r.loop);
    assert(e == ERR_OK);
    e = runner_client_new(r.loop, 1, &runner);
    assert(e == ERR_OK);
    int made =
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds);
    assert(made == 0);
    e = runner_client_connect(runner, fds[0]);
    assert(e == ERR_OK);
    e = channel_new(r.loop, fds[1], own, FRAME_ROLE_WORKER, &events, &r,
                    &r.other);
    assert(e == ERR_OK);
    talk(&r, runner);
    check_told(r.stdin_fd);
    (void)close(r.stdin_fd);
    runner_client_free(runner);
    channel_free(r.other);
    loop_free(r.loop);
    return 0;
}
