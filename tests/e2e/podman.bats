# podman and buildah through registries.conf, which CRI-O reads too: without and with a platform in the path.

bats_require_minimum_version 1.5.0
load helpers
load engines

setup_file() {
  need buildah
  start_registry hub "$hub"
  start_archway
  prepare_podman
}

# Storage that no other test has filled.
setup() {
  rm -rf "$stack_dir/storage"
  rm -f /etc/containers/registries.conf.d/*
}

digest_in() { pod image inspect --format '{{.Digest}}' "$1"; }
platform_in() { pod image inspect --format '{{.Os}}/{{.Architecture}}' "$1"; }

@test "podman: without a platform it picks its own from the index" {
  configure 50-archway.conf
  pod pull docker.io/library/hi:1
  assert_equal "platform" "$(platform_in docker.io/library/hi:1)" linux/amd64
  assert_equal "image id" "sha256:$(pod image inspect --format '{{.Id}}' docker.io/library/hi:1)" \
    "$(config_of library/hi:1 linux/amd64)"
  assert_equal "digest" "$(digest_in docker.io/library/hi:1)" "$(tag_digest library/hi:1)"
}

@test "podman: what was pulled runs" {
  configure 50-archway.conf
  pod pull --quiet docker.io/library/hi:1
  run --separate-stderr pod run --rm --network none --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 \
    docker.io/library/hi:1
  assert_equal "output ($stderr)" "$output" "hi from linux/amd64"
}

@test "podman: --platform still chooses from the index" {
  configure 50-archway.conf
  pod pull --platform linux/arm64 docker.io/library/hi:1
  assert_equal "platform" "$(platform_in docker.io/library/hi:1)" linux/arm64
  assert_equal "digest" "$(digest_in docker.io/library/hi:1)" "$(tag_digest library/hi:1)"
  assert_equal "image id" "sha256:$(pod image inspect --format '{{.Id}}' docker.io/library/hi:1)" \
    "$(config_of library/hi:1 linux/arm64/v8)"
}

@test "podman: a platform in the mirror's path decides for the tag" {
  configure 50-archway-platform.conf
  pod pull docker.io/library/hi:1
  assert_equal "platform" "$(platform_in docker.io/library/hi:1)" linux/arm
  assert_equal "digest" "$(digest_in docker.io/library/hi:1)" "$(child library/hi:1 linux/arm/v7)"
  assert_equal "image id" "sha256:$(pod image inspect --format '{{.Id}}' docker.io/library/hi:1)" \
    "$(config_of library/hi:1 linux/arm/v7)"
}

@test "podman: a platform in the mirror's path leaves a digest alone" {
  configure 50-archway-platform.conf
  local reference
  reference=docker.io/library/hi@$(child library/hi:1 linux/ppc64le)
  pod pull "$reference"
  assert_equal "platform" "$(platform_in "$reference")" linux/ppc64le
}

@test "podman: the user reads archway's message when a tag does not exist" {
  configure 50-archway.conf
  run pod pull docker.io/library/hi:no-such-tag
  [[ $status != 0 ]]
  assert_matches "message" "$output" 'manifest unknown'
  assert_matches "message" "$output" '127\.0\.0\.1:5000'
}

@test "buildah: builds from an image that comes through the mirror" {
  configure 50-archway.conf
  local container
  container=$(buildah from --quiet docker.io/library/hi:1)
  assert_equal "base" "$(buildah inspect --format '{{.FromImageDigest}}' "$container")" \
    "$(child library/hi:1 linux/amd64)"
  assert_equal "platform" "$(buildah inspect --format '{{.OCIv1.Architecture}}' "$container")" amd64
}

@test "buildah: a platform in the mirror's path decides for the tag" {
  configure 50-archway-platform.conf
  buildah pull docker.io/library/hi:1
  assert_equal "platform" "$(buildah inspect --type image --format '{{.OCIv1.Architecture}}' docker.io/library/hi:1)" arm
  assert_equal "digest" "$(buildah images --format '{{.Digest}}' docker.io/library/hi:1)" "$(child library/hi:1 linux/arm/v7)"
}

@test "podman: the upstream was asked once for each object" {
  # shellcheck disable=SC2046 # one word a digest
  assert_one_get_each hub "$(tag_digest library/hi:1)" $(objects_of library/hi:1 linux/amd64) \
    $(objects_of library/hi:1 linux/arm64/v8) $(objects_of library/hi:1 linux/arm/v7)
}
