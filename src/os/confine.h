/*
 * confine.h - what keeps a program that we start away from everything that is
 * not its own, as it was really reached on this system.
 *
 * The kernel offers several walls, not all of them everywhere; each has a bit
 * and a word, so that nobody has to guess how a process is held:
 *
 *     landlock  it opens only the files that it was given
 *     seccomp   it makes no system call that reaches around that
 *     pidns     it sees and signals no process but its own
 *     mntns     what is ours is not in its file system at all
 *     netns     its network has no interface
 *     scoped    it signals no process but its own (Landlock ABI 6)
 *     ports     it connects to no TCP port of ours (Landlock ABI 4)
 *
 * confine_files.h, confine_calls.h and confine_spaces.h build them.
 */
#ifndef OS_CONFINE_H
#define OS_CONFINE_H

enum {
    CONFINE_LANDLOCK = 1 << 0,
    CONFINE_SECCOMP = 1 << 1,
    CONFINE_PIDNS = 1 << 2,
    CONFINE_MNTNS = 1 << 3,
    CONFINE_NETNS = 1 << 4,
    CONFINE_SCOPED = 1 << 5,
    CONFINE_PORTS = 1 << 6,
    CONFINE_ALL = (1 << 7) - 1,
};

enum { CONFINE_WORDS_MAX = 64 };

/* "landlock+seccomp+pidns", NUL at its end; "none" for no bit at all. */
void confine_words(unsigned confined, char to[CONFINE_WORDS_MAX]);

#endif
