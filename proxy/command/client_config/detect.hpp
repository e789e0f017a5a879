#pragma once

#include "proxy/command/client_config/client_files.hpp"

#include <filesystem>
#include <string>

namespace archway::proxy {

struct Detected {
  Platform platform;
  std::string why;  ///< a sentence: what was looked at
};

/// What a machine pulls images for: the platform of the client's own program, else of its shell, as
/// the program's ELF header says it; a 64-bit kernel often runs a 32-bit system (Raspberry Pi OS).
/// `machine` is what the kernel calls the machine (`uname -m`), "" for a system other than the one
/// that runs: it tells arm's variant, and everything where no program can be read.
///
/// Errors: Errc::platform_invalid.
///
/// Source: System V ABI, chapter "Object Files", "ELF Header".
Result<Detected> detect_platform(const Client& client, const std::filesystem::path& root,
                                 const std::string& machine);

/// `uname -m` of the kernel that runs.
std::string kernel_machine();

}  // namespace archway::proxy
