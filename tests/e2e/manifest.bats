# The manifest commands against a real docker-registry, compared with what docker and skopeo say.

bats_require_minimum_version 1.5.0
load helpers

setup_file() {
  need docker skopeo dockerd
  archway_config >"$stack_dir/archway.yaml"
  start_registry hub "$hub"
  start_registry ghcr "$ghcr"
  start_archway
  printf '{"default": [{"type": "insecureAcceptAnything"}]}\n' >/etc/containers/policy.json
}

archway() { "$ARCHWAY_BINARY" "$@"; }
raw() { skopeo --command-timeout 60s inspect --tls-verify=false --raw "docker://$1"; }

setup() { export XDG_DATA_HOME=$BATS_TEST_TMPDIR/data; }

@test "manifest inspect: its JSON is docker's" {
  # This docker's own command knows no OCI index; what it would print is the document itself.
  raw "$hub/library/hi:1" | jq -S . >"$BATS_TEST_TMPDIR/docker"
  archway manifest inspect --json "$hub/library/hi:1" | jq -S . >"$BATS_TEST_TMPDIR/ours"
  diff -u "$BATS_TEST_TMPDIR/docker" "$BATS_TEST_TMPDIR/ours"
  docker manifest inspect --insecure "$hub/library/hi-docker:1" | jq -S . >"$BATS_TEST_TMPDIR/docker"
  archway manifest inspect --json "$hub/library/hi-docker:1" | jq -S . >"$BATS_TEST_TMPDIR/ours"
  diff -u "$BATS_TEST_TMPDIR/docker" "$BATS_TEST_TMPDIR/ours"
}

@test "manifest inspect: the raw bytes, and a table" {
  archway manifest inspect --raw "$hub/library/hi:1" >"$BATS_TEST_TMPDIR/raw"
  assert_equal "hash" "sha256:$(sha256 "$BATS_TEST_TMPDIR/raw")" "$(tag_digest library/hi:1)"
  run archway manifest inspect "$hub/library/attested:1"
  assert_equal "status" "$status" 0
  assert_matches "a row" "$output" $'linux/arm64\t'"$(child library/attested:1 linux/arm64/v8)"
  run script -qec "$ARCHWAY_BINARY manifest inspect $hub/library/attested:1" /dev/null
  assert_equal "status on a terminal ($output)" "$status" 0
  assert_matches "attestations apart" "$output" 'ATTESTATION OF'
  run script -qec "$ARCHWAY_BINARY manifest inspect $hub/library/single:1" /dev/null
  assert_matches "a single image" "$output" 'linux/amd64'
}

@test "manifest inspect: says through a gateway what is cached" {
  fetch GET "http://$gate/v2/library/hi/manifests/1" -H 'Archway-Platform: linux/arm64'
  run archway manifest inspect --gateway "$gate" --admin "$admin" hi:1
  assert_equal "status ($output)" "$status" 0
  assert_matches "the platform that was pulled" "$output" "linux/arm64[^\n]*$(child library/hi:1 linux/arm64/v8)"
}

@test "manifest: what does not exist, nobody there, what makes no sense" {
  run archway manifest inspect "$hub/library/no-such-image:1"
  assert_equal "not found" "$status" 3
  assert_matches "message" "$output" 'no-such-image'
  run archway manifest inspect 127.0.0.1:1/library/hi:1
  assert_equal "unreachable" "$status" 4
  run archway manifest inspekt "$hub/library/hi:1"
  assert_equal "usage" "$status" 2
  assert_matches "the nearest word" "$output" 'did you mean inspect'
  run archway manifest inspect 'UPPER/case:1'
  assert_equal "a name that is none" "$status" 2
}

# of_index FILE: platforms and digests, in order.
of_index() { jq -c '[.manifests[] | [.platform.os + "/" + .platform.architecture, .digest]]' "$1"; }

@test "manifest create and push: within one repository" {
  local target=$hub/username/made:1
  # Both children in the target's own repository first.
  skopeo copy --quiet --src-tls-verify=false --dest-tls-verify=false "docker://$hub/username/test:1" "docker://$hub/username/made:amd64"
  skopeo copy --quiet --src-tls-verify=false --dest-tls-verify=false "docker://$hub/username/arm64v8-test:1" "docker://$hub/username/made:arm64"
  archway manifest create "$target" "$hub/username/made:amd64" "$hub/username/made:arm64"
  run --separate-stderr archway manifest push "$target"
  assert_equal "status ($stderr)" "$status" 0
  raw "$target" >"$BATS_TEST_TMPDIR/index"
  assert_equal "the digest it printed" "${lines[-1]}" "sha256:$(sha256 "$BATS_TEST_TMPDIR/index")"
  assert_equal "entries" "$(of_index "$BATS_TEST_TMPDIR/index")" \
    "[[\"linux/amd64\",\"$(tag_digest username/test:1)\"],[\"linux/arm64\",\"$(tag_digest username/arm64v8-test:1)\"]]"
}

@test "manifest create and push: across repositories, layers and all, and dockerd pulls it" {
  local target=$hub/username/across:1 digest
  archway manifest create "$target" "$hub/username/test:1" "$hub/username/arm64v8-test:1"
  archway manifest annotate "$target" "$hub/username/arm64v8-test:1" --variant v8
  run archway manifest create "$target" "$hub/username/test:1"
  assert_equal "a draft that exists is not overwritten" "$status" 1
  archway manifest push --purge "$target"
  raw "$target" >"$BATS_TEST_TMPDIR/index"
  assert_equal "variant" "$(jq -r '.manifests[1].platform.variant' "$BATS_TEST_TMPDIR/index")" v8
  for digest in $(layers_of username/arm64v8-test:1 linux/arm64/v8) $(config_of username/arm64v8-test:1 linux/arm64/v8); do
    fetch GET "http://$hub/v2/username/across/blobs/$digest"
    assert_equal "blob $digest of the target repository" "$code" 200
  done
  printf '{}\n' >/etc/docker/daemon.json
  service_start dockerd dockerd --config-file /etc/docker/daemon.json --host unix:///run/docker.sock \
    --data-root "$stack_dir/docker" --exec-root /run/docker --pidfile /run/docker.pid --storage-driver vfs \
    --bridge=none --iptables=false --ip6tables=false --cgroup-parent "/${ARCHWAY_E2E_WORK##*/}"
  service_await dockerd 30 "dockerd answers" docker version
  docker pull --quiet "$target"
  assert_equal "image id" "$(docker image inspect --format '{{.Id}}' "$target")" "$(config_of username/test:1 linux/amd64)"
  docker pull --quiet --platform linux/arm64 "$target"
  assert_equal "image id" "$(docker image inspect --format '{{.Id}}' "$target")" "$(config_of username/arm64v8-test:1 linux/arm64/v8)"
}

@test "manifest create and push: to another registry, an index among the sources" {
  local target=$ghcr/copied/across:1
  archway manifest create "$target" "$hub/library/hi:1"
  archway manifest push "$target"
  raw "$target" >"$BATS_TEST_TMPDIR/index"
  assert_equal "entries" "$(jq -c '[.manifests[].digest] | sort' "$BATS_TEST_TMPDIR/index")" \
    "$(image library/hi:1 '[.platforms[].digest] | sort | tostring')"
  skopeo copy --all --quiet --src-tls-verify=false "docker://$target" "dir:$BATS_TEST_TMPDIR/all"
}

@test "manifest create: the same sources give the same digest" {
  archway manifest create "$hub/username/same:1" "$hub/username/test:1" "$hub/username/arm64v8-test:1"
  run --separate-stderr archway manifest push --purge "$hub/username/same:1"
  local first=${lines[-1]}
  archway manifest create "$hub/username/same:2" "$hub/username/test:1" "$hub/username/arm64v8-test:1"
  run --separate-stderr archway manifest push --purge "$hub/username/same:2"
  assert_equal "digest" "${lines[-1]}" "$first"
}

@test "manifest create --virtual: an image of the gateway's own, while it runs" {
  run --separate-stderr archway manifest create --virtual --admin "$admin" docker.io/username/apart:1 \
    linux/amd64=docker.io/username/test:1 linux/arm64=docker.io/username/arm64v8-test:1
  assert_equal "status ($stderr)" "$status" 0
  assert_manifest "http://$gate/v2/username/apart/manifests/1" "$(tag_digest username/arm64v8-test:1)" -H 'Archway-Platform: linux/arm64'
  fetch GET "http://$gate/v2/username/apart/blobs/$(layers_of username/arm64v8-test:1 linux/arm64/v8 | tail -n 1)"
  assert_equal "a member's layer under the virtual name" "$code" 200
  stop_archway
  start_archway
  assert_manifest "http://$gate/v2/username/apart/manifests/1" "$(tag_digest username/test:1)" -H 'Archway-Platform: linux/amd64'
}

@test "manifest create --virtual: members that are not there are reported" {
  run archway manifest create --virtual --admin "$admin" docker.io/username/half:1 \
    linux/amd64=docker.io/username/test:1 linux/arm64=docker.io/username/no-such-image:1
  assert_equal "status" "$status" 5
  assert_matches "message" "$output" 'no-such-image'
}

@test "config check --online: names members and upstreams that are not there" {
  archway_config 'images:
  docker.io/username/partly:1:
    linux/amd64: docker.io/username/test
    linux/arm64: docker.io/username/no-such-image' >"$BATS_TEST_TMPDIR/partly.yaml"
  run archway config check --online "$BATS_TEST_TMPDIR/partly.yaml"
  assert_equal "status ($output)" "$status" 5
  assert_matches "message" "$output" 'no-such-image'
}

@test "doctor: says what each kind of client would get" {
  run archway doctor --admin "$admin" --image hi:1 "http://$gate"
  assert_equal "status ($output)" "$status" 0
  assert_matches "arm64" "$output" 'linux/arm64'
  run archway doctor --admin 127.0.0.1:1 http://127.0.0.1:1
  assert_equal "status without a gateway" "$status" 4
}
