# The registry API's read side, as the OCI Distribution Specification 1.1 has it, request by request.

load helpers

setup_file() {
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
    -keyout "$stack_dir/tls.key" -out "$stack_dir/tls.crt" 2>/dev/null
  listeners="  - address: 127.0.0.1:5443
    tls: {certificate: $stack_dir/tls.crt, key: $stack_dir/tls.key}"
  start_registry hub "$hub"
  start_registry ghcr "$ghcr"
  start_archway
}

blob() { layers_of library/hi:1 linux/amd64 | tail -n 1; }
blob_size() { image library/hi:1 '.platforms["linux/amd64"].layers[-1].size'; }
# original FILE: the blob's bytes, straight from the upstream's own disk.
original() {
  local hex
  hex=$(blob)
  hex=${hex#sha256:}
  cat "$storage/hub/docker/registry/v2/blobs/sha256/${hex:0:2}/$hex/data"
}

@test "api: /v2/ is 200 and never a challenge" {
  local target
  for target in v2/ v2 platform/linux-arm64/v2/; do
    for method in GET HEAD; do
      fetch "$method" "http://$gate/$target"
      assert_equal "$method /$target" "$code" 200
      assert_equal "challenge" "$(header www-authenticate)" ''
      assert_equal "version" "$(header docker-distribution-api-version)" registry/2.0
    done
  done
  fetch GET "http://$gate/v2/" -u someone:secret
  assert_equal "with a credential" "$code" 200
}

@test "api: a connection is kept, and closed for who asks for it" {
  assert_equal "connections kept" "$(curl -sS --max-time 10 -o /dev/null -o /dev/null -w '%{num_connects} ' \
    "http://$gate/v2/" "http://$gate/v2/")" '1 0 '
  assert_equal "connections closed" "$(curl -sS --max-time 10 -H 'Connection: close' -o /dev/null -o /dev/null \
    -w '%{num_connects} ' "http://$gate/v2/" "http://$gate/v2/")" '1 1 '
  # Half a dozen requests of every kind on one connection.
  local base=http://$gate/v2/library/hi
  assert_equal "mixed" "$(curl -sS --max-time 20 -w '%{http_code}/%{num_connects} ' --remote-name-all --output-dir "$BATS_TEST_TMPDIR" \
    "$base/manifests/1" "$base/blobs/$(blob)" "$base/manifests/none" "$base/tags/list" "$base/blobs/$(blob)")" \
    '200/1 200/0 404/0 200/0 200/0 '
}

@test "api: anything but GET and HEAD is 405 UNSUPPORTED" {
  local method target
  for method in POST PUT DELETE PATCH OPTIONS; do
    for target in "v2/library/hi/manifests/1" "v2/library/hi/blobs/uploads/" "v2/"; do
      fetch "$method" "http://$gate/$target"
      assert_error 405 UNSUPPORTED
      assert_matches "Allow" "$(header allow)" 'GET'
    done
  done
  fetch PUT "http://$gate/v2/library/hi/manifests/1" --data '{"schemaVersion":2}'
  assert_error 405 UNSUPPORTED
  fetch POST "http://$gate/v2/library/hi/blobs/uploads/" -H 'Transfer-Encoding: chunked' --data-binary 'some bytes'
  assert_error 405 UNSUPPORTED
}

@test "api: a GET with a body is refused" {
  local before
  before=$(wc -l <"$stack_dir/hub.out")
  # By hand, because clients do not do it. What follows the head must never be read as a second request.
  printf 'GET /v2/ HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\nGET /v2/library/hi/manifests/none HT' |
    timeout 5 bash -c 'exec 8<>/dev/tcp/127.0.0.1/5000; cat >&8; cat <&8' >"$BATS_TEST_TMPDIR/answer" || true
  assert_matches "answer" "$(head -n 1 "$BATS_TEST_TMPDIR/answer")" '^HTTP/1.1 4[0-9][0-9] '
  assert_equal "answers" "$(grep -ac '^HTTP/1.1 ' "$BATS_TEST_TMPDIR/answer")" 1
  assert_equal "requests to the upstream" "$(wc -l <"$stack_dir/hub.out")" "$before"
}

@test "api: errors are the specification's JSON, and HEAD agrees" {
  local none target want codes length type
  none=sha256:$(printf '0%.0s' {1..64})
  while read -r target want codes; do
    fetch GET "http://$gate/v2/library/$target"
    assert_error "$want" "$codes"
    length=$(header content-length)
    type=$(header content-type)
    fetch HEAD "http://$gate/v2/library/$target"
    assert_equal "HEAD $target" "$code $(header content-length) $(header content-type)" "$want $length $type"
  done <<TABLE
hi/manifests/no-such-tag 404 MANIFEST_UNKNOWN
hi/manifests/$none 404 MANIFEST_UNKNOWN
hi/blobs/$none 404 BLOB_UNKNOWN
hi/manifests/sha256:abc 400 DIGEST_INVALID
hi/blobs/sha256:abc 400 DIGEST_INVALID
hi/blobs/latest 400 DIGEST_INVALID
no-such-repository/manifests/1 404 (NAME|MANIFEST)_UNKNOWN
no-such-repository/tags/list 404 NAME_UNKNOWN
TABLE
}

@test "api: a name that is not one is refused before anyone is asked" {
  local before name
  before=$(wc -l <"$stack_dir/hub.out")
  for name in Library/hi library//hi -hi library/hi%20 library/%2e%2e/hi; do
    fetch GET "http://$gate/v2/$name/manifests/1"
    assert_matches "status for $name" "$code" '^40[04]$'
    jq -e '.errors[0].code' "$body"
  done
  assert_equal "requests to the upstream" "$(wc -l <"$stack_dir/hub.out")" "$before"
}

@test "api: an unknown upstream is 404 NAME_UNKNOWN that names it" {
  fetch GET "http://$gate/v2/registry.example/org/tool/manifests/1"
  assert_error 404 NAME_UNKNOWN
  assert_matches "message" "$(jq -r '.errors[0].message' "$body")" 'registry\.example'
}

@test "api: an upstream by path, by ns and by default; ns is echoed" {
  assert_manifest "http://$gate/v2/ghcr.io/org/tool/manifests/1" "$(tag_digest org/tool:1)"
  assert_manifest "http://$gate/v2/org/tool/manifests/1?ns=ghcr.io" "$(tag_digest org/tool:1)"
  assert_equal "OCI-Namespace" "$(header oci-namespace)" ghcr.io
  assert_manifest "http://$gate/v2/docker.io/library/hi/manifests/1" "$(tag_digest library/hi:1)"
  assert_manifest "http://$gate/v2/docker.io/hi/manifests/1" "$(tag_digest library/hi:1)"
  assert_manifest "http://$gate/v2/hi/manifests/1" "$(tag_digest library/hi:1)"
  assert_manifest "http://$gate/v2/library/hi/manifests/1?ns=docker.io" "$(tag_digest library/hi:1)"
}

@test "api: a manifest has its type as stored, its digest, an ETag" {
  assert_manifest "http://$gate/v2/library/single/manifests/1" "$(tag_digest library/single:1)"
  assert_equal "type" "$(header content-type)" application/vnd.oci.image.manifest.v1+json
  assert_matches "etag" "$(header etag)" "$(tag_digest library/single:1)"
  assert_equal "version" "$(header docker-distribution-api-version)" registry/2.0
  # A Range on a manifest is ignored, as BuildKit expects.
  fetch GET "http://$gate/v2/library/single/manifests/1" -H 'Range: bytes=0-'
  assert_equal "range on a manifest" "$code" 200
}

@test "api: a blob, cold and warm, by HEAD and by GET" {
  local url size outcome
  url=http://$gate/v2/library/hi/blobs/$(blob)
  size=$(blob_size)
  for outcome in '' hit; do
    fetch HEAD "$url"
    assert_equal "HEAD" "$code $(header content-length) $(header docker-content-digest)" "200 $size $(blob)"
    fetch GET "$url"
    assert_equal "GET" "$code $(header content-length) $(header docker-content-digest)" "200 $size $(blob)"
    assert_equal "ranges" "$(header accept-ranges)" bytes
    assert_equal "type" "$(header content-type)" application/octet-stream
    assert_equal "hash" "sha256:$(sha256 "$body")" "$(blob)"
    [[ -z $outcome ]] || assert_equal "cache" "$(header archway-cache)" "$outcome"
  done
}

@test "api: single ranges of a blob" {
  local url size range from length
  url=http://$gate/v2/library/hi/blobs/$(blob)
  size=$(blob_size)
  original >"$BATS_TEST_TMPDIR/original"
  while read -r range from length; do
    fetch GET "$url" -H "Range: bytes=$range"
    assert_equal "$range: status" "$code" 206
    assert_equal "$range: Content-Range" "$(header content-range)" "bytes $from-$((from + length - 1))/$size"
    assert_equal "$range: length" "$(header content-length)" "$length"
    tail -c "+$((from + 1))" "$BATS_TEST_TMPDIR/original" | head -c "$length" | cmp - "$body"
  done <<TABLE
0-0 0 1
0-9 0 10
100-65999 100 65900
$((size - 1))- $((size - 1)) 1
1000- 1000 $((size - 1000))
-5 $((size - 5)) 5
-$((size + 1)) 0 $size
0-$((size * 2)) 0 $size
TABLE
  fetch GET "$url" -H "Range: bytes=$size-"
  assert_equal "past the end" "$code $(header content-range)" "416 bytes */$size"
  # What is no single range of bytes is answered in whole.
  for range in 'bytes=0-1,5-6' 'bytes=9-3' 'bytes=x-' 'lines=1-2'; do
    fetch GET "$url" -H "Range: $range"
    assert_equal "$range: status and length" "$code $(header content-length)" "200 $size"
  done
}

@test "api: If-Range gives the range only while the blob is the same" {
  local url
  url=http://$gate/v2/library/hi/blobs/$(blob)
  fetch HEAD "$url"
  local etag
  etag=$(header etag)
  fetch GET "$url" -H 'Range: bytes=0-9' -H "If-Range: $etag"
  assert_equal "the same" "$code" 206
  fetch GET "$url" -H 'Range: bytes=0-9' -H 'If-Range: "another"'
  assert_equal "another" "$code" 200
  fetch GET "$url" -H 'Range: bytes=0-9' -H "If-Range: W/$etag"
  assert_equal "a weak one" "$code" 200
}

@test "api: a range of a cold blob comes at once, and the blob is fetched once" {
  local digest url
  digest=$(layers_of library/single-arm64:1 linux/arm64/v8 | tail -n 1)
  url=http://$gate/v2/library/single-arm64/blobs/$digest
  fetch GET "$url" -H 'Range: bytes=1000-'
  assert_equal "status" "$code" 206
  fetch GET "$url"
  assert_equal "hash" "sha256:$(sha256 "$body")" "$digest"
  assert_equal "from the upstream" "$(upstream_gets hub "$digest")" 1
}

@test "api: a blob of one repository is not served under another that does not have it" {
  local digest
  digest=$(layers_of org/tool:1 linux/amd64 | tail -n 1)
  fetch GET "http://$gate/v2/ghcr.io/org/tool/blobs/$digest"
  assert_equal "where it is" "$code" 200
  fetch GET "http://$gate/v2/library/hi/blobs/$digest"
  assert_error 404 BLOB_UNKNOWN
}

@test "api: tags/list, whole and in pages" {
  local url=http://$gate/v2/library/many/tags/list next seen='' pages=0
  fetch GET "$url"
  assert_equal "status" "$code" 200
  jq -e '.name == "library/many" and (.tags | sort) == ["v1", "v2", "v3", "v4", "v5", "v6", "v7"]' "$body"
  fetch HEAD "$url"
  assert_equal "HEAD" "$code" 200
  next='/v2/library/many/tags/list?n=3'
  while [[ -n $next ]]; do
    fetch GET "http://$gate$next"
    assert_equal "status" "$code" 200
    [[ $(jq '.tags | length' "$body") -le 3 ]] || fail "more than n tags: $(cat "$body")"
    seen+=$(jq -r '.tags | map(. + " ") | add // ""' "$body")
    next=$(header link | sed -nE 's#^<([^>]*)>; *rel="?next"?$#\1#p')
    next=${next#"http://$gate"}
    pages=$((pages + 1))
    [[ $pages -le 3 ]] || fail "more pages than tags: $next"
  done
  assert_equal "tags over the pages" "$seen" 'v1 v2 v3 v4 v5 v6 v7 '
  assert_equal "pages" "$pages" 3
  fetch GET "$url?n=2&last=v5"
  assert_equal "after v5" "$(jq -c .tags "$body")" '["v6","v7"]'
  fetch GET "$url?n=0"
  assert_equal "n=0" "$code $(jq -c .tags "$body")" '200 []'
  fetch GET "http://$gate/v2/ghcr.io/org/tool/tags/list"
  assert_equal "another upstream" "$(jq -c .tags "$body")" '["1"]'
}

@test "api: referrers, from a registry that has only the fallback tag" {
  local subject
  subject=$(tag_digest library/single:1)
  fetch GET "http://$gate/v2/library/single/referrers/$subject"
  assert_equal "status" "$code" 200
  assert_equal "type" "$(header content-type)" application/vnd.oci.image.index.v1+json
  assert_equal "who refers to it" "$(jq -r '.manifests[].digest' "$body")" "$(cat "$ARCHWAY_E2E_WORK/note")"
  fetch GET "http://$gate/v2/library/hi/referrers/$(tag_digest library/hi:1)"
  assert_equal "nobody" "$code $(jq -c .manifests "$body")" '200 []'
  fetch GET "http://$gate/v2/library/hi/referrers/latest"
  assert_error 400 DIGEST_INVALID
}

@test "api: a TLS hello on the plaintext port is answered at once with HTTP/1.0 400" {
  local line
  exec 8<>/dev/tcp/127.0.0.1/5000
  # Six bytes, no line end: a server that waits for one would let the client wait for its time-out.
  printf '\x16\x03\x01\x00\xc4\x01' >&8
  IFS= read -r -t 2 line <&8
  exec 8<&-
  assert_matches "answer" "$line" '^HTTP/1\.0 400'
}

@test "api: an HTTP/1.0 client is served" {
  assert_equal "status" "$(curl -sS --max-time 10 --http1.0 -o /dev/null -w '%{http_code}' "http://$gate/v2/")" 200
  local url
  url=http://$gate/v2/library/hi/blobs/$(blob)
  fetch GET "$url" --http1.0
  assert_equal "hash" "sha256:$(sha256 "$body")" "$(blob)"
}

@test "api: a request that two servers could read differently is refused" {
  local request
  for request in \
    'GET /v2/ HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 1\r\n\r\n' \
    'GET /v2/ HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n' \
    'GET /v2/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n' \
    'GET /v2/ HTTP/1.1\r\n\r\n' \
    'GET /v2/ HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n' \
    'GET /v2/ HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n'; do
    printf '%b' "$request" |
      timeout 5 bash -c 'exec 8<>/dev/tcp/127.0.0.1/5000; cat >&8; head -n 1 <&8' >"$BATS_TEST_TMPDIR/answer" || true
    assert_matches "$request" "$(cat "$BATS_TEST_TMPDIR/answer")" '^HTTP/1\.[01] 400'
  done
}

@test "api: TLS: everything is the same as in plain text" {
  assert_manifest "https://localhost:5443/v2/library/hi/manifests/1" "$(child library/hi:1 linux/arm/v7)" \
    --cacert "$stack_dir/tls.crt" -H 'Archway-Platform: linux/arm/v7'
  fetch GET "https://localhost:5443/v2/library/hi/blobs/$(blob)" --cacert "$stack_dir/tls.crt"
  assert_equal "hash" "sha256:$(sha256 "$body")" "$(blob)"
  fetch GET "https://localhost:5443/v2/library/hi/blobs/$(blob)" --cacert "$stack_dir/tls.crt" -H 'Range: bytes=5-14'
  assert_equal "range" "$code $(stat -c %s "$body")" "206 10"
}

certificate_now() {
  openssl s_client -connect 127.0.0.1:5443 -servername localhost </dev/null 2>/dev/null | openssl x509 -noout -serial
}
certificate_is() { [[ $(certificate_now) == "$1" ]]; }

@test "api: TLS: SIGHUP reads the certificate again" {
  local old new
  old=$(certificate_now)
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
    -keyout "$stack_dir/tls.key" -out "$stack_dir/tls.crt" 2>/dev/null
  assert_equal "before the signal" "$(certificate_now)" "$old"
  kill -HUP "$(service_pid archway)"
  new=$(openssl x509 -noout -serial -in "$stack_dir/tls.crt")
  [[ $new != "$old" ]]
  poll 5 "the new certificate is shown" certificate_is "$new"
  fetch GET https://localhost:5443/v2/ --cacert "$stack_dir/tls.crt"
  assert_equal "status" "$code" 200
}

@test "api: TLS: a certificate that cannot be read leaves the old one in use" {
  local old
  old=$(certificate_now)
  printf 'no certificate\n' >"$stack_dir/tls.crt"
  kill -HUP "$(service_pid archway)"
  poll 5 "the log says so" grep -q 'tls\.crt' "$stack_dir/archway.out" "$stack_dir/archway.err"
  assert_equal "after the signal" "$(certificate_now)" "$old"
}

@test "api: the upstreams were asked once for each object" {
  assert_one_get_each hub "$(tag_digest library/hi:1)" "$(blob)"
  assert_one_get_each ghcr "$(tag_digest org/tool:1)"
}
