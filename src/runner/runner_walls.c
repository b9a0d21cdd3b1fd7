/*
 * runner_walls.c - see runner_walls.h.
 *
 * Without Landlock and seccomp nothing is started: they alone keep our data
 * and sockets out of reach.  Namespaces are walls behind those walls, and what
 * they would have done is done by harder filters where they cannot be had.
 */
#include "runner/runner_walls.h"

#include <stdio.h>
#include <unistd.h>

#include "os/confine.h"
#include "os/confine_calls.h"
#include "os/confine_files.h"
#include "runner/runner_files.h"

enum { ABI_TRUNCATE = 3 };

static bool fail(struct runner_report *why, const char *text)
{
    *why = (struct runner_report){.what = RUNNER_FAILED};
    (void)snprintf(why->text, sizeof(why->text), "%s", text);
    return false;
}

static bool hide_kept(const struct runner_plan *p)
{
    const char *const *kept = p->table->kept;
    enum err e = confine_spaces_mounts();
    for (; e == ERR_OK && kept != NULL && *kept != NULL; kept++)
        e = confine_spaces_hide(*kept);
    return e == ERR_OK;
}

/* What the namespaces turned out to hold. */
struct reached {
    unsigned bits;
    bool own_proc;  /* /proc shows nobody else */
    bool read_only; /* nothing but its own can be changed */
};

/* What is had only in namespaces; false: they give less than they promise. */
static bool enter_spaces(const struct runner_plan *p, struct reached *to)
{
    if (p->spaces == CONFINE_SPACES_NONE)
        return true;
    if (p->spaces == CONFINE_SPACES_USER &&
        confine_spaces_map(p->uid, p->gid) != ERR_OK)
        return false;
    if (!hide_kept(p))
        return false;
    to->read_only = confine_spaces_read_only(p->command->write) == ERR_OK;
    if (confine_spaces_memory(p->folder, RUNNER_PRIVATE_BYTES_MAX) != ERR_OK)
        return false;
    /* A container may keep parts of its /proc covered, and then this too. */
    to->own_proc = confine_spaces_proc(RUNNER_PROCESSES_MAX) == ERR_OK;
    to->bits |= CONFINE_PIDNS | CONFINE_MNTNS;
    if (!p->command->network)
        to->bits |= CONFINE_NETNS;
    return true;
}

static bool enter_files(const struct runner_plan *p, struct reached *to,
                        struct runner_report *why)
{
    unsigned reached = 0;
    int set = -1;
    if (confine_files_new(&set, &reached) != ERR_OK)
        return fail(why, "this kernel offers no Landlock");
    bool ok = runner_files_allow(set, p, to->own_proc, why);
    if (ok && confine_spaces_drop() != ERR_OK)
        ok = fail(why, "its capabilities cannot be dropped");
    if (ok && confine_files_enter(set) != ERR_OK)
        ok = fail(why, "Landlock refuses");
    (void)close(set);
    to->bits |= ok ? reached : 0;
    return ok;
}

static bool enter_calls(const struct runner_plan *p, struct reached *to,
                        struct runner_report *why)
{
    const struct confine_calls calls = {
        .network = p->command->network,
        .keep_modes = !to->read_only,
        .keep_lengths =
            !to->read_only && confine_files_version() < ABI_TRUNCATE,
    };
    if (confine_calls_enter(&calls) != ERR_OK)
        return fail(why, "this kernel filters no system calls");
    to->bits |= CONFINE_SECCOMP;
    return true;
}

bool runner_walls_enter(const struct runner_plan *p, unsigned *ret_bits,
                        struct runner_report *ret_why)
{
    struct reached to = {0};
    if (!enter_spaces(p, &to)) {
        *ret_why = (struct runner_report){.what = RUNNER_NO_SPACES};
        return false;
    }
    if (!enter_files(p, &to, ret_why))
        return false;
    if (p->command->network) {
        /* Nothing else keeps it from our listeners. */
        if (p->ports < 0 || confine_files_enter(p->ports) != ERR_OK)
            return fail(ret_why, "network: this kernel cannot keep it from "
                                 "Writ's own ports (Landlock ABI 4)");
        to.bits |= CONFINE_PORTS;
    }
    if (!enter_calls(p, &to, ret_why))
        return false;
    *ret_bits = to.bits;
    return true;
}

bool runner_walls_enter_command(unsigned bits, pid_t init)
{
    if ((bits & CONFINE_PIDNS) != 0)
        return true;
    pid_t only = (bits & CONFINE_SCOPED) != 0 ? init : 0;
    return confine_calls_enter_signals(only) == ERR_OK;
}
