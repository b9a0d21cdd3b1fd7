/*
 * pq.h - libpq, opened at run time: a node that uses SQLite needs none of it.
 *
 * The types are libpq's own; the functions are the ones listed, by their
 * names without "PQ".  Opened once and never closed, since it brings a TLS
 * library along that does not like to leave.
 */
#ifndef STORE_PQ_H
#define STORE_PQ_H

#include <libpq-fe.h>

#include "base/attr.h"
#include "base/err.h"

/* clang-format off */
#define PQ_FUNCTIONS(X)                                                        \
    X(conninfoParse) X(conninfoFree) X(connectStartParams) X(connectPoll)      \
    X(status) X(transactionStatus) X(errorMessage) X(socket) X(finish)         \
    X(setnonblocking) X(setNoticeProcessor) X(flush) X(consumeInput)           \
    X(isBusy) X(getResult) X(clear) X(enterPipelineMode) X(pipelineSync)       \
    X(sendQuery) X(sendQueryParams)                                            \
    X(resultStatus) X(resultErrorField) X(cmdStatus) X(ntuples) X(nfields)     \
    X(ftype) X(fformat) X(getisnull) X(getvalue) X(getlength) X(freemem)
/* clang-format on */

struct pq {
#define X(name) __typeof__ (&PQ##name)(name);
    PQ_FUNCTIONS(X)
#undef X
};

/* ERR_CONFIG: libpq is not there, or older than 14; *ret_why says so. */
MUST_CHECK enum err pq_load(struct pq *ret, const char **ret_why);

#endif
