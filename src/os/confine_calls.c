/*
 * confine_calls.c - see confine_calls.h.
 *
 * Arguments are compared as the kernel gets them, 64 bits wide, while most
 * calls look at the lower half: a comparison that refuses equals masks the
 * upper half off, and one that refuses all but some refuses the rest whole.
 */
#include "os/confine_calls.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <seccomp.h>

enum {
    SIGNALS = 65,
    TYPE_MASK = 0xf,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    FAMILIES = AF_NETLINK, /* the highest that is left */
    /* Newer than the library: the same number on all architectures. */
    SYS_FCHMODAT2 = 452,
    SYS_SETXATTRAT = 463,
    SYS_REMOVEXATTRAT = 466,
    SYS_OPEN_TREE_ATTR = 467,
    SYS_FILE_SETATTR = 469,
};

#define INT_MASK 0xffffffffULL

/* A rule under way: the first failure is remembered. */
struct filter {
    scmp_filter_ctx context;
    int rc;
};

static void refuse(struct filter *f, int call, int error)
{
    if (f->rc == 0)
        f->rc = seccomp_rule_add(f->context, SCMP_ACT_ERRNO((uint32_t)error),
                                 call, 0);
}

static void refuse_when(struct filter *f, int call, struct scmp_arg_cmp when)
{
    if (f->rc == 0)
        f->rc = seccomp_rule_add_array(f->context, SCMP_ACT_ERRNO(EPERM), call,
                                       1, &when);
}

static struct scmp_arg_cmp has(unsigned argument, uint64_t mask, uint64_t value)
{
    return (struct scmp_arg_cmp){argument, SCMP_CMP_MASKED_EQ, mask, value};
}

static struct scmp_arg_cmp is_above(unsigned argument, uint64_t value)
{
    return (struct scmp_arg_cmp){argument, SCMP_CMP_GT, value, 0};
}

static struct scmp_arg_cmp is_not(unsigned argument, uint64_t value)
{
    return (struct scmp_arg_cmp){argument, SCMP_CMP_NE, value, 0};
}

static void refuse_all(struct filter *f, const int *calls, size_t n)
{
    for (size_t i = 0; i < n; i++)
        refuse(f, calls[i], EPERM);
}

#define REFUSE_ALL(f, table) refuse_all(f, table, ARRAY_LEN(table))

/* Into other processes, out of the walls, into the kernel. */
static void refuse_always(struct filter *f)
{
    static const int calls[] = {
        SCMP_SYS(ptrace),
        SCMP_SYS(process_vm_readv),
        SCMP_SYS(process_vm_writev),
        SCMP_SYS(process_madvise),
        SCMP_SYS(pidfd_getfd),
        SCMP_SYS(kcmp),
        SCMP_SYS(unshare),
        SCMP_SYS(setns),
        SCMP_SYS(mount),
        SCMP_SYS(umount2),
        SCMP_SYS(pivot_root),
        SCMP_SYS(move_mount),
        SCMP_SYS(open_tree),
        SYS_OPEN_TREE_ATTR,
        SCMP_SYS(fsopen),
        SCMP_SYS(fsconfig),
        SCMP_SYS(fsmount),
        SCMP_SYS(fspick),
        SCMP_SYS(mount_setattr),
        SCMP_SYS(chroot),
        SCMP_SYS(bpf),
        SCMP_SYS(perf_event_open),
        SCMP_SYS(userfaultfd),
        SCMP_SYS(keyctl),
        SCMP_SYS(add_key),
        SCMP_SYS(request_key),
        SCMP_SYS(open_by_handle_at),
        SCMP_SYS(name_to_handle_at),
        SCMP_SYS(fanotify_init),
        SCMP_SYS(kexec_load),
        SCMP_SYS(kexec_file_load),
        SCMP_SYS(init_module),
        SCMP_SYS(finit_module),
        SCMP_SYS(delete_module),
        SCMP_SYS(reboot),
        SCMP_SYS(swapon),
        SCMP_SYS(swapoff),
        SCMP_SYS(acct),
        SCMP_SYS(quotactl),
        SCMP_SYS(settimeofday),
        SCMP_SYS(clock_settime),
        SCMP_SYS(clock_adjtime),
        SCMP_SYS(adjtimex),
        SCMP_SYS(sethostname),
        SCMP_SYS(setdomainname),
        SCMP_SYS(iopl),
        SCMP_SYS(ioperm),
        SCMP_SYS(vhangup),
        SCMP_SYS(syslog),
        SCMP_SYS(lookup_dcookie),
    };
    static const int unseen[] = {
        SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter),
        SCMP_SYS(io_uring_register),
        SCMP_SYS(clone3), /* its flags are in memory; libc takes clone */
    };
    static const unsigned spaces[] = {
        CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
        CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET,
    };
    REFUSE_ALL(f, calls);
    for (size_t i = 0; i < ARRAY_LEN(unseen); i++)
        refuse(f, unseen[i], ENOSYS);
    for (size_t i = 0; i < ARRAY_LEN(spaces); i++)
        refuse_when(f, SCMP_SYS(clone), has(0, spaces[i], spaces[i]));
    refuse_when(f, SCMP_SYS(ioctl), has(1, INT_MASK, TIOCSTI));
}

/* Pairs that were never anything else cannot be turned to a name. */
static void refuse_named_pairs(struct filter *f)
{
    refuse_when(f, SCMP_SYS(socketpair), is_above(0, AF_UNIX));
    refuse_when(f, SCMP_SYS(socketpair), has(1, TYPE_MASK, SOCK_DGRAM));
}

static void refuse_network(struct filter *f)
{
    static const int calls[] = {
        SCMP_SYS(socket), SCMP_SYS(bind),   SCMP_SYS(connect),
        SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4),
    };
    REFUSE_ALL(f, calls);
    refuse_when(f, SCMP_SYS(sendto), is_not(4, 0)); /* an address */
}

/*
 * TCP and UDP, and asking the kernel which addresses there are.  Not local
 * sockets; not the protocols that reach a TCP listener without being TCP to
 * Landlock; not the flag that connects without connect(2).
 */
static void refuse_but_tcp_and_udp(struct filter *f)
{
    for (uint64_t family = 0; family <= FAMILIES; family++) {
        if (family != AF_INET && family != AF_INET6 && family != AF_NETLINK)
            refuse_when(f, SCMP_SYS(socket), has(0, INT_MASK, family));
    }
    refuse_when(f, SCMP_SYS(socket), is_above(0, FAMILIES));
    for (uint64_t type = 0; type <= TYPE_MASK; type++) {
        if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_RAW)
            refuse_when(f, SCMP_SYS(socket), has(1, TYPE_MASK, type));
    }
    for (uint64_t protocol = 1; protocol < PROTOCOL_UDP; protocol++) {
        if (protocol != PROTOCOL_TCP)
            refuse_when(f, SCMP_SYS(socket), has(2, INT_MASK, protocol));
    }
    refuse_when(f, SCMP_SYS(socket), is_above(2, PROTOCOL_UDP));
    refuse_when(f, SCMP_SYS(sendto), has(3, MSG_FASTOPEN, MSG_FASTOPEN));
    refuse_when(f, SCMP_SYS(sendmsg), has(2, MSG_FASTOPEN, MSG_FASTOPEN));
    refuse_when(f, SCMP_SYS(sendmmsg), has(3, MSG_FASTOPEN, MSG_FASTOPEN));
}

static void refuse_modes(struct filter *f)
{
    static const int calls[] = {
        SCMP_SYS(chmod),       SCMP_SYS(fchmodat),     SYS_FCHMODAT2,
        SCMP_SYS(chown),       SCMP_SYS(lchown),       SCMP_SYS(fchownat),
        SCMP_SYS(setxattr),    SCMP_SYS(lsetxattr),    SYS_SETXATTRAT,
        SCMP_SYS(removexattr), SCMP_SYS(lremovexattr), SYS_REMOVEXATTRAT,
        SCMP_SYS(utime),       SCMP_SYS(utimes),       SCMP_SYS(futimesat),
        SYS_FILE_SETATTR,
    };
    REFUSE_ALL(f, calls);
}

static enum err load(struct filter *f)
{
    enum err e = f->rc == -ENOMEM ? ERR_NO_MEMORY : ERR_UNSUPPORTED;
    if (f->rc == 0 && seccomp_load(f->context) == 0)
        e = ERR_OK;
    seccomp_release(f->context);
    return e;
}

static bool begin(struct filter *f)
{
    *f = (struct filter){.context = seccomp_init(SCMP_ACT_ALLOW)};
    if (f->context == NULL)
        return false;
    /* As a tree: each call of the program passes through it. */
    (void)seccomp_attr_set(f->context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    return true;
}

enum err confine_calls_enter(const struct confine_calls *o)
{
    struct filter f;
    if (!begin(&f))
        return ERR_NO_MEMORY;
    refuse_always(&f);
    refuse_named_pairs(&f);
    if (o->network)
        refuse_but_tcp_and_udp(&f);
    else
        refuse_network(&f);
    if (o->keep_modes)
        refuse_modes(&f);
    if (o->keep_lengths)
        refuse(&f, SCMP_SYS(truncate), EPERM);
    return load(&f);
}

/* Signals for a process by its number. */
static void refuse_number(struct filter *f, pid_t pid)
{
    static const int calls[] = {SCMP_SYS(kill), SCMP_SYS(tkill),
                                SCMP_SYS(tgkill), SCMP_SYS(rt_sigqueueinfo),
                                SCMP_SYS(rt_tgsigqueueinfo)};
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        refuse_when(f, calls[i], has(0, INT_MASK, (uint64_t)pid));
    refuse_when(f, SCMP_SYS(kill), has(0, INT_MASK, INT_MASK)); /* -1: all */
}

/* Those whose default does nothing: runtimes send them to their threads. */
static void refuse_numbers(struct filter *f)
{
    static const int harmless[] = {SIGCHLD, SIGURG, SIGWINCH};
    refuse_when(f, SCMP_SYS(kill), is_not(0, 0));
    refuse(f, SCMP_SYS(tkill), EPERM);
    refuse(f, SCMP_SYS(rt_sigqueueinfo), EPERM);
    refuse(f, SCMP_SYS(rt_tgsigqueueinfo), EPERM);
    for (uint64_t n = 1; n < SIGNALS; n++) {
        bool ok = false;
        for (size_t i = 0; i < ARRAY_LEN(harmless); i++)
            ok = ok || n == (uint64_t)harmless[i];
        if (!ok)
            refuse_when(f, SCMP_SYS(tgkill), has(2, INT_MASK, n));
    }
}

/* What is set for a process by its number, or for all of a user's. */
static void refuse_settings(struct filter *f)
{
    refuse_when(f, SCMP_SYS(prlimit64), is_not(0, 0));
    refuse_when(f, SCMP_SYS(setpriority), is_not(1, 0));
    refuse_when(f, SCMP_SYS(setpriority), has(0, INT_MASK, PRIO_USER));
    refuse_when(f, SCMP_SYS(ioprio_set), is_not(1, 0));
}

enum err confine_calls_enter_signals(pid_t only)
{
    struct filter f;
    if (!begin(&f))
        return ERR_NO_MEMORY;
    refuse_settings(&f);
    refuse(&f, SCMP_SYS(pidfd_send_signal), EPERM);
    if (only != 0)
        refuse_number(&f, only);
    else
        refuse_numbers(&f);
    return load(&f);
}
