# Without a network: what was pulled once is served, by tag and by digest, from the first moment.

load helpers

setup_file() {
  printf '127.0.0.1 localhost hub.test\n' >/etc/hosts
  hub_url=hub.test:5100
  archway_config >"$stack_dir/archway.yaml"
  start_registry hub "$hub"
  start_registry ghcr "$ghcr"
  start_archway
}

kept=(library/hi:1 library/hi-docker:1 library/attested:1 library/single:1)

# base_of IMAGE: its address at archway.
base_of() { printf 'http://%s/v2/%s\n' "$gate" "${1%:*}"; }

# blobs_of IMAGE
blobs_of() { image "$1" '((.platforms[], .attestations[]) | .config.digest, .layers[].digest)' | sort -u; }

# take IMAGE: all of it, by tag and by digest, with and without a platform, every byte checked.
take() {
  local name=$1 base digest
  base=$(base_of "$name")
  assert_manifest "$base/manifests/${name##*:}" "$(tag_digest "$name")"
  for digest in "$(tag_digest "$name")" $(children_of "$name"); do
    assert_manifest "$base/manifests/$digest" "$digest"
  done
  for digest in $(blobs_of "$name"); do
    fetch GET "$base/blobs/$digest"
    assert_equal "$base/blobs/$digest" "$code sha256:$(sha256 "$body")" "200 $digest"
  done
}

# attached_to_single: what refers to an image, found by its digest and pulled.
attached_to_single() {
  local note
  note=$(cat "$ARCHWAY_E2E_WORK/note")
  fetch GET "http://$gate/v2/library/single/referrers/$(tag_digest library/single:1)?artifactType=application/vnd.example.note"
  assert_equal "what refers to it" "$code $(jq -r '.manifests[].digest' "$body")" "200 $note"
  assert_manifest "http://$gate/v2/library/single/manifests/$note" "$note"
}

unreachable() { ! getent hosts hub.test && closed "$hub" && closed "$ghcr"; }

@test "offline: everything is pulled through once, while there is a network" {
  local name
  for name in "${kept[@]}"; do
    take "$name"
  done
  assert_manifest "http://$gate/v2/ghcr.io/org/tool/manifests/1" "$(tag_digest org/tool:1)"
  assert_manifest "http://$gate/v2/ghcr.io/org/tool/manifests/$(child org/tool:1 linux/arm64/v8)" \
    "$(child org/tool:1 linux/arm64/v8)"
  attached_to_single
  assert_one_get_each hub "$(tag_digest library/hi:1)"
}

@test "offline: the first answer comes within 300 ms of the start, with no upstream to be found (the best of 5 starts)" {
  stop_archway
  registry_stop hub
  registry_stop ghcr
  printf '127.0.0.1 localhost\n' >/etc/hosts
  unreachable
  local best
  best=$(python3 "$BATS_TEST_DIRNAME/first_answer.py" 5 "$gate" "$ARCHWAY_BINARY" serve -c "$stack_dir/archway.yaml")
  printf '# first answer after %s ms\n' "$best" >&3
  [[ $best -le 300 ]] || fail "the first answer came after $best ms"
}

@test "offline: every cached image is served by tag and by digest" {
  unreachable
  start_archway
  local name
  for name in "${kept[@]}"; do
    take "$name"
  done
  assert_manifest "http://$gate/v2/ghcr.io/org/tool/manifests/1" "$(tag_digest org/tool:1)"
}

@test "offline: platforms are resolved as before" {
  assert_manifest "http://$gate/v2/library/hi/manifests/1" "$(child library/hi:1 linux/arm/v7)" \
    -H 'Archway-Platform: linux/arm/v7'
  assert_manifest "http://$gate/v2/ghcr.io/org/tool/manifests/1" "$(child org/tool:1 linux/arm64/v8)" \
    -H 'Archway-Platform: linux/arm64'
  assert_matches "cache" "$(header archway-cache)" '^(hit|stale)$'
}

@test "offline: what is attached to an image is found and served" {
  attached_to_single
}

@test "offline: it is ready, because readiness does not depend on the upstreams" {
  fetch GET "http://$admin/readyz"
  assert_equal "status" "$code" 200
  fetch GET "http://$admin/healthz"
  assert_equal "status" "$code" 200
}

@test "offline: what was never pulled fails soon and says why" {
  fetch GET "http://$gate/v2/library/many/manifests/v1" --max-time 20
  assert_matches "status" "$code" '^50[234]$'
  jq -e '.errors[0].message | length > 9' "$body"
  [[ $(metric archway_upstream_errors_total) -gt 0 ]]
}

@test "offline: starts without any configuration while Docker Hub is unreachable" {
  stop_archway
  rm -f /etc/archway/archway.yaml /etc/archway.yaml
  watched_start archway env "XDG_CACHE_HOME=$stack_dir/xdg" HOME="$stack_dir/home" "$ARCHWAY_BINARY" serve
  service_await archway 20 "archway is ready" curl -sf -o /dev/null --max-time 2 "http://$admin/readyz"
  fetch GET "http://$gate/v2/"
  assert_equal "status" "$code" 200
  fetch GET "http://$gate/v2/library/hi/manifests/1" --max-time 20
  assert_matches "status" "$code" '^50[234]$'
  jq -e '.errors[0].message | test("docker.io")' "$body"
  stop_archway
}

@test "offline: starts with an empty configuration file" {
  : >"$stack_dir/empty.yaml"
  watched_start archway env "XDG_CACHE_HOME=$stack_dir/xdg" HOME="$stack_dir/home" "$ARCHWAY_BINARY" serve -c "$stack_dir/empty.yaml"
  service_await archway 20 "archway is ready" curl -sf -o /dev/null --max-time 2 "http://$admin/readyz"
  stop_archway
}
