/* pq.c - see pq.h. */
#include "store/pq.h"

#include <assert.h>
#include <dlfcn.h>

/* The name of the interface since PostgreSQL 8. */
#define LIBRARY "libpq.so.5"

enum err pq_load(struct pq *ret, const char **ret_why)
{
    static const char *const names[] = {
#define X(name) "PQ" #name,
        PQ_FUNCTIONS(X)
#undef X
    };
    static_assert(sizeof(*ret) == ARRAY_LEN(names) * sizeof(void *),
                  "a pointer for each name");

    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        *ret_why = "the store is PostgreSQL, and " LIBRARY
                   " (package libpq5) cannot be loaded";
        return ERR_CONFIG;
    }
    /* POSIX lets a function's address travel in a void pointer. */
    union {
        struct pq pq;
        void *at[ARRAY_LEN(names)];
    } loaded = {0};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        loaded.at[i] = dlsym(library, names[i]);
        if (loaded.at[i] == NULL) {
            *ret_why = LIBRARY " is older than version 14";
            return ERR_CONFIG;
        }
    }
    *ret = loaded.pq;
    return ERR_OK;
}
