#pragma once

#include "resolver/model/result.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace archway::proxy {

/// What a program that was run to its end left behind.
struct ChildResult {
  int status = 0;           ///< its exit status; -1 when a signal ended it
  std::string output = {};  ///< its standard output
};

/// Where a program's error stream goes: to ours, or nowhere, so that what it says stays out of a
/// log.
enum class ErrorStream : std::uint8_t { ours, nowhere };

/// Runs a program without a shell, with `input` on its standard input and none of our other files.
/// One that takes longer than `time`, or says more than `output_bytes_max`, is killed.
///
/// Errors: Errc::configuration_invalid; the message names the program.
Result<ChildResult> run_child(const std::filesystem::path& program,
                              const std::vector<std::string>& arguments, const std::string& input,
                              std::chrono::milliseconds time, std::size_t output_bytes_max,
                              ErrorStream errors = ErrorStream::ours);

}  // namespace archway::proxy
