#pragma once

#include "proxy/command/output.hpp"
#include "proxy/command/transfer.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace archway::proxy {

/// `[=======>            ]  37%`: so much of the whole; full where the whole is nothing.
std::string progress_bar(std::uint64_t done, std::uint64_t whole);

/// How far transfers have come: a bar on a terminal, written over as it moves, elsewhere a line
/// every ten seconds; nothing with --quiet.
class PullProgress {
 public:
  /// `command` begins the plain lines. The transfers must outlive it.
  PullProgress(std::string command, const Surroundings& surroundings, const OutputOptions& options,
               const std::vector<Transfer>* transfers);

  /// Bytes came in; it looks whether it is time to say so.
  void moved();

  /// `[=>  ]  37%  3 of 8 blobs  12.0 MiB of 32.1 MiB  8.1 MiB/s`, at so long after the beginning.
  std::string text(std::chrono::duration<double> elapsed) const;

 private:
  using Clock = std::chrono::steady_clock;

  std::string command_;
  const Surroundings& surroundings_;
  bool plain_;
  bool seen_;
  const std::vector<Transfer>* transfers_;
  Progress line_;
  Clock::time_point begun_ = Clock::now();
  Clock::time_point said_ = begun_;
};

}  // namespace archway::proxy
