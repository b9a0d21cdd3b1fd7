#!/usr/bin/env bash
# Usage: tests/fault/soak.sh BUILD_FOLDER
# Minutes of mixed load, with TESTS=all only; see soak.mjs.
exec "$(dirname "$0")/run_node" soak.mjs "$1"
