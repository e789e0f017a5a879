# A size that holds: a file system of 64 MiB as the cache directory, and far more pulled through it.

load helpers

registry_port=5120
mebibyte=1048576

setup() {
  rm -f "$stack_dir/archway.yaml"
  mkdir -p "$stack_dir/cache"
}

teardown() {
  show_logs
  stop_everything
}

# small_disk SIZE: as the cache directory.
small_disk() {
  mount -t tmpfs -o "size=$1" tmpfs "$stack_dir/cache" || skip "mounting is not allowed here"
}

# small_config LINE…: the lines are the cache's.
small_config() {
  {
    printf '%s\n' "listen: [{address: $gate}]" "admin: $admin" "cache:" "  directory: $stack_dir/cache"
    printf '  %s\n' "$@"
    printf '%s\n' "upstreams: [{name: docker.io, url: http://127.0.0.1:$registry_port, default: true}]"
  } >"$stack_dir/archway.yaml"
}

# blob_bytes: what the files come to.
blob_bytes() { find "$stack_dir/cache/blobs" -type f -printf '%s\n' | awk '{ sum += $1 } END { printf "%.0f\n", sum }'; }
nothing_runs() { [[ $(metric archway_fills_in_progress) -eq 0 && $(metric archway_cache_reserved_bytes) -eq 0 ]]; }

# assert_books: what is told is what there is.
assert_books() {
  poll 20 "all fills have ended" nothing_runs
  assert_equal "archway_cache_bytes" "$(metric archway_cache_bytes)" "$(blob_bytes)"
  ! grep -E '"level":"(error|fatal)"' "$stack_dir/archway.err" || fail "there are errors in the log"
}

@test "space: 1 GiB of pulls by 8 clients through 64 MiB, none fails, and what is to stay free stays free" {
  small_disk 64M
  small_config "keep_free: 8MiB"
  start_archway
  local report=$BATS_TEST_TMPDIR/report
  python3 "$BATS_TEST_DIRNAME/pulls.py" "$gate" "$registry_port" "$stack_dir/cache" >"$report" ||
    fail "pulls failed: $(cat "$report")"
  # The index is not a blob: it may take a little of what is to stay free.
  local least_free
  least_free=$(jq .least_free "$report")
  ((least_free >= 7 * mebibyte)) || fail "only $least_free bytes were free"
  assert_books
  [[ $(metric archway_cache_evicted_blobs_total) -ge 50 ]] || fail "evicted: $(metric archway_cache_evicted_blobs_total)"
  (($(metric archway_cache_bytes) <= 56 * mebibyte))
  stop_archway
}

@test "space: the size that was said holds, too, and again after a restart" {
  small_config "max_size: 48MiB" "keep_free: 0"
  local round
  for round in 1 2; do
    start_archway
    python3 "$BATS_TEST_DIRNAME/pulls.py" "$gate" "$registry_port" "$stack_dir/cache" >"$BATS_TEST_TMPDIR/report" ||
      fail "round $round: pulls failed: $(cat "$BATS_TEST_TMPDIR/report")"
    assert_books
    (($(blob_bytes) <= 48 * mebibyte)) || fail "round $round: $(blob_bytes) bytes"
    assert_equal "archway_cache_limit_bytes" "$(metric archway_cache_limit_bytes)" $((48 * mebibyte))
    stop_archway
  done
}
