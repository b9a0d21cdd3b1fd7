#!/usr/bin/env bash
# Crashes, power cuts and failing disks under the log of ledger/journal: in
# every state that they can leave, it verifies, recovers and has every entry
# that was acknowledged.
#
# Usage: tests/fault/ledger.sh BUILD_FOLDER
#
# Runs crashsim.py and faultsweep.py of ../shared/tools over
# fault_ledger_append.  A sample of crash points and calls, which FAULT_SEED
# (default: the day) chooses; TESTS=all runs all of them.  The last line is
# `N passed, N failed, N skipped`.
set -uo pipefail
cd "$(dirname "$0")/../.."
build=$(cd "$1" && pwd) || exit 2
tools=$PWD/../shared/tools
append=$build/fault_ledger_append
verify=$build/fault_ledger_verify
passed=0 failed=0 skipped=0

if [ ! -x "$tools/crashsim.py" ] || ! command -v strace >/dev/null; then
  echo "SKIPPED: tests/fault/ledger.sh needs ../shared/tools and strace"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
fi

for program in "$append" "$verify"; do
  [ -x "$program" ] || { echo "$program is not built" && exit 2; }
done

# Leaks cannot be looked for under strace; everything else is.
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0
# What is simulated needs no real disk, and is faster without one.
[ -n "${TMPDIR:-}" ] || [ ! -w /dev/shm ] || export TMPDIR=/dev/shm
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
seed=${FAULT_SEED:-$(date +%j)}
segment=16384
all() { [ "${TESTS:-}" = all ]; }
echo "seed $seed$(all && echo ", everything")"

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

# crashes DIRS WORK [OPTION...]: every state that WORK could leave behind.
# crashsim lays a write whose sync failed over whatever was written later to
# the same place; a disk does not, so those that were made good are left out
# (ordered_crashsim.py).
crashes() {
  local dirs=$1 work=$2
  shift 2
  rm -rf "$room/log.d" && mkdir "$room/log.d"
  python3 tests/fault/ordered_crashsim.py "$tools/crashsim.py" -q --dirs "$dirs" \
    --dir "$room/log.d" --work "${work//DIR/$room/log.d}" \
    --verify "$verify {dir} {acks} $segment" "$@"
}

# The same test of a program that lies has to fail.
finds_a_liar() {
  ! crashes ext4 "$append DIR 20 1 $segment early" --max 30
}

sweep() {
  local max=$1 faults=$2
  mkdir -p "$room/base"
  # Without its 20 entries the sweep would have swept nothing.
  "$tools/faultsweep.py" --base "$room/base" --work "$append {dir} 20 2 $segment" \
    --verify "$verify {dir} {acks} $segment" --faults "$faults" --max "$max" \
    --calls openat,mkdirat,write,pwrite64,pwritev,fsync,fdatasync,renameat,renameat2,unlinkat,ftruncate,close,fallocate,pread64 |
    tee "$room/sweep" && grep -q '^baseline rc=0 acks=20 ' "$room/sweep"
}

# A log that was there before, so that the sweep covers recovery too.
prepare_base() {
  rm -rf "$room/base"
  "$append" "$room/base" "$1" 1 "$segment" >/dev/null
}

single="$append DIR 40 1 $segment"
batches="$append DIR 90 5 $segment"
twice="$append DIR 9 1 $segment; $append DIR 40 3 $segment"
points=$(all && echo 0 || echo 25)

for dirs in ext4 strict; do
  check "power cuts, $dirs" crashes $dirs "$single" --max "$points"
  check "power cuts, batches over segments, $dirs" crashes $dirs "$batches" --max "$points"
  check "power cuts, closed and opened, $dirs" crashes $dirs "$twice" --max "$points"
  if all; then
    syncs="1 2 3 4 5 6 7 8 9 10 11 12"
  else
    syncs="3 $((4 + seed % 8))"
  fi
  for n in $syncs; do
    check "fdatasync $n fails, $dirs" crashes $dirs "$single" \
      --inject "fdatasync:error=EIO:when=$n" --max "$points"
    # The second run recovers, and its own fdatasync number n fails too.
    check "fdatasync $n fails, started again, $dirs" crashes $dirs "$twice; $single" \
      --inject "fdatasync:error=EIO:when=$n" --max "$points"
  done
  if all; then
    for n in 1 2 3 4 5 6; do
      check "fsync $n fails, started again, $dirs" crashes $dirs "$twice; $single" \
        --inject "fsync:error=EIO:when=$n"
    done
  fi
done
check "an early answer is found out" finds_a_liar

faults=error=EIO,error=ENOSPC,error=EINTR,signal=SIGKILL
if all; then
  for entries in 0 1 30; do
    prepare_base $entries
    check "every call fails once, $entries entries before" sweep 60 $faults
  done
else
  prepare_base $((seed % 40))
  check "calls fail once, $((seed % 40)) entries before" sweep 6 $faults
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
