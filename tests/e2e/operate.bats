# The commands of who runs a gateway, against a running one and against its directory once it has stopped.

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

@test "export and import: one tar file, which skopeo reads, too, and skopeo's, which archway reads" {
  local tar=$BATS_TEST_TMPDIR/images.tar layer other=$BATS_TEST_TMPDIR/other.tar
  run archway export "$tar" hi:1 --platform linux/arm64
  assert_equal "status ($output)" "$status" 0
  assert_matches "the last line" "$(tail -n 1 <<<"$output")" "^archway export: 1 of 1 image is in $tar, .* were fetched\$"
  tar -tf "$tar" >"$BATS_TEST_TMPDIR/names"
  assert_equal "the first name" "$(head -n 1 "$BATS_TEST_TMPDIR/names")" oci-layout
  skopeo --override-arch arm64 copy --quiet "oci-archive:$tar:1" "dir:$BATS_TEST_TMPDIR/copied"
  assert_equal "the manifest that skopeo takes" "sha256:$(sha256 "$BATS_TEST_TMPDIR/copied/manifest.json")" \
    "$(child library/hi:1 linux/arm64/v8)"
  skopeo copy --quiet --src-tls-verify=false "docker://$gate/username/test:1" "oci-archive:$other:1"
  archway rm username/test -q
  run archway import "$other" --as username/test:again
  assert_equal "status ($output)" "$status" 0
  fetch GET "http://$gate/v2/username/test/manifests/again"
  assert_equal "status" "$code" 200
  assert_equal "what is left beside the files" "$(find "$BATS_TEST_TMPDIR" -name '*.tar*' | wc -l)" 2
  printf 'no tar' >"$other"
  run archway import "$other"
  assert_equal "status of a file that is no tar" "$status" 1
  assert_matches "why" "$output" 'is no whole tar file'
}

@test "export: a folder with something else is left alone" {
  printf 'dear\n' >"$BATS_TEST_TMPDIR/letter.txt"
  run archway export "$BATS_TEST_TMPDIR" hi:1
  assert_equal "status" "$status" 1
  assert_matches "why" "$output" 'no OCI image layout'
}

@test "ls and status: what is cached, as a table and as JSON" {
  run archway ls hi:1 --json
  assert_equal "status ($output)" "$status" 0
  assert_equal "names" "$(jq -r '.[].name' <<<"$output")" docker.io/library/hi:1
  assert_equal "digest" "$(jq -r '.[0].digest' <<<"$output")" "$(tag_digest library/hi:1)"
  assert_matches "platforms" "$(jq -c '.[0].platforms' <<<"$output")" 'linux/arm64'
  run archway ls 'docker.io/library/hi:*'
  assert_matches "a row" "$output" $'^docker.io/library/hi:1\t'
  run archway status --json
  assert_equal "status ($output)" "$status" 0
  assert_equal "blobs" "$(jq .cache.blobs <<<"$output")" "$(find "$stack_dir/cache/blobs" -type f | wc -l)"
  run archway status
  assert_matches "upstreams" "$output" 'docker.io \(default\), ghcr.io'
}

@test "pin and rm: a pin protects, then the tag goes with its blobs" {
  local layer
  layer=$(layers_of library/single:1 linux/amd64 | head -n 1)
  archway warm single:1 -q
  archway pin single:1
  assert_equal "pinned" "$(archway ls --pinned --json | jq -r '.[].name')" docker.io/library/single:1
  run archway rm single:1
  assert_equal "a pinned one" "$status" 1
  assert_matches "why" "$output" 'is pinned'
  archway unpin single:1
  run archway rm single:1 --dry-run --json
  assert_equal "dry run ($output)" "$(jq '.[0].dry_run' <<<"$output")" true
  assert_equal "still there" "$(cached_objects single <<<"$layer")" 1
  # Other names hold the same image: what is theirs stays.
  run archway rm single:1 --json
  assert_equal "status ($output)" "$status" 0
  assert_equal "tags" "$(jq -c '.[0].tags' <<<"$output")" '["1"]'
  assert_equal "blobs" "$(jq '.[0].blobs' <<<"$output")" 0
  [[ -e $stack_dir/cache/blobs/sha256/${layer:7:2}/${layer:7} ]] || fail "another name's blob is gone"
  archway ls -q | sed 's/:[^:]*$//' | sort -u | xargs "$ARCHWAY_BINARY" rm --json >"$BATS_TEST_TMPDIR/removed"
  assert_matches "bytes" "$(jq 'map(.bytes) | add' "$BATS_TEST_TMPDIR/removed")" '^[1-9]'
  [[ ! -e $stack_dir/cache/blobs/sha256/${layer:7:2}/${layer:7} ]] || fail "its file is still there"
  assert_equal "tags" "$(archway ls --json | jq length)" 0
  run archway rm single:1
  assert_equal "again" "$status" 3
  fetch GET "http://$gate/v2/library/single/blobs/$layer"
  assert_equal "it is fetched anew" "$code" 200
  archway warm hi:1 --platform linux/arm64 -q
}

@test "verify, gc and rebuild: of a running gateway" {
  run archway verify --json
  assert_equal "status ($output)" "$status" 0
  assert_equal "right" "$(jq .right <<<"$output")" true
  local file
  file=$(find "$stack_dir/cache/blobs" -type f -size +1k | head -n 1)
  printf 'x' | dd of="$file" bs=1 seek=10 conv=notrunc status=none
  run archway verify
  assert_equal "status ($output)" "$status" 1
  assert_matches "what" "$output" '1 damaged'
  run archway verify
  assert_equal "put right ($output)" "$status" 0
  run archway gc --json
  assert_equal "gc ($output)" "$status" 0
  run archway rebuild
  assert_equal "rebuild ($output)" "$status" 0
}

@test "import: what was exported is served without an upstream, into a gateway and into a directory" {
  local folder=$BATS_TEST_TMPDIR/layout
  archway export "$folder" hi:1 --platform linux/arm64 -q
  archway rm hi -q
  service_stop hub
  run archway import "$folder" --json
  assert_equal "running ($output)" "$status" 0
  assert_equal "name" "$(jq -r '.images[0].name' <<<"$output")" docker.io/library/hi:1
  assert_manifest "http://$gate/v2/library/hi/manifests/1" "$(child library/hi:1 linux/arm64/v8)" \
    -H "Accept: $index_types, $manifest_types" -H 'Archway-Platform: linux/arm64'
  fetch GET "http://$gate/v2/library/hi/blobs/$(layers_of library/hi:1 linux/arm64/v8 | head -n 1)"
  assert_equal "a layer" "$code" 200
  stop_archway
  archway_config 'log: {level: info}' | sed "s#$stack_dir/cache#$BATS_TEST_TMPDIR/other#" >"$BATS_TEST_TMPDIR/other.yaml"
  mkdir "$BATS_TEST_TMPDIR/other"
  run archway import "$folder" -c "$BATS_TEST_TMPDIR/other.yaml"
  assert_equal "stopped ($output)" "$status" 0
  start_archway "$BATS_TEST_TMPDIR/other.yaml"
  assert_manifest "http://$gate/v2/library/hi/manifests/1" "$(child library/hi:1 linux/arm64/v8)" \
    -H "Accept: $index_types, $manifest_types" -H 'Archway-Platform: linux/arm64'
  stop_archway
  printf 'x' >>"$folder/blobs/sha256/$(layers_of library/hi:1 linux/arm64/v8 | head -n 1 | cut -d : -f 2)"
  run archway import "$folder" -c "$BATS_TEST_TMPDIR/other.yaml"
  assert_equal "a damaged folder ($output)" "$status" 1
  start_registry hub "$hub"
  start_archway
}

@test "every command on the directory of a gateway that was stopped" {
  local config=$stack_dir/archway.yaml
  archway warm hi:1 --platform linux/amd64 -q
  stop_archway
  run archway ls -c "$config" --json
  assert_equal "ls ($output)" "$status" 0
  assert_equal "names" "$(jq -r '.[] | select(.name == "docker.io/library/hi:1") | .name' <<<"$output")" docker.io/library/hi:1
  run archway status -c "$config"
  assert_matches "status" "$output" 'none is running'
  archway pin hi:1 -c "$config"
  assert_equal "pinned" "$(archway ls --pinned --json -c "$config" | jq length)" 1
  archway unpin hi:1 -c "$config"
  run archway verify -c "$config"
  assert_equal "verify ($output)" "$status" 0
  run archway gc -c "$config"
  assert_equal "gc ($output)" "$status" 0
  run archway rm hi:1 -c "$config" --json
  assert_equal "rm ($output)" "$status" 0
  run archway rebuild -c "$config"
  assert_equal "rebuild ($output)" "$status" 0
  run archway verify -c "$config"
  assert_equal "after it ($output)" "$status" 0
  start_archway "$config"
  run archway ls --admin 127.0.0.1:1 -c "$config"
  assert_equal "a port where nobody is" "$status" 4
  sed 's/^admin: .*/admin: 127.0.0.1:1/' "$config" >"$BATS_TEST_TMPDIR/elsewhere.yaml"
  run archway ls -c "$BATS_TEST_TMPDIR/elsewhere.yaml"
  assert_equal "a directory that is held ($output)" "$status" 1
  assert_matches "how to reach it" "$output" '--admin'
}
