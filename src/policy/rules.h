/*
 * rules.h - policy as code: Cedar policies, and the answer to "may every link
 * of this chain do this, there, now?"
 *
 * Loaded once, immutable, counted, shared by threads.  One Cedar request per
 * link (rule "Every link decides"): principal is the link, and context.link
 * says which one; all must permit.  Default deny; a forbid wins; a forbid
 * that errs denies.  Before all policy stands the fence of tenants, which no
 * policy opens.
 *
 * Vocabulary (namespace `Writ`, docs/policy.md):
 *     principal  Writ::User, ::Application, ::Workload, ::Agent
 *                attributes: tenant, issuer, kind, name, owner, purposes,
 *                mode, risk, state; members of Writ::Group::"<issuer>|<name>"
 *                and Writ::Tenant::"<tenant>"
 *     action     Writ::Action::"model:invoke", ...
 *     resource   Writ::Model::"<alias>" in Writ::ModelGroup (from entities),
 *                ...; attributes: name, tenant-independent facts
 *     context    action's common part: destination {provider, host, region},
 *                tenant, purpose?, task?, labels, session {...},
 *                chain {depth, members, history, root, supervised},
 *                link {role, index}, auth {method, acr?, age?, bound},
 *                estimate {tokens}, time, ip?; of tools: input?,
 *                input_opaque?, element?
 *
 * Policies name themselves by @id("..."); others are "<file>#<n>", from 1.
 * On a forbid @approval("group") names a group of approvals.groups.  An
 * annotation other than id, owner, approval and x_... is refused, and so is a
 * template (no links can be given yet), a second policy of the same id, a
 * comparison of an action with the group "tool:call", which is none's, and
 * entities of a type that registry or tokens own (User, Application,
 * Workload, Agent, Tenant, Group as an entity of an issuer).
 */
#ifndef POLICY_RULES_H
#define POLICY_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "crypto/hash.h"
#include "domain/decision.h"
#include "domain/settings.h"
#include "policy/rules_request.h"

struct rules;
struct rules_evaluator; /* the memory that decisions need; one per thread */

/* A file that was read; names are for messages and policy ids. */
struct rules_file {
    struct str name; /* "models.cedar": its path below the folder */
    struct str text;
};
struct rules_sources {
    const struct rules_file *policies; /* in the order of their names */
    size_t policy_count;
    const struct rules_file *shadow;
    size_t shadow_count;
    bool has_shadow; /* a folder is configured, also when it is empty */
    const struct rules_file *entities; /* Cedar entities JSON */
    size_t entity_count;
};

/* What is wrong, each with its place. */
enum { RULES_ERRORS_MAX = 20, RULES_TEXT_MAX = 256 };
struct rules_error {
    struct str file;       /* borrowed from the sources */
    unsigned line, column; /* from 1; 0: the file as a whole */
    char text[RULES_TEXT_MAX];
};
struct rules_errors {
    struct rules_error at[RULES_ERRORS_MAX];
    size_t count;
    size_t more;
};

/*
 * Copies what it needs of both; *ret holds one reference.  ERR_CONFIG:
 * *errors says why.  ERR_NO_MEMORY.
 *
 * `s` is NULL where policies are tried out without a configuration: there are
 * no models then but those of the entities, and the fence lets all of one
 * tenant through, wherever it goes.
 */
MUST_CHECK enum err rules_new(const struct settings *s,
                              const struct rules_sources *from,
                              struct rules_errors *errors, struct rules **ret);
struct rules *rules_ref(struct rules *r);
void rules_unref(struct rules *r); /* NULL is allowed */

/*
 * What is right and is likely not meant: policies about models, groups of
 * models or tools, tenants or servers of tools that neither the configuration
 * nor the entities know; ids of tools that no tool can have; forbids that
 * people can lift without a name that lasts.  `from` is what `r` was made of.
 */
void rules_warnings(const struct rules *r, const struct rules_sources *from,
                    struct rules_errors *ret);

/* SHA-256 over everything that was loaded; evidence names it. */
struct hash rules_digest(const struct rules *r);
/* How many policies there are, without the shadow's; for status. */
size_t rules_count(const struct rules *r);
/* Those of the shadow. */
size_t rules_shadow_count(const struct rules *r);

MUST_CHECK enum err rules_evaluator_new(struct rules_evaluator **ret);
void rules_evaluator_free(struct rules_evaluator *v); /* NULL is allowed */

enum { RULES_DENIED_BY_FENCE = -1, RULES_DENIED_BY_CEILING = -2 };

struct rules_answer {
    struct decision decision;
    struct shadow_decision shadow;
    /* Why, when denied or deferred: the index of the link that was not
     * permitted; -1: the fence of tenants; -2: the ceiling of risk. */
    int denied_link;
    bool by_forbid;
};

/*
 * The algebra of the answers (rule 10), over all links: a missing permit, or a
 * determining forbid without annotation, or a forbid that errs, denies.  Else
 * every group of a determining @approval("group") forbid is needed:
 * DECISION_DEFER, with `approvals`; more than fit deny.  Forbids in `lifted`
 * are passed over if they carry @approval and do not err; a new one defers
 * anew.  The shadow is asked with the same `lifted`.
 *
 * After the fence of tenants stands the ceiling of risk: an action whose
 * risk is not within that of every link that is no person is denied; its name
 * among the policies is "risk".  A call of a tool with risk 0, which is not
 * known, has every risk.
 *
 * Of a tool, the fence asks its server: known, and for this tenant.  The
 * destination's provider is then the server's name, or empty.
 *
 * Pure: no clock, no I/O; the same request gives the same answer.  Policies
 * are named in the answer: for a denial or a deferral by forbid those forbids,
 * else the permits, over all links, without doubles.  The fence's name is
 * "tenants".  Texts are borrowed from `r`.  Memory that runs out denies.
 */
void rules_decide(const struct rules *r, struct rules_evaluator *v,
                  const struct rules_request *q, struct rules_answer *ret);

/*
 * The same for many tools of one server whose arguments are not known
 * (any_arguments), as lists ask: what the questions share is made once.  From
 * begin to end `r` and what `q` points to, but for the tool, stay as they are,
 * and the evaluator decides nothing else.  Questions differ from `q` in
 * resource, risk and tool alone; any other is denied, or answered as if it did.
 * Without memory all are denied.
 */
void rules_decide_begin(const struct rules *r, struct rules_evaluator *v,
                        const struct rules_request *q);
void rules_decide_next(struct rules_evaluator *v, const struct rules_request *q,
                       struct rules_answer *ret);
void rules_decide_end(struct rules_evaluator *v);

#endif
