# The commands of who runs a gateway: warm, export.

load helpers

setup_file() {
  need docker-registry skopeo jq
  printf '{"default": [{"type": "insecureAcceptAnything"}]}\n' >/etc/containers/policy.json
  archway_config >"$stack_dir/archway.yaml"
  start_registry hub "$hub"
  start_registry ghcr "$ghcr"
  start_archway
}

archway() { "$ARCHWAY_BINARY" "$@"; }

# cached_objects IMAGE: how many of its objects, given on standard input, the gateway has.
cached_objects() {
  local digest query=''
  while read -r digest; do query+="&digest=$digest"; done
  curl -sf --max-time 5 "http://$admin/api/v1/cached?image=$1$query" | jq '[.[] | select(.manifest or .blob)] | length'
}

@test "warm: one platform of an image, and nothing of the others" {
  run archway warm hi:1 --platform linux/arm64 --json
  assert_equal "status ($output)" "$status" 0
  assert_equal "digest" "$(jq -r '.[0].digest' <<<"$output")" "$(tag_digest library/hi:1)"
  assert_equal "platforms" "$(jq -c '.[0].platforms' <<<"$output")" '["linux/arm64"]'
  objects_of library/hi:1 linux/arm64/v8 >"$BATS_TEST_TMPDIR/wanted"
  assert_equal "cached" "$(cached_objects hi <"$BATS_TEST_TMPDIR/wanted")" "$(sort -u "$BATS_TEST_TMPDIR/wanted" | wc -l)"
  assert_equal "another platform's manifest" "$(child library/hi:1 linux/amd64 | cached_objects hi)" 0
}

@test "warm: again, it fetches nothing" {
  local before
  before=$(wc -l <"$stack_dir/hub.out")
  run archway warm hi:1 --platform linux/arm64 --json
  assert_equal "status ($output)" "$status" 0
  assert_equal "bytes brought" "$(jq '.[0].brought_bytes' <<<"$output")" 0
  [[ $(tail -n "+$((before + 1))" "$stack_dir/hub.out" | grep -c '"GET ') == 0 ]] || fail "the upstream was asked for bytes"
}

@test "warm: from a list, a compose file and Kubernetes manifests" {
  printf '# ours\nsingle:1\n' >"$BATS_TEST_TMPDIR/list"
  printf 'services:\n  a: {image: "username/test:1"}\n' >"$BATS_TEST_TMPDIR/compose.yaml"
  printf 'kind: Pod\nspec: {containers: [{image: "username/arm64v8-test:1"}]}\n---\nkind: Pod\nspec: {containers: []}\n' \
    >"$BATS_TEST_TMPDIR/pods.yaml"
  local file
  for file in list compose.yaml pods.yaml; do
    run archway warm --from-file "$BATS_TEST_TMPDIR/$file" --json
    assert_equal "$file: status ($output)" "$status" 0
    assert_equal "$file: images" "$(jq length <<<"$output")" 1
  done
  run archway warm -f - --gateway "$gate" <"$BATS_TEST_TMPDIR/list"
  assert_equal "standard input: status ($output)" "$status" 0
}

@test "warm: one that fails is told, the others come" {
  run archway warm no-such-image:1 hi-docker:1 --platform linux/amd64
  assert_equal "status" "$status" 1
  assert_matches "who failed" "$output" 'archway warm: .*no-such-image'
  assert_matches "who came" "$output" 'docker.io/library/hi-docker:1'
  run archway warm hi:1 --admin 127.0.0.1:1
  assert_equal "nobody there" "$status" 4
  assert_matches "what helps" "$output" '--gateway'
}

@test "export: a layout that skopeo reads, and every byte of it right" {
  local folder=$BATS_TEST_TMPDIR/layout file
  run archway export "$folder" hi:1 --platform linux/amd64,linux/arm64 --json
  assert_equal "status ($output)" "$status" 0
  assert_equal "the name" "$(jq -r '.manifests[0].annotations["io.containerd.image.name"]' "$folder/index.json")" docker.io/library/hi:1
  assert_equal "the digest" "$(jq -r '.manifests[0].digest' "$folder/index.json")" "$(tag_digest library/hi:1)"
  for file in "$folder"/blobs/sha256/*; do
    assert_equal "hash" "$(sha256 "$file")" "${file##*/}"
  done
  skopeo --override-arch arm64 copy --quiet "oci:$folder:1" "dir:$BATS_TEST_TMPDIR/copied"
  assert_equal "the manifest that skopeo takes" "sha256:$(sha256 "$BATS_TEST_TMPDIR/copied/manifest.json")" \
    "$(child library/hi:1 linux/arm64/v8)"
  run archway export "$folder" single:1
  assert_equal "a second image ($output)" "$status" 0
  assert_equal "names" "$(jq '.manifests | length' "$folder/index.json")" 2
}

@test "export: a folder with something else is left alone" {
  printf 'dear\n' >"$BATS_TEST_TMPDIR/letter.txt"
  run archway export "$BATS_TEST_TMPDIR" hi:1
  assert_equal "status" "$status" 1
  assert_matches "why" "$output" 'no OCI image layout'
}
