/*
 * catalog_writer.h - who changes the catalog: the control thread alone.
 *
 * Pure but for memory: it makes the next catalog and says what has changed;
 * evidence and store are the caller's, and the evidence is written first.
 *
 *     offer(), approve(), load() -> a list of changes and the next catalog
 *     the caller records and stores them, then publishes the next catalog
 */
#ifndef MCP_CATALOG_WRITER_H
#define MCP_CATALOG_WRITER_H

#include "mcp/catalog.h"

struct catalog_writer;

/* One row, as it is stored; also what is recorded. */
struct catalog_row {
    struct str server, name;
    enum catalog_state state;
    struct str pinned;  /* canonical text; of a proposed one what was offered */
    struct str offered; /* of a quarantined one; or empty */
    int64_t first_us, changed_us;
    struct str approved_by;
};

enum catalog_event {
    CATALOG_SEEN = 1, /* new; pinned at first sight, or proposed */
    CATALOG_CHANGED,  /* quarantined, or what is offered changed again */
    CATALOG_RETURNED, /* the server offers the pinned one again: usable */
    CATALOG_APPROVED, /* by a person */
};
/* "seen", "changed", "returned", "approved". */
struct str catalog_event_name(enum catalog_event e);

struct catalog_change {
    enum catalog_event event;
    struct catalog_row row;
};
struct catalog_changes {
    const struct catalog_change *at; /* borrowed from `next` */
    size_t count;
    struct catalog
        *next; /* one reference, the caller's; also without changes */
};

/* Begins with an empty catalog. */
MUST_CHECK enum err catalog_writer_new(struct catalog_writer **ret);
void catalog_writer_free(struct catalog_writer *w); /* NULL is allowed */

/* Puts stored rows back; before all else.  ERR_CORRUPT: not rows of ours.
 * ERR_LIMIT: too many. */
MUST_CHECK enum err catalog_writer_load(struct catalog_writer *w,
                                        const struct catalog_row *rows,
                                        size_t count);
/* The current one; borrowed. */
struct catalog *catalog_writer_current(const struct catalog_writer *w);

/*
 * A server has offered these to somebody.  A tool that is not among them stays
 * as it is.  A quarantined tool that is offered as it was pinned is usable
 * again.  Among the tools of one server two names that differ only in case
 * could be taken for each other: what is new with such a name is proposed,
 * whatever was asked for; what is pinned already, stays so.  A name without a
 * text stands for a definition that cannot be read: it quarantines what is
 * pinned and is nothing where the name is not known.
 * What was listed before something newer was learnt of a tool (it changed, or
 * a person approved it) says nothing of that tool any more: a session that
 * began long ago must not undo what others saw since.
 * `approve_new` as in the settings.  ERR_LIMIT: too many, or too long in all.
 * ERR_MALFORMED: one name twice.
 */
struct catalog_offer {
    struct str server;
    const struct tool *offered; /* name, text and digest count */
    size_t count;
    bool approve_new;
    int64_t listed_ms; /* when the server said so, monotonic; 0: now */
};
/* The moment of a change; both clocks tell the same one. */
struct catalog_now {
    int64_t us; /* Unix time */
    int64_t ms; /* monotonic */
};
MUST_CHECK enum err catalog_writer_offer(struct catalog_writer *w,
                                         const struct catalog_offer *o,
                                         struct catalog_now now,
                                         struct catalog_changes *ret);

/*
 * `who` approves what a proposed or quarantined tool offers, whose digest is
 * `seen`: exactly what that person has looked at.  ERR_NOT_FOUND.
 * ERR_CONFLICT: it is pinned already, or another definition is offered now.
 */
struct catalog_approval {
    struct str server, name;
    struct hash seen;
    struct str who;
};
MUST_CHECK enum err catalog_writer_approve(struct catalog_writer *w,
                                           const struct catalog_approval *a,
                                           struct catalog_now now,
                                           struct catalog_changes *ret);

/* What was told is recorded: `next` becomes the current one (a reference is
 * taken). */
void catalog_writer_publish(struct catalog_writer *w, struct catalog *next);

#endif
