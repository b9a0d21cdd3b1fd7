#!/usr/bin/env bash
# Usage: tests/fault/kill.sh BUILD_FOLDER
# Kills processes of a running node; see kill.mjs.
exec "$(dirname "$0")/run_node" kill.mjs "$1"
