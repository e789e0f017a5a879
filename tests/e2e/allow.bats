# platforms.allow: what the operator does not want is never fetched, whoever asks.

load helpers

setup_file() {
  archway_config 'platforms:
  allow: [linux/amd64, linux/arm64]' >"$stack_dir/archway.yaml"
  start_registry hub "$hub"
  start_archway
}

message() { jq -r '.errors[0].message' "$body"; }

@test "allow: what is on the list is served as ever" {
  assert_manifest "http://$gate/v2/library/hi/manifests/1" "$(child library/hi:1 linux/arm64/v8)" -H 'Archway-Platform: linux/arm64'
  assert_manifest "http://$gate/v2/library/hi/manifests/1" "$(child library/hi:1 linux/amd64)" -H 'Archway-Platform: linux/amd64'
  assert_manifest "http://$gate/v2/library/hi/manifests/1" "$(tag_digest library/hi:1)"
}

@test "allow: another platform is refused by tag, with a sentence" {
  fetch GET "http://$gate/v2/library/hi/manifests/1" -H 'Archway-Platform: linux/s390x'
  assert_error 403 DENIED
  assert_matches "message" "$(message)" 'linux/s390x'
  assert_matches "message" "$(message)" 'platforms\.allow'
  assert_matches "message" "$(message)" 'linux/amd64.*linux/arm64'
}

@test "allow: a ladder ends where the list does" {
  # arm64 machines run arm/v7, but it is not on the list.
  fetch GET "http://$gate/v2/library/hi/manifests/1" -H 'Archway-Platform: linux/arm/v7'
  assert_error 403 DENIED
}

@test "allow: another platform is refused by digest, and was never fetched" {
  local digest
  digest=$(child library/hi:1 linux/s390x)
  fetch GET "http://$gate/v2/library/hi/manifests/$digest"
  assert_error 403 DENIED
  assert_equal "fetches" "$(upstream_gets hub "$digest")" 0
  assert_manifest "http://$gate/v2/library/hi/manifests/$(child library/hi:1 linux/amd64)" "$(child library/hi:1 linux/amd64)"
}

@test "allow: the list outlives a restart" {
  stop_archway
  start_archway
  local digest
  digest=$(child library/hi:1 linux/riscv64)
  fetch GET "http://$gate/v2/library/hi/manifests/$digest"
  assert_error 403 DENIED
  assert_equal "fetches" "$(upstream_gets hub "$digest")" 0
}
