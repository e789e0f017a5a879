# Parts of a blob that is still coming, and disks that take nothing or lose what they had: the bytes are right all the
# same. The upstream gives 5 MiB/s a connection, so that the blob of 200 MiB is on its way for forty seconds.

load helpers

setup_file() {
  start_registry hub "$hub"
  service_start throttle python3 "$BATS_TEST_DIRNAME/throttle.py" 5111 "$hub" 5242880
  service_await throttle 10 "the relay listens" listens 127.0.0.1:5111
  local digest
  digest=$(layers_of library/blob:200MiB linux/amd64)
  curl -sS --fail --max-time 60 -o "$stack_dir/blob" "http://$hub/v2/library/blob/blobs/$digest"
}

setup() {
  digest=$(layers_of library/blob:200MiB linux/amd64)
  url=http://$gate/v2/library/blob/blobs/$digest
  rm -f "$stack_dir/archway.yaml"
}

teardown() {
  show_logs
  stop_archway
  unmount_below "$stack_dir"
  rm -rf "$stack_dir/cache"
}

@test "partial: 200 random ranges of a cold blob at 5 MiB/s, each right, long before the whole is there" {
  hub_url=127.0.0.1:5111
  start_archway
  run python3 "$BATS_TEST_DIRNAME/random_ranges.py" "$url" "$stack_dir/blob" 200
  assert_equal "right answers" "$output" 200
  assert_equal "fills still running" "$(metric archway_fills_in_progress)" 1
}

@test "partial: a disk that is too small for a blob: eight clients get it past the cache" {
  mkdir -p "$stack_dir/cache"
  mount -t tmpfs -o size=64m tmpfs "$stack_dir/cache"
  start_archway
  local n
  local -a everyone=()
  for n in 1 2 3 4 5 6 7 8; do
    (curl -sS --max-time 100 "$url" | openssl dgst -sha256 -r | cut -d ' ' -f 1) >"$BATS_TEST_TMPDIR/client.$n" 3>&- &
    everyone+=("$!")
  done
  wait "${everyone[@]}"
  assert_equal "right copies" "$(cat "$BATS_TEST_TMPDIR"/client.* | grep -cx "${digest#sha256:}")" 8
  fetch GET "$url"
  assert_equal "cache" "$(header archway-cache)" pass
  fetch GET "$url" -H 'Range: bytes=209715199-'
  assert_equal "a part" "$code $(header content-range)" "206 bytes 209715199-209715199/209715200"
  assert_equal "blobs kept" "$(find "$stack_dir/cache/blobs" -type f | wc -l)" 0
  assert_equal "parts left behind" "$(find "$stack_dir/cache/fills" -type f | wc -l)" 0
}

@test "partial: a file that is cut off while it is served: a broken transfer, a report, and the next client is served" {
  start_archway
  fetch GET "$url"
  poll 30 "the blob is published" is_hit "$url"
  curl -sS --max-time 60 --limit-rate 20M -o "$BATS_TEST_TMPDIR/slow" "$url" 3>&- &
  local slow=$! status=0
  poll 10 "the client has bytes" not_empty "$BATS_TEST_TMPDIR/slow"
  find "$stack_dir/cache/blobs" -type f -exec truncate -s 1000 {} +
  wait "$slow" || status=$?
  [[ $status -ne 0 ]] || fail "a client took half a blob for the whole"
  poll 10 "the damage is counted" damage_counted
  fetch GET "$url"
  assert_equal "hash" "sha256:$(sha256 "$body")" "$digest"
}
damage_counted() { [[ $(metric 'archway_cache_damaged_total{found_by="serving"}') -eq 1 ]]; }
