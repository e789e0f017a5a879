# What a tag is answered with: every policy, by the client whose user would set it. curl states a platform;
# podman, containerd and dockerd show what becomes of it.

bats_require_minimum_version 1.5.0
load helpers

setup_file() {
  need podman containerd ctr dockerd docker
  listeners="  - {address: '127.0.0.1:5007', platform: linux/arm/v7}
  - {address: '127.0.0.1:5008', platform: linux/loong64}
  - {address: '127.0.0.1:5064', platform: linux/arm64}"
  archway_config 'platforms:
  missing: refuse
  wrong: refuse
  conflict: trust
  clients:
    - {from: 127.40.0.0/16, platform: linux/arm64, emulates: [linux/ppc64le, linux/amd64]}
    - {from: 127.41.0.0/16, platform: linux/arm64}
  rules:
    - {match: "docker.io/library/hi-docker", answer: pass}
    - {match: "docker.io/library/attested", answer: filter, missing: pass}
    - {match: "docker.io/library/many", wrong: warn}
    - {match: "docker.io/username/test", wrong: pass}
    - {match: "docker.io/username/multi", answer: filter}' >"$stack_dir/archway.yaml"
  start_registry hub "$hub"
  start_archway
  printf '{"default": [{"type": "insecureAcceptAnything"}]}\n' >/etc/containers/policy.json
  printf '[storage]\ndriver = "vfs"\nrunroot = "/run/storage"\ngraphroot = "%s/storage"\n' "$stack_dir" \
    >/etc/containers/storage.conf
  service_start containerd containerd --config /dev/null --root "$stack_dir/containerd" \
    --state /run/containerd --address /run/containerd/containerd.sock
  service_await containerd 30 "containerd answers" ctr version
  printf '{"registry-mirrors": ["http://127.0.0.1:5008"]}\n' >/etc/docker/daemon.json
  service_start dockerd dockerd --config-file /etc/docker/daemon.json --host unix:///run/docker.sock \
    --data-root "$stack_dir/docker" --exec-root /run/docker --pidfile /run/docker.pid --storage-driver vfs \
    --bridge=none --iptables=false --ip6tables=false --cgroup-parent "/${ARCHWAY_E2E_WORK##*/}" \
    --containerd /run/containerd/containerd.sock
  service_await dockerd 30 "dockerd answers" docker version
}

pod() { podman --runtime runc --cgroup-manager cgroupfs "$@"; }
message() { jq -r '.errors[0].message' "$body"; }

# pull HEADER IMAGE: as a containerd node that states its platform.
pull() {
  local hosts=$BATS_TEST_TMPDIR/certs.d
  mkdir -p "$hosts/_default"
  printf '[host."http://%s"]\n  capabilities = ["pull", "resolve"]\n  [host."http://%s".header]\n    Archway-Platform = "%s"\n' \
    "$gate" "$gate" "$1" >"$hosts/_default/hosts.toml"
  run ctr --namespace "test-$BATS_TEST_NUMBER" images pull --hosts-dir "$hosts" --snapshotter native "$2"
}

@test "policies: resolve gives the child, pass the index, to the same client" {
  assert_manifest "http://$gate/v2/library/hi/manifests/1" "$(child library/hi:1 linux/arm64/v8)" -H 'Archway-Platform: linux/arm64'
  assert_manifest "http://$gate/v2/library/hi-docker/manifests/1" "$(tag_digest library/hi-docker:1)" -H 'Archway-Platform: linux/arm64'
}

@test "policies: filter gives an index of what the client can run, its entries byte for byte" {
  local url=http://$gate/v2/username/multi/manifests/1 digest
  fetch GET "$url" -H 'Archway-Platform: linux/arm/v7'
  assert_equal "status" "$code" 200
  assert_equal "type" "$(header content-type)" application/vnd.oci.image.index.v1+json
  assert_equal "digest" "$(header docker-content-digest)" "sha256:$(sha256 "$body")"
  assert_equal "made from" "$(header archway-index)" "$(tag_digest username/multi:1)"
  assert_equal "platforms" "$(jq -c '[.manifests[].platform | .architecture + "/" + .variant]' "$body")" '["arm/v5","arm/v6","arm/v7"]'
  digest=$(header docker-content-digest)
  # Each entry is a piece of the original document.
  curl -sSf -H "Accept: $index_types" "http://$hub/v2/username/multi/manifests/1" >"$BATS_TEST_TMPDIR/original"
  python3 - "$body" "$BATS_TEST_TMPDIR/original" <<'PYTHON'
import json, sys
filtered, original = (open(name).read() for name in sys.argv[1:])
decoder, entries, at = json.JSONDecoder(), [], filtered.index("[", filtered.index('"manifests"')) + 1
while filtered[at:].lstrip(", \r\n\t").startswith("{"):
    at = filtered.index("{", at)
    _, end = decoder.raw_decode(filtered, at)
    entries.append(filtered[at:end])
    at = end
sys.exit(0 if len(entries) == 3 and all(entry in original for entry in entries) else "an entry was altered")
PYTHON
  assert_manifest "$url" "$digest" -H 'Archway-Platform: linux/arm/v7'
  assert_manifest "http://$gate/v2/username/multi/manifests/$digest" "$digest"
}

@test "policies: filter keeps the attestations about what it keeps, and no others" {
  local kept
  fetch GET "http://$gate/v2/library/attested/manifests/1" -H 'Archway-Platform: linux/arm64'
  kept=$(image library/attested:1 '.platforms["linux/arm64/v8"].digest as $d | [$d, (.attestations[] | select(.of == $d) | .digest)] | sort | tostring')
  assert_equal "entries" "$(jq -c '[.manifests[].digest] | sort' "$body")" "$kept"
}

@test "policies: podman pulls through a filtered index and verifies it by its digest" {
  printf '[[registry]]\nprefix = "docker.io"\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "127.0.0.1:5064/docker.io"\ninsecure = true\n' \
    >/etc/containers/registries.conf.d/50-archway.conf
  local digest
  fetch HEAD "http://127.0.0.1:5064/v2/username/multi/manifests/1"
  digest=$(header docker-content-digest)
  [[ $digest != "$(tag_digest username/multi:1)" ]] || fail "the index was not filtered"
  pod pull --quiet --platform linux/arm64 docker.io/username/multi:1
  assert_equal "digest by tag" "$(pod image inspect --format '{{.Digest}}' docker.io/username/multi:1)" "$digest"
  pod pull --quiet --platform linux/arm64 "docker.io/username/multi@$digest"
  assert_equal "image by digest" "sha256:$(pod image inspect --format '{{.Id}}' "docker.io/username/multi@$digest")" \
    "$(config_of username/multi:1 linux/arm64/v8)"
}

@test "policies: filter makes a wrong statement fail loudly in the client" {
  printf '[[registry]]\nprefix = "docker.io"\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "127.0.0.1:5007/docker.io"\ninsecure = true\n' \
    >/etc/containers/registries.conf.d/50-archway.conf
  # This machine is amd64; the port says arm/v7.
  run pod pull --quiet docker.io/username/multi:1
  [[ $status != 0 ]] || fail "the pull went through: $output"
  assert_matches "message" "$output" 'no image found in (image index|manifest list) for architecture amd64'
}

@test "policies: missing: refuse says who asked for what and what there is" {
  fetch GET "http://$gate/v2/library/hi/manifests/1" -H 'Archway-Platform: linux/loong64'
  assert_error 403 DENIED
  assert_matches "message" "$(message)" '^docker\.io/library/hi:1 has no image for linux/loong64 \(as a header of the request says\); it has linux/amd64, linux/arm/v5, '
  fetch GET "http://$gate/v2/library/hi/manifests/1" -H 'Archway-Platform: windows(10.0.14393)/amd64'
  assert_error 403 DENIED
  assert_matches "message" "$(message)" 'windows\(10\.0\.20348\.2527\)/amd64'
}

@test "policies: docker prints the refusal" {
  run docker pull 127.0.0.1:5008/library/hi:1
  assert_equal "status" "$status" 1
  assert_matches "message" "$output" 'denied: docker\.io/library/hi:1 has no image for linux/loong64 \(as the port that was asked says\)'
}

@test "policies: a rule may say that missing passes" {
  assert_manifest "http://$gate/v2/library/attested/manifests/1" "$(tag_digest library/attested:1)" -H 'Archway-Platform: linux/s390x'
}

@test "policies: a machine gets what it emulates, in the order given, when nothing else is there" {
  local from=(--interface 127.40.0.9)
  assert_manifest "http://$gate/v2/library/single/manifests/1" "$(tag_digest library/single:1)" "${from[@]}"
  assert_manifest "http://$gate/v2/library/hi/manifests/1" "$(child library/hi:1 linux/arm64/v8)" "${from[@]}"
  fetch GET "http://$gate/v2/library/single/manifests/1" --interface 127.41.0.9
  assert_error 403 DENIED
}

@test "policies: wrong: refuse, and what containerd makes of it" {
  fetch GET "http://$gate/v2/library/single/manifests/1" -H 'Archway-Platform: linux/arm64'
  assert_error 403 DENIED
  assert_matches "message" "$(message)" '^docker\.io/library/single:1 is an image for linux/amd64 alone, not for linux/arm64 \(as a header of the request says\)'
  pull linux/arm64 docker.io/library/single:1
  assert_equal "status ($output)" "$status" 1
  pull linux/amd64 docker.io/library/single:1
  assert_equal "status ($output)" "$status" 0
}

@test "policies: wrong: the config is read from the upstream once" {
  fetch GET "http://$gate/v2/library/single/manifests/1" -H 'Archway-Platform: linux/s390x'
  fetch GET "http://$gate/v2/library/single/manifests/1" -H 'Archway-Platform: linux/s390x'
  assert_equal "fetches of the config" "$(upstream_gets hub "$(config_of library/single:1 linux/amd64)")" 1
}

@test "policies: wrong: warn hands it out and says so" {
  local url=http://$gate/v2/library/many/manifests/v1
  fetch GET "$url" -H 'Archway-Platform: linux/arm64'
  assert_equal "status" "$code" 200
  # The first answer does not wait for the config to be read; one of the next bears the warning.
  warned() {
    fetch GET "$url" -H 'Archway-Platform: linux/arm64'
    [[ $(header warning) == *"docker.io/library/many:v1 is an image for linux/amd64 alone"* ]]
  }
  poll 20 "the answer bears a warning" warned
  fetch GET "$url" -H 'Archway-Platform: linux/amd64'
  assert_equal "warning to whom it fits" "$(header warning)" ''
  grep -qF 'docker.io/library/many:v1' "$stack_dir/archway.err"
}

@test "policies: wrong: pass says nothing" {
  fetch GET "http://$gate/v2/username/test/manifests/1" -H 'Archway-Platform: linux/arm64'
  assert_equal "status" "$code" 200
  assert_equal "warning" "$(header warning)" ''
}
