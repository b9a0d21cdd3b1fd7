#!/usr/bin/env bash
# Crashes, power cuts and failing disks under the keys of keeper/ and the
# SQLite file of store/: in every state that they can leave, what was
# answered is there, the node's key opens every session's key, and no batch
# of rows was applied in part or twice.
#
# Usage: tests/fault/state.sh BUILD_FOLDER
#
# Runs crashsim.py and faultsweep.py of ../shared/tools over
# fault_keeper_keys and fault_store_rows: a sample of crash points and calls;
# TESTS=all runs all of them.  The last line is
# `N passed, N failed, N skipped`.
set -uo pipefail
cd "$(dirname "$0")/../.."
build=$(cd "$1" && pwd) || exit 2
tools=$PWD/../shared/tools
keys=$build/fault_keeper_keys
rows=$build/fault_store_rows
passed=0 failed=0

if [ ! -x "$tools/crashsim.py" ] || ! command -v strace >/dev/null; then
  echo "SKIPPED: tests/fault/state.sh needs ../shared/tools and strace"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
fi

for program in "$keys" "$rows"; do
  [ -x "$program" ] || { echo "$program is not built" && exit 2; }
done

# Leaks cannot be looked for under strace; everything else is.
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0
# What is simulated needs no real disk, and is faster without one.
[ -n "${TMPDIR:-}" ] || [ ! -w /dev/shm ] || export TMPDIR=/dev/shm
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
export TMPDIR=$room # the tools leave their traces there
all() { [ "${TESTS:-}" = all ]; }
points=$(all && echo 0 || echo 20)

# check NAME COMMAND...: its output only when it fails.
check() {
  local name=$1
  shift
  if "$@" >"$room/log" 2>&1; then
    passed=$((passed + 1))
    echo "ok   $name: $(grep -m 1 -oE 'distinct-states=.*violations=[0-9]+|baseline rc=0 acks=[0-9]+' "$room/log")"
  else
    failed=$((failed + 1))
    echo "FAIL $name"
    tail -n 30 "$room/log"
  fi
}

# The simulator makes its files anew, without their modes.
verify_keys="chmod -f 600 {dir}/keys/node.key; $keys verify {dir}/keys {acks}"
verify_rows="$rows verify {dir} {acks}"

# crashes DIRS WORK VERIFY [OPTION...]: every state that WORK could leave.
crashes() {
  local dirs=$1 work=$2 verify=$3
  shift 3
  rm -rf "$room/d" && mkdir "$room/d"
  python3 tests/fault/ordered_crashsim.py "$tools/crashsim.py" -q --dirs "$dirs" \
    --dir "$room/d" --work "${work//DIR/$room/d}" --verify "$verify" "$@"
}

# The same test of a program that lies has to fail.
finds_a_liar() {
  ! crashes ext4 "$keys add DIR/keys 12 1 early" "$verify_keys" --max 30
}

# sweep WORK VERIFY ACKS FAULTS: each call fails once; without its answers the
# sweep would have swept nothing.
sweep() {
  rm -rf "$room/base" && mkdir "$room/base"
  "$tools/faultsweep.py" --base "$room/base" --work "$1" --verify "$2" \
    --faults "$4" --max "$(all && echo 60 || echo 5)" \
    --calls openat,mkdir,write,pwrite64,fsync,fdatasync,linkat,unlinkat,ftruncate,close,pread64 |
    tee "$room/sweep" && grep -q "^baseline rc=0 acks=$3 " "$room/sweep"
}

twice="$keys add DIR/keys 3; $keys add DIR/keys 9 3"
for dirs in ext4 strict; do
  check "keys, power cuts, $dirs" crashes $dirs "$keys add DIR/keys 12" "$verify_keys" --max "$points"
  check "keys, started twice, $dirs" crashes $dirs "$twice" "$verify_keys" --max "$points"
  for n in 1 2 4; do
    all || [ $n = 2 ] || continue
    check "keys, fdatasync $n fails, $dirs" crashes $dirs "$twice" "$verify_keys" \
      --inject "fdatasync:error=EIO:when=$n" --max "$points"
  done
done
check "an early answer is found out" finds_a_liar
check "keys, calls fail once" sweep "$keys add {dir}/keys 9 3" \
  "$keys verify {dir}/keys {acks}" 9 error=EIO,error=ENOSPC,error=EINTR,signal=SIGKILL

check "rows, power cuts" crashes ext4 "$rows add DIR 8" "$verify_rows" --max "$points"
check "rows, started twice" crashes ext4 "$rows add DIR 2; $rows add DIR 5" "$verify_rows" --max "$points"
check "rows, calls fail once" sweep "$rows add {dir} 5" "$verify_rows" 5 \
  error=EIO,error=ENOSPC,signal=SIGKILL

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
