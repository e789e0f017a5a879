# What stands before registries, and what users have behind archway: podman, containerd and dockerd pull through each
# fault of it that a cache can hide, and of the others they print a sentence that says what is the matter.

load helpers
load nginx
load engines

balancer=127.0.0.1:5210   # HAProxy, before a relay that is slow enough for there to be a middle
commands=127.0.0.1:5212   # where HAProxy takes them

setup_file() {
  need haproxy nginx
  start_registry hub "$hub"
  start_nginx
  prepare_podman
  start_containerd
  start_dockerd
  service_start throttle python3 "$BATS_TEST_DIRNAME/throttle.py" 5110 "$hub" 12000000
  service_await containerd 30 "containerd answers" ctr version
  service_await dockerd 30 "dockerd answers" docker version
  service_await throttle 10 "the relay listens" listens 127.0.0.1:5110
}

setup() {
  cache=$stack_dir/cache
  rm -rf "$cache" "$stack_dir/archway.yaml" "$stack_dir/storage"
  : >"$stack_dir/nginx.access"
  mkdir -p "$stack_dir/hosts/_default"
  cp "$clients/containerd/hosts.toml" "$stack_dir/hosts/_default/hosts.toml"
  configure 50-archway.conf
}

teardown() {
  show_logs
  stop_archway
}

haproxy_config() {
  cat <<CONFIG
global
  stats socket ipv4@$commands level admin
  log stdout format raw local0
defaults
  mode http
  log global
  option httplog
  timeout connect 2s
  timeout client 60s
  timeout server 1s
frontend front
  bind $balancer
  default_backend registry
backend registry
  server one 127.0.0.1:5110
CONFIG
}

start_haproxy() {
  haproxy_config >"$stack_dir/haproxy.cfg"
  service_start haproxy haproxy -db -f "$stack_dir/haproxy.cfg"
  service_await haproxy 10 "HAProxy listens" listens "$balancer"
}

has_bytes() {
  local found
  found=$(stat -c %s "$cache"/fills/*.part 2>/dev/null) && [[ $found -ge $1 ]]
}

# The pulls; what they print is what their users read.
by_podman() { pod pull "docker.io/library/$1"; }
by_containerd() { ctr --namespace "test-$BATS_TEST_NUMBER" images pull --hosts-dir "$stack_dir/hosts" --snapshotter native "${@:2}" "docker.io/library/$1"; }
by_docker() { docker pull "$gate/library/$1"; }

# assert_pulled IMAGE: all of them have it.
assert_pulled() {
  local config
  config=$(config_of "library/$1" linux/amd64)
  assert_equal "podman's image" "sha256:$(pod image inspect --format '{{.Id}}' "docker.io/library/$1")" "$config"
  assert_equal "docker's image" "$(docker image inspect --format '{{.Id}}' "$gate/library/$1")" "$config"
  ctr --namespace "test-$BATS_TEST_NUMBER" content get "$config" >/dev/null || fail "containerd does not have the image"
}

# assert_told IMAGE SENTENCE: none of them can pull it, and each says why.
assert_told() {
  local by
  for by in by_podman by_containerd by_docker; do
    run "$by" "$1"
    [[ $status != 0 ]] || fail "$by: the pull succeeded"
    assert_matches "$by: what is printed" "$output" "$2"
  done
}

@test "fronts: an image that HAProxy cuts in three ways is pulled whole by podman, containerd and dockerd" {
  local by pulls=() image=blob:32MiB mebibyte=$((1 << 20))
  start_haproxy
  start_with "url: http://$balancer"
  for by in by_podman by_containerd by_docker; do
    "$by" "$image" >"$BATS_TEST_TMPDIR/$by" 2>&1 3>&- &
    pulls+=("$!")
  done
  poll 20 "a part has arrived" has_bytes $((6 * mebibyte))
  printf 'shutdown sessions server registry/one\n' >"/dev/tcp/${commands/://}"
  poll 20 "more has arrived" has_bytes $((12 * mebibyte))
  service_kill haproxy
  start_haproxy
  poll 20 "more has arrived" has_bytes $((18 * mebibyte))
  # The registry falls silent, and HAProxy gives it up.
  kill -STOP "$(service_pid throttle)"
  poll 10 "HAProxy gives the registry up" grep -q ' sD' "$stack_dir/haproxy.out"
  kill -CONT "$(service_pid throttle)"
  for by in "${pulls[@]}"; do
    wait "$by" || fail "a pull failed:" "$(tail -n 5 "$BATS_TEST_TMPDIR"/by_*)"
  done
  assert_pulled "$image"
  assert_equal "transfers of the layer that began in the middle" \
    "$(grep -c "\"GET /v2/library/blob/blobs/$(layers_of library/blob:32MiB linux/amd64) [^\"]*\" 206 " "$stack_dir/hub.out")" 3
}

@test "fronts: while HAProxy has no registry what is cached is pulled, and the rest is refused with a sentence" {
  start_haproxy
  start_with "url: http://$balancer"
  by_podman hi:1
  service_kill throttle
  pod image rm --force docker.io/library/hi:1
  by_podman hi:1
  by_containerd hi:1
  by_docker hi:1
  assert_pulled hi:1
  assert_told attested:1 '503 Service Unavailable: docker\.io is busy'
}

@test "fronts: through nginx's TLS and its other host for blobs podman, containerd and dockerd pull" {
  start_with "url: https://$front" "ca_file: $stack_dir/tls/ca.crt" 'redirects: [cdn.test]'
  by_podman hi-docker:1
  by_containerd hi-docker:1
  by_docker hi-docker:1
  assert_pulled hi-docker:1
  grep -q '^cdn.test "GET /v2/library/hi-docker/blobs/' "$stack_dir/nginx.access" || fail "no blob came from the other host"
  stop_archway
  rm -rf "$cache"
  # A host that blobs may not come from, and a certificate for another name.
  start_with "url: https://$front" "ca_file: $stack_dir/tls/ca.crt" 'redirects: [s3.test]'
  run by_containerd hi:1 --platform linux/riscv64
  assert_matches "containerd" "$output" 'docker.io leads to cdn.test, a host that is not among those its redirects may lead to'
  stop_archway
  start_with "url: https://wrong.test:5200" "ca_file: $stack_dir/tls/ca.crt"
  assert_told attested:1 'its TLS certificate is refused \(hostname mismatch\)'
}

@test "fronts: while nginx says 429 what is cached is pulled, and the rest is refused with a sentence" {
  start_with "url: http://$limited"
  # The index, the client's manifest and one HEAD are allowed within a minute.
  by_podman hi:1
  fetch GET "http://$gate/v2/library/single/manifests/1"
  pod image rm --force docker.io/library/hi:1
  by_podman hi:1
  by_containerd hi:1
  by_docker hi:1
  assert_pulled hi:1
  assert_told attested:1 '503 Service Unavailable: docker.io has asked to be left alone'
}
