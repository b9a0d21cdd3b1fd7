/*
 * postgres_run.c - see postgres_run.h.
 *
 * The answers come in the order of what was sent: BEGIN, the time limit, the
 * statements, COMMIT, and the mark that ends the pipeline.  After an error
 * the server skips to the mark, so an error before COMMIT's answer means
 * that nothing was applied; an error instead of COMMIT's answer means so
 * only where the server says that it undid the work.
 */
#include "store/postgres_run.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { AT_BEGIN, AT_LIMIT, AT_STATEMENTS };

/* Types of PostgreSQL's catalog, which never change. */
enum {
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25
};
enum { BINARY = 1 };

static unsigned at_commit(const struct postgres_run *r)
{
    return r->rolling_back ? 0 : AT_STATEMENTS + r->call->batch->count;
}

static void put_i64(int64_t v, unsigned char to[8])
{
    for (unsigned i = 0; i < 8; i++)
        to[i] = (unsigned char)((uint64_t)v >> (56 - 8 * i));
}

static bool send_statement(struct postgres_run *r,
                           const struct store_statement *s)
{
    Oid types[STORE_PARAMS_MAX];
    const char *values[STORE_PARAMS_MAX];
    int lengths[STORE_PARAMS_MAX], formats[STORE_PARAMS_MAX];
    unsigned char numbers[STORE_PARAMS_MAX][8];
    static const Oid oids[] = {[STORE_NULL] = 0,
                               [STORE_INT] = OID_INT8,
                               [STORE_TEXT] = OID_TEXT,
                               [STORE_BLOB] = OID_BYTEA};
    for (unsigned i = 0; i < s->sql->params; i++) {
        const struct store_value *v = &s->params[i];
        types[i] = oids[v->type];
        formats[i] = BINARY;
        values[i] = v->type == STORE_NULL ? NULL : v->bytes.ptr;
        lengths[i] = (int)v->bytes.len;
        if (v->type == STORE_INT) {
            put_i64(v->number, numbers[i]);
            values[i] = (const char *)numbers[i];
            lengths[i] = 8;
        }
    }
    return r->pq->sendQueryParams(r->conn, s->sql->text, (int)s->sql->params,
                                  types, values, lengths, formats, BINARY) == 1;
}

static bool send_word(struct postgres_run *r, const char *sql)
{
    return r->pq->sendQueryParams(r->conn, sql, 0, NULL, NULL, NULL, NULL,
                                  BINARY) == 1;
}

/* The server itself gives up at the deadline, statement by statement. */
static bool send_limit(struct postgres_run *r, int64_t left_ms)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRId64, left_ms);
    static const struct store_sql sql = {
        "SELECT set_config('statement_timeout', $1, true)", 1};
    const struct store_value value = store_text(str_from(text));
    const struct store_statement s = {&sql, &value};
    return send_statement(r, &s);
}

bool postgres_run_send(struct postgres_run *r, struct store_call *c,
                       int64_t left_ms)
{
    *r = (struct postgres_run){.pq = r->pq, .conn = r->conn, .call = c};
    r->sent_before = c->sent;
    store_call_reset(c);
    c->sent = true;
    c->tries++;
    bool sent = send_word(r, "BEGIN") && send_limit(r, left_ms);
    for (unsigned i = 0; sent && i < c->batch->count; i++)
        sent = send_statement(r, &c->batch->statements[i]);
    return sent && send_word(r, "COMMIT") && r->pq->pipelineSync(r->conn) == 1;
}

static bool read_int(const char *bytes, int len, int64_t *ret)
{
    if (len != 2 && len != 4 && len != 8)
        return false;
    uint64_t v = (unsigned char)bytes[0] >= 0x80 ? UINT64_MAX : 0;
    for (int i = 0; i < len; i++)
        v = v << 8 | (unsigned char)bytes[i];
    *ret = (int64_t)v;
    return true;
}

static bool copy_column(struct postgres_run *r, const PGresult *res, int row,
                        int column, struct store_value *to)
{
    *to = (struct store_value){0};
    if (r->pq->getisnull(res, row, column))
        return true;
    const char *bytes = r->pq->getvalue(res, row, column);
    int len = r->pq->getlength(res, row, column);
    Oid type = r->pq->ftype(res, column);
    if (type == OID_INT8 || type == OID_INT4 || type == OID_INT2) {
        to->type = STORE_INT;
        return read_int(bytes, len, &to->number);
    }
    to->type = type == OID_BYTEA ? STORE_BLOB : STORE_TEXT;
    to->bytes = store_call_copy(r->call, (struct str){bytes, (size_t)len});
    return to->bytes.ptr != NULL;
}

static bool copy_rows(struct postgres_run *r, const PGresult *res)
{
    int rows = r->pq->ntuples(res), columns = r->pq->nfields(res);
    if (columns > STORE_PARAMS_MAX)
        return false;
    for (int i = 0; i < rows; i++) {
        struct store_row *row =
            store_call_row(r->call, r->at - AT_STATEMENTS, (unsigned)columns);
        if (row == NULL)
            return false;
        for (int j = 0; j < columns; j++) {
            if (!copy_column(r, res, i, j, &row->columns[j]))
                return false;
        }
    }
    return true;
}

static void note_failure(struct postgres_run *r, const PGresult *res)
{
    if (r->failed)
        return;
    const char *state = r->pq->resultErrorField(res, PG_DIAG_SQLSTATE);
    const char *text = r->pq->resultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    r->failed = true;
    r->failed_at = r->at;
    (void)snprintf(r->state, sizeof(r->state), "%s",
                   state == NULL ? "" : state);
    store_call_end(r->call, STORE_FAILED, ERR_STORE,
                   text == NULL ? "no answer that libpq understands" : text);
}

/* False: the pipeline is not where we think it is. */
static bool take_answer(struct postgres_run *r, PGresult *res,
                        ExecStatusType status)
{
    if (r->at > at_commit(r))
        return false;
    r->has_answer = true;
    if (status == PGRES_PIPELINE_ABORTED)
        return true;
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        note_failure(r, res);
        return true;
    }
    if (r->rolling_back)
        return true;
    if (r->at == at_commit(r))
        r->committed = strcmp(r->pq->cmdStatus(res), "COMMIT") == 0;
    else if (r->at >= AT_STATEMENTS && !r->too_large)
        r->too_large = !copy_rows(r, res);
    return true;
}

static bool state_is(const struct postgres_run *r, const char *prefix)
{
    return strncmp(r->state, prefix, strlen(prefix)) == 0;
}

/* What the first error means; call->why has its text. */
static enum postgres_step judge_failure(struct postgres_run *r)
{
    struct store_call *c = r->call;
    bool undone = state_is(r, "23") || state_is(r, "40");
    if (r->failed_at == at_commit(r) && !undone)
        return POSTGRES_BROKEN; /* committed or not: nobody knows */
    c->sent = r->sent_before;
    bool claim = c->batch->claims > 0 &&
                 r->failed_at == AT_STATEMENTS + STORE_CLAIM_STATEMENT;
    if (claim && state_is(r, "23502")) /* not null */
        store_call_end(c, STORE_ALREADY, ERR_OK, "");
    else if (state_is(r, "23"))
        c->outcome = STORE_CONFLICT;
    else if (state_is(r, "40001") || state_is(r, "40P01"))
        return POSTGRES_RETRY; /* lost to another transaction */
    else if (state_is(r, "08") || state_is(r, "57P") || state_is(r, "25006") ||
             state_is(r, "53300"))
        return POSTGRES_MOVE; /* going down, or no longer the primary */
    return POSTGRES_ENDED;
}

static bool roll_back(struct postgres_run *r)
{
    r->rolling_back = true;
    r->at = 0;
    r->has_answer = false;
    return send_word(r, "ROLLBACK") && r->pq->pipelineSync(r->conn) == 1 &&
           r->pq->flush(r->conn) >= 0;
}

/* The mark has come: all answers before it are there. */
static enum postgres_step finish(struct postgres_run *r)
{
    PGTransactionStatusType status = r->pq->transactionStatus(r->conn);
    if (status == PQTRANS_INERROR && !r->rolling_back)
        return roll_back(r) ? POSTGRES_MORE : POSTGRES_BROKEN;
    if (status != PQTRANS_IDLE)
        return POSTGRES_BROKEN;
    r->rolling_back = false;
    if (r->failed)
        return judge_failure(r);
    if (!r->committed)
        return POSTGRES_BROKEN;
    if (r->too_large)
        store_call_end(r->call, STORE_UNKNOWN, ERR_LIMIT, "too many rows");
    else
        store_call_end(r->call, STORE_DONE, ERR_OK, "");
    return POSTGRES_ENDED;
}

/* The server itself said that it failed before it had come to COMMIT. */
static bool surely_undone(const struct postgres_run *r)
{
    return r->failed && r->state[0] != '\0' && r->failed_at < at_commit(r);
}

/* The connection is gone, perhaps with a reason. */
static enum postgres_step last_words(struct postgres_run *r, PGresult *res)
{
    if (res != NULL && r->at < at_commit(r))
        note_failure(r, res);
    r->pq->clear(res);
    return POSTGRES_BROKEN;
}

enum postgres_step postgres_run_read(struct postgres_run *r)
{
    for (;;) {
        if (r->pq->isBusy(r->conn))
            return POSTGRES_MORE;
        PGresult *res = r->pq->getResult(r->conn);
        if (r->pq->status(r->conn) == CONNECTION_BAD)
            return last_words(r, res);
        if (res == NULL) { /* the end of one answer */
            if (!r->has_answer)
                return POSTGRES_BROKEN;
            r->has_answer = false;
            r->at++;
            continue;
        }
        ExecStatusType status = r->pq->resultStatus(res);
        bool in_step = status == PGRES_PIPELINE_SYNC
                           ? r->at == at_commit(r) + 1
                           : take_answer(r, res, status);
        r->pq->clear(res);
        if (!in_step)
            return POSTGRES_BROKEN;
        if (status == PGRES_PIPELINE_SYNC)
            return finish(r);
    }
}

bool postgres_run_break(struct postgres_run *r, struct store_call **ret)
{
    struct store_call *c = r->call;
    assert(c != NULL);
    r->rolling_back = false;
    bool undone = surely_undone(r);
    r->call = NULL;
    *ret = c;
    if (undone)
        c->sent = r->sent_before;
    if (undone || c->batch->claims > 0)
        return true; /* applied at most once, however often it is tried */
    store_call_end(c, STORE_UNKNOWN, ERR_STORE,
                   "the connection broke before the answer came");
    return false;
}
