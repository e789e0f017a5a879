# The machine's name server fails in every way that name servers do: what is cached is served at once, other upstreams
# are asked as ever, and whoever wants something else reads that there is no such name.

load helpers

setup_file() {
  start_registry hub "$hub"
  start_registry ghcr "$ghcr"
  printf '127.0.0.1 localhost\n' >/etc/hosts  # Other files name registries there.
  printf 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n' >/etc/resolv.conf
}

setup() {
  rm -rf "$stack_dir/cache"
  answer_with right
  : >"$stack_dir/names.out"
  service_start names python3 "$BATS_TEST_DIRNAME/names.py" "$stack_dir/mode"
  service_await names 10 "the name server listens" grep -q listens "$stack_dir/names.out"
  hub_url=registry.test:${hub#*:}
  archway_config 'tags: {fresh_for: 0}' >"$stack_dir/archway.yaml"
}

teardown() {
  show_logs
  stop_archway
  service_stop names
}

answer_with() { printf '%s\n' "$1" >"$stack_dir/mode"; }

# timed URL [curl option…]: status and seconds; the body is in $body.
timed() {
  body=$BATS_TEST_TMPDIR/body
  curl -sS --max-time 20 -o "$body" -w '%{http_code} %{time_total}\n' "$@"
}

# assert_soon WHAT ANSWER STATUS SECONDS
assert_soon() {
  awk -v status="$3" -v most="$4" '{ exit !($1 == status && $2 < most) }' <<<"$2" || fail "$1: $2, not $3 within $4 s"
}

@test "names: whatever the name server does, an upstream that was reached once is still asked, and others, too" {
  local mode n=1
  start_archway
  fetch GET "http://$gate/v2/library/many/manifests/v1"
  assert_equal "status" "$code" 200
  for mode in no-name broken none circle silent; do
    answer_with "$mode"
    n=$((n + 1))
    assert_soon "$mode: something new" "$(timed "http://$gate/v2/library/many/manifests/v$n")" 200 2
    assert_soon "$mode: another upstream" "$(timed "http://$gate/v2/org/tool/manifests/1?ns=ghcr.io")" 200 2
  done
}

@test "names: a name that cannot be found is said so, while what is cached and other upstreams answer at once" {
  local mode wanted
  start_archway
  timed "http://$gate/v2/library/hi/manifests/1" >/dev/null
  for mode in no-name broken none circle silent; do
    # A new process has asked for no name yet.
    stop_archway
    answer_with "$mode"
    start_archway
    timed "http://$gate/v2/library/single/manifests/1" >"$BATS_TEST_TMPDIR/lost" 3>&- &
    wanted=$!
    assert_soon "$mode: another upstream" "$(body=/dev/null timed "http://$gate/v2/org/tool/manifests/1?ns=ghcr.io")" 200 2
    assert_soon "$mode: by digest" "$(timed "http://$gate/v2/library/hi/manifests/$(tag_digest library/hi:1)")" 200 1
    wait "$wanted"
    assert_soon "$mode: what is not cached" "$(cat "$BATS_TEST_TMPDIR/lost")" 504 10
    assert_soon "$mode: a cached tag" "$(timed "http://$gate/v2/library/hi/manifests/1")" 200 7
    fetch GET "http://$gate/v2/library/single/manifests/1"
    assert_error 504 '.*'
    assert_matches "$mode: message" "$(cat "$body")" 'the name registry.test cannot be resolved|registry.test cannot be reached|no answer'
  done
}

@test "names: of many addresses the one that answers is found" {
  answer_with many
  start_archway
  assert_soon "the first" "$(timed "http://$gate/v2/library/hi/manifests/1")" 200 8
}
