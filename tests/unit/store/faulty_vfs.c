/* faulty_vfs.c - wraps each file of the system's own VFS. */
#include "faulty_vfs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>

static atomic_int plan_ops, left, plan_code, failed;
static atomic_bool plan_forever;

struct file {
    sqlite3_file base;
    sqlite3_file *real; /* follows in the same memory */
};

static sqlite3_file *real_of(sqlite3_file *f)
{
    return ((struct file *)(void *)f)->real;
}

/* SQLITE_OK, or the failure that is due. */
static int due(enum faulty_vfs_ops op)
{
    if ((atomic_load(&plan_ops) & (int)op) == 0)
        return SQLITE_OK;
    int n = atomic_fetch_sub(&left, 1);
    if (n > 1 || (n < 1 && !atomic_load(&plan_forever)))
        return SQLITE_OK;
    atomic_fetch_add(&failed, 1);
    return atomic_load(&plan_code);
}

static int on_close(sqlite3_file *f)
{
    return real_of(f)->pMethods->xClose(real_of(f));
}
static int on_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
    return real_of(f)->pMethods->xRead(real_of(f), to, n, at);
}
static int on_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
    int rc = due(FAULTY_WRITES);
    if (rc == SQLITE_OK)
        return real_of(f)->pMethods->xWrite(real_of(f), from, n, at);
    /* As a disk does: a part of it may have got there. */
    if (n > 1)
        (void)real_of(f)->pMethods->xWrite(real_of(f), from, n / 2, at);
    return rc;
}
static int on_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    int rc = due(FAULTY_WRITES);
    return rc != SQLITE_OK ? rc
                           : real_of(f)->pMethods->xTruncate(real_of(f), size);
}
static int on_sync(sqlite3_file *f, int flags)
{
    int rc = due(FAULTY_SYNCS);
    if (rc == SQLITE_FULL)
        rc = SQLITE_IOERR_FSYNC; /* a sync knows no such failure */
    return rc != SQLITE_OK ? rc
                           : real_of(f)->pMethods->xSync(real_of(f), flags);
}
static int on_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return real_of(f)->pMethods->xFileSize(real_of(f), size);
}
static int on_lock(sqlite3_file *f, int lock)
{
    return real_of(f)->pMethods->xLock(real_of(f), lock);
}
static int on_unlock(sqlite3_file *f, int lock)
{
    return real_of(f)->pMethods->xUnlock(real_of(f), lock);
}
static int on_check_lock(sqlite3_file *f, int *ret)
{
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), ret);
}
static int on_control(sqlite3_file *f, int op, void *arg)
{
    return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}
static int on_sector_size(sqlite3_file *f)
{
    return real_of(f)->pMethods->xSectorSize(real_of(f));
}
static int on_traits(sqlite3_file *f)
{
    return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}
static int on_shm_map(sqlite3_file *f, int page, int size, int extend,
                      void volatile **ret)
{
    return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, ret);
}
static int on_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return real_of(f)->pMethods->xShmLock(real_of(f), offset, n, flags);
}
static void on_shm_barrier(sqlite3_file *f)
{
    real_of(f)->pMethods->xShmBarrier(real_of(f));
}
static int on_shm_unmap(sqlite3_file *f, int delete_it)
{
    return real_of(f)->pMethods->xShmUnmap(real_of(f), delete_it);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_size,
    .xLock = on_lock,
    .xUnlock = on_unlock,
    .xCheckReservedLock = on_check_lock,
    .xFileControl = on_control,
    .xSectorSize = on_sector_size,
    .xDeviceCharacteristics = on_traits,
    .xShmMap = on_shm_map,
    .xShmLock = on_shm_lock,
    .xShmBarrier = on_shm_barrier,
    .xShmUnmap = on_shm_unmap,
};

static sqlite3_vfs *system_vfs(sqlite3_vfs *v)
{
    return v->pAppData;
}

static int on_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags,
                   int *ret_flags)
{
    struct file *file = (struct file *)(void *)f;
    *file = (struct file){.real = (sqlite3_file *)(void *)(file + 1)};
    int rc =
        system_vfs(v)->xOpen(system_vfs(v), name, file->real, flags, ret_flags);
    if (rc == SQLITE_OK)
        file->base.pMethods = &methods;
    return rc;
}

void faulty_vfs_install(void)
{
    static sqlite3_vfs faulty;
    sqlite3_vfs *ours = sqlite3_vfs_find(NULL);
    assert_non_null(ours);
    faulty = *ours; /* its other functions ignore whose VFS they get */
    faulty.zName = "faulty";
    faulty.pAppData = ours;
    faulty.xOpen = on_open;
    faulty.szOsFile = (int)sizeof(struct file) + ours->szOsFile;
    assert_int_equal(sqlite3_vfs_register(&faulty, 1), SQLITE_OK);
}

void faulty_vfs_plan(enum faulty_vfs_ops ops, int n, int code, bool forever)
{
    atomic_store(&failed, 0);
    atomic_store(&plan_code, code);
    atomic_store(&plan_forever, forever);
    atomic_store(&left, n);
    atomic_store(&plan_ops, n == 0 ? 0 : (int)ops);
}

int faulty_vfs_failed(void)
{
    return atomic_load(&failed);
}
