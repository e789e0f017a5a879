# What every test file uses: processes with a name, registries, archway, and assertions.
# Loaded by `load helpers` from a .bats file; tests/e2e/run has prepared the machine before.
# shellcheck shell=bash disable=SC2034 # the files that load this use its variables

: "${ARCHWAY_BINARY:?start this suite with tests/e2e/run BINARY}"
: "${ARCHWAY_E2E_WORK:?start this suite with tests/e2e/run BINARY}"

gate=127.0.0.1:5000    # archway, where the client configurations point
admin=127.0.0.1:5001   # archway's own pages
hub=127.0.0.1:5100     # stands for Docker Hub
ghcr=127.0.0.1:5101    # stands for ghcr.io
storage=$ARCHWAY_E2E_WORK/storage
images=$ARCHWAY_E2E_WORK/images.json
clients=$BATS_TEST_DIRNAME/clients
variants=$BATS_TEST_DIRNAME/variants
export stack_dir=$BATS_FILE_TMPDIR/run
mkdir -p "$stack_dir"
# shellcheck source=../support/lib.sh
source "$BATS_TEST_DIRNAME/../support/lib.sh"

index_types='application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json'
manifest_types='application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json'
docker_agent='docker/20.10.24+dfsg1 go/go1.19.8 git-commit/5d6db84 kernel/6.1.0 os/linux arch/ARCH UpstreamClient(Docker-Client/20.10.24 \(linux\))'

# fail TEXT…: ends the test with a message.
fail() {
  printf '%s\n' "$*" >&2
  return 1
}

# need PROGRAM…: a missing program fails the test and says which package has it.
need() {
  local program package
  for program in "$@"; do
    command -v "$program" >/dev/null && continue
    case $program in
      dockerd | docker) package=docker.io ;;
      ctr) package=containerd ;;
      htpasswd) package=apache2-utils ;;
      *) package=$program ;;
    esac
    fail "this test needs the program '$program' (Debian package $package), which is not installed"
  done
}

# ---- processes with a name (tests/support/lib.sh does most of it) ------------------------------

listens() { (exec 8<>"/dev/tcp/${1%:*}/${1##*:}") 2>/dev/null; }
closed() { ! listens "$1"; }
not_empty() { [[ -s $1 ]]; }

# watched_start NAME COMMAND…: as service_start, and $stack_dir/NAME.status holds the exit status later.
watched_start() {
  local name=$1
  shift
  rm -f "$stack_dir/$name.status" "$stack_dir/$name.pid"
  (
    "$@" </dev/null >>"$stack_dir/$name.out" 2>>"$stack_dir/$name.err" &
    printf '%s\n' "$!" >"$stack_dir/$name.pid.new"
    mv "$stack_dir/$name.pid.new" "$stack_dir/$name.pid"
    status=0
    wait "$!" || status=$?
    printf '%s\n' "$status" >"$stack_dir/$name.status"
  ) 3>&- 4>&- >/dev/null 2>&1 &
  poll 5 "$name has a process id" test -s "$stack_dir/$name.pid"
  printf '%s\n' "$name" >>"$stack_dir/services"
}

# status_of NAME: the exit status of a watched program, once it has ended.
status_of() {
  poll 40 "$1 ends" test -s "$stack_dir/$1.status" && cat "$stack_dir/$1.status"
}

# assert_clean_end NAME: it ended with status 0 (a sanitizer's finding is another status).
assert_clean_end() {
  local status
  status=$(status_of "$1")
  [[ $status == 0 ]] && return 0
  printf '%s ended with status %s; the end of its log:\n' "$1" "$status" >&2
  tail -n 60 "$stack_dir/$1.err" "$stack_dir/$1.out" >&2
  return 1
}

stop_archway() {
  service_stop archway 40
  assert_clean_end archway
}

# stop_everything: newest first; every archway among it must have ended well.
stop_everything() {
  local result=0 status name
  services_stop || result=1
  for status in "$stack_dir"/archway*.status; do
    [[ -e $status ]] || continue
    name=${status##*/}
    assert_clean_end "${name%.status}" || result=1
    rm -f "$status"
  done
  unmount_below "$stack_dir" || result=1
  return "$result"
}

# unmount_below DIRECTORY: what container engines leave mounted there (dockerd binds its data-root onto
# itself); bats could not remove the directory otherwise. The innermost mount goes first.
unmount_below() {
  local place
  awk -v below="$1/" 'index($5 "/", below) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
    while IFS= read -r place; do umount --lazy "$(printf '%b' "$place")" || return 1; done
}

# ---- registries ------------------------------------------------------------------------------

# start_registry NAME ADDRESS: a docker-registry on what the suite has prepared under that name.
start_registry() {
  need docker-registry
  mkdir -p "$storage/$1"
  ln -sfn "$storage/$1" "$stack_dir/$1.storage"
  printf '%s\n' "${2##*:}" >"$stack_dir/$1.port"
  registry_start "$1"
}

# upstream_objects NAME: every object that the registry gave away, one line a GET: "repository digest".
# A tag counts as the digest that it stands for. The registry's own access log is the witness.
upstream_objects() {
  sed -nE 's#^.*"GET /v2/([^" ?]+)/(manifests|blobs)/([^" ?/]+)[^"]*" (200|206|307) .*$#\1 \3#p' "$stack_dir/$1.out" |
    while read -r repository reference; do
      if [[ $reference != *:* ]]; then
        reference=$(cat "$storage/$1/docker/registry/v2/repositories/$repository/_manifests/tags/$reference/current/link")
      fi
      printf '%s %s\n' "$repository" "$reference"
    done
}

# upstream_gets NAME DIGEST: how often the registry gave this object away.
upstream_gets() { upstream_objects "$1" | grep -cF " $2" || true; }

# assert_one_get_each NAME [DIGEST…]: no object was fetched twice, and each of these exactly once.
assert_one_get_each() {
  local name=$1 objects twice digest count
  shift
  objects=$(upstream_objects "$name" | awk '{ print $2 }')
  twice=$(sort <<<"$objects" | uniq -d)
  [[ -z $twice ]] || fail "the upstream $name was asked more than once for:" "$twice"
  for digest in "$@"; do
    count=$(grep -cxF "$digest" <<<"$objects" || true)
    [[ $count == 1 ]] || fail "the upstream $name was asked $count times for $digest, not once"
  done
}

# ---- what the registries hold (the summary of tests/support/make_images.py) ---------------------

# image NAME FILTER: a jq filter over one image. What is not there comes out as a word that no digest
# is equal to, so that a loop over nothing cannot pass for a test.
image() {
  jq -er --arg n "$1" ".[\$n] | $2" "$images" || printf 'nothing-for-%s\n' "$1"
}
tag_digest() { image "$1" .digest; }
# child IMAGE PLATFORM: digest of the manifest for it, e.g. linux/arm64/v8, windows(10.0.20348.2527)/amd64.
child() { image "$1" ".platforms[\"$2\"].digest"; }
config_of() { image "$1" ".platforms[\"$2\"].config.digest"; }
layers_of() { image "$1" ".platforms[\"$2\"].layers[].digest"; }
# objects_of IMAGE PLATFORM: everything that a pull for this platform needs below the index.
objects_of() {
  child "$1" "$2"
  config_of "$1" "$2"
  layers_of "$1" "$2"
}
platforms_of() { image "$1" '.platforms | keys_unsorted[]'; }
children_of() { image "$1" '((.platforms[], .attestations[]) | .digest)'; }

# ---- archway ---------------------------------------------------------------------------------

# archway_config [LINES]: the configuration of these tests plus what a test adds at the end.
archway_config() {
  cat <<CONFIG
listen:
  - address: $gate
${listeners:-}
admin: $admin
cache:
  directory: ${cache:-$stack_dir/cache}
  keep_free: 64MiB
upstreams:
  - name: docker.io
    url: http://${hub_url:-$hub}
    default: true
  - name: ghcr.io
    url: http://$ghcr
CONFIG
  if (($#)); then printf '%s\n' "$@"; fi
}

# start_archway [CONFIGURATION-FILE]: and waits until it is ready.
start_archway() {
  local file=${1:-$stack_dir/archway.yaml}
  [[ -e $file ]] || archway_config >"$file"
  watched_start archway "$ARCHWAY_BINARY" serve -c "$file"
  service_await archway 20 "archway is ready" curl -sf -o /dev/null --max-time 2 "http://$admin/readyz"
}

# metric NAME-AND-LABELS-REGEX: the sum of the samples that match, 0 when there are none.
metric() {
  curl --silent --fail --max-time 5 "http://$admin/metrics" |
    awk -v want="^$1" '$0 !~ /^#/ && $0 ~ want { sum += $NF } END { printf "%.0f\n", sum }'
}

# ---- HTTP ------------------------------------------------------------------------------------

shopt -s extglob
declare -gA head=()

# fetch METHOD URL [curl option…]: leaves the status in $code, the body in $body (a file); see header.
fetch() {
  local method=$1 url=$2
  shift 2
  body=$BATS_TEST_TMPDIR/body
  headers=$BATS_TEST_TMPDIR/headers
  : >"$body"
  local -a how=(--request "$method")
  [[ $method == HEAD ]] && how=(--head)
  [[ $method == GET ]] && how=()
  code=$(curl --silent --show-error --max-time 30 --path-as-is "${how[@]}" "$@" --dump-header "$headers" --output "$body" \
    --write-out '%{http_code}' "$url") || fail "$method $url: curl ended with $?, status ${code:-none}"
  [[ $method != HEAD ]] || : >"$body"
  # The last head, when there was an interim answer before it.
  head=()
  local line name
  while IFS= read -r line; do
    line=${line%$'\r'}
    name=${line%%:*}
    case $line in
      HTTP/*) head=() ;;
      *:*) head[${name,,}]=${line##"$name":*( )} ;;
    esac
  done <"$headers"
}

# header NAME: its value in the last answer, nothing when it has none.
header() { printf '%s\n' "${head[${1,,}]:-}"; }

sha256() { openssl dgst -sha256 -r "$1" | cut -d ' ' -f 1; }

# is_hit URL: what it names is complete in the cache.
is_hit() { curl -sS --fail --max-time 5 --head "$1" | grep -qi '^archway-cache: hit'; }

# assert_equal WHAT GOT WANTED
assert_equal() { [[ $2 == "$3" ]] || fail "$1: got '$2', wanted '$3'"; }
# assert_matches WHAT GOT REGEX
assert_matches() { [[ $2 =~ $3 ]] || fail "$1: got '$2', which does not match '$3'"; }

# assert_error STATUS CODES-REGEX: the last answer is the specification's error JSON with a message.
assert_error() {
  assert_equal "status" "$code" "$1"
  assert_equal "content type of an error" "$(header content-type)" application/json
  jq -e '.errors | length > 0' "$body" >/dev/null || fail "not an error body: $(cat "$body")"
  assert_matches "error code" "$(jq -r '.errors[0].code' "$body")" "^($2)\$"
  [[ $(jq -r '.errors[0].message | length' "$body") -gt 9 ]] || fail "no message to act on: $(cat "$body")"
}

# assert_manifest URL DIGEST [curl option…]: HEAD and GET agree, and both give this very manifest.
assert_manifest() {
  local url=$1 digest=$2 method seen='' answer
  shift 2
  for method in HEAD GET; do
    fetch "$method" "$url" "$@"
    assert_equal "$method $url $*: status" "$code" 200
    assert_equal "$method $url $*: digest" "$(header docker-content-digest)" "$digest"
    answer="$(header content-type) $(header content-length) $(header docker-content-digest) $(header archway-platform) $(header archway-index)"
    [[ -z $seen || $seen == "$answer" ]] || fail "$url $*: HEAD says '$seen', GET says '$answer'"
    seen=$answer
  done
  assert_equal "$url: hash of the body" "sha256:$(sha256 "$body")" "$digest"
  assert_equal "$url: length" "$(header content-length)" "$(stat -c %s "$body")"
  local type
  type=$(jq -r '.mediaType // empty' "$body")
  [[ -z $type ]] || assert_equal "$url: type" "$(header content-type)" "$type"
}

# What bats shows of a test that failed: the last lines of everything that was started.
show_logs() {
  local name
  [[ -z ${BATS_TEST_COMPLETED:-} ]] || return 0
  [[ -s $stack_dir/services ]] || return 0
  while read -r name; do
    printf -- '--- %s, the end of its log\n' "$name"
    # A registry's access log says enough; its other log says the same at length.
    case $name in
      hub | ghcr) tail -n 12 "$stack_dir/$name.out" ;;
      *) tail -q -n 12 "$stack_dir/$name.err" "$stack_dir/$name.out" ;;
    esac | cut -c 1-300
  done < <(awk '!seen[$0]++' "$stack_dir/services")
}
teardown() { show_logs; }
teardown_file() { stop_everything; }
