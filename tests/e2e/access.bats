# Who may have what, with real clients: a registry that asks for a password, two users, one of whom it knows.

load helpers

alice=alice:canary-wonder
bob=bob:canary-builder

setup_file() {
  need podman skopeo htpasswd
  htpasswd -Bbc -C 4 "$stack_dir/registry.htpasswd" "${alice%:*}" "${alice#*:}"
  htpasswd -Bbc -C 4 "$stack_dir/door.htpasswd" "${bob%:*}" "${bob#*:}"
  REGISTRY_AUTH=htpasswd REGISTRY_AUTH_HTPASSWD_REALM=hub \
    REGISTRY_AUTH_HTPASSWD_PATH=$stack_dir/registry.htpasswd start_registry hub "$hub"
  start_registry ghcr "$ghcr"
  listeners="  - address: 127.0.0.1:5007
    access: {htpasswd: $stack_dir/door.htpasswd}"
  archway_config 'access: {rules: [{match: "docker.io/*", access: client}], deny: ["ghcr.io/org/denied"]}' \
    'log: {level: debug}' >"$stack_dir/archway.yaml"
  start_archway
  printf '{"default": [{"type": "insecureAcceptAnything"}]}\n' >/etc/containers/policy.json
  printf '[storage]\ndriver = "vfs"\nrunroot = "/run/storage"\ngraphroot = "%s/storage"\n' "$stack_dir" \
    >/etc/containers/storage.conf
}

teardown_file() { stop_everything; }
setup() { rm -rf "$stack_dir/storage"; }

pod() { podman --runtime runc --cgroup-manager cgroupfs "$@"; }
copy() { # copy [SKOPEO-OPTION…] HOST/NAME: a whole image into a new directory
  rm -rf "$BATS_TEST_TMPDIR/copy"
  skopeo --command-timeout 60s copy --all --quiet --src-tls-verify=false "${@:1:$#-1}" "docker://${!#}" \
    "dir:$BATS_TEST_TMPDIR/copy"
}

@test "access: skopeo copies what its user may have, cached or not, and nothing for the others" {
  run copy "$gate/library/hi:1"
  [[ $status != 0 ]] || fail "nobody was given it: $output"
  run copy --src-creds "$bob" "$gate/library/hi:1"
  [[ $status != 0 ]] || fail "bob was given it: $output"
  copy --src-creds "$alice" "$gate/library/hi:1"
  assert_equal "index" "sha256:$(sha256 "$BATS_TEST_TMPDIR/copy/manifest.json")" "$(tag_digest library/hi:1)"
  copy --src-creds "$alice" "$gate/library/hi:1"
  assert_one_get_each hub
  run copy --src-creds "$bob" "$gate/library/hi:1"
  [[ $status != 0 ]] || fail "bob was given what is cached: $output"
  assert_matches "what bob reads" "$output" 'own credentials'
  run copy "$gate/library/hi:1"
  [[ $status != 0 ]] || fail "nobody was given what is cached: $output"
}

@test "access: podman pulls with its user's credentials alone" {
  run pod pull --tls-verify=false --creds "$bob" "$gate/library/single:1"
  [[ $status != 0 ]] || fail "bob was given it: $output"
  pod pull --tls-verify=false --creds "$alice" "$gate/library/single:1"
  run pod pull --tls-verify=false "$gate/library/single:1"
  [[ $status != 0 ]] || fail "nobody was given what is cached: $output"
}

@test "access: podman logs in to archway and pulls by what it remembers" {
  pod login --tls-verify=false --username "${alice%:*}" --password "${alice#*:}" "$gate"
  pod pull --tls-verify=false "$gate/library/single:1"
  pod logout "$gate"
}

@test "access: an image that is everybody's needs no credentials beside one that is not" {
  copy "$gate/ghcr.io/org/tool:1"
  pod pull --tls-verify=false --platform linux/amd64 "$gate/ghcr.io/org/tool:1"
}

@test "access: no part of an image comes another way" {
  local layer single
  layer=$(layers_of library/hi:1 linux/amd64 | tail -n 1) # the first is everybody's
  single=$(child library/hi:1 linux/amd64)
  for path in manifests/1 "manifests/$single" "blobs/$layer" tags/list "referrers/$single"; do
    for options in "" "-I" "-r 0-9" "-u $bob"; do
      # shellcheck disable=SC2086 # options are words
      status=$(curl -s -o "$BATS_TEST_TMPDIR/body" -w '%{http_code}' $options "http://$gate/v2/library/hi/$path")
      [[ $status == 401 || $status == 403 ]] || fail "$options $path: $status $(head -c 200 "$BATS_TEST_TMPDIR/body")"
    done
  done
  status=$(curl -s -o /dev/null -w '%{http_code}' "http://$gate/v2/ghcr.io/org/tool/blobs/$layer")
  assert_equal "under a name that does not have it" "$status" 404
}

@test "access: a port with htpasswd lets in those whom it knows" {
  run copy 127.0.0.1:5007/ghcr.io/org/tool:1
  [[ $status != 0 ]] || fail "nobody came in: $output"
  run copy --src-creds "$alice" 127.0.0.1:5007/ghcr.io/org/tool:1
  [[ $status != 0 ]] || fail "alice came in: $output"
  copy --src-creds "$bob" 127.0.0.1:5007/ghcr.io/org/tool:1
  run pod login --tls-verify=false --username bob --password wrong 127.0.0.1:5007
  [[ $status != 0 ]] || fail "a wrong password logs in: $output"
  pod login --tls-verify=false --username "${bob%:*}" --password "${bob#*:}" 127.0.0.1:5007
  pod logout 127.0.0.1:5007
}

@test "access: what is denied is refused with the rule" {
  run skopeo inspect --tls-verify=false --raw "docker://$gate/ghcr.io/org/denied:1"
  [[ $status != 0 ]]
  assert_matches "what the user reads" "$output" 'access.deny'
  run "$ARCHWAY_BINARY" explain --admin "$admin" ghcr.io/org/denied:1
  assert_matches "explain" "$output" 'access.deny'
}

@test "access: with the registry gone its user is served from the cache, and nobody else" {
  copy --src-creds "$alice" "$gate/library/hi:1"
  registry_stop hub
  copy --src-creds "$alice" "$gate/library/hi:1"
  run copy --src-creds "$bob" "$gate/library/hi:1"
  [[ $status != 0 ]] || fail "bob was given it: $output"
  run copy "$gate/library/hi:1"
  [[ $status != 0 ]] || fail "nobody was given it: $output"
}

@test "access: no credential is anywhere: log, metrics, admin API, command line, index" {
  local place coded
  curl -sf "http://$admin/metrics" >"$BATS_TEST_TMPDIR/metrics"
  for place in status upstreams holdings listeners 'explain?image=library/hi:1'; do
    curl -s "http://$admin/api/v1/$place" >>"$BATS_TEST_TMPDIR/api"
  done
  tr '\0' ' ' <"/proc/$(service_pid archway)/cmdline" >"$BATS_TEST_TMPDIR/cmdline"
  stop_archway
  for coded in canary "$(printf %s "$alice" | base64)" "$(printf %s "$bob" | base64)"; do
    for place in "$stack_dir/archway.err" "$stack_dir/archway.out" "$BATS_TEST_TMPDIR"/{metrics,api,cmdline} \
      "$stack_dir/cache/index/"*; do
      if grep -qaF "$coded" "$place"; then fail "$place has $coded"; fi
    done
  done
}
