# archway behind somebody else's proxy: nginx and HAProxy, which keep connections to it open for many clients.

load helpers

nginx=127.0.0.1:5220
haproxy=127.0.0.1:5221

setup_file() {
  need nginx haproxy
  start_registry hub "$hub"
  start_archway
  nginx_config >"$stack_dir/nginx.conf"
  service_start nginx nginx -e "$stack_dir/nginx.error" -p "$stack_dir" -c "$stack_dir/nginx.conf" -g 'daemon off;'
  haproxy_config >"$stack_dir/haproxy.cfg"
  service_start haproxy haproxy -db -f "$stack_dir/haproxy.cfg"
  service_await nginx 10 "nginx listens" listens "$nginx"
  service_await haproxy 10 "HAProxy listens" listens "$haproxy"
}

nginx_config() {
  cat <<CONFIG
user root;
worker_processes 1;
pid $stack_dir/nginx-own.pid;
events { worker_connections 256; }
http {
  log_format passed '\$upstream_addr "\$request"';
  access_log $stack_dir/nginx.access passed;
  client_body_temp_path $stack_dir/nginx-body;
  proxy_temp_path $stack_dir/nginx-proxy;
  fastcgi_temp_path $stack_dir/nginx-fastcgi;
  uwsgi_temp_path $stack_dir/nginx-uwsgi;
  scgi_temp_path $stack_dir/nginx-scgi;
  upstream archway { server $gate; keepalive 4; }
  server {
    listen $nginx;
    location / { proxy_pass http://archway; proxy_http_version 1.1; proxy_set_header Connection ''; }
  }
}
CONFIG
}

haproxy_config() {
  cat <<CONFIG
global
  log stdout format raw local0
defaults
  mode http
  log global
  option httplog
  timeout connect 5s
  timeout client 10s
  timeout server 10s
frontend front
  bind $haproxy
  default_backend archway
backend archway
  http-reuse always
  server one $gate
CONFIG
}

# assert_same LOG MARK BEFORE: of what the front's log says it has passed on, archway has read each of the inner requests, and
# nothing that was not a request to the front.
assert_same() {
  local before=$3
  [[ $(grep -c "$2" "$1") -gt 20 ]] || fail "hardly anything was passed on: $(grep -c "$2" "$1")"
  assert_equal "requests that archway read" "$(($(asked_for) - before))" "$(grep -c "$2.*\"GET /v2/smuggled/" "$1" || true)"
}

asked_for() { grep -c '"image":"docker.io/smuggled/' "$stack_dir/archway.err" || true; }

@test "behind: what nginx passes on is what archway reads, and not one request more" {
  assert_manifest "http://$nginx/v2/library/hi/manifests/1" "$(tag_digest library/hi:1)" -H "Accept: $index_types"
  python3 "$BATS_TEST_DIRNAME/ambiguous.py" "$nginx" 600
  assert_same "$stack_dir/nginx.access" "^$gate " 0
}

@test "behind: what HAProxy passes on is what archway reads, and not one request more" {
  local before
  before=$(asked_for)
  assert_manifest "http://$haproxy/v2/library/hi/manifests/1" "$(tag_digest library/hi:1)" -H "Accept: $index_types"
  python3 "$BATS_TEST_DIRNAME/ambiguous.py" "$haproxy" 600
  assert_same "$stack_dir/haproxy.out" ' archway/one ' "$before"
}

@test "behind: a long token, as registries give them, is no reason to refuse; one that is too long is 431" {
  printf 'Authorization: Bearer %s\n' "$(head -c 20000 /dev/zero | tr '\0' x)" >"$BATS_TEST_TMPDIR/header"
  fetch GET "http://$gate/v2/library/hi/manifests/1" -H "@$BATS_TEST_TMPDIR/header"
  assert_equal "status" "$code" 200
  printf 'Authorization: Bearer %s\n' "$(head -c 40000 /dev/zero | tr '\0' x)" >"$BATS_TEST_TMPDIR/header"
  fetch GET "http://$gate/v2/library/hi/manifests/1" -H "@$BATS_TEST_TMPDIR/header"
  assert_equal "status" "$code" 431
}
