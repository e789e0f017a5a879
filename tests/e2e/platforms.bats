# Who says the platform, and what each platform gets: every platform of the image through every source.
# The one client is curl, so that nothing but the request decides.

load helpers

# The platforms of library/hi:1 in a fixed order; the place in the list gives the port, the host name and
# the address range that stand for it. Windows builds are apart: paths and rules name them by their version.
names=(linux/amd64 linux/386 linux/arm/v5 linux/arm/v6 linux/arm/v7 linux/arm64 linux/ppc64le linux/s390x linux/riscv64)
builds=(10.0.17763 10.0.20348)

entry() {
  case $1 in
    linux/arm64) echo linux/arm64/v8 ;;
    *) echo "$1" ;;
  esac
}
wanted() { child library/hi:1 "$(entry "$1")"; }

setup_file() {
  local n
  listeners=''
  local hosts='' ranges=''
  for n in "${!names[@]}"; do
    listeners+="  - {address: '127.0.0.1:$((5010 + n))', platform: '${names[n]}'}"$'\n'
    hosts+="    ${names[n]//\//-}.mirror.test: '${names[n]}'"$'\n'
    ranges+="    - {from: 127.20.$n.0/24, platform: '${names[n]}'}"$'\n'
  done
  archway_config "platforms:
  hosts:
$hosts  clients:
$ranges    - {from: 127.30.0.0/16, platform: linux/s390x}
    - {from: 127.30.7.0/24, platform: linux/arm/v7}" >"$stack_dir/archway.yaml"
  start_registry hub "$hub"
  start_archway
}

# assert_resolved URL PLATFORM SOURCE [curl option…]
assert_resolved() {
  local url=$1 platform=$2 source=$3
  shift 3
  assert_manifest "$url" "$(wanted "$platform")" "$@"
  assert_equal "$url: who said so" "$(header archway-platform)" "$platform; by=$source"
  assert_equal "$url: the index behind it" "$(header archway-index)" "$(tag_digest library/hi:1)"
}

# assert_untouched URL [curl option…]: the index as the upstream has it.
assert_untouched() {
  assert_manifest "$1" "$(tag_digest library/hi:1)" "${@:2}"
  assert_equal "$1: type" "$(header content-type)" application/vnd.oci.image.index.v1+json
}

tag=v2/library/hi/manifests/1

@test "platforms: in the path, before /v2/" {
  local name
  for name in "${names[@]}"; do
    assert_resolved "http://$gate/platform/${name//\//-}/$tag" "$name" path
  done
}

@test "platforms: in the path, after /v2/" {
  local name
  for name in "${names[@]}"; do
    assert_resolved "http://$gate/v2/platform/${name//\//-}/library/hi/manifests/1" "$name" path
    assert_resolved "http://$gate/v2/platform/${name//\//-}/docker.io/library/hi/manifests/1" "$name" path
  done
}

@test "platforms: in the request header" {
  local name
  for name in "${names[@]}"; do
    assert_resolved "http://$gate/$tag" "$name" header -H "Archway-Platform: $name"
  done
}

@test "platforms: by the host name that the client used" {
  local name
  for name in "${names[@]}"; do
    assert_resolved "http://${name//\//-}.mirror.test:5000/$tag" "$name" host \
      --resolve "${name//\//-}.mirror.test:5000:127.0.0.1"
  done
}

@test "platforms: by the listener" {
  local n
  for n in "${!names[@]}"; do
    assert_resolved "http://127.0.0.1:$((5010 + n))/$tag" "${names[n]}" listener
  done
}

@test "platforms: by the client's address" {
  local n
  for n in "${!names[@]}"; do
    assert_resolved "http://$gate/$tag" "${names[n]}" address --interface "127.20.$n.9"
  done
}

@test "platforms: the longest address range wins" {
  assert_resolved "http://$gate/$tag" linux/s390x address --interface 127.30.1.1
  assert_resolved "http://$gate/$tag" linux/arm/v7 address --interface 127.30.7.1
}

@test "platforms: a Docker schema-2 list is resolved like an OCI index" {
  local name
  for name in "${names[@]}"; do
    assert_manifest "http://$gate/v2/library/hi-docker/manifests/1" "$(child library/hi-docker:1 "$(entry "$name")")" \
      -H "Archway-Platform: $name"
    assert_equal "$name: type" "$(header content-type)" application/vnd.docker.distribution.manifest.v2+json
  done
}

@test "platforms: a Windows client gets the manifest of its own build" {
  local build digest
  for build in "${builds[@]}"; do
    digest=$(image library/hi:1 ".platforms | to_entries[] | select(.key | startswith(\"windows($build.\")) | .value.digest")
    assert_manifest "http://$gate/$tag" "$digest" -H "Archway-Platform: windows($build)/amd64"
    assert_matches "who said so" "$(header archway-platform)" '^windows.*amd64; by=header$'
  done
}

@test "platforms: a Windows client of an unknown build gets the index, not a guess" {
  assert_untouched "http://$gate/$tag" -H 'Archway-Platform: windows/amd64'
}

@test "platforms: aliases mean the same machine" {
  assert_manifest "http://$gate/$tag" "$(wanted linux/arm64)" -H 'Archway-Platform: linux/aarch64'
  assert_manifest "http://$gate/$tag" "$(wanted linux/amd64)" -H 'Archway-Platform: linux/x86_64'
  assert_manifest "http://$gate/$tag" "$(wanted linux/arm/v7)" -H 'Archway-Platform: linux/armhf'
}

@test "platforms: what a machine can also run comes after its own" {
  # No entry for amd64/v3 and arm/v8: the ladder goes down to what is there.
  assert_manifest "http://$gate/$tag" "$(wanted linux/amd64)" -H 'Archway-Platform: linux/amd64/v3'
  assert_manifest "http://$gate/$tag" "$(wanted linux/arm/v7)" -H 'Archway-Platform: linux/arm/v8'
}

@test "platforms: one that the image does not have passes the index on" {
  assert_untouched "http://$gate/$tag" -H 'Archway-Platform: linux/loong64'
}

@test "platforms: an attestation is never chosen" {
  assert_manifest "http://$gate/v2/library/attested/manifests/1" "$(child library/attested:1 linux/arm64/v8)" \
    -H 'Archway-Platform: linux/arm64'
  assert_manifest "http://$gate/v2/library/attested/manifests/1" "$(tag_digest library/attested:1)" \
    -H 'Archway-Platform: unknown/unknown'
}

@test "platforms: a client that says nothing gets the index as it is" {
  assert_untouched "http://$gate/$tag"
  assert_untouched "http://$gate/$tag" -H "Accept: $manifest_types, $index_types"
}

@test "platforms: a User-Agent is only a hint when the client can choose for itself" {
  assert_untouched "http://$gate/$tag" -A "${docker_agent/ARCH/arm64}" -H "Accept: $manifest_types, $index_types"
  assert_untouched "http://$gate/$tag" -A "${docker_agent/ARCH/arm64}" -H 'Accept: */*'
  # dockerd sends its types as six lines in random order.
  assert_untouched "http://$gate/$tag" -A "${docker_agent/ARCH/arm64}" \
    -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' -H 'Accept: application/json' \
    -H 'Accept: application/vnd.docker.distribution.manifest.v1+prettyjws' \
    -H 'Accept: application/vnd.docker.distribution.manifest.list.v2+json' \
    -H 'Accept: application/vnd.oci.image.manifest.v1+json' -H 'Accept: application/vnd.oci.image.index.v1+json'
}

@test "platforms: a User-Agent decides for a client that cannot choose" {
  assert_resolved "http://$gate/$tag" linux/arm64 user-agent -A "${docker_agent/ARCH/arm64}" -H "Accept: $manifest_types"
  assert_resolved "http://$gate/$tag" linux/s390x user-agent -A "${docker_agent/ARCH/s390x}" -H "Accept: $manifest_types"
}

@test "platforms: a client that cannot choose and says nothing gets the default platform" {
  assert_resolved "http://$gate/$tag" linux/amd64 default -H "Accept: $manifest_types"
}

@test "platforms: a rule and a User-Agent that disagree pass the index on" {
  # 127.20.7.0/24 is linux/s390x by the rules, and the daemon there says it runs on arm64.
  assert_untouched "http://$gate/$tag" --interface 127.20.7.9 -A "${docker_agent/ARCH/arm64}" \
    -H "Accept: $manifest_types, $index_types"
  # The same architecture is no conflict.
  assert_resolved "http://$gate/$tag" linux/s390x address --interface 127.20.7.9 -A "${docker_agent/ARCH/s390x}" \
    -H "Accept: $manifest_types, $index_types"
}

@test "platforms: path before header before host before listener before address" {
  local -a rest=(--interface 127.20.8.9 --resolve linux-arm-v5.mirror.test:5007:127.0.0.1
    --resolve linux-arm-v5.mirror.test:5016:127.0.0.1)
  local host=linux-arm-v5.mirror.test:5016
  assert_resolved "http://$host/platform/linux-386/$tag" linux/386 path "${rest[@]}" -H 'Archway-Platform: linux/arm64'
  assert_resolved "http://$host/$tag" linux/arm64 header "${rest[@]}" -H 'Archway-Platform: linux/arm64'
  assert_resolved "http://$host/$tag" linux/arm/v5 host "${rest[@]}"
  assert_resolved "http://127.0.0.1:5016/$tag" linux/ppc64le listener "${rest[@]}"
  assert_resolved "http://$gate/$tag" linux/riscv64 address "${rest[@]}"
}

@test "platforms: by digest everyone gets what was asked for, children of every platform included" {
  local digest
  for digest in "$(tag_digest library/hi:1)" $(children_of library/hi:1); do
    assert_manifest "http://$gate/v2/library/hi/manifests/$digest" "$digest"
    assert_manifest "http://$gate/v2/library/hi/manifests/$digest" "$digest" -H 'Archway-Platform: linux/arm/v7'
    assert_manifest "http://$gate/platform/linux-s390x/v2/library/hi/manifests/$digest" "$digest"
    assert_manifest "http://127.0.0.1:5012/v2/library/hi/manifests/$digest" "$digest"
    assert_manifest "http://$gate/v2/library/hi/manifests/$digest" "$digest" -A "${docker_agent/ARCH/arm64}" \
      -H "Accept: $manifest_types"
  done
}

@test "platforms: an answer that depends on the request says so in Vary" {
  fetch GET "http://$gate/$tag" -H 'Archway-Platform: linux/arm64'
  assert_matches "Vary" "$(header vary)" '[Aa]rchway-[Pp]latform'
  assert_matches "Vary" "$(header vary)" '[Aa]ccept'
}

@test "platforms: a platform that cannot be read is refused with a message" {
  fetch GET "http://$gate/platform/linux-*/$tag"
  assert_matches "status" "$code" '^4'
  jq -e '.errors[0].message | length > 9' "$body"
}

@test "platforms: the metrics count requests by platform" {
  [[ $(metric 'archway_requests_total[{].*platform="linux/arm/v7"') -gt 0 ]]
  [[ $(metric 'archway_requests_total[{].*kind="manifest"') -gt 0 ]]
}

@test "platforms: the upstream was asked once for each object" {
  # shellcheck disable=SC2046 # one word a digest
  assert_one_get_each hub "$(tag_digest library/hi:1)" $(children_of library/hi:1) "$(tag_digest library/hi-docker:1)"
}
