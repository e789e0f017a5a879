# The engines that pull, each as its user would have set it up. Loaded by `load engines`, after `load helpers`.
# shellcheck shell=bash disable=SC2154 # helpers.bash has the variables

# start_dockerd: with archway as its mirror.
start_dockerd() {
  need dockerd docker
  cp "$clients/docker/daemon.json" /etc/docker/daemon.json
  service_start dockerd dockerd --config-file /etc/docker/daemon.json --host unix:///run/docker.sock \
    --data-root "$stack_dir/docker" --exec-root /run/docker --pidfile /run/docker.pid --storage-driver vfs \
    --bridge=none --iptables=false --ip6tables=false --cgroup-parent "/${ARCHWAY_E2E_WORK##*/}"
}

# start_containerd: the file that users have and, after it, a snapshotter that works on any file system.
start_containerd() {
  need containerd ctr
  mkdir -p /etc/containerd/certs.d/_default
  cat "$clients/containerd/config.toml" - >/etc/containerd/config.toml <<'CONFIG'

[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "native"
CONFIG
  service_start containerd containerd --config /etc/containerd/config.toml --root "$stack_dir/containerd" \
    --state /run/containerd --address /run/containerd/containerd.sock
}

# prepare_podman: storage of its own, and no signatures asked for.
prepare_podman() {
  need podman
  printf '{"default": [{"type": "insecureAcceptAnything"}]}\n' >/etc/containers/policy.json
  printf '[storage]\ndriver = "vfs"\nrunroot = "/run/storage"\ngraphroot = "%s/storage"\n' "$stack_dir" \
    >/etc/containers/storage.conf
}

configure() { cp "$clients/podman/$1" /etc/containers/registries.conf.d/; }
pod() { podman --runtime runc --cgroup-manager cgroupfs "$@"; }
