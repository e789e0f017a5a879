# containerd with hosts.toml: ctr, and the CRI that a kubelet speaks. hosts.toml can say the platform in a
# header or in the path; then the tag is that platform's manifest.

load helpers
load engines

setup_file() {
  start_registry hub "$hub"
  start_registry ghcr "$ghcr"
  start_archway
  start_containerd
  service_await containerd 30 "containerd answers" ctr version
}

setup() {
  hosts=$BATS_TEST_TMPDIR/certs.d
  mkdir -p "$hosts/_default"
}

# Each test has its own containerd namespace; content that another one pulled is shared, though, and not
# asked for again: so what a test got is judged by the digest of its tag.
pull() {
  local space="test-$BATS_TEST_NUMBER"
  run ctr --namespace "$space" images pull --hosts-dir "$hosts" --snapshotter native "$@"
}
target_of() { ctr --namespace "test-$BATS_TEST_NUMBER" images ls "name==$1" | awk 'NR == 2 { print $3 }'; }

@test "containerd: without a header the tag is the index and the client picks" {
  cp "$clients/containerd/hosts.toml" "$hosts/_default/hosts.toml"
  pull docker.io/library/hi:1
  assert_equal "status ($output)" "$status" 0
  assert_equal "digest of the tag" "$(target_of docker.io/library/hi:1)" "$(tag_digest library/hi:1)"
  ctr --namespace "test-$BATS_TEST_NUMBER" content ls -q >"$BATS_TEST_TMPDIR/content"
  grep -F "$(config_of library/hi:1 linux/amd64)" "$BATS_TEST_TMPDIR/content"
}

@test "containerd: --platform still chooses from the index" {
  cp "$clients/containerd/hosts.toml" "$hosts/_default/hosts.toml"
  pull --platform linux/riscv64 docker.io/library/hi:1
  assert_equal "status ($output)" "$status" 0
  ctr --namespace "test-$BATS_TEST_NUMBER" content ls -q >"$BATS_TEST_TMPDIR/content"
  grep -F "$(config_of library/hi:1 linux/riscv64)" "$BATS_TEST_TMPDIR/content"
}

@test "containerd: the Archway-Platform header makes the tag that platform's manifest" {
  cp "$clients/containerd/hosts-platform.toml" "$hosts/_default/hosts.toml"
  pull docker.io/library/hi:1
  assert_equal "status ($output)" "$status" 0
  assert_equal "digest of the tag" "$(target_of docker.io/library/hi:1)" "$(child library/hi:1 linux/arm64/v8)"
  ctr --namespace "test-$BATS_TEST_NUMBER" content get "$(config_of library/hi:1 linux/arm64/v8)" |
    jq -e '.architecture == "arm64"'
}

@test "containerd: with the header, an index is still whole by its digest" {
  cp "$clients/containerd/hosts-platform.toml" "$hosts/_default/hosts.toml"
  local reference
  reference=docker.io/library/hi@$(tag_digest library/hi:1)
  pull --platform linux/s390x "$reference"
  assert_equal "status ($output)" "$status" 0
  assert_equal "digest" "$(target_of "$reference")" "$(tag_digest library/hi:1)"
}

@test "containerd: a platform in the path of the host" {
  cp "$variants/hosts-path.toml" "$hosts/_default/hosts.toml"
  pull docker.io/library/hi:1
  assert_equal "status ($output)" "$status" 0
  assert_equal "digest of the tag" "$(target_of docker.io/library/hi:1)" "$(child library/hi:1 linux/arm64/v8)"
}

@test "containerd: a platform in the path as k3s writes it, with override_path" {
  cp "$variants/hosts-k3s.toml" "$hosts/_default/hosts.toml"
  # k3s generates this file from registries.yaml: both must name the same endpoint.
  grep -F "[host.\"$(sed -n 's/^ *- "\(.*\)"$/\1/p' "$clients/k3s/registries.yaml")\"]" "$variants/hosts-k3s.toml"
  pull docker.io/library/hi:1
  assert_equal "status ($output)" "$status" 0
  assert_equal "digest of the tag" "$(target_of docker.io/library/hi:1)" "$(child library/hi:1 linux/arm64/v8)"
}

@test "containerd: ?ns= reaches a second upstream through the same archway" {
  cp "$clients/containerd/hosts.toml" "$hosts/_default/hosts.toml"
  pull ghcr.io/org/tool:1
  assert_equal "status ($output)" "$status" 0
  assert_equal "digest of the tag" "$(target_of ghcr.io/org/tool:1)" "$(tag_digest org/tool:1)"
}

@test "containerd: ?ns= together with the header" {
  cp "$clients/containerd/hosts-platform.toml" "$hosts/_default/hosts.toml"
  pull ghcr.io/org/tool:1
  assert_equal "status ($output)" "$status" 0
  assert_equal "digest of the tag" "$(target_of ghcr.io/org/tool:1)" "$(child org/tool:1 linux/arm64/v8)"
}

@test "containerd: ?ns= for an upstream that is not configured is 404 NAME_UNKNOWN" {
  fetch GET "http://$gate/v2/org/tool/manifests/1?ns=registry.example"
  assert_error 404 NAME_UNKNOWN
  assert_matches "message" "$(jq -r '.errors[0].message' "$body")" 'registry\.example'
  cp "$clients/containerd/hosts.toml" "$hosts/_default/hosts.toml"
  pull registry.example/org/tool:1
  assert_equal "status" "$status" 1
}

# CRI: kubelet's way in. PullImageRequest { ImageSpec image = 1 { string image = 1 } }, framed as gRPC frames
# it: no compression, the length in four bytes, the message.
cri_pull() {
  local name=$1
  local -i length=${#name}
  local bytes
  printf -v bytes '\\x%02x' 0 0 0 0 $((length + 4)) 10 $((length + 2)) 10 "$length"
  { printf '%b' "$bytes" && printf %s "$name"; } >"$BATS_TEST_TMPDIR/request"
  curl --silent --show-error --max-time 60 --http2-prior-knowledge --unix-socket /run/containerd/containerd.sock \
    --header 'content-type: application/grpc' --header 'te: trailers' --data-binary "@$BATS_TEST_TMPDIR/request" \
    --dump-header "$BATS_TEST_TMPDIR/trailers" --output "$BATS_TEST_TMPDIR/answer" \
    http://localhost/runtime.v1.ImageService/PullImage
  tr -d '\r' <"$BATS_TEST_TMPDIR/trailers" >"$BATS_TEST_TMPDIR/trailers.text"
  grep -qix 'grpc-status: 0' "$BATS_TEST_TMPDIR/trailers.text" || fail "CRI: $(cat "$BATS_TEST_TMPDIR/trailers.text")"
}

@test "containerd: the CRI pulls through the README's config_path and hosts.toml" {
  cp "$clients/containerd/hosts.toml" /etc/containerd/certs.d/_default/hosts.toml
  cri_pull docker.io/library/hi:1
  grep -aF "$(config_of library/hi:1 linux/amd64)" "$BATS_TEST_TMPDIR/answer"
}

@test "containerd: the CRI sends the header of hosts.toml" {
  cp "$clients/containerd/hosts-platform.toml" /etc/containerd/certs.d/_default/hosts.toml
  cri_pull docker.io/library/hi-docker:1
  grep -aF "$(config_of library/hi-docker:1 linux/arm64/v8)" "$BATS_TEST_TMPDIR/answer"
}

@test "containerd: the upstreams were asked once for each object" {
  # shellcheck disable=SC2046 # one word a digest
  assert_one_get_each hub "$(tag_digest library/hi:1)" $(objects_of library/hi:1 linux/amd64) \
    $(objects_of library/hi:1 linux/arm64/v8) $(objects_of library/hi-docker:1 linux/arm64/v8)
  assert_one_get_each ghcr "$(tag_digest org/tool:1)" "$(child org/tool:1 linux/arm64/v8)"
}
