/* entry.c - the members of each kind of entry, in ascending order. */
#include "evidence/entry.h"

#include <assert.h>

#include "base/attr.h"
#include "base/text.h"
#include "evidence/entry_approval.h"
#include "evidence/entry_parts.h"

static_assert(ENTRY_TEXT_MAX >= 2 * NAME_MAX_LEN + 64,
              "an entity id and a route fit one text");

static void destination(struct jcs *w, const struct evidence_destination *d)
{
    if (d->provider.len == 0 && d->host.len == 0)
        return;
    jcs_name(w, STR("destination"));
    jcs_object(w);
    entry_parts_text(w, STR("host"), d->host);
    entry_parts_text(w, STR("provider"), d->provider);
    jcs_end(w);
}

/* A destination as one object, {model, provider}. */
static void candidate(struct jcs *w, const struct evidence_candidate *c)
{
    jcs_object(w);
    entry_parts_text(w, STR("model"), c->model);
    entry_parts_text(w, STR("provider"), c->provider);
    jcs_end(w);
}

static void route(struct jcs *w, const struct evidence_route *r)
{
    if (r == NULL)
        return;
    assert(r->candidate_count <= ENTRY_CANDIDATES_MAX);
    assert(r->candidate_count == 0 || r->chosen < r->candidate_count);
    jcs_name(w, STR("route"));
    jcs_object(w);
    entry_parts_text(w, STR("alias"), r->alias);
    jcs_pair_i64(w, STR("attempt"), (int64_t)r->attempt);
    jcs_name(w, STR("candidates"));
    jcs_array(w);
    for (unsigned i = 0; i < r->candidate_count; i++)
        candidate(w, &r->candidates[i]);
    jcs_end(w);
    jcs_pair_i64(w, STR("chosen"), (int64_t)r->chosen);
    entry_parts_text(w, STR("why"), r->why);
    jcs_end(w);
}

static void credential(struct jcs *w, struct str id)
{
    if (id.len == 0)
        return;
    jcs_name(w, STR("credential"));
    jcs_object(w);
    jcs_pair_word(w, STR("broker"), STR("config"));
    entry_parts_text(w, STR("id"), id);
    jcs_end(w);
}

/* Amounts are below 2^53, see limit/limit.h: they stay numbers. */
static void limits(struct jcs *w, const struct evidence_limit *l, size_t n)
{
    if (n == 0)
        return;
    jcs_name(w, STR("limits"));
    jcs_array(w);
    for (size_t i = 0; i < n; i++) {
        jcs_object(w);
        jcs_pair_i64(w, STR("generation"), (int64_t)l[i].generation);
        jcs_pair_str(w, STR("limit"), l[i].limit);
        jcs_pair_i64(w, STR("requests"), (int64_t)l[i].requests);
        jcs_pair_i64(w, STR("tokens"), (int64_t)l[i].tokens);
        jcs_pair_str(w, STR("whom"), l[i].whom);
        jcs_pair_i64(w, STR("window_start_us"), l[i].window_start_us);
        jcs_pair_i64(w, STR("window_us"), l[i].window_us);
        jcs_end(w);
    }
    jcs_end(w);
}

/* Which definition of a tool it is about. */
static void tool(struct jcs *w, const struct hash *digest)
{
    if (digest == NULL)
        return;
    jcs_name(w, STR("tool"));
    jcs_object(w);
    entry_parts_id(w, STR("digest"), digest->bytes, HASH_LEN);
    jcs_end(w);
}

enum { STATE_SHORT = 8 }; /* bytes of a digest in what is written often */

enum err entry_intent(struct buf *to, const struct evidence_head *h,
                      const struct evidence_intent *f)
{
    struct entry_writer entry UNINITIALIZED;
    struct jcs *w = &entry.jcs;
    entry_parts_begin(&entry, to);
    entry_parts_action(w, f->action);
    entry_approval_used(w, f->approval);
    entry_parts_chain(w, f->chain);
    credential(w, f->credential);
    entry_parts_decision(w, f->decision, f->shadow);
    destination(w, &f->destination);
    entry_parts_id(w, STR("id"), f->id, sizeof(f->id));
    if (f->has_input_hmac) {
        jcs_name(w, STR("input_hmac"));
        jcs_hex(w, f->input_hmac, sizeof(f->input_hmac));
    }
    entry_parts_kind(w, STR("intent"));
    entry_parts_labels(w, f->labels);
    limits(w, f->limits, f->limit_count);
    entry_parts_node(w, h);
    entry_parts_id(w, STR("parent"), f->parent, sizeof(f->parent));
    entry_parts_text(w, STR("purpose"), f->purpose);
    entry_parts_text(w, STR("region"), f->destination.region);
    entry_parts_request(w, &f->request, f->dialect);
    entry_parts_resource(w, f->resource_type, f->resource);
    route(w, f->route);
    entry_parts_salt(w, h);
    entry_parts_id(w, STR("session"), f->session, sizeof(f->session));
    entry_parts_state(w, f->state, STATE_SHORT);
    entry_parts_text(w, STR("task"), f->task);
    entry_parts_text(w, STR("tenant"), f->tenant);
    entry_parts_time(w, h);
    tool(w, f->tool);
    entry_parts_id(w, STR("trace"), f->trace, sizeof(f->trace));
    entry_parts_v(w);
    return entry_parts_end(&entry);
}

static void count(struct jcs *w, struct str name, int64_t n)
{
    if (n >= 0)
        jcs_pair_i64(w, name, n);
}

static void usage(struct jcs *w, const struct usage *u)
{
    if (u == NULL || (u->input_tokens < 0 && u->output_tokens < 0))
        return;
    jcs_name(w, STR("usage"));
    jcs_object(w);
    count(w, STR("cached_tokens"), u->cached_tokens);
    if (u->estimated) {
        jcs_name(w, STR("estimated"));
        jcs_bool(w, true);
    }
    count(w, STR("input_tokens"), u->input_tokens);
    count(w, STR("output_tokens"), u->output_tokens);
    count(w, STR("reasoning_tokens"), u->reasoning_tokens);
    jcs_end(w);
}

static void response(struct jcs *w, const struct evidence_outcome *f)
{
    if (f->http_status == 0)
        return;
    jcs_name(w, STR("response"));
    jcs_object(w);
    jcs_pair_i64(w, STR("bytes"), (int64_t)f->response.bytes);
    entry_parts_text(w, STR("finish"), f->finish);
    if (f->response.has_hmac) {
        jcs_name(w, STR("hmac"));
        jcs_hex(w, f->response.hmac, sizeof(f->response.hmac));
    }
    entry_parts_text(w, STR("model"), f->model);
    jcs_pair_i64(w, STR("status"), f->http_status);
    usage(w, f->usage);
    jcs_end(w);
}

enum err entry_outcome(struct buf *to, const struct evidence_head *h,
                       const struct evidence_outcome *f)
{
    struct entry_writer entry UNINITIALIZED;
    struct jcs *w = &entry.jcs;
    entry_parts_begin(&entry, to);
    count(w, STR("duration_ms"), f->duration_ms);
    entry_parts_error(w, f->error, (struct str){NULL, 0});
    entry_parts_id(w, STR("id"), f->id, sizeof(f->id));
    jcs_pair_i64(w, STR("intent"), (int64_t)f->intent);
    entry_parts_kind(w, STR("outcome"));
    entry_parts_node(w, h);
    response(w, f);
    entry_parts_salt(w, h);
    entry_parts_id(w, STR("session"), f->session, sizeof(f->session));
    jcs_pair_word(w, STR("status"), outcome_status_name(f->status));
    entry_parts_text(w, STR("tenant"), f->tenant);
    entry_parts_time(w, h);
    entry_parts_v(w);
    return entry_parts_end(&entry);
}

enum err entry_refusal(struct buf *to, const struct evidence_head *h,
                       const struct evidence_refusal *f)
{
    struct entry_writer entry UNINITIALIZED;
    struct jcs *w = &entry.jcs;
    entry_parts_begin(&entry, to);
    entry_parts_action(w, f->action);
    entry_parts_chain(w, f->chain);
    entry_parts_decision(w, f->decision, f->shadow);
    entry_parts_error(w, f->error, f->param);
    entry_parts_id(w, STR("id"), f->id, sizeof(f->id));
    entry_parts_kind(w, STR("refusal"));
    entry_parts_node(w, h);
    entry_parts_id(w, STR("parent"), f->parent, sizeof(f->parent));
    entry_parts_request(w, &f->request, (struct str){NULL, 0});
    entry_parts_resource(w, f->resource_type, f->resource);
    entry_parts_salt(w, h);
    entry_parts_id(w, STR("session"), f->session, sizeof(f->session));
    entry_parts_state(w, f->state, STATE_SHORT);
    entry_parts_text(w, STR("tenant"), f->tenant);
    entry_parts_time(w, h);
    entry_parts_v(w);
    return entry_parts_end(&entry);
}

enum err entry_unknown(struct buf *to, const struct evidence_head *h,
                       const struct evidence_unknown *f)
{
    char first[TEXT_TIME_LEN];
    struct entry_writer entry UNINITIALIZED;
    struct jcs *w = &entry.jcs;
    entry_parts_begin(&entry, to);
    jcs_pair_i64(w, STR("count"), (int64_t)f->count);
    entry_parts_error(w, f->error, (struct str){NULL, 0});
    text_time(f->first_us, first);
    jcs_pair_word(w, STR("first"), (struct str){first, sizeof(first)});
    entry_parts_kind(w, STR("refusal"));
    entry_parts_node(w, h);
    entry_parts_salt(w, h);
    entry_parts_text(w, STR("source"), f->source);
    entry_parts_time(w, h);
    entry_parts_v(w);
    return entry_parts_end(&entry);
}

enum err entry_session(struct buf *to, const struct evidence_head *h,
                       const struct evidence_session *f)
{
    struct entry_writer entry UNINITIALIZED;
    struct jcs *w = &entry.jcs;
    entry_parts_begin(&entry, to);
    entry_parts_chain(w, f->chain);
    entry_parts_kind(w, STR("session"));
    entry_parts_node(w, h);
    entry_parts_id(w, STR("parent"), f->parent, sizeof(f->parent));
    entry_parts_id(w, STR("root"), f->root, sizeof(f->root));
    entry_parts_salt(w, h);
    entry_parts_id(w, STR("session"), f->id, sizeof(f->id));
    entry_parts_text(w, STR("tenant"), f->tenant);
    entry_parts_time(w, h);
    entry_parts_v(w);
    return entry_parts_end(&entry);
}

enum err entry_lifecycle(struct buf *to, const struct evidence_head *h,
                         const struct evidence_lifecycle *f)
{
    struct entry_writer entry UNINITIALIZED;
    struct jcs *w = &entry.jcs;
    entry_parts_begin(&entry, to);
    entry_parts_text(w, STR("detail"), f->detail);
    entry_parts_text(w, STR("event"), f->event);
    entry_parts_kind(w, STR("lifecycle"));
    entry_parts_node(w, h);
    entry_parts_salt(w, h);
    entry_parts_state(w, f->state, HASH_LEN);
    entry_parts_time(w, h);
    entry_parts_v(w);
    return entry_parts_end(&entry);
}

static void subject(struct jcs *w, const struct evidence_admin *f)
{
    if (f->subject.len == 0)
        return;
    jcs_name(w, STR("subject"));
    jcs_object(w);
    entry_parts_text(w, STR("id"), f->subject);
    entry_parts_text(w, STR("type"), f->subject_type);
    jcs_end(w);
}

enum err entry_admin(struct buf *to, const struct evidence_head *h,
                     const struct evidence_admin *f)
{
    struct entry_writer entry UNINITIALIZED;
    struct jcs *w = &entry.jcs;
    entry_parts_begin(&entry, to);
    entry_parts_action(w, f->action);
    entry_parts_author(w, f->author, f->author_method);
    entry_parts_text(w, STR("detail"), f->detail);
    entry_parts_text(w, STR("event"), f->event);
    entry_parts_kind(w, f->revokes ? STR("revocation") : STR("admin"));
    entry_parts_node(w, h);
    if (f->registry.len > 0) {
        jcs_name(w, STR("registry"));
        jcs_raw(w, f->registry);
    }
    entry_parts_salt(w, h);
    subject(w, f);
    entry_parts_text(w, STR("tenant"), f->tenant);
    entry_parts_time(w, h);
    tool(w, f->tool);
    entry_parts_v(w);
    return entry_parts_end(&entry);
}
