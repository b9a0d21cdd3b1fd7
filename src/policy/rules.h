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
 *                estimate {tokens}, time, ip?, input? (tools)
 *
 * Policies name themselves by @id("..."); others are "<file>#<n>", from 1.
 * On a forbid @approval("group") names a group of approvals.groups.  An
 * annotation other than id, owner, approval and x_... is refused, and so is a
 * template (no links can be given yet), a second policy of the same id, and
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
#include "domain/action.h"
#include "domain/decision.h"
#include "domain/label.h"
#include "domain/principal.h"
#include "domain/settings.h"

struct json;
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
 * models or tenants that neither the configuration nor the entities know.
 * `from` is what `r` was made of.
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

/* What the registry says about a link; texts borrowed for the call. */
struct rules_link {
    struct str name;
    struct str owner; /* entity id; empty: none */
    const struct str *purposes;
    size_t purpose_count;
    struct str mode; /* "delegated", ... */
    uint32_t risk;   /* ceiling */
};

/* Where it would go.  No provider: nothing leaves (a list of models). */
struct rules_destination {
    struct str provider, host, region;
};

struct rules_session {
    uint64_t calls, tokens;
    int64_t age_ms;
    const struct labels *labels; /* NULL: not known, as every one */
};

/*
 * A tool, where the resource is one: Writ::Tool::"<server>/<tool>" in
 * Writ::ToolServer::"<server>", with the attributes server, name, risk,
 * labels (what it yields), clearance, pinned.  A call of it is
 * Writ::Action::"tool:call/<server>/<tool>" in Writ::Action::"tool:call", with
 * `arguments` as context.input (rule "Typed arguments"): a JSON object becomes
 * a record, an array a set, an integer a Long, `number` of the schema a
 * decimal; what has no Cedar type (null, a number out of range) is left out,
 * and context.input_opaque is true then.  Where the call is decided for one
 * element of an array, that is context.element.
 */
struct rules_tool {
    struct str server, name; /* name empty: the server itself */
    uint32_t risk;           /* enum risk, or-ed */
    const struct names *yields, *clearance;
    bool pinned;                  /* as it was approved */
    const struct json *schema;    /* of the arguments; NULL: not known */
    const struct json *arguments; /* an object; NULL: none */
    const struct json *element;   /* NULL: not one of several */
};

/* A forbid that people have lifted for this action, by the policy's id. */
struct rules_lifted {
    const struct str *policies;
    size_t count;
};

struct rules_request {
    const struct chain *chain;
    const struct rules_link *links; /* as many as the chain has */
    enum action_kind action;
    struct str resource_type; /* "Model" */
    struct str resource;      /* alias */
    struct str tenant;        /* that all links must be of */
    struct rules_destination destination;
    struct str purpose, task;            /* or empty */
    const struct labels *labels;         /* of the request; NULL: not known */
    const struct rules_session *session; /* NULL: none */
    bool supervised;               /* the root is a person who is present */
    uint64_t tokens;               /* estimate */
    int64_t now_us;                /* Unix time */
    struct str ip;                 /* of the caller, without a port; or empty */
    const struct rules_tool *tool; /* NULL: it is no tool or server of tools */
    uint32_t risk;                 /* of the action, enum risk or-ed */
    const struct rules_lifted *lifted; /* NULL: none; rule "Algebra", pass 2 */
};

struct rules_answer {
    struct decision decision;
    struct shadow_decision shadow;
    /* Why, when denied: the index of the link that was not permitted; -1:
     * the fence of tenants; -2: the ceiling of risk. */
    int denied_link;
    bool by_forbid;
};

/*
 * The algebra of the answers (rule 10), over all links: a missing permit, or a
 * determining forbid without annotation, denies.  Else every group of a
 * determining @approval("group") forbid is needed: DECISION_DEFER, with
 * `approvals`.  Forbids in `lifted` are passed over if they carry
 * @approval; a new one defers anew.
 *
 * After the fence of tenants stands the ceiling of risk: an action whose
 * risk is not within that of every link that is no person is denied; its name
 * among the policies is "risk".
 *
 * Pure: no clock, no I/O; the same request gives the same answer.  Policies
 * are named in the answer: for a denial by forbid those forbids, else the
 * permits, over all links, without doubles.  The fence's name is "tenants".
 * Texts are borrowed from `r`.  Memory that runs out denies.
 */
void rules_decide(const struct rules *r, struct rules_evaluator *v,
                  const struct rules_request *q, struct rules_answer *ret);

#endif
