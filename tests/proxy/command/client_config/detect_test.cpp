#include "proxy/command/client_config/detect.hpp"

#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

const Client& client_named(std::string_view name) {
  for (const Client& client : clients()) {
    if (client.name == name) return client;
  }
  throw std::runtime_error("no such client");
}

/// The beginning of a program, as the linker writes it.
std::string program_for(int machine, bool wide, bool little = true) {
  std::string bytes =
      "\x7f"
      "ELF";
  bytes += static_cast<char>(wide ? 2 : 1);
  bytes += static_cast<char>(little ? 1 : 2);
  bytes.resize(18, '\0');
  const char low = static_cast<char>(machine & 255);
  const char high = static_cast<char>(machine >> 8);
  bytes += little ? low : high;
  bytes += little ? high : low;
  bytes.resize(64, '\0');
  return bytes;
}

void put(const test::TempDir& root, const std::string& path, const std::string& bytes) {
  std::filesystem::create_directories((root.path() / path).parent_path());
  root.write(path, bytes);
}

TEST_CASE("a machine is what its client's program is for") {
  struct Row {
    const char* why;
    int machine;
    bool wide;
    bool little;
    const char* kernel;
    const char* want;
  };
  const Row rows[] = {
      {"a PC", 62, true, true, "x86_64", "linux/amd64"},
      {"an old PC", 3, false, true, "i686", "linux/386"},
      {"a Raspberry Pi 4", 183, true, true, "aarch64", "linux/arm64"},
      {"a 32-bit system on a 64-bit kernel", 40, false, true, "aarch64", "linux/arm/v7"},
      {"a Raspberry Pi 3", 40, false, true, "armv7l", "linux/arm/v7"},
      {"a Raspberry Pi Zero", 40, false, true, "armv6l", "linux/arm/v6"},
      {"an older one", 40, false, true, "armv5tel", "linux/arm/v5"},
      {"some other machine's disk", 40, false, true, "", "linux/arm/v7"},
      {"RISC-V", 243, true, true, "riscv64", "linux/riscv64"},
      {"POWER", 21, true, true, "ppc64le", "linux/ppc64le"},
      {"big POWER", 21, true, false, "ppc64", "linux/ppc64"},
      {"a mainframe", 22, true, false, "s390x", "linux/s390x"},
      {"LoongArch", 258, true, true, "loongarch64", "linux/loong64"},
      {"MIPS", 8, true, true, "mips64", "linux/mips64le"},
      {"small MIPS", 8, false, false, "mips", "linux/mips"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const test::TempDir root;
    put(root, "usr/bin/dockerd", program_for(row.machine, row.wide, row.little));
    const auto detected = detect_platform(client_named("docker"), root.path(), row.kernel);
    REQUIRE(detected);
    CHECK(detected->platform.str() == row.want);
    CHECK(detected->why.starts_with("detected " + std::string(row.want) +
                                    ": /usr/bin/dockerd is a program for "));
    const auto kernel = "(the kernel says " + std::string(row.kernel) + ")";
    CHECK((detected->why.find(kernel) != std::string::npos) == (*row.kernel != '\0'));
  }
}

TEST_CASE("the client's own program is looked at first, then the shell, then the kernel") {
  const test::TempDir root;
  const Client& podman = client_named("podman");
  const auto by_kernel = detect_platform(podman, root.path(), "aarch64");
  REQUIRE(by_kernel);
  CHECK(by_kernel->platform.str() == "linux/arm64");
  CHECK(by_kernel->why.find("no program was found to look at") != std::string::npos);
  put(root, "bin/sh", program_for(40, false));
  CHECK(detect_platform(podman, root.path(), "aarch64")->platform.str() == "linux/arm/v7");
  put(root, "usr/bin/podman", program_for(183, true));
  CHECK(detect_platform(podman, root.path(), "aarch64")->platform.str() == "linux/arm64");
  // A script in its place tells nothing, nor does a program for something odd.
  put(root, "usr/bin/podman", "#!/bin/sh\nexec something else entirely\n");
  CHECK(detect_platform(podman, root.path(), "aarch64")->platform.str() == "linux/arm/v7");
  put(root, "usr/bin/podman", program_for(2, false));
  CHECK(detect_platform(podman, root.path(), "aarch64")->platform.str() == "linux/arm/v7");
}

TEST_CASE("where nothing can be looked at the platform must be said") {
  const test::TempDir root;
  for (const char* kernel : {"", "pdp11/70/x/y"}) {
    CAPTURE(kernel);
    const auto detected = detect_platform(client_named("talos"), root.path(), kernel);
    REQUIRE_FALSE(detected);
    CHECK(detected.error().message == "--detect: found no program below " + root.path().string() +
                                          " that tells the platform; say it with --platform");
  }
  CHECK_FALSE(kernel_machine().empty());
}

}  // namespace
}  // namespace archway::proxy
