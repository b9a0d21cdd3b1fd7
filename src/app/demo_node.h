/*
 * demo_node.h - the world of `writ demo`: a folder, a small provider, a node.
 */
#ifndef APP_DEMO_NODE_H
#define APP_DEMO_NODE_H

#include "app/demo.h"
#include "base/str.h"

/* Makes the folder `d->dir`, in which no node has been yet, and fills in the
 * paths. */
bool demo_node_folder(struct demo *d);

/* Starts the provider and the node, which is ready on return; says what went
 * wrong. */
bool demo_node_start(struct demo *d);

/* Writes a file of the folder, "policies/large.cedar". */
bool demo_node_write(const struct demo *d, const char *name, struct str text);

/* Reads the configuration again; true when it is in place. */
bool demo_node_reload(const struct demo *d);

/* True while it runs. */
bool demo_node_alive(const struct demo *d);

/* Stops what was started. */
void demo_node_stop(const struct demo *d);

#endif
