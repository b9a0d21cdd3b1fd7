# parts.sh - runs named parts, each within a time budget, and adds them up.
# Sourced by .ci/run and tools/test_all.
#
#   part NAME MINUTES COMMAND...   killed and failed when over its budget
#   need NAME MINUTES COMMAND...   the same; if it fails, the rest is not run
#   finish                         prints the table and the sum; exits
#
# A part that runs tests ends its output with `N passed, N failed` and maybe
# `, N skipped`.  A part that fails without counts is one failure; checks
# without tests (set-up, build, lint) are never counted as passed.

logs=build/parts
rm -rf $logs
mkdir -p $logs
table="" passed=0 failed=0 skipped=0 stopped=""

row() { table+=$(printf '%-12s %9s %9s   %s' "$1" "$2" "$3" "$4")$'\n'; }

# Adds the counts in the log of part $1; they were said by a part that
# ended with status $2.
count() {
  local ok bad left_out
  read -r ok bad left_out < <(sed -nE \
    's/^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$/\1 \2 \4/p' \
    "$logs/$1.log" | tail -n 1) || ok=0 bad=0
  [ "$2" = 0 ] || [ "$bad" -gt 0 ] || bad=1
  passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + ${left_out:-0}))
  [ $((ok + bad)) -gt 0 ] || grep -q ': nothing to run$' "$logs/$1.log"
}

part() {
  local name=$1 minutes=$2 began=$SECONDS status result log=$logs/$1.log
  shift 2
  if [ -n "$stopped" ]; then
    row "$name" - "${minutes}m00s" "not run"
    return 1
  fi
  echo "==== $name: $* (at most $minutes minutes)"
  : >"$log"
  timeout --kill-after=10 "${minutes}m" "$@" >"$log" 2>&1 </dev/null &
  local pid=$!
  trap 'kill $pid; exit 130' INT TERM
  tail -n +1 -s 0.2 -f --pid=$pid "$log"
  wait $pid
  status=$?
  trap - INT TERM
  case $status in
  0) result=ok ;;
  124 | 137) result="over budget, killed" ;;
  *) result="FAILED" ;;
  esac
  if count "$name" $status && [ $status = 0 ] && ! grep -qE '^[1-9][0-9]* passed' "$log"; then
    result="nothing to run"
  fi
  began=$((SECONDS - began))
  row "$name" "$((began / 60))m$(printf %02d $((began % 60)))s" "${minutes}m00s" "$result"
  return $status
}

need() { part "$@" || stopped=yes; }

finish() {
  echo
  row "" "$((SECONDS / 60))m$(printf %02d $((SECONDS % 60)))s" "" "in all"
  printf '%-12s %9s %9s   %s\n%s' part time budget result "$table"
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" = 0 ] && [ -z "$stopped" ]
  exit
}
