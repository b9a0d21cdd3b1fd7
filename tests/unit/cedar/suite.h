/*
 * suite.h - running files of the official integration-test format.
 */
#ifndef TEST_CEDAR_SUITE_H
#define TEST_CEDAR_SUITE_H

#include "archive.h"

struct suite_figures {
    size_t files, requests, passed;
};

/*
 * Runs every request of the test file `path` and adds to `figures`; prints
 * each difference in decision, reasons or errors.
 */
void suite_run(const struct archive *a, const char *path,
               struct suite_figures *figures);

#endif
