# Registries that want to know who asks: a password, and a token service, as docker-registry has them.
# The clients have no credentials and are asked for none; archway's are replaced while it runs.

load helpers

service=127.0.0.1:5102

setup_file() {
  need skopeo podman htpasswd openssl python3
  set_password word-9f3a
  openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=e2e -days 2 -keyout "$stack_dir/token.key" \
    -out "$stack_dir/token.crt" 2>/dev/null
  guarded_registry hub "$hub" "auth: {htpasswd: {realm: hub, path: $stack_dir/htpasswd}}"
  guarded_registry ghcr "$ghcr" "auth: {token: {realm: 'http://$service/token', service: e2e, issuer: e2e, rootcertbundle: $stack_dir/token.crt}}"
  service_start tokens python3 "$BATS_TEST_DIRNAME/token_service.py" "${service##*:}" "$stack_dir/token.key" \
    "$stack_dir/token.crt" "$stack_dir/passwords"
  service_await tokens 20 "the token service listens" listens "$service"
  mkdir -p "$stack_dir/bin"
  cat >"$stack_dir/bin/docker-credential-e2e" <<SCRIPT
#!/bin/sh
[ "\$1" = get ] || exit 1
read -r asked
echo "\$asked" >>$stack_dir/helper.asked
printf '{"ServerURL":"%s","Username":"puller","Secret":"%s"}' "\$asked" "\$(cat $stack_dir/password)"
SCRIPT
  chmod 700 "$stack_dir/bin/docker-credential-e2e"
  cat >"$stack_dir/archway.yaml" <<CONFIG
listen: [{address: "$gate"}]
admin: $admin
cache: {directory: "$stack_dir/cache", keep_free: 64MiB}
log: {level: debug}
upstreams:
  - name: docker.io
    url: http://$hub
    default: true
    credentials: {username: puller, password_file: "$stack_dir/password"}
    access: shared
  - name: ghcr.io
    url: http://$ghcr
    credentials: {docker_config: "$stack_dir/config.json"}
    access: shared
    token_realms: ["$service"]
  - name: helped.lan
    url: http://$hub
    credentials: {helper: e2e}
    access: shared
CONFIG
  PATH=$stack_dir/bin:$PATH start_archway
  printf '{"default": [{"type": "insecureAcceptAnything"}]}\n' >/etc/containers/policy.json
  printf '[storage]\ndriver = "vfs"\nrunroot = "/run/storage"\ngraphroot = "%s/storage"\n' "$stack_dir" \
    >/etc/containers/storage.conf
  cp "$clients/podman/50-archway.conf" /etc/containers/registries.conf.d/
}

# guarded_registry NAME ADDRESS AUTH: a docker-registry on what the suite has prepared under that name.
guarded_registry() {
  cat >"$stack_dir/$1.yml" <<YAML
version: 0.1
log: {level: info, accesslog: {disabled: false}}
storage: {filesystem: {rootdirectory: "$storage/$1"}}
http: {addr: "$2", secret: loopback}
$3
YAML
  service_start "$1" docker-registry serve "$stack_dir/$1.yml"
  service_await "$1" 20 "$1 listens" listens "$2"
}

# set_password WORD: everywhere at once, as whoever rotates it would; each file is replaced whole.
set_password() {
  local name
  printf '%s\n' "$1" >"$stack_dir/password.new"
  htpasswd -Bbn -C 4 puller "$1" >"$stack_dir/htpasswd.new"
  printf 'puller:%s\n' "$1" >"$stack_dir/passwords.new"
  printf '{"auths": {"ghcr.io": {"auth": "%s"}}}\n' "$(printf 'puller:%s' "$1" | base64 -w0)" >"$stack_dir/config.json.new"
  for name in password htpasswd passwords config.json; do mv "$stack_dir/$name.new" "$stack_dir/$name"; done
}

raw_digest() { printf 'sha256:%s' "$(skopeo --command-timeout 60s inspect --tls-verify=false --raw "docker://$gate/$1" | sha256sum | cut -d ' ' -f 1)"; }
tokens_given() { grep -c "^puller 200" "$stack_dir/tokens.out" || true; }

@test "credentials: the registries refuse whoever has none" {
  fetch GET "http://$hub/v2/library/hi/manifests/1"
  assert_equal "htpasswd" "$code" 401
  fetch GET "http://$ghcr/v2/org/tool/manifests/1"
  assert_equal "token" "$code" 401
}

@test "credentials: skopeo pulls from a registry with a password through archway, and needs none" {
  skopeo --command-timeout 60s copy --quiet --src-tls-verify=false "docker://$gate/library/hi:1" "dir:$BATS_TEST_TMPDIR/hi"
  assert_equal "index" "$(raw_digest library/hi:1)" "$(tag_digest library/hi:1)"
}

@test "credentials: podman pulls from a registry with a password through archway, and needs none" {
  podman --runtime runc --cgroup-manager cgroupfs pull --quiet docker.io/library/single:1
}

@test "credentials: skopeo pulls from a registry with a token service through archway" {
  assert_equal "index" "$(raw_digest ghcr.io/org/tool:1)" "$(tag_digest org/tool:1)"
  skopeo --command-timeout 60s copy --quiet --src-tls-verify=false "docker://$gate/ghcr.io/org/tool:1" "dir:$BATS_TEST_TMPDIR/tool"
  assert_equal "tokens" "$(tokens_given)" 1
}

@test "credentials: a helper is asked for the registry's name" {
  assert_equal "index" "$(raw_digest helped.lan/library/hi:1)" "$(tag_digest library/hi:1)"
  assert_equal "asked" "$(cat "$stack_dir/helper.asked")" helped.lan
}

ask_ghcr() { curl -s -o /dev/null --max-time 10 "http://$gate/v2/ghcr.io/org/tool/tags/list"; }
ghcr_changed() {
  ask_ghcr
  grep -q 'credentials changed.*ghcr.io' "$stack_dir/archway.err"
}
hub_refuses() { [[ $(curl -s -o /dev/null -w '%{http_code}' --max-time 10 "http://$gate/v2/library/many/tags/list") == 403 ]]; }

@test "credentials: those that are replaced while archway runs are used from then on" {
  local given
  given=$(tokens_given)
  set_password word-7c1b
  podman --runtime runc --cgroup-manager cgroupfs pull --quiet docker.io/library/many:v1
  assert_equal "by a new password" "$(raw_digest library/hi-docker:1)" "$(tag_digest library/hi-docker:1)"
  poll 10 "docker's configuration is read again" ghcr_changed
  ask_ghcr
  # One that was bought with the old password is not used on.
  assert_equal "tokens" "$(tokens_given)" "$((given + 1))"
}

@test "credentials: wrong ones end in a sentence that names whose they are" {
  printf 'wrong\n' >"$stack_dir/password"
  poll 10 "the new password is refused" hub_refuses
  fetch GET "http://$gate/v2/library/many/manifests/v7"
  assert_error 403 DENIED
  assert_matches "message" "$(jq -r '.errors[0].message' "$body")" 'docker.io'
}

@test "credentials: none of them is in the log, at any level" {
  local secret
  for secret in word-9f3a word-7c1b "$(printf 'puller:word-9f3a' | base64)" "$(printf 'puller:word-7c1b' | base64)" 'Bearer ey'; do
    if grep -qF -- "$secret" "$stack_dir/archway.err" "$stack_dir/archway.out"; then fail "the log has '$secret'"; fi
  done
}
