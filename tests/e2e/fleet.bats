# The two scenes that archway exists for, with real clients and a real registry.

bats_require_minimum_version 1.5.0
load helpers

setup_file() {
  need dockerd docker containerd ctr podman skopeo openssl
  # A CA, the gateway's certificate, and one for a node.
  local dir=$stack_dir
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=fleet CA" -keyout "$dir/ca.key" -out "$dir/ca.crt" 2>/dev/null
  certificate gateway "subjectAltName=IP:127.0.0.1"
  certificate node-riscv "subjectAltName=DNS:node-riscv"
  listeners="  - {address: '127.0.0.1:5006', platform: linux/arm/v6}
  - address: 127.0.0.1:5443
    tls: {certificate: $dir/gateway.crt, key: $dir/gateway.key, client_ca: $dir/ca.crt}"
  archway_config "platforms:
  wrong: refuse
  certificates: {node-riscv: linux/riscv64}
  clients:
    - {from: 127.50.0.0/16, platform: linux/s390x}
images:
  docker.io/username/virtual:
    linux/amd64: docker.io/username/test
    linux/arm64: docker.io/username/arm64v8-test
  docker.io/username/partly:
    linux/amd64: docker.io/username/test
    linux/arm64: docker.io/username/no-such-image" >"$stack_dir/archway.yaml"
  start_registry hub "$hub"
  start_archway
  printf '{"default": [{"type": "insecureAcceptAnything"}]}\n' >/etc/containers/policy.json
  printf '[storage]\ndriver = "vfs"\nrunroot = "/run/storage"\ngraphroot = "%s/storage"\n' "$stack_dir" \
    >/etc/containers/storage.conf
  service_start containerd containerd --config /dev/null --root "$stack_dir/containerd" \
    --state /run/containerd --address /run/containerd/containerd.sock
  service_await containerd 30 "containerd answers" ctr version
  cp "$clients/docker/daemon.json" /etc/docker/daemon.json
  service_start dockerd dockerd --config-file /etc/docker/daemon.json --host unix:///run/docker.sock \
    --data-root "$stack_dir/docker" --exec-root /run/docker --pidfile /run/docker.pid --storage-driver vfs \
    --bridge=none --iptables=false --ip6tables=false --cgroup-parent "/${ARCHWAY_E2E_WORK##*/}" \
    --containerd /run/containerd/containerd.sock
  service_await dockerd 30 "dockerd answers" docker version
}

# certificate NAME EXTENSION: signed by the CA; the subject's common name is NAME.
certificate() {
  openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout "$stack_dir/$1.key" -out "$stack_dir/$1.csr" 2>/dev/null
  openssl x509 -req -in "$stack_dir/$1.csr" -CA "$stack_dir/ca.crt" -CAkey "$stack_dir/ca.key" -CAcreateserial \
    -days 2 -extfile <(printf '%s\n' "$2") -out "$stack_dir/$1.crt" 2>/dev/null
}

pod() { podman --runtime runc --cgroup-manager cgroupfs "$@"; }

# node PLATFORM: hosts.toml of a containerd node that states it; archway is its only registry.
node() {
  hosts=$BATS_TEST_TMPDIR/$1
  mkdir -p "$hosts/_default"
  printf '[host."http://%s"]\n  capabilities = ["pull", "resolve"]\n  [host."http://%s".header]\n    Archway-Platform = "%s"\n' \
    "$gate" "$gate" "$2" >"$hosts/_default/hosts.toml"
}

# fetch_as NODE IMAGE: what a containerd node has afterwards under that name, by digest.
fetch_as() {
  ctr --namespace "$1" content fetch --hosts-dir "$hosts" "$2" >"$BATS_TEST_TMPDIR/$1.log"
  ctr --namespace "$1" images ls "name==$2" | awk 'NR == 2 { print $3 }'
}

@test "fleet: one tag, seven kinds of machine, seven right images" {
  local name=docker.io/library/hi:1 digest
  # 1. dockerd on amd64, which says nothing but its User-Agent.
  docker pull --quiet hi:1
  assert_equal "dockerd" "$(docker image inspect --format '{{.Id}}' hi:1)" "$(config_of library/hi:1 linux/amd64)"
  # 2. containerd on arm64 and, 3. and 4., on two builds of Windows: by header.
  node arm64 linux/arm64
  assert_equal "containerd on arm64" "$(fetch_as arm64 $name)" "$(child library/hi:1 linux/arm64/v8)"
  node server2019 'windows(10.0.17763)/amd64'
  assert_equal "Windows 2019" "$(fetch_as server2019 $name)" "$(child library/hi:1 'windows(10.0.17763.5936)/amd64')"
  node server2022 'windows(10.0.20348)/amd64'
  assert_equal "Windows 2022" "$(fetch_as server2022 $name)" "$(child library/hi:1 'windows(10.0.20348.2527)/amd64')"
  # 5. podman on arm/v7: by path.
  rm -f /etc/containers/registries.conf.d/*
  cp "$clients/podman/50-archway-platform.conf" /etc/containers/registries.conf.d/
  pod pull --quiet $name
  assert_equal "podman on arm/v7" "sha256:$(pod image inspect --format '{{.Id}}' $name)" "$(config_of library/hi:1 linux/arm/v7)"
  # 6. skopeo by the port for arm/v6.
  skopeo inspect --tls-verify=false --raw docker://127.0.0.1:5006/library/hi:1 >"$BATS_TEST_TMPDIR/v6"
  assert_equal "the port of arm/v6" "sha256:$(sha256 "$BATS_TEST_TMPDIR/v6")" "$(child library/hi:1 linux/arm/v6)"
  # 7. containerd on riscv64: by its certificate.
  hosts=$BATS_TEST_TMPDIR/tls
  mkdir -p "$hosts/_default"
  printf '[host."https://127.0.0.1:5443"]\n  capabilities = ["pull", "resolve"]\n  ca = "%s"\n  client = [["%s", "%s"]]\n' \
    "$stack_dir/ca.crt" "$stack_dir/node-riscv.crt" "$stack_dir/node-riscv.key" >"$hosts/_default/hosts.toml"
  assert_equal "containerd on riscv64" "$(fetch_as riscv64 $name)" "$(child library/hi:1 linux/riscv64)"
  # A Windows of a build that no entry runs on is not given another one's.
  node server2016 'windows(10.0.14393)/amd64'
  assert_equal "Windows 2016" "$(fetch_as server2016 $name)" "$(tag_digest library/hi:1)"
}

@test "fleet: a node is known by its certificate, and only by one that the CA signed" {
  local tls=(--cacert "$stack_dir/ca.crt") url=https://127.0.0.1:5443/v2/library/hi/manifests/1
  assert_manifest "$url" "$(child library/hi:1 linux/riscv64)" "${tls[@]}" --cert "$stack_dir/node-riscv.crt" --key "$stack_dir/node-riscv.key"
  assert_equal "who said so" "$(header archway-platform)" 'linux/riscv64; by=certificate'
  assert_manifest "$url" "$(tag_digest library/hi:1)" "${tls[@]}"
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=node-riscv" -keyout "$BATS_TEST_TMPDIR/own.key" -out "$BATS_TEST_TMPDIR/own.crt" 2>/dev/null
  run curl -sS -o /dev/null --max-time 10 "${tls[@]}" --cert "$BATS_TEST_TMPDIR/own.crt" --key "$BATS_TEST_TMPDIR/own.key" "$url"
  [[ $status != 0 ]] || fail "a certificate of nobody's was taken"
}

@test "fleet: what was published apart is one image, and an arm64 node runs it" {
  local name=docker.io/username/virtual:1 emulator
  emulator=$(command -v qemu-aarch64-static || command -v qemu-aarch64) || fail "this test needs qemu-aarch64-static (Debian package qemu-user-static)"
  node arm64 linux/arm64
  ctr --namespace virtual images pull --hosts-dir "$hosts" --snapshotter native $name
  assert_equal "digest" "$(ctr --namespace virtual images ls "name==$name" | awk 'NR == 2 { print $3 }')" "$(tag_digest username/arm64v8-test:1)"
  # This machine is no arm64: the emulator is what its kernel would be.
  run --separate-stderr ctr --namespace virtual run --rm --snapshotter native --runc-binary runc \
    --mount "type=bind,src=$emulator,dst=/emulator,options=bind:ro" $name hi-$BATS_TEST_NUMBER /emulator /hi
  assert_equal "output ($stderr)" "$output" "hi from linux/arm64/v8"
}

@test "fleet: the virtual index is the same at every look, by tag and by digest" {
  local first second
  fetch GET "http://$gate/v2/username/virtual/manifests/1"
  assert_equal "status" "$code" 200
  first=$(header docker-content-digest)
  assert_equal "entries" "$(jq -c '[.manifests[].digest]' "$body")" \
    "[\"$(tag_digest username/test:1)\",\"$(tag_digest username/arm64v8-test:1)\"]"
  assert_equal "platforms" "$(jq -c '[.manifests[].platform.architecture]' "$body")" '["amd64","arm64"]'
  stop_archway
  rm -rf "$stack_dir/cache"
  start_archway
  fetch GET "http://$gate/v2/username/virtual/manifests/1"
  second=$(header docker-content-digest)
  assert_equal "digest from an empty cache" "$second" "$first"
  assert_manifest "http://$gate/v2/username/virtual/manifests/$first" "$first"
  assert_manifest "http://$gate/v2/username/virtual/manifests/1" "$(tag_digest username/test:1)" -H 'Archway-Platform: linux/amd64'
}

@test "fleet: dockerd pulls the virtual image for its own platform" {
  docker pull --quiet username/virtual:1
  assert_equal "image id" "$(docker image inspect --format '{{.Id}}' username/virtual:1)" "$(config_of username/test:1 linux/amd64)"
}

@test "fleet: a member that does not exist is left out" {
  fetch GET "http://$gate/v2/username/partly/manifests/1"
  assert_equal "status" "$code" 200
  assert_equal "platforms" "$(jq -c '[.manifests[].platform.architecture]' "$body")" '["amd64"]'
  fetch GET "http://$gate/v2/username/partly/manifests/no-such-tag"
  assert_error 404 'MANIFEST_UNKNOWN|NAME_UNKNOWN'
}

@test "fleet: without a virtual image the pull fails with a sentence that says why" {
  node arm64 linux/arm64
  run ctr --namespace apart images pull --hosts-dir "$hosts" --snapshotter native docker.io/username/test:1
  assert_equal "status" "$status" 1
  fetch GET "http://$gate/v2/username/test/manifests/1" -H 'Archway-Platform: linux/arm64'
  assert_error 403 DENIED
  assert_matches "message" "$(jq -r '.errors[0].message' "$body")" \
    '^docker\.io/username/test:1 is an image for linux/amd64 alone, not for linux/arm64 \(as a header of the request says\)'
  printf '[[registry]]\nprefix = "docker.io"\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "127.0.0.1:5000/platform/linux-arm64/docker.io"\ninsecure = true\n' \
    >/etc/containers/registries.conf.d/50-archway.conf
  rm -f /etc/containers/registries.conf.d/50-archway-platform.conf
  run pod pull --quiet docker.io/username/test:1
  [[ $status != 0 ]] || fail "the pull went through"
  assert_matches "what podman prints" "$output" 'is an image for linux/amd64 alone, not for linux/arm64'
}
