#include "proxy/command/client_config/detect.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <sys/utsname.h>

namespace archway::proxy {
namespace {

/// Where every system has some program of its own kind.
constexpr std::array shells = {"/bin/sh", "/usr/bin/sh", "/bin/busybox"};

/// What of an ELF header tells the platform.
struct Header {
  bool wide = false;    ///< 64-bit
  bool little = false;  ///< endian
  unsigned machine = 0;
};

std::optional<Header> header_of(const std::filesystem::path& program) {
  std::ifstream file(program, std::ios::binary);
  std::array<char, 20> bytes{};
  if (!file.read(bytes.data(), bytes.size())) return std::nullopt;
  if (std::string_view(bytes.data(), 4) !=
      "\x7f"
      "ELF") {
    return std::nullopt;
  }
  const auto byte = [&](std::size_t at) {
    return static_cast<unsigned>(static_cast<unsigned char>(bytes[at]));
  };
  const bool little = byte(5) == 1;
  const unsigned machine = little ? byte(18) | byte(19) << 8U : byte(19) | byte(18) << 8U;
  return Header{.wide = byte(4) == 2, .little = little, .machine = machine};
}

/// By e_machine; "" for what no image is made for.
std::string architecture_of(const Header& header) {
  const std::string little = header.little ? "le" : "";
  switch (header.machine) {
    case 3: return "386";
    case 8: return (header.wide ? "mips64" : "mips") + little;
    case 21: return "ppc64" + little;
    case 22: return "s390x";
    case 40: return "arm";
    case 62: return "amd64";
    case 183: return "arm64";
    case 243: return header.wide ? "riscv64" : "";
    case 258: return header.wide ? "loong64" : "";
    default: return "";
  }
}

/// Of a 32-bit arm system; on a 64-bit machine it is v7, as container runtimes have it.
std::string arm_variant(const std::string& machine) {
  if (machine.starts_with("armv6")) return "v6";
  if (machine.starts_with("armv5")) return "v5";
  return "v7";
}

Detected found(const std::string& program, const std::string& architecture,
               const std::string& machine) {
  Platform platform{.os = "linux", .architecture = architecture};
  if (architecture == "arm") platform.variant = arm_variant(machine);
  Detected detected{.platform = platform.normalised(), .why = {}};
  detected.why =
      "detected " + detected.platform.str() + ": " + program + " is a program for " + architecture;
  if (!machine.empty()) detected.why += " (the kernel says " + machine + ")";
  if (architecture == "arm" && machine.empty()) {
    detected.why += "; which arm cannot be seen there, v7 is assumed";
  }
  return detected;
}

}  // namespace

Result<Detected> detect_platform(const Client& client, const std::filesystem::path& root,
                                 const std::string& machine) {
  std::vector<std::string_view> programs = client.programs;
  programs.insert(programs.end(), shells.begin(), shells.end());
  for (const std::string_view program : programs) {
    const auto header = header_of(root / program.substr(1));
    if (!header) continue;
    const auto architecture = architecture_of(*header);
    if (!architecture.empty()) return found(std::string(program), architecture, machine);
  }
  const auto platform = Platform::parse(machine);
  if (!machine.empty() && platform) {
    return Detected{.platform = *platform,
                    .why = "detected " + platform->str() + ": the kernel says " + machine +
                           "; no program was found to look at"};
  }
  return Error{.code = Errc::platform_invalid,
               .origin = Origin::configuration,
               .message = "--detect: found no program below " + root.string() +
                          " that tells the platform; say it with --platform"};
}

std::string kernel_machine() {
  utsname names{};
  if (::uname(&names) != 0) return {};
  return names.machine;
}

}  // namespace archway::proxy
