/* answer.c - see answer.h. */
#include "admin/answer.h"

#include "base/limits.h"
#include "codec/problem.h"
#include "evidence/evidence.h"

enum { PROBLEM_MAX = 4096 };

static void reply(struct admin_call *c, int status, struct str type,
                  struct str body)
{
    if (c->pending != NULL)
        c->pending->call = NULL;
    c->pending = NULL;
    c->reply(c, status, type, body);
}

void answer_json(struct admin_call *c, int status, const struct buf *body)
{
    if (buf_ok(body))
        reply(c, status, STR("application/json"), buf_str(body));
    else
        answer_problem(c, ERR_INTERNAL, STR("the answer is too long"),
                       (struct str){0});
}

/* What cannot be recorded (no memory, no evidence) is no refusal. */
static void record(struct admin_call *c, enum err e, struct str param)
{
    if (c->author.id.len == 0 || err_http_status(e) >= 500)
        return;
    struct chain chain = {.count = 1};
    chain.links[0] = (struct link){
        .role = LINK_SUBJECT,
        .who = {.kind = PRINCIPAL_USER,
                .issuer = str_first(c->author.id, str_find(c->author.id, '|')),
                .id = c->author.id},
        .method = c->author.method,
    };
    struct evidence_refusal f = {
        .chain = &chain,
        .action = (enum action_kind)c->action,
        .resource_type = STR("Endpoint"),
        .resource = c->path,
        .error = e,
        .param = param,
    };
    evidence_random(c->host->evidence, f.id, sizeof(f.id));
    evidence_refusal(c->host->evidence, &f);
}

void answer_problem(struct admin_call *c, enum err e, struct str detail,
                    struct str param)
{
    struct buf body;

    record(c, e, param);
    buf_init(&body, PROBLEM_MAX);
    problem_write(&body, e, detail, param);
    if (!buf_ok(&body)) {
        buf_clear(&body);
        problem_write(&body, e, (struct str){0}, (struct str){0});
    }
    reply(c, err_http_status(e), PROBLEM_MEDIA_TYPE, buf_str(&body));
    buf_release(&body);
}

void answer_refuse(struct admin_call *c, enum err e, const char *detail)
{
    answer_problem(c, e, str_from(detail), (struct str){0});
}

void answer_later(struct admin_call *c, struct admin_pending *p)
{
    p->call = c;
    c->pending = p;
}
