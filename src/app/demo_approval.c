/* demo_approval.c - `writ demo`: a payment that waits for a person, and a yes
 * that is for nothing else. */
#include <unistd.h>

#include "app/control_client.h"
#include "app/demo_ledger.h"
#include "app/demo_mcp.h"
#include "app/demo_person.h"
#include "app/demo_steps.h"
#include "app/demo_tell.h"
#include "base/limits.h"
#include "codec/json.h"
#include "os/clock.h"

enum { ID_SHOWN = 12, WAIT_MS = 10000, POLL_US = 10000 };

static const struct demo_tool ordered = {
    "pay", "{\"to\":\"acme paper\",\"amount\":750}"};
static const struct demo_tool changed = {
    "pay", "{\"to\":\"acme paper\",\"amount\":7500}"};

static bool keep(const struct json *v, const char *name,
                 char to[DEMO_ID_MAX + 1])
{
    struct str s;

    if (!json_str(json_get(v, str_from(name)), &s) || s.len > DEMO_ID_MAX)
        return false;
    memcpy(to, s.ptr, s.len);
    to[s.len] = '\0';
    return true;
}

/* The ticket that is open and none of the `known`; false: there is none. */
static bool look(const struct demo *d, const struct demo_ticket *known,
                 size_t count, struct demo_ticket *ret)
{
    struct control_client_reply reply;
    const struct json *v, *ticket;
    struct arena a;
    bool found = false;

    arena_init(&a, 16 * MIB);
    enum err e = control_client_get(&a, d->data,
                                    "/admin/v1/approvals?state=open", &reply);
    if (e == ERR_OK && reply.status == 200)
        e = json_read(&a, reply.body, &v, NULL);
    struct json_iter it =
        json_each(e == ERR_OK ? json_get(v, STR("approvals")) : NULL);
    while (!found && json_next(&it, NULL, &ticket)) {
        found =
            keep(ticket, "id", ret->id) && keep(ticket, "digest", ret->digest);
        for (size_t i = 0; i < count; i++)
            found = found && strcmp(known[i].id, ret->id) != 0;
    }
    arena_release(&a);
    return found;
}

/* Calls, and waits until people are asked: a descriptor for the answer. */
static int ask(struct demo *d, const struct demo_tool *tool,
               const struct demo_ticket *known, size_t count,
               struct demo_ticket *ret)
{
    int64_t end_ms = clock_monotonic_ms() + WAIT_MS;

    demo_mcp_show(d, tool, true);
    int fd = demo_mcp_send(d, tool);
    while (fd != -1 && clock_monotonic_ms() < end_ms && demo_mcp_is_held(fd)) {
        if (look(d, known, count, ret))
            return fd;
        (void)usleep(POLL_US);
    }
    if (fd != -1)
        (void)close(fd);
    return -1;
}

static bool show_tickets(struct demo *d)
{
    const char *const argv[] = {"writ",     "approval", "list",
                                "--config", d->config,  NULL};
    const struct demo_run r = {.argv = argv};

    demo_tell_command(d, "writ approval list");
    return demo_tell_run(d, &r) == 0;
}

/* What the person who has logged in says; the exit code. */
static int say(struct demo *d, const char *word, const struct demo_ticket *t,
               const char *reason, const char *const *only)
{
    const char *const argv[] = {"writ",     "approval", word,
                                t->id,      "--reason", reason,
                                "--config", d->config,  NULL};
    const struct demo_run r = {.argv = argv, .only = only};

    demo_tell_command(d, "writ approval %s %.*s --reason \"%s\"", word,
                      ID_SHOWN, t->id, reason);
    return demo_tell_run(d, &r);
}

/* ---- held, and let go ---- */

static bool is_paid(struct demo *d, int fd)
{
    static const char *const only[] = {"decision:", "approved:", NULL};
    struct demo_tool_answer answer;
    struct buf text;
    uint64_t intent;

    buf_init(&text, 64 * KIB);
    demo_mcp_receive(fd, &answer);
    demo_tell_line(d, answer.text);
    bool ok = !answer.failed &&
              str_eq(answer.text, STR("paid 750 to acme paper")) &&
              demo_ledger_receipt(&answer.http, &intent) &&
              demo_ledger_show(d, intent, only, &text) &&
              memmem(text.ptr, text.len, "approved: by " DEMO_APPROVER_ID,
                     strlen("approved: by " DEMO_APPROVER_ID)) != NULL;
    demo_mcp_release(&answer);
    buf_release(&text);
    return ok;
}

bool demo_approval_step(struct demo *d)
{
    static const char *const only[] = {"asked by",  "resource", "needs",
                                       "arguments", "  {",      "approved:",
                                       NULL};
    static const char *const none[] = {NULL};

    demo_tell_heading(d, "A payment that waits for a person",
                      "@approval(\"finance\") holds what is over 500 until "
                      "one of them says yes, who has proven to be\nthat "
                      "person.  To run the node, even as root, is not enough.");
    int fd = ask(d, &ordered, NULL, 0, &d->approved);
    if (fd == -1)
        return demo_tell_verdict(d, false, "nobody is asked");
    bool ok = show_tickets(d) &&
              say(d, "approve", &d->approved, "it is mine", none) == 1 &&
              demo_person_enrol(d, DEMO_APPROVER) && demo_mcp_is_held(fd) &&
              say(d, "approve", &d->approved, "order 4711", only) == 0;
    if (!ok)
        (void)close(fd);
    return demo_tell_verdict(d, ok && is_paid(d, fd),
                             "held, and sent when " DEMO_APPROVER
                             " had agreed");
}

/* ---- for nothing else ---- */

static bool is_refused(struct demo *d, int fd)
{
    struct demo_tool_answer answer;

    demo_mcp_receive(fd, &answer);
    demo_tell_line(d, answer.text);
    bool ok = answer.failed && str_eq(answer.reason, STR("denied"));
    demo_mcp_release(&answer);
    return ok;
}

static bool is_asked_anew(struct demo *d, int fds[2])
{
    static const char *const only[] = {"denied", NULL};
    struct demo_ticket t[3] = {d->approved};

    fds[0] = ask(d, &changed, t, 1, &t[1]);
    if (fds[0] == -1 || strcmp(t[1].digest, t[0].digest) == 0)
        return false;
    fds[1] = ask(d, &ordered, t, 2, &t[2]);
    return fds[1] != -1 && strcmp(t[2].digest, t[0].digest) == 0 &&
           show_tickets(d) && demo_mcp_is_held(fds[0]) &&
           demo_mcp_is_held(fds[1]) &&
           say(d, "deny", &t[1], "not what was ordered", only) == 0 &&
           say(d, "deny", &t[2], "paid already", only) == 0;
}

bool demo_approval_changed(struct demo *d)
{
    int fds[2] = {-1, -1};

    demo_tell_heading(d, "The same yes, for another amount, and once more",
                      "A yes is bound to the digest of everything that was "
                      "approved, and is used up by one call.");
    bool ok = is_asked_anew(d, fds);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        bool refused = fds[i] != -1 && is_refused(d, fds[i]);
        ok = ok && refused;
    }
    return demo_tell_verdict(d, ok,
                             "neither passed: each was a new question, and "
                             "the answer was no");
}
