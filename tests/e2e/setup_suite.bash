# Runs once before the first test: fills the registries that every test file starts again for itself.
# shellcheck shell=bash

setup_suite() {
  local here=${BASH_SOURCE[0]%/*}
  export BATS_TEST_DIRNAME=$here BATS_FILE_TMPDIR=$BATS_SUITE_TMPDIR
  # shellcheck source=helpers.bash
  source "$here/helpers.bash"
  need curl jq openssl python3 gcc docker-registry
  start_registry hub "$hub"
  start_registry ghcr "$ghcr"
  local make=("python3" "$here/../support/make_images.py") tags=() tag
  for tag in v1 v2 v3 v4 v5 v6 v7; do tags+=("single=library/many:$tag"); done
  # What was published apart, by one machine each.
  tags+=(single=username/test:1 single-arm64=username/arm64v8-test:1 hi=username/multi:1)
  "${make[@]}" --registry "http://$hub" --summary "$images.hub" \
    hi hi-docker attested single single-arm64 blob:200MiB blob:32MiB "${tags[@]}"
  "${make[@]}" --registry "http://$ghcr" --summary "$images.ghcr" --salt ghcr hi=org/tool:1
  jq -s add "$images.hub" "$images.ghcr" >"$images"
  push_note library/single "$(tag_digest library/single:1)"
  stop_everything
}

# push_note REPOSITORY DIGEST: an artifact about that manifest, listed under the specification's fallback
# tag, because this registry has no referrers of its own. Its digest goes to $ARCHWAY_E2E_WORK/note.
push_note() {
  local base=http://$hub/v2/$1 empty='{}' type=application/vnd.oci.image.manifest.v1+json place note digest config
  config="sha256:$(printf %s "$empty" | openssl dgst -sha256 -r | cut -d ' ' -f 1)"
  place=$(curl -sSf -X POST -o /dev/null -D - "$base/blobs/uploads/" | tr -d '\r' | sed -n 's/^Location: //Ip')
  curl -sSf -X PUT -H 'Content-Type: application/octet-stream' --data-binary "$empty" "$place&digest=$config"
  note='{"schemaVersion":2,"mediaType":"'$type'","artifactType":"application/vnd.example.note",'
  note+='"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"'$config'","size":2},"layers":[],'
  note+='"subject":{"mediaType":"'$type'","digest":"'$2'","size":'$(image library/single:1 .size)'}}'
  digest="sha256:$(printf %s "$note" | openssl dgst -sha256 -r | cut -d ' ' -f 1)"
  curl -sSf -X PUT -H "Content-Type: $type" --data-binary "$note" "$base/manifests/$digest"
  curl -sSf -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' "$base/manifests/${2/:/-}" --data-binary \
    '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"'$type'","digest":"'"$digest"'","size":'${#note}',"artifactType":"application/vnd.example.note"}]}'
  printf '%s\n' "$digest" >"$ARCHWAY_E2E_WORK/note"
}
