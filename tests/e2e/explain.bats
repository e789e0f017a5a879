# `archway explain` says what the gateway then does: made-up requests, each asked both ways and compared field
# for field.

load helpers

setup_file() {
  listeners="  - {address: '127.0.0.1:5007', platform: linux/arm/v7}"
  archway_config 'platforms:
  missing: refuse
  wrong: refuse
  allow: [linux/amd64, linux/arm64, linux/arm, linux/386, linux/loong64, windows/amd64]
  hosts: {arm64.mirror.test: linux/arm64}
  clients:
    - {from: 127.20.0.0/16, platform: linux/arm64}
    - {from: 127.30.0.0/16, platform: linux/arm64, emulates: [linux/amd64]}
  rules:
    - {match: "docker.io/library/hi-docker", answer: pass}
    - {match: "docker.io/library/attested", answer: filter}
rewrite:
  architecture_organisations: true
images:
  docker.io/username/virtual:
    linux/amd64: docker.io/username/test
    linux/arm64: docker.io/username/arm64v8-test' >"$stack_dir/archway.yaml"
  start_registry hub "$hub"
  start_registry ghcr "$ghcr"
  start_archway
}

# agree IMAGE PATH EXPLAIN-OPTIONS -- CURL-OPTIONS: both, and every field that both have.
agree() {
  local image=$1 path=$2 says
  local -a options=() how=()
  shift 2
  while [[ $1 != -- ]]; do
    options+=("$1")
    shift
  done
  shift
  how=("$@")
  says=$BATS_TEST_TMPDIR/says
  "$ARCHWAY_BINARY" explain --admin "$admin" --json "$image" "${options[@]}" >"$says" || true
  fetch GET "$path" "${how[@]}"
  same() { assert_equal "$image ${options[*]}: $1" "$(jq -r "$2 // \"\" | tostring" "$says")" "$3"; }
  same status .status "$code"
  if [[ $code == 200 ]]; then
    same digest .digest "$(header docker-content-digest)"
    same type .media_type "$(header content-type)"
    same size .size "$(header content-length)"
    same index .index "$(header archway-index)"
    same platform 'if (.client.platform // "") != "" then .client.platform + "; by=" + .client.source else "" end' \
      "$(header archway-platform)"
  else
    same "error code" .error_code "$(jq -r '.errors[0].code' "$body")"
    same message .message "$(jq -r '.errors[0].message' "$body")"
  fi
}

none=(-H "Accept: $manifest_types, $index_types")

@test "explain: agrees with the gateway on twenty requests and more" {
  local hi=http://$gate/v2/library/hi/manifests/1
  # Nobody says anything; each who can.
  agree hi:1 "$hi" -- "${none[@]}"
  agree hi:1 "$hi" --platform linux/arm64 -- -H 'Archway-Platform: linux/arm64'
  agree hi:1 "$hi" --header linux/arm/v7 -- -H 'Archway-Platform: linux/arm/v7'
  agree hi:1 "http://$gate/platform/linux-arm-v6/v2/library/hi/manifests/1" --path linux-arm-v6 --
  agree hi:1 "http://arm64.mirror.test:5000/v2/library/hi/manifests/1" --host arm64.mirror.test:5000 -- --resolve arm64.mirror.test:5000:127.0.0.1
  agree hi:1 "http://127.0.0.1:5007/v2/library/hi/manifests/1" --port 5007 --
  agree hi:1 "$hi" --from 127.20.0.9 -- --interface 127.20.0.9
  # The User-Agent: a hint, a decision, a conflict.
  agree hi:1 "$hi" --user-agent "${docker_agent/ARCH/arm64}" -- "${none[@]}" -A "${docker_agent/ARCH/arm64}"
  agree hi:1 "$hi" --user-agent "${docker_agent/ARCH/arm64}" --accept "$manifest_types" -- -A "${docker_agent/ARCH/arm64}" -H "Accept: $manifest_types"
  agree hi:1 "$hi" --accept "$manifest_types" -- -H "Accept: $manifest_types"
  agree hi:1 "$hi" --from 127.20.0.9 --user-agent "${docker_agent/ARCH/amd64}" -- --interface 127.20.0.9 "${none[@]}" -A "${docker_agent/ARCH/amd64}"
  # Path before header; a ladder; two builds of Windows; one that there is not.
  agree hi:1 "http://$gate/platform/linux-386/v2/library/hi/manifests/1" --path linux-386 --header linux/arm64 -- -H 'Archway-Platform: linux/arm64'
  agree hi:1 "$hi" --platform linux/amd64/v3 -- -H 'Archway-Platform: linux/amd64/v3'
  agree hi:1 "$hi" --platform 'windows(10.0.17763)/amd64' -- -H 'Archway-Platform: windows(10.0.17763)/amd64'
  agree hi:1 "$hi" --platform 'windows(10.0.14393)/amd64' -- -H 'Archway-Platform: windows(10.0.14393)/amd64'
  agree hi:1 "$hi" --platform linux/loong64 -- -H 'Archway-Platform: linux/loong64'
  agree hi:1 "$hi" --platform linux/s390x -- -H 'Archway-Platform: linux/s390x'
  agree hi:1 "$hi" --platform nonsense/of/all/kinds -- -H 'Archway-Platform: nonsense/of/all/kinds'
  # Policies, names, single and virtual images.
  agree hi-docker:1 "http://$gate/v2/library/hi-docker/manifests/1" --platform linux/arm64 -- -H 'Archway-Platform: linux/arm64'
  agree attested:1 "http://$gate/v2/library/attested/manifests/1" --platform linux/arm64 -- -H 'Archway-Platform: linux/arm64'
  agree single:1 "http://$gate/v2/library/single/manifests/1" --platform linux/arm64 -- -H 'Archway-Platform: linux/arm64'
  agree single:1 "http://$gate/v2/library/single/manifests/1" --from 127.30.0.1 -- --interface 127.30.0.1
  agree arm64v8/hi:1 "http://$gate/v2/arm64v8/hi/manifests/1" --platform linux/amd64 -- -H 'Archway-Platform: linux/amd64'
  agree username/virtual:1 "http://$gate/v2/username/virtual/manifests/1" --platform linux/arm64 -- -H 'Archway-Platform: linux/arm64'
  agree username/virtual:1 "http://$gate/v2/username/virtual/manifests/1" -- "${none[@]}"
  agree ghcr.io/org/tool:1 "http://$gate/v2/ghcr.io/org/tool/manifests/1" --platform linux/arm64 -- -H 'Archway-Platform: linux/arm64'
  agree "hi@$(child library/hi:1 linux/amd64)" "http://$gate/v2/library/hi/manifests/$(child library/hi:1 linux/amd64)" --platform linux/arm64 -- -H 'Archway-Platform: linux/arm64'
  agree "hi@$(child library/hi:1 linux/s390x)" "http://$gate/v2/library/hi/manifests/$(child library/hi:1 linux/s390x)" --
  agree no-such-image:1 "http://$gate/v2/library/no-such-image/manifests/1" --platform linux/arm64 -- -H 'Archway-Platform: linux/arm64'
  agree registry.example/app:1 "http://$gate/v2/registry.example/app/manifests/1" --
}

@test "explain: reads aloud" {
  run "$ARCHWAY_BINARY" explain --admin "$admin" --from 127.20.0.9 hi:1
  assert_equal "status" "$status" 0
  assert_matches "who said so" "$output" 'linux/arm64.*address'
  assert_matches "what it gets" "$output" "$(child library/hi:1 linux/arm64/v8)"
  run "$ARCHWAY_BINARY" explain --admin "$admin" --platform linux/loong64 hi:1
  assert_equal "status of a refusal" "$status" 1
  assert_matches "the refusal" "$output" 'has no image for linux/loong64'
  run "$ARCHWAY_BINARY" explain --admin "$admin" no-such-image:1
  assert_equal "status of what is not there" "$status" 3
  run "$ARCHWAY_BINARY" explain --admin 127.0.0.1:1 hi:1
  assert_equal "status without a gateway" "$status" 4
}
