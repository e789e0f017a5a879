#include "proxy/command/client_config/client_files.hpp"
#include "tests/proxy/command/client_config/made.hpp"
#include "tests/proxy/command/running.hpp"

#include <doctest/doctest.h>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>

namespace archway::proxy {
namespace {

namespace fs = std::filesystem;

constexpr const char* url = "http://127.0.0.1:5000";

std::string text_of_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_CASE("client-config prints what the end-to-end tests use") {
  const auto line = [](const std::string& path) { return first_line(path); };
  struct Row {
    const char* why;
    std::vector<std::string> arguments;
    std::string want;
  };
  const std::string hosts = "/etc/containerd/certs.d/_default/hosts.toml";
  const std::string podman = "/etc/containers/registries.conf.d/50-archway.conf";
  const Row rows[] = {
      {"docker", {"docker"}, client_file("docker/daemon.json")},
      {"containerd", {"containerd"}, line(hosts) + client_file("containerd/hosts.toml")},
      {"containerd, stated",
       {"containerd", "--platform", "aarch64"},
       line(hosts) + client_file("containerd/hosts-platform.toml")},
      {"k3s",
       {"k3s", "--platform", "linux/arm64"},
       line("/etc/rancher/k3s/registries.yaml") + client_file("k3s/registries.yaml")},
      {"podman",
       {"podman", "--upstream", "docker.io"},
       line(podman) + client_file("podman/50-archway.conf")},
      {"podman, stated",
       {"podman", "--platform", "arm/v7", "--upstream", "docker.io"},
       line(podman) + client_file("podman/50-archway-platform.conf")},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    std::vector<std::string> arguments = {"client-config", "--url", url};
    arguments.insert(arguments.end(), row.arguments.begin(), row.arguments.end());
    const Ran ran = run_with(arguments);
    CHECK(ran.code == exits::ok);
    CHECK(ran.out == row.want);
    CHECK(ran.err.find("note: ") != std::string::npos);
    arguments.emplace_back("--quiet");
    CHECK(run_with(arguments).out == row.want);
    CHECK(run_with(arguments).err.empty());
  }
}

TEST_CASE("the gateway is the first listener of the configuration where no URL is given") {
  std::array<char, 256> host{};
  REQUIRE(::gethostname(host.data(), host.size() - 1) == 0);
  const TempFolder folder;
  folder.write("tls.crt", "x");
  const std::string one = folder.write("a.yaml", "listen: [{address: 10.0.0.5:5007}]\n");
  const auto mirror = [](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"client-config", "docker", "-q"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_with(arguments).out;
  };
  CHECK(mirror({"-c", one}).find("\"http://10.0.0.5:5007\"") != std::string::npos);
  std::string lower = host.data();
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  CHECK(mirror({}).find("\"http://" + lower + ":5000\"") != std::string::npos);
  CHECK(run_with({"client-config", "docker", "-c", "/nowhere"}).code == exits::configuration);
}

TEST_CASE("upstreams and the header's name are the configuration's") {
  const TempFolder folder;
  const std::string file = folder.write(
      "a.yaml", "upstreams: [{name: a.lan}, {name: b.lan}]\nplatforms: {header: X-Machine}\n");
  const Ran podman = run_with({"client-config", "podman", "--url", url, "-c", file});
  CHECK(podman.out.find("prefix = \"a.lan\"") != std::string::npos);
  CHECK(podman.out.find("prefix = \"b.lan\"") != std::string::npos);
  CHECK(podman.out.find("docker.io") == std::string::npos);
  const Ran containerd =
      run_with({"client-config", "containerd", "--url", url, "-c", file, "--platform", "arm64"});
  CHECK(containerd.out.find("X-Machine = \"linux/arm64\"") != std::string::npos);
  const Ran other =
      run_with({"client-config", "podman", "--url", url, "-c", file, "--upstream", "c.lan"});
  CHECK(other.err.starts_with("note: c.lan is no upstream of the configuration"));
}

TEST_CASE("client-config as JSON has the files, the notes and what to do next") {
  const Ran ran = run_with({"client-config", "docker", "--url", url, "--json"});
  CHECK(ran.code == exits::ok);
  CHECK(
      ran.out.starts_with("{\n  \"client\": \"docker\",\n  \"files\": [\n    {\n      \"path\": "
                          "\"/etc/docker/daemon.json\",\n      \"text\": \"{\\n"));
  CHECK(ran.out.find("\"next\": \"systemctl reload docker\"\n}\n") != std::string::npos);
  CHECK(ran.err.empty());
}

TEST_CASE("what client-config cannot do is usage, with what is allowed") {
  struct Row {
    const char* why;
    std::vector<std::string> arguments;
    const char* want;
  };
  const Row rows[] = {
      {"a typing error", {"dokcer"}, "found \"dokcer\"; did you mean docker?\n"},
      {"no client of ours",
       {"emacs"},
       "found \"emacs\"; allowed: docker, containerd, k3s, podman, crio, buildkit or talos\n"},
      {"a URL with a path",
       {"docker", "--url", "http://a:5000/v2/"},
       "--url: found \"http://a:5000/v2/\"; allowed: the gateway without a path, such as "
       "http://a:5000\n"},
      {"no URL", {"docker", "--url", "a:5000"}, "--url: "},
      {"no platform", {"docker", "--platform", "a/b/c/d"}, "--platform: "},
      {"two platforms",
       {"docker", "--platform", "arm64", "--detect"},
       "found --platform and --detect; allowed: one of them\n"},
      {"no upstream's name",
       {"podman", "--upstream", "a\"b"},
       "--upstream: found \"a\\\"b\"; allowed: a registry's name, such as docker.io or "
       "registry.lan:5000\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    std::vector<std::string> arguments = {"client-config"};
    arguments.insert(arguments.end(), row.arguments.begin(), row.arguments.end());
    const Ran ran = run_with(arguments);
    CHECK(ran.code == exits::usage);
    CHECK(ran.out.empty());
    CHECK(ran.err.starts_with("archway client-config: " + std::string(row.want)));
  }
}

TEST_CASE("client-config --detect says what it found, below a root too") {
  const TempFolder folder;
  fs::create_directories(folder.path() / "bin");
  std::string program =
      "\x7f"
      "ELF";
  program += '\x01';
  program += '\x01';
  program.resize(18, '\0');
  program += '\x28';
  program.resize(64, '\0');
  folder.write("bin/sh", program);
  const Ran ran = run_with(
      {"client-config", "docker", "--url", url, "--detect", "--root", folder.path().string()});
  CHECK(ran.code == exits::ok);
  CHECK(ran.out.find("/platform/linux-arm-v7\"") != std::string::npos);
  CHECK(ran.err.starts_with("note: detected linux/arm/v7: /bin/sh is a program for arm"));
  const Ran here = run_with({"client-config", "containerd", "--url", url, "--detect"});
  CHECK(here.out.find("Archway-Platform = \"linux/") != std::string::npos);
}

TEST_CASE("client-config --install merges, keeps a backup and says what to run") {
  const TempFolder root;
  fs::create_directories(root.path() / "etc/docker");
  const std::string file = root.write("etc/docker/daemon.json", "{\"debug\":true}\n");
  std::vector<std::string> arguments = {
      "client-config", "docker", "--url", url, "--install", "--root", root.path().string()};
  auto trial = arguments;
  trial.emplace_back("--dry-run");
  const Ran dry = run_with(trial);
  CHECK(dry.code == exits::ok);
  CHECK(dry.out ==
        "{\n  \"debug\": true,\n  \"registry-mirrors\": [\"http://127.0.0.1:5000\"]\n}\n");
  CHECK(dry.err.starts_with("would have changed " + file));
  CHECK(text_of_file(file) == "{\"debug\":true}\n");

  const Ran ran = run_with(arguments);
  CHECK(ran.code == exits::ok);
  CHECK(ran.out.empty());
  CHECK(ran.err.starts_with("changed " + file + "; what was there is in " + file +
                            ".archway-backup-1\n"));
  CHECK(ran.err.ends_with("next: systemctl reload docker\n"));
  CHECK(text_of_file(file) == dry.out);
  CHECK(text_of_file(file + ".archway-backup-1") == "{\"debug\":true}\n");

  const Ran again = run_with(arguments);
  CHECK(again.err.starts_with(file + " is so already\n"));
  CHECK(again.err.find("next:") == std::string::npos);
  CHECK_FALSE(fs::exists(file + ".archway-backup-2"));
}

TEST_CASE("client-config --install refuses what it cannot do without loss") {
  const TempFolder root;
  fs::create_directories(root.path() / "etc/docker");
  fs::create_directories(root.path() / "etc/rancher/k3s");
  const std::string daemon = root.write("etc/docker/daemon.json", "{broken");
  const std::string k3s = root.write("etc/rancher/k3s/registries.yaml", "mirrors: {}\n");
  for (const char* client : {"docker", "k3s", "talos"}) {
    CAPTURE(client);
    const Ran ran = run_with(
        {"client-config", client, "--url", url, "--install", "--root", root.path().string()});
    CHECK(ran.code == exits::configuration);
    CHECK(ran.out.empty());
    CHECK(ran.err.starts_with("archway client-config: "));
  }
  CHECK(text_of_file(daemon) == "{broken");
  CHECK(text_of_file(k3s) == "mirrors: {}\n");
}

}  // namespace
}  // namespace archway::proxy
