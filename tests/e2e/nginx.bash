# nginx before the registry, as a front with TLS that leads to another host for blobs, as one that wants a client's
# certificate and as one that limits a rate; and archway before it. Loaded by `load nginx`, after `load helpers`.
# shellcheck shell=bash disable=SC2154 # helpers.bash and the files that load this have the variables

front=registry.test:5200   # TLS; leads to cdn.test:5201 for blobs
limited=127.0.0.1:5202     # two requests for manifests at once, then one a minute; 429 for the others

start_nginx() {
  printf '127.0.0.1 registry.test cdn.test wrong.test\n' >>/etc/hosts
  make_certificates
  nginx_config >"$stack_dir/nginx.conf"
  service_start nginx nginx -e "$stack_dir/nginx.error" -p "$stack_dir" -c "$stack_dir/nginx.conf" -g 'daemon off;'
  service_await nginx 10 "nginx listens" listens 127.0.0.1:5200
}

# One authority; a certificate for both names of nginx; one for clients.
make_certificates() {
  local dir=$stack_dir/tls name
  mkdir -p "$dir"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test-authority \
    -keyout "$dir/ca.key" -out "$dir/ca.crt" 2>/dev/null
  for name in server client; do
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
      -keyout "$dir/$name.key" -out "$dir/$name.csr" 2>/dev/null
    openssl x509 -req -in "$dir/$name.csr" -CA "$dir/ca.crt" -CAkey "$dir/ca.key" -CAcreateserial -days 2 \
      -extfile <(printf 'subjectAltName=DNS:registry.test,DNS:cdn.test') -out "$dir/$name.crt" 2>/dev/null
  done
}

nginx_config() {
  cat <<CONFIG
user root;
worker_processes 1;
pid $stack_dir/nginx-own.pid;
error_log $stack_dir/nginx.error;
events { worker_connections 256; }
http {
  log_format asked '\$host "\$request" \$status auth=\$http_authorization';
  access_log $stack_dir/nginx.access asked;
  client_body_temp_path $stack_dir/nginx-body;
  proxy_temp_path $stack_dir/nginx-proxy;
  fastcgi_temp_path $stack_dir/nginx-fastcgi;
  uwsgi_temp_path $stack_dir/nginx-uwsgi;
  scgi_temp_path $stack_dir/nginx-scgi;
  proxy_buffering off;
  ssl_certificate $stack_dir/tls/server.crt;
  ssl_certificate_key $stack_dir/tls/server.key;
  limit_req_zone \$server_port zone=once:1m rate=1r/m;
  server {
    listen 127.0.0.1:5200 ssl;
    location ~ ^/v2/.*/blobs/ { return 307 https://cdn.test:5201\$request_uri; }
    location / { proxy_pass http://$hub; }
  }
  server {
    listen 127.0.0.1:5201 ssl;
    location / { proxy_pass http://$hub; }
  }
  server {
    listen 127.0.0.1:5202;
    limit_req_status 429;
    location ~ /manifests/ { limit_req zone=once burst=2 nodelay; proxy_pass http://$hub; }
    location / { proxy_pass http://$hub; }
  }
  server {
    listen 127.0.0.1:5205 ssl;
    ssl_client_certificate $stack_dir/tls/ca.crt;
    ssl_verify_client on;
    location / { proxy_pass http://$hub; }
  }
}
CONFIG
}

# transport_config UPSTREAM-LINES…: archway before one upstream.
transport_config() {
  cat <<CONFIG
listen: [{address: $gate}]
admin: $admin
cache: {directory: $cache, keep_free: 64MiB}
upstreams:
  - name: docker.io
    default: true
CONFIG
  printf '    %s\n' "$@"
}

# start_with UPSTREAM-LINES…
start_with() {
  transport_config "$@" >"$stack_dir/archway.yaml"
  start_archway
}
