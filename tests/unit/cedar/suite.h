/*
 * suite.h - running files of the official integration-test format.
 */
#ifndef TEST_CEDAR_SUITE_H
#define TEST_CEDAR_SUITE_H

#include "archive.h"

struct suite_figures {
    size_t files, requests, passed;
    size_t validated; /* files whose policies validate as they should */
};

/*
 * Reads policies, schema and, as it says, the entities of the test file `path`;
 * validates the policies, then checks and runs every request.  Adds to
 * `figures`, and prints each difference in the verdict, decision, reasons or
 * errors.
 */
void suite_run(const struct archive *a, const char *path,
               struct suite_figures *figures);

#endif
