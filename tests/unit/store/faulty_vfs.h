/*
 * faulty_vfs.h - SQLite's file system with a fault in it: the n-th write,
 * sync or truncation fails, and with it all that follow or only that one.
 */
#ifndef TESTS_STORE_FAULTY_VFS_H
#define TESTS_STORE_FAULTY_VFS_H

#include <stdbool.h>

enum faulty_vfs_ops { FAULTY_WRITES = 1, FAULTY_SYNCS = 2, FAULTY_ALL = 3 };

/* Makes it SQLite's default, once per program. */
void faulty_vfs_install(void);

/* From now on, operation `n` (from 1) of these fails with SQLite's `code`;
 * `forever`: and each one after it.  n = 0: none does. */
void faulty_vfs_plan(enum faulty_vfs_ops ops, int n, int code, bool forever);

/* How many operations failed since then. */
int faulty_vfs_failed(void);

#endif
