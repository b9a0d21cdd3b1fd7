/* runner_files.c - see runner_files.h. */
#include "runner/runner_files.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/confine_files.h"

static_assert(RUNNER_PATH_MAX >= PATH_MAX, "realpath(3) writes as much");

#define STANDARD_PATH "/usr/local/bin:/usr/bin:/bin"

/* Programs and what every program opens.  What is missing is passed over. */
static const char *const programs[] = {
    "/usr",   "/bin",    "/sbin", "/lib",       "/lib32",
    "/lib64", "/libx32", "/opt",  "/nix/store",
};
static const char *const system_files[] = {
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/ld.so.preload",
    "/etc/alternatives",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/passwd",
    "/etc/group",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/mime.types",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/ca-certificates",
    "/etc/pki/tls",
    "/etc/pki/ca-trust",
    "/etc/crypto-policies",
    "/etc/fonts",
    "/etc/os-release",
    "/etc/debian_version",
    "/dev/urandom",
    "/dev/random",
    "/dev/zero",
    "/sys/fs/cgroup",
    "/sys/devices/system/cpu",
};
/* Of the machine, where /proc shows other processes, too. */
static const char *const machine_files[] = {
    "/proc/cpuinfo",     "/proc/meminfo", "/proc/stat",
    "/proc/loadavg",     "/proc/uptime",  "/proc/version",
    "/proc/filesystems", "/proc/sys/vm",  "/proc/sys/kernel",
};
/* Everybody's: what lies in them is not a program's own. */
static const char *const shared_folders[] = {
    "/", "/tmp", "/var/tmp", "/root", "/home", "/srv", "/mnt", "/data", "/etc",
};
static const char *const beside_bin[] = {
    "../lib",        "../lib64",        "../libexec",      "../share",
    "../pyvenv.cfg", "../node_modules", "../package.json",
};
static const char *const above_script[] = {"node_modules", "package.json"};
static const char *const scripts[] = {
    ".js", ".mjs", ".cjs", ".ts", ".mts", ".py",
    ".rb", ".pl",  ".php", ".sh", ".jar", ".lua",
};

struct filling {
    int set;
    const struct runner_plan *plan;
    struct runner_report *why;
};

static const char *search_path(const struct runner_command *command)
{
    for (const char *const *e = command->env; e != NULL && *e != NULL; e++) {
        if (strncmp(*e, "PATH=", 5) == 0)
            return *e + 5;
    }
    return STANDARD_PATH;
}

bool runner_files_find(const struct runner_command *command,
                       char to[RUNNER_PATH_MAX])
{
    const char *name = command->argv[0];
    if (strchr(name, '/') != NULL) {
        bool relative = name[0] != '/' && command->cwd != NULL;
        int n =
            snprintf(to, RUNNER_PATH_MAX, "%s%s%s",
                     relative ? command->cwd : "", relative ? "/" : "", name);
        return n > 0 && n < RUNNER_PATH_MAX;
    }
    for (const char *at = search_path(command); *at != '\0';) {
        size_t len = strcspn(at, ":"), rest = strlen(name) + 1;
        if (len > 0 && len + 1 + rest <= RUNNER_PATH_MAX) {
            memcpy(to, at, len);
            to[len] = '/';
            memcpy(to + len + 1, name, rest);
            if (access(to, X_OK) == 0)
                return true;
        }
        at += len + (at[len] == ':' ? 1 : 0);
    }
    return false;
}

/* The last failure, in words for the operator. */
static bool fail(struct filling *f, const char *what, const char *path,
                 int error)
{
    *f->why = (struct runner_report){.what = RUNNER_FAILED,
                                     .number = (uint32_t)error};
    (void)snprintf(f->why->text, sizeof(f->why->text), "%s %.180s", what, path);
    return false;
}

/* What need not be there; what is ours stays out of it. */
static bool allow(struct filling *f, const char *path,
                  enum confine_access access)
{
    enum err e =
        confine_files_allow(f->set, path, access, f->plan->table->kept);
    if (e == ERR_OK || e == ERR_NOT_FOUND)
        return true;
    return fail(f, "too many files around what is Writ's own in", path, 0);
}

static bool allow_list(struct filling *f, const char *const *paths, size_t n,
                       enum confine_access access)
{
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++)
        ok = allow(f, paths[i], access);
    return ok;
}

/* What the table lists has to be there, and to be nothing of ours. */
static bool allow_listed(struct filling *f, const char *const *paths,
                         enum confine_access access)
{
    char real[RUNNER_PATH_MAX];
    for (; paths != NULL && *paths != NULL; paths++) {
        if (realpath(*paths, real) == NULL)
            return fail(f, "it may not use", *paths, errno);
        if (confine_files_overlaps(real, f->plan->table->kept))
            return fail(f, "Writ keeps files of its own in", *paths, 0);
        if (confine_files_allow(f->set, real, access, NULL) != ERR_OK)
            return fail(f, "it may not use", *paths, 0);
    }
    return true;
}

static bool is_shared(const char *folder)
{
    for (size_t i = 0; i < ARRAY_LEN(shared_folders); i++) {
        if (strcmp(folder, shared_folders[i]) == 0)
            return true;
    }
    /* Somebody's home. */
    return strncmp(folder, "/home/", 6) == 0 && strchr(folder + 6, '/') == NULL;
}

/* Cuts the last part off; false: there is nothing above. */
static bool go_up(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash == NULL || path[1] == '\0')
        return false;
    if (slash == path)
        slash++;
    *slash = '\0';
    return true;
}

static bool allow_beside(struct filling *f, const char *folder,
                         const char *const *names, size_t n)
{
    char path[RUNNER_PATH_MAX];
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        int len = snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        if (len > 0 && len < (int)sizeof(path))
            ok = allow(f, path, CONFINE_RUN);
    }
    return ok;
}

/* A file that is executed or interpreted, and its folder unless everybody's. */
static bool allow_program(struct filling *f, const char *file, char *folder)
{
    (void)snprintf(folder, RUNNER_PATH_MAX, "%s", file);
    if (!go_up(folder) || is_shared(folder))
        return allow(f, file, CONFINE_RUN);
    return allow(f, folder, CONFINE_RUN);
}

static bool allow_binary(struct filling *f, const char *file)
{
    char folder[RUNNER_PATH_MAX];
    if (!allow_program(f, file, folder))
        return false;
    const char *last = strrchr(folder, '/');
    if (last == NULL || strcmp(last, "/bin") != 0)
        return true;
    return allow_beside(f, folder, beside_bin, ARRAY_LEN(beside_bin));
}

static bool allow_script(struct filling *f, const char *file)
{
    char folder[RUNNER_PATH_MAX];
    bool ok = allow_program(f, file, folder);
    while (ok && folder[1] != '\0') {
        ok = allow_beside(f, folder, above_script, ARRAY_LEN(above_script));
        if (!go_up(folder))
            break;
    }
    return ok;
}

static bool is_script(const char *file)
{
    size_t len = strlen(file);
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        size_t n = strlen(scripts[i]);
        if (len > n && strcmp(file + len - n, scripts[i]) == 0)
            return true;
    }
    return false;
}

/* The first argument that is no option, when it is a script. */
static bool allow_first_argument(struct filling *f)
{
    const struct runner_command *c = f->plan->command;
    char path[RUNNER_PATH_MAX], real[RUNNER_PATH_MAX];
    const char *const *a = c->argv + 1;
    while (*a != NULL && (*a)[0] == '-')
        a++;
    if (*a == NULL || !is_script(*a))
        return true;
    bool relative = (*a)[0] != '/';
    if (relative && c->cwd == NULL)
        return true;
    int n = snprintf(path, sizeof(path), "%s%s%s", relative ? c->cwd : "",
                     relative ? "/" : "", *a);
    if (n <= 0 || n >= (int)sizeof(path) || realpath(path, real) == NULL)
        return true; /* the interpreter will say so */
    /* As it is named, for a link, and as it is. */
    return allow_script(f, path) && allow_script(f, real);
}

static bool allow_own(struct filling *f)
{
    char real[RUNNER_PATH_MAX];
    const char *file = f->plan->file;
    bool ok = allow_binary(f, file);
    if (ok && realpath(file, real) != NULL)
        ok = is_script(real) ? allow_script(f, real) : allow_binary(f, real);
    return ok && allow_first_argument(f);
}

bool runner_files_allow(int set, const struct runner_plan *p, bool own_proc,
                        struct runner_report *ret_why)
{
    static const char *const own[] = {"/proc"};
    struct filling f = {set, p, ret_why};
    bool ok =
        allow_list(&f, programs, ARRAY_LEN(programs), CONFINE_RUN) &&
        allow_list(&f, system_files, ARRAY_LEN(system_files), CONFINE_READ) &&
        allow(&f, "/dev/null", CONFINE_DEVICE);
    if (ok && own_proc)
        ok = allow_list(&f, own, ARRAY_LEN(own), CONFINE_READ);
    else if (ok)
        ok = allow_list(&f, machine_files, ARRAY_LEN(machine_files),
                        CONFINE_READ);
    return ok && allow_own(&f) &&
           allow_listed(&f, p->command->read, CONFINE_READ) &&
           allow_listed(&f, p->command->write, CONFINE_WRITE) &&
           allow(&f, p->folder, CONFINE_OWN);
}
