# shellcheck shell=bash
# What the end-to-end tests, the demo and the bench share: starting real programs, waiting until they
# answer, stopping them by pid. To be sourced.
#
# Everything about the service NAME is a file of $stack_dir: NAME.pid, NAME.port, NAME.out (its
# standard output), NAME.err (its log). Files rather than variables, because bats runs setup_file, the
# tests and teardown_file in processes of their own.

# stack_open [DIR]: where services keep their files; without DIR a new directory that
# stack_close removes again.
stack_open() {
  stack_made=''
  if [ $# -gt 0 ]; then
    stack_dir=$1
    mkdir -p "$stack_dir"
  else
    stack_dir=$(mktemp -d "${TMPDIR:-/tmp}/archway-stack.XXXXXX")
    stack_made=yes
  fi
  export stack_dir
}

# stack_close: stops what was started, newest first. Fit for `trap stack_close EXIT`.
stack_close() {
  local status=$?
  services_stop || status=1
  if [ -n "${stack_made:-}" ]; then rm -rf "$stack_dir"; fi
  return "$status"
}

# poll SECONDS WHAT COMMAND…: repeats COMMAND every 50 ms until it succeeds; says what was awaited
# when the time is up.
poll() {
  local seconds=$1 what=$2 turns
  shift 2
  turns=$((seconds * 20))
  while ! "$@" >/dev/null 2>&1; do
    turns=$((turns - 1))
    if [ "$turns" -le 0 ]; then
      echo "waited $seconds s in vain until $what" >&2
      return 1
    fi
    sleep 0.05
  done
}

# free_ports N [PREFERRED…]: N different TCP ports that nobody listens on, one a line: the preferred
# ones where they are free, else some from below the range that the kernel gives to outgoing
# connections, so that nobody takes one by chance in between.
free_ports() {
  python3 - "$@" <<'PYTHON'
import random, socket, sys
held, preferred = [], sys.argv[2:]
while len(held) < int(sys.argv[1]):
    port = int(preferred.pop(0)) if preferred else random.randrange(15000, 32000)
    # No SO_REUSEADDR: a port that still has connections in TIME_WAIT is not free either.
    candidate = socket.socket()
    try:
        candidate.bind(("0.0.0.0", port))
    except OSError:
        candidate.close()
        continue
    held.append(candidate)
    print(port)
PYTHON
}

# service_start NAME COMMAND…: in the background, detached from the caller's terminal and from bats'
# own descriptor 3 (bats waits until the last holder closes it).
service_start() {
  local name=$1
  shift
  "$@" </dev/null >>"$stack_dir/$name.out" 2>>"$stack_dir/$name.err" 3>&- &
  echo $! >"$stack_dir/$name.pid"
  echo "$name" >>"$stack_dir/services"
}

service_pid() { cat "$stack_dir/$1.pid"; }

# service_running NAME: a process that ended but was not yet waited for does not count.
service_running() {
  local pid state
  pid=$(cat "$stack_dir/$1.pid" 2>/dev/null) || return 1
  state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$pid/status" 2>/dev/null) || return 1
  [ -n "$state" ] && [ "$state" != Z ] && [ "$state" != X ]
}

service_stopped() { ! service_running "$1"; }

# service_stop NAME [SECONDS]: SIGTERM, then waits. A service that does not end in time is killed, and
# that is a failure.
service_stop() {
  local name=$1 seconds=${2:-30} status=0
  if service_running "$name"; then
    kill -TERM "$(service_pid "$name")" 2>/dev/null || true
    if ! poll "$seconds" "$name stops after SIGTERM" service_stopped "$name"; then
      kill -KILL "$(service_pid "$name")" 2>/dev/null || true
      poll 5 "$name dies" service_stopped "$name" || true
      status=1
    fi
  fi
  rm -f "$stack_dir/$name.pid"
  # A build with sanitizers reports leaks last of all, when nobody asks for its exit status any more.
  if grep -E 'ERROR: [A-Za-z]+Sanitizer|WARNING: ThreadSanitizer|: runtime error: ' "$stack_dir/$name.err" >&2; then
    echo "$name: the sanitizer found something; all of it is in $stack_dir/$name.err" >&2
    status=1
  fi
  return "$status"
}

# service_kill NAME: SIGKILL, as a crash would.
service_kill() {
  kill -KILL "$(service_pid "$1")" 2>/dev/null || true
  poll 5 "$1 dies" service_stopped "$1"
  rm -f "$stack_dir/$1.pid"
}

services_stop() {
  local name status=0
  [ -f "$stack_dir/services" ] || return 0
  while read -r name; do
    if [ -f "$stack_dir/$name.pid" ]; then service_stop "$name" || status=1; fi
  done < <(tac "$stack_dir/services")
  rm -f "$stack_dir/services"
  return "$status"
}

# service_await NAME SECONDS WHAT COMMAND…: like poll, but ends at once when the service is gone, and
# shows the end of its log when it does not come up.
service_await() {
  local name=$1 seconds=$2 what=$3
  shift 3
  if poll "$seconds" "$what (or $name ends)" service_ready_or_gone "$name" "$@" &&
    service_running "$name"; then
    return 0
  fi
  { echo "$name did not come up; the end of its log:"; tail -n 20 "$stack_dir/$name.err" "$stack_dir/$name.out"; } >&2
  return 1
}

service_ready_or_gone() {
  local name=$1
  shift
  if service_stopped "$name"; then return 0; fi
  "$@"
}

port_of() { cat "$stack_dir/$1.port"; }

# registry_start [NAME]: a real docker-registry on a loopback port that the kernel chooses (port_of
# NAME says which). Its access log is $stack_dir/NAME.out; its storage outlives registry_stop, so a
# second start serves the same images.
registry_start() {
  local name=${1:-registry}
  # A registry that was here before answers on its old port again: archway knows it by that.
  local port=0
  if [ -f "$stack_dir/$name.port" ]; then port=$(port_of "$name"); fi
  cat >"$stack_dir/$name.yml" <<YAML
version: 0.1
log:
  level: info
  accesslog: {disabled: false}
storage:
  filesystem: {rootdirectory: "$stack_dir/$name.storage"}
  delete: {enabled: true}
http:
  addr: 127.0.0.1:$port
  secret: loopback
YAML
  : >"$stack_dir/$name.err"
  service_start "$name" docker-registry serve "$stack_dir/$name.yml"
  service_await "$name" 20 "$name listens" registry_listening "$name" || return 1
  sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$stack_dir/$name.err" >"$stack_dir/$name.port"
}

registry_listening() { grep -q 'listening on 127\.0\.0\.1:' "$stack_dir/$1.err"; }

registry_url() { echo "http://127.0.0.1:$(port_of "${1:-registry}")"; }

registry_stop() { service_stop "${1:-registry}"; }

# registry_forget [NAME]: empties the access log.
registry_forget() { : >"$stack_dir/${1:-registry}.out"; }

# registry_count METHOD PATTERN [NAME]: how many requests of the access log have this method and a
# target that contains PATTERN (an extended regular expression).
registry_count() {
  awk -v method="\"$1" -v pattern="$2" '$6 == method && $7 ~ pattern { n++ } END { print n + 0 }' \
    "$stack_dir/${3:-registry}.out"
}

# registry_repeats [NAME]: objects that were fetched more than once ("2 /v2/…"); nothing is right.
registry_repeats() {
  awk '$6 == "\"GET" && $7 ~ /\/(blobs|manifests)\// && $9 ~ /^2/ { n[$7]++ }
       END { for (target in n) if (n[target] > 1) print n[target], target }' "$stack_dir/${1:-registry}.out"
}

# archway_config PORT ADMIN_PORT UPSTREAM_URL: the beginning of a configuration, on standard output;
# append `platforms:` and the like.
archway_config() {
  cat <<YAML
listen:
  - address: 127.0.0.1:$1
admin: 127.0.0.1:$2
cache:
  directory: "$stack_dir/cache"
upstreams:
  - name: docker.io
    url: $3
    default: true
YAML
}

# archway_start CONFIG PORT ADMIN_PORT [NAME]: runs $ARCHWAY and waits until it is ready.
archway_start() {
  local name=${4:-archway}
  echo "$2" >"$stack_dir/$name.port"
  service_start "$name" "${ARCHWAY:?ARCHWAY must name the binary}" serve -c "$1"
  service_await "$name" 20 "$name is ready" curl -sf -o /dev/null --max-time 2 "http://127.0.0.1:$3/readyz"
}

archway_stop() { service_stop "${1:-archway}"; }

# metric ADMIN_PORT NAME: the sum of a metric over all its labels, 0 when it has no sample yet.
metric() {
  curl -sf --max-time 5 "http://127.0.0.1:$1/metrics" |
    awk -v name="$2" '$1 == name || index($1, name "{") == 1 { sum += $NF } END { printf "%.0f\n", sum }'
}
