# dockerd with archway as its registry mirror. In this network nobody else answers for Docker Hub, so a
# pull that succeeds came through archway. dockerd's graph driver names its own platform in the User-Agent,
# whatever --platform says, and picks the entry of the index itself.

load helpers
load engines

setup_file() {
  start_registry hub "$hub"
  start_registry ghcr "$ghcr"
  start_archway
  start_dockerd
  service_await dockerd 30 "dockerd answers" docker version
}

# platform_of IMAGE: what dockerd says the image is for.
platform_of() { docker image inspect --format '{{.Os}}/{{.Architecture}}{{with .Variant}}/{{.}}{{end}}' "$1"; }
digests_of() { docker image inspect --format '{{join .RepoDigests " "}}' "$1"; }

@test "docker: a pull by tag gets the daemon's own platform" {
  docker pull hi:1
  assert_equal "platform" "$(platform_of hi:1)" linux/amd64
  assert_equal "digest" "$(digests_of hi:1)" "hi@$(tag_digest library/hi:1)"
  assert_equal "image id" "$(docker image inspect --format '{{.Id}}' hi:1)" "$(config_of library/hi:1 linux/amd64)"
}

@test "docker: what was pulled runs" {
  run docker run --rm --network none hi:1
  assert_equal "output" "$output" "hi from linux/amd64"
  assert_equal "status" "$status" 0
}

@test "docker: --platform linux/arm64 gets arm64 from an amd64 daemon" {
  docker pull --platform linux/arm64 hi:1
  assert_matches "platform" "$(platform_of hi:1)" '^linux/arm64'
  assert_equal "image id" "$(docker image inspect --format '{{.Id}}' hi:1)" "$(config_of library/hi:1 linux/arm64/v8)"
}

@test "docker: --platform linux/arm/v6 gets arm/v6" {
  docker pull --platform linux/arm/v6 hi:1
  assert_equal "image id" "$(docker image inspect --format '{{.Id}}' hi:1)" "$(config_of library/hi:1 linux/arm/v6)"
}

@test "docker: a pull by an index's digest gets the daemon's own platform" {
  local reference
  reference=hi@$(tag_digest library/hi:1)
  docker pull "$reference"
  assert_equal "image id" "$(docker image inspect --format '{{.Id}}' "$reference")" \
    "$(config_of library/hi:1 linux/amd64)"
}

@test "docker: a pull by a child's digest gets that child, whoever asks" {
  local reference
  reference=hi@$(child library/hi:1 linux/s390x)
  docker pull "$reference"
  assert_equal "platform" "$(platform_of "$reference")" linux/s390x
  assert_equal "digest" "$(digests_of "$reference")" "$reference"
}

@test "docker: a Docker schema-2 list is pulled as well" {
  docker pull hi-docker:1
  assert_equal "platform" "$(platform_of hi-docker:1)" linux/amd64
  assert_matches "digest" " $(digests_of hi-docker:1) " " hi-docker@$(tag_digest library/hi-docker:1) "
}

@test "docker: a tag that does not exist fails with a message" {
  run docker pull 127.0.0.1:5000/library/hi:no-such-tag
  assert_equal "status" "$status" 1
  assert_matches "message" "$output" 'not found|unknown'
  assert_matches "message" "$output" 'no-such-tag'
}

@test "docker: archway's own words reach the user for an upstream it does not know" {
  run docker pull 127.0.0.1:5000/registry.example/hi:1
  assert_equal "status" "$status" 1
  assert_matches "message" "$output" 'name unknown'
  assert_matches "message" "$output" 'registry\.example'
}

@test "docker: a pull by archway's own name reaches a second upstream" {
  docker pull 127.0.0.1:5000/ghcr.io/org/tool:1
  assert_equal "image id" "$(docker image inspect --format '{{.Id}}' 127.0.0.1:5000/ghcr.io/org/tool:1)" \
    "$(config_of org/tool:1 linux/amd64)"
}

@test "docker: the upstreams were asked once for each object" {
  # shellcheck disable=SC2046 # one word a digest
  assert_one_get_each hub "$(tag_digest library/hi:1)" $(objects_of library/hi:1 linux/amd64) \
    $(objects_of library/hi:1 linux/arm64/v8) "$(child library/hi:1 linux/s390x)" "$(tag_digest library/hi-docker:1)"
  # Its base layer is the one of library/hi, which dockerd has already.
  assert_one_get_each ghcr "$(tag_digest org/tool:1)" "$(child org/tool:1 linux/amd64)" \
    "$(config_of org/tool:1 linux/amd64)" "$(layers_of org/tool:1 linux/amd64 | tail -n 1)"
}
