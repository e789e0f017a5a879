# What is fetched before anyone asks: the layers of what was just handed out, and a moved tag's images for the
# platforms that pull it.

load helpers

setup_file() {
  need jq
  archway_config 'tags: {fresh_for: 1s}
prefetch: {seen: true}' >"$stack_dir/archway.yaml"
  start_registry hub "$hub"
  push_moving first
  start_archway
}

# push_moving SALT: library/moving:1 is now another image.
push_moving() {
  python3 "$BATS_TEST_DIRNAME/../support/make_images.py" --registry "http://$hub" --salt "$1" \
    --summary "$stack_dir/$1.json" hi=library/moving:1
}
# of SALT FILTER: about the image that was pushed with it.
of() { jq -er ".[\"library/moving:1\"] | $2" "$stack_dir/$1.json"; }
objects() { of "$1" ".platforms[\"$2\"] | .digest, .config.digest, .layers[].digest"; }
own_layer() { of "$1" ".platforms[\"$2\"].layers[-1].digest"; }

# pull SALT PLATFORM HEADER: as a machine does, manifest, config and layers.
pull() {
  local digest
  assert_manifest "http://$gate/v2/library/moving/manifests/1" "$(of "$1" ".platforms[\"$2\"].digest")" -H "Archway-Platform: $3"
  for digest in $(of "$1" ".platforms[\"$2\"] | .config.digest, .layers[].digest"); do
    fetch GET "http://$gate/v2/library/moving/blobs/$digest"
    assert_equal "blob $digest" "$code" 200
  done
}

was_fetched() { [[ $(upstream_gets hub "$1") -ge 1 ]]; }

@test "prefetch: a moved tag is fetched for the two platforms that pull it, and no other" {
  local platform digest other
  pull first linux/arm64/v8 linux/arm64
  pull first linux/arm/v7 linux/arm/v7
  push_moving second
  # Nobody asks: within the time that a tag is fresh, and two seconds, the layers come by themselves.
  for platform in linux/arm64/v8 linux/arm/v7; do
    poll 20 "the new layer for $platform is fetched" was_fetched "$(own_layer second "$platform")"
    poll 20 "the new layer for $platform is whole" is_hit "http://$gate/v2/library/moving/blobs/$(own_layer second "$platform")"
  done
  for other in linux/amd64 linux/s390x 'windows(10.0.20348.2527)/amd64'; do
    assert_equal "fetches for $other" "$(upstream_gets hub "$(of second ".platforms[\"$other\"].digest")")" 0
    assert_equal "fetches for $other" "$(upstream_gets hub "$(own_layer second "$other")")" 0
  done
  # The next pull asks the upstream for no blob and no manifest.
  local before after
  before=$(upstream_objects hub | wc -l)
  pull second linux/arm64/v8 linux/arm64
  pull second linux/arm/v7 linux/arm/v7
  after=$(upstream_objects hub | wc -l)
  assert_equal "objects that the upstream gave away" "$after" "$before"
}

@test "prefetch: who pulls what is still known after a restart" {
  stop_archway
  start_archway
  push_moving third
  poll 20 "the new layer is fetched" was_fetched "$(own_layer third linux/arm/v7)"
  poll 20 "the new layer is whole" is_hit "http://$gate/v2/library/moving/blobs/$(own_layer third linux/arm64/v8)"
}

@test "prefetch: layers: the layers of what was handed out come by themselves" {
  stop_archway
  archway_config 'prefetch: {layers: true}' >"$stack_dir/layers.yaml"
  start_archway "$stack_dir/layers.yaml"
  fetch HEAD "http://$gate/v2/library/attested/manifests/1" -H 'Archway-Platform: linux/amd64'
  fetch GET "http://$gate/v2/library/attested/manifests/1" -H 'Archway-Platform: linux/arm64'
  poll 20 "the layer is fetched" was_fetched "$(layers_of library/attested:1 linux/arm64/v8 | tail -n 1)"
  poll 20 "the layer is whole" is_hit "http://$gate/v2/library/attested/blobs/$(layers_of library/attested:1 linux/arm64/v8 | tail -n 1)"
  assert_equal "layers of a mere HEAD" "$(upstream_gets hub "$(layers_of library/attested:1 linux/amd64 | tail -n 1)")" 0
}
