/*
 * rules_report.h - collecting what is wrong with policies and entities.
 */
#ifndef POLICY_RULES_REPORT_H
#define POLICY_RULES_REPORT_H

#include "policy/rules.h"

/* Adds one, or counts it when there are too many. */
void rules_report(struct rules_errors *to, struct str file, unsigned line,
                  unsigned column, const char *format, ...) PRINTF_LIKE(5, 6);

/* The same, at an offset in the file's text. */
void rules_report_at(struct rules_errors *to, const struct rules_file *file,
                     size_t offset, const char *format, ...) PRINTF_LIKE(4, 5);

/* All that Cedar found in the file. */
struct cedar_errors;
void rules_report_cedar(struct rules_errors *to, struct str file,
                        const struct cedar_errors *from);

#endif
