#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace archway::proxy {

/// What `archway doctor` found in one place.
struct Finding {
  enum class Grade : std::uint8_t { ok, warning, failed };
  Grade grade = Grade::ok;
  std::string subject;      ///< what was looked at: "upstream docker.io"
  std::string text;         ///< what was found
  std::string advice = {};  ///< what to do about it; "" : nothing
};
using Findings = std::vector<Finding>;

}  // namespace archway::proxy
