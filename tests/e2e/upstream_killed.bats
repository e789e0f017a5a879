# The upstream dies in the middle of twenty pulls: what is cached is pulled as ever, what was on its way waits for
# its return, and the rest fails soon, with a sentence.

load helpers

spare=127.0.0.1:5102   # another place of the same registry

setup_file() {
  ln -sfn "$storage/hub" "$storage/spare"
  start_registry spare "$spare"
  start_registry hub "$hub"
  start_relay
}

setup() {
  rm -rf "$stack_dir/cache"
}

# start_with LINE…: behind the relay, and what the lines say.
start_with() {
  hub_url=127.0.0.1:5110 archway_config "$@" >"$stack_dir/archway.yaml"
  start_archway
}

teardown() {
  show_logs
  stop_archway
}

teardown_file() { stop_everything; }

# Slow, so that there is a middle: 20 MB/s.
start_relay() {
  service_start throttle python3 "$BATS_TEST_DIRNAME/throttle.py" 5110 "$hub" 20000000
  service_await throttle 10 "the relay listens" listens 127.0.0.1:5110
}

has_bytes() {
  local found
  found=$(stat -c %s $1 2>/dev/null) && [[ $found -ge $2 ]]
}

# pull_cached FILE: a whole image by its tag; one line an object: status and seconds.
pull_cached() {
  local digest base=http://$gate/v2/library/hi
  curl -sS --max-time 20 -o /dev/null -w '%{http_code} %{time_total}\n' -H 'Archway-Platform: linux/arm/v7' "$base/manifests/1"
  for digest in $(config_of library/hi:1 linux/arm/v7) $(layers_of library/hi:1 linux/arm/v7); do
    curl -sS --max-time 20 -o /dev/null -w '%{http_code} %{time_total}\n' "$base/blobs/$digest"
  done
}

@test "upstream killed: cached images are pulled, half of one waits for its return, the rest fails soon" {
  local digest url n everyone=() cached=() lost=()
  digest=$(layers_of library/blob:200MiB linux/amd64)
  url=http://$gate/v2/library/blob/blobs/$digest
  start_with 'tags: {fresh_for: 0}' 'timeouts: {connect: 1s, retry_for: 60s}'
  pull_cached >/dev/null
  for n in $(layers_of library/hi:1 linux/arm/v7); do
    poll 10 "the layer is published" is_hit "http://$gate/v2/library/hi/blobs/$n"
  done

  for n in 1 2 3 4 5 6; do
    (curl -sS --max-time 100 "$url" | openssl dgst -sha256 -r | cut -d ' ' -f 1) >"$BATS_TEST_TMPDIR/half.$n" 3>&- &
    everyone+=("$!")
  done
  poll 30 "a fifth has arrived" has_bytes "$stack_dir/cache/fills/*.part" $((40 << 20))
  service_kill throttle
  service_kill hub
  poll 5 "the port is closed" closed 127.0.0.1:5110

  for n in 1 2 3 4 5 6 7; do
    pull_cached >"$BATS_TEST_TMPDIR/cached.$n" 3>&- &
    cached+=("$!")
    curl -sS --max-time 30 -o "$BATS_TEST_TMPDIR/lost.body.$n" -w '%{http_code} %{time_total}\n' \
      "http://$gate/v2/library/unknown-$n/manifests/1" >"$BATS_TEST_TMPDIR/lost.$n" 3>&- &
    lost+=("$!")
  done
  wait "${cached[@]}" "${lost[@]}"
  for n in 1 2 3 4 5 6 7; do
    awk '$1 != 200 || $2 > 5 { bad = 1 } END { exit bad || NR < 3 }' "$BATS_TEST_TMPDIR/cached.$n" ||
      fail "a cached image was not served:" "$(cat "$BATS_TEST_TMPDIR/cached.$n")"
    awk '$1 != 504 || $2 > 5 { bad = 1 } END { exit bad || NR != 1 }' "$BATS_TEST_TMPDIR/lost.$n" ||
      fail "what is not cached did not fail soon:" "$(cat "$BATS_TEST_TMPDIR/lost.$n")"
    grep -q 'cannot be reached' "$BATS_TEST_TMPDIR/lost.body.$n" || fail "nobody says why"
  done

  registry_start hub
  start_relay
  wait "${everyone[@]}"
  assert_equal "right copies" "$(cat "$BATS_TEST_TMPDIR"/half.* | grep -cx "${digest#sha256:}")" 6
  assert_equal "wrong bytes" "$(metric 'archway_digest_mismatches_total.*')" 0
}

@test "upstream killed: another of its places goes on in the middle of a blob, and answers for the rest" {
  local digest url n everyone=()
  digest=$(layers_of library/blob:200MiB linux/amd64)
  url=http://$gate/v2/library/blob/blobs/$digest
  hub_url=127.0.0.1:5110 archway_config 'timeouts: {connect: 1s}' |
    sed "s#url: http://127.0.0.1:5110#urls: ['http://127.0.0.1:5110', 'http://$spare']#" >"$stack_dir/archway.yaml"
  start_archway
  for n in 1 2 3 4; do
    (curl -sS --max-time 60 "$url" | openssl dgst -sha256 -r | cut -d ' ' -f 1) >"$BATS_TEST_TMPDIR/half.$n" 3>&- &
    everyone+=("$!")
  done
  poll 30 "a fifth has arrived" has_bytes "$stack_dir/cache/fills/*.part" $((40 << 20))
  service_kill throttle
  service_kill hub
  wait "${everyone[@]}"
  assert_equal "right copies" "$(cat "$BATS_TEST_TMPDIR"/half.* | grep -cx "${digest#sha256:}")" 4
  grep -q "\"GET /v2/library/blob/blobs/${digest}[^\"]*\" 206 " "$stack_dir/spare.out" ||
    fail "the other place was not asked for the rest: $(grep blobs "$stack_dir/spare.out")"
  # What nobody has asked for yet comes from there alone.
  assert_manifest "http://$gate/v2/library/single/manifests/1" "$(tag_digest library/single:1)"
  fetch GET "http://$gate/v2/library/single/blobs/$(layers_of library/single:1 linux/amd64 | head -n 1)"
  assert_equal "status" "$code" 200
}
