/*
 * gateway_catalog.h - the tools of the running node: from the workers that
 * see them to the one writer (gateway_tools.h), and from there to every
 * worker.
 */
#ifndef APP_GATEWAY_CATALOG_H
#define APP_GATEWAY_CATALOG_H

#include "admin/admin.h"
#include "base/attr.h"
#include "base/err.h"
#include "evidence/entry.h"

struct catalog_wait;
struct gateway;
struct worker;
struct worker_offer;

MUST_CHECK enum err gateway_catalog_new(struct gateway *g);
/* The store is open: load.  gateway_loaded() follows when that is done. */
void gateway_catalog_load(struct gateway *g);
/* After the workers have ended, before evidence and store close. */
void gateway_catalog_free(struct gateway *g);

/* worker->offer, see pipeline/worker.h. */
enum err gateway_catalog_offer(struct worker *w, const struct worker_offer *o,
                               struct catalog_wait *wait);

/* The state that lifecycle entries name: the snapshot's, and of the tools. */
struct evidence_state gateway_catalog_state(const struct gateway *g);

/* For the admin API, see admin_hooks. */
enum err gateway_catalog_approve(struct gateway *g,
                                 const struct admin_tool_approval *a,
                                 void (*done)(void *arg, enum err e),
                                 void *arg);

#endif
