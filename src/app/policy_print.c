/* policy_print.c - see policy_print.h. */
#include "app/policy_print.h"

#include "codec/json.h"
#include "domain/risk.h"

enum { LINE_MAX_BYTES = 16 * 1024 };

/* Which set is spoken of; names in it are relative to its folder. */
struct printing {
    FILE *out;
    struct buf line;
    const struct policy_load *load;
    struct str dir;
};

static void end_line(struct printing *p)
{
    cli_print_safe(p->out, buf_str(&p->line));
    (void)fputc('\n', p->out);
    buf_clear(&p->line);
}

static const char *effect_word(bool is_permit)
{
    return is_permit ? "permit" : "forbid";
}

static void print_reason(struct printing *p, const struct rules_reason *r)
{
    buf_addf(&p->line, "      %s %.*s", effect_word(r->is_permit),
             STR_FMT(r->policy));
    if (r->approval.len > 0)
        buf_addf(&p->line, ", %s by %.*s",
                 r->is_lifted ? "which was lifted" : "which can be lifted",
                 STR_FMT(r->approval));
    BUF_LIT(&p->line, "  ");
    policy_files_add_path(&p->line, p->dir, r->file);
    buf_addf(&p->line, ":%u", r->line);
    end_line(p);
}

static void print_fault(struct printing *p, const struct rules_reason *r)
{
    buf_addf(&p->line, "      %s %.*s erred%s: ", effect_word(r->is_permit),
             STR_FMT(r->policy),
             r->is_permit ? ", and does not count" : ", and so denies");
    policy_files_add_path(&p->line, p->dir, r->file);
    buf_addf(&p->line, ":%u:%u: %.*s", r->fault_line, r->fault_column,
             STR_FMT(r->fault));
    end_line(p);
}

static const char *verdict(const struct rules_why *w)
{
    return w->effect == DECISION_ALLOW   ? "permitted"
           : w->effect == DECISION_DEFER ? "permitted, once approved"
           : w->by_forbid                ? "forbidden"
                                         : "not permitted";
}

static void print_links(struct printing *p, const struct chain *chain,
                        const struct rules_why *links, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const struct link *l = &chain->links[i];
        buf_addf(&p->line, "  %u %.*s %.*s::\"%.*s\": %s", i,
                 STR_FMT(link_role_name(l->role)),
                 STR_FMT(principal_kind_entity(l->who.kind)),
                 STR_FMT(l->who.id), verdict(&links[i]));
        end_line(p);
        for (size_t k = 0; k < links[i].reason_count; k++)
            print_reason(p, &links[i].reasons[k]);
        for (size_t k = 0; k < links[i].fault_count; k++)
            print_fault(p, &links[i].faults[k]);
    }
}

/* What stands before policy, when that denied. */
static const char *barrier(const struct rules_explanation *x)
{
    return x->by_fence     ? "the fence of tenants"
           : x->by_ceiling ? "the ceiling of risk"
                           : NULL;
}

static void print_effect(struct printing *p, const char *what,
                         const struct decision *d)
{
    buf_addf(&p->line, "%s%.*s", what,
             STR_FMT(decision_effect_name(d->effect)));
    for (unsigned i = 0; i < d->approval_count; i++)
        buf_addf(&p->line, "%s%.*s (%.*s)",
                 i == 0 ? ": approval is needed by " : ", ",
                 STR_FMT(d->approvals[i].group),
                 STR_FMT(d->approvals[i].policy));
}

/* Whose registration lacks what; may be nothing to say. */
static void print_ceiling(struct buf *to, const struct chain *chain,
                          const struct rules_explanation *x)
{
    const struct principal *who = &chain->links[x->ceiling_link].who;
    if (!x->by_ceiling)
        return;
    buf_addf(to, ": %.*s::\"%.*s\" is registered without",
             STR_FMT(principal_kind_entity(who->kind)), STR_FMT(who->id));
    for (unsigned i = 0; i < RISK_WORDS; i++) {
        if ((x->ceiling_lacks >> i & 1) != 0)
            buf_addf(to, " %.*s", STR_FMT(risk_word(i)));
    }
}

void policy_print_text(FILE *out, const struct policy_load *l,
                       const struct chain *chain,
                       const struct rules_explanation *x)
{
    struct printing p = {.out = out, .load = l, .dir = l->where.dir};
    const char *by = barrier(x);
    buf_init(&p.line, LINE_MAX_BYTES);
    print_effect(&p, "", &x->answer.decision);
    if (by != NULL)
        buf_addf(&p.line, ": by %s", by);
    print_ceiling(&p.line, chain, x);
    end_line(&p);
    print_links(&p, chain, x->live, x->link_count);
    if (x->answer.shadow.present && by == NULL) {
        print_effect(&p, "shadow: ", &x->answer.shadow.decision);
        end_line(&p);
        p.dir = l->where.shadow;
        print_links(&p, chain, x->shadow, x->link_count);
    }
    buf_release(&p.line);
}

static void json_reasons(struct buf *to, struct str dir,
                         const struct rules_reason *list, size_t count)
{
    struct buf path;
    buf_init(&path, LINE_MAX_BYTES);
    buf_add_char(to, '[');
    for (size_t i = 0; i < count; i++) {
        const struct rules_reason *r = &list[i];
        buf_clear(&path);
        policy_files_add_path(&path, dir, r->file);
        buf_addf(to, "%s{\"id\":", i > 0 ? "," : "");
        json_write_str(to, r->policy);
        buf_addf(to, ",\"effect\":\"%s\",\"file\":", effect_word(r->is_permit));
        json_write_str(to, buf_str(&path));
        if (r->approval.len > 0) {
            BUF_LIT(to, ",\"approval\":");
            json_write_str(to, r->approval);
            buf_addf(to, ",\"lifted\":%s", r->is_lifted ? "true" : "false");
        }
        buf_addf(to, ",\"line\":%u",
                 r->fault.len > 0 ? r->fault_line : r->line);
        if (r->fault.len > 0) {
            buf_addf(to, ",\"column\":%u,\"error\":", r->fault_column);
            json_write_str(to, r->fault);
        }
        buf_add_char(to, '}');
    }
    buf_add_char(to, ']');
    buf_release(&path);
}

static void json_links(struct buf *to, struct str dir,
                       const struct chain *chain, const struct rules_why *links,
                       unsigned count)
{
    BUF_LIT(to, "\"links\":[");
    for (unsigned i = 0; i < count; i++) {
        const struct link *l = &chain->links[i];
        buf_addf(to, "%s{\"role\":\"%.*s\",\"kind\":\"%.*s\",\"id\":",
                 i > 0 ? "," : "", STR_FMT(link_role_name(l->role)),
                 STR_FMT(principal_kind_name(l->who.kind)));
        json_write_str(to, l->who.id);
        buf_addf(to, ",\"permitted\":%s,\"effect\":\"%.*s\",\"policies\":",
                 links[i].effect == DECISION_ALLOW ? "true" : "false",
                 STR_FMT(decision_effect_name(links[i].effect)));
        json_reasons(to, dir, links[i].reasons, links[i].reason_count);
        BUF_LIT(to, ",\"errors\":");
        json_reasons(to, dir, links[i].faults, links[i].fault_count);
        buf_add_char(to, '}');
    }
    buf_add_char(to, ']');
}

static void json_decision(struct buf *to, const struct decision *d)
{
    buf_addf(to, "{\"effect\":\"%.*s\",\"policies\":[",
             STR_FMT(decision_effect_name(d->effect)));
    for (unsigned i = 0; i < d->policy_count; i++) {
        if (i > 0)
            buf_add_char(to, ',');
        json_write_str(to, d->policies[i]);
    }
    buf_addf(to, "],\"errors\":%u", d->errors);
    for (unsigned i = 0; i < d->approval_count; i++) {
        buf_addf(to, "%s{\"policy\":", i == 0 ? ",\"approvals\":[" : ",");
        json_write_str(to, d->approvals[i].policy);
        BUF_LIT(to, ",\"group\":");
        json_write_str(to, d->approvals[i].group);
        buf_add_char(to, '}');
    }
    if (d->approval_count > 0)
        buf_add_char(to, ']');
    buf_add_char(to, '}');
}

void policy_print_json(struct buf *to, const struct policy_load *l,
                       const struct chain *chain,
                       const struct rules_explanation *x)
{
    BUF_LIT(to, "\"decision\":");
    json_decision(to, &x->answer.decision);
    buf_add_char(to, ',');
    json_links(to, l->where.dir, chain, x->live, x->link_count);
    if (!x->answer.shadow.present)
        return;
    BUF_LIT(to, ",\"shadow\":{\"decision\":");
    json_decision(to, &x->answer.shadow.decision);
    buf_add_char(to, ',');
    json_links(to, l->where.shadow, chain, x->shadow, x->link_count);
    buf_add_char(to, '}');
}

void policy_print_brief(struct buf *to, const struct rules_explanation *x)
{
    const struct decision *d = &x->answer.decision;
    const char *by = barrier(x);
    if (by != NULL) {
        buf_addf(to, "denied by %s", by);
        return;
    }
    if (d->effect == DECISION_DENY && !x->answer.by_forbid)
        BUF_LIT(to, "nothing permits it");
    else
        buf_addf(to, "%s by ",
                 d->effect == DECISION_ALLOW   ? "permitted"
                 : d->effect == DECISION_DEFER ? "deferred"
                                               : "forbidden");
    for (unsigned i = 0; i < d->policy_count; i++)
        buf_addf(to, "%s%.*s", i > 0 ? ", " : "", STR_FMT(d->policies[i]));
    if (d->effect != DECISION_ALLOW)
        buf_addf(to, " (link %d)", x->answer.denied_link);
}
