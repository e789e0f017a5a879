# Starting, stopping, being configured wrongly, and what the operator sees.

load helpers

setup_file() {
  printf 'very-secret-word\n' >"$stack_dir/password"
  chmod 600 "$stack_dir/password"
  start_registry hub "$hub"
}

# Each test has an empty cache and an empty log of its own.
setup() {
  rm -rf "$stack_dir/cache"
  rm -f "$stack_dir/archway.out" "$stack_dir/archway.err"
  archway_config >"$stack_dir/archway.yaml"
}

teardown() {
  show_logs
  services_stop
  start_registry hub "$hub"
}

# ---- stopping --------------------------------------------------------------------------------

@test "lifecycle: SIGTERM lets a running transfer finish, takes nobody new, ends with 0" {
  local digest url
  digest=$(layers_of library/blob:200MiB linux/amd64)
  url=http://$gate/v2/library/blob/blobs/$digest
  start_archway
  curl -sS --fail -o /dev/null "$url"
  poll 20 "the blob is published" is_hit "$url"
  curl -sS --fail --limit-rate 80M --max-time 60 -o "$BATS_TEST_TMPDIR/slow" "$url" 3>&- &
  local slow=$!
  poll 10 "the slow client has bytes" not_empty "$BATS_TEST_TMPDIR/slow"
  kill -TERM "$(service_pid archway)"
  poll 5 "the port is closed" closed "$gate"
  kill -0 "$slow"
  service_running archway
  wait "$slow"
  assert_equal "what the slow client got" "sha256:$(sha256 "$BATS_TEST_TMPDIR/slow")" "$digest"
  assert_clean_end archway
}

@test "lifecycle: SIGTERM closes idle connections at once, SIGINT ends it as well" {
  start_archway
  exec 8<>/dev/tcp/127.0.0.1/5000
  kill -TERM "$(service_pid archway)"
  poll 5 "archway ends" service_stopped archway
  exec 8<&-
  assert_clean_end archway
  start_archway
  kill -INT "$(service_pid archway)"
  poll 5 "archway ends" service_stopped archway
  assert_clean_end archway
}

@test "lifecycle: a transfer longer than the drain time is cut, and it still ends with 0" {
  archway_config 'drain: 1s' >"$stack_dir/archway.yaml"
  local digest url status=0
  digest=$(layers_of library/blob:200MiB linux/amd64)
  url=http://$gate/v2/library/blob/blobs/$digest
  start_archway
  curl -sS --fail -o /dev/null "$url"
  poll 20 "the blob is published" is_hit "$url"
  curl -sS --fail --limit-rate 5M --max-time 60 -o "$BATS_TEST_TMPDIR/slow" "$url" 3>&- &
  local slow=$!
  poll 10 "the slow client has bytes" not_empty "$BATS_TEST_TMPDIR/slow"
  kill -TERM "$(service_pid archway)"
  assert_clean_end archway
  wait "$slow" || status=$?
  [[ $status != 0 ]] || fail "the slow client believes that it has the whole blob"
}

@test "lifecycle: after a SIGKILL everything that was complete is there" {
  start_archway
  local digest
  assert_manifest "http://$gate/v2/library/hi/manifests/1" "$(child library/hi:1 linux/arm/v7)" -H 'Archway-Platform: linux/arm/v7'
  for digest in $(config_of library/hi:1 linux/arm/v7) $(layers_of library/hi:1 linux/arm/v7); do
    fetch GET "http://$gate/v2/library/hi/blobs/$digest"
    assert_equal "status" "$code" 200
  done
  # Published is what the next request calls a hit.
  for digest in $(config_of library/hi:1 linux/arm/v7) $(layers_of library/hi:1 linux/arm/v7); do
    poll 5 "$digest is published" is_hit "http://$gate/v2/library/hi/blobs/$digest"
  done
  service_kill archway
  rm -f "$stack_dir/archway.status"
  registry_stop hub
  start_archway
  for digest in $(config_of library/hi:1 linux/arm/v7) $(layers_of library/hi:1 linux/arm/v7); do
    fetch GET "http://$gate/v2/library/hi/blobs/$digest"
    assert_equal "$digest" "$code sha256:$(sha256 "$body")" "200 $digest"
  done
  assert_manifest "http://$gate/v2/library/hi/manifests/1" "$(child library/hi:1 linux/arm/v7)" -H 'Archway-Platform: linux/arm/v7'
  stop_archway
}

@test "lifecycle: SIGTERM in the middle of a fetch: its client has it whole, and it is in the cache afterwards" {
  local digest url
  digest=$(layers_of library/blob:32MiB linux/amd64)
  url=http://$gate/v2/library/blob/blobs/$digest
  service_start throttle python3 "$BATS_TEST_DIRNAME/throttle.py" 5110 "$hub" 20000000
  service_await throttle 10 "the relay listens" listens 127.0.0.1:5110
  hub_url=127.0.0.1:5110 archway_config >"$stack_dir/archway.yaml"
  start_archway
  curl -sS --fail --max-time 60 -o "$BATS_TEST_TMPDIR/fetched" "$url" 3>&- &
  local fetching=$!
  poll 10 "the client has bytes" not_empty "$BATS_TEST_TMPDIR/fetched"
  kill -TERM "$(service_pid archway)"
  poll 5 "the port is closed" closed "$gate"
  service_running archway
  wait "$fetching"
  assert_equal "what the client got" "sha256:$(sha256 "$BATS_TEST_TMPDIR/fetched")" "$digest"
  assert_clean_end archway
  service_stop throttle
  start_archway
  is_hit "$url"
  stop_archway
}

@test "lifecycle: SIGUSR1, SIGPIPE, SIGHUP with a broken file, and a stop in between end nobody's transfer" {
  local digest url
  digest=$(layers_of library/blob:200MiB linux/amd64)
  url=http://$gate/v2/library/blob/blobs/$digest
  start_archway
  curl -sS --fail -o /dev/null "$url"
  poll 20 "the blob is published" is_hit "$url"
  curl -sS --fail --limit-rate 80M --max-time 60 -o "$BATS_TEST_TMPDIR/slow" "$url" 3>&- &
  local slow=$! signal
  poll 10 "the slow client has bytes" not_empty "$BATS_TEST_TMPDIR/slow"
  printf 'listen: [\n' >"$stack_dir/archway.yaml"
  for signal in USR1 PIPE HUP STOP CONT; do kill -"$signal" "$(service_pid archway)"; done
  wait "$slow"
  assert_equal "what the slow client got" "sha256:$(sha256 "$BATS_TEST_TMPDIR/slow")" "$digest"
  fetch GET "http://$admin/readyz"
  assert_equal "ready" "$code" 200
  stop_archway
}

# heard SOCKET COUNT: so many datagrams that come there, one a line.
heard() {
  python3 - "$1" "$2" <<'PYTHON'
import socket, sys
listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listening.settimeout(20)
listening.bind(sys.argv[1])
for _ in range(int(sys.argv[2])):
    print(listening.recv(100).decode(), flush=True)
PYTHON
}

@test "lifecycle: the service manager hears that it is ready, and that it lives" {
  heard "$BATS_TEST_TMPDIR/notify" 3 >"$BATS_TEST_TMPDIR/heard" 3>&- &
  local listening=$!
  poll 10 "somebody listens" test -S "$BATS_TEST_TMPDIR/notify"
  NOTIFY_SOCKET=$BATS_TEST_TMPDIR/notify WATCHDOG_USEC=100000 start_archway
  wait "$listening"
  assert_equal "heard" "$(paste -sd ' ' "$BATS_TEST_TMPDIR/heard")" "READY=1 WATCHDOG=1 WATCHDOG=1"
  stop_archway
}

# ---- starting --------------------------------------------------------------------------------

@test "lifecycle: a second instance on the same cache ends with 75 and names the holder" {
  start_archway
  sed -e 's/:5000/:5300/; s/:5001/:5301/' "$stack_dir/archway.yaml" >"$stack_dir/second.yaml"
  run timeout 20 "$ARCHWAY_BINARY" serve -c "$stack_dir/second.yaml"
  assert_equal "status" "$status" 75
  assert_matches "message" "$output" "(^|[^0-9])$(service_pid archway)([^0-9]|\$)"
  assert_matches "message" "$output" "$stack_dir/cache"
  fetch GET "http://$gate/v2/"
  assert_equal "the first one still answers" "$code" 200
  stop_archway
}

@test "lifecycle: a port that is taken is an error with a message, not a silent wait" {
  start_archway
  sed -e 's/:5001/:5301/' -e "s#$stack_dir/cache#$stack_dir/other-cache#" "$stack_dir/archway.yaml" >"$stack_dir/second.yaml"
  run timeout 20 "$ARCHWAY_BINARY" serve -c "$stack_dir/second.yaml"
  assert_equal "status" "$status" 69
  assert_matches "message" "$output" '127\.0\.0\.1:5000'
  stop_archway
}

# bad_config: every mistake at once, each with its place.
bad_config() {
  cat >"$stack_dir/bad.yaml" <<'CONFIG'
listen:
  - address: 127.0.0.1:5000
    platfrom: linux/arm/v7
cache:
  max_size: 50 bananas
upstreams:
  - name: docker.io
    name: ghcr.io
drain: 25s
platforms:
  user_agent: guess
CONFIG
}

@test "lifecycle: a bad configuration ends with 78 and names every mistake with file:line:column" {
  bad_config
  local command
  for command in "serve" "config check"; do
    # shellcheck disable=SC2086 # two words
    run timeout 20 "$ARCHWAY_BINARY" $command -c "$stack_dir/bad.yaml"
    assert_equal "$command: status" "$status" 78
    assert_matches "unknown key" "$output" "bad\.yaml:3:5: [^"$'\n'"]*platfrom[^"$'\n'"]*platform"
    assert_matches "impossible size" "$output" "bad\.yaml:5:13: [^"$'\n'"]*bananas"
    assert_matches "key given twice" "$output" "bad\.yaml:8:5: [^"$'\n'"]*name"
    assert_matches "impossible word" "$output" "bad\.yaml:11:15: [^"$'\n'"]*guess[^"$'\n'"]*hint"
  done
}

@test "lifecycle: a configuration file that is not there, or is no YAML, ends with 78" {
  run timeout 20 "$ARCHWAY_BINARY" serve -c "$stack_dir/none.yaml"
  assert_equal "status" "$status" 78
  assert_matches "message" "$output" 'none\.yaml'
  printf 'listen: [\n' >"$stack_dir/broken.yaml"
  run timeout 20 "$ARCHWAY_BINARY" serve -c "$stack_dir/broken.yaml"
  assert_equal "status" "$status" 78
  assert_matches "message" "$output" 'broken\.yaml:[0-9]+:[0-9]+: '
}

@test "lifecycle: config check accepts what serve runs with, and says so" {
  run "$ARCHWAY_BINARY" config check -c "$stack_dir/archway.yaml"
  assert_equal "status ($output)" "$status" 0
}

@test "lifecycle: config defaults is a configuration that config check accepts" {
  "$ARCHWAY_BINARY" config defaults >"$stack_dir/defaults.yaml"
  grep -q '^upstreams:' "$stack_dir/defaults.yaml"
  local name
  for name in docker.io ghcr.io quay.io registry.k8s.io gcr.io mcr.microsoft.com public.ecr.aws; do
    grep -q "$name" "$stack_dir/defaults.yaml" || fail "no $name in the defaults"
  done
  run "$ARCHWAY_BINARY" config check -c "$stack_dir/defaults.yaml"
  assert_equal "status ($output)" "$status" 0
}

@test "lifecycle: config show is the whole configuration, secrets masked" {
  cat >>"$stack_dir/archway.yaml" <<CONFIG
  - name: quay.io
    credentials: {username: robot, password_file: $stack_dir/password}
    access: shared
CONFIG
  run "$ARCHWAY_BINARY" config show -c "$stack_dir/archway.yaml"
  assert_equal "status ($output)" "$status" 0
  assert_matches "given" "$output" "$stack_dir/cache"
  assert_matches "given" "$output" 'robot'
  assert_matches "default" "$output" 'drain'
  if [[ $output == *very-secret-word* ]]; then fail "the password is shown"; fi
}

@test "lifecycle: the command line explains itself" {
  run "$ARCHWAY_BINARY" --help
  assert_equal "status" "$status" 0
  assert_matches "help" "$output" 'serve'
  run "$ARCHWAY_BINARY" srve
  [[ $status != 0 ]]
  assert_matches "a mistyped command" "$output" 'serve'
}

# ---- what the operator sees ------------------------------------------------------------------

@test "lifecycle: one JSON line a request in the log, without secrets" {
  start_archway
  assert_manifest "http://$gate/v2/library/hi/manifests/1" "$(child library/hi:1 linux/arm/v7)" \
    -H 'Archway-Platform: linux/arm/v7' -H 'Authorization: Bearer very-secret-word'
  fetch GET "http://$gate/v2/library/hi/manifests/none"
  stop_archway
  cat "$stack_dir/archway.out" "$stack_dir/archway.err" >"$BATS_TEST_TMPDIR/log"
  jq -es 'length > 0' "$BATS_TEST_TMPDIR/log" >/dev/null || fail "not one JSON object a line"
  # HEAD and GET of assert_manifest, then the GET of a tag that is not there.
  grep -F 'library/hi' "$BATS_TEST_TMPDIR/log" | grep -F 'linux/arm/v7' >"$BATS_TEST_TMPDIR/resolved"
  assert_equal "lines of the resolved tag" "$(wc -l <"$BATS_TEST_TMPDIR/resolved")" 2
  local word
  for word in header "$(child library/hi:1 linux/arm/v7)" 127.0.0.1; do
    grep -qF "$word" "$BATS_TEST_TMPDIR/resolved" || fail "no $word in $(cat "$BATS_TEST_TMPDIR/resolved")"
  done
  if grep -qF very-secret-word "$BATS_TEST_TMPDIR/log"; then fail "the client's credential is in the log"; fi
}

@test "lifecycle: a log that nobody reads holds up no request; what it did not take is counted" {
  mkfifo "$BATS_TEST_TMPDIR/log"
  # Somebody has it open, and reads nothing: it is full after 64 KiB.
  exec 8<>"$BATS_TEST_TMPDIR/log"
  watched_start archway bash -c 'exec "$0" serve -c "$1" 2>"$2"' "$ARCHWAY_BINARY" "$stack_dir/archway.yaml" "$BATS_TEST_TMPDIR/log"
  service_await archway 20 "archway is ready" curl -sf -o /dev/null --max-time 2 "http://$admin/readyz"
  fetch GET "http://$gate/v2/library/hi/manifests/1"
  # One client and one connection; curl ends with an error when one of a thousand is not answered.
  curl -sS --fail --max-time 30 -o /dev/null "http://$gate/v2/library/hi/manifests/1?[1-1000]"
  [[ $(metric archway_log_lines_dropped_total) -ge 1 ]] || fail "no line was dropped"
  stop_archway
  exec 8>&-
}

@test "lifecycle: the metrics are there, and count" {
  start_archway
  fetch GET "http://$gate/v2/library/hi/manifests/1" -H 'Archway-Platform: linux/arm/v7'
  fetch GET "http://$gate/v2/library/hi/blobs/$(config_of library/hi:1 linux/arm/v7)"
  fetch GET "http://$admin/metrics"
  assert_equal "status" "$code" 200
  local family type
  while read -r family type; do
    grep -qx "# TYPE $family $type" "$body" || fail "no $type $family"
    grep -q "^# HELP $family ." "$body" || fail "no help for $family"
  done <<TABLE
archway_requests_total counter
archway_client_bytes_total counter
archway_upstream_bytes_total counter
archway_fills_in_progress gauge
archway_fills_joined_total counter
archway_cache_bytes gauge
archway_cache_limit_bytes gauge
archway_cache_reserved_bytes gauge
archway_cache_evicted_blobs_total counter
archway_cache_evicted_bytes_total counter
archway_cache_objects gauge
archway_upstream_errors_total counter
archway_upstream_seconds histogram
TABLE
  local label
  for label in kind outcome upstream platform; do
    grep -q "^archway_requests_total{.*$label=\"[^\"]" "$body" || fail "archway_requests_total has no $label"
  done
  [[ $(metric archway_cache_objects) -ge 1 && $(metric archway_cache_bytes) -ge 1 ]]
  [[ $(metric archway_upstream_bytes_total) -ge 1 && $(metric archway_client_bytes_total) -ge 1 ]]
  stop_archway
}

@test "lifecycle: /healthz and /readyz, on the admin address alone" {
  start_archway
  local page
  for page in healthz readyz; do
    fetch GET "http://$admin/$page"
    assert_equal "$page" "$code" 200
    fetch HEAD "http://$admin/$page"
    assert_equal "HEAD $page" "$code" 200
  done
  fetch GET "http://$gate/metrics"
  assert_equal "metrics at the clients' address" "$code" 404
  stop_archway
}
