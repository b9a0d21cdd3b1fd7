#!/usr/bin/env bash
# Usage: tests/fault/store.sh BUILD_FOLDER
# The store of a node is away, or is behind; see store.mjs.
exec "$(dirname "$0")/run_node" store.mjs "$1"
