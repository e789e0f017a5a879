# What happens to the cache's disk, and what was under way when archway died.

load helpers

setup_file() {
  start_registry hub "$hub"
  service_start throttle python3 "$BATS_TEST_DIRNAME/throttle.py" 5110 "$hub" 50000000
  service_await throttle 10 "the relay listens" listens 127.0.0.1:5110
}

setup() {
  service_running hub || start_registry hub "$hub"
  registry_forget hub
  cache=$stack_dir/cache
  rm -rf "$cache" "$stack_dir/archway.yaml"
  rm -f "$stack_dir/archway.out" "$stack_dir/archway.err"
}

teardown() {
  show_logs
  stop_archway
  unmount_below "$stack_dir"
}

teardown_file() { stop_everything; }

# has_bytes FILE-PATTERN SIZE: the one file that matches has at least so many.
has_bytes() {
  local found
  found=$(stat -c %s $1 2>/dev/null) && [[ $found -ge $2 ]]
}

# counts METRIC VALUE
counts() { [[ $(metric "$1") == "$2" ]]; }

@test "faults: what had arrived before a SIGKILL is not fetched again" {
  local digest url size=$((200 << 20)) arrived fetched
  digest=$(layers_of library/blob:200MiB linux/amd64)
  url=http://$gate/v2/library/blob/blobs/$digest
  hub_url=127.0.0.1:5110
  start_archway
  curl -sS -o /dev/null --max-time 60 "$url" 3>&- &
  poll 30 "60 % have arrived" has_bytes "$cache/fills/*.part" $((size * 60 / 100))
  service_kill archway
  rm -f "$stack_dir/archway.status"
  arrived=$(stat -c %s "$cache"/fills/*.part)
  start_archway
  curl -sS --fail --max-time 60 -o "$BATS_TEST_TMPDIR/blob" "$url"
  assert_equal "the blob" "sha256:$(sha256 "$BATS_TEST_TMPDIR/blob")" "$digest"
  fetched=$(metric archway_upstream_bytes_total)
  assert_equal "fetched after the restart" "$fetched" $((size - arrived))
  [[ $fetched -le $((size * 41 / 100)) ]] || fail "$fetched bytes were fetched again"
  poll 20 "the blob is published" is_hit "$url"
  assert_equal "unfinished transfers" "$(find "$cache/fills" -name '*.part' | wc -l)" 0
}

@test "faults: a part that is damaged costs one transfer, and no wrong byte is whole" {
  local digest url part status=0
  digest=$(layers_of library/blob:200MiB linux/amd64)
  url=http://$gate/v2/library/blob/blobs/$digest
  hub_url=127.0.0.1:5110
  start_archway
  curl -sS -o /dev/null --max-time 60 "$url" 3>&- &
  poll 30 "a quarter has arrived" has_bytes "$cache/fills/*.part" $((50 << 20))
  service_kill archway
  rm -f "$stack_dir/archway.status"
  part=$(echo "$cache"/fills/*.part)
  printf 'damage' | dd of="$part" bs=1 seek=1000000 conv=notrunc status=none
  start_archway
  curl -sS --fail --max-time 60 -o "$BATS_TEST_TMPDIR/broken" "$url" || status=$?
  [[ $status != 0 ]] || fail "a client believes that it has the whole blob"
  poll 10 "the part is gone" test ! -e "$part"
  curl -sS --fail --max-time 60 -o "$BATS_TEST_TMPDIR/blob" "$url"
  assert_equal "the blob" "sha256:$(sha256 "$BATS_TEST_TMPDIR/blob")" "$digest"
}

@test "faults: a read-only file system is served from, and nothing is written to it" {
  local digest before
  mkdir -p "$cache"
  mount -t tmpfs -o size=200m,mode=700 tmpfs "$cache"
  start_archway
  for digest in $(config_of library/hi:1 linux/arm/v7) $(layers_of library/hi:1 linux/arm/v7); do
    curl -sS --fail --max-time 10 -o /dev/null "http://$gate/v2/library/hi/blobs/$digest"
    poll 10 "the blob is published" is_hit "http://$gate/v2/library/hi/blobs/$digest"
  done
  assert_manifest "http://$gate/v2/library/hi/manifests/1" "$(child library/hi:1 linux/arm/v7)" -H 'Archway-Platform: linux/arm/v7'
  assert_equal "read-only before" "$(metric archway_cache_read_only)" 0
  stop_archway
  mount -o remount,ro "$cache"
  before=$(find "$cache" -printf '%p %s %T@\n' | sort)
  registry_forget hub
  registry_stop hub
  start_archway
  assert_equal "read-only after" "$(metric archway_cache_read_only)" 1
  for digest in $(config_of library/hi:1 linux/arm/v7) $(layers_of library/hi:1 linux/arm/v7); do
    fetch GET "http://$gate/v2/library/hi/blobs/$digest"
    assert_equal "status" "$code" 200
    assert_equal "the blob" "sha256:$(sha256 "$body")" "$digest"
    assert_equal "where it came from" "$(header archway-cache)" hit
  done
  assert_manifest "http://$gate/v2/library/hi/manifests/1" "$(child library/hi:1 linux/arm/v7)" -H 'Archway-Platform: linux/arm/v7'
  grep -q 'the cache cannot be written to' "$stack_dir/archway.err" || fail "the log does not say so"
  stop_archway
  assert_equal "the directory" "$(find "$cache" -printf '%p %s %T@\n' | sort)" "$before"
  mount -o remount,rw "$cache"
  start_archway
  assert_equal "read-only at last" "$(metric archway_cache_read_only)" 0
}

@test "faults: a disk that others fill to its last block still has room made on it, and no client notices" {
  local digest
  mkdir -p "$cache"
  mount -t tmpfs -o size=64m,mode=700 tmpfs "$cache"
  archway_config | sed 's/keep_free: .*/keep_free: 0/' >"$stack_dir/archway.yaml"
  start_archway
  for digest in $(layers_of library/hi:1 linux/arm/v7); do
    curl -sS --fail --max-time 10 -o /dev/null "http://$gate/v2/library/hi/blobs/$digest"
    poll 10 "the blob is published" is_hit "http://$gate/v2/library/hi/blobs/$digest"
  done
  cat /dev/zero >"$cache/filler" 2>/dev/null || true
  assert_equal "free" "$(df --output=avail "$cache" | tail -n 1 | tr -d ' ')" 0
  for digest in $(layers_of library/hi:1 linux/amd64); do
    fetch GET "http://$gate/v2/library/hi/blobs/$digest"
    assert_equal "status" "$code" 200
    assert_equal "the blob" "sha256:$(sha256 "$body")" "$digest"
    poll 10 "the blob is kept" is_hit "http://$gate/v2/library/hi/blobs/$digest"
  done
  rm "$cache/filler"
  stop_archway
  "$ARCHWAY_BINARY" verify -q -c "$stack_dir/archway.yaml" || fail "verify finds something wrong"
}

@test "faults: a flipped bit is found before the blob is whole again, and it is fetched anew" {
  local digest url file status=0
  digest=$(layers_of library/blob:200MiB linux/amd64)
  url=http://$gate/v2/library/blob/blobs/$digest
  start_archway
  curl -sS --fail --max-time 60 -o /dev/null "$url"
  poll 20 "the blob is published" is_hit "$url"
  stop_archway
  file=$cache/blobs/sha256/${digest:7:2}/${digest:7}
  printf 'x' | dd of="$file" bs=1 seek=$((150 << 20)) conv=notrunc status=none
  rm -rf "$cache/index"
  start_archway
  curl -sS --fail --max-time 60 -o "$BATS_TEST_TMPDIR/broken" "$url" || status=$?
  [[ $status != 0 ]] || fail "a client believes that it has the whole blob"
  poll 10 "the damage is counted" counts 'archway_cache_damaged_total.*recheck' 1
  curl -sS --fail --max-time 60 -o "$BATS_TEST_TMPDIR/blob" "$url"
  assert_equal "the blob" "sha256:$(sha256 "$BATS_TEST_TMPDIR/blob")" "$digest"
}
