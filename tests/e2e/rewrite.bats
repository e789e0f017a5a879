# Single-architecture names become the client's own image: built in for Docker Hub's architecture organisations,
# and by rules of the operator's.

bats_require_minimum_version 1.5.0
load helpers

setup_file() {
  need podman containerd ctr
  archway_config 'rewrite:
  architecture_organisations: true
  rules:
    - {from: "docker.io/(.*)-(arm64|amd64)", to: "docker.io/$1"}
    - {from: "docker.io/old/(.+)", to: "ghcr.io/org/$1"}' >"$stack_dir/archway.yaml"
  start_registry hub "$hub"
  start_registry ghcr "$ghcr"
  start_archway
  printf '{"default": [{"type": "insecureAcceptAnything"}]}\n' >/etc/containers/policy.json
  printf '[storage]\ndriver = "vfs"\nrunroot = "/run/storage"\ngraphroot = "%s/storage"\n' "$stack_dir" \
    >/etc/containers/storage.conf
  service_start containerd containerd --config /dev/null --root "$stack_dir/containerd" \
    --state /run/containerd --address /run/containerd/containerd.sock
  service_await containerd 30 "containerd answers" ctr version
}

pod() { podman --runtime runc --cgroup-manager cgroupfs "$@"; }

@test "rewrite: amd64/hi and arm64v8/hi are library/hi for the client's own platform" {
  local name
  for name in amd64 arm32v7 arm64v8 i386 s390x; do
    assert_manifest "http://$gate/v2/$name/hi/manifests/1" "$(child library/hi:1 linux/arm64/v8)" -H 'Archway-Platform: linux/arm64'
    assert_manifest "http://$gate/v2/$name/hi/manifests/1" "$(tag_digest library/hi:1)"
  done
}

@test "rewrite: containerd asks for amd64/hi and gets, and has, the arm64 image" {
  local hosts=$BATS_TEST_TMPDIR/certs.d layer
  mkdir -p "$hosts/_default"
  cp "$clients/containerd/hosts-platform.toml" "$hosts/_default/hosts.toml"
  ctr --namespace rewrite images pull --hosts-dir "$hosts" --snapshotter native docker.io/amd64/hi:1
  ctr --namespace rewrite content get "$(config_of library/hi:1 linux/arm64/v8)" | jq -e '.architecture == "arm64"'
  for layer in $(layers_of library/hi:1 linux/arm64/v8); do
    ctr --namespace rewrite content ls -q | grep -F "$layer"
  done
}

@test "rewrite: podman asks for a tag with a suffix and gets its own platform" {
  cp "$clients/podman/50-archway.conf" /etc/containers/registries.conf.d/
  pod pull --quiet docker.io/library/hi:1-arm64
  assert_equal "image id" "sha256:$(pod image inspect --format '{{.Id}}' docker.io/library/hi:1-arm64)" \
    "$(config_of library/hi:1 linux/amd64)"
}

@test "rewrite: a name with a suffix, by tag and by digest, blobs too" {
  local layer
  assert_manifest "http://$gate/v2/username/multi-arm64/manifests/1" "$(child username/multi:1 linux/riscv64)" -H 'Archway-Platform: linux/riscv64'
  assert_manifest "http://$gate/v2/username/multi-amd64/manifests/$(child username/multi:1 linux/riscv64)" "$(child username/multi:1 linux/riscv64)"
  layer=$(layers_of username/multi:1 linux/riscv64 | tail -n 1)
  fetch GET "http://$gate/v2/username/multi-arm64/blobs/$layer"
  assert_equal "status" "$code" 200
  assert_equal "bytes" "sha256:$(sha256 "$body")" "$layer"
}

@test "rewrite: a rule may lead to another upstream that is configured" {
  assert_manifest "http://$gate/v2/old/tool/manifests/1" "$(child org/tool:1 linux/arm64/v8)" -H 'Archway-Platform: linux/arm64'
}

@test "rewrite: a name that no rule means stays as it is" {
  assert_manifest "http://$gate/v2/username/arm64v8-test/manifests/1" "$(tag_digest username/arm64v8-test:1)"
}

@test "rewrite: the log names what was asked for" {
  fetch GET "http://$gate/v2/arm64v8/hi/manifests/1"
  grep -qF 'arm64v8/hi' "$stack_dir/archway.err"
}
