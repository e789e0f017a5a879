# A warm blob goes from the page cache to the socket by sendfile(2): its bytes never visit archway's memory.

load helpers

setup_file() {
  need strace
  # The leak check of a sanitized build is a debugger too, and a program can have only one.
  export ASAN_OPTIONS=detect_leaks=0
  start_registry hub "$hub"
  python3 "$BATS_TEST_DIRNAME/../support/make_images.py" --registry "http://$hub" --summary "$stack_dir/big.json" \
    blob:1GiB=library/big:1
  start_archway
  blob_url >"$stack_dir/url"
  curl -sS --fail --max-time 110 "$(cat "$stack_dir/url")" | openssl dgst -sha256 -r >"$stack_dir/first.hash"
  # A client has its last byte a moment before the blob is on disk for good.
  poll 60 "the blob is published" is_hit "$(cat "$stack_dir/url")"
}

teardown_file() {
  stop_everything
  rm -rf "$stack_dir/cache" "$storage/hub/docker/registry/v2/repositories/library/big"
}

blob_url() {
  printf 'http://%s/v2/library/big/blobs/%s\n' "$gate" "$(jq -r '.["library/big:1"].platforms["linux/amd64"].layers[0].digest' "$stack_dir/big.json")"
}

# take: the whole blob, warm.
take() {
  curl -sS --fail --max-time 100 -o /dev/null -D "$BATS_TEST_TMPDIR/head" -w '%{size_download}' "$(cat "$stack_dir/url")" \
    >"$BATS_TEST_TMPDIR/size"
  assert_equal "bytes received" "$(cat "$BATS_TEST_TMPDIR/size")" 1073741824
  grep -qi '^archway-cache: hit' "$BATS_TEST_TMPDIR/head" || fail "not a hit: $(cat "$BATS_TEST_TMPDIR/head")"
}

# peak: the most resident memory since the last reset_peak, in KiB.
peak() { awk '/^VmHWM:/ { print $2 }' "/proc/$(service_pid archway)/status"; }
reset_peak() { echo 5 >"/proc/$(service_pid archway)/clear_refs"; }

@test "zero copy: the first pull of 1 GiB arrived whole" {
  assert_equal "hash" "sha256:$(cut -d ' ' -f 1 "$stack_dir/first.hash")" "$(sed 's#.*/##' "$stack_dir/url")"
}

@test "zero copy: a warm 1 GiB is sent by sendfile alone (on a sanitized build too)" {
  local pid trace=$BATS_TEST_TMPDIR/trace
  pid=$(service_pid archway)
  strace -f -q -p "$pid" -o "$trace" -e signal=none -e \
    trace=sendfile,splice,read,readv,pread64,preadv,preadv2,write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,recvfrom,recvmsg,mmap,io_uring_enter \
    3>&- &
  local tracer=$!
  poll 10 "strace has attached" traced "$pid"
  take
  kill -INT "$tracer"
  wait "$tracer" || true
  # Bytes by call. A call that another thread interrupted is told in two lines; the second has the result.
  awk '
    { sub(/^[0-9]+ +/, "") }
    /<unfinished/ { next }
    /^<\.\.\. / { name = $2 }
    !/^<\.\.\. / { name = $0; sub(/\(.*/, "", name) }
    { value = $0; sub(/.*= /, "", value); split(value, part, " "); if (part[1] ~ /^[0-9]+$/) bytes[name] += part[1]; calls[name]++ }
    END { for (name in calls) printf "%s %d %.0f\n", name, calls[name], bytes[name] }' "$trace" >"$BATS_TEST_TMPDIR/sums"
  cat "$BATS_TEST_TMPDIR/sums"
  local sent copied
  sent=$(awk '$1 == "sendfile" { print $3 }' "$BATS_TEST_TMPDIR/sums")
  # pread is no way to a client: it brings back, off the loop, what the kernel's cache has dropped meanwhile.
  copied=$(awk '$1 != "sendfile" && $1 != "mmap" && $1 != "pread64" { sum += $3 } END { printf "%.0f\n", sum }' "$BATS_TEST_TMPDIR/sums")
  assert_equal "bytes by sendfile" "${sent:-0}" 1073741824
  # A request, a response head, a log line, wake-ups: nothing of the size of a blob.
  [[ $copied -lt 65536 ]] || fail "$copied bytes went through other calls"
  # A mapping of the blob would be a copy by another name.
  if grep -E 'mmap\(NULL, [0-9]{8,}, PROT_READ' "$trace"; then fail "it mapped something large while it served"; fi
}
traced() { [[ $(awk '/^TracerPid:/ { print $2 }' "/proc/$1/task/"*/status | grep -cvx 0) == $(find "/proc/$1/task" -mindepth 1 -maxdepth 1 | wc -l) ]]; }

@test "zero copy: resident memory grows by less than 2 MiB while 1 GiB is served (not judged on a sanitized build)" {
  take
  reset_peak
  local before after
  before=$(peak)
  take
  after=$(peak)
  printf '# peak of resident memory: %s KiB before, %s KiB after\n' "$before" "$after" >&3
  if [[ $ARCHWAY_E2E_SANITIZED == 1 ]]; then
    printf '# a sanitized build: its memory says nothing, only that the blob is served was checked\n' >&3
    return 0
  fi
  [[ $((after - before)) -lt 2048 ]] || fail "resident memory grew from $before to $after KiB"
}
