/*
 * postgres_server.c - see postgres_server.h.  The server refuses to run as
 * root; then it runs as the user that the package has made for it.
 */
#include "postgres_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS_MAX = 16, START_TRIES_MAX = 200, START_STEP_MS = 50 };
enum { OLDEST = 13, NEWEST = 30 }; /* versions looked for */

/* The uid and gid to run as; false: as we are. */
static bool other_user(uid_t *uid, gid_t *gid)
{
    struct passwd entry, *found = NULL;
    char text[1024];
    if (geteuid() != 0)
        return false;
    int rc = getpwnam_r("postgres", &entry, text, sizeof(text), &found);
    assert_int_equal(rc, 0);
    assert_non_null(found); /* see usable_here() */
    *uid = found->pw_uid;
    *gid = found->pw_gid;
    return true;
}

/* Starts a program of the package, with its words in dir/log. */
static pid_t spawn(const struct postgres_server *s, const char *const *args)
{
    uid_t uid = 0;
    gid_t gid = 0;
    bool as_other = other_user(&uid, &gid);
    char path[256], log[128], *argv[ARGS_MAX + 1] = {NULL};
    (void)snprintf(path, sizeof(path), "%s/%s", s->bin, args[0]);
    (void)snprintf(log, sizeof(log), "%s/log", s->dir);
    /* By its path: initdb looks for the server beside itself. */
    argv[0] = strdup(path);
    for (size_t i = 1; i < ARGS_MAX && args[i] != NULL; i++)
        argv[i] = strdup(args[i]);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int to = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);
        if (as_other && (setgid(gid) != 0 || setuid(uid) != 0))
            _exit(1);
        (void)prctl(PR_SET_PDEATHSIG, SIGQUIT);
        (void)dup2(to, STDOUT_FILENO);
        (void)dup2(to, STDERR_FILENO);
        (void)execv(path, argv);
        _exit(1);
    }
    for (size_t i = 0; i < ARGS_MAX; i++)
        free(argv[i]);
    return pid;
}

static void run(const struct postgres_server *s, const char *const *args)
{
    int status = -1;
    pid_t pid = spawn(s, args);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status != 0)
        (void)fprintf(stderr, "%s failed; see %s/log\n", args[0], s->dir);
    assert_int_equal(status, 0);
}

/* The server refuses to be root, so somebody else must exist. */
static bool usable_here(void)
{
    struct passwd entry, *found = NULL;
    char text[1024];
    return geteuid() != 0 ||
           (getpwnam_r("postgres", &entry, text, sizeof(text), &found) == 0 &&
            found != NULL);
}

static bool find_programs(struct postgres_server *s)
{
    for (int version = NEWEST; version >= OLDEST; version--) {
        char initdb[160];
        (void)snprintf(s->bin, sizeof(s->bin), "/usr/lib/postgresql/%d/bin",
                       version);
        (void)snprintf(initdb, sizeof(initdb), "%s/initdb", s->bin);
        if (access(initdb, X_OK) == 0)
            return true;
    }
    s->bin[0] = '\0';
    return false;
}

bool postgres_server_set_up(struct postgres_server *s)
{
    *s = (struct postgres_server){0};
    if (!usable_here() || !find_programs(s)) {
        (void)fprintf(stderr,
                      "SKIPPED: no PostgreSQL server (package postgresql)\n");
        return false;
    }
    uid_t uid;
    gid_t gid;
    (void)snprintf(s->dir, sizeof(s->dir), "/tmp/writ-pg-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    if (other_user(&uid, &gid))
        assert_int_equal(chown(s->dir, uid, gid), 0);
    (void)snprintf(s->url, sizeof(s->url),
                   "postgres:///postgres?host=%s&user=writ", s->dir);
    char data[96];
    (void)snprintf(data, sizeof(data), "%s/data", s->dir);
    const char *const args[] = {"initdb", "-D",   data,         "-U",
                                "writ",   "-A",   "trust",      "--no-sync",
                                "-E",     "UTF8", "--locale=C", NULL};
    run(s, args);
    postgres_server_start(s);
    return true;
}

/* It takes connections, not only its socket: after a crash it recovers. */
static bool answers(const struct postgres_server *s)
{
    const char *const args[] = {"pg_isready", "-q", "-h", s->dir, NULL};
    int status = -1;
    pid_t pid = spawn(s, args);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status == 0;
}

void postgres_server_start(struct postgres_server *s)
{
    char data[96];
    (void)snprintf(data, sizeof(data), "%s/data", s->dir);
    const char *const args[] = {"postgres",
                                "-D",
                                data,
                                "-k",
                                s->dir,
                                "-c",
                                "listen_addresses=",
                                "-c",
                                "fsync=off",
                                "-c",
                                "max_connections=20",
                                NULL};
    s->pid = spawn(s, args);
    bool up = answers(s);
    for (int i = 0; i < START_TRIES_MAX && !up; i++) {
        (void)poll(NULL, 0, START_STEP_MS);
        up = answers(s);
    }
    assert_true(up);
}

void postgres_server_kill(struct postgres_server *s)
{
    if (s->pid == 0)
        return;
    (void)kill(s->pid, SIGQUIT); /* no shutdown checkpoint, no goodbye */
    assert_int_equal(waitpid(s->pid, NULL, 0), s->pid);
    s->pid = 0;
}

void postgres_server_tear_down(struct postgres_server *s)
{
    if (s->bin[0] == '\0')
        return;
    postgres_server_kill(s);
    pid_t pid = fork();
    if (pid == 0) {
        (void)execlp("rm", "rm", "-rf", s->dir, (char *)NULL);
        _exit(1);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

void postgres_server_sql(struct postgres_server *s, const char *sql)
{
    char to[192]; /* also where a test has made the database read-only */
    (void)snprintf(to, sizeof(to),
                   "host=%s user=writ dbname=postgres"
                   " options='-c default_transaction_read_only=off'",
                   s->dir);
    const char *const args[] = {"psql", "-q", "-X", "-v", "ON_ERROR_STOP=1",
                                "-d",   to,   "-c", sql,  NULL};
    run(s, args);
}

void postgres_server_empty(struct postgres_server *s)
{
    postgres_server_sql(s, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
}
