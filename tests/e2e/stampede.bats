# Many clients on one cold blob: one fill, whoever comes and goes. The upstream is slowed down to 50 MB/s, so
# that the blob of 200 MiB is on its way for four seconds and everybody comes while it is.

load helpers

setup_file() {
  start_registry hub "$hub"
  service_start throttle python3 "$BATS_TEST_DIRNAME/throttle.py" 5110 "$hub" 50000000
  service_await throttle 10 "the relay listens" listens 127.0.0.1:5110
}

setup() {
  digest=$(layers_of library/blob:200MiB linux/amd64)
  url=http://$gate/v2/library/blob/blobs/$digest
  registry_forget hub
  rm -rf "$stack_dir/cache" "$stack_dir/archway.yaml"
  hub_url=127.0.0.1:5110
  start_archway
}

teardown() {
  show_logs
  stop_archway
}

# clients N: that many at once; each leaves its hash in a file.
clients() {
  local n
  for ((n = 1; n <= $1; n++)); do
    (curl -sS --max-time 100 "$url" | openssl dgst -sha256 -r | cut -d ' ' -f 1) >"$BATS_TEST_TMPDIR/client.$n" 3>&- &
    everyone+=("$!")
  done
}

one_blob_kept() { [[ $(find "$stack_dir/cache/blobs" -type f | wc -l) -eq 1 ]]; }

# assert_all_right N
assert_all_right() {
  wait "${everyone[@]}"
  assert_equal "right copies" "$(cat "$BATS_TEST_TMPDIR"/client.* | grep -cx "${digest#sha256:}")" "$1"
}

@test "stampede: 50 clients of a cold blob, one GET upstream, every hash right" {
  everyone=()
  clients 50
  poll 10 "the fill runs" fill_runs
  assert_all_right 50
  assert_equal "GETs at the upstream" "$(upstream_gets hub "$digest")" 1
  # The clients have their bytes before the disk has: publishing follows.
  poll 30 "the blob is published" one_blob_kept
  [[ $(metric archway_fills_joined_total) -ge 49 ]] || fail "joined: $(metric archway_fills_joined_total)"
  assert_equal "fills still running" "$(metric archway_fills_in_progress)" 0
  # Bytes from the upstream: the blob once, and little else.
  local bytes
  bytes=$(metric archway_upstream_bytes_total)
  [[ $bytes -ge 209715200 && $bytes -lt 210763776 ]] || fail "bytes from the upstream: $bytes"
}

@test "stampede: killing the first client changes nothing for the others" {
  everyone=()
  curl -sS --max-time 60 -o "$BATS_TEST_TMPDIR/first" "$url" 3>&- &
  local first=$!
  poll 10 "the first client has bytes" not_empty "$BATS_TEST_TMPDIR/first"
  clients 10
  poll 10 "the others have joined" joined 10
  kill -KILL "$first"
  assert_equal "fills running when the first was killed" "$(metric archway_fills_in_progress)" 1
  assert_all_right 10
  assert_equal "GETs at the upstream" "$(upstream_gets hub "$digest")" 1
}
joined() { [[ $(metric archway_fills_joined_total) -ge $1 ]]; }

@test "stampede: when every client has left, the fill still ends and is kept" {
  curl -sS --max-time 60 -o "$BATS_TEST_TMPDIR/first" "$url" 3>&- &
  local first=$!
  poll 10 "the first client has bytes" not_empty "$BATS_TEST_TMPDIR/first"
  kill -KILL "$first"
  poll 30 "the fill ends and the blob is published" published
  fetch GET "$url"
  assert_equal "cache" "$(header archway-cache)" hit
  assert_equal "hash" "sha256:$(sha256 "$body")" "$digest"
  assert_equal "GETs at the upstream" "$(upstream_gets hub "$digest")" 1
}
fill_runs() { [[ $(metric archway_fills_in_progress) == 1 ]]; }
# By the disk and not by a request: a request would be a client that keeps the fill alive.
published() { [[ $(metric archway_fills_in_progress) == 0 && -n $(find "$stack_dir/cache/blobs" -type f -name "*${digest#sha256:}") ]]; }
