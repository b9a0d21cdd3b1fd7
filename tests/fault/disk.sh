#!/usr/bin/env bash
# Usage: tests/fault/disk.sh BUILD_FOLDER
# Breaks the disk under a running node; see disk.mjs.
exec "$(dirname "$0")/run_node" disk.mjs "$1"
