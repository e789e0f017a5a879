# skopeo, which names archway in the reference and checks every digest: inspect and copy, whole images.

load helpers

setup_file() {
  need skopeo
  listeners="  - address: 127.0.0.1:5007
    platform: linux/arm/v7
  - address: 127.0.0.1:5064
    platform: linux/arm64"
  start_registry hub "$hub"
  start_registry ghcr "$ghcr"
  start_archway
  printf '{"default": [{"type": "insecureAcceptAnything"}]}\n' >/etc/containers/policy.json
}

sko() { skopeo --command-timeout 60s "$@"; }

@test "skopeo: inspect --raw is the index, byte for byte" {
  sko inspect --tls-verify=false --raw "docker://$gate/library/hi:1" >"$BATS_TEST_TMPDIR/raw"
  assert_equal "hash" "sha256:$(sha256 "$BATS_TEST_TMPDIR/raw")" "$(tag_digest library/hi:1)"
}

@test "skopeo: inspect picks its own platform, or the one it was told" {
  sko inspect --tls-verify=false --config "docker://$gate/library/hi:1" | jq -e '.architecture == "amd64"'
  sko --override-arch s390x inspect --tls-verify=false --config "docker://$gate/library/hi:1" |
    jq -e '.architecture == "s390x"'
}

@test "skopeo: each listener gives the platform it stands for" {
  sko inspect --tls-verify=false --raw docker://127.0.0.1:5007/library/hi:1 >"$BATS_TEST_TMPDIR/v7"
  assert_equal "listener of arm/v7" "sha256:$(sha256 "$BATS_TEST_TMPDIR/v7")" "$(child library/hi:1 linux/arm/v7)"
  sko inspect --tls-verify=false --raw docker://127.0.0.1:5064/library/hi:1 >"$BATS_TEST_TMPDIR/arm64"
  assert_equal "listener of arm64" "sha256:$(sha256 "$BATS_TEST_TMPDIR/arm64")" "$(child library/hi:1 linux/arm64/v8)"
  sko inspect --tls-verify=false docker://127.0.0.1:5064/library/hi:1 | jq -e '.Architecture == "arm64"'
}

# check_copy DIRECTORY: every file of a copied image is what its name says.
check_copy() {
  local file
  for file in "$1"/*; do
    case ${file##*/} in
      version | manifest.json) ;;
      *.manifest.json) assert_equal "${file##*/}" "$(sha256 "$file").manifest.json" "${file##*/}" ;;
      *) assert_equal "${file##*/}" "$(sha256 "$file")" "${file##*/}" ;;
    esac
  done
}

# copy_all SOURCE IMAGE: copies every platform and compares all of it with what the upstream holds.
copy_all() {
  local source=$1 name=$2 out=$BATS_TEST_TMPDIR/copy digest
  sko copy --all --quiet --src-tls-verify=false "docker://$source" "dir:$out"
  assert_equal "index" "sha256:$(sha256 "$out/manifest.json")" "$(tag_digest "$name")"
  for digest in $(children_of "$name"); do
    [[ -s $out/${digest#sha256:}.manifest.json ]] || fail "the copy has no $digest"
  done
  while read -r digest; do
    [[ -s $out/${digest#sha256:} ]] || fail "the copy has no blob $digest"
  done < <(image "$name" '.platforms[] | .config.digest, .layers[].digest')
  check_copy "$out"
}

@test "skopeo: copy --all takes every platform of an OCI index" {
  copy_all "$gate/library/hi:1" library/hi:1
}

@test "skopeo: copy --all takes every platform of a Docker schema-2 list" {
  copy_all "$gate/library/hi-docker:1" library/hi-docker:1
}

@test "skopeo: copy --all takes the attestations too" {
  copy_all "$gate/library/attested:1" library/attested:1
}

@test "skopeo: copy --all by digest, from a second upstream" {
  copy_all "$gate/ghcr.io/org/tool@$(tag_digest org/tool:1)" org/tool:1
}

@test "skopeo: copy through a listener with a platform takes that platform" {
  local out=$BATS_TEST_TMPDIR/copy
  sko copy --all --quiet --src-tls-verify=false docker://127.0.0.1:5007/library/hi:1 "dir:$out"
  assert_equal "manifest" "sha256:$(sha256 "$out/manifest.json")" "$(child library/hi:1 linux/arm/v7)"
  check_copy "$out"
}

@test "skopeo: an index by digest is whole through a listener with a platform" {
  copy_all "127.0.0.1:5064/library/hi@$(tag_digest library/hi:1)" library/hi:1
}

@test "skopeo: list-tags" {
  sko list-tags --tls-verify=false "docker://$gate/library/many" |
    jq -e '.Tags | sort == ["v1", "v2", "v3", "v4", "v5", "v6", "v7"]'
}

@test "skopeo: the upstreams were asked once for each object" {
  # shellcheck disable=SC2046 # one word a digest
  assert_one_get_each hub "$(tag_digest library/hi:1)" $(children_of library/hi:1) \
    $(image library/hi:1 '.platforms[].layers[].digest') "$(tag_digest library/hi-docker:1)" \
    $(children_of library/hi-docker:1) $(children_of library/attested:1)
  # shellcheck disable=SC2046
  assert_one_get_each ghcr "$(tag_digest org/tool:1)" $(children_of org/tool:1)
}
