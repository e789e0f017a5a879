# Between archway and its upstreams: TLS fronts, places that blobs are led to, rate limits and proxies. nginx and
# tinyproxy are the real ones.

load helpers
load nginx

tunnels=127.0.0.1:5204     # tinyproxy

setup_file() {
  need nginx tinyproxy skopeo
  start_registry hub "$hub"
  printf '{"default": [{"type": "insecureAcceptAnything"}]}\n' >/etc/containers/policy.json
  start_nginx
  tinyproxy_config >"$stack_dir/tinyproxy.conf"
  service_start tinyproxy tinyproxy -d -c "$stack_dir/tinyproxy.conf"
  service_await tinyproxy 10 "tinyproxy listens" listens "$tunnels"
}

setup() {
  cache=$stack_dir/cache
  rm -rf "$cache" "$stack_dir/archway.yaml"
  : >"$stack_dir/nginx.access"
}

teardown() {
  show_logs
  stop_archway
}

teardown_file() { stop_everything; }

tinyproxy_config() {
  cat <<CONFIG
Port ${tunnels#*:}
Listen 127.0.0.1
Timeout 60
LogFile "$stack_dir/tinyproxy.log"
LogLevel Connect
MaxClients 50
BasicAuth me s3cret
ConnectPort 5200
ConnectPort 5201
CONFIG
}

copy() { skopeo copy --quiet --src-tls-verify=false "docker://$gate/library/hi:1" "dir:$BATS_TEST_TMPDIR/$1"; }

@test "transport: a TLS front that leads to another host for blobs" {
  start_with "url: https://$front" "ca_file: $stack_dir/tls/ca.crt" 'redirects: [cdn.test]'
  copy tls
  grep -q '^cdn.test "GET /v2/library/hi/blobs/' "$stack_dir/nginx.access" || fail "no blob came from the other host"
  # Without the redirect it is another answer, and the client reads why.
  stop_archway
  rm -rf "$cache"
  start_with "url: https://$front" "ca_file: $stack_dir/tls/ca.crt" 'redirects: [s3.test]'
  fetch GET "http://$gate/v2/library/hi/blobs/$(config_of library/hi:1 linux/amd64)"
  assert_error 502 '.*'
  assert_matches "message" "$(cat "$body")" 'docker.io leads to cdn.test, a host that is not among those'
}

@test "transport: a certificate that cannot be trusted is named with its reason" {
  start_with "url: https://wrong.test:5200" "ca_file: $stack_dir/tls/ca.crt"
  fetch GET "http://$gate/v2/library/hi/manifests/1"
  assert_equal "status" "$code" 504
  assert_matches "message" "$(cat "$body")" 'wrong.test cannot be reached: its TLS certificate is refused \(hostname mismatch\)'
  [[ ! -s $stack_dir/nginx.access ]] || fail "something was asked before the certificate was verified"
  stop_archway
  start_with "url: https://$front"
  fetch GET "http://$gate/v2/library/hi/manifests/1"
  assert_matches "message" "$(cat "$body")" 'its TLS certificate is refused \((unable to get local issuer|self-signed)'
  stop_archway
  # server_name says what is in the certificate.
  start_with "url: https://wrong.test:5200" "ca_file: $stack_dir/tls/ca.crt" 'server_name: registry.test'
  copy named
}

@test "transport: a front that wants a client certificate is shown one" {
  start_with "url: https://registry.test:5205" "ca_file: $stack_dir/tls/ca.crt" \
    "client_certificate: {certificate: $stack_dir/tls/client.crt, key: $stack_dir/tls/client.key}" "access: shared"
  copy client
}

@test "transport: what is cached is served while the front says 429" {
  start_with "url: http://$limited"
  # The index, the client's manifest and one HEAD are allowed within a minute.
  copy first
  fetch GET "http://$gate/v2/library/single/manifests/1"
  [[ $code == 503 ]] || fetch GET "http://$gate/v2/library/attested/manifests/1"
  assert_equal "status of what is not cached" "$code" 503
  assert_matches "message" "$(cat "$body")" 'docker.io'
  copy second
}

@test "transport: https upstreams and where they lead are reached through a proxy's tunnel" {
  : >"$stack_dir/tinyproxy.log"
  start_with "url: https://$front" "ca_file: $stack_dir/tls/ca.crt" "proxy: http://me:s3cret@$tunnels"
  copy proxied
  grep -q 'CONNECT registry.test:5200' "$stack_dir/tinyproxy.log" || fail "the registry was not reached by the proxy"
  grep -q 'CONNECT cdn.test:5201' "$stack_dir/tinyproxy.log" || fail "the other host was not reached by the proxy"
  ! grep -rq 's3cret\|bWU6czNjcmV0' "$stack_dir"/archway.err "$stack_dir"/archway.out "$stack_dir/nginx.access" ||
    fail "the proxy's password is in a log"
  stop_archway
  rm -rf "$cache"
  start_with "url: https://$front" "ca_file: $stack_dir/tls/ca.crt" "proxy: http://me:wrong@$tunnels"
  fetch GET "http://$gate/v2/library/hi/manifests/1"
  assert_matches "message" "$(cat "$body")" "cannot be reached: the proxy $tunnels "
  stop_archway
  # From the environment; the proxy is passed by for what NO_PROXY names.
  : >"$stack_dir/tinyproxy.log"
  export HTTPS_PROXY=http://me:s3cret@$tunnels NO_PROXY=other.test
  rm -rf "$cache"
  start_with "url: https://$front" "ca_file: $stack_dir/tls/ca.crt"
  unset HTTPS_PROXY NO_PROXY
  fetch GET "http://$gate/v2/library/hi/manifests/1"
  assert_equal "status" "$code" 200
  grep -q 'CONNECT registry.test:5200' "$stack_dir/tinyproxy.log" || fail "the environment's proxy was passed by"
}

@test "transport: no name that is not configured is ever looked up or dialled" {
  start_with "url: http://$hub"
  counted() { awk -v what="$1:" -v field="$2" '$1 == what && !seen { for (i = 2; i <= NF; ++i) if ($i == field) at = i; seen = 1; next } $1 == what { print $at }' /proc/net/snmp; }
  fetch GET "http://$gate/v2/"
  local udp tcp opened
  udp=$(counted Udp OutDatagrams)
  tcp=$(counted Tcp ActiveOpens)
  opened=$(python3 "$BATS_TEST_DIRNAME/foreign_names.py" "$gate" 20000)
  assert_equal "datagrams sent" $(($(counted Udp OutDatagrams) - udp)) 0
  assert_equal "connections opened beside the test's own" $(($(counted Tcp ActiveOpens) - tcp)) "$opened"
}
