#!/usr/bin/env bash
# Outside judges of HTTP, against fault_http_echo:
#
#   h2spec    RFC 7540/7541, strict, over TLS (a Go program, built here once)
#   desync    the HTTP/1 and HTTP/2 cases of ../shared, forwarded to the
#             recording upstream of its runner
#
# Usage: tests/fault/http.sh BUILD_FOLDER
set -uo pipefail
build=$(cd "$1" && pwd) || exit 2
root=$(cd "$(dirname "$0")/../.." && pwd)
# That of the distribution, where python3-hpack is.
python=$(PATH=/usr/bin:$PATH command -v python3)
desync=$root/../shared/tools/desync.py
work=$(mktemp -d)
passed=0 failed=0 skipped=0
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; rm -rf "$work"' EXIT

free_port() {
  "$python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# echo_server PORT [ARGS...]: starts one and waits until it listens.
echo_server() {
  "$build/fault_http_echo" "$@" 2>"$work/echo.$1.log" &
  pids+=($!)
  for _ in $(seq 100); do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
    sleep 0.05
  done
  echo "fault_http_echo does not listen"
  cat "$work/echo.$1.log"
  return 1
}

skip() {
  echo "SKIPPED: $*"
  skipped=$((skipped + 1))
}

# Where h2spec is, built if Go is there; empty if neither.
find_h2spec() {
  local go=go
  command -v h2spec && return
  [ -x "$build/go/h2spec" ] && echo "$build/go/h2spec" && return
  command -v go >/dev/null || go=/usr/local/go/bin/go
  command -v "$go" >/dev/null || return
  GOBIN=$build/go GOFLAGS=-mod=mod "$go" install \
    github.com/summerwind/h2spec/cmd/h2spec@latest >"$work/go.log" 2>&1 &&
    echo "$build/go/h2spec"
}

run_h2spec() {
  local tool port line
  tool=$(find_h2spec)
  [ -n "$tool" ] || { skip "h2spec: there is neither h2spec nor Go" && return; }
  port=$(free_port)
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout "$work/key.pem" -out "$work/cert.pem" -days 2 -subj /CN=localhost \
    2>/dev/null || { failed=$((failed + 1)) && return; }
  echo_server "$port" --tls "$work/cert.pem" "$work/key.pem" ||
    { failed=$((failed + 1)) && return; }
  "$tool" -h 127.0.0.1 -p "$port" -P /healthz -S -t -k -o 2 >"$work/h2spec.log" 2>&1
  line=$(tail -n 1 "$work/h2spec.log")
  echo "h2spec: $line"
  read -r ok left bad <<<"$(sed -nE 's/^[0-9]+ tests, ([0-9]+) passed, ([0-9]+) skipped, ([0-9]+) failed$/\1 \2 \3/p' <<<"$line")"
  if [ "${ok:-0}" = 0 ]; then
    tail -n 20 "$work/h2spec.log"
    bad=1
  elif [ "$bad" != 0 ] || [ "$left" != 0 ]; then
    sed -n '/^Failures/,$p' "$work/h2spec.log"
  fi
  # What it skips it could not judge, so that counts against us.
  passed=$((passed + ${ok:-0})) failed=$((failed + ${bad:-1} + ${left:-0}))
}

run_desync() {
  local port upstream h2=() out line
  [ -f "$desync" ] || { skip "desync: there is no ../shared" && return; }
  upstream=$(free_port) port=$(free_port)
  echo_server "$port" --to "$upstream" || { failed=$((failed + 1)) && return; }
  if "$python" -c "import hpack" 2>/dev/null; then
    h2=(--h2 "$port")
  else
    skip "desync over HTTP/2: python3-hpack is not installed"
  fi
  out=$("$python" "$desync" --run 127.0.0.1 "$port" "${h2[@]}" \
    --upstream-port "$upstream" --path /route -t 0.3)
  echo "desync: $out"
  read -r h1 bad1 h2n bad2 <<<"$(sed -nE 's/^h1 ([0-9]+) cases, ([0-9]+) with findings; h2 ([0-9]+) cases, ([0-9]+) with findings$/\1 \2 \3 \4/p' <<<"$out")"
  local bad=$((${bad1:-1} + ${bad2:-0}))
  passed=$((passed + ${h1:-0} + ${h2n:-0} - bad)) failed=$((failed + bad))
}

run_h2spec
run_desync
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
