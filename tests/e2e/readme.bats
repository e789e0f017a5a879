# What README.md tells people to write is what these tests use.

load helpers

setup_file() { :; }

# blocks: every fenced code block of README.md in a file of its own.
blocks() {
  awk -v out="$BATS_TEST_TMPDIR/block" '
    /^ *```/ { inside = !inside; if (inside) { n++; printf "" >(out "." n) } else { close(out "." n) } next }
    inside { print >(out "." n) }' "$BATS_TEST_DIRNAME/../../README.md"
}

@test "readme: shows every client configuration of the tests, verbatim" {
  blocks
  local file block found
  while read -r file; do
    found=no
    for block in "$BATS_TEST_TMPDIR"/block.*; do
      if cmp -s "$file" "$block"; then found=yes; fi
    done
    [[ $found == yes ]] || fail "README.md has no code block that is exactly ${file#"$BATS_TEST_DIRNAME/"}:" "$(cat "$file")"
  done < <(find "$clients" -type f | sort)
}

@test "readme: names the place of each of these files" {
  local place
  for place in /etc/docker/daemon.json /etc/containerd/config.toml /etc/containerd/certs.d/_default/hosts.toml \
    /etc/rancher/k3s/registries.yaml /etc/containers/registries.conf.d/50-archway.conf; do
    grep -qF "$place" "$BATS_TEST_DIRNAME/../../README.md" || fail "README.md does not say $place"
  done
}

@test "readme: no client configuration has anything to fill in" {
  local file
  while read -r file; do
    if grep -nE '<[a-z-]+>|\$\{?[A-Z]|example\.|CHANGE' "$file"; then fail "$file has a placeholder"; fi
    grep -qE '127\.0\.0\.1:5000|config_path' "$file" || fail "$file does not point at archway"
  done < <(find "$clients" -type f)
}
